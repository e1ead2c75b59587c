"""Brain and voice at the same time: what is said when, and what is left when one of them ends."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from itertools import pairwise
from typing import Any

import pytest

from services.call.effects import Purpose, Speaker, StartReply, Turn
from services.call.events import (
    AfterReply,
    AudioProduced,
    FillerReady,
    ReplyFinished,
    SpeechStarted,
    SpeechStopped,
    TokenProduced,
    VendorStep,
)
from services.engines.cascade import CascadeEngine, Lines
from services.engines.guard import Guard
from services.engines.phrase_feed import GATHER_S
from services.engines.speech import Speech
from services.engines.tool_work import ToolWork
from services.llm import BrainEvent, EndCall, Line, UseTool
from services.receptionist.tools import ToolRequest
from services.tts import Say, SpokenAudio
from services.vendors import Reports, VendorError
from tests.desks import FakeDesk, message
from tests.phone import SILENCE, VOICE, FakeSegmenter, FakeTranscriber, sound
from tests.virtual_time import run_virtual

Script = Sequence[BrainEvent | float | Exception]
"""What the brain gives, in order; a number is a pause in seconds."""

SPEAK_S = 0.1
"""From a phrase to its audio."""
ASKED = (Turn(Speaker.CALLER, "When are you open?"),)
LOST = VendorError("vendor", "ask", "connection lost")


class ScriptedBrain:
    """Gives what the test says."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.is_open = False

    def prepare(self, turns: Sequence[Turn]) -> None: ...

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        self.is_open = True
        try:
            for item in self._script:
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, float):
                    await asyncio.sleep(item)
                else:
                    yield item
        finally:
            self.is_open = False

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        return None


class SlowVoice:
    """Takes a moment for each phrase; may fail, or get stuck, at a phrase with a certain word."""

    def __init__(self, fails_at: str = "", sticks_at: str = "") -> None:
        self._fails_at = fails_at
        self._sticks_at = sticks_at
        self.speaks_now = 0

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        self.speaks_now += 1
        try:
            async for phrase in phrases:
                await asyncio.sleep(SPEAK_S)
                if self._fails_at and self._fails_at in phrase:
                    raise VendorError("voice", "speak", "reset")
                if self._sticks_at and self._sticks_at in phrase:
                    await asyncio.Event().wait()
                say(SpokenAudio(sound(phrase), phrase))
        finally:
            self.speaks_now -= 1


class Told:
    """What an engine emits, and when."""

    def __init__(self) -> None:
        self.events: list[tuple[float, Any]] = []

    def emit(self, event: Any) -> None:
        self.events.append((asyncio.get_running_loop().time(), event))

    @property
    def said(self) -> list[tuple[float, str]]:
        return [(at, event.text) for at, event in self.events if isinstance(event, AudioProduced)]

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.said]

    def all(self, kind: type) -> list[Any]:
        return [event for _, event in self.events if isinstance(event, kind)]


class Studio:
    """A cascade of scripted parts, and what it has told."""

    def __init__(
        self,
        *script: BrainEvent | float | Exception,
        voice: SlowVoice | None = None,
        desk: FakeDesk | None = None,
    ) -> None:
        texts = {purpose: purpose.value for purpose in Purpose if purpose is not Purpose.ANSWER}
        self.lines = Lines(texts, "moment")
        self.brain = ScriptedBrain(script)
        self.voice = voice or SlowVoice()
        self.desk = desk or FakeDesk()
        self.told = Told()
        self.interrupted = 0
        self.reports = Reports()
        self.engine = CascadeEngine(
            FakeSegmenter(),
            FakeTranscriber(["hello"]),
            self.brain,
            self.voice,
            self.lines,
            self.reports,
            self._interrupt,
            ToolWork(self.desk),
        )

    def _interrupt(self) -> None:
        self.interrupted += 1

    async def reply(self, purpose: Purpose = Purpose.ANSWER) -> None:
        await self.engine.reply(StartReply(1, purpose, ASKED), self.told.emit)


def play(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run on virtual time; no task and no error may be left that nobody has seen."""
    unseen: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unseen.append(told))
        await work()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        gc.collect()

    run_virtual(run())
    assert unseen == []


# --- at the same time -----------------------------------------------------------------------------


def test_the_first_phrase_is_spoken_while_the_brain_still_thinks() -> None:
    async def work() -> None:
        studio = Studio("We are open ", "from nine to five. ", 2.0, "On Sunday ", "we are closed.")
        await studio.reply()
        (first_at, first), *_, (last_at, last) = studio.told.said
        assert first_at == pytest.approx(SPEAK_S)
        assert first.startswith("We are open")
        assert 2.0 + SPEAK_S <= last_at <= 2.0 + GATHER_S + SPEAK_S
        assert last.endswith("closed.")
        assert " ".join(" ".join(studio.told.texts).split()) == (
            "We are open from nine to five. On Sunday we are closed."
        )
        assert studio.told.events[-1][1] == ReplyFinished(1, AfterReply.LISTEN)

    play(work)


def streaming(text: str, every_s: float) -> tuple[Studio, list[float]]:
    """A brain whose words come every so often, wherever it is asked for them; when it was asked."""
    asked: list[float] = []
    tokens = [f"{word} " for word in text.split()]

    class Stream(ScriptedBrain):
        async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
            loop, given = asyncio.get_running_loop(), 0
            while given < len(tokens):
                asked.append(loop.time())
                await asyncio.sleep(max(0.0, (given + 1) * every_s - loop.time()))
                come = int(loop.time() / every_s + 1e-6)
                piled_up = "".join(tokens[given:come])
                given = come
                yield piled_up

    studio = Studio()
    studio.engine._brain = Stream(())
    return studio, asked


LONG = "We are open from nine to five today. " + "We are closed on every Sunday. " * 6


def test_while_there_is_enough_to_say_tokens_pile_up() -> None:
    async def work() -> None:
        every_s = 1 / 64
        studio, asked = streaming(LONG, every_s)
        await studio.reply()
        assert " ".join(studio.told.texts) == LONG.strip()
        first_at = studio.told.said[0][0]
        assert first_at == pytest.approx(8 * every_s + SPEAK_S)  # "... today. "
        assert len(asked) < 8 + 2 * (len(LONG.split()) * every_s) / GATHER_S + 2

    play(work)


@pytest.mark.parametrize("every_s", [0.3, 0.5, 0.9])
def test_a_brain_that_is_slower_than_the_voice_is_spoken_in_parts(every_s: float) -> None:
    """Rather than not at all: after eight seconds the call gives a silent reply up."""
    text = "We will be very happy to help you with that on any of the coming weekdays this month."

    async def work() -> None:
        studio, _ = streaming(text, every_s)
        await studio.reply()
        assert " ".join(studio.told.texts) == text
        at = [at for at, _ in studio.told.said]
        assert at[0] <= max(1.5 + 2 * every_s, 4 * every_s) + SPEAK_S + 0.01
        gaps = [later - earlier for earlier, later in pairwise(at)]
        assert max(gaps) < 3.5 + 2 * every_s  # what three words last, and a little

    play(work)


def test_after_a_tool_has_worked_long_a_brain_of_usual_speed_is_spoken_in_sentences() -> None:
    told = [
        "We have an opening at half past nine on Monday morning with Doctor Smith.",
        "If that is too early we could also offer you the same time on the next day.",
        "Which of them do you like better?",
    ]

    async def work() -> None:
        words = [item for word in " ".join(told).split() for item in (f"{word} ", 1 / 15)]
        studio = Studio("One moment. ", UseTool(message()), *words, desk=FakeDesk(takes_s=6))
        studio.engine.commit(1)
        await studio.reply()
        assert studio.told.texts == ["One moment.", *told]

    play(work)


def test_what_has_piled_up_in_pieces_comes_at_once() -> None:
    """However a transport cuts it: a tool that is wanted after it must not wait for each piece."""

    class Buffered(ScriptedBrain):
        async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
            for word in LONG.split():
                yield f"{word} "

    async def work() -> None:
        studio, loop = Studio(), asyncio.get_running_loop()
        studio.engine._brain = Buffered(())
        speech, began = Speech(1, studio.told.emit, Guard(())), loop.time()
        await studio.engine._think(StartReply(1, Purpose.ANSWER, ASKED), speech)
        assert loop.time() - began <= GATHER_S

    play(work)


def test_a_slow_answer_is_read_token_by_token_when_its_words_run_out() -> None:
    async def work() -> None:
        every_s = 0.5
        studio, asked = streaming(LONG, every_s)
        await studio.reply()
        at_once = [every_s * n for n in range(len(LONG.split()))]
        assert asked == pytest.approx(at_once, abs=GATHER_S + 0.001)

    play(work)


def test_a_script_waits_for_nothing() -> None:
    async def work() -> None:
        use = UseTool(message("1"))
        studio = Studio("Let me write that down for you at once.", use, "It is written down.")
        await studio.reply()
        assert studio.told.said[-1][0] == pytest.approx(2 * SPEAK_S)

    play(work)


def test_the_first_token_is_told_once_and_before_any_audio() -> None:
    async def work() -> None:
        studio = Studio(0.5, "Yes. ", "Indeed we are.")
        await studio.reply()
        assert studio.told.events[0] == (0.5, TokenProduced(1))
        assert len(studio.told.all(TokenProduced)) == 1

    play(work)


def test_what_the_brain_does_beside_talking_is_told_at_once() -> None:
    async def work() -> None:
        studio = Studio("I will pass it on. Goodbye!", UseTool(message()), EndCall())
        await studio.reply()
        assert studio.desk.done == [message()]
        assert studio.told.events[-1][1] == ReplyFinished(1, AfterReply.HANG_UP)

    play(work)


def test_a_brain_that_says_nothing_ends_the_reply_all_the_same() -> None:
    async def work() -> None:
        studio = Studio()
        await studio.reply()
        assert [event for _, event in studio.told.events] == [ReplyFinished(1)]

    play(work)


# --- when one of them fails -----------------------------------------------------------------------


def test_what_a_broken_brain_had_to_say_is_said_and_then_the_error_is_raised() -> None:
    async def work() -> None:
        studio = Studio("We are open from nine to five. ", "On Sunday ", LOST)
        with pytest.raises(VendorError, match="connection lost"):
            await studio.reply()
        said = " ".join(text.strip() for text in studio.told.texts)
        assert said == "We are open from nine to five. On Sunday"
        assert not studio.told.all(ReplyFinished)
        assert studio.interrupted == 0

    play(work)


def test_a_brain_that_fails_at_once_fails_the_reply() -> None:
    async def work() -> None:
        studio = Studio(LOST)
        with pytest.raises(VendorError, match="connection lost"):
            await studio.reply()
        assert studio.told.events == []

    play(work)


def test_a_voice_that_fails_stops_the_brain_and_fails_the_reply() -> None:
    async def work() -> None:
        voice = SlowVoice(fails_at="second")
        studio = Studio(
            "The first sentence is fine. ", "The second one is not. ", 60.0, voice=voice
        )
        with pytest.raises(VendorError, match="voice: speak: reset"):
            await studio.reply()
        assert "".join(studio.told.texts).strip() == "The first sentence is fine."
        assert not studio.brain.is_open
        assert asyncio.get_running_loop().time() < 1
        assert not studio.told.all(ReplyFinished)

    play(work)


def test_if_both_fail_it_is_the_voices_error_and_the_brains_is_not_left_behind() -> None:
    async def work() -> None:
        studio = Studio("One sentence to be said. ", LOST, voice=SlowVoice(fails_at="One"))
        with pytest.raises(VendorError, match="voice: speak: reset"):
            await studio.reply()

    play(work)


# --- interrupted ----------------------------------------------------------------------------------


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.15, 0.5])
def test_an_interrupted_reply_leaves_nothing_running_and_says_nothing_more(after_s: float) -> None:
    async def work() -> None:
        studio = Studio("The first sentence. ", 1.0, "The second one. ", 1.0, "The third one.")
        replying = asyncio.create_task(studio.reply())
        await asyncio.sleep(after_s)
        replying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await replying
        told = len(studio.told.events)
        assert not studio.brain.is_open
        assert studio.voice.speaks_now == 0
        assert studio.interrupted == 1
        await asyncio.sleep(5)
        assert len(studio.told.events) == told

    play(work)


def test_a_reply_is_interrupted_after_its_brain_has_failed() -> None:
    async def work() -> None:
        studio = Studio("One sentence to be said. ", LOST, voice=SlowVoice(sticks_at="One"))
        replying = asyncio.create_task(studio.reply())
        await asyncio.sleep(1)
        replying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await replying
        assert studio.interrupted == 1

    play(work)


# --- lines ----------------------------------------------------------------------------------------


def test_a_line_from_the_store_needs_no_voice() -> None:
    async def work() -> None:
        studio = Studio(voice=SlowVoice(fails_at="greeting"))
        studio.lines.audio["greeting"] = b"stored"
        await studio.reply(Purpose.GREETING)
        assert studio.told.events == [
            (0.0, AudioProduced(1, b"stored", "greeting")),
            (0.0, ReplyFinished(1)),
        ]

    play(work)


def test_a_line_that_is_not_stored_yet_is_spoken_and_fails_with_the_voice() -> None:
    async def work() -> None:
        studio = Studio()
        await studio.reply(Purpose.GREETING)
        assert studio.told.all(AudioProduced) == [AudioProduced(1, sound("greeting"), "greeting")]
        studio = Studio(voice=SlowVoice(fails_at="greeting"))
        studio.lines.spare["greeting"] = b"another voice"
        with pytest.raises(VendorError):
            await studio.reply(Purpose.GREETING)

    play(work)


def test_a_known_answer_comes_out_of_the_store_before_what_the_brain_says_then() -> None:
    async def work() -> None:
        studio = Studio(Line("Yes, we do."), 0.2, "Shall I take a message?")
        studio.lines.audio["Yes, we do."] = b"stored"
        await studio.reply()
        assert studio.told.said == [
            (0.0, "Yes, we do."),
            (pytest.approx(0.2 + SPEAK_S), "Shall I take a message?"),
        ]

    play(work)


def test_a_known_answer_that_is_not_stored_is_spoken_whole() -> None:
    async def work() -> None:
        studio = Studio(Line("Yes, we do. We take Delta, Cigna and Aetna."))
        await studio.reply()
        assert studio.told.texts == ["Yes, we do. We take Delta, Cigna and Aetna."]

    play(work)


def test_the_apology_comes_in_the_spare_voice_if_its_own_was_not_rendered() -> None:
    async def work() -> None:
        studio = Studio(voice=SlowVoice(fails_at="apology"))
        studio.lines.spare["apology"] = b"spare"
        await studio.reply(Purpose.APOLOGY)
        studio.lines.audio["apology"] = b"own"
        await studio.reply(Purpose.APOLOGY)
        assert [event.audio for event in studio.told.all(AudioProduced)] == [b"spare", b"own"]

    play(work)


def test_the_filler_is_never_waited_for() -> None:
    studio = Studio()
    assert studio.engine.filler(7) is None
    studio.lines.spare["moment"] = b"spare"
    assert studio.engine.filler(7) == FillerReady(7, b"spare", "moment")
    studio.lines.audio["moment"] = b"own"
    assert studio.engine.filler(7) == FillerReady(7, b"own", "moment")


# --- ears -----------------------------------------------------------------------------------------


def test_the_ears_report_what_they_hear_from_their_first_moment_on() -> None:
    async def work() -> None:
        studio = Studio()
        studio.reports.step("vendor", "connect")
        studio.engine.hear(VOICE)  # nobody listens yet
        running = asyncio.create_task(studio.engine.run(studio.told.emit))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for frame in [VOICE] * 3 + [SILENCE] * 10:
            studio.engine.hear(frame)
        await asyncio.sleep(0.1)
        kinds = [type(event) for _, event in studio.told.events]
        assert kinds[:3] == [VendorStep, SpeechStarted, SpeechStopped]
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    play(work)
