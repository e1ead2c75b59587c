"""Stories of whole calls on virtual time: the real shell, codec, core and cascade, faked ends."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from services.call import events as on
from services.call.conversation import Conversation
from services.call.effects import HangUp
from services.call.events import Event
from services.call.timings import Timings
from services.carriers.twilio import TwilioCarrier
from services.journal import Journal, JournalWriter
from services.llm import BrainEvent, EndCall, UseTool
from services.receptionist.tools import Tool
from services.session import Session
from tests.desks import FakeDesk, message
from tests.phone import VOICE, FakeBrain, FakePhone, engine
from tests.virtual_time import run_virtual

START = json.dumps(
    {
        "event": "start",
        "sequenceNumber": "1",
        "streamSid": "MZ1",
        "start": {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        },
    }
)


class Call:
    """A session with its fake ends."""

    def __init__(
        self,
        words: Sequence[str],
        answers: Sequence[Sequence[BrainEvent | Exception]],
        timings: Timings,
        think_s: float,
        writer: JournalWriter | None = None,
        desk: FakeDesk | None = None,
    ) -> None:
        self.phone = FakePhone()
        self.desk = desk or FakeDesk()
        self.entries: list[tuple[float, Event, list[Any]]] = []
        self.brain: FakeBrain
        cascade, self.brain = engine(words, answers, think_s, self.desk)
        carrier = TwilioCarrier()
        carrier.parse(START)
        journal = Journal("CA1", "Test", timings, writer)
        journal.watch(lambda now, event, effects: self.entries.append((now, event, effects)))
        conversation = Conversation(timings)
        self.session = Session("CA1", self.phone, carrier, cascade, conversation, journal)
        self.task = asyncio.create_task(self.session.run(on.CallStarted("+1", "+2")))

    @property
    def history(self) -> list[str]:
        return [turn.text for turn in self.session.conversation.history]

    @property
    def used(self) -> list[on.ToolUsed]:
        return [event for _, event, _ in self.entries if isinstance(event, on.ToolUsed)]

    @property
    def hung_up(self) -> list[str]:
        return [
            e.reason for _, _, effects in self.entries for e in effects if isinstance(e, HangUp)
        ]


@asynccontextmanager
async def call(
    words: Sequence[str] = (),
    answers: Sequence[Sequence[BrainEvent | Exception]] = (),
    timings: Timings | None = None,
    think_s: float = 0.1,
    writer: JournalWriter | None = None,
    desk: FakeDesk | None = None,
) -> AsyncIterator[Call]:
    """A call that must leave no task behind."""
    held = Call(words, answers, timings or Timings(), think_s, writer, desk)
    yield held
    held.phone.hang_up()
    await held.task
    assert held.brain.open == 0
    assert asyncio.all_tasks() == {asyncio.current_task()}


Story = Callable[[], Coroutine[Any, Any, None]]


def story(work: Story) -> Callable[[], None]:
    """A test that runs on virtual time."""

    def test() -> None:
        run_virtual(work())

    test.__name__ = work.__name__
    test.__doc__ = work.__doc__
    return test


@story
async def test_the_greeting_is_on_the_line_at_once() -> None:
    async with call() as held:
        await held.phone.listen(1000)
        assert held.phone.events("media")[0] < 0.001
        assert held.history == ["greeting"]


@story
async def test_a_question_gets_its_answer() -> None:
    async with call(["are you open"], [["Yes, we are open."]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(1000)
        await held.phone.listen(2500)
        assert held.history == ["greeting", "are you open", "Yes, we are open."]
        answer = min(at for at in held.phone.events("media") if at > 1)
        # 800 ms of silence; the 100 ms of thought were among them
        assert answer - 2.0 == pytest.approx(0.8, abs=0.03)
        assert held.brain.asked == [("greeting", "are you open")]


@story
async def test_without_eager_replies_the_thought_comes_after_the_silence() -> None:
    timings = Timings(eager_replies=0)
    async with call(["are you open"], [["Yes, we are open."]], timings) as held:
        await held.phone.listen(1000)
        await held.phone.speak(1000)
        await held.phone.listen(2500)
        answer = min(at for at in held.phone.events("media") if at > 1)
        assert answer - 2.0 == pytest.approx(0.9, abs=0.03)
        assert held.brain.prepared == held.brain.asked == [("greeting", "are you open")]


@story
async def test_a_brain_that_cannot_prepare_itself_answers_all_the_same() -> None:
    def broken(turns: Sequence[Any]) -> None:
        raise RuntimeError("no")

    async with call(["are you open"], [["Yes, we are open."]]) as held:
        held.brain.prepare = broken  # type: ignore[method-assign]
        await held.phone.listen(1000)
        await held.phone.speak(1000)
        await held.phone.listen(2500)
        assert held.history == ["greeting", "are you open", "Yes, we are open."]


@story
async def test_a_bug_in_the_core_ends_the_call_and_harms_nobody_who_told_of_an_event() -> None:
    async with call() as held:
        await held.phone.listen(500)

        def broken(event: Event, now: float) -> list[Any]:
            raise ZeroDivisionError

        held.session.conversation.handle = broken  # type: ignore[method-assign]
        held.session.emit(on.CallerTyped("hello"))  # does not raise
        with pytest.raises(ExceptionGroup) as raised:
            await held.task
        assert raised.group_contains(ZeroDivisionError)
        held.task = asyncio.create_task(asyncio.sleep(0))


@story
async def test_interrupting_stops_the_sound_and_the_work() -> None:
    answer = ["This is the beginning of an answer, which goes on.", " And on."]
    async with call(["tell me", "no, wait"], [answer, ["Go ahead."]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(1500)
        began = held.phone.loop.time()
        await held.phone.speak(400)
        assert held.phone.silent_from - began == pytest.approx(0.06, abs=0.021)
        await held.phone.listen(2000)
        heard = held.history[2]
        assert "This is the beginning of an answer, which goes on.".startswith(heard)
        # 850 ms of 50 ms per character were heard: 17 characters, whole words only
        assert heard == "This is the"
        assert held.history[3:] == ["no, wait", "Go ahead."]


@story
async def test_a_cough_makes_the_agent_pause_and_speak_on() -> None:
    answer = "One two three four five six seven eight nine ten."
    async with call(["count", ""], [[answer]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(1500)
        await held.phone.speak(100)
        await held.phone.listen(4000)
        assert held.history == ["greeting", "count", answer]
        assert len(held.phone.events("clear")) == 1
        assert len(held.brain.asked) == 1


@story
async def test_a_caller_who_was_not_finished_is_asked_about_the_whole() -> None:
    words = ["I would like", "to know your hours"]
    async with call(words, [["Nine to five."]], think_s=1.0) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(800)  # longer than a turn's silence: a reply has begun
        await held.phone.speak(500)
        await held.phone.listen(3000)
        assert held.brain.asked[-1][-1] == "I would like to know your hours"
        assert held.history[1:] == ["I would like to know your hours", "Nine to five."]


@story
async def test_we_hang_up_when_the_goodbye_was_played() -> None:
    async with call(["bye"], [["Goodbye, and thanks.", EndCall()]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(4000)
        assert held.hung_up == ["goodbye"]
        assert held.phone.closed_at is not None
        assert held.phone.closed_at - held.phone.silent_from == pytest.approx(0, abs=0.01)
        assert held.history[-1] == "Goodbye, and thanks."


@story
async def test_hanging_up_in_the_middle_of_a_reply_leaves_nothing_running() -> None:
    async with call(["hello"], [["Hello there, this takes a while to say."]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(1200)
        held.phone.hang_up()
        await held.task
        assert held.phone.closed_at is not None
        assert held.history[-1] == "Hello"  # 550 ms: not quite "Hello there,"


@story
async def test_a_socket_that_closes_without_stop_ends_the_call() -> None:
    async with call() as held:
        await held.phone.listen(500)
        held.phone.incoming.put_nowait(None)
        await held.task
        assert held.entries[-1][1] == on.CallerHungUp("closed")


@story
async def test_a_brain_that_fails_is_apologised_for() -> None:
    answers = [[RuntimeError("429")], ["Here I am."]]
    async with call(["hello", "again"], answers, Timings(eager_replies=0)) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(2000)
        assert held.history == ["greeting", "hello", "apology"]
        await held.phone.speak(500)
        await held.phone.listen(2000)
        assert held.history[3:] == ["again", "Here I am."]


@story
async def test_an_eager_reply_that_fails_is_tried_again_and_not_apologised_for() -> None:
    async with call(["hello"], [[RuntimeError("429")], ["Here I am."]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(2500)
        assert held.history == ["greeting", "hello", "Here I am."]


@story
async def test_an_eager_message_of_a_caller_who_goes_on_is_not_kept_too_early() -> None:
    taken = UseTool(message())
    answers = [[taken, "Thank you."], ["What else?"]]
    async with call(["That is all.", "No, wait."], answers, think_s=0.05) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(500)
        assert len(held.brain.asked) == 1, "the answer is there already"
        await held.phone.speak(500)
        await held.phone.listen(3000)
        assert held.history[1:] == ["That is all. No, wait.", "What else?"]
    assert held.desk.asked == []


@story
async def test_an_eager_message_is_kept_once_the_turn_is_over() -> None:
    taken = UseTool(message())
    async with call(["That is all."], [[taken, "Thank you.", EndCall()]], think_s=0.05) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(3000)
        assert held.hung_up == ["goodbye"]
    assert held.desk.done == [message()]


@story
async def test_a_slow_brain_is_bridged_with_a_stored_line() -> None:
    async with call(["hello"], [["Finally."]], think_s=4.0) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(7000)
        media = held.phone.events("media")
        assert any(at == pytest.approx(1.5 + 0.55 + 1.9, abs=0.05) for at in media)
        assert held.history == ["greeting", "hello", "Finally."]


@story
async def test_a_message_survives_the_interruption_of_its_confirmation() -> None:
    taken = UseTool(message())
    async with call(["yes", "oh and"], [[taken, "Thank you, Anna."], ["Yes?"]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(680)
        await held.phone.speak(500)
        await held.phone.listen(1500)
    assert held.desk.done == [message()]


def test_a_message_that_cannot_be_stored_does_not_end_the_call(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        desk = FakeDesk(results={Tool.TAKE_MESSAGE: OSError(28, "No space left on device")})
        answers = [[UseTool(message()), "Thank you."], ["Bye."]]
        async with call(["yes", "thanks"], answers, desk=desk) as held:
            for _ in range(2):
                await held.phone.listen(1500)
                await held.phone.speak(500)
            await held.phone.listen(1500)
            assert held.history == ["greeting", "yes", "Thank you.", "thanks", "Bye."]
            assert [used.code for used in held.used] == ["failed"]

    run_virtual(work())
    assert "the tool take_message failed" in caplog.text
    assert "call me" not in caplog.text


@story
async def test_a_line_that_is_never_quiet_is_asked_and_then_let_go() -> None:
    async with call() as held:
        await held.phone.speak(100_000)
        assert held.hung_up == ["idle"]
        assert "repair" in held.history


@story
async def test_audio_faster_than_real_time_is_not_heard_for_ever() -> None:
    async with call() as held:
        for second in range(0, 600, 2):  # each message leaves a gap of two seconds to fill
            media = {"track": "inbound", "timestamp": str(second * 1000), "payload": "/////w=="}
            held.phone.say({"event": "media", "streamSid": "MZ1", "media": media})
        await held.phone.listen(100)
        assert held.session._hearing.frames < 300


@story
async def test_a_half_left_message_is_kept_when_the_caller_hangs_up() -> None:
    async with call(["message for Maria"], [["What is it?"]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(1000)
    assert held.desk.done == [message("message for Maria", "", "", complete="no")]


@story
async def test_words_that_were_still_being_made_out_are_kept_when_the_caller_hangs_up() -> None:
    async with call(["message never final"]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        held.session.emit(on.TranscriptInterim(1, 1, "message for Maria"))
    assert held.desk.done == [message("message for Maria", "", "", complete="no")]


@story
async def test_a_line_that_goes_quiet_without_frames_still_ends_the_turn() -> None:
    async with call(["hello"], [["Hi."]]) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await asyncio.sleep(3)  # the carrier sends nothing during silence
        assert held.history == ["greeting", "hello", "Hi."]


@story
async def test_silence_gets_one_prompt_and_then_goodbye() -> None:
    async with call() as held:
        await held.phone.listen(30_000)
        assert held.history == ["greeting", "idle_prompt", "idle_goodbye"]
        assert held.hung_up == ["idle"]


@story
async def test_a_call_has_a_longest_time() -> None:
    async with call(timings=Timings(max_call_s=3)) as held:
        await held.phone.listen(6000)
        assert held.hung_up == ["time_limit"]
        assert held.history[-1] == "time_limit"


@story
async def test_keys_pressed_are_an_answer() -> None:
    async with call(answers=[["Thank you."]]) as held:
        await held.phone.listen(1000)
        for digit in "42#":
            held.phone.say({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"digit": digit}})
        await held.phone.listen(1500)
        assert held.history == ["greeting", "42", "Thank you."]


def test_broken_messages_are_ignored_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        async with call(["hello"], [["Hi."]]) as held:
            for bad in ("{", b"\x00", '{"event": 1}', START, "[]", '{"event":"media"}'):
                held.phone.incoming.put_nowait(bad)
            await held.phone.listen(1000)
            await held.phone.speak(500)
            await held.phone.listen(1500)
            assert held.history == ["greeting", "hello", "Hi."]

    with caplog.at_level(logging.WARNING):
        run_virtual(work())
    assert caplog.text.count("ignored a bad message") == 1


@story
async def test_cancelling_the_call_closes_everything() -> None:
    async with call(["hello"], [["Hi."]], think_s=5) as held:
        await held.phone.listen(1000)
        await held.phone.speak(500)
        await held.phone.listen(800)
        assert held.brain.open == 1
        held.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held.task
        assert held.brain.open == 0
        held.task = asyncio.create_task(asyncio.sleep(0))


def test_a_server_that_stops_closes_the_books_of_a_call_whose_desk_hangs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = JournalWriter(tmp_path)

    async def work() -> None:
        async with call(writer=writer, desk=FakeDesk(closes_s=60)) as held:
            await held.phone.listen(1000)
            held.task.cancel()
            with (
                patch("services.engines.tool_work.CLOSE_WITHIN_S", 30),
                pytest.raises(asyncio.CancelledError),
            ):
                await held.task
            held.task = asyncio.create_task(asyncio.sleep(0))

    run_virtual(work())
    writer.close()
    (path,) = tmp_path.iterdir()
    assert json.loads(path.read_text().splitlines()[-1])["note"] == "closed"
    assert "something was left undone" in caplog.text


@story
async def test_what_was_read_late_was_heard_when_it_came() -> None:
    async with call(["hello"], [["Hi."]]) as held:
        await held.phone.listen(2000)
        await asyncio.sleep(0.01)  # from here on all of it is late
        await held.phone.speak(500)
        await held.phone.listen(3000)
        events = [event for _, event, _ in held.entries]
        assert on.SpeechStarted(1, voiced_ms=70) in events
        assert on.SpeechStopped(1, silence_ms=210) in events


@story
async def test_audio_that_is_late_again_and_again_is_heard_in_full() -> None:
    async with call(["yes"] * 99, [["Fine."]] * 99) as held:
        heard: list[bytes] = []
        engine, hear = held.session._engine, held.session._engine.hear

        def count(frame: bytes) -> None:
            heard.append(frame)
            hear(frame)

        with patch.object(engine, "hear", count):
            await held.phone.listen(200)
            for _ in range(60):  # silence stands in for more than ten seconds in all
                held.phone.blurt(300)
                await asyncio.sleep(0.3)
        assert b"".join(heard).count(VOICE[:1]) == 60 * 15 * len(VOICE)
        assert len(heard) > 60 * 15 + 500
