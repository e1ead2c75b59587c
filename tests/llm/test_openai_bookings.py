"""A language model that books, in all the wrong ways: the real desk behind it keeps order."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from services.call.effects import Speaker, Turn
from services.llm import UseTool
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.receptionist.books import Booking, BookingState
from services.receptionist.desk import ReceptionDesk
from services.receptionist.tools import ToolRequest, ToolResult
from services.vendors import Reports
from services.vendors.clients import openai_client
from tests.llm.openai_call import AGENT, GREETING, MODEL, NOW, PROMPT, virtual
from tests.receptionist.books import Clock, MemoryBooks
from tests.simulators.vendors.openai import OpenAISimulator, ToolCall

WISH = "A check-up next Tuesday at half past three, my name is Anna Miller."
BOOK = {
    "service": "A check-up",
    "when": "next Tuesday at half past three",
    "name": "Anna Miller",
    "number": "",
}
START = datetime(2026, 11, 24, 15, 30, tzinfo=AGENT.business.timezone)
READ_BACK = "A check-up on Tuesday, November 24th at 3:30 PM. Is that right?"


class Line:
    """A caller on a line with a model that says and does what it is told to."""

    def __init__(self, brain: OpenAIBrain, desk: ReceptionDesk, books: MemoryBooks) -> None:
        self.brain, self.desk, self.books = brain, desk, books
        self.simulator: OpenAISimulator
        self.turns = [GREETING]
        self.steps: list[str] = []
        self.done: list[tuple[ToolRequest, ToolResult]] = []

    async def say(self, words: str, hears: str | None = None) -> str:
        """The caller's turn; they hear all of the answer, or ``hears`` of it."""
        self.turns.append(Turn(Speaker.CALLER, words))
        answer = ""
        async for item in self.brain.respond(1, tuple(self.turns)):
            if isinstance(item, UseTool):
                item.result = await self.desk.do(item.request)
                self.done.append((item.request, item.result))
            elif isinstance(item, str):
                answer += item
        hears = answer if hears is None else hears
        if hears:
            unheard = answer.removeprefix(hears).strip()
            self.turns.append(Turn(Speaker.AGENT, hears, unheard=unheard))
        return answer

    @property
    def codes(self) -> list[str]:
        return [result.code for _, result in self.done]

    @property
    def booked(self) -> list[tuple[str, str]]:
        rows = self.books.appointments.in_state(BookingState.CONFIRMED)
        zone = AGENT.business.timezone
        return [(row.service, f"{row.starts_at.astimezone(zone):%m-%d %H:%M}") for row in rows]

    @property
    def held(self) -> int:
        return len(self.books.appointments.in_state(BookingState.HELD))

    @property
    def told(self) -> str:
        """What the last request told of the last tool."""
        messages = self.simulator.entries("request")[-1].detail["messages"]
        return str([one["content"] for one in messages if one["role"] == "tool"][-1])

    @property
    def prompt(self) -> str:
        return str(self.simulator.entries("request")[-1].detail["messages"][0]["content"])


def use(tool: str, **arguments: Any) -> ToolCall:
    return ToolCall(tool, arguments)


def confirm(reference: str = "R001") -> ToolCall:
    return use("confirm", reference=reference)


@asynccontextmanager
async def line(*answers: Sequence[Any] | str) -> AsyncIterator[Line]:
    clock, reports = Clock(NOW), Reports()
    books = MemoryBooks(clock)
    desk = books.desk(AGENT)
    async with OpenAISimulator(answers=answers) as simulator:
        async with openai_client(simulator.key, f"{simulator.url}/v1") as client:
            brain = OpenAIBrain(
                *(client, OpenAIOptions(MODEL), PROMPT, clock, "+15551234567", reports),
                notes=lambda: desk.notes,
            )
            one = Line(brain, desk, books)
            one.simulator = simulator
            reports.attach(lambda event: one.steps.append(getattr(event, "step", "")))
            yield one
        assert not simulator.errors
    await desk.close()
    assert one.held == 0


@virtual
async def test_it_proposes_reads_back_and_confirms() -> None:
    async with line([use("book_appointment", **BOOK)], READ_BACK, [confirm()], "Done.") as one:
        assert await one.say(WISH) == READ_BACK
        assert (one.booked, one.held) == ([], 1)
        assert "Waiting for the caller's yes, and not booked yet" in one.desk.notes[0]
        assert await one.say("Yes.") == "Done."
        assert one.booked == [("A check-up", "11-24 15:30")]


@virtual
async def test_a_model_that_confirms_at_once_is_told_to_read_it_back() -> None:
    answers = [use("book_appointment", **BOOK)], [confirm()], READ_BACK, [confirm()], "Done."
    async with line(*answers) as one:
        assert await one.say(WISH) == READ_BACK
        assert (one.codes, one.booked) == (["ok", "too_early"], [])
        assert one.told.startswith("Not done: the caller has not heard it yet.")
        await one.say("Yes.")
        assert one.booked == [("A check-up", "11-24 15:30")]


@virtual
async def test_three_tools_in_one_round_are_done_in_order_and_nothing_is_booked() -> None:
    round_ = [
        use("check_availability", service="A check-up", when=BOOK["when"]),
        use("book_appointment", **BOOK),
        confirm(),
    ]
    async with line(round_, READ_BACK) as one:
        assert await one.say(WISH) == READ_BACK
        assert one.codes == ["ok", "ok", "too_early"]
        assert (one.booked, one.held) == ([], 1)


@virtual
async def test_an_interrupted_read_back_confirms_nothing() -> None:
    """Turns between which the time was not heard are one: a yes in them may mean anything."""
    answers = [use("book_appointment", **BOOK)], READ_BACK
    for hears in ("", "A check-up on Tuesday,", AGENT.filler):
        again = [confirm()], READ_BACK, [confirm()], "Done."
        async with line(*answers, *again) as one:
            await one.say(WISH, hears)
            await one.say("Yes, and hurry up.")
            assert (one.codes, one.booked) == (["ok", "too_early"], [])
            await one.say("Yes.")
            assert one.booked == [("A check-up", "11-24 15:30")]


@virtual
async def test_the_same_wish_after_an_interruption_is_the_same_hold() -> None:
    book = [use("book_appointment", **BOOK)]
    async with line(book, READ_BACK, book, READ_BACK, [confirm()], "Done.") as one:
        await one.say(WISH, "")
        await one.say("At half past three.")
        assert (one.held, {request.key for request, _ in one.done}) == (1, {one.done[0][0].key})
        await one.say("Yes.")
        assert len(one.booked) == 1


@virtual
async def test_confirming_twice_books_once() -> None:
    again = [confirm(), confirm()], "Done.", [confirm()], "It is done already."
    async with line([use("book_appointment", **BOOK)], READ_BACK, *again) as one:
        await one.say(WISH)
        await one.say("Yes.")
        await one.say("Did you book it?")
        assert one.codes == ["ok"] * 4
        assert len(one.booked) == len(one.books.appointments.rows) == 1


@virtual
async def test_two_bookings_in_one_round_leave_the_last_one_and_say_so() -> None:
    other = {**BOOK, "service": "A cleaning", "when": "next Wednesday at ten"}
    both = [use("book_appointment", **BOOK), use("book_appointment", **other)]
    more = [confirm("R001")], [confirm("R002")], "The cleaning is booked. And the check-up?"
    async with line(both, "Both?", *more) as one:
        await one.say("A check-up and a cleaning.")
        assert "This replaces what was held before" in one.told
        assert one.held == 1
        await one.say("Yes.")
        assert one.codes[2:] == ["unknown_reference", "ok"]
        assert one.booked == [("A cleaning", "11-25 10:00")]


@virtual
async def test_an_invented_reference_is_answered_with_the_one_that_waits() -> None:
    answers = [confirm("APPT-1")], [confirm("R001")], "Done."
    async with line([use("book_appointment", **BOOK)], READ_BACK, *answers) as one:
        await one.say(WISH)
        await one.say("Yes.")
        assert one.codes == ["ok", "unknown_reference", "ok"]
        refused = one.done[1][1].text
        assert "Nothing has this reference." in refused
        assert "(reference R001)" in refused
        assert one.booked == [("A check-up", "11-24 15:30")]


@virtual
async def test_an_invented_reference_with_nothing_proposed_changes_nothing() -> None:
    tools = confirm("X1"), use("cancel_appointment", reference="X1")
    async with line([*tools], "Sorry, I find none.") as one:
        await one.say("Yes, cancel it.")
        assert one.codes == ["unknown_reference"] * 2
        assert "find_appointments" in one.told


@virtual
async def test_a_move_is_confirmed_by_the_appointments_own_reference_too() -> None:
    move = use("change_appointment", reference="R001", when="the next day")
    first = [use("book_appointment", **BOOK)], READ_BACK, [confirm()], "Done."
    async with line(*first, [move], "Wednesday at 3:30 PM?", [confirm("R001")], "Done.") as one:
        for words in (WISH, "Yes.", "Move it to the next day.", "Yes."):
            await one.say(words)
        assert one.codes == ["ok"] * 4
        assert one.booked == [("A check-up", "11-25 15:30")]


@virtual
async def test_a_time_in_utc_is_meant_as_the_businesses_own() -> None:
    wish = {**BOOK, "when": "2026-11-24T15:30:00Z", "number": None}
    async with line([use("book_appointment", **wish)], READ_BACK, [confirm()], "Done.") as one:
        await one.say(WISH)
        assert "Tuesday, November 24th at 3:30 PM" in one.told
        await one.say("Yes.")
        assert one.booked == [("A check-up", "11-24 15:30")]


@virtual
async def test_without_a_name_it_is_asked_for_and_the_hold_is_made_again() -> None:
    nameless = [use("book_appointment", **{**BOOK, "name": "unknown"})]
    named = [use("book_appointment", **BOOK)]
    async with line(nameless, "Your name?", named, READ_BACK, [confirm("R002")], "Done.") as one:
        await one.say("A check-up next Tuesday at half past three.")
        assert "The name is missing: ask for it" in one.told
        await one.say("Anna Miller.")
        assert one.held == 1
        await one.say("Yes.")
        (booking,) = one.books.appointments.in_state(BookingState.CONFIRMED)
        assert booking.name == "Anna Miller"


CLAIM = "claims what no tool has done"


@virtual
async def test_a_claim_that_no_tool_has_made_true_is_journalled_and_told_to_the_model() -> None:
    async with line("You're booked for Tuesday at 3:30 PM.", "Sorry, not yet.") as one:
        await one.say(WISH)
        assert CLAIM in one.steps
        await one.say("Great.")
        assert "no tool has done it, so it was not" in one.prompt
        assert one.steps.count(CLAIM) == 1


@virtual
async def test_a_claim_after_a_mere_proposal_is_one_as_well() -> None:
    proposes = [use("book_appointment", **BOOK)], "You're booked for Tuesday at 3:30 PM."
    async with line(*proposes, [confirm()], "Now it is booked.", "Bye.") as one:
        await one.say(WISH)
        assert one.steps.count(CLAIM) == 1
        await one.say("Thanks, yes.")
        assert "no tool has done it" in one.prompt
        await one.say("Bye.")
        assert "no tool has done it" not in one.prompt
        assert one.steps.count(CLAIM) == 1


@virtual
async def test_a_claim_of_what_is_theirs_already_is_none() -> None:
    said = "You're booked for that already."
    async with line([use("book_appointment", **BOOK)], said) as one:
        one.books.appointments.put(
            Booking(
                "X001",
                "receptionist",
                "A check-up",
                START,
                START + timedelta(minutes=30),
                BookingState.CONFIRMED,
                "Anna Miller",
                "+15551234567",
            )
        )
        assert await one.say(WISH) == said
        assert one.codes == ["theirs"]
        assert CLAIM not in one.steps


@virtual
async def test_a_claim_of_what_was_found_or_done_is_none() -> None:
    found = [use("find_appointments", name="", number="")], "You're booked for Tuesday."
    async with line([use("book_appointment", **BOOK)], READ_BACK, [confirm()], *found) as one:
        await one.say(WISH)
        assert await one.say("Yes.") == "You're booked for Tuesday."
        assert CLAIM not in one.steps
