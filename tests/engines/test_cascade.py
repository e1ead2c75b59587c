"""Brain and voice at the same time: what is said when, and what is left when one of them ends."""

from __future__ import annotations

import asyncio

import pytest

from services.call.effects import Purpose
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
from services.engines.phrase_feed import GATHER_S
from services.llm import EndCall, Line, UseTool
from services.vendors import VendorError
from tests.desks import message
from tests.engines.studio import LOST, SPEAK_S, SlowVoice, Studio, play
from tests.phone import SILENCE, VOICE, sound

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
