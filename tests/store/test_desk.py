"""The receptionist's desk with the real appointment book instead of the one in memory."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import pytest

from services.receptionist.agent import Agent, load_agent
from services.receptionist.agent import Booking as Rules
from services.receptionist.books import BookingState
from services.receptionist.desk import ReceptionDesk
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from services.receptionist.understanding.lexicon import Lexicon
from services.store import BookingFilter, Store
from tests.receptionist.books import MemoryEscalations, MemoryTexts
from tests.store.clock import HandClock

ROOT = Path(__file__).parent.parent.parent
MONDAY_AT_NINE = "monday at 9 am"
ROUNDS = 200
ALL = BookingFilter(states=tuple(BookingState))


@pytest.fixture(scope="module")
def agent() -> Agent:
    loaded = load_agent(ROOT / "agents" / "receptionist.toml")
    return Agent(
        name=loaded.name,
        business=loaded.business,
        hours=loaded.hours,
        services=loaded.services,
        booking=Rules(),
    )


@cache
def lexicon() -> Lexicon:
    """The words of the agent's file, which take a while to learn."""
    return Lexicon(load_agent(ROOT / "agents" / "receptionist.toml"))


class Caller:
    """One call to the desk; each request is in a new turn."""

    def __init__(self, agent: Agent, store: Store, clock: HandClock, number: int) -> None:
        self.number = f"+1212555{number:04}"
        self.turn = 0
        self.desk = ReceptionDesk(
            agent,
            "receptionist",
            appointments=store.appointments,
            messages=store.messages,
            escalations=MemoryEscalations(),
            texts=MemoryTexts(),
            call_id=f"CA{number}",
            caller=self.number,
            now=clock,
            lexicon=lexicon(),
        )

    async def do(self, tool: Tool, **arguments: str) -> ToolResult:
        self.turn += 1
        return await self.desk.do(ToolRequest(tool, arguments, self.turn, str(self.turn)))

    async def book(self, when: str) -> ToolResult:
        arguments = {"service": "cleaning", "when": when, "name": f"Caller {self.number}"}
        return await self.do(Tool.BOOK_APPOINTMENT, **arguments)

    async def confirm(self, proposed: ToolResult) -> ToolResult:
        return await self.do(Tool.CONFIRM, reference=str(proposed.facts["reference"]))


async def test_an_appointment_is_booked_moved_and_cancelled(
    agent: Agent, store: Store, clock: HandClock
) -> None:
    caller = Caller(agent, store, clock, 1)
    booked = await caller.confirm(await caller.book(MONDAY_AT_NINE))
    assert booked.facts["did"] == "booked"
    reference = booked.facts["id"]
    later = Caller(agent, store, clock, 1)
    found = await later.do(Tool.FIND_APPOINTMENTS)
    assert [one["reference"] for one in found.facts["bookings"]] == [reference]
    proposed = await later.do(Tool.CHANGE_APPOINTMENT, reference=reference, when="the next day")
    moved = await later.confirm(proposed)
    assert (moved.facts["did"], moved.facts["id"]) == ("moved", reference)
    assert moved.facts["start"][11:16] == "09:00"
    assert await later.confirm(proposed) == moved
    gone = await later.confirm(await later.do(Tool.CANCEL_APPOINTMENT, reference=reference))
    assert gone.facts["did"] == "cancelled"
    again = await later.confirm(await later.book(MONDAY_AT_NINE))
    assert again.facts["did"] == "booked"
    states = [one.state for one in (await store.appointments.list(ALL)).items]
    assert sorted(state.value for state in states if state is not BookingState.EXPIRED) == [
        *("cancelled", "confirmed"),
    ]


async def test_a_change_of_mind_and_the_end_of_the_call_leave_nothing_held(
    agent: Agent, store: Store, clock: HandClock
) -> None:
    caller = Caller(agent, store, clock, 1)
    for when in (MONDAY_AT_NINE, "monday at 9:15 am", MONDAY_AT_NINE, "monday at 9:30 am"):
        assert (await caller.book(when)).is_ok, when
    assert (await Caller(agent, store, clock, 2).book("monday at 9:45 am")).code == "taken"
    await caller.desk.close()
    assert (await Caller(agent, store, clock, 2).book("monday at 9:45 am")).is_ok


async def test_of_two_callers_at_the_same_moment_exactly_one_gets_the_slot(
    agent: Agent, store: Store, clock: HandClock
) -> None:
    """200 times: one books it, the other is told of other times, and can have one of those."""
    for round_ in range(ROUNDS):
        callers = [Caller(agent, store, clock, 2 * round_ + more) for more in (1, 2)]
        results = await asyncio.gather(*(caller.book(MONDAY_AT_NINE) for caller in callers))
        assert sorted(result.code for result in results) == ["ok", "taken"]
        won = next(at for at, result in enumerate(results) if result.is_ok)
        winner, loser = callers[won], callers[1 - won]
        others = results[1 - won].facts["slots"]
        assert len(others) == 3
        booked = await winner.confirm(results[won])
        assert booked.facts["did"] == "booked"
        instead = await loser.confirm(await loser.book(others[0]))
        assert (instead.facts["did"], instead.facts["start"]) == ("booked", others[0])
        for caller, done in ((winner, booked), (loser, instead)):
            await store.appointments.cancel(done.facts["id"])
            await caller.desk.close()


async def test_a_slot_that_fits_no_lane_is_refused_with_alternatives(
    agent: Agent, store: Store, clock: HandClock
) -> None:
    pair = Agent(
        name="Ava",
        business=agent.business,
        hours=agent.hours,
        services=agent.services,
        booking=Rules(at_once=2, every_minutes=45),
    )
    starts = ["monday at 8 am", "monday at 8 am", "monday at 8:45 am", "monday at 8:45 am"]
    callers = [Caller(pair, store, clock, number) for number in range(1, 5)]
    for caller, when in zip(callers, starts, strict=True):
        assert (await caller.book(when)).is_ok
    await callers[0].desk.close()  # lane 0 is free at 8:00, lane 1 ...
    await callers[3].desk.close()  # ... at 8:45: no lane is free for 90 minutes
    result = await Caller(pair, store, clock, 9).do(
        Tool.BOOK_APPOINTMENT, service="crown", when="monday at 8 am", name="Bob"
    )
    assert result.code == "taken"
    assert len(result.facts["slots"]) == 3
    assert not any("T08:00" in slot for slot in result.facts["slots"])
