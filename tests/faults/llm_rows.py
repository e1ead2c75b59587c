"""What can go wrong at the model.

With Flux's ears, which decide themselves when a turn is over, there is one fault of each kind.
"""

from __future__ import annotations

from dataclasses import replace

from tests.faults.stand_ins import NO_FINISH, clumsy
from tests.faults.trials import OPENAI_REFUSALS, Row, Trial, down, openai, order, refusal, trial
from tests.faults.world import Kind, World
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai_answers import Pace

_SLOW_S = 0.7  # from token to token
_WHOLE = {"refused", "401", "stall before first byte"}
_WITH_FLUX = {"refused", "reset", "401", "429", "stall before first byte", "stall mid-stream"}
_WITH_FLUX |= {"malformed", "cut mid-sentence"}


async def _clumsy(world: World, times: int) -> None:
    """The model's next answers are tool calls with arguments that are no JSON."""
    good, left = world.openai.model.answers, times

    def answer(messages: list[dict[str, object]]) -> object:
        nonlocal left
        left -= 1
        return clumsy(messages) if left >= 0 else good(messages)  # type: ignore[operator, arg-type, misc]

    world.openai.model.answers = answer  # type: ignore[assignment]


async def _slowly(world: World, times: int) -> None:
    """The model's next answers come slower than anybody speaks."""
    model, left = world.openai.model, times
    usual = model.pace

    def pace() -> Pace:
        nonlocal left
        left -= 1
        return Pace(model.first_token_ms / 1000, _SLOW_S) if left >= 0 else usual()

    model.pace = pace  # type: ignore[method-assign]


def _chat(name: str, codes: str, fault: Fault) -> Trial:
    return trial(name, codes, order(openai, fault, "chat"), is_whole=name in _WHOLE)


def _status(status: int, code: str, reason: str = "") -> Trial:
    return _chat(*refusal(status, reason, code))


_TRIALS = (
    trial("refused", "refused", down(openai), is_down=True, is_whole=True),
    _chat("reset", "connection lost", Fault(Trouble.RESET)),
    *(_status(*refused) for refused in OPENAI_REFUSALS),
    _status(429, "insufficient_quota", "insufficient_quota"),
    _chat("stall before first byte", "slow|first byte timeout", Fault(Trouble.STALL_FIRST)),
    _chat("stall mid-stream", "stall", Fault(Trouble.STALL_MID)),
    _chat("malformed", "malformed", Fault(Trouble.MALFORMED)),
    _chat("cut mid-sentence", "connection lost", Fault(Trouble.CUT)),
    _chat("error event mid-stream", "server_error", Fault(Trouble.CLOSE)),
    _chat(NO_FINISH, "cut", Fault(Trouble.CLOSE, reason=NO_FINISH)),
    trial("slower than speech", "", _slowly, is_told=False),
    trial("invalid tool arguments", "empty|slow", _clumsy, is_told=False),
)

ROWS = (
    Row("openai chat", "llm", Kind(), openai, _TRIALS),
    Row(
        "openai chat, flux ears",
        "llm",
        Kind(stt="flux"),
        openai,
        tuple(replace(one, is_whole=False) for one in _TRIALS if one.name in _WITH_FLUX),
    ),
)
