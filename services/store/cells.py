"""Who has which five minutes: the rows that make a double booking impossible.

All functions run inside a transaction of ``appointments``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from services.receptionist.books import BookingState, SlotTaken
from services.store.tables import booking_cells, bookings

GRID = timedelta(minutes=5)
LONGEST = timedelta(days=31)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def widened(begin: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The stretch with its begin rounded down and its end rounded up to the grid, in UTC."""
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    return begin - (begin - _EPOCH) % GRID, end + (_EPOCH - end) % GRID


def check_span(begin: datetime, end: datetime) -> None:
    """Raises ValueError for what is no appointment."""
    if begin.tzinfo is None or end.tzinfo is None:
        raise ValueError("an appointment's times need their time zone")
    if not timedelta(0) < end - begin <= LONGEST:
        raise ValueError("an appointment ends after it starts, and within 31 days")


def take(
    db: Connection,
    booking_id: str,
    agent: str,
    span: tuple[datetime, datetime],
    lanes: int,
    *,
    beside: str = "",
) -> None:
    """Give the booking a lane for the span. The cells that booking ``beside`` has do not count as
    taken: they stay with it. Raises SlotTaken, and IntegrityError if another was faster."""
    begin, end = widened(*span)
    rows = db.execute(
        select(booking_cells.c.lane, booking_cells.c.cell_start, booking_cells.c.booking_id)
        .where(booking_cells.c.agent == agent, booking_cells.c.cell_start >= begin)
        .where(booking_cells.c.cell_start < end)
    ).all()
    taken = {row.lane for row in rows if row.booking_id != beside}
    covered: dict[int, set[datetime]] = {}
    for row in rows:
        covered.setdefault(row.lane, set()).add(row.cell_start)
    free = [lane for lane in range(lanes) if lane not in taken]
    if not free:
        raise SlotTaken
    lane = min(free, key=lambda lane: len(covered.get(lane, ())))
    spared = covered.get(lane, set())
    starts = (begin + GRID * step for step in range((end - begin) // GRID))
    wanted = [
        {"agent": agent, "lane": lane, "cell_start": start, "booking_id": booking_id}
        for start in starts
        if start not in spared
    ]
    if wanted:
        db.execute(insert(booking_cells), wanted)  # in order, so that two writers cannot deadlock


def give_back(db: Connection, *booking_ids: str) -> None:
    """The cells of these bookings are free."""
    db.execute(delete(booking_cells).where(booking_cells.c.booking_id.in_(booking_ids)))


def give_up(db: Connection, hold_ids: Sequence[str], now: datetime) -> None:
    """Holds that nobody wants any more: they cannot be confirmed."""
    if hold_ids:
        give_back(db, *hold_ids)
        db.execute(
            update(bookings)
            .where(bookings.c.id.in_(hold_ids))
            .values(state=BookingState.EXPIRED.value, held_until=None, changed_at=now)
        )


def expire(db: Connection, agent: str, now: datetime) -> None:
    """Holds whose time is over give their cells back. They can be confirmed if the slot is free."""
    lapsed = db.scalars(
        select(bookings.c.id)
        .where(bookings.c.agent == agent, bookings.c.state == BookingState.HELD.value)
        .where(bookings.c.held_until <= now)
        .order_by(bookings.c.id)
        .with_for_update()
    ).all()
    if lapsed:
        give_back(db, *lapsed)
        db.execute(
            update(bookings)
            .where(bookings.c.id.in_(lapsed))
            .values(state=BookingState.EXPIRED.value, changed_at=now)
        )
