"""One call of the fault table, held by the real session, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.call import events as on
from services.call.conversation import Agent, Conversation
from services.call.conversation import Caller as Ears
from services.call.effects import Effect, HangUp, Purpose, StartReply, Turn
from services.call.events import Event
from services.call.timings import Timings
from services.carriers.twilio import TwilioCarrier
from services.engines import CallBrief
from services.journal import Journal
from services.session import Session
from tests.desks import FakeDesk
from tests.faults.caller import PROMPTS, WITHOUT_PAUSE, Caller, Played, first_sound, played, read
from tests.faults.side_by_side import call_number, tasks_here
from tests.faults.stand_ins import CALLER
from tests.faults.world import World
from tests.phone import FakePhone
from tests.speech import TEXTS
from tests.test_session import START

_ANSWER_WITHIN_MS = 30_000
_LOOK_MS = 200
_LEFT_AFTER_S = 3.0

Hooks = Mapping[str, Callable[[], Awaitable[None]]]
"""What happens in the first turn: "before" it, in its "middle", at its "end", once its answer is
"heard"."""


@dataclass(slots=True)
class Spoken:
    """A turn of the caller's. ``wait_ms``: from its last voiced sample to the next sound; None if
    there was none."""

    text: str
    began: float
    ended: float
    wait_ms: float | None = None


@dataclass(slots=True)
class Report:
    """A call that is over."""

    number: int
    greeted_ms: float | None = None
    """From the start to the greeting."""
    turns: list[Spoken] = field(default_factory=list)
    entries: list[tuple[float, Event, Sequence[Effect]]] = field(default_factory=list)
    """On the loop's clock."""
    history: tuple[Turn, ...] = ()
    heard: Played = field(default_factory=list)
    read: str = ""
    """The letters that were heard."""

    @property
    def failures(self) -> list[str]:
        return [event.code for _, event, _ in self.entries if isinstance(event, on.VendorFailed)]

    @property
    def hung_up(self) -> list[str]:
        """Why we hung up, if we did."""
        return [
            e.reason for _, _, effects in self.entries for e in effects if isinstance(e, HangUp)
        ]

    def between(self, begin: float, end: float) -> Iterator[Event]:
        return (event for at, event, _ in self.entries if begin <= at < end)

    def span(self, number: int) -> tuple[float, float]:
        """From the beginning of a turn to that of the next one."""
        ends = [turn.began for turn in self.turns[1:]] + [float("inf")]
        return self.turns[number].began, ends[number]

    def purposes(self, number: int) -> list[Purpose]:
        begin, end = self.span(number)
        return [
            effect.purpose
            for at, _, effects in self.entries
            if begin <= at < end
            for effect in effects
            if isinstance(effect, StartReply)
        ]


async def hold(
    world: World,
    prompts: Sequence[str] = (),
    hooks: Hooks | None = None,
    speaks: asyncio.Event | None = None,
    noticed: asyncio.Event | None = None,
    failures: int = 1,
) -> Report:
    """A call in which these prompts are said, once ``speaks`` is set. ``noticed`` is set as soon as
    the call has had a first answer and was told of so many failures."""
    loop, phone = asyncio.get_running_loop(), FakePhone()
    report, began = Report(call_number.get() + 1), loop.time()
    call_number.set(report.number)
    session, caller = _session(world, phone), Caller(phone, world.saying)

    session.journal.watch(lambda now, *entry: report.entries.append((began + now, *entry)))
    running = asyncio.create_task(session.run(on.CallStarted(CALLER, "+15550002")))

    async def hook(moment: str) -> None:
        is_told = report.turns and len(report.failures) >= failures
        if noticed and moment in {"heard", "goes on"} and is_told:
            noticed.set()
        if len(report.turns) == 1 and hooks and moment in hooks:
            await hooks[moment]()

    await _until_quiet(caller, phone, session, began, hook)
    while speaks and not (speaks.is_set() and phone.silent_from <= loop.time()):
        await caller.listen(_LOOK_MS)
    for name in prompts or (WITHOUT_PAUSE if world.kind.has_interims else PROMPTS):
        if running.done():
            break
        await caller.listen(300)
        spoken = Spoken(TEXTS[name], loop.time(), 0.0)
        report.turns.append(spoken)
        await hook("before")
        spoken.ended = await caller.say(name, hook)
        await _until_quiet(caller, phone, session, spoken.ended, hook)
    phone.hang_up()
    await running
    report.heard = played(phone.sent)
    report.read = read(report.heard)
    report.greeted_ms = _ms(began, first_sound(report.heard, began))
    for spoken in report.turns:
        spoken.wait_ms = _ms(spoken.ended, first_sound(report.heard, spoken.ended))
    report.history = tuple(session.conversation.history)
    return report


def _ms(since: float, at: float | None) -> float | None:
    return None if at is None else (at - since) * 1000


async def left_behind(world: World, before: set[asyncio.Task[Any]]) -> list[str]:
    """What is still open or running a little after all calls are over. ``before``: the tasks that
    were there before them."""
    await world.rest()
    await asyncio.sleep(_LEFT_AFTER_S)
    return world.left_open() + [f"task {task.get_name()}" for task in tasks_here() - before]


def _session(world: World, phone: FakePhone) -> Session:
    carrier, timings = TwilioCarrier(), Timings()
    carrier.parse(START)
    return Session(
        "CA1",
        phone,
        carrier,
        world.engines.open(CallBrief("CA1", CALLER), FakeDesk()),
        Conversation(timings),
        Journal("CA1", "Ava", timings),
    )


async def _until_quiet(
    caller: Caller,
    phone: FakePhone,
    session: Session,
    since: float,
    hook: Callable[[str], Awaitable[None]],
) -> None:
    """Listen until something was said after ``since`` and nobody says anything more."""
    talk, has_begun = session.conversation, False
    for _ in range(_ANSWER_WITHIN_MS // _LOOK_MS):
        await caller.listen(_LOOK_MS)
        now = phone.loop.time()
        if not has_begun and any(since <= begin <= now for begin, _ in phone.played):
            has_begun = True
            await hook("heard")
        elif has_begun:
            await hook("goes on")
        is_quiet = talk.agent is Agent.IDLE and talk.caller is Ears.QUIET
        if talk.ended or (has_begun and is_quiet and phone.silent_from <= now):
            return
