"""The measures of conversation quality are right: on calls made by hand."""

from __future__ import annotations

import pytest

from benchmarks.conversation.audible import Moment, stretches
from benchmarks.conversation.measures import (
    MEASURES,
    cut_offs,
    naggings,
    pauses,
    waits,
    words_taken,
)
from benchmarks.conversation.overlap import (
    answers_to_nothing,
    command_silences,
    false_interruptions,
    heard_errors,
    holds,
    interruptions,
    recoveries,
    resumed_words,
    wasted,
)
from benchmarks.conversation.script import Kind
from tests.conversation.timelines import call, caller, reply


def failed(moments: list[Moment]) -> list[bool]:
    return [moment.failed for moment in moments]


def values(moments: list[Moment]) -> list[float | None]:
    rounded = (
        moment.value if moment.value is None else round(moment.value, 6) for moment in moments
    )
    return list(rounded)


# --- the caller's turns ---------------------------------------------------------------------------


def test_an_answer_after_the_last_word_cuts_nobody_off() -> None:
    made = call()
    caller(made, (1.0, 2.0), (2.8, 4.0))
    reply(made, "of course", 4.9)
    assert failed(cut_offs(made)) == [False]
    assert failed(pauses(made)) == [False]
    assert values(pauses(made)) == [0.8]


def test_an_agent_that_begins_in_a_pause_cuts_the_caller_off() -> None:
    made = call()
    caller(made, (1.0, 2.0), (3.2, 4.0), (4.4, 5.0))
    reply(made, "of course", 2.9, last=0)
    made.clears.append(3.1)
    assert failed(cut_offs(made)) == [True]
    assert failed(pauses(made)) == [True, False]
    assert cut_offs(made)[0].at == 2.9


def test_an_agent_that_begins_just_when_the_caller_goes_on_has_used_the_pause() -> None:
    made = call()
    caller(made, (1.0, 2.0), (3.0, 4.0))
    reply(made, "of course", 3.1, last=0)
    assert failed(pauses(made)) == [True]


def test_what_the_agent_was_saying_before_does_not_cut_the_caller_off() -> None:
    made = call()
    reply(made, "one two three four five", 1.0)
    caller(made, (1.5, 2.5), kind=Kind.INTERRUPTION)
    assert failed(cut_offs(made)) == [False]


def test_a_wait_is_from_the_last_sound_to_the_first_less_what_the_vendors_take() -> None:
    made = call()
    caller(made, (1.0, 2.0))
    reply(made, "of course", 2.95)
    assert values(waits(made)) == [0.65]


def test_a_turn_without_an_answer_before_the_next_one_is_a_failure() -> None:
    made = call()
    caller(made, (1.0, 2.0))
    caller(made, (9.0, 10.0))
    reply(made, "of course", 11.0)
    assert failed(waits(made)) == [True, False]


def test_a_repair_is_no_answer() -> None:
    made = call()
    caller(made, (1.0, 2.0))
    reply(made, "what was that", 3.0, purpose="repair")
    assert failed(waits(made)) == [True]


def test_an_agent_that_talks_over_the_turns_end_has_no_wait() -> None:
    made = call()
    caller(made, (1.0, 2.0), (3.2, 3.6))
    reply(made, "one two three four five", 2.9)
    assert waits(made) == []


def test_words_that_no_turn_holds_are_lost() -> None:
    made = call()
    caller(made, (1.0, 2.0), says="a table for four")
    made.commits = [(3.0, "table four")]
    assert failed(words_taken(made)) == [True, False, True, False]


def test_the_same_word_is_not_taken_down_twice_by_being_said_once() -> None:
    made = call()
    caller(made, (1.0, 2.0), says="five five")
    made.commits = [(3.0, "five")]
    assert failed(words_taken(made)) == [False, True]


@pytest.mark.parametrize(("asked_at", "wrong"), [(9.0, True), (13.0, False)])
def test_asking_again_while_the_caller_looks_for_something_nags(
    asked_at: float, wrong: bool
) -> None:
    made = call()
    caller(made, (1.0, 2.0), kind=Kind.PATIENCE)
    caller(made, (12.0, 12.5))
    reply(made, "are you there", asked_at, purpose="idle_prompt")
    assert failed(naggings(made)) == [wrong]


# --- sounds over the agent ------------------------------------------------------------------------


def test_a_reply_that_stops_for_an_interruption_is_no_failure() -> None:
    made = call()
    reply(made, "one two three four five", 1.0, last=2, last_frames=4)
    made.clears.append(1.48)
    caller(made, (1.4, 2.4), kind=Kind.INTERRUPTION)
    assert failed(interruptions(made)) == [False]
    assert values(holds(made)) == [0.08]
    assert failed(false_interruptions(made)) == []


def test_a_reply_that_goes_on_after_an_interruption_has_missed_it() -> None:
    made = call()
    number = reply(made, "one two three four five", 1.0, last=2, last_frames=4).number
    made.clears.append(1.48)
    caller(made, (1.4, 2.4), kind=Kind.INTERRUPTION)
    reply(made, "", 3.0, first=2, number=number)
    assert failed(interruptions(made)) == [True]


def test_silence_after_a_command_counts_from_its_end() -> None:
    made = call()
    reply(made, "one two three four five six", 1.0, last=4)
    caller(made, (1.3, 1.6), kind=Kind.COMMAND)
    assert values(command_silences(made)) == [0.4]
    assert failed(command_silences(made)) == [True]


def test_a_reply_that_speaks_on_after_a_cough_is_no_failure() -> None:
    made = call()
    number = reply(made, "one two three four five", 1.0, last=2, last_frames=4).number
    made.clears.append(1.48)
    caller(made, (1.4, 1.8), kind=Kind.COUGH)
    reply(made, "", 2.3, first=2, number=number)
    assert failed(false_interruptions(made)) == [False]
    assert failed(recoveries(made)) == [False]
    assert values(recoveries(made)) == [0.5]
    assert values(resumed_words(made)) == [0]


def test_a_reply_that_a_cough_ends_is_a_false_interruption_and_never_recovers() -> None:
    made = call()
    cut = reply(made, "one two three four five", 1.0, last=2, last_frames=4)
    cut.cancelled = 2.5
    made.clears.append(1.48)
    caller(made, (1.4, 1.8), kind=Kind.COUGH)
    assert failed(false_interruptions(made)) == [True]
    assert failed(recoveries(made)) == [True]


def test_of_two_coughs_only_the_one_that_ended_the_reply_is_a_failure() -> None:
    made = call()
    cut = reply(made, "one two three four five", 1.0, last=1)
    cut.cancelled = 4.0
    made.clears += [1.4, 2.6]
    caller(made, (1.35, 1.5), kind=Kind.COUGH)
    reply(made, "", 2.2, first=2, last=3, number=cut.number)
    caller(made, (2.5, 2.7), kind=Kind.COUGH)
    assert failed(false_interruptions(made)) == [False, True]


def test_a_cough_that_does_not_make_the_agent_pause_needs_no_recovery() -> None:
    made = call()
    reply(made, "one two three four five", 1.0)
    caller(made, (1.4, 1.8), kind=Kind.COUGH)
    assert failed(false_interruptions(made)) == [False]
    assert recoveries(made) == []


def test_a_reply_that_breaks_off_for_nothing_is_a_failure_without_any_sound() -> None:
    made = call(noisy=True)
    reply(made, "one two three", 1.0, last=1).cancelled = 1.6
    reply(made, "four five six", 5.0)
    assert failed(false_interruptions(made)) == [True, False]


def test_on_a_clean_line_a_reply_that_was_said_to_its_end_is_no_chance_at_all() -> None:
    made = call()
    reply(made, "one two three", 1.0)
    assert false_interruptions(made) == []


def test_an_agent_that_answers_a_cough_in_silence_is_wrong() -> None:
    made = call()
    caller(made, (1.0, 1.3), kind=Kind.COUGH)
    reply(made, "sorry", 2.5, purpose="repair")
    caller(made, (8.0, 8.3), kind=Kind.COUGH)
    assert failed(answers_to_nothing(made)) == [True, False]


# --- what was heard -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "value", "what"),
    [(2, 0, "repeated"), (1, 1, "repeated"), (0, 2, "repeated"), (3, 1, "lost"), (4, 2, "lost")],
)
def test_words_around_a_pause_are_counted(first: int, value: int, what: str) -> None:
    made = call()
    number = reply(made, "one two three four five", 1.0, last=2, last_frames=4).number
    made.clears.append(1.48)
    reply(made, "", 3.0, first=first, number=number)
    (moment,) = resumed_words(made)
    assert moment.value == value
    assert what in moment.what
    assert moment.failed == (value > 0)


def test_a_pause_between_words_loses_nothing_if_the_next_one_follows() -> None:
    made = call()
    number = reply(made, "one two three", 1.0, last=0).number
    made.clears.append(1.2)
    reply(made, "", 2.0, first=1, number=number)
    assert values(resumed_words(made)) == [0]


@pytest.mark.parametrize(
    ("told", "value"), [("one two", 0), ("one two three", 1), ("one", 1), ("", 2), ("two", 2)]
)
def test_the_servers_account_is_compared_with_what_was_heard(told: str, value: int) -> None:
    made = call()
    cut = reply(made, "one two three four five", 1.0, last=2, last_frames=4)
    cut.cancelled, cut.heard = 1.5, told
    assert values(heard_errors(made)) == [value]
    assert failed(heard_errors(made)) == [value > 1]


def test_an_answer_that_was_never_heard_was_wasted() -> None:
    made = call()
    reply(made, "one", 1.0)
    reply(made, "two", 5.0, last=-1).cancelled = 5.2
    assert failed(wasted(made)) == [False, True]


def test_a_clear_parts_what_no_pause_does() -> None:
    made = call()
    reply(made, "one two three four", 1.0)
    assert [(s.begin, round(s.end, 6)) for s in stretches(made)] == [(1.0, 1.8)]
    made.clears.append(1.4)
    assert len(stretches(made)) == 2


def test_a_call_in_which_nothing_happened_has_no_moments() -> None:
    assert {name: measure(call()) for name, measure in MEASURES.items()} == dict.fromkeys(
        MEASURES, []
    )
