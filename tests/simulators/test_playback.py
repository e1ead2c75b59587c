"""The playback queue behaves as Twilio's documentation says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulators.playback import Playback, Run

LOUD = b"\x20" * 160
QUIET = b"\xff" * 160


def test_audio_plays_in_order_at_real_time_however_fast_it_came() -> None:
    playback = Playback()
    playback.media(100.0, LOUD * 10)
    playback.media(105.0, LOUD * 5)
    assert playback.end_ms == 400.0
    assert [(run.start_ms, run.end_ms) for run in playback.runs] == [(100.0, 400.0)]


def test_late_audio_leaves_a_hole() -> None:
    playback = Playback()
    playback.media(0.0, LOUD)
    playback.media(20.0, LOUD)
    playback.media(55.0, LOUD)
    assert [(run.start_ms, run.end_ms) for run in playback.runs] == [(0.0, 40.0), (55.0, 75.0)]


def test_a_mark_is_reached_when_what_came_before_it_was_played() -> None:
    playback = Playback()
    playback.media(0.0, LOUD * 5)
    playback.mark(1.0, "a")
    playback.media(2.0, LOUD * 5)
    playback.mark(3.0, "b")
    assert playback.next_mark_ms == 100.0
    assert playback.reached(99.0) == []
    assert playback.reached(100.0) == ["a"]
    assert playback.reached(300.0) == ["b"]
    assert playback.next_mark_ms is None


def test_a_mark_on_an_idle_line_is_reached_at_once() -> None:
    playback = Playback()
    playback.media(0.0, LOUD)
    playback.mark(50.0, "late")
    assert playback.reached(50.0) == ["late"]


def test_clear_empties_the_queue_and_returns_all_marks_in_order() -> None:
    playback = Playback()
    playback.media(0.0, LOUD * 5)
    playback.mark(0.0, "a")
    playback.media(0.0, LOUD * 5)
    playback.mark(0.0, "b")
    assert playback.clear(30.0) == ["a", "b"]
    assert playback.end_ms == 30.0
    assert playback.reached(1000.0) == []
    playback.media(35.0, LOUD)
    assert [(run.start_ms, run.end_ms) for run in playback.runs] == [(0.0, 30.0), (35.0, 55.0)]


def test_clear_at_the_moment_when_audio_came_leaves_nothing_of_it() -> None:
    playback = Playback()
    playback.media(10.0, LOUD * 5)
    assert playback.clear(10.0) == []
    assert playback.runs == []
    assert playback.speech is None


def test_speech_is_what_is_loud_in_the_queue() -> None:
    playback = Playback()
    playback.media(0.0, QUIET * 2 + LOUD * 3 + QUIET * 10 + LOUD * 2 + QUIET * 5)
    assert playback.speech is not None
    assert (playback.speech.start_ms, playback.speech.end_ms) == (40.0, 340.0)
    playback.media(440.0, QUIET * 30 + LOUD)
    assert (playback.speech.start_ms, playback.speech.end_ms) == (1040.0, 1060.0)


def test_the_end_of_a_call_cuts_off_what_was_not_heard() -> None:
    playback = Playback()
    playback.media(0.0, LOUD * 10 + QUIET * 30 + LOUD * 10)
    assert playback.cut(150.0) == pytest.approx(50.0 + 200.0)
    assert playback.end_ms == 150.0


steps = st.lists(
    st.tuples(
        st.floats(0, 500, allow_nan=False),
        st.one_of(st.integers(1, 4000), st.sampled_from(["mark", "clear"])),
    )
)


@given(steps)
def test_every_mark_comes_back_once_in_order_and_runs_never_overlap(
    plan: list[tuple[float, int | str]],
) -> None:
    playback, now, sent, echoed = Playback(), 0.0, 0, []
    for pause, step in plan:
        now += pause
        echoed += playback.reached(now)
        if step == "mark":
            playback.mark(now, str(sent))
            sent += 1
        elif step == "clear":
            echoed += playback.clear(now)
        else:
            assert isinstance(step, int)
            playback.media(now, b"\x20" * step)
    echoed += playback.reached(now + 1e9)
    assert echoed == [str(number) for number in range(sent)]
    runs: list[Run] = playback.runs
    assert all(
        before.end_ms <= after.start_ms for before, after in zip(runs, runs[1:], strict=False)
    )
