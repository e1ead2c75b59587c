"""How the server is doing while it holds calls: a line in the log every ten seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from services.records.figures import Figures, Spread

log = logging.getLogger(__name__)

EVERY_S = 10.0
LOOK_EVERY_S = 0.1
"""How often the event loop is asked how late it is: what holds it up for longer is seen."""


class Pulse:
    """Measures the event loop's lag: by how much a short sleep is longer than it should be."""

    def __init__(self, active: Callable[[], int], figures: Figures) -> None:
        """``active``: how many calls there are."""
        self._active = active
        self._figures = figures
        self.lag_ms = Spread(0, None, None)
        """Of the last ten seconds."""
        self.worst_lag_ms = 0.0

    async def run(self) -> None:
        """Look and tell, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            lags, most = [], 0
            ends = loop.time() + EVERY_S
            while (now := loop.time()) < ends:
                await asyncio.sleep(LOOK_EVERY_S)
                lags.append(max(0.0, loop.time() - now - LOOK_EVERY_S) * 1000)
                most = max(most, self._active())
            self.lag_ms, self.worst_lag_ms = Spread.of(lags), round(max(lags), 1)
            if most:
                self._tell()

    def _tell(self) -> None:
        waits = self._figures.waits(EVERY_S)
        turns = ", ".join(
            f"{path} {spread.count} turns, p95 {spread.p95:.0f} ms"
            for path, spread in waits.items()
        )
        log.info(
            "%d calls; event loop late by %.1f ms at most, p95 %.1f ms; %s",
            self._active(),
            self.worst_lag_ms,
            self.lag_ms.p95,
            turns or "no turns",
        )
