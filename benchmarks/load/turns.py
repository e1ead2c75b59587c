"""What the server added to each turn, out of the times at the phone and at the vendors. Pure.

All times are seconds on one clock. A turn passes through the server three times; in between it is
the vendors' and the configured silence's, which is not ours::

    last loud sample leaves the phone
        the detector notices, the silence is waited for           fixed
    ears    ... the request arrives at the language model         added
        it thinks, until it has sent the first phrase's end       fixed
    brain   ... the first text arrives at the voice               added
        it makes the first audio                                  fixed
    voice   ... the first loud sample is heard at the phone       added
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.load.caller import Turn


@dataclass(frozen=True, slots=True)
class Vendor:
    """When each vendor had its part in a turn.

    ``request_at``: the language model was asked. ``phrase_at``: it sent the token that completed
    the first phrase. ``text_at``: the voice got that phrase. ``voice_at``: it sent the first audio,
    whose very first sample is loud.
    """

    request_at: float
    phrase_at: float
    text_at: float
    voice_at: float


@dataclass(frozen=True, slots=True)
class Added:
    """What the server added on its three legs of one turn, ms."""

    ears: float
    brain: float = 0.0
    voice: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.ears + self.brain + self.voice


def added(turn: Turn, vendor: Vendor, silence_s: float) -> Added:
    """``silence_s``: from the last loud sample to the turn's end, detector and setting together.

    The words are there before, if they are asked for in time; if not, that is the server's doing.
    """
    return Added(
        ears=1000 * (vendor.request_at - turn.asked_at - silence_s),
        brain=1000 * (vendor.text_at - vendor.phrase_at),
        voice=1000 * (turn.heard_at - vendor.voice_at),
    )


def added_without_vendors(turn: Turn, silence_s: float) -> Added:
    """With mock engines, which take no time, everything after the silence is the server's."""
    return Added(ears=1000 * (turn.heard_at - turn.asked_at - silence_s))


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of them do not exceed; NaN if there are none."""
    if not values:
        return float("nan")
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]
