"""A clock that is moved by hand, and wishes for its days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.receptionist.books import NewHold

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


class HandClock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def at(minutes: float) -> datetime:
    """A moment of the next day, in minutes after noon."""
    return NOON + timedelta(days=1, minutes=minutes)


def wish(key: str = "", begin: float = 0, length: float = 30, **other: Any) -> NewHold:
    """A wish for so many minutes, beginning so many after noon of the next day."""
    values: dict[str, Any] = {
        "agent": "salon",
        "service": "Haircut",
        "lanes": 1,
        "name": "Bob Smith",
        "number": "+1 (555) 123-4567",
        "call_id": "CA1",
    }
    starts, ends = at(begin), at(begin + length)
    return NewHold(starts_at=starts, ends_at=ends, key=key, **{**values, **other})
