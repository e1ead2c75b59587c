"""A booking that is interrupted anywhere: heard in part or not at all, cancelled, asked again."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.call.effects import Purpose, Speaker, Turn
from services.receptionist.books import BookingState
from services.receptionist.tools import Tool
from tests.desks import FakeDesk
from tests.llm.office import BOOKED, BOOKING, Office, OfficeCall
from tests.llm.scripted_call import AGENT, CALLER, brain, caller, heard, respond, said, used

READ_BACK = BOOKING[2][1]


async def at_confirm(office: Office, hears: str = "") -> OfficeCall:
    """The read-back was said, and heard as far as told."""
    call = office.call()
    await call.tell(*BOOKING[:2])
    answer = await call.say("Yes.", hears=hears)
    assert READ_BACK in answer
    return call


# --- a yes counts only if it was heard what it is to ----------------------------------------------


@pytest.mark.parametrize("hears", ["", "Great.", "Great. So that's a cleaning on Tuesday,"])
async def test_a_read_back_that_was_not_heard_is_made_again(hears: str) -> None:
    office = Office()
    call = await at_confirm(office, hears)
    answer = await call.say("yes")
    assert "So that's a cleaning on Tuesday, November 24th at 3:30 PM" in answer
    assert office.booked == []
    await call.tell(("yes", "Booked."))
    assert office.booked == [BOOKED]


@pytest.mark.parametrize(
    "hears",
    ["Great. So that's a cleaning on Tuesday, November 24th at 3:30", f"Great. {READ_BACK}"],
)
async def test_a_read_back_heard_as_far_as_the_time_is_enough(hears: str) -> None:
    office = Office()
    call = await at_confirm(office, hears)
    await call.tell(("yes", "Booked."))
    assert office.booked == [BOOKED]


async def test_who_interrupts_the_second_read_back_is_believed() -> None:
    office = Office()
    call = await at_confirm(office, "Great.")
    assert (await call.say("yes", hears="Just to be sure. So")).startswith("Just to be sure.")
    await call.tell(("yes yes", "Booked."))
    assert office.booked == [BOOKED]


async def test_a_yes_to_are_you_still_there_books_nothing() -> None:
    office = Office()
    call = await at_confirm(office, f"Great. {READ_BACK}")
    call.turns.append(heard(AGENT.line(Purpose.IDLE_PROMPT)))
    await call.say("No.")
    await call.say("hm")
    assert office.booked == []


async def test_a_yes_to_what_somebody_else_asked_books_nothing() -> None:
    """A language model had the turn of the read-back; its history looks like this."""
    office = Office()
    call = await at_confirm(office, "Is the weather nice where you are?")
    answer = await call.say("yes")
    assert READ_BACK in answer
    assert office.booked == []


async def test_repair_and_filler_lines_change_nothing() -> None:
    office = Office()
    call = await at_confirm(office, f"{AGENT.filler} Great. {READ_BACK}")
    call.turns.append(heard(AGENT.line(Purpose.REPAIR)))
    await call.tell(("yes", "Booked."))
    assert office.booked == [BOOKED]


async def test_a_filler_alone_does_not_end_the_callers_turn() -> None:
    call = Office().call()
    await call.cut("Book a cleaning", tools=0)
    await call.cut("next Tuesday at half past three", tools=0, hears=AGENT.filler)
    answer = await call.say("please")
    assert "Tuesday, November 24th at 3:30 PM is free." in answer


# --- what an interrupted reply has done -----------------------------------------------------------


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("line", ["Yes, please.", "book it", "and hurry", "hello?"])
async def test_a_confirmation_whose_reply_was_cancelled(begun: bool, line: str) -> None:
    office = Office()
    call = await at_confirm(office, f"Great. {READ_BACK}")
    await call.cut("Yes.", tools=0, begun=begun)
    assert office.booked == ([BOOKED] if begun else [])
    assert "Booked." in await call.say(line)
    assert office.booked == [BOOKED]


async def test_a_change_of_mind_after_it_was_booked_unheard_is_told_the_truth() -> None:
    office = Office()
    call = await at_confirm(office, f"Great. {READ_BACK}")
    await call.cut("Yes.", tools=0, begun=True)
    answer = await call.say("No, wait!")
    assert answer.startswith("It's booked, on Tuesday, November 24th at 3:30 PM. I can still")
    await call.tell(("cancel it", "Shall I cancel it?"), ("yes", "Your cleaning is cancelled."))
    assert office.booked == []


async def test_a_change_of_mind_before_it_was_booked_books_nothing() -> None:
    office = Office()
    call = await at_confirm(office, f"Great. {READ_BACK}")
    await call.cut("Yes.", tools=0)
    await call.say("wait no make it four")
    assert office.booked == []
    await call.tell(("yes", "Booked."))
    assert office.booked == [("A cleaning", "2026-11-24 16:00", "Anna Miller")]


async def test_after_an_apology_a_yes_is_answered_again_and_books_once() -> None:
    office = Office()
    call = await at_confirm(office, f"Great. {READ_BACK}")
    await call.say("yes", hears=AGENT.line(Purpose.APOLOGY))
    await call.tell(("yes", "Booked."))
    assert call.used == [], "it is known already"
    assert office.booked == [BOOKED]


async def test_the_same_booking_cancelled_afterwards_needs_its_own_read_back() -> None:
    """The reference is the same one, and was read back and confirmed before: as a booking."""
    office = Office()
    call = office.call()
    await call.tell(*BOOKING)
    await call.say("cancel it", hears="So")
    assert "Shall I cancel it?" in await call.say("yes")
    assert office.booked == [BOOKED]
    await call.tell(("yes", "Your cleaning is cancelled."))
    assert office.booked == []


async def test_the_same_turn_asked_twice_is_answered_twice_and_done_once() -> None:
    office = Office()
    call = await at_confirm(office, f"Great. {READ_BACK}")
    turns = [*call.turns, caller("yes")]
    first = await respond(turns, call.brain, call.desk)
    second = await respond(turns, call.brain, call.desk)
    assert said(first) == said(second)
    assert [wish.tool for wish in used(first)] == [Tool.CONFIRM]
    assert used(second) == []
    assert office.booked == [BOOKED]


async def test_a_turn_that_grows_is_understood_as_a_whole() -> None:
    office = Office()
    call = office.call()
    await call.cut("I'd like to book a cleaning", tools=1)
    await call.cut("next Tuesday", tools=1)
    await call.tell(("at half past three", "Tuesday, November 24th at 3:30 PM is free."))
    held = office.books.appointments.in_state(BookingState.HELD)
    assert held == []


async def test_what_another_brain_led_is_not_asked_for_afterwards() -> None:
    """Only the last turn may use a tool: the time of the others has passed."""
    turns = [heard(AGENT.line(Purpose.GREETING))]
    for line, answer in BOOKING[:3]:
        turns += [caller(line), heard(answer)]
    desk = FakeDesk()
    events = await respond([*turns, caller("yes")], brain(), desk)
    assert desk.asked == []
    assert any(char.isalpha() for char in said(events))
    assert brain().unfinished(turns) is None


# --- everywhere, enumerated -----------------------------------------------------------------------


@pytest.mark.parametrize("hears", ["", "Tues", "Great. So"])
@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("tool", [0, 1])
@pytest.mark.parametrize("step", range(len(BOOKING)))
async def test_interrupted_at_every_tool_of_a_booking(
    step: int, tool: int, begun: bool, hears: str
) -> None:
    """The reply is cancelled there; the caller says it again and goes on: booked once or not."""
    office = Office()
    call = office.call()
    await call.tell(*BOOKING[:step])
    await call.cut(BOOKING[step][0], tools=tool, begun=begun, hears=hears)
    for line, _ in BOOKING[step:]:
        await call.say(line)
    for _ in range(2):
        if "Shall I book it?" in call.turns[-1].text:
            await call.say("yes")
    held_or_booked = [
        row.starts_at for row in office.books.appointments.in_state(BookingState.HELD)
    ]
    assert len(office.booked) <= 1
    assert len(held_or_booked) + len(office.booked) <= 1
    if not hears:
        assert office.booked == [BOOKED]


# --- whatever happens -----------------------------------------------------------------------------

PHRASES = (
    *("I'd like to book a cleaning next Tuesday at half past three", "book an appointment"),
    *("a check-up", "next Tuesday", "at four", "Wednesday then", "the first one", "neither"),
    *("Anna Miller", "my name is Bob Lee", "yes", "yes please", "no", "no, make it ten", "um"),
    *("555 222 3333", "can I move it to the next day", "cancel my appointment", "cancel it"),
    *("when is my appointment", "do you have anything free tomorrow", "never mind", "what?"),
    *("how much is a crown", "leave a message", "can I talk to a person", "purple monkey", "bye"),
    *("hello?", "wait", "are you open on Sunday", "chest pain", "book it", "which one", "the last"),
)
HELD = (BookingState.HELD, None)
PART = st.one_of(st.just(1.0), st.just(0.0), st.floats(0, 1))
"""How much of a reply is heard."""
CUT = st.one_of(st.none(), st.none(), st.tuples(st.integers(0, 1), st.booleans()))
"""Whether the reply is cancelled: after so many tools, and whether the next one was begun."""


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from(PHRASES), PART, CUT), min_size=1, max_size=14),
    st.sampled_from([CALLER, "anonymous"]),
)
def test_whatever_is_said_and_heard(
    exchange: list[tuple[str, float, tuple[int, bool] | None]], number: str
) -> None:
    """Nothing is raised; nothing is confirmed whose read-back was not begun in an earlier reply;
    nothing is booked twice."""
    asyncio.run(_random_call(exchange, number))


async def _random_call(
    exchange: list[tuple[str, float, tuple[int, bool] | None]], number: str
) -> None:
    office = Office()
    call = office.call(number)
    for text, part, cut in exchange:
        before = "".join(turn.text for turn in call.turns if turn.speaker is Speaker.AGENT)
        rows = office.books.appointments.rows.values()
        had = {row.id: (row.state, row.starts_at) for row in rows}
        if cut:
            answer = await call.cut(text, cut[0], begun=cut[1])
        else:
            answer = await call.say(text, hears="")
            assert any(char.isalpha() for char in answer)
        for row in office.books.appointments.rows.values():
            was, is_now = had.get(row.id, HELD), (row.state, row.starts_at)
            if is_now != was and BookingState.CONFIRMED in (row.state, was[0]):
                assert re.search(r"\bSo\b", before), "that begins every read-back"
        if heard_part := answer[: round(len(answer) * part)].strip():
            call.turns.append(Turn(Speaker.AGENT, heard_part))
        call.left()
    starts = [row.starts_at for row in office.books.appointments.in_state(BookingState.CONFIRMED)]
    assert len(starts) == len(set(starts))
