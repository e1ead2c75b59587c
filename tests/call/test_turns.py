"""Stories of whole turns: spoken, typed, keyed, late, lost and repeated."""

from __future__ import annotations

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller
from services.call.effects import Purpose
from tests.call.script import ANSWER, GREETING, PLAIN, REPAIR, SILENCE_MS, ScriptedCall
from tests.call.voice import says, speaks

ENDPOINT_S = (PLAIN.turn_silence_ms - SILENCE_MS) / 1000


@pytest.fixture
def call() -> ScriptedCall:
    """A call whose greeting was heard to its end."""
    call = ScriptedCall()
    call.starts_and_greets()
    return call


def test_the_agent_greets_at_once_and_listens_when_the_greeting_was_played() -> None:
    call = ScriptedCall()
    call.starts()
    assert call.agent is Agent.THINKING
    call.wait(0.0)
    assert call.agent is Agent.SPEAKING
    call.wait_until_agent(Agent.IDLE)
    assert call.now == pytest.approx(call.carrier.silent_from)
    assert call.history == [f"agent: {GREETING}"]
    assert call.conversation.deadline == pytest.approx(call.now + 8.0)


def test_speaking_lasts_until_the_last_mark_was_played_not_until_the_last_byte_was_sent() -> None:
    call = ScriptedCall()
    call.starts()
    call.wait(call.carrier.silent_from + 1.7)
    assert not call.conversation.history
    assert call.agent is Agent.SPEAKING


def test_a_plain_turn(call: ScriptedCall) -> None:
    call.caller_says("what are your hours")
    stopped = call.now
    assert call.conversation.deadline == pytest.approx(stopped + ENDPOINT_S)
    call.wait_until_agent(Agent.THINKING)
    assert call.now == pytest.approx(stopped + ENDPOINT_S)
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: what are your hours", f"agent: {ANSWER}"]
    assert call.purposes() == [Purpose.GREETING, Purpose.ANSWER]


def test_two_utterances_with_a_short_pause_are_one_turn(call: ScriptedCall) -> None:
    call.caller_says("what are")
    call.wait(ENDPOINT_S - 0.1)
    call.caller_says("your hours")
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]


def test_with_the_words_at_hand_a_reply_is_prepared_while_the_turn_may_still_go_on(
    call: ScriptedCall,
) -> None:
    call.caller_says("what are")
    call.wait(ENDPOINT_S - 0.1)
    assert [effect for _, effect in call.found(do.PrepareReply)] == [do.PrepareReply()]
    assert [turn.text for turn in call.conversation.turns_so_far] == [GREETING, "what are"]
    call.caller_says("your hours")
    call.wait(ENDPOINT_S - 0.1)
    assert len(call.all(do.PrepareReply)) == 2
    assert call.conversation.turns_so_far[-1].text == "what are your hours"
    assert not call.commits()


def test_the_caller_goes_on_while_the_agent_thinks() -> None:
    call = ScriptedCall(says("For one?", after=1.0), says("For two, then."))
    call.starts_and_greets()
    call.caller_says("I want a table")
    call.wait_until_agent(Agent.THINKING)
    call.wait(0.3)
    call.speech_starts()
    assert call.all(do.CancelReply) == [do.CancelReply(2)]
    assert call.agent is Agent.IDLE
    call.wait(0.5)
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(2, 2, "for two"))
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: I want a table for two", "agent: For two, then."]


def test_noise_while_the_agent_thinks_loses_no_words() -> None:
    call = ScriptedCall(says("Never said.", after=1.0))
    call.starts_and_greets()
    call.caller_says("what are your hours")
    call.wait_until_agent(Agent.THINKING)
    call.noise(final_after=None)
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: what are your hours", f"agent: {ANSWER}"]


def test_noise_alone_is_nothing(call: ScriptedCall) -> None:
    call.noise()
    call.wait(2.0)
    assert call.agent is Agent.IDLE
    assert call.history == [f"agent: {GREETING}"]
    assert call.all(do.CommitTurn) == [do.CommitTurn("", "no words")]


# --- typed ----------------------------------------------------------------------------------------


def test_a_typed_turn_is_answered_at_once(call: ScriptedCall) -> None:
    call.types("  what are your hours ")
    assert call.agent is Agent.THINKING
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: what are your hours", f"agent: {ANSWER}"]


def test_typing_cuts_the_agent_short(call: ScriptedCall) -> None:
    call.types("what are your hours")
    call.wait(1.5)
    heard = call.truly_heard(2)
    call.types("stop")
    assert call.history[2:] == [f"agent: {' '.join(heard)}", "caller: stop"]
    assert not call.carrier.is_audible(call.now)


def test_an_empty_line_is_no_turn(call: ScriptedCall) -> None:
    call.types(" ")
    assert call.agent is Agent.IDLE


def test_what_was_said_while_typing_is_not_lost() -> None:
    call = ScriptedCall(says("What for?", after=1.0))
    call.starts_and_greets()
    call.speech_starts()
    call.types("I want a table")
    call.wait(0.3)
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(1, 1, "for two"))
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: I want a table for two", f"agent: {ANSWER}"]


# --- keyed ----------------------------------------------------------------------------------------


def test_keys_are_one_turn_once_they_pause(call: ScriptedCall) -> None:
    call.presses("123")
    pressed = call.now - 0.3
    call.wait_until_agent(Agent.THINKING)
    assert call.now == pytest.approx(pressed + 2.0)
    assert call.commits() == ["123"]


def test_the_hash_key_ends_the_entry_at_once(call: ScriptedCall) -> None:
    call.presses("123")
    call.presses("#", every=0.0)
    assert call.commits() == ["123"]


def test_a_lone_hash_key_does_nothing() -> None:
    call = ScriptedCall()
    call.starts()
    call.wait(0.5)
    call.presses("#")
    assert call.agent is Agent.SPEAKING


def test_a_key_cuts_the_agent_short() -> None:
    call = ScriptedCall()
    call.starts()
    call.wait(0.9)
    call.presses("1", every=0.0)
    assert not call.carrier.is_audible(call.now)
    assert call.history == [f"agent: {' '.join(call.truly_heard(1))}"]
    call.wait_until_agent(Agent.THINKING)
    assert call.commits() == ["1"]


@pytest.mark.parametrize("keys", ["42", "42#"])
def test_keys_during_speech_are_of_the_same_turn(call: ScriptedCall, keys: str) -> None:
    call.speech_starts()
    call.presses(keys)
    call.wait(2.5)
    assert call.caller is Caller.SPEAKING
    assert not call.commits()
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(1, 1, "my number is"))
    call.wait_until_nobody_speaks()
    assert call.commits() == ["my number is 42"]


def test_words_that_come_during_an_entry_do_not_end_it(call: ScriptedCall) -> None:
    call.caller_says("my number is", final_after=1.2)
    call.wait(1.0)
    call.presses("1", every=0.9)
    call.presses("2", every=1.9)  # by now the words would have been given up
    call.presses("3")
    call.wait_until_agent(Agent.THINKING)
    assert call.commits() == ["my number is 123"]


def test_an_entry_ends_the_turn_at_once_if_its_words_came_late(call: ScriptedCall) -> None:
    call.caller_says("my number is", final_after=0.5)
    call.wait(0.45)
    call.presses("42")
    call.presses("#", every=0.0)
    assert call.commits() == ["my number is 42"]


def test_words_that_never_come_do_not_end_an_entry(call: ScriptedCall) -> None:
    call.caller_says("", final_after=None)
    call.presses("123", every=1.5)
    call.wait_until_agent(Agent.THINKING)
    assert call.commits() == ["123"]


# --- transcripts ----------------------------------------------------------------------------------


def test_a_late_transcript_is_waited_for(call: ScriptedCall) -> None:
    call.caller_says("what are your hours", final_after=1.2)
    stopped = call.now
    call.wait_until_agent(Agent.THINKING)
    assert call.now == pytest.approx(stopped + 1.2)
    assert call.purposes()[-1] is Purpose.ANSWER


def test_a_caller_who_goes_on_while_words_are_owed_is_not_cut_off(call: ScriptedCall) -> None:
    call.caller_says("", final_after=None)
    call.wait(1.0)
    call.speech_starts()
    call.wait(2.0)
    assert call.caller is Caller.SPEAKING
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(1, 2, "what are your hours"))
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]


def test_a_missing_transcript_is_asked_for_again(call: ScriptedCall) -> None:
    call.caller_says("", final_after=None)
    stopped = call.now
    call.wait_until_agent(Agent.THINKING)
    assert call.now == pytest.approx(stopped + ENDPOINT_S + 1.5)
    assert call.purposes()[-1] is Purpose.REPAIR
    call.wait_until_nobody_speaks()
    assert call.history[1:] == [f"agent: {REPAIR}"]


def test_a_failed_transcript_is_asked_for_again(call: ScriptedCall) -> None:
    call.caller_says("", final_after=None)
    call.later(0.1, on.TranscriptFailed(1, "VendorError"))
    call.wait_until_agent(Agent.THINKING)
    assert call.purposes()[-1] is Purpose.REPAIR


def test_a_failure_takes_no_words_away(call: ScriptedCall) -> None:
    call.caller_says("what are", final_after=0.1)
    call.wait(0.2)
    call.caller_says("your hours", final_after=0.1)
    call.later(0.2, on.TranscriptFailed(2, "VendorError"))
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]


@pytest.mark.parametrize("words", ["what are your hours", "yes"])
def test_words_after_the_turn_was_given_up_are_answered_all_the_same(words: str) -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    call.caller_says(words, final_after=2.2)  # the agent has begun to ask for them again
    call.wait_until(lambda: Purpose.REPAIR in call.purposes())
    call.wait_until_nobody_speaks()
    assert call.commits() == [words]
    assert call.history[-1] == f"agent: {ANSWER}"


def test_the_last_words_of_a_turn_come_after_it_was_committed() -> None:
    call = ScriptedCall(says("A table?", after=1.0))
    call.starts_and_greets()
    call.caller_says("I want", final_after=0.1)
    call.wait(0.2)
    call.caller_says("a table", final_after=2.2)
    call.wait_until_nobody_speaks()
    assert call.commits() == ["I want", "I want a table"]
    assert call.history[1:] == ["caller: I want a table", f"agent: {ANSWER}"]


def test_a_repeated_final_counts_once(call: ScriptedCall) -> None:
    call.caller_says("what are your hours", final_after=0.05)
    call.later(0.1, on.TranscriptFinal(1, 1, "what are your hours"))
    call.later(0.6, on.TranscriptFinal(1, 1, "what are your hours"))
    call.later(9.0, on.TranscriptFinal(1, 1, "what are your hours"))
    call.wait(9.0)
    assert call.commits() == ["what are your hours"]


def test_words_decoded_again_for_a_longer_stretch_replace_the_first_ones(
    call: ScriptedCall,
) -> None:
    call.caller_says("what or", final_after=0.05)
    call.wait(0.1)
    call.caller_says("hours", final_after=None)
    call.later(0.1, on.TranscriptFinal(1, 2, "what are your hours"))
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]


def test_words_without_any_sound_that_we_noticed_are_a_turn_but_only_one(
    call: ScriptedCall,
) -> None:
    words = on.TranscriptFinal(1, 1, "what are your hours")
    call.feed(words)
    call.wait(0.1)
    call.feed(words)
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]


# --- the end of the call --------------------------------------------------------------------------


def test_hanging_up_in_the_middle_of_a_reply(call: ScriptedCall) -> None:
    call.types("what are your hours")
    call.wait(1.5)
    effects = call.hangs_up()
    heard = " ".join(call.truly_heard(2))
    assert do.CancelReply(2) in effects
    assert call.history[-1] == f"agent: {heard}"
    assert call.conversation.ended
    assert call.conversation.deadline is None
    call.wait(30.0)
    assert call.log[-1][2] == []


def test_hanging_up_while_a_reply_is_held(call: ScriptedCall) -> None:
    call.types("what are your hours")
    call.wait(1.5)
    call.speech_starts()
    heard = " ".join(call.truly_heard(2))
    effects = call.hangs_up()
    assert [type(effect) for effect in effects] == [do.CancelReply, do.ReportHeard]
    assert call.history[-1] == f"agent: {heard}"


def test_hanging_up_before_the_turn_was_over_keeps_its_words(call: ScriptedCall) -> None:
    call.caller_says("call me back", final_after=0.05)
    call.wait(0.1)
    effects = call.hangs_up()
    assert effects == [do.CommitTurn("call me back", "the call ends")]
    assert call.history[-1] == "caller: call me back"


def test_hanging_up_while_going_on_keeps_the_words_of_the_reopened_turn() -> None:
    call = ScriptedCall(says(ANSWER, after=1.0))
    call.starts_and_greets()
    call.types("I am Ann, call me back")
    call.speech_starts()
    call.hangs_up()
    assert call.history[-1] == "caller: I am Ann, call me back"


def test_nothing_happens_before_the_call_has_started_or_after_it_has_ended() -> None:
    call = ScriptedCall()
    call.feed(on.SpeechStarted(1))
    call.feed(on.DigitPressed("1"))
    assert call.conversation.deadline is None
    call.starts()
    call.hangs_up()
    call.starts()
    call.types("hello")
    assert call.purposes() == [Purpose.GREETING]


def test_a_goodbye_hangs_up_only_when_it_was_played() -> None:
    call = ScriptedCall(says("Thank you, goodbye.", then=on.AfterReply.HANG_UP))
    call.starts_and_greets()
    call.types("bye")
    call.wait_until(lambda: call.conversation.ended)
    assert call.last(do.HangUp) == (pytest.approx(call.carrier.silent_from), do.HangUp("goodbye"))


def test_a_caller_who_interrupts_the_goodbye_is_listened_to() -> None:
    call = ScriptedCall(says("Thank you very much, goodbye.", then=on.AfterReply.HANG_UP))
    call.starts_and_greets()
    call.types("bye")
    call.wait(1.0)
    call.caller_says("wait one more thing", interim_after=0.4)
    call.wait_until_nobody_speaks()
    assert not call.conversation.ended
    assert call.history[-2:] == ["caller: wait one more thing", f"agent: {ANSWER}"]


def test_a_reply_in_many_phrases_is_played_without_a_gap() -> None:
    call = ScriptedCall(speaks([["We are open", "from nine"], ["to", "five."]], after=0.1))
    call.starts_and_greets()
    call.types("when?")
    call.wait_until_nobody_speaks()
    stretches = [stretch for stretch in call.carrier.stretches if stretch.reply == 2]
    for earlier, later in zip(stretches, stretches[1:], strict=False):
        assert later.begins == pytest.approx(earlier.ends)
    assert call.history[-1] == "agent: We are open from nine to five."
