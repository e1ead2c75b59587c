"""Where a voice sets in: the first voiced frame of a sound. Not found by the server's detectors.

A sound may begin with a hiss or a breath ("stop", "hold on"), which nothing tells from noise.
"""

from __future__ import annotations

import numpy as np

from tests.simulators.mulaw import RATE, Pcm
from tests.simulators.sound import active_level

WINDOW_S = 0.02
_HOP = 40  # samples, 5 ms
_SPAN = 240  # samples, 30 ms: two periods of a low voice
_LAGS = range(20, 115)  # 70 to 400 Hz
_ALIKE = 0.6
"""Two periods of a voice are at least so much alike."""
_LOUD = 0.15
"""Of the sound's usual level: a frame is softer than that only at its fringes."""


def first_voiced_s(sound: Pcm) -> float | None:
    """Seconds to the beginning of its first voiced frame; None if it has none."""
    wave = sound.astype(np.float64)
    loud = _LOUD * (active_level(sound) or 0.0)
    for at in range(0, len(wave) - _SPAN - max(_LAGS), _HOP):
        span = wave[at : at + _SPAN]
        if np.sqrt(np.mean(np.square(span))) > loud > 0 and _is_periodic(wave, at):
            return at / RATE
    return None


def _is_periodic(wave: np.ndarray[tuple[int], np.dtype[np.float64]], at: int) -> bool:
    """Whether what begins there comes again a period later."""
    span = wave[at : at + _SPAN]
    for lag in _LAGS:
        other = wave[at + lag : at + lag + _SPAN]
        size = np.sqrt(np.dot(span, span) * np.dot(other, other))
        if size and np.dot(span, other) / size >= _ALIKE:
            return True
    return False
