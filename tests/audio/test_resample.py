"""Resampling keeps the telephone's band and lets nothing fold into it."""

from __future__ import annotations

import numpy as np
import pytest

from services.audio.mulaw import Samples
from services.audio.resample import resample


def tone(hz: int, rate_hz: int) -> Samples:
    return np.sin(2 * np.pi * hz * np.arange(rate_hz) / rate_hz).astype(np.float32)


def level(samples: Samples) -> float:
    """Root mean square of the middle, where no edge disturbs it."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(np.sqrt(np.mean(middle**2)))


@pytest.mark.parametrize("hz", [300, 1000, 3400])
def test_the_band_of_a_telephone_passes(hz: int) -> None:
    resampled = resample(tone(hz, 24_000), 24_000, 8000)
    assert len(resampled) == 8000
    assert resampled.dtype == np.float32
    assert level(resampled) == pytest.approx(np.sqrt(0.5), rel=0.02)


@pytest.mark.parametrize("hz", [4600, 6000, 11_000])
def test_nothing_above_it_folds_in(hz: int) -> None:
    assert level(resample(tone(hz, 24_000), 24_000, 8000)) < 1e-4


def test_upwards_too() -> None:
    assert len(resample(tone(1000, 8000), 8000, 16_000)) == 16_000
