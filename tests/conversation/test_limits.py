"""Limits are judged rightly: on calls made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.conversation.__main__ import check
from benchmarks.conversation.acceptance import LINES, Verdict, judge
from benchmarks.conversation.measures import decisions, responses, steps, waits
from benchmarks.conversation.overlap import gaps, heard_errors, holds, recoveries, resumed_words
from benchmarks.conversation.report import by_limit
from benchmarks.conversation.script import Kind
from benchmarks.conversation.timeline import Played, Timeline
from benchmarks.conversation.voicing import first_voiced_s
from tests.conversation.timelines import call, caller, reply


def verdict(name: str, *calls: Timeline) -> Verdict:
    return next(each for each in judge(calls) if each.line.name.startswith(name))


def paused(resumes: float | None, *, kind: Kind = Kind.COUGH, clear: float = 1.48) -> Timeline:
    """A reply that stops at 1.48 s for a sound from 1.4 to 1.8 s."""
    made = call()
    cut = reply(made, "one two three four five", 1.0, last=2, last_frames=4)
    made.clears.append(clear)
    caller(made, (1.4, 1.8), kind=kind)
    if resumes is None:
        cut.cancelled = 3.0
    else:
        reply(made, "", resumes, first=2, number=cut.number)
    return made


# --- limits ---------------------------------------------------------------------------------------


def test_a_limit_for_which_nothing_was_measured_is_not_kept() -> None:
    assert [each.is_kept for each in judge([call()])] == [False] * len(LINES)


def test_a_reply_that_goes_on_in_time_keeps_the_limits_of_sounds_that_want_no_answer() -> None:
    made = paused(2.3)
    for name in ("replies given up", "gone on", "words lost"):
        assert verdict(name, made).is_kept, name


@pytest.mark.parametrize(("resumes", "kept"), [(2.75, True), (2.85, False), (None, False)])
def test_a_second_after_the_sound_is_the_most(resumes: float | None, kept: bool) -> None:
    line = verdict("gone on", paused(resumes))
    assert line.is_kept is kept
    assert len(line.broken_by) == (not kept)


def test_other_peoples_talk_is_not_held_to_the_limit_of_coughs() -> None:
    assert verdict("replies given up", paused(None, kind=Kind.CROSS_TALK)).of == 0


def test_one_word_that_is_said_twice_is_too_many() -> None:
    made = paused(2.3)
    reply(made, "", 3.5, first=2, number=1)
    made.clears.append(3.0)
    line = verdict("words lost", made)
    assert not line.is_kept
    assert line.broken_by == ("made by hand at 3.50 s: 3 words repeated",)


def test_a_share_is_kept_though_some_moments_are_wrong() -> None:
    calls = []
    for place in range(20):
        made = call()
        caller(made, (1.0, 2.0), (3.0, 4.0))
        reply(made, "of course", 2.7 if place == 0 else 4.5, last=0)
        calls.append(made)
    cut = verdict("false cut-offs", *calls)
    assert (cut.value, cut.of, cut.is_kept) == (5.0, 20, True)
    assert not verdict("false cut-offs", *calls[:19]).is_kept


def test_numbers_count_in_calls_about_them_only() -> None:
    made = call()
    caller(made, (1.0, 2.0), (3.0, 4.0))
    reply(made, "of course", 2.7, last=0)
    assert verdict("phone numbers", made).of == 0
    made.family = "phone numbers"
    assert verdict("phone numbers", made).broken_by


def test_a_command_that_is_held_late_is_named() -> None:
    made = call()
    reply(made, "one two three four five", 1.0, last=2, last_frames=8)
    made.clears.append(1.56)
    caller(made, (1.4, 2.4), kind=Kind.COMMAND)
    line = verdict("playback held", made)
    assert line.broken_by == ("made by hand at 1.40 s: held for 'command'",)
    assert "broken 1" in by_limit([line])
    assert verdict("silence after", made).is_kept


def test_the_command_names_what_is_broken_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert check([paused(None)]) == 1
    told = capsys.readouterr().out
    assert "broken: gone on after such a sound" in told
    assert "made by hand at 1.40 s: paused for 'cough'" in told


# --- what they are made of ------------------------------------------------------------------------


def test_a_hold_counts_from_the_voice_not_from_the_hiss_before_it() -> None:
    made = call()
    reply(made, "one two three four five", 1.0, last=2, last_frames=8)
    made.clears.append(1.56)
    made.sounds.append(caller(call(), (1.4, 2.4), kind=Kind.INTERRUPTION, voiced_s=0.1))
    assert [round(moment.value or 0.0, 6) for moment in holds(made)] == [0.06]


def test_an_agent_that_was_silent_by_itself_has_not_held() -> None:
    made = call()
    reply(made, "one two three", 1.0)
    caller(made, (1.5, 2.5), kind=Kind.INTERRUPTION)
    assert holds(made) == []


def test_a_pause_just_after_the_sound_is_one_for_it() -> None:
    made = paused(3.0, clear=2.2)
    made.played = [part for part in made.played if part.begin >= 3.0]
    reply(made, "", 1.0, first=0, last=5, number=1)
    assert [moment.value for moment in recoveries(made)] == [pytest.approx(1.2)]
    assert [moment.value for moment in gaps(made)] == [pytest.approx(0.8)]


def test_a_reply_that_goes_on_twice_has_recovered_the_second_time() -> None:
    made = call()
    number = reply(made, "one two three four five", 1.0, last=1).number
    reply(made, "", 1.6, first=2, last=2, number=number)
    reply(made, "", 2.4, first=3, number=number)
    made.clears += [1.4, 1.8]
    caller(made, (1.3, 1.9), kind=Kind.COUGH)
    assert [moment.value for moment in recoveries(made)] == [pytest.approx(0.5)]


def test_a_line_that_bridges_the_wait_is_no_answer_and_no_failure() -> None:
    made = call()
    caller(made, (1.0, 2.0))
    made.replies[0] = reply(call(), "one moment", 3.0, number=None, purpose="filler")
    reply(made, "", 3.0, first=0, last=1, number=0)
    reply(made, "of course", 4.0)
    assert [moment.value for moment in waits(made)] == [pytest.approx(1.7)]
    assert [moment.value for moment in responses(made)] == [pytest.approx(2.0)]


def test_a_turn_is_decided_when_it_is_committed() -> None:
    made = call()
    caller(made, (1.0, 2.0))
    made.commits = [(0.5, "before"), (2.7, "the turn"), (3.0, "more")]
    assert [moment.value for moment in decisions(made)] == [pytest.approx(0.7)]


def test_what_the_caller_could_not_do_is_counted() -> None:
    made = call()
    caller(made, (1.0, 2.0))
    made.skipped.append("the agent did not speak on")
    assert [moment.failed for moment in steps(made)] == [False, True]


def test_a_voice_sets_in_after_the_hiss() -> None:
    hiss = np.random.default_rng(1).standard_normal(1600) * 800
    hum = 3000 * np.sin(2 * np.pi * 150 * np.arange(2400) / 8000)
    sound = np.concatenate([hiss, hum]).astype(np.int16)
    assert first_voiced_s(sound) == pytest.approx(0.2, abs=0.03)
    assert first_voiced_s(hiss.astype(np.int16)) is None
    assert first_voiced_s(np.zeros(1600, np.int16)) is None


@pytest.mark.parametrize(("cut_at", "value"), [(8, 0), (7, 0), (6, 1), (4, 1)])
def test_only_the_fringe_of_a_word_may_be_said_after_a_pause(cut_at: int, value: int) -> None:
    """A word of ten frames, of which those from ``cut_at`` on come after the pause."""
    made = call()
    number = reply(made, "one two three", 1.0, last=1, last_frames=cut_at).number
    made.clears.append(1.4)
    made.played.append(Played(number, 1, cut_at, 9, 10, 2.0, 2.0 + (10 - cut_at) * 0.02))
    assert [moment.value for moment in resumed_words(made)] == [value]


def test_a_word_in_two_pieces_was_heard_all_the_same() -> None:
    made = call()
    cut = reply(made, "one two three four", 1.0, last=1, last_frames=8)
    made.clears.append(1.36)
    made.played.append(Played(cut.number, 1, 8, 9, 10, 2.0, 2.04))
    reply(made, "", 2.04, first=2, last=2, number=cut.number)
    cut.cancelled, cut.heard = 2.3, "one two three"
    assert [moment.value for moment in heard_errors(made)] == [0]
