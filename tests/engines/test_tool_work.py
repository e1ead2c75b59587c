"""The tools of a call at work: how long a reply waits, what outlives it, what follows it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from services.call.effects import Purpose, StartReply
from services.call.events import AfterReply, AudioProduced, ReplyFinished, ToolStarted, ToolUsed
from services.engines import tool_work
from services.engines.cascade import Lines
from services.engines.tool_work import LATE, NoDesk, ToolWork
from services.llm import BrainEvent, EndCall, UseTool
from services.receptionist.tools import Tool, ToolResult
from services.vendors import VendorError
from tests.desks import OK, FakeDesk, message, wish
from tests.engines.studio import ASKED, LOST, SPEAK_S, SlowVoice, Studio, play

BOOK = wish(Tool.BOOK_APPOINTMENT, service="A check-up", when="tomorrow at nine")
LOOK = wish(Tool.CHECK_AVAILABILITY, service="A check-up", when="tomorrow")
PUT_THROUGH = wish(Tool.TRANSFER_CALL, person="Maria", reason="a bill")
TRANSFERS = {Tool.TRANSFER_CALL: ToolResult("ok", "Say so.", then=AfterReply.TRANSFER)}
EAGER = StartReply(7, Purpose.ANSWER, ASKED, is_eager=True)


def now() -> float:
    return asyncio.get_running_loop().time()


def used(studio: Studio) -> list[tuple[str, str]]:
    return [(event.tool, event.code) for event in studio.told.all(ToolUsed)]


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


# --- what the brain is told, and the journal ------------------------------------------------------


def test_a_tool_is_done_and_the_brain_and_the_journal_are_told() -> None:
    async def work() -> None:
        use = UseTool(BOOK)
        studio = Studio("I will see. ", use, "It is booked.", desk=FakeDesk(takes_s=1.5))
        await studio.reply()
        assert use.result == OK
        arguments = (("service", "A check-up"), ("when", "tomorrow at nine"))
        assert studio.told.all(ToolStarted) == [ToolStarted(1, "book_appointment")]
        assert studio.told.all(ToolUsed) == [
            ToolUsed(1, "book_appointment", "ok", 1500, arguments, "Done.")
        ]
        (first, _), (second, _) = studio.told.said
        assert (first, second) == (pytest.approx(SPEAK_S), pytest.approx(1.5 + SPEAK_S))

    play(work)


def test_what_was_begun_to_be_said_is_spoken_while_the_tool_works() -> None:
    async def work() -> None:
        studio = Studio("Let me look", UseTool(LOOK), " at that.", desk=FakeDesk(takes_s=2.0))
        await studio.reply()
        assert studio.told.said[0] == (pytest.approx(SPEAK_S), "Let me look")

    play(work)


def test_a_tool_that_takes_too_long_has_failed_and_goes_on_all_the_same() -> None:
    async def work() -> None:
        use = UseTool(BOOK)
        studio = Studio(use, "I am sorry.", desk=FakeDesk(takes_s=10.0))
        await studio.reply()
        assert use.result == LATE
        assert now() == pytest.approx(tool_work.WITHIN_S + SPEAK_S)
        assert used(studio) == []
        assert "not known yet" in studio.engine._work.notes[0]
        await asyncio.sleep(3)
        assert studio.engine._work.notes == ["You have used book_appointment."]
        assert used(studio) == [("book_appointment", "ok")]

    play(work)


def test_one_that_changes_nothing_is_stopped_then() -> None:
    async def work() -> None:
        use = UseTool(LOOK)
        studio = Studio(use, "I am sorry.", desk=FakeDesk(takes_s=1e9))
        await studio.reply()
        assert use.result == LATE
        assert used(studio) == [("check_availability", "unfinished")]

    play(work)


def test_a_desk_that_breaks_is_a_failed_tool_and_no_words_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        use = UseTool(message("my secret"))
        desk = FakeDesk(results={Tool.TAKE_MESSAGE: RuntimeError("my secret")})
        studio = Studio(use, "I am sorry.", desk=desk)
        await studio.reply()
        assert use.result is not None
        assert (use.result.code, studio.told.texts) == ("failed", ["I am sorry."])

    with caplog.at_level(logging.ERROR):
        play(work)
    assert "take_message failed: RuntimeError" in caplog.text
    assert "secret" not in caplog.text


# --- eager and interrupted ------------------------------------------------------------------------


def test_only_what_changes_nothing_is_done_before_the_turn_is_over() -> None:
    async def work() -> None:
        studio = Studio(UseTool(LOOK), "Tomorrow is free. ", UseTool(BOOK), "Held.")
        replying = asyncio.create_task(studio.engine.reply(EAGER, studio.told.emit))
        await asyncio.sleep(2)
        assert studio.desk.done == [LOOK]
        studio.engine.commit(7)
        await replying
        assert studio.desk.done == [LOOK, BOOK]

    play(work)


@pytest.mark.parametrize("after_s", [step / 10 for step in range(25)])
def test_a_reply_that_is_interrupted_at_any_moment_leaves_the_work_done_once(
    after_s: float,
) -> None:
    async def work() -> None:
        studio = Studio("Let me see. ", 0.3, UseTool(BOOK), "It is booked.", desk=FakeDesk(1.5))
        replying = asyncio.create_task(studio.reply())
        await asyncio.sleep(after_s)
        await cancelled(replying)
        was_begun = bool(studio.told.all(ToolStarted))
        await studio.engine.reply(StartReply(2, Purpose.ANSWER, ASKED), studio.told.emit)
        assert was_begun == (after_s > 0.25)
        assert studio.desk.done == [BOOK]
        assert {event.code for event in studio.told.all(ToolUsed)} == {"ok"}

    play(work)


def test_the_next_reply_waits_for_it_and_knows_of_it() -> None:
    async def work() -> None:
        studio = Studio(UseTool(BOOK), desk=FakeDesk(1.5))
        replying = asyncio.create_task(studio.reply())
        await asyncio.sleep(0.5)
        await cancelled(replying)
        knew: list[tuple[float, Any]] = []
        respond = studio.brain.respond

        def listening(*given: Any) -> Any:
            knew.append((now(), list(studio.engine._work.notes)))
            return respond(*given)

        studio.brain.respond = listening  # type: ignore[method-assign]
        await studio.engine.reply(StartReply(2, Purpose.ANSWER, ASKED), studio.told.emit)
        assert knew == [(pytest.approx(1.5), ["You have used book_appointment."])]

    play(work)


def test_but_not_for_ever_and_not_twice() -> None:
    async def work() -> None:
        studio = Studio("Yes?", desk=FakeDesk(60.0))
        begun = asyncio.create_task(studio.engine._work.use(1, BOOK, studio.told.emit))
        await asyncio.sleep(1)
        await studio.reply()
        assert now() == pytest.approx(1 + tool_work.SETTLE_WITHIN_S + SPEAK_S)
        await asyncio.sleep(tool_work.WITHIN_S)
        at = now()
        await studio.reply()
        assert now() == pytest.approx(at + SPEAK_S)
        assert begun.result() == LATE
        await studio.engine.finish(())

    play(work)


# --- what follows ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "said", "then"),
    [
        ([UseTool(PUT_THROUGH)], ["transfer"], AfterReply.TRANSFER),
        (["I'll put you through.", UseTool(PUT_THROUGH)], None, AfterReply.TRANSFER),
        ([UseTool(PUT_THROUGH), "Maria is free."], None, AfterReply.TRANSFER),
        ([UseTool(PUT_THROUGH), EndCall()], ["transfer"], AfterReply.TRANSFER),
        ([EndCall(), UseTool(PUT_THROUGH), UseTool(BOOK)], ["transfer"], AfterReply.TRANSFER),
        ([UseTool(PUT_THROUGH), LOST], ["transfer"], AfterReply.TRANSFER),
        (["Goodbye.", EndCall(), UseTool(BOOK)], None, AfterReply.HANG_UP),
    ],
)
def test_the_strongest_ending_follows_and_nobody_is_let_go_without_a_word(
    script: list[BrainEvent | Exception], said: list[str] | None, then: AfterReply
) -> None:
    async def work() -> None:
        studio = Studio(*script, desk=FakeDesk(results=TRANSFERS))
        await studio.reply()
        texts = [item for item in script if isinstance(item, str)]
        assert studio.told.texts == (said or texts)
        assert studio.told.events[-1][1] == ReplyFinished(1, then)

    play(work)


def test_a_transfer_that_cannot_be_announced_happens_all_the_same() -> None:
    async def work() -> None:
        voice, desk = SlowVoice(fails_at="transfer"), FakeDesk(results=TRANSFERS)
        studio = Studio(UseTool(PUT_THROUGH), voice=voice, desk=desk)
        await studio.reply()
        assert studio.told.events[-1][1] == ReplyFinished(1, AfterReply.TRANSFER)
        other = Studio("Never said. ", UseTool(BOOK), voice=SlowVoice(fails_at="Never"))
        with pytest.raises(VendorError):
            await other.reply()

    play(work)


def test_the_errand_of_a_call_that_we_make_follows_its_line() -> None:
    async def work() -> None:
        studio = Studio()
        studio.lines.audio["outbound"] = b"stored"
        audio, texts = studio.lines.audio, studio.lines.by_purpose
        errand = "I am calling to remind you of your appointment. It is tomorrow at nine."
        studio.engine._lines = Lines(texts, "moment", audio, errand=errand)
        await studio.reply(Purpose.OUTBOUND)
        first, *rest = studio.told.all(AudioProduced)
        assert (first.audio, first.text) == (b"stored", "outbound")
        assert " ".join(event.text for event in rest) == errand
        await studio.reply(Purpose.GREETING)
        assert studio.told.texts[-1] == "greeting"

    play(work)


def test_the_next_reply_knows_that_the_caller_did_not_wait_to_be_put_through() -> None:
    async def work() -> None:
        studio = Studio(UseTool(PUT_THROUGH), "So be it.", desk=FakeDesk(results=TRANSFERS))
        await studio.reply()
        done = "You have used transfer_call."
        assert studio.engine._work.notes == [done]
        studio.brain._script = ["What is it?"]
        await studio.reply()
        first, kept = studio.engine._work.notes
        assert first == done
        assert "they were not. If they still want it, use transfer_call again" in kept
        await studio.reply()
        assert studio.engine._work.notes == [done]

    play(work)


# --- the end of the call --------------------------------------------------------------------------


def test_a_hang_up_does_not_stop_what_is_running() -> None:
    async def work() -> None:
        studio = Studio(UseTool(BOOK), desk=FakeDesk(3.0))
        ears = asyncio.create_task(studio.engine.run(studio.told.emit))
        replying = asyncio.create_task(studio.reply())
        await asyncio.sleep(1)
        await cancelled(replying)
        await cancelled(ears)
        await studio.engine.finish(ASKED)
        assert (studio.desk.done, studio.desk.closed, now()) == ([BOOK], 1, 3.0)
        assert used(studio) == [("book_appointment", "ok")]

    play(work)


def test_what_takes_too_long_then_is_said_to_be_unfinished() -> None:
    async def work() -> None:
        studio = Studio(UseTool(BOOK), desk=FakeDesk(60.0))
        await cancelled_soon(studio)
        await studio.engine.finish(ASKED)
        assert now() == 1 + tool_work.FINISH_WITHIN_S
        assert used(studio) == [("book_appointment", "unfinished")]
        assert (studio.desk.done, studio.desk.closed) == ([], 1)

    async def cancelled_soon(studio: Studio) -> None:
        replying = asyncio.create_task(studio.reply())
        await asyncio.sleep(1)
        await cancelled(replying)

    play(work)


def test_the_message_that_a_caller_had_begun_to_leave_is_kept_after_what_is_running() -> None:
    async def work() -> None:
        left = message("call me", complete="no")
        studio = Studio(UseTool(BOOK), desk=FakeDesk(1.0))
        studio.brain.unfinished = lambda turns: left  # type: ignore[method-assign]
        ears = asyncio.create_task(studio.engine.run(studio.told.emit))
        replying = asyncio.create_task(studio.reply())
        await asyncio.sleep(0.5)
        await cancelled(replying)
        await studio.engine.finish(ASKED)
        await cancelled(ears)
        assert studio.desk.done == [BOOK, left]
        assert [event.reply for event in studio.told.all(ToolUsed)] == [1, 0]

    play(work)


def test_without_a_desk_nothing_can_be_done() -> None:
    async def work() -> None:
        tools = ToolWork(NoDesk())
        result = await tools.use(1, BOOK, lambda event: None)
        assert (result.code, tools.notes) == ("not_possible", [])
        await tools.finish(None, lambda event: None)

    play(work)
