"""The line does what was asked for, and the same seed does the same."""

from __future__ import annotations

import numpy as np
import pytest

from tests.simulators.line import Line, LineConditions, background_noise, mix
from tests.simulators.mulaw import SILENCE, decode, encode
from tests.simulators.sound import active_level, segments, trim


def fates(conditions: LineConditions, count: int = 2000) -> list[tuple[float, int, bool]]:
    line = Line(conditions)
    transits = [line.carry(packet) for packet in range(count)]
    return [(transit.leaves_ms, transit.copies, transit.overtaken) for transit in transits]


def test_a_clean_line_is_punctual() -> None:
    assert fates(LineConditions(), 3) == [(20.0, 1, False), (40.0, 1, False), (60.0, 1, False)]
    assert fates(LineConditions(packet_bytes=400), 2)[1] == (100.0, 1, False)


def test_jitter_is_bounded_keeps_the_order_and_makes_bursts() -> None:
    leaves = [fate[0] for fate in fates(LineConditions(jitter_ms=200, seed=3))]
    late = [left - (packet + 1) * 20 for packet, left in enumerate(leaves)]
    assert 0 <= min(late) < 1
    assert 100 < max(late) <= 200
    assert leaves == sorted(leaves)
    assert sum(a == b for a, b in zip(leaves, leaves[1:], strict=False)) > 10  # left together


def test_the_seed_decides() -> None:
    bad = LineConditions(jitter_ms=50, loss=0.1, duplicate=0.1, reorder=0.1, seed=1)
    assert fates(bad) == fates(bad)
    copies = [fate[1] for fate in fates(bad)]
    assert 0.07 < copies.count(0) / len(copies) < 0.13
    assert 0.06 < copies.count(2) / len(copies) < 0.12
    assert 0.07 < sum(fate[2] for fate in fates(bad)) / len(copies) < 0.13


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="probability"):
        LineConditions(loss=3)
    with pytest.raises(ValueError, match="packet_bytes"):
        LineConditions(packet_bytes=0)


def test_noise_has_the_asked_level_and_comes_round() -> None:
    noise = background_noise(20.0, 2000.0, seed=0)
    assert np.sqrt(np.mean(noise.astype(float) ** 2)) == pytest.approx(200, rel=0.02)
    mixed = mix(np.zeros(160, dtype=np.int16), noise, len(noise) - 80)
    assert np.array_equal(mixed, np.concatenate([noise[-80:], noise[:80]]))


def test_mulaw_is_g711() -> None:
    codes = bytes(range(256))
    assert decode(b"\x00\x80\xff\x7f").tolist() == [-32124, 32124, 0, 0]
    assert decode(encode(decode(codes))).tolist() == decode(codes).tolist()
    assert encode(np.zeros(3, dtype=np.int16)) == SILENCE * 3
    ramp = np.arange(-32768, 32768, 7, dtype=np.int16)
    error = np.abs(decode(encode(ramp)).astype(int) - ramp)
    assert np.all(error <= np.maximum(8, np.abs(ramp.astype(int)) / 16 + 8))


def test_segments_are_exact_to_the_sample_and_bridge_short_pauses() -> None:
    sound = np.zeros(16000, dtype=np.int16)
    sound[1003:3001] = 5000
    sound[4000:5000] = -5000
    sound[12000:13000] = 5000
    found = [(segment.start_ms * 8, segment.end_ms * 8) for segment in segments(sound)]
    assert found == [(1003, 5000), (12000, 13000)]
    cleared = [segment.end_ms * 8 for segment in segments(sound, clears=[3001 / 8])]
    assert cleared == [3001, 5000, 13000]
    answered = [segment.end_ms * 8 for segment in segments(sound, turns=[3500 / 8])]
    assert answered == [3001, 5000, 13000]
    assert active_level(sound) == pytest.approx(5000, rel=0.02)
    assert len(trim(sound)) == 13000 - 1003 + 2 * 160
    assert active_level(np.zeros(800, dtype=np.int16)) is None
