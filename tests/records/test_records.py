"""The record of calls: what is written when, and that no call waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from services.call.effects import Purpose, Speaker, Turn
from services.call.events import AfterReply
from services.engines import Engine
from services.llm import BrainEvent, EndCall, UseTool
from services.receptionist.tools import Tool, ToolResult
from services.records.scribe import GATHER_S, MOST_TOGETHER, Scribe
from services.store import CallState, StoredTurn, StoreError
from tests.call_books import Exchange, FakeBook, RecordingDesk
from tests.desks import wish
from tests.virtual_time import run_virtual

Story = Callable[[Path], Coroutine[Any, Any, None]]


def story(work: Story) -> Callable[[Path], None]:
    """A test that runs on virtual time."""

    def test(tmp_path: Path) -> None:
        run_virtual(work(tmp_path))

    test.__name__ = work.__name__
    return test


async def ask(phone: Any, then_ms: int = 2500) -> None:
    """The greeting is over; the caller says something and waits for the answer."""
    await phone.listen(1000)
    await phone.speak(1000)
    await phone.listen(then_ms)


@story
async def test_a_call_is_on_record_from_its_start_to_its_end(folder: Path) -> None:
    house = Exchange(folder, ["are you open"], [["Yes, we are."]])
    phone, call = house.ring()
    await asyncio.sleep(0.2)
    started = house.book.calls["CA1"]
    assert (started.agent, started.path, started.caller) == (
        "receptionist",
        "stream",
        "+15551230000",
    )
    assert started.journal.endswith("-CA1.jsonl")
    await ask(phone)
    phone.hang_up()
    assert await call
    await house.close()
    assert house.book.said == [
        ("agent", "greeting"),
        ("caller", "are you open"),
        ("agent", "Yes, we are."),
    ]
    answer = house.book.turns[3]
    assert answer.latencies["total"] == pytest.approx(800, abs=60)
    assert 2700 < answer.at_ms < 3300
    assert 900 < house.book.turns[2].at_ms < 1400
    (end,) = house.book.ends
    assert (end.reason, end.outcome, end.intent) == ("caller: stop", "answered", "question")
    assert end.sentiment == "neutral"
    assert end.summary == 'The caller said: "are you open."'
    assert end.cost is not None
    assert end.cost["parts"] == {"call": 0.01, "stream": 0.004}
    assert end.figures is not None
    assert end.figures["turns"] == 1
    assert end.figures["talk_to_listen"] == pytest.approx(1.0, abs=0.2)
    assert house.line.told == [("began", "CA1"), ("ended", "CA1", "caller: stop")]


@story
async def test_what_was_not_heard_is_on_record_as_that(folder: Path) -> None:
    long = "We are open on Mondays, Tuesdays and Wednesdays from nine in the morning."
    house = Exchange(folder, ["are you open", "stop please thanks"], [[long], ["Good."]])
    phone, call = house.ring()
    await ask(phone, 2000)
    await phone.speak(1500)
    await phone.listen(2500)
    phone.hang_up()
    await call
    await house.close()
    cut_off = house.book.turns[3]
    assert cut_off.interrupted
    assert cut_off.unheard
    assert f"{cut_off.heard} {cut_off.unheard}" == long
    assert house.book.ends[0].figures is not None
    assert house.book.ends[0].figures["interruptions"] == 1


@story
async def test_tools_and_what_they_came_to_are_on_record(folder: Path) -> None:
    did = {"did": "booked", "service": "Cleaning", "start": "2026-11-24T15:30:00-05:00"}
    results = {Tool.CONFIRM: ToolResult("ok", "It is booked.", did)}
    desk = RecordingDesk(0.05, results)
    book = UseTool(wish(Tool.BOOK_APPOINTMENT, 1, service="Cleaning", name="Anna"))
    confirm = UseTool(wish(Tool.CONFIRM, 2, reference="A1"))
    answers: list[list[BrainEvent]] = [
        [book, "Half past three?"],
        [confirm, "It is booked.", EndCall()],
    ]
    house = Exchange(folder, ["a cleaning please", "yes please"], answers, desk=desk)
    phone, call = house.ring()
    await ask(phone)
    await phone.speak(600)
    await phone.listen(3000)
    await call
    await house.close()
    assert [(tool.tool, tool.code) for tool in house.book.tools] == [
        ("book_appointment", "ok"),
        ("confirm", "ok"),
    ]
    assert house.book.tools[0].arguments == {"service": "Cleaning", "name": "Anna"}
    assert [tool.ms for tool in house.book.tools] == [50, 50]
    (end,) = house.book.ends
    assert (end.reason, end.outcome, end.intent) == ("agent: goodbye", "booked", "book")
    assert end.summary == (
        "Anna wanted to book an appointment. Booked: Cleaning, Tuesday 24 November 2026 at 15:30."
    )


@story
async def test_without_words_there_are_none_in_the_database(folder: Path) -> None:
    book = UseTool(wish(Tool.BOOK_APPOINTMENT, 1, name="Anna"))
    house = Exchange(folder, ["I am Anna"], [[book, "Hello Anna."]], with_words=False)
    phone, call = house.ring()
    await ask(phone)
    phone.hang_up()
    await call
    await house.close()
    assert [turn.heard for turn in house.book.turns.values()] == ["", "", ""]
    assert house.book.turns[3].latencies["total"]
    assert house.book.tools[0].arguments == {}
    assert house.book.tools[0].text == ""
    (end,) = house.book.ends
    assert end.summary == ""
    assert end.intent == "book"
    assert house.book.calls["CA1"].caller == "+15551230000"


class _Broken:
    """An engine whose ears break down."""

    def __init__(self, inner: Engine) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def run(self, emit: Any) -> None:
        await asyncio.sleep(1)
        raise RuntimeError("a bug")


@pytest.mark.parametrize(
    ("done", "told", "outcome", "summary"),
    [
        ([], "transferred", "transferred", "Put through to Dr. Reed."),
        ([], "abandoned", None, "Open: hung up before Dr. Reed was reached."),
        (
            [UseTool(wish(Tool.TAKE_MESSAGE, 1, message="Call back."))],
            *("abandoned", "message", "Open: hung up before Dr. Reed was reached."),
        ),
    ],
)
def test_what_becomes_of_a_transfer_is_in_the_summary(
    tmp_path: Path, done: list[BrainEvent], told: str, outcome: str | None, summary: str
) -> None:
    async def call() -> None:
        result = ToolResult("ok", "One moment.", {"person": "Dr. Reed"}, then=AfterReply.TRANSFER)
        desk = RecordingDesk(0.0, {Tool.TRANSFER_CALL: result})
        person = UseTool(wish(Tool.TRANSFER_CALL, 1, person="Dr. Reed"))
        answer: list[BrainEvent] = [*done, person, "One moment."]
        house = Exchange(tmp_path, ["a person please"], [answer], desk=desk)
        phone, held = house.ring()
        await ask(phone)
        await held
        await asyncio.sleep(20)
        for _ in range(2):  # the carrier may tell it twice
            house.records.over("CA1", "caller: hangup", told)
        house.records.over("CA2", "caller: hangup", told)
        await house.close()
        assert house.book.changes[-1].get("outcome") == outcome
        assert house.book.changes[-1]["summary"].endswith(summary)
        assert len([each for each in house.book.changes if "summary" in each]) == 2

    run_virtual(call())


@story
async def test_texts_of_a_call_are_paid_for(folder: Path) -> None:
    house = Exchange(folder)
    phone, call = house.ring()
    await asyncio.sleep(0.2)
    house.opened.texted("a" * 200)
    house.opened.texted("Your check-up is booked.")
    phone.hang_up()
    await call
    await house.close()
    assert house.book.ends[0].cost is not None
    assert house.book.ends[0].cost["parts"]["texts"] == pytest.approx(3 * 0.008)


@story
async def test_a_call_that_crashes_is_closed_as_such(folder: Path) -> None:
    house = Exchange(folder)
    opened = house.fleet.open
    house.fleet.open = lambda *given: _Broken(opened(*given))  # type: ignore[method-assign]
    _, call = house.ring()
    with pytest.raises(ExceptionGroup):
        await call
    await house.close()
    assert [(end.reason, end.outcome) for end in house.book.ends] == [("crash", "failed")]
    assert house.line.told[-1] == ("ended", "CA1", "crash")
    assert len(house.live) == 0


@story
async def test_an_engine_that_cannot_be_opened_ends_the_record_too(folder: Path) -> None:
    house = Exchange(folder)

    def fail(*given: Any) -> Any:
        raise RuntimeError("no engine")

    house.fleet.open = fail  # type: ignore[assignment, method-assign]
    _, call = house.ring()
    with pytest.raises(RuntimeError):
        await call
    await house.close()
    assert [end.reason for end in house.book.ends] == ["crash"]


@story
async def test_a_second_stream_takes_the_call_over_and_only_it_ends_the_record(
    folder: Path,
) -> None:
    house = Exchange(folder)
    _, first = house.ring()
    await asyncio.sleep(1)
    phone, second = house.ring()
    await asyncio.sleep(1)
    assert await first
    phone.hang_up()
    assert await second
    await house.close()
    assert [end.reason for end in house.book.ends] == ["caller: stop"]
    assert ("ended", "CA1", "caller: superseded") not in house.line.told


@story
async def test_a_call_that_comes_back_from_a_transfer_goes_on_in_one_record(folder: Path) -> None:
    result = ToolResult("ok", "One moment.", {"person": "Dr. Reed"}, then=AfterReply.TRANSFER)
    desk = RecordingDesk(0.0, {Tool.TRANSFER_CALL: result})
    person = UseTool(wish(Tool.TRANSFER_CALL, 1, person="Dr. Reed"))
    house = Exchange(folder, ["a person please"], [[person, "One moment."]], desk=desk)
    phone, call = house.ring()
    await ask(phone)
    await call
    assert house.line.told[-1] == ("ended", "CA1", "agent: transfer")
    await asyncio.sleep(0.1)
    assert house.book.ends == []
    assert house.book.changes[-1]["state"] is CallState.TRANSFERRED
    assert house.book.changes[-1]["outcome"] == "transferred"
    assert house.book.changes[-1]["summary"].endswith("Is being put through to Dr. Reed.")

    await asyncio.sleep(20)
    earlier = tuple(Turn(turn.speaker, turn.heard) for turn in house.book.turns.values())
    house.fleet.words, house.fleet.answers = ["tell her I called"], [["I will."]]
    phone, call = house.ring(opening=Purpose.NOBODY_THERE, earlier=earlier)
    await ask(phone)
    phone.hang_up()
    await call
    await house.close()
    assert [text for _, text in house.book.said] == [
        *("greeting", "a person please", "One moment."),
        *("nobody_there", "tell her I called", "I will."),
    ]
    assert house.book.turns[4].at_ms > 20_000
    assert house.book.turns[3].latencies["total"]
    (end,) = house.book.ends
    assert end.figures is not None
    assert end.figures["turns"] == 2
    assert end.summary.endswith("Open: Dr. Reed could not be reached.")
    journals = next(one["journal"] for one in house.book.changes if "journal" in one)
    assert len(journals.split(",")) == 2


@story
async def test_a_wait_over_the_target_is_a_warning_without_words(folder: Path) -> None:
    logger, lines = logging.getLogger("services.records.records"), list[str]()
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    house = Exchange(folder, ["are you open"], [["Yes, we are."]], target_ms=500)
    phone, call = house.ring()
    await ask(phone)
    phone.hang_up()
    await call
    await house.close()
    logger.removeHandler(handler)
    (line,) = lines
    assert line.startswith("call CA1: an answer took 8")
    assert "more than TARGET_MS=500 (end_of_turn " in line
    assert "open" not in line
    assert house.book.ends[0].figures is not None
    assert house.book.ends[0].figures["over_target"] == 1
    assert house.figures.waits()["stream"].count == 1


@story
async def test_an_outbound_call_has_our_number_as_the_caller(folder: Path) -> None:
    house = Exchange(folder)
    phone, call = house.ring(direction="outbound", opening=Purpose.OUTBOUND, purpose="a reminder")
    await phone.listen(500)
    phone.hang_up()
    await call
    await house.close()
    started = house.book.calls["CA1"]
    assert (started.caller, started.called, started.purpose) == ("+2", "+15551230000", "a reminder")
    assert house.fleet.briefs[0].purpose == "a reminder"
    assert house.book.ends[0].outcome == "abandoned"


@story
async def test_the_talk_page_s_line_costs_nothing(folder: Path) -> None:
    house = Exchange(folder)
    phone, call = house.ring(origin="talk")
    await phone.listen(500)
    phone.hang_up()
    await call
    await house.close()
    assert house.book.ends[0].cost == {"currency": "USD", "total": 0, "parts": {}}


# --- the scribe -----------------------------------------------------------------------------------


def scribbled(book: FakeBook, most: int = 100) -> Scribe:
    return Scribe(lambda: book, most)


def note(
    book: FakeBook, seen: list[int], number: int
) -> Callable[[Any], Coroutine[Any, Any, None]]:
    async def work(given: Any) -> None:
        await given._write()
        seen.append(number)

    return work


def test_a_write_that_fails_is_tried_again_and_the_order_stays() -> None:
    async def work() -> None:
        book, seen = FakeBook(failures=[StoreError("away"), StoreError("away")]), list[int]()
        scribe = scribbled(book)
        for number in range(3):
            scribe.put("CA1", "turn", note(book, seen, number))
        await scribe.drain()
        assert seen == [0, 1, 2]
        assert (scribe.lost, scribe.waiting) == (0, 0)

    run_virtual(work())


def test_what_cannot_be_written_is_given_up_and_told_without_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        book, seen = FakeBook(failures=[StoreError("Anna")] * 5), list[int]()
        scribe = scribbled(book)
        running = asyncio.create_task(scribe.run())
        for number in range(3):
            scribe.put("CA1", "turn", note(book, seen, number))
        await scribe.drain()
        running.cancel()
        assert seen == [2], "the second is tried once: the database is known to be away"
        assert scribe.lost == 2

    run_virtual(work())
    assert len(caplog.messages) == 2
    assert "its turn is not on record (StoreError); the journal has it" in caplog.messages[0]
    assert "Anna" not in caplog.text


def test_nobody_waits_when_too_much_is_waiting(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        book, seen = FakeBook(), list[int]()
        scribe = scribbled(book, most=2)
        for number in range(5):
            scribe.put("CA1", "turn", note(book, seen, number))
        assert scribe.lost == 3
        await scribe.drain()
        assert seen == [0, 1]

    run_virtual(work())
    assert "too much is waiting" in caplog.messages[0]


def test_what_was_being_written_when_the_task_was_cancelled_is_written_again() -> None:
    async def work() -> None:
        book, seen = FakeBook(), list[int]()
        scribe = scribbled(book)
        running = asyncio.create_task(scribe.run())
        for number in range(2):
            scribe.put("CA1", "turn", note(book, seen, number))
        await asyncio.sleep(0.0005)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await scribe.drain()
        assert seen == [0, 1]

    run_virtual(work())


def turn(number: int, heard: str = "Hello", call_id: str = "CA1") -> StoredTurn:
    return StoredTurn(call_id, number, Speaker.CALLER, heard)


def scribe_at_work(book: FakeBook, work: Callable[[Scribe], Coroutine[Any, Any, None]]) -> None:
    """Do it while the scribe writes."""

    async def at_work() -> None:
        scribe = scribbled(book, 1000)
        running = asyncio.create_task(scribe.run())
        await work(scribe)
        running.cancel()

    run_virtual(at_work())


def test_turns_of_all_calls_wait_a_moment_for_one_another() -> None:
    book = FakeBook()

    async def work(scribe: Scribe) -> None:
        for number in range(4):
            scribe.put_turn(turn(number, call_id=f"CA{number % 2}"))
            await asyncio.sleep(GATHER_S / 5)
        assert book.together == []
        await asyncio.sleep(GATHER_S / 4)
        assert book.together == [[0, 1, 2, 3]]
        assert scribe.waiting == 0

    scribe_at_work(book, work)


def test_with_anything_else_the_turns_before_it_are_written_at_once() -> None:
    book = FakeBook()

    async def work(scribe: Scribe) -> None:
        scribe.put_turn(turn(1))
        scribe.put_turn(turn(2, call_id="CA2"))
        await asyncio.sleep(0.1)
        scribe.put("CA1", "intent", lambda book: book.update("CA1", intent=str(len(seen()))))
        scribe.put_turn(turn(3))
        await asyncio.sleep(0.01)
        assert book.together == [[1, 2], [3]]
        assert book.changes == [{"intent": "2"}], "in the order in which they came"

    def seen() -> list[int]:
        return sum(book.together, [])

    scribe_at_work(book, work)


def test_to_drain_waits_for_no_other_turns() -> None:
    async def work() -> None:
        book = FakeBook()
        scribe = scribbled(book, 1000)
        for number in range(MOST_TOGETHER + 1):
            scribe.put_turn(turn(number))
        await scribe.drain()
        assert [len(each) for each in book.together] == [MOST_TOGETHER, 1]
        assert asyncio.get_running_loop().time() < GATHER_S / 10

    run_virtual(work())


def test_a_turn_that_cannot_be_kept_takes_no_other_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        book = FakeBook(unfit={"Anna"})
        scribe = scribbled(book)
        for number, heard in enumerate(("Hello", "Anna", "Bye")):
            scribe.put_turn(turn(number, heard))
        await scribe.drain()
        assert book.turns.keys() == {0, 2}
        assert (scribe.lost, scribe.waiting) == (1, 0)
        assert asyncio.get_running_loop().time() < 0.1, "it would not go in later either"

    run_virtual(work())
    assert caplog.messages == [
        "call CA1: its turn is not on record (ValueError); the journal has it"
    ]


def test_turns_that_cannot_be_written_together_are_tried_again_and_lost_one_by_one() -> None:
    async def work() -> None:
        book = FakeBook(failures=[StoreError("away")] * 5)
        scribe = scribbled(book)
        for number in range(3):
            scribe.put_turn(turn(number))
        await scribe.drain()
        assert book.together == [[1], [2]]
        assert scribe.lost == 1

    run_virtual(work())
