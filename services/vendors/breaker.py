"""Circuit breakers: after a failure, the next caller does not pay the same time-out.

One for each way of reaching a vendor, shared by all calls. The clock is injected.
"""

from __future__ import annotations

from collections.abc import Callable

from services.vendors import VendorError

FAILURES = 3
"""Failures in a row that open it; one is enough if asking again would cost the same again."""
OPEN_S = 5.0
"""How long it is open the first time; after each failed trial twice as long ..."""
LONGEST_OPEN_S = 60.0
"""... up to this."""


class Breaker:
    """Closed: all may pass. Open: nobody. Once its time is over, one may try; the rest still wait
    for how that ends, but no longer than the last opening took."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        """``clock``: seconds that only grow."""
        self.name = name
        self._clock = clock
        self._failures = 0
        self._open_s = 0.0
        self._closed_at = 0.0
        self._is_tried = False

    @property
    def is_open(self) -> bool:
        """Whether everybody is kept out right now. Asking takes no turn."""
        return self._open_s > 0 and self._clock() < self._closed_at

    @property
    def trial_in_s(self) -> float:
        """How long until somebody may try again, s; 0 if nobody is kept out."""
        return max(0.0, self._closed_at - self._clock()) if self._open_s else 0.0

    def allows(self) -> bool:
        """Whether to try. After a True the breaker wants to be told how it ended."""
        if self._open_s == 0:
            return True
        now = self._clock()
        if now < self._closed_at:
            return False
        self._closed_at = now + self._open_s  # one tries, the others wait
        self._is_tried = True
        return True

    def succeeded(self) -> None:
        """It worked: all may pass."""
        self._failures = 0
        self._open_s = 0.0
        self._is_tried = False

    def unanswered(self) -> None:
        """A try was called off before it told anything: the next one may try."""
        if self._is_tried:
            self._is_tried = False
            self._closed_at = self._clock()

    def failed(self, error: VendorError) -> None:
        """It did not work. A refusal of what one call asked is an answer: the vendor works."""
        if error.only_here:
            self.succeeded()
            return
        if self._open_s and not self._is_tried:
            return  # it was let through before: one outage meets many calls, and opens us once
        self._failures += 1
        if self._is_tried:
            self._open(min(LONGEST_OPEN_S, self._open_s * 2))
        elif error.at_once or self._failures >= FAILURES:
            self._open(OPEN_S)

    def _open(self, seconds: float) -> None:
        self._open_s = seconds
        self._closed_at = self._clock() + seconds
        self._is_tried = False
