"""Stories of waiting: silence, late and broken replies, lost marks, the longest call."""

from __future__ import annotations

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Phase
from services.call.effects import Purpose
from services.call.endpointing import fill_at
from services.call.timings import Timings
from tests.call.carrier import FakeCarrier
from tests.call.script import (
    ANSWER,
    APOLOGY,
    FILLER,
    GREETING,
    IDLE_GOODBYE,
    PROMPT,
    TIME_LIMIT,
    ScriptedCall,
)
from tests.call.voice import Plan, breaks_off, fails, says, speaks, stalls


def asked(*answers: Plan, filler: str = FILLER) -> ScriptedCall:
    """A call in which the caller has just asked something."""
    call = ScriptedCall(*answers, filler=filler)
    call.starts_and_greets()
    call.types("what are your hours")
    return call


def assert_all_audio_is(call: ScriptedCall, reply: int, size: int) -> None:
    sent = [effect for effect in call.all(do.SendAudio) if effect.reply == reply]
    assert sum(len(effect.audio) for effect in sent) == size


# --- silence --------------------------------------------------------------------------------------


def test_silence_gets_one_prompt_then_a_goodbye_and_the_call_ends_when_that_was_played() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    greeted = call.now
    call.wait_until_agent(Agent.THINKING)
    assert call.now == pytest.approx(greeted + 8.0)
    call.wait_until(lambda: call.conversation.ended)
    assert call.history == [f"agent: {text}" for text in (GREETING, PROMPT, IDLE_GOODBYE)]
    assert call.last(do.HangUp) == (pytest.approx(call.carrier.silent_from), do.HangUp("idle"))


def test_noise_neither_resets_nor_puts_off_the_prompts() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    for _ in range(8):
        call.wait(4.0)
        if not call.conversation.ended:
            call.noise()
    assert call.conversation.ended
    assert call.last(do.HangUp)[1] == do.HangUp("idle")


def test_a_prompt_waits_for_sound_that_may_be_words() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    call.wait(7.5)
    call.caller_says("what are your hours", for_s=1.5)
    call.wait_until_nobody_speaks()
    assert call.purposes() == [Purpose.GREETING, Purpose.ANSWER]


def test_words_start_the_prompts_anew() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    call.wait(12.0)
    assert call.purposes()[-1] is Purpose.IDLE_PROMPT
    call.caller_says("I am here")
    call.wait_until_nobody_speaks()
    call.wait(8.1)
    assert call.purposes()[-2:] == [Purpose.ANSWER, Purpose.IDLE_PROMPT]


def test_words_over_the_idle_goodbye_keep_the_call() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    call.wait_until(lambda: call.purposes()[-1] is Purpose.IDLE_GOODBYE)
    call.wait(0.8)
    call.caller_says("sorry I am here", interim_after=0.3)
    call.wait_until_nobody_speaks()
    assert not call.conversation.ended
    assert call.history[-1] == f"agent: {ANSWER}"


# --- replies that fail ----------------------------------------------------------------------------


def test_a_reply_that_fails_is_apologised_for() -> None:
    call = asked(fails())
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: what are your hours", f"agent: {APOLOGY}"]


def test_three_failures_in_a_row_end_the_call() -> None:
    call = asked(fails(), fails(), fails())
    for _ in range(2):
        call.wait_until_nobody_speaks()
        call.types("again")
    call.wait(1.0)
    assert call.last(do.HangUp)[1] == do.HangUp("failed")


def test_an_answer_in_between_makes_a_fresh_start() -> None:
    call = asked(fails(), fails(), says(ANSWER), fails())
    for _ in range(3):
        call.wait_until_nobody_speaks()
        call.types("again")
    call.wait_until_nobody_speaks()
    assert not call.conversation.ended
    assert call.history[-1] == f"agent: {APOLOGY}"


def test_even_the_apology_may_fail() -> None:
    call = ScriptedCall(fails())
    call.starts_and_greets()
    call.lines[Purpose.APOLOGY] = fails()
    call.types("what are your hours")
    call.wait(2.0)
    assert call.last(do.HangUp)[1] == do.HangUp("failed")


def test_a_reply_that_breaks_off_says_what_it_has_and_apologises() -> None:
    call = asked(breaks_off("We are open", "from nine"))
    call.wait_until_nobody_speaks()
    assert call.history[2:] == ["agent: We are open from nine", f"agent: {APOLOGY}"]


@pytest.mark.parametrize("after", [0.2, 2.6])
def test_an_answer_without_a_sound_is_no_answer_even_if_it_was_bridged(after: float) -> None:
    call = asked(speaks([], after=after))
    call.wait_until_nobody_speaks()
    assert call.history[-1] == f"agent: {APOLOGY}"


def test_an_error_after_the_end_of_a_reply_does_not_matter() -> None:
    call = asked()
    call.later(0.6, on.ReplyFailed(2, "CloseError"))
    call.later(0.7, on.AudioProduced(2, b"\x55" * 1600, "more"))
    call.wait_until_nobody_speaks()
    assert call.history[-1] == f"agent: {ANSWER}"


# --- replies that are late ------------------------------------------------------------------------


def test_a_late_answer_is_bridged_by_a_filler_that_is_no_part_of_the_conversation() -> None:
    call = asked(says(ANSWER, after=3.5))
    asked_at = call.now
    call.wait_until_agent(Agent.SPEAKING)
    assert call.last(do.FillSilence) == (pytest.approx(asked_at + 1.9), do.FillSilence(2))
    call.wait_until_nobody_speaks()
    assert call.history[-1] == f"agent: {ANSWER}"
    assert len(call.all(do.FillSilence)) == 1


def test_a_filler_that_comes_after_the_answer_is_not_played() -> None:
    call = asked(says(ANSWER, after=2.6), filler="")
    call.later(2.7, on.FillerReady(2, b"\x55" * 1600, "One moment."))
    call.wait_until_nobody_speaks()
    assert_all_audio_is(call, 2, len(ANSWER) * 480)


def test_a_late_answer_without_a_filler() -> None:
    call = asked(says(ANSWER, after=3.5), filler="")
    call.wait_until_nobody_speaks()
    assert call.history[-1] == f"agent: {ANSWER}"


def test_words_over_the_filler_belong_to_the_question() -> None:
    call = asked(says(ANSWER, after=5.0))
    call.wait(2.7)
    call.caller_says("on sunday", for_s=0.4, interim_after=0.2)
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: what are your hours on sunday", f"agent: {ANSWER}"]


def test_noise_over_the_filler_costs_nothing() -> None:
    call = asked(says(ANSWER, after=4.0))
    call.wait(2.7)
    call.noise(for_s=0.2)
    call.wait_until_nobody_speaks()
    assert call.history[-1] == f"agent: {ANSWER}"
    assert call.purposes() == [Purpose.GREETING, Purpose.ANSWER]


def test_no_answer_at_all_is_apologised_for_and_its_late_audio_is_turned_away() -> None:
    call = asked(stalls())
    asked_at = call.now
    call.wait_until(lambda: call.purposes()[-1] is Purpose.APOLOGY)
    assert call.now == pytest.approx(asked_at + 8.0)
    assert call.all(do.CancelReply) == [do.CancelReply(2)]
    assert call.feed(on.AudioProduced(2, b"\x55" * 1600, "too late")) == []
    call.wait_until_nobody_speaks()
    assert call.history[-1] == f"agent: {APOLOGY}"


def test_giving_up_during_a_long_filler_cuts_it() -> None:
    call = asked(stalls(), filler="x" * 120)
    call.wait_until(lambda: call.purposes()[-1] is Purpose.APOLOGY)
    assert not call.carrier.is_audible(call.now)
    call.wait_until_nobody_speaks()
    assert call.history[-1] == f"agent: {APOLOGY}"


@pytest.mark.parametrize("text", ["One thing:", "Only that one thing:"])
def test_a_stall_in_the_middle_of_a_reply_is_given_up(text: str) -> None:
    call = asked(stalls(text))
    call.wait(0.3)
    ended = call.carrier.silent_from
    call.wait_until(lambda: call.purposes()[-1] is Purpose.APOLOGY)
    assert ended + 8.0 <= call.now + 1e-6 <= ended + 11.0
    call.wait_until_nobody_speaks()
    assert call.history[2:] == [f"agent: {text}", f"agent: {APOLOGY}"]


def test_a_reply_that_catches_up_after_a_stall_is_played_on() -> None:
    call = asked(speaks([["Let me see."], ["It is Monday."]], after=0.2, every=4.0))
    call.wait_until_nobody_speaks()
    assert call.history[-1] == "agent: Let me see. It is Monday."
    assert call.purposes() == [Purpose.GREETING, Purpose.ANSWER]


def test_after_a_stall_the_heard_words_are_counted_from_the_new_audio() -> None:
    call = asked(speaks([["Let me see then"], ["It is Monday."]], after=0.2, every=1.5))
    call.wait(1.75)
    call.speech_starts()
    call.feed(on.TranscriptInterim(1, 1, "stop please"))
    assert call.history[-1] == "agent: Let me see then"


# --- marks ----------------------------------------------------------------------------------------


def test_marks_that_never_come_are_taken_as_played_after_a_grace() -> None:
    call = ScriptedCall(carrier=FakeCarrier(loses_marks=True))
    call.starts_and_greets()
    assert call.now == pytest.approx(call.carrier.silent_from + 2.0)
    assert call.history == [f"agent: {GREETING}"]


@pytest.mark.parametrize("size", [1000, 8000])
def test_a_stall_after_audio_without_a_mark_is_bridged_as_soon_as_any(size: int) -> None:
    text = "well let me see"
    call = asked(lambda reply: [(0.2, on.AudioProduced(reply, b"a" * size, text))])
    call.wait(0.3)
    ended = call.carrier.silent_from
    call.wait_until(lambda: any(isinstance(e, do.FillSilence) for _, _, es in call.log for e in es))
    assert call.now - ended == pytest.approx(2.8, abs=0.03)


def test_marks_that_we_never_sent_mean_nothing() -> None:
    call = ScriptedCall()
    call.starts()
    call.wait(0.2)
    for name in ("", "1.0.999", "7.0.1", "hello"):
        assert call.feed(on.MarkPlayed(name)) == []
    call.speech_starts()
    call.feed(on.TranscriptInterim(1, 1, "hello there"))
    assert call.history == []


def test_late_marks_delay_the_end_but_cost_no_words() -> None:
    call = ScriptedCall(carrier=FakeCarrier(echo_after_s=1.5))
    call.starts_and_greets()
    assert call.now == pytest.approx(call.carrier.silent_from + 1.5)
    assert call.history == [f"agent: {GREETING}"]


# --- the longest call -----------------------------------------------------------------------------


def test_the_longest_call_ends_with_a_goodbye_that_nothing_interrupts() -> None:
    call = ScriptedCall(timings=Timings(max_call_s=5))
    call.starts_and_greets()
    call.wait(5.0 - call.now)
    assert call.conversation.phase is Phase.CLOSING
    call.wait(0.5)
    call.caller_says("but I wanted", for_s=0.3)
    call.presses("1#", every=0.0)
    call.types("wait")
    assert call.carrier.is_audible(call.now)
    call.wait_until(lambda: call.conversation.ended)
    assert call.last(do.HangUp) == (
        pytest.approx(call.carrier.silent_from),
        do.HangUp("time_limit"),
    )
    assert call.history[-1] == f"agent: {TIME_LIMIT}"


def test_the_limit_cuts_a_reply_and_keeps_what_the_caller_was_saying() -> None:
    call = ScriptedCall(timings=Timings(max_call_s=10))
    call.starts_and_greets()
    call.types("what are your hours")
    call.wait(7.0)
    call.caller_says("I am Ann and", for_s=1.0, final_after=0.1)
    call.wait(0.2)
    call.speech_starts()
    call.wait_until(lambda: call.conversation.ended)
    assert call.history[-2:] == ["caller: I am Ann and", f"agent: {TIME_LIMIT}"]


@pytest.mark.parametrize("plan", [fails(), stalls(), breaks_off("I have to")])
def test_a_goodbye_that_fails_ends_the_call_all_the_same(plan: Plan) -> None:
    call = ScriptedCall(timings=Timings(max_call_s=5))
    call.lines[Purpose.TIME_LIMIT] = plan
    call.starts_and_greets()
    call.wait_until(lambda: call.conversation.ended)
    assert call.last(do.HangUp)[1] == do.HangUp("time_limit")


def test_hanging_up_during_the_last_goodbye() -> None:
    call = ScriptedCall(timings=Timings(max_call_s=5))
    call.starts_and_greets()
    call.wait(5.5 - call.now)
    call.hangs_up()
    assert call.conversation.ended
    assert not call.all(do.HangUp)


# --- late answers ---------------------------------------------------------------------------------


def test_words_that_come_late_do_not_make_the_caller_wait_longer_for_a_filler() -> None:
    timings = Timings()
    usual = fill_at(0.55, 0.0, timings)
    assert usual == pytest.approx(2.45)
    assert fill_at(1.45, 0.0, timings) == pytest.approx(2.45)
    assert fill_at(2.4, 0.0, timings) == pytest.approx(2.7)  # an answer gets its moment


def test_each_gap_amid_an_answer_is_bridged_once() -> None:
    call = asked(speaks([["Let me see."], ["It is Monday."]], after=0.2, every=6.0))
    call.wait_until_nobody_speaks()
    fills = [
        effect
        for _, _, effects in call.log
        for effect in effects
        if isinstance(effect, do.FillSilence)
    ]
    assert len(fills) == 2  # amid it, and while its end is awaited
    assert call.history[-1] == "agent: Let me see. It is Monday."
