"""What can go wrong at each vendor: the rows and columns of the fault table.

The documented statuses and close codes are those of the simulators' sources: Deepgram's
troubleshooting page and ``dg-error`` (401, 402, 403, 429; DATA-0000, NET-0000, NET-0001),
ElevenLabs' error messages, OpenAI's error codes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from tests.faults.stand_ins import NO_FINISH, clumsy
from tests.faults.world import Kind, World
from tests.simulators.vendors.base import Fault, Simulator, Trouble
from tests.simulators.vendors.deepgram_listen import Latencies

Strike = Callable[[World, int], Awaitable[None]]
"""Let a fault hit the next so many requests or sockets."""

ALWAYS = 1_000_000
_NEVER_MS = 3_600_000


class Lasts(Enum):
    """For how long."""

    ONCE = "once"  # it hits the first turn, once
    CALL = "for good"  # from before the call on
    VENDOR = "for good, whole vendor"
    START = "from the server's start"


@dataclass(frozen=True, slots=True)
class Trial:
    """A fault. ``codes``: what may be told of it. ``moment``: when it strikes in the first turn if
    it strikes once (see ``call.Hooks``), or "start": before the call. ``cuts``: only a new
    connection meets it, so the old ones are cut then. ``everywhere``: all of the vendor has it.
    ``is_told``: it is a failure of the vendor's, not only a mistake of its model. ``is_whole``: it
    is also tried from the server's start, and without embedded engines."""

    name: str
    codes: frozenset[str]
    strike: Strike
    moment: str = "before"
    cuts: bool = False
    everywhere: Strike | None = None
    has_interims: bool = False
    is_down: bool = False
    is_told: bool = True
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A vendor, reached in one way. ``layer``: stt, llm or tts."""

    name: str
    layer: str
    kind: Kind
    simulator: Callable[[World], Simulator]
    trials: tuple[Trial, ...]


def _deepgram(world: World) -> Simulator:
    return world.deepgram


def _openai(world: World) -> Simulator:
    return world.openai


def _elevenlabs(world: World) -> Simulator:
    return world.elevenlabs


def _order(simulator: Callable[[World], Simulator], fault: Fault, *endpoints: str) -> Strike:
    async def strike(world: World, times: int) -> None:
        for endpoint in endpoints:
            simulator(world).faults.order(endpoint, fault, times)

    return strike


def _down(simulator: Callable[[World], Simulator]) -> Strike:
    async def strike(world: World, times: int) -> None:
        await world.shut(simulator(world))

    return strike


async def _deaf(world: World, times: int) -> None:
    """The next sockets are opened, and never say anything."""
    good = world.deepgram._latencies
    world.deepgram._latencies = Latencies(_NEVER_MS, _NEVER_MS, good.file_ms)
    if times == 1:  # the call opens its socket at once
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, lambda: setattr(world.deepgram, "_latencies", good))


async def _clumsy(world: World, times: int) -> None:
    """The model's next answers are tool calls with arguments that are no JSON."""
    good, left = world.openai.model.answers, times

    def answer(messages: list[dict[str, object]]) -> object:
        nonlocal left
        left -= 1
        return clumsy(messages) if left >= 0 else good(messages)  # type: ignore[operator, arg-type, misc]

    world.openai.model.answers = answer  # type: ignore[assignment]


async def _nothing(world: World, times: int) -> None: ...


NOTHING = Trial("(nothing)", frozenset(), _nothing, is_told=False)


def _trial(name: str, codes: str, strike: Strike, **more: object) -> Trial:
    return Trial(name, frozenset(codes.split("|")), strike, **more)  # type: ignore[arg-type]


# --- Deepgram -------------------------------------------------------------------------------------

_STATUSES = (401, 402, 403, 429, 500)
_HIT_ALL = {401, 500}  # RESET and STALL_FIRST have 500 as well
_WHOLE = {"refused", "401", "stall, not connected", "stall before first byte"}
_CLOSES: tuple[tuple[int | None, str, str], ...] = (
    (1008, "DATA-0000", "DATA-0000"),
    (1011, "NET-0000", "NET-0000"),
    (1011, "NET-0001", "NET-0001"),
    (1000, "", "1000"),
    (None, "", "1005"),
)


def _deepgram_row(name: str, stt: str, endpoint: str) -> Row:
    def opening(name: str, codes: str, fault: Fault) -> Trial:
        hits_all = stt == "deepgram" and fault.status in _HIT_ALL
        return _trial(
            name,
            codes,
            _order(_deepgram, fault, endpoint),
            moment="middle",
            cuts=True,
            everywhere=_order(_deepgram, fault, endpoint, "file") if hits_all else None,
            is_whole=hits_all and name in _WHOLE,
        )

    def speaking(name: str, codes: str, fault: Fault, **more: object) -> Trial:
        return _trial(name, codes, _order(_deepgram, fault, endpoint), moment="start", **more)

    trials = [
        _trial(
            "refused",
            "refused",
            _down(_deepgram),
            moment="middle",
            is_down=True,
            is_whole=stt == "deepgram",
        ),
        opening("reset", "reset", Fault(Trouble.RESET)),
        *(opening(str(s), str(s), Fault(Trouble.STATUS, status=s)) for s in _STATUSES),
        opening(
            "stall, not connected", "connect timeout|timeout|overtaken", Fault(Trouble.STALL_FIRST)
        ),
        _trial("stall, connected", "stall", _deaf, moment="start"),
        speaking("stall mid-stream", "stall", Fault(Trouble.STALL_MID), has_interims=True),
        speaking("malformed", "malformed", Fault(Trouble.MALFORMED)),
        speaking("cut mid-sentence", "1006", Fault(Trouble.CUT)),
    ]
    for code, reason, told in _CLOSES:
        fault = Fault(Trouble.CLOSE, code=code, reason=reason)  # type: ignore[arg-type]
        trials.append(speaking(f"closed {code or 1005} {reason}".strip(), told, fault))
    return Row(name, "stt", Kind(stt=stt), _deepgram, tuple(trials))


# --- OpenAI ---------------------------------------------------------------------------------------


def _openai_row() -> Row:
    def chat(name: str, codes: str, fault: Fault) -> Trial:
        strike = _order(_openai, fault, "chat")
        return _trial(name, codes, strike, is_whole=name in _WHOLE)

    def status(status: int, code: str, reason: str = "") -> Trial:
        name = f"{status} {reason}".strip()
        return chat(name, code, Fault(Trouble.STATUS, status=status, reason=reason))

    trials = (
        _trial("refused", "refused", _down(_openai), is_down=True, is_whole=True),
        chat("reset", "connection lost", Fault(Trouble.RESET)),
        status(401, "invalid_api_key"),
        status(403, "forbidden"),
        status(429, "rate_limit_exceeded"),
        status(429, "insufficient_quota", "insufficient_quota"),
        status(500, "500"),
        chat("stall before first byte", "slow|first byte timeout", Fault(Trouble.STALL_FIRST)),
        chat("stall mid-stream", "stall", Fault(Trouble.STALL_MID)),
        chat("malformed", "malformed", Fault(Trouble.MALFORMED)),
        chat("cut mid-sentence", "connection lost", Fault(Trouble.CUT)),
        chat("error event mid-stream", "server_error", Fault(Trouble.CLOSE)),
        chat(NO_FINISH, "cut", Fault(Trouble.CLOSE, reason=NO_FINISH)),
        _trial("invalid tool arguments", "empty|slow", _clumsy, is_told=False),
    )
    return Row("openai chat", "llm", Kind(), _openai, trials)


# --- ElevenLabs -----------------------------------------------------------------------------------

_REFUSALS = (
    (401, "", "invalid_api_key"),
    (401, "quota_exceeded", "quota_exceeded"),
    (429, "", "too_many_concurrent_requests"),
    (500, "", "internal_server_error"),
    (503, "", "system_busy"),
)
_ENDS = (
    (1008, "quota_exceeded"),
    (1008, "max_active_conversations"),
    (1008, "input_timeout_exceeded"),
    (1008, "detected_unusual_activity"),
    (1011, ""),
    (1000, ""),
)


def _socket_row() -> Row:
    def opening(name: str, codes: str, fault: Fault) -> Trial:
        return _trial(
            name,
            codes,
            _order(_elevenlabs, fault, "connect"),
            moment="end",
            cuts=True,
            everywhere=_order(_elevenlabs, fault, "connect", "stream"),
            is_whole=name in _WHOLE,
        )

    def speaking(name: str, codes: str, fault: Fault) -> Trial:
        everywhere = None
        if fault.trouble is not Trouble.CLOSE:
            everywhere = _order(_elevenlabs, fault, "context", "stream")
        return _trial(name, codes, _order(_elevenlabs, fault, "context"), everywhere=everywhere)

    trials = [
        _trial("refused", "refused", _down(_elevenlabs), moment="end", is_down=True, is_whole=True),
        opening("reset", "cut", Fault(Trouble.RESET)),
        *(
            opening(
                f"{status} {reason}".strip(), told, Fault(Trouble.STATUS, status, reason=reason)
            )
            for status, reason, told in _REFUSALS
        ),
        opening(
            "stall, not connected",
            "connect timeout|first audio timeout",
            Fault(Trouble.STALL_FIRST),
        ),
        speaking("stall, connected", "first audio timeout", Fault(Trouble.STALL_FIRST)),
        speaking("stall mid-stream", "stall", Fault(Trouble.STALL_MID)),
        speaking("malformed", "malformed", Fault(Trouble.MALFORMED)),
        speaking("cut mid-sentence", "1006|cut", Fault(Trouble.CUT)),
    ]
    for code, reason in _ENDS:
        fault = Fault(Trouble.CLOSE, code=code, reason=reason)
        trials.append(speaking(f"closed {code} {reason}".strip(), reason or str(code), fault))
    return Row("elevenlabs socket", "tts", Kind(), _elevenlabs, tuple(trials))


def _rest_row() -> Row:
    def stream(name: str, codes: str, fault: Fault) -> Trial:
        return _trial(name, codes, _order(_elevenlabs, fault, "stream"))

    trials = [
        _trial("refused", "refused", _down(_elevenlabs), is_down=True),
        stream("reset", "cut", Fault(Trouble.RESET)),
        *(
            stream(f"{status} {reason}".strip(), told, Fault(Trouble.STATUS, status, reason=reason))
            for status, reason, told in _REFUSALS
        ),
        stream("stall before first byte", "first audio timeout", Fault(Trouble.STALL_FIRST)),
        stream("stall mid-stream", "stall", Fault(Trouble.STALL_MID)),
        stream("malformed", "malformed", Fault(Trouble.MALFORMED)),
        stream("cut mid-sentence", "cut", Fault(Trouble.CUT)),
    ]
    return Row("elevenlabs REST", "tts", Kind(has_socket_voice=False), _elevenlabs, tuple(trials))


ROWS = (
    _deepgram_row("deepgram live", "deepgram", "listen"),
    _deepgram_row("deepgram flux", "flux", "flux"),
    _openai_row(),
    _socket_row(),
    _rest_row(),
)
