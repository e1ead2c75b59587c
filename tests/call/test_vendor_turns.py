"""A recogniser that says that the turn is over: it may be sooner than our silence, no more."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller
from services.call.effects import Purpose
from tests.call.script import ANSWER, PLAIN, SILENCE_MS, ScriptedCall
from tests.call.tape import TIMINGS, MadCall, Tape

ENDPOINT_S = (PLAIN.turn_silence_ms - SILENCE_MS) / 1000


@pytest.fixture
def call() -> ScriptedCall:
    """A call whose greeting was heard to its end."""
    call = ScriptedCall()
    call.starts_and_greets()
    return call


def says_with_words(call: ScriptedCall, text: str) -> None:
    """An utterance whose words are there when it ends."""
    call.caller_says(text, final_after=0.0)
    call.wait(0.0)


def test_the_turn_is_answered_when_the_recogniser_says_that_it_is_over(call: ScriptedCall) -> None:
    says_with_words(call, "what are your hours")
    stopped = call.now
    call.wait(0.05)
    call.feed(on.TurnEnded(1))
    assert call.commits() == ["what are your hours"]
    assert call.last(do.StartReply)[0] == pytest.approx(stopped + 0.05)
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: what are your hours", f"agent: {ANSWER}"]
    assert call.purposes() == [Purpose.GREETING, Purpose.ANSWER]


def test_without_its_word_our_silence_ends_the_turn_as_ever(call: ScriptedCall) -> None:
    says_with_words(call, "what are your hours")
    stopped = call.now
    call.wait_until_agent(Agent.THINKING)
    assert call.now == pytest.approx(stopped + ENDPOINT_S)


def test_its_word_comes_too_late_and_ends_nothing_twice(call: ScriptedCall) -> None:
    says_with_words(call, "what are your hours")
    call.wait_until_agent(Agent.THINKING)
    assert call.feed(on.TurnEnded(1)) == []
    call.wait_until_nobody_speaks()
    assert call.feed(on.TurnEnded(1)) == []
    assert call.purposes() == [Purpose.GREETING, Purpose.ANSWER]


def test_who_speaks_on_is_not_cut_short(call: ScriptedCall) -> None:
    says_with_words(call, "what are")
    call.wait(0.1)
    call.speech_starts()
    assert call.feed(on.TurnEnded(1)) == []
    assert call.caller is Caller.SPEAKING
    call.wait(0.5)
    call.speech_stops()
    call.later(0.05, on.TranscriptFinal(2, 2, "your hours"))
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]


def test_it_means_nothing_before_our_own_ears_have_heard_the_pause(call: ScriptedCall) -> None:
    call.speech_starts()
    call.wait(0.5)
    call.feed(on.TranscriptFinal(1, 1, "what are your hours"))
    assert call.feed(on.TurnEnded(1)) == []
    call.speech_stops()
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]


def test_the_words_of_every_utterance_are_waited_for(call: ScriptedCall) -> None:
    says_with_words(call, "what are")
    call.wait(0.1)
    call.caller_says("your hours", for_s=0.4, final_after=0.3)
    assert call.feed(on.TurnEnded(1)) == []
    assert call.feed(on.TurnEnded(2)) == []
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]


def test_a_second_turn_is_ended_by_its_own_word_and_not_by_the_firsts(call: ScriptedCall) -> None:
    says_with_words(call, "what are your hours")
    call.feed(on.TurnEnded(1))
    call.wait_until_nobody_speaks()
    says_with_words(call, "and on Sunday")
    assert call.feed(on.TurnEnded(1)) == []
    assert call.agent is Agent.IDLE
    call.feed(on.TurnEnded(2))
    assert call.agent is Agent.THINKING
    assert call.commits() == ["what are your hours", "and on Sunday"]


def test_noise_that_it_takes_for_a_turn_is_not_answered(call: ScriptedCall) -> None:
    says_with_words(call, "")
    call.feed(on.TurnEnded(1))
    assert call.agent is Agent.IDLE
    assert call.commits() == []
    assert call.caller is Caller.QUIET


def test_keys_that_are_being_pressed_are_waited_for(call: ScriptedCall) -> None:
    says_with_words(call, "my number is")
    call.presses("12", every=0.05)
    call.feed(on.TurnEnded(1))
    assert call.commits() == []
    call.presses("3")
    call.wait_until_nobody_speaks()
    assert call.commits() == ["my number is 123"]


def test_a_yes_over_the_agent_is_no_turn_even_if_it_says_so(call: ScriptedCall) -> None:
    says_with_words(call, "what are your hours")
    call.wait_until_agent(Agent.SPEAKING)
    call.wait(0.5)
    call.speech_starts()
    assert call.agent is Agent.HELD
    call.wait(0.3)
    call.speech_stops()
    call.feed(on.TranscriptFinal(2, 2, "mhm"))
    call.feed(on.TurnEnded(2))
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours"]
    assert call.history[-1] == f"agent: {ANSWER}"


def test_words_over_the_agent_that_are_a_turn_are_answered_at_once(call: ScriptedCall) -> None:
    says_with_words(call, "what are your hours")
    call.wait_until_agent(Agent.SPEAKING)
    call.wait(0.5)
    says_with_words(call, "no, on Sunday")
    stopped = call.now
    call.feed(on.TurnEnded(2))
    assert call.last(do.StartReply)[0] == pytest.approx(stopped)
    assert call.commits() == ["what are your hours", "no, on Sunday"]


@pytest.mark.parametrize("hint", [on.TurnMayEnd(1, "what are your hours"), on.TurnGoesOn(1)])
def test_what_it_only_believes_changes_nothing(call: ScriptedCall, hint: on.Event) -> None:
    says_with_words(call, "what are your hours")
    before = call.conversation.deadline
    assert call.feed(hint) == []
    assert call.conversation.deadline == before
    assert call.agent is Agent.IDLE


HINTS = (on.TurnEnded, on.TurnGoesOn, lambda last: on.TurnMayEnd(last, "hello"))


@given(st.binary(min_size=30, max_size=120))
@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_the_rules_of_the_house_hold_whatever_it_says(tape_bytes: bytes) -> None:
    tape = Tape(tape_bytes)
    call = MadCall.new(tape.pick(TIMINGS))
    call.feed(on.CallStarted("+1", "+2"))
    while not tape.is_used_up:
        call.step(tape)
        call.feed(tape.pick(HINTS)(tape.pick([1, 2, 3, 4, 5, 6, 99])))
    call.wait(call.conversation.timings.max_call_s + 60)
    assert call.conversation.ended
