"""How late audio comes is told by the carrier's clock, whatever the two clocks say."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audio.arrivals import LOOK_BACK_S, MOST_S, Arrivals


def late(arrivals: Sequence[tuple[int, float]]) -> list[float]:
    """The lateness of each: timestamp in ms, arrival in seconds."""
    meter = Arrivals()
    return [round(meter.late_s(timestamp_ms, now), 6) for timestamp_ms, now in arrivals]


def steady(seconds: float, *, begins: float = 0.0, late_s: float = 0.0) -> list[tuple[int, float]]:
    """A frame every 20 ms; the first one spoken at ``begins``."""
    count, first = round(seconds * 50), round(begins * 1000)
    return [(first + 20 * n, 7.25 + (first + 20 * n) / 1000 + late_s) for n in range(count)]


def test_what_comes_in_step_is_on_time() -> None:
    assert set(late(steady(30))) == {0}


def test_what_waits_is_as_late_as_it_has_waited() -> None:
    assert late([*steady(1), *steady(1, begins=1, late_s=0.03)])[50:] == [0.03] * 50


def test_frames_that_come_together_are_late_by_those_after_them() -> None:
    together = [(timestamp, 7.25 + 1.08) for timestamp in (1000, 1020, 1040, 1060, 1080)]
    assert late([*steady(1), *together])[50:] == [0.08, 0.06, 0.04, 0.02, 0]


def test_a_line_that_stays_slower_becomes_the_measure() -> None:
    slower = steady(3 * LOOK_BACK_S, begins=1, late_s=0.08)
    found = late([*steady(1), *slower])
    assert found[50] == 0.08
    assert found[-1] == 0


def test_clocks_that_drift_apart_stay_close() -> None:
    """200 ms in 1000 s, five times what a bad crystal does."""
    drifting = [(20 * n, n * 0.02 * 1.0002) for n in range(50_000)]
    assert max(late(drifting)) <= 2 * LOOK_BACK_S * 0.0002 + 1e-6


@pytest.mark.parametrize("jump_ms", [-600_000, 600_000])
def test_a_clock_that_jumps_is_not_believed_for_long(jump_ms: int) -> None:
    line = steady(3 * LOOK_BACK_S)
    jumped = [(stamp + (jump_ms if stamp > 2000 else 0), now) for stamp, now in line]
    found = late(jumped)
    assert max(found) <= MOST_S
    assert found[-1] == 0


@given(st.lists(st.tuples(st.integers(0, 10**10), st.floats(0, 1e6)), max_size=50))
def test_lateness_is_never_less_than_nothing(line: list[tuple[int, float]]) -> None:
    in_order = sorted(now for _, now in line)
    stamps = [stamp for stamp, _ in line]
    assert all(0 <= each <= MOST_S for each in late(list(zip(stamps, in_order, strict=True))))
