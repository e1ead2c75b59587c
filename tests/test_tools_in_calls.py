"""Tools in whole calls on virtual time: slow ones, interrupted ones, and callers who hang up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from services.call import events as on
from services.call.effects import Speaker, Turn
from services.call.events import AfterReply
from services.call.timings import Timings
from services.engines.tool_work import ToolWork
from services.journal import JournalWriter
from services.llm import BrainEvent, UseTool
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from services.replay import replay
from tests.desks import FakeDesk, wish
from tests.test_session import Call, call, story
from tests.virtual_time import run_virtual

TRANSFERS = {Tool.TRANSFER_CALL: ToolResult("ok", "Say so.", then=AfterReply.TRANSFER)}


def filler_times(held: Call) -> list[float]:
    """When the stored line that bridges a wait was asked for and given."""
    return [now for now, event, _ in held.entries if isinstance(event, on.FillerReady)]


class Booker:
    """Books in answer to the caller's first words, and then says what it knows of it."""

    def __init__(self, work: ToolWork) -> None:
        self._work = work
        self.knew: list[Sequence[str]] = []

    def prepare(self, turns: Sequence[Turn]) -> None: ...

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        said = [turn.text for turn in turns if turn.speaker is Speaker.CALLER]
        self.knew.append(list(self._work.notes))
        if len(said) == 1 and not self.knew[-1]:
            yield UseTool(wish(Tool.BOOK_APPOINTMENT, len(said), when="tomorrow"))
            yield "It is booked for tomorrow."
        else:
            yield "It is booked, you said more." if self.knew[-1] else "Nothing is booked."

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        return None


def with_booker(held: Call) -> Booker:
    engine = held.session._engine
    engine._brain = booker = Booker(engine._work)  # type: ignore[attr-defined]
    return booker


# --- slow tools -----------------------------------------------------------------------------------


@story
async def test_a_slow_tool_is_bridged_once_and_then_the_answer_comes() -> None:
    answer = [UseTool(wish(Tool.BOOK_APPOINTMENT)), "It is booked."]
    async with call(["book it"], [answer], desk=FakeDesk(takes_s=4.0)) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(9000)
        assert held.history == ["greeting", "book it", "It is booked."]
        assert len(filler_times(held)) == 1


@story
async def test_a_tool_that_never_returns_is_apologised_for_and_not_lost() -> None:
    answer = [UseTool(wish(Tool.BOOK_APPOINTMENT)), "I am sorry."]
    desk = FakeDesk(takes_s=20.0)
    async with call(["book it", "and now"], [answer, ["Yes."]], desk=desk) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(13_000)
        assert held.history == ["greeting", "book it", "I am sorry."]
        assert len(filler_times(held)) == 1
        assert held.hung_up == []
        await held.phone.speak(500)
        await held.phone.listen(9000)
        assert held.history[-1] == "Yes."
        assert [used.code for used in held.used] == ["ok"]


# --- interrupted ----------------------------------------------------------------------------------


@pytest.mark.parametrize("after_ms", range(0, 4200, 120))
def test_a_caller_who_interrupts_at_any_moment_has_one_booking_that_is_known(after_ms: int) -> None:
    async def work() -> None:
        async with call(["book it please", "for two people"], desk=FakeDesk(takes_s=1.5)) as held:
            booker = with_booker(held)
            await held.phone.listen(1000)
            await held.phone.speak(500)
            await held.phone.listen(after_ms // 20 * 20)
            await held.phone.speak(600)
            await held.phone.listen(6000)
            said = [used for used in held.used if used.tool == "book_appointment"]
            assert len(held.desk.done) == 1
            assert {used.code for used in said} == {"ok"}
            assert held.history[-1].startswith("It is booked")
            was_done_before = len(booker.knew) > 1 and booker.knew[-1] != []
            assert was_done_before == held.history[-1].endswith("more.")
        assert held.session.end_reason == "caller: stop"

    run_virtual(work())


@pytest.mark.parametrize("after_ms", range(0, 4200, 120))
def test_a_caller_who_hangs_up_at_any_moment_leaves_no_half_booking(
    after_ms: int, tmp_path: Path
) -> None:
    writer = JournalWriter(tmp_path)

    async def work() -> None:
        desk = FakeDesk(takes_s=1.5)
        async with call(["book it please"], desk=desk, writer=writer) as held:
            with_booker(held)
            await held.phone.listen(1000)
            await held.phone.speak(500)
            await held.phone.listen(after_ms // 20 * 20)
        was_begun = [event for _, event, _ in held.entries if isinstance(event, on.ToolStarted)]
        assert [used.code for used in held.used] == ["ok"] * len(was_begun)
        assert len(desk.done) == len(was_begun) == (after_ms >= 800)
        assert desk.closed == 1

    run_virtual(work())
    writer.close()
    (journal,) = tmp_path.iterdir()
    count, differences = replay(journal.read_text().splitlines())
    assert count > 5
    assert not differences


# --- transfers ------------------------------------------------------------------------------------


@story
async def test_a_caller_is_put_through_when_that_was_said() -> None:
    answer = [UseTool(wish(Tool.TRANSFER_CALL, person="Maria"))]
    async with call(["Maria please"], [answer], desk=FakeDesk(results=TRANSFERS)) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(3000)
        assert held.history == ["greeting", "Maria please", "transfer"]
        assert held.session.end_reason == "transfer"


@story
async def test_a_caller_who_wants_something_else_instead_stays() -> None:
    answers: list[list[BrainEvent]] = [
        [UseTool(wish(Tool.TRANSFER_CALL, person="Maria")), "I will put you through to Maria now."],
        ["What is it?"],
    ]
    words = ["Maria please", "no wait I have a question"]
    async with call(words, answers, desk=FakeDesk(results=TRANSFERS)) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(1300)
        await held.phone.speak(1000)
        await held.phone.listen(2000)
        assert held.history[-2:] == ["no wait I have a question", "What is it?"]
        assert held.hung_up == []
    assert held.session.end_reason == "caller: stop"


@pytest.mark.parametrize(
    ("order", "reason", "last"),
    [
        (on.TransferOrdered(), "transfer", "transfer"),
        (on.HangUpOrdered(), "ordered", "greeting"),
        (on.MachineAnswered(message=True), "voicemail", "voicemail"),
        (on.MachineAnswered(), "machine", "greeting"),
    ],
)
def test_orders_from_outside_are_carried_out(order: on.Event, reason: str, last: str) -> None:
    async def work() -> None:
        async with call() as held:
            await held.phone.listen(2000)
            held.session.emit(order)
            await held.phone.listen(2000)
            assert (held.hung_up, held.history[-1]) == ([reason], last)
            assert held.session.end_reason == reason

    run_virtual(work())


@story
async def test_an_order_that_came_before_the_call_waits_for_its_start() -> None:
    held = Call([], [], Timings(), 0.1)
    held.session.emit(on.TransferOrdered())
    await asyncio.wait_for(held.task, 10)
    assert held.history == ["transfer"]
    assert held.session.end_reason == "transfer"
