"""A tool that is cut off at any of its steps leaves no half appointment: each step is tried."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

import pytest

from services.receptionist.agent import Agent
from services.receptionist.books import Booking, BookingState
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from tests.receptionist.office import AT_HALF_PAST_THREE, OTHER, Calls, Office

MOST_STEPS = 40
BEFORE = "2026-11-24T15:30"
AFTER = "2026-11-25T15:30"


class Steps:
    """Counts the steps of the books; at the chosen one the task is cancelled."""

    def __init__(self, cut_at: int) -> None:
        self.cut_at = cut_at
        self.count = 0
        self.task: asyncio.Task[ToolResult] | None = None

    async def __call__(self, step: str) -> None:
        self.count += 1
        if self.count == self.cut_at and self.task:
            self.task.cancel()
        await asyncio.sleep(0)


async def cut_off(office: Office, call: Calls, request: ToolRequest, cut_at: int) -> bool:
    """Use a tool and cut it off at a step; False if it has fewer steps."""
    steps = Steps(cut_at)
    office.books.hook(steps)
    steps.task = asyncio.create_task(call.desk.do(request))
    with suppress(asyncio.CancelledError):
        await steps.task
    office.books.hook(Steps(0))
    return steps.count >= cut_at


def starts(office: Office, state: BookingState) -> list[str]:
    rows = office.books.appointments.in_state(state)
    return [office.agent.schedule.local(row.starts_at).isoformat()[:16] for row in rows]


def cuts() -> Iterator[int]:
    yield from range(1, MOST_STEPS)


async def prepared(agent: Agent, tool: Tool) -> tuple[Office, Calls, ToolRequest, Booking | None]:
    """An office, a call, and the request that is to be cut off."""
    office = Office(agent)
    call = office.call()
    wish = {"service": "check-up", "name": "Maria Lopez", "when": "next Tuesday at half past three"}
    booking = None
    if tool is Tool.BOOK_APPOINTMENT:
        await call.book("monday at 9")  # an earlier proposal, which the new one frees
        arguments = wish
    else:
        booking = await office.booked()
        arguments = {"reference": booking.id, "when": "the next day"}
        if tool is Tool.CHANGE_APPOINTMENT:
            await call.do(tool, reference=booking.id, when="monday at 9")
    return office, call, ToolRequest(tool, arguments, 10, "the-key"), booking


async def cut_at_each_step(
    agent: Agent, tool: Tool, check: Callable[[Office, Calls, ToolRequest], Awaitable[None]]
) -> int:
    """Cut a proposing tool off at each of its steps, and check each time; how many there were."""
    for cut_at in cuts():
        office, call, request, _ = await prepared(agent, tool)
        if not await cut_off(office, call, request, cut_at):
            return cut_at - 1
        await check(office, call, request)
    raise AssertionError("it never ends")


PROPOSING = [
    (Tool.BOOK_APPOINTMENT, 0),
    (Tool.CHANGE_APPOINTMENT, 1),
    (Tool.CANCEL_APPOINTMENT, 1),
]


@pytest.mark.parametrize(("tool", "confirmed"), PROPOSING)
async def test_a_proposal_that_is_cut_off_changes_no_appointment(
    agent: Agent, tool: Tool, confirmed: int
) -> None:
    async def check(office: Office, call: Calls, request: ToolRequest) -> None:
        await call.desk.close()
        assert starts(office, BookingState.CONFIRMED) == [BEFORE] * confirmed
        assert starts(office, BookingState.HELD) == [], "nothing is kept from others"
        assert starts(office, BookingState.CANCELLED) == []

    assert await cut_at_each_step(agent, tool, check) >= 2


@pytest.mark.parametrize(("tool", "confirmed"), PROPOSING)
async def test_a_proposal_that_was_cut_off_can_be_made_again(
    agent: Agent, tool: Tool, confirmed: int
) -> None:
    async def check(office: Office, call: Calls, request: ToolRequest) -> None:
        result = await call.desk.do(request)
        assert result.is_ok
        call.turn = 20
        assert (await call.confirm(result)).is_ok
        await call.desk.close()
        expected = {Tool.CHANGE_APPOINTMENT: [AFTER], Tool.CANCEL_APPOINTMENT: []}
        assert starts(office, BookingState.CONFIRMED) == expected.get(tool, [BEFORE])
        assert starts(office, BookingState.HELD) == []

    assert await cut_at_each_step(agent, tool, check) >= 2


@pytest.mark.parametrize(("tool", "confirmed"), PROPOSING)
async def test_another_wish_may_follow_one_that_was_cut_off(
    agent: Agent, tool: Tool, confirmed: int
) -> None:
    async def check(office: Office, call: Calls, request: ToolRequest) -> None:
        call.turn = 20
        held = await call.book("tuesday at 3:45 pm" if tool is not Tool.CHANGE_APPOINTMENT else "")
        if tool is Tool.BOOK_APPOINTMENT:
            assert held.is_ok, "an own hold of which nobody knows is not in the way"
        await call.desk.close()
        assert starts(office, BookingState.HELD) == []

    assert await cut_at_each_step(agent, tool, check) >= 2


@pytest.mark.parametrize("then", ["confirm again", "hang up"])
@pytest.mark.parametrize(("tool", "confirmed"), PROPOSING)
async def test_a_confirmation_that_is_cut_off_happened_wholly_or_not_at_all(
    agent: Agent, tool: Tool, confirmed: int, then: str
) -> None:
    done_state = {
        Tool.BOOK_APPOINTMENT: (BookingState.CONFIRMED, [BEFORE]),
        Tool.CHANGE_APPOINTMENT: (BookingState.CONFIRMED, [AFTER]),
        Tool.CANCEL_APPOINTMENT: (BookingState.CANCELLED, [BEFORE]),
    }
    seen: set[bool] = set()
    for cut_at in cuts():
        office, call, request, _ = await prepared(agent, tool)
        proposed = await call.desk.do(request)
        confirm = ToolRequest(
            Tool.CONFIRM, {"reference": proposed.facts["reference"]}, 11, "confirm-key"
        )
        if not await cut_off(office, call, confirm, cut_at):
            break
        state, meant = done_state[tool]
        is_done = starts(office, state) == meant
        seen.add(is_done)
        if not is_done:
            assert starts(office, BookingState.CONFIRMED) == [BEFORE] * confirmed
        if then == "confirm again":
            result = await call.desk.do(confirm)
            assert result.is_ok
            assert starts(office, state) == meant
        await call.desk.close()
        assert starts(office, BookingState.HELD) == []
        assert (starts(office, state) == meant) is (is_done or then == "confirm again")
        if then == "confirm again":
            assert len(office.books.texts.sent) - confirmed == 1, "told once"
    assert seen == {True, False}, "both sides of the transaction were tried"


@pytest.mark.parametrize(("tool", "confirmed"), PROPOSING)
async def test_a_process_that_dies_leaves_holds_that_expire(
    agent: Agent, tool: Tool, confirmed: int
) -> None:
    async def check(office: Office, call: Calls, request: ToolRequest) -> None:
        office.clock.move(seconds=121)  # nobody closed the desk
        assert starts(office, BookingState.HELD) == []
        assert starts(office, BookingState.CONFIRMED) == [BEFORE] * confirmed
        if not confirmed:
            held = await office.call(OTHER).book()
            assert held.facts["start"] == AT_HALF_PAST_THREE

    assert await cut_at_each_step(agent, tool, check) >= 2


async def test_closing_that_is_cut_off_can_be_repeated(agent: Agent) -> None:
    for cut_at in cuts():
        office = Office(agent)
        call = office.call()
        await call.book()
        steps = Steps(cut_at)
        office.books.hook(steps)
        closing = asyncio.create_task(call.desk.close())
        steps.task = closing  # type: ignore[assignment]
        with suppress(asyncio.CancelledError):
            await closing
        office.books.hook(Steps(0))
        await call.desk.close()
        assert starts(office, BookingState.HELD) == []
        if steps.count < cut_at:
            return
    raise AssertionError("it never ends")
