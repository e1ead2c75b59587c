"""Sounds that are not the caller's, words that are not all yet, and where words lie in audio."""

from __future__ import annotations

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.alignment import Span, place_words
from services.call.conversation import Agent, Caller, Conversation
from services.call.doubt import Doubt
from services.call.effects import Effect, Purpose
from services.call.playback import Playback
from services.call.timings import Timings
from services.call.words.echo import is_echo, may_become_echo
from services.call.words.speech_acts import may_become_backchannel
from tests.call.script import ScriptedCall

LOUD, QUIET = b"\x10", b"\xff"
SAYS = "Of course, we are open from nine to five."


def speaking() -> Conversation:
    """A call in which the agent has spoken since 0.1 s, for long."""
    call = Conversation(Timings())
    call.handle(on.CallStarted("+1", "+2"), 0.0)
    call.handle(on.AudioProduced(1, LOUD * 80_000, SAYS), 0.1)
    return call


def cough(call: Conversation, utterance: int, at: float) -> list[Effect]:
    """A sound of 300 ms without words; what follows from its beginning."""
    effects = call.handle(on.SpeechStarted(utterance, 60), at)
    call.handle(on.SpeechStopped(utterance, 200), at + 0.5)
    call.handle(on.TranscriptFinal(utterance, utterance, ""), at + 0.55)
    assert call.agent is Agent.SPEAKING, "it speaks on"
    return effects


def test_after_a_sound_for_nothing_the_next_one_soon_after_is_doubted() -> None:
    call = speaking()
    assert do.ClearPlayback() in cough(call, 1, 0.4)
    assert do.ClearPlayback() not in cough(call, 2, 1.2)
    assert call.caller is Caller.QUIET


def test_a_first_sound_and_one_much_later_are_believed() -> None:
    call = speaking()
    cough(call, 1, 0.4)
    assert do.ClearPlayback() in cough(call, 2, 4.5)


def doubted() -> Conversation:
    """A sound has begun that is doubted."""
    call = speaking()
    cough(call, 1, 0.4)
    call.handle(on.SpeechStarted(2, 60), 1.2)
    assert call.caller is Caller.QUIET
    return call


def test_words_of_the_callers_end_the_doubt_at_once() -> None:
    call = doubted()
    effects = call.handle(on.TranscriptInterim(2, 2, "and on"), 1.6)
    assert do.CancelReply(1) in effects
    assert call.caller is Caller.SPEAKING


@pytest.mark.parametrize("words", ["Of", "of course", "we are open from", "mhm"])
def test_the_agents_own_words_and_an_mhm_do_not(words: str) -> None:
    call = doubted()
    assert call.handle(on.TranscriptInterim(2, 2, words), 1.6) == []
    call.handle(on.SpeechStopped(2, 200), 1.8)
    call.handle(on.TranscriptFinal(2, 2, words), 1.9)
    assert call.agent is Agent.SPEAKING


def test_without_interims_the_final_words_are_awaited_like_others() -> None:
    call = doubted()
    call.handle(on.SpeechStopped(2, 200), 1.8)
    effects = call.handle(on.TranscriptFinal(2, 2, "I would like to"), 1.9)
    assert do.CancelReply(1) in effects
    assert call.caller is Caller.PAUSED


def test_an_interim_that_may_become_an_echo_or_a_backchannel_does_not_cancel() -> None:
    for words in ("we are", "I"):
        call = speaking()
        call.handle(on.SpeechStarted(1, 60), 2.0)
        assert call.handle(on.TranscriptInterim(1, 1, words), 2.3) == []
        call.handle(on.TranscriptInterim(1, 1, f"{words} late"), 2.5)
        assert call.agent is Agent.IDLE


def test_a_line_that_was_calm_for_long_is_believed_again() -> None:
    doubt = Doubt()
    assert not doubt.of_sound(0.5, 0.1)
    doubt.was_nothing(1.0)
    assert doubt.of_sound(1.5, 1.0)
    doubt.was_nothing(2.0)
    assert doubt.of_sound(4.0, 1.0)
    assert not doubt.of_sound(7.0, 1.0)


def test_on_a_line_that_echoes_two_words_of_the_agents_are_an_echo() -> None:
    assert not is_echo("are open", SAYS)
    assert is_echo("are open", SAYS, echoes=True)
    assert not is_echo("nine", "At eight, nine, or ten?", echoes=True), "it may be an answer"
    assert may_become_echo("from nine", SAYS)
    assert not may_become_echo("nine from", SAYS)


@pytest.mark.parametrize("words", ["I", "that's", "mhm I", "okay that"])
def test_words_that_begin_a_backchannel(words: str) -> None:
    assert may_become_backchannel(words, "en")


@pytest.mark.parametrize("words", ["I need", "stop", "but I", ""])
def test_words_that_begin_none(words: str) -> None:
    assert not may_become_backchannel(words, "en")


def test_a_word_ends_with_its_sound_and_the_next_begins_after_the_silence() -> None:
    audio = LOUD * 3000 + QUIET * 1600 + LOUD * 3400
    one, two = place_words([Span("Monday, Friday", 0)], audio, ends=True)
    assert (one.begin, one.end) == (0, 3000)
    assert (two.begin, two.end) == (4600, 8000)


def test_of_a_late_mark_half_is_taken_for_the_echos_way() -> None:
    ledger = Playback(1, 200)
    ledger.append(LOUD * 16_000, "word " * 20)
    ledger.finish()
    marks = [each.mark for each in ledger.release(0.0) if isinstance(each, do.SendMark)]
    assert ledger.acknowledge(marks[1], 0.8)  # played at 0.4 s
    ledger.hold(0.85)
    assert ledger.heard_ms == 450
    assert len(ledger.heard_text().split()) == 6  # of 100 ms each: up to 650 ms


def test_a_word_that_lacks_next_to_nothing_is_gone_on_with() -> None:
    ledger = Playback(1, 200)
    ledger.append(LOUD * 3200, "one")
    ledger.append(LOUD * 3200, "two")
    ledger.finish()
    marks = [each.mark for each in ledger.release(0.0) if isinstance(each, do.SendMark)]
    assert ledger.acknowledge(marks[0], 0.2)
    ledger.hold(0.385)
    ledger.rewind()
    (audio, *_) = ledger.release(1.0)
    assert isinstance(audio, do.SendAudio)
    assert 380 * 8 - 160 <= audio.offset <= 385 * 8


def test_a_cough_long_ago_casts_no_doubt_on_a_caller_who_speaks_over_the_last_goodbye() -> None:
    call = ScriptedCall()
    call.starts()
    call.wait(0.4)
    call.noise(0.3)
    call.wait_until(lambda: call.purposes()[-1] is Purpose.IDLE_GOODBYE)
    call.wait_until_agent(Agent.SPEAKING)
    call.wait(0.8)
    call.speech_starts()
    assert call.agent is Agent.HELD
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(2, 2, "I am here, are you open?"))
    call.wait_until_nobody_speaks()
    assert call.history[-2] == "caller: I am here, are you open?"
    assert not call.all(do.HangUp)


def test_a_doubted_sound_that_outlasts_the_goodbye_keeps_the_call() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    call.wait_until(lambda: call.purposes()[-1] is Purpose.IDLE_GOODBYE)
    call.wait_until_agent(Agent.SPEAKING)
    call.wait(0.3)
    call.noise(0.3)
    call.wait_until_agent(Agent.SPEAKING)
    call.wait(0.3)
    call.speech_starts()  # soon after a sound for nothing: it may be one as well
    call.wait(4.0)
    assert not call.all(do.HangUp)
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(2, 2, "I am here, are you open?"))
    call.wait_until_nobody_speaks()
    assert call.history[-2] == "caller: I am here, are you open?"
