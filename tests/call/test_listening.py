"""Stories of how long the agent listens: groups of digits, "just a second", echo, keys."""

from __future__ import annotations

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller
from services.call.effects import Purpose
from services.call.timings import Timings
from services.call.words.readiness import Expectation
from tests.call.script import ANSWER, GREETING, IDLE_GOODBYE, PROMPT, ScriptedCall
from tests.call.voice import Plan, asks, says

TIMINGS = Timings()
NUMBER = "What number can we reach you on?"


def asked_for(plan: Plan) -> ScriptedCall:
    """A call in which the caller has heard a question; the default timings."""
    call = ScriptedCall(plan, timings=TIMINGS)
    call.starts_and_greets()
    call.types("please call me back")
    call.wait_until_nobody_speaks()
    return call


# --- digits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "plan", [asks(NUMBER, Expectation.PHONE), says(NUMBER), asks("And yours?", Expectation.PHONE)]
)
@pytest.mark.parametrize("pause_s", [0.8, 1.5, 2.4])
@pytest.mark.parametrize(
    "groups", [["555", "867", "5309"], ["five five five", "eight six seven", "five three oh nine"]]
)
def test_a_number_in_groups_is_one_turn(plan: Plan, pause_s: float, groups: list[str]) -> None:
    call = asked_for(plan)
    for group in groups:
        call.caller_says(group, for_s=0.8, final_after=0.1)
        if group != groups[-1]:
            call.wait(pause_s - 0.2)
            assert call.agent is Agent.IDLE, "not even an eager reply"
    stopped = call.now
    call.wait_until_nobody_speaks()
    assert call.commits()[1:] == [" ".join(groups)]
    committed, turn = [found for found in call.found(do.CommitTurn) if found[1].text][-1]
    assert turn.reason
    assert committed - stopped < 1.1, "a whole number is answered soon"


def test_half_a_number_is_answered_in_the_end() -> None:
    call = asked_for(asks(NUMBER, Expectation.PHONE))
    call.caller_says("555 86", final_after=0.1)
    stopped = call.now
    call.wait_until_nobody_speaks()
    committed = [now for now, turn in call.found(do.CommitTurn) if turn.text][-1]
    assert committed == pytest.approx(stopped - 0.2 + TIMINGS.half_answer_ms / 1000)
    assert call.commits()[-1] == "555 86"


def test_what_the_brain_says_that_it_asked_for_counts_until_it_asks_again() -> None:
    call = asked_for(asks("And yours?", Expectation.PHONE))
    call.caller_says("555", final_after=0.1)
    call.wait(0.1)
    assert call.last(do.AwaitEnd)[1].silence_ms == TIMINGS.half_answer_ms
    call.wait_until_nobody_speaks()
    call.caller_says("thank you", final_after=0.1)
    call.wait(0.1)
    assert call.last(do.AwaitEnd)[1].silence_ms <= TIMINGS.turn_silence_ms


@pytest.mark.parametrize("what", [Expectation.PHONE, Expectation.YES_NO])
def test_keys_are_an_answer_to_a_question(what: Expectation) -> None:
    call = asked_for(asks("Yours is?", what))
    call.presses("5558675309", every=0.4)
    assert call.agent is Agent.IDLE
    call.wait_until_agent(Agent.THINKING)
    call.wait_until_nobody_speaks()
    assert call.commits()[-1] == "5558675309"
    assert call.history[-1] == f"agent: {ANSWER}"
    reasons = [turn.reason for turn in call.all(do.CommitTurn) if turn.text]
    assert reasons[-1] == "keyed in"


def test_keys_finish_what_was_said() -> None:
    call = asked_for(asks(NUMBER, Expectation.PHONE))
    call.caller_says("555 867", final_after=0.1)
    call.wait(0.5)
    call.presses("5309#", every=0.2)
    call.wait_until_nobody_speaks()
    assert call.commits()[-1] == "555 867 5309"


# --- "just a second" ------------------------------------------------------------------------------


def test_who_asks_for_a_moment_is_given_it() -> None:
    call = ScriptedCall(says("Take your time."), timings=TIMINGS)
    call.starts_and_greets()
    call.caller_says("Just a second, please.", final_after=0.1)
    stopped = call.now
    call.wait_until_agent(Agent.THINKING)
    assert call.now == pytest.approx(stopped - 0.2 + TIMINGS.asked_silence_ms / 1000)
    call.wait_until_nobody_speaks()
    said = call.now
    call.wait_until(lambda: call.purposes()[-1] is Purpose.IDLE_PROMPT)
    assert call.now == pytest.approx(said + TIMINGS.asked_idle_ms / 1000)


def test_the_moment_is_over_when_the_caller_says_something_else() -> None:
    call = ScriptedCall(says("Take your time."), timings=TIMINGS)
    call.starts_and_greets()
    call.caller_says("Just a second, please.", final_after=0.1)
    call.wait_until_nobody_speaks()
    call.wait(12.0)
    call.caller_says("What are your hours?", final_after=0.1)
    call.wait_until_nobody_speaks()
    said = call.now
    call.wait_until(lambda: call.purposes()[-1] is Purpose.IDLE_PROMPT)
    assert call.now == pytest.approx(said + TIMINGS.idle_ms / 1000)


def test_the_words_that_the_moment_was_for_may_follow_in_the_same_turn() -> None:
    call = ScriptedCall(timings=TIMINGS)
    call.starts_and_greets()
    call.caller_says("Just a second.", final_after=0.1)
    call.wait(0.8)
    call.caller_says("What are your hours?", final_after=0.1)
    call.wait_until_nobody_speaks()
    assert call.commits() == ["Just a second. What are your hours?"]


def test_a_silent_call_ends_after_one_prompt_and_few_alarms() -> None:
    call = ScriptedCall(timings=TIMINGS)
    call.starts_and_greets()
    call.wait_until(lambda: call.conversation.ended)
    assert call.history == [f"agent: {text}" for text in (GREETING, PROMPT, IDLE_GOODBYE)]
    assert sum(isinstance(event, on.DeadlinePassed) for _, event, _ in call.log) == 2


# --- the agent's own voice ------------------------------------------------------------------------

LONG = "We are open from nine to five on all working days, and on Sunday we are closed."


def speaking(after: float = 2.5) -> ScriptedCall:
    call = ScriptedCall(says(LONG), timings=TIMINGS)
    call.starts_and_greets()
    call.types("what are your hours")
    call.wait(after)
    assert call.agent is Agent.SPEAKING
    return call


@pytest.mark.parametrize("interim_after", [None, 0.3])
def test_its_echo_on_the_line_takes_no_turn(interim_after: float | None) -> None:
    call = speaking()
    call.caller_says("open from nine to five", for_s=0.8, interim_after=interim_after)
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: what are your hours", f"agent: {LONG}"]
    assert call.purposes() == [Purpose.GREETING, Purpose.ANSWER]


def test_its_echo_after_the_last_word_is_no_turn() -> None:
    call = speaking()
    call.wait_until_agent(Agent.IDLE)
    call.wait(0.1)
    call.caller_says("on Sunday we are closed", for_s=0.6)
    call.wait(3.0)
    assert call.agent is Agent.IDLE
    assert call.caller is Caller.QUIET
    assert call.history[-1] == f"agent: {LONG}"
    assert call.all(do.CommitTurn)[-1] == do.CommitTurn("", "the agent's own words")


def test_the_same_words_much_later_are_the_callers() -> None:
    call = speaking()
    call.wait_until_agent(Agent.IDLE)
    call.wait(2.0)
    call.caller_says("on Sunday we are closed", for_s=0.6)
    call.wait_until_nobody_speaks()
    assert call.commits()[-1] == "on Sunday we are closed"


def test_what_was_typed_before_an_echo_is_answered() -> None:
    call = speaking()
    call.wait_until_agent(Agent.IDLE)
    call.answers.append(says("Hello.", after=1.5))
    call.types("hello")
    call.wait(0.3)
    call.caller_says("on Sunday we are closed", for_s=0.6)
    call.wait_until_nobody_speaks()
    assert "caller: hello" in " ".join(call.history)
    assert call.history[-1].startswith("agent:")


def test_other_words_over_it_do_take_the_turn() -> None:
    call = speaking()
    call.caller_says("and on bank holidays", for_s=0.6, interim_after=0.4)
    call.wait_until_nobody_speaks()
    assert call.commits()[-1] == "and on bank holidays"


# --- a turn that ends amid an utterance -----------------------------------------------------------


def test_words_that_go_on_after_two_typed_turns_are_not_lost() -> None:
    call = ScriptedCall(timings=TIMINGS)
    call.starts_and_greets()
    call.speech_starts()
    call.types("hello")
    call.wait(0.3)
    call.speech_stops()
    call.types("are you open")
    call.later(0.1, on.TranscriptFinal(1, 1, "and on bank holidays?"))
    call.wait_until_nobody_speaks()
    assert "and on bank holidays?" in call.history[-2]


def test_words_that_come_late_do_not_close_the_utterance_that_goes_on() -> None:
    call = ScriptedCall(timings=TIMINGS)
    call.starts_and_greets()
    call.caller_says("what are", for_s=0.5, final_after=0.6)
    call.speech_starts()
    call.types("hello")
    call.wait(0.8)
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(2, 2, "your hours"))
    call.wait_until_nobody_speaks()
    said = " ".join(turn for turn in call.history if turn.startswith("caller"))
    assert "what are" in said
    assert "your hours" in said
