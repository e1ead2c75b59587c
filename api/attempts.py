"""Wrong passwords and keys, counted: whoever tries too many has to wait."""

from __future__ import annotations

from collections.abc import Callable


class WrongAttempts:
    """Counts wrong attempts per sender, within a minute of the first one. Bounded in memory."""

    LIMIT = 10
    WINDOW_S = 60.0
    _SENDERS = 1024

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: dict[str, tuple[float, int]] = {}  # sender -> (end of its minute, how many)

    def locked_out_s(self, who: str) -> float:
        """For how many more seconds ``who`` is locked out; 0 or less if it is not."""
        until, count = self._counts.get(who, (0.0, 0))
        return until - self._clock() if count >= self.LIMIT else 0.0

    def count(self, who: str) -> None:
        """One more wrong attempt of ``who``."""
        now = self._clock()
        until, count = self._counts.pop(who, (0.0, 0))
        if until <= now:
            until, count = now + self.WINDOW_S, 0
        if len(self._counts) >= self._SENDERS:
            del self._counts[next(iter(self._counts))]  # the one that has been quiet for longest
        self._counts[who] = (until, count + 1)
