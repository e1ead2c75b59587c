"""The named deadlines of a call, and the one timer that they share: the earliest of them."""

from __future__ import annotations

from enum import Enum


class Deadline(Enum):
    LIMIT = "limit"  # the longest call
    ENDPOINT = "endpoint"  # the caller's turn ends
    TRANSCRIPT = "transcript"  # owed words are given up
    TURN = "turn"  # the longest turn
    DIGITS = "digits"  # an entry on the keypad ends
    GUARD = "guard"  # a sentence that may not be interrupted ends
    RESUME = "resume"  # a held reply speaks on
    HOLD = "hold"  # a caller who makes sound this long has the floor
    FILL = "fill"  # a late answer is bridged
    GIVE_UP = "give_up"  # a reply without audio has failed
    PLAYED = "played"  # marks are too late
    IDLE = "idle"  # nobody says anything


OF_THE_REPLY = (
    Deadline.GUARD,
    Deadline.HOLD,
    Deadline.RESUME,
    Deadline.FILL,
    Deadline.GIVE_UP,
    Deadline.PLAYED,
)
OF_THE_TURN = (
    Deadline.ENDPOINT,
    Deadline.TRANSCRIPT,
    Deadline.TURN,
    Deadline.DIGITS,
    Deadline.RESUME,
)


class Deadlines(dict[Deadline, float]):
    """Armed deadlines and when they are due, in seconds on the clock of ``now``."""

    @property
    def next(self) -> float | None:
        """When the earliest is due, or None."""
        return min(self.values(), default=None)

    def arm(self, deadline: Deadline, now: float, after_ms: float) -> None:
        self[deadline] = now + after_ms / 1000

    def arm_once(self, deadline: Deadline, now: float, after_ms: float) -> None:
        """Arm it, unless it is armed already."""
        self.setdefault(deadline, now + after_ms / 1000)

    def drop(self, *deadlines: Deadline) -> None:
        for deadline in deadlines:
            self.pop(deadline, None)

    def pop_due(self, now: float) -> Deadline | None:
        """The earliest that is due, no longer armed; None if none is."""
        deadline = min(self, key=self.__getitem__, default=None)
        if deadline is None or self[deadline] > now:
            return None
        del self[deadline]
        return deadline
