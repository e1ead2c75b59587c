"""An appointment that the business itself moves: by the same rules as a caller's, but for how soon
and how far ahead it may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from services.receptionist.agent import Agent
from services.receptionist.books import Booking, BookingState, NoSuchBooking, SlotTaken
from services.receptionist.calendar.slots import Diary

_AROUND = timedelta(days=62)
"""How far around the wish alternatives are looked for."""
_FARTHEST = timedelta(days=3660)
_REASONS = {
    "past": "That time is over.",
    "too_far": "That is more than ten years ahead.",
    "closed": "The business is not open for so long then.",
    "off_grid": "Appointments do not begin at that time of day.",
    "taken": "That time is taken.",
}


class CannotMove(Exception):
    """It stays where it is. ``code``: past, too_far, closed, off_grid, taken. ``alternatives`` are
    free starts near the one that was wanted, in UTC."""

    def __init__(self, code: str, alternatives: Sequence[datetime] = ()) -> None:
        super().__init__(_REASONS[code])
        self.code = code
        self.alternatives = list(alternatives)


class Appointments(Protocol):
    """What is needed of ``services.store.Appointments``."""

    async def get(self, booking_id: str) -> Booking | None: ...
    async def taken(
        self, agent: str, begin: datetime, end: datetime, *, but: str = ""
    ) -> Sequence[tuple[datetime, datetime]]: ...
    async def move(
        self, booking_id: str, starts_at: datetime, ends_at: datetime, lanes: int
    ) -> Booking: ...


async def move(
    book: Appointments, agent: Agent, booking_id: str, start: datetime, now: datetime
) -> Booking:
    """Move a confirmed booking to another start. ``start`` and ``now`` are in UTC. Raises
    NoSuchBooking and CannotMove."""
    booking = await book.get(booking_id)
    if booking is None or booking.state is not BookingState.CONFIRMED:
        raise NoSuchBooking(booking_id)
    if start < now:
        raise CannotMove("past")
    if start > now + _FARTHEST:
        raise CannotMove("too_far")
    length = booking.ends_at - booking.starts_at
    diary = await _diary(book, agent, booking, start, now)
    if why := diary.why_not(start):
        raise CannotMove(why if why in _REASONS else "closed", diary.nearest(start))
    try:
        return await book.move(booking.id, start, start + length, agent.booking.at_once)
    except SlotTaken:  # somebody was faster
        diary = await _diary(book, agent, booking, start, now)
        raise CannotMove("taken", diary.nearest(start)) from None


async def _diary(
    book: Appointments, agent: Agent, booking: Booking, start: datetime, now: datetime
) -> Diary:
    taken = await book.taken(
        booking.agent, start - timedelta(days=1), start + _AROUND, but=booking.id
    )
    minutes = max(5, round((booking.ends_at - booking.starts_at) / timedelta(minutes=1)))
    rules = replace(agent.booking, notice_minutes=0, days_ahead=_FARTHEST.days)
    return Diary(agent.schedule, rules, minutes, taken, now.astimezone(UTC))
