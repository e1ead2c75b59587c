"""The table: one row for each number of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load.caller import Hole
from benchmarks.load.turns import Added, percentile

LATE_MS = 5.0
"""A generator whose beat is later than this (95th percentile) measures itself."""
WAITED = 0.02
"""A server that waited longer than this part of the time for its core was not alone on it."""

HEAD = (
    "calls  turns | added ms: p50    p95    max |  ears brain voice | CPU ms/call-s "
    "| RSS MB  per call | holes     ms | errors | phones: late p95   max  CPU ms/call-s"
)


@dataclass(slots=True)
class Row:
    """What was measured with so many calls at once, in one window."""

    calls: int
    seconds: float
    cpu_s: float
    rss_mb: float
    waited_s: float = 0.0
    added: list[Added] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    phones_cpu_s: float = 0.0
    phones_late_ms: Sequence[float] = ()

    def text(self, alone: Row | None) -> str:
        """The row; ``alone`` is that of a single call, from which memory per call is counted."""
        total = [turn.total for turn in self.added]
        legs = [
            percentile([getattr(turn, leg) for turn in self.added], 50)
            for leg in ("ears", "brain", "voice")
        ]
        per_call = float("nan")
        if alone and self.calls > alone.calls:
            per_call = (self.rss_mb - alone.rss_mb) / (self.calls - alone.calls)
        call_seconds = self.calls * self.seconds
        late = percentile(self.phones_late_ms, 95)
        row = (
            f"{self.calls:5} {len(total):6} | {percentile(total, 50):12.1f} "
            f"{percentile(total, 95):6.1f} {max(total, default=float('nan')):6.1f} | "
            f"{legs[0]:5.1f} {legs[1]:5.1f} {legs[2]:5.1f} | "
            f"{1000 * self.cpu_s / call_seconds:13.2f} | {self.rss_mb:6.0f} {per_call:9.2f} | "
            f"{len(self.holes):5} {1000 * sum(hole.seconds for hole in self.holes):6.0f} | "
            f"{self.errors.total():6} | {late:16.1f} {max(self.phones_late_ms, default=0):5.0f} "
            f"{1000 * self.phones_cpu_s / call_seconds:14.2f}"
        )
        if late > LATE_MS:
            row += "\n      ^ the phones were late themselves: these times are the generator's"
        if self.waited_s > WAITED * self.seconds:
            part = 100 * self.waited_s / self.seconds
            row += f"\n      ^ other programs had the server's core for {part:.0f} % of the time"
        return row + "".join(f"\n      {n} x {what}" for what, n in self.errors.most_common(8))
