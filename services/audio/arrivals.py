"""How late a stream's audio comes in, by the carrier's own clock. Pure.

A timestamp says when audio was heard on the line. What came fastest of late was on time; what comes
more slowly than that was held up: on the network, in a buffer, or until its round in the server. A
pause is counted from the moment when the caller fell silent, whatever held up the news of it.
"""

from __future__ import annotations

import math

LOOK_BACK_S = 5.0
"""The fastest is looked for among the audio of so long, or twice as long: clocks drift apart, and
jump."""
MOST_S = 0.1
"""More than that is believed of nobody: a clock may have stood still, and a pause that is counted
too long cuts a caller off."""


class Arrivals:
    """The arrivals of one stream's audio. Times are seconds, on any one clock."""

    def __init__(self) -> None:
        self._fastest = math.inf  # from timestamp to arrival, since _since
        self._fastest_before = math.inf  # in the stretch before
        self._since = -math.inf

    def late_s(self, timestamp_ms: int, now: float) -> float:
        """How much later audio with this timestamp came in ``now`` than the fastest of late."""
        took = now - timestamp_ms / 1000
        if now - self._since > LOOK_BACK_S:
            self._fastest_before, self._fastest, self._since = self._fastest, took, now
        elif took < self._fastest:
            self._fastest = took
        return min(took - min(self._fastest, self._fastest_before), MOST_S)
