"""Where a sound is audible, and how loud. Pure numpy, mono samples at 8 kHz."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.simulators.mulaw import BYTES_PER_MS, Pcm
from tests.simulators.playback import SPEECH_BRIDGE_MS

AUDIBLE_RMS = 184.0
"""Of 32768, about -45 dBFS, over 5 ms: the border between speech and silence."""

_WINDOW = 40  # samples, 5 ms
_SHORTEST_MS = 10.0
_STRAGGLER_MS = 100.0  # audio so soon after a clear was already on its way: still the same speech


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of audible sound."""

    start_ms: float
    end_ms: float

    @property
    def ms(self) -> float:
        """How long it is."""
        return self.end_ms - self.start_ms


def segments(pcm: Pcm, clears: Sequence[float] = (), turns: Sequence[float] = ()) -> list[Segment]:
    """The audible stretches of a channel, exact to the sample.

    Pauses of up to 400 ms are bridged. Not so a pause in which the other side ended a turn (one of
    ``turns``, in ms), nor one after a ``clear`` (one of ``clears``), stragglers excepted.
    """
    loud = np.flatnonzero(_levels(pcm) >= AUDIBLE_RMS)
    found: list[Segment] = []
    for block in np.split(loud, np.flatnonzero(np.diff(loud) > 1) + 1) if len(loud) else []:
        segment = _exact(pcm, int(block[0]), int(block[-1]))
        if found and _same_speech(found[-1].end_ms, segment.start_ms, clears, turns):
            found[-1] = Segment(found[-1].start_ms, segment.end_ms)
        else:
            found.append(segment)
    return [segment for segment in found if segment.ms >= _SHORTEST_MS]


def _same_speech(begin: float, end: float, clears: Sequence[float], turns: Sequence[float]) -> bool:
    """Whether the sounds before and after the pause from ``begin`` to ``end`` belong together."""
    if any(begin < at < end for at in turns):
        return False
    cleared = any(begin - 5 <= at < end for at in clears)
    return end - begin <= (_STRAGGLER_MS if cleared else SPEECH_BRIDGE_MS)


def _exact(pcm: Pcm, first: int, last: int) -> Segment:
    """The first and the last loud sample of the windows ``first`` to ``last``."""
    begin, end = first * _WINDOW, (last + 1) * _WINDOW
    loud = np.flatnonzero(np.abs(pcm[begin:end].astype(np.int32)) >= AUDIBLE_RMS)
    return Segment(
        float(begin + loud[0]) / BYTES_PER_MS, float(begin + loud[-1] + 1) / BYTES_PER_MS
    )


def active_level(pcm: Pcm) -> float | None:
    """The rms of the audible windows; None if there are none."""
    level = _levels(pcm)
    loud = level[level >= AUDIBLE_RMS]
    return float(np.sqrt(np.mean(loud**2))) if len(loud) else None


def trim(pcm: Pcm, margin_ms: float = 20.0) -> Pcm:
    """Cut off the silence before and after, but for a margin."""
    found = segments(pcm)
    if not found:
        return pcm
    begin = max(0, int((found[0].start_ms - margin_ms) * BYTES_PER_MS))
    return pcm[begin : int((found[-1].end_ms + margin_ms) * BYTES_PER_MS)]


def _levels(pcm: Pcm) -> NDArray[np.float32]:
    """The rms of each 5 ms window."""
    whole = np.pad(pcm.astype(np.float32), (0, -len(pcm) % _WINDOW))
    windows = whole.reshape(-1, _WINDOW)
    level: NDArray[np.float32] = np.sqrt(np.mean(windows**2, axis=1))
    return level
