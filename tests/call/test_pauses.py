"""What is learnt about a caller's pauses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.pauses import PauseMeter


def meter(*pauses: float) -> PauseMeter:
    learnt = PauseMeter()
    for pause in pauses:
        learnt.went_on(pause)
    return learnt


def test_of_an_unknown_caller_nothing_more_is_waited() -> None:
    assert PauseMeter().patience(550, 1500).extra_ms == 0
    assert meter(900).patience(550, 1500).extra_ms == 0


def test_a_caller_who_pauses_long_is_waited_for() -> None:
    assert meter(900, 1000, 950).patience(550, 2000).extra_ms > 350


def test_a_caller_who_pauses_shortly_gets_the_floor() -> None:
    assert meter(200, 220, 210, 190).patience(550, 2000).extra_ms == 0


def test_one_cut_off_is_enough_to_learn_from() -> None:
    learnt = PauseMeter()
    learnt.went_on(800, cut_off=True)
    patience = learnt.patience(550, 2000)
    assert patience.extra_ms >= 250
    assert "800" in patience.reason


def test_a_caller_who_warms_up_is_answered_sooner_again() -> None:
    slow = meter(*[1000] * 4)
    before = slow.patience(550, 2000).extra_ms
    for _ in range(12):
        slow.went_on(250)
    assert slow.patience(550, 2000).extra_ms < before / 2


@pytest.mark.parametrize("pause", [0, 60, 4001, 60_000])
def test_what_is_no_pause_is_not_learnt(pause: float) -> None:
    assert meter(pause, pause).count == 0


@given(
    st.lists(st.tuples(st.floats(0, 10_000), st.booleans()), max_size=40),
    st.integers(100, 1000),
    st.integers(1000, 4000),
)
def test_the_wait_stays_within_its_bounds(
    pauses: list[tuple[float, bool]], floor: int, most: int
) -> None:
    learnt = PauseMeter()
    for pause, cut_off in pauses:
        learnt.went_on(pause, cut_off=cut_off)
    patience = learnt.patience(floor, most)
    assert floor <= floor + patience.extra_ms <= most
    assert patience.reason
