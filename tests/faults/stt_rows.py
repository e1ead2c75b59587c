"""What can go wrong at those who hear.

Of the faults of a second way, and of all ways at once, there is one of each kind: what else a
vendor may say at that place is tried where it is the first.
"""

from __future__ import annotations

import asyncio

from tests.faults.caller import hears
from tests.faults.trials import (
    OPENAI_REFUSALS,
    Down,
    Row,
    Strike,
    Trial,
    deepgram,
    down,
    openai,
    order,
    trial,
)
from tests.faults.world import Kind, World
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram_ears import Texts
from tests.simulators.vendors.deepgram_stream import Latencies

_NEVER_MS = 3_600_000
_STATUSES = (400, 401, 402, 403, 404, 429, 500)
_HIT_ALL = {401, 500}  # RESET and STALL_FIRST have 500 as well
_WHOLE = {"refused", "401", "stall, not connected", "stall before first byte"}
_CLOSES: tuple[tuple[int | None, str, str], ...] = (
    (1008, "DATA-0000", "DATA-0000"),
    (1011, "NET-0000", "NET-0000"),
    (1011, "NET-0001", "NET-0001"),
    (1000, "", "1000"),
    (None, "", "1005"),
)


async def _deaf(world: World, times: int) -> None:
    """The next sockets are opened, and never say anything."""
    good = world.deepgram._latencies
    world.deepgram._latencies = Latencies(_NEVER_MS, _NEVER_MS, good.file_ms)
    if times == 1:  # the call opens its socket at once
        loop = asyncio.get_running_loop()
        loop.call_later(1.0, lambda: setattr(world.deepgram, "_latencies", good))


async def _no_words(world: World, times: int) -> None:
    """The next stretches are answered as if there were no words in them; the first turn has two."""
    left = max(times, 2)

    def hears_nothing(audio: bytes) -> str:
        nonlocal left
        words = hears(audio)
        left -= bool(words)
        return words if left < 0 else ""

    world.deepgram._texts = Texts(hears_nothing)


def _deepgram_row(name: str, stt: str, endpoint: str) -> Row:
    def opening(name: str, codes: str, fault: Fault) -> Trial:
        hits_all = stt == "deepgram" and fault.status in _HIT_ALL
        return trial(
            name,
            codes,
            order(deepgram, fault, endpoint),
            moment="middle",
            cuts=True,
            everywhere=order(deepgram, fault, endpoint, "file") if hits_all else None,
            is_whole=hits_all and name in _WHOLE,
        )

    def speaking(name: str, codes: str, fault: Fault, **more: object) -> Trial:
        return trial(name, codes, order(deepgram, fault, endpoint), moment="start", **more)

    trials = [
        trial(
            "refused",
            "refused",
            down(deepgram),
            moment="middle",
            is_down=True,
            is_whole=stt == "deepgram",
        ),
        opening("reset", "reset", Fault(Trouble.RESET)),
        *(opening(str(s), str(s), Fault(Trouble.STATUS, status=s)) for s in _STATUSES),
        opening(
            "stall, not connected", "connect timeout|timeout|overtaken", Fault(Trouble.STALL_FIRST)
        ),
        trial("stall, connected", "stall", _deaf, moment="start"),
        speaking("stall mid-stream", "stall", Fault(Trouble.STALL_MID), has_interims=True),
        speaking("malformed", "malformed", Fault(Trouble.MALFORMED)),
        speaking("cut mid-sentence", "1006", Fault(Trouble.CUT)),
    ]
    if stt == "deepgram":
        trials.append(trial("no words", "no words", _no_words, moment="start"))
    for code, reason, told in _CLOSES:
        fault = Fault(Trouble.CLOSE, code=code, reason=reason)  # type: ignore[arg-type]
        trials.append(speaking(f"closed {code or 1005} {reason}".strip(), told, fault))
    return Row(name, "stt", Kind(stt=stt), deepgram, tuple(trials))


def _file_row() -> Row:
    """Deepgram's files, while its sockets are refused."""

    def file(name: str, codes: str, fault: Fault) -> Trial:
        return trial(name, codes, order(deepgram, fault, "file"))

    trials = (
        file("reset", "reset", Fault(Trouble.RESET)),
        *(file(str(s), str(s), Fault(Trouble.STATUS, status=s)) for s in (400, 401, 404, 429, 500)),
        file("stall before first byte", "timeout|overtaken", Fault(Trouble.STALL_FIRST)),
        file("stall mid-answer", "timeout|overtaken", Fault(Trouble.STALL_MID)),
        file("malformed", "malformed", Fault(Trouble.MALFORMED)),
        file("cut mid-answer", "reset", Fault(Trouble.CUT)),
    )
    no_sockets = Down(order(deepgram, Fault(Trouble.STATUS, 503), "listen"), "503")
    return Row("deepgram file", "stt", Kind(), deepgram, trials, no_sockets)


def _openai_row() -> Row:
    def transcription(name: str, codes: str, fault: Fault) -> Trial:
        strike = order(openai, fault, "transcriptions")
        return trial(name, codes, strike, is_whole=name in _WHOLE)

    def status(status: int, code: str) -> Trial:
        return transcription(str(status), code, Fault(Trouble.STATUS, status))

    trials = (
        trial("refused", "refused", down(openai), is_down=True, is_whole=True),
        transcription("reset", "connection lost", Fault(Trouble.RESET)),
        *(status(*refused) for refused in OPENAI_REFUSALS),
        transcription("stall before first byte", "timeout|overtaken", Fault(Trouble.STALL_FIRST)),
        transcription("stall mid-answer", "timeout|overtaken", Fault(Trouble.STALL_MID)),
        transcription("malformed", "malformed", Fault(Trouble.MALFORMED)),
        transcription("cut mid-answer", "connection lost", Fault(Trouble.CUT)),
    )
    return Row("openai transcription", "stt", Kind(stt="openai"), openai, trials)


def _remote_row() -> Row:
    """All who hear and are not in this machine."""

    def all_of_them(name: str, codes: str, fault: Fault) -> Trial:
        return trial(name, codes, _all_ears(fault), is_whole=True)

    trials = (
        all_of_them("reset", "reset|connection lost", Fault(Trouble.RESET)),
        all_of_them("401", "401|invalid_api_key", Fault(Trouble.STATUS, 401)),
        all_of_them("500", "500", Fault(Trouble.STATUS, 500)),
        all_of_them(
            "stall before first byte",
            "connect timeout|timeout|overtaken",
            Fault(Trouble.STALL_FIRST),
        ),
    )
    return Row("every remote ear", "stt", Kind(), deepgram, trials, vendors=2, only_for_good=True)


def _all_ears(fault: Fault) -> Strike:
    async def strike(world: World, times: int) -> None:
        await order(deepgram, fault, "listen", "file")(world, times)
        await order(openai, fault, "transcriptions")(world, times)

    return strike


ROWS = (
    _deepgram_row("deepgram live", "deepgram", "listen"),
    _deepgram_row("deepgram flux", "flux", "flux"),
    _file_row(),
    _openai_row(),
    _remote_row(),
)
