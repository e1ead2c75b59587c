"""A fault, when and for how long it strikes, and who is struck: what the table's rows are made of.

The documented statuses and close codes are those of the simulators' sources: Deepgram's
troubleshooting page and ``dg-error`` (401, 402, 403, 429; DATA-0000, NET-0000, NET-0001),
ElevenLabs' error messages, OpenAI's error codes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from tests.faults.world import Kind, World
from tests.simulators.vendors.base import Fault, Simulator, Trouble

Strike = Callable[[World, int], Awaitable[None]]
"""Let a fault hit the next so many requests or sockets."""

ALWAYS = 1_000_000


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
class Down:
    """What is down all the time in a row, and what may be told of that."""

    strike: Strike
    code: str


@dataclass(frozen=True, slots=True)
class Row:
    """A vendor, reached in one way. ``layer``: stt, llm or tts. ``before``: whoever is asked before
    this vendor is down. ``vendors``: how many a trial strikes. ``only_for_good``: of faults that
    strike once other rows tell."""

    name: str
    layer: str
    kind: Kind
    simulator: Callable[[World], Simulator]
    trials: tuple[Trial, ...]
    before: Down | None = None
    vendors: int = 1
    only_for_good: bool = False

    @property
    def codes(self) -> frozenset[str]:
        """What may be told whatever is tried."""
        return frozenset({self.before.code} if self.before else ())


def deepgram(world: World) -> Simulator:
    return world.deepgram


def openai(world: World) -> Simulator:
    return world.openai


def elevenlabs(world: World) -> Simulator:
    return world.elevenlabs


def order(simulator: Callable[[World], Simulator], fault: Fault, *endpoints: str) -> Strike:
    """The next requests to these endpoints meet the fault."""

    async def strike(world: World, times: int) -> None:
        for endpoint in endpoints:
            simulator(world).faults.order(endpoint, fault, times)

    return strike


def down(simulator: Callable[[World], Simulator]) -> Strike:
    """Nobody listens there any more."""

    async def strike(world: World, times: int) -> None:
        await world.shut(simulator(world))

    return strike


async def _nothing(world: World, times: int) -> None: ...


NOTHING = Trial("(nothing)", frozenset(), _nothing, is_told=False)


def trial(name: str, codes: str, strike: Strike, **more: object) -> Trial:
    """``codes``: with "|" between them."""
    return Trial(name, frozenset(codes.split("|")), strike, **more)  # type: ignore[arg-type]


OPENAI_REFUSALS = (
    (400, "400"),
    (401, "invalid_api_key"),
    (403, "forbidden"),
    (404, "model_not_found"),
    (429, "rate_limit_exceeded"),
    (500, "500"),
)
"""Statuses of all of OpenAI's endpoints, and what is told of them."""


def refusal(status: int, reason: str, told: str) -> tuple[str, str, Fault]:
    """The name of a trial, its codes, and its fault: an HTTP status instead of an answer."""
    return f"{status} {reason}".strip(), told, Fault(Trouble.STATUS, status, reason=reason)
