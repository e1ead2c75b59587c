"""How this caller pauses: some think between words for longer than others take to finish.

What is learnt is the silence inside turns, as a moving average with its spread (as TCP learns a
round trip, RFC 6298): a caller whose pauses are short and even is answered sooner.
"""

from __future__ import annotations

from dataclasses import dataclass

_WEIGHT = 0.3
_SPREADS = 2.0
_ENOUGH = 2
_LONGEST_MS = 4000.0
"""A longer silence was no pause: the caller was away."""
_SHORTEST_MS = 120.0
"""Silence within a word, between syllables."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How much silence to ask for beyond the floor, ms, and why."""

    extra_ms: int
    reason: str


@dataclass(slots=True)
class PauseMeter:
    """The pauses of one caller, in ms. ``average`` and ``spread`` are 0 until one was heard."""

    average: float = 0.0
    spread: float = 0.0
    count: int = 0
    cut_off: bool = False
    """The caller was cut off at least once: what was learnt then counts from the first time."""

    def went_on(self, pause_ms: float, *, cut_off: bool = False) -> None:
        """The caller paused for so long and went on. ``cut_off``: the turn had been taken as over
        meanwhile; such a pause counts twice, for the others were heard because they were short."""
        if not _SHORTEST_MS <= pause_ms <= _LONGEST_MS:
            return
        self.cut_off = self.cut_off or cut_off
        for _ in range(1 + cut_off):
            self._learn(pause_ms)

    def _learn(self, pause_ms: float) -> None:
        if not self.count:
            self.average, self.spread = pause_ms, pause_ms / 4
        else:
            self.spread += _WEIGHT * (abs(pause_ms - self.average) - self.spread)
            self.average += _WEIGHT * (pause_ms - self.average)
        self.count += 1

    @property
    def usual_ms(self) -> float:
        """A silence that hardly any pause of this caller exceeds; 0 if not enough was heard."""
        is_known = self.count >= _ENOUGH or self.cut_off
        return self.average + _SPREADS * self.spread if is_known else 0.0

    def patience(self, floor_ms: int, most_ms: int) -> Patience:
        """The silence to wait beyond ``floor_ms``, at most ``most_ms`` in all."""
        if not self.usual_ms:
            return Patience(0, "pauses not known")
        extra = round(max(0.0, min(self.usual_ms, most_ms) - floor_ms))
        return Patience(extra, f"pauses {round(self.average)}±{round(self.spread)} ms")
