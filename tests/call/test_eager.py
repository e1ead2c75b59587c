"""Stories of replies that begin before the turn is certain to be over."""

from __future__ import annotations

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller
from services.call.effects import Purpose, Speaker, Turn
from services.call.events import AfterReply
from services.call.timings import Timings
from tests.call.script import ANSWER, GREETING, SILENCE_MS, ScriptedCall
from tests.call.voice import Plan, fails, says, speaks

QUESTION = "What are your hours?"
TIMINGS = Timings()
COMPLETE_S = (TIMINGS.complete_silence_ms - SILENCE_MS) / 1000


def listening(*answers: Plan, timings: Timings = TIMINGS) -> ScriptedCall:
    """A call whose greeting was heard to its end."""
    call = ScriptedCall(*answers, timings=timings)
    call.starts_and_greets()
    return call


def asked(*answers: Plan, timings: Timings = TIMINGS, text: str = QUESTION) -> ScriptedCall:
    """A call in which the caller has just paused after words that are at hand."""
    call = listening(*answers, timings=timings)
    call.caller_says(text, final_after=0.0)
    call.wait(0.0)
    return call


def test_an_answer_begins_with_the_pause_and_is_heard_when_the_turn_is_over() -> None:
    call = asked(says(ANSWER, after=0.3))
    paused = call.now
    assert call.agent is Agent.EAGER
    (_, begun) = call.last(do.StartReply)
    turns = (Turn(Speaker.AGENT, GREETING), Turn(Speaker.CALLER, QUESTION))
    assert begun == do.StartReply(2, Purpose.ANSWER, turns, is_eager=True)
    call.wait(COMPLETE_S - 0.01)
    assert not [effect for effect in call.all(do.SendAudio) if effect.reply == 2]
    call.wait_until_agent(Agent.SPEAKING)
    assert call.now == pytest.approx(paused + COMPLETE_S)
    last = [type(effect) for effect in call.log[-1][2]]
    assert last[:4] == [do.CommitTurn, do.CommitReply, do.SendAudio, do.SendMark]
    call.wait_until_nobody_speaks()
    assert call.history[1:] == [f"caller: {QUESTION}", f"agent: {ANSWER}"]
    assert len(call.all(do.StartReply)) == 2


def test_an_answer_that_takes_longer_than_the_silence_is_heard_as_it_comes() -> None:
    call = asked(says(ANSWER, after=1.5))
    begun = call.now
    call.wait_until_agent(Agent.THINKING)
    assert call.all(do.CommitReply) == [do.CommitReply(2)]
    call.wait_until_agent(Agent.SPEAKING)
    assert call.now == pytest.approx(begun + 1.5)


@pytest.mark.parametrize("after", [0.05, 0.35])
def test_the_caller_goes_on_and_nobody_notices_the_answer(after: float) -> None:
    call = asked(says("Never said.", after=0.1), text="I want a table.")
    call.wait(after)
    effects = call.feed(on.SpeechStarted(2, 60))
    assert effects == [do.CancelReply(2)]
    assert call.agent is Agent.IDLE
    assert call.history == [f"agent: {GREETING}"]
    call.utterance = 2
    call.answers.clear()
    call.wait(0.5)
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(2, 2, "For two, please."))
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: I want a table. For two, please.", f"agent: {ANSWER}"]
    assert {effect.reply for effect in call.all(do.ReportHeard)} == {1, 3}


def test_words_that_change_before_the_end_are_answered_anew() -> None:
    call = asked(text="On Friday?")
    call.feed(on.TranscriptFinal(1, 1, "On Monday?"))
    assert call.all(do.CancelReply) == [do.CancelReply(2)]
    assert call.agent is Agent.EAGER
    call.wait_until_nobody_speaks()
    assert call.all(do.StartReply)[-1].turns[-1].text == "On Monday?"
    assert call.history[1:] == ["caller: On Monday?", f"agent: {ANSWER}"]


def test_words_that_the_commit_finds_changed_are_answered_anew() -> None:
    call = asked(text="On Friday?")
    call.types("on Monday")
    started = [effect.is_eager for effect in call.all(do.StartReply)]
    assert started == [False, True, False], "of the typed words it knew nothing"
    assert call.commits() == ["On Friday? on Monday"]


def test_the_same_words_spelt_otherwise_are_the_same() -> None:
    call = asked(text="on friday at nine")
    call.feed(on.TranscriptFinal(1, 1, "On Friday, at nine."))
    assert call.agent is Agent.EAGER
    call.wait_until_nobody_speaks()
    assert call.commits() == ["On Friday, at nine."]
    assert len(call.all(do.StartReply)) == 2


def test_without_eager_replies_one_is_only_prepared() -> None:
    call = asked(timings=Timings(eager_replies=0))
    assert call.agent is Agent.IDLE
    assert call.all(do.PrepareReply) == [do.PrepareReply()]
    call.wait_until_nobody_speaks()
    assert not call.all(do.CommitReply)
    assert call.history[1:] == [f"caller: {QUESTION}", f"agent: {ANSWER}"]


def test_the_budget_of_a_turn_is_kept_and_the_next_turn_has_its_own() -> None:
    call = asked(timings=Timings(eager_replies=1))
    call.caller_says("And on Sunday?", final_after=0.0)
    call.wait(0.0)
    assert call.agent is Agent.IDLE
    assert call.all(do.PrepareReply) == [do.PrepareReply()]
    call.wait_until_nobody_speaks()
    call.caller_says("Thank you.", final_after=0.0)
    call.wait(0.0)
    assert call.agent is Agent.EAGER
    assert [effect.is_eager for effect in call.all(do.StartReply)] == [False, True, False, True]


@pytest.mark.parametrize("text", ["I'd like to", "um", "just a second", "my number is 555"])
def test_words_that_lack_their_end_begin_nothing(text: str) -> None:
    call = asked(text=text)
    assert call.agent is Agent.IDLE
    assert len(call.all(do.StartReply)) == 1


def test_a_goodbye_that_is_ready_early_ends_the_call_only_after_the_turn() -> None:
    call = asked(says("Goodbye.", after=0.05, then=AfterReply.HANG_UP), text="Bye!")
    call.wait(0.2)
    assert call.agent is Agent.EAGER
    assert not call.conversation.ended
    call.wait_until(lambda: call.conversation.ended)
    assert call.last(do.HangUp) == (pytest.approx(call.carrier.silent_from), do.HangUp("goodbye"))
    assert call.history[-1] == "agent: Goodbye."


def test_a_goodbye_that_was_dropped_ends_nothing() -> None:
    call = asked(says("Goodbye.", after=0.05, then=AfterReply.HANG_UP), text="Thanks.")
    call.wait(0.2)
    call.answers.clear()
    call.caller_says("And on Sunday?")
    call.answers.clear()
    call.wait_until_nobody_speaks()
    assert not call.conversation.ended
    assert call.history[-1] == f"agent: {ANSWER}"


@pytest.mark.parametrize("plan", [fails(after=0.05), speaks([], after=0.05)])
def test_an_eager_reply_that_fails_or_says_nothing_gets_a_second_try(plan: Plan) -> None:
    call = asked(plan)
    call.wait(0.1)
    assert call.agent is Agent.IDLE
    assert call.all(do.CancelReply) == [do.CancelReply(2)]
    call.answers.clear()
    call.wait_until_nobody_speaks()
    assert call.history[1:] == [f"caller: {QUESTION}", f"agent: {ANSWER}"]


def test_a_line_to_bridge_the_wait_is_not_played_before_the_turn_is_over() -> None:
    call = asked(says(ANSWER, after=5.0))
    assert call.feed(on.FillerReady(2, b"\x55" * 1600, "One moment.")) == []
    call.wait(COMPLETE_S + 1.0)
    assert not [effect for effect in call.all(do.SendAudio) if effect.reply == 2]
    call.wait_until_nobody_speaks()
    fills = [now for now, _ in call.found(do.FillSilence)]
    stopped = call.last(do.CommitTurn)[0]
    assert fills == [pytest.approx(stopped + TIMINGS.fill_after_ms / 1000, abs=0.06)]
    assert call.history[-1] == f"agent: {ANSWER}"


def test_hanging_up_drops_it_silently_and_keeps_the_words() -> None:
    call = asked(says("Never said.", after=0.1))
    call.wait(0.2)
    effects = call.hangs_up()
    assert effects == [do.CancelReply(2), do.CommitTurn(QUESTION, "the call ends")]
    assert call.history == [f"agent: {GREETING}", f"caller: {QUESTION}"]


def test_a_key_pressed_meanwhile_waits_for_its_entry() -> None:
    call = asked(says("Never said.", after=0.1), text="my pin is")
    call.presses("12")
    assert call.agent is Agent.IDLE
    call.answers.clear()
    call.wait_until_nobody_speaks()
    assert call.commits() == ["my pin is 12"]


# --- the recogniser's early signs -----------------------------------------------------------------


def paused_without_words() -> ScriptedCall:
    """The caller has paused; the words are not final yet."""
    call = listening()
    call.caller_says(QUESTION, final_after=None)
    return call


def test_its_early_sign_begins_an_answer_and_its_end_commits_it() -> None:
    call = paused_without_words()
    call.feed(on.TurnMayEnd(1, QUESTION))
    assert call.agent is Agent.EAGER
    call.wait(0.2)
    call.feed(on.TranscriptFinal(1, 1, QUESTION))
    assert call.agent is Agent.EAGER
    effects = call.feed(on.TurnEnded(1))
    assert effects[:2] == [
        do.CommitTurn(QUESTION, "the recogniser says so"),
        do.CommitReply(2),
    ]
    call.wait_until_nobody_speaks()
    assert call.history[1:] == [f"caller: {QUESTION}", f"agent: {ANSWER}"]


def test_it_takes_its_sign_back() -> None:
    call = paused_without_words()
    call.feed(on.TurnMayEnd(1, QUESTION))
    assert call.feed(on.TurnGoesOn(1)) == [do.CancelReply(2)]
    assert call.agent is Agent.IDLE
    assert call.caller is Caller.PAUSED
    assert call.feed(on.TurnGoesOn(1)) == []


@pytest.mark.parametrize("text", ["", "I'd like to", "um"])
def test_a_sign_for_words_that_lack_their_end_begins_nothing(text: str) -> None:
    call = paused_without_words()
    assert call.feed(on.TurnMayEnd(1, text)) == []


def test_a_sign_for_another_turn_or_beyond_the_budget_begins_nothing() -> None:
    call = paused_without_words()
    assert call.feed(on.TurnMayEnd(0, QUESTION)) == []
    for _ in range(TIMINGS.eager_replies):
        call.feed(on.TurnMayEnd(1, QUESTION))
        call.feed(on.TurnGoesOn(1))
    assert call.feed(on.TurnMayEnd(1, QUESTION)) == []
    assert len(call.all(do.StartReply)) == 1 + TIMINGS.eager_replies


def test_its_sign_may_come_before_our_own_ears_have_heard_the_pause() -> None:
    call = listening()
    call.speech_starts()
    call.feed(on.TurnMayEnd(1, QUESTION))
    assert call.agent is Agent.EAGER
    call.wait(0.2)
    assert not [effect for effect in call.all(do.SendAudio) if effect.reply == 2]
    assert call.feed(on.TurnGoesOn(1)) == [do.CancelReply(2)]
    assert call.caller is Caller.SPEAKING
