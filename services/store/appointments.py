"""The appointment book; see ``services.receptionist.books.Appointments`` for what each promises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    or_,
    select,
)
from sqlalchemy.exc import IntegrityError

from services.receptionist.books import (
    Booking,
    BookingState,
    NewHold,
    NoSuchBooking,
    SlotTaken,
)
from services.store import cells, holding
from services.store.database import Database
from services.store.holding import CANCELLED, CONFIRMED, EXPIRED, HELD, MOVED, plain_id
from services.store.matching import (
    after_cursor,
    digits,
    name_key,
    page_limit,
    page_of,
    same_number,
    tail,
)
from services.store.records import CONFIRMED_BOOKINGS, BookingFilter, Page
from services.store.tables import bookings

_CALENDAR_LIMIT = 10_000
_REPEATS = 8
"""How often a slot is looked for again after another caller was faster."""


class Appointments:
    """Who has which slot. The database owns conflicts: see ``cells``."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def taken(
        self, agent: str, begin: datetime, end: datetime, *, but: str = ""
    ) -> Sequence[tuple[datetime, datetime]]:
        """Busy stretches, widened to the grid of five minutes on which bookings collide."""
        begin, end = cells.widened(begin, end)
        table, but = bookings.c, plain_id(but)
        wanted = (
            select(table.starts_at, table.ends_at)
            .where(table.agent == agent, table.starts_at < end, table.ends_at > begin)
            .where(or_(table.state == CONFIRMED, holding.is_held(self._db.now())))
            .order_by(table.starts_at, table.id)
        )
        if but:
            wanted = wanted.where(table.id != but, table.replaces != but)
        rows = await self._db.read(lambda db: db.execute(wanted).all())
        return [cells.widened(row.starts_at, row.ends_at) for row in rows]

    async def hold(self, wish: NewHold) -> Booking:
        """Also raises ValueError for an end that is not after the start or 31 days after it."""
        cells.check_span(wish.starts_at, wish.ends_at)
        return await self._change(lambda db: holding.hold(db, wish, self._db.now()))

    async def confirm(self, booking_id: str) -> Booking:
        """Confirming again what moved a booking gives that booking."""
        return await self._change(
            lambda db: holding.confirm(db, plain_id(booking_id), self._db.now())
        )

    async def release(self, booking_id: str) -> None:
        def work(db: Connection) -> None:
            row = holding.locked(db, plain_id(booking_id))
            if row and row.state in (HELD, EXPIRED):
                cells.give_up(db, [row.id], self._db.now())

        await self._db.write(work)

    async def cancel(self, booking_id: str) -> Booking:
        def work(db: Connection) -> Booking:
            now = self._db.now()
            row = holding.locked(db, plain_id(booking_id))
            if row and row.state == CANCELLED:
                return holding.booking(row, now)
            if row is None or row.state != CONFIRMED:
                raise NoSuchBooking
            cells.give_up(db, holding.holds_for(db, row.id), now)
            cells.give_back(db, row.id)
            return holding.changed(db, row, now, state=CANCELLED, sequence=row.sequence + 1)

        return await self._db.write(work)

    async def move(
        self, booking_id: str, starts_at: datetime, ends_at: datetime, lanes: int
    ) -> Booking:
        """Change a confirmed booking to another time; a change of it that a caller has not
        confirmed is given up. Raises SlotTaken, NoSuchBooking and, for an end that is not after the
        start or 31 days after it, ValueError."""
        cells.check_span(starts_at, ends_at)

        def work(db: Connection) -> Booking:
            now = self._db.now()
            row = holding.locked(db, plain_id(booking_id))
            if row is None or row.state != CONFIRMED:
                raise NoSuchBooking
            if (row.starts_at, row.ends_at) == (starts_at, ends_at):
                return holding.booking(row, now)
            cells.give_up(db, holding.holds_for(db, row.id), now)  # they shared its cells
            cells.give_back(db, row.id)
            cells.expire(db, row.agent, now)
            cells.take(db, row.id, row.agent, (starts_at, ends_at), lanes)
            times = {"starts_at": starts_at, "ends_at": ends_at, "lanes": lanes}
            return holding.changed(db, row, now, **times, sequence=row.sequence + 1)

        return await self._change(work)

    async def get(self, booking_id: str) -> Booking | None:
        wanted = select(bookings).where(bookings.c.id == plain_id(booking_id))
        row = await self._db.read(lambda db: db.execute(wanted).one_or_none())
        return holding.booking(row, self._db.now()) if row and row.state != MOVED else None

    async def of_person(
        self, agent: str, after: datetime, *, number: str = "", name: str = ""
    ) -> Sequence[Booking]:
        table = bookings.c
        wanted = _ordered(
            select(bookings)
            .where(table.agent == agent, table.state == CONFIRMED, table.ends_at > after)
            .limit(_CALENDAR_LIMIT)
        )
        if not digits(number) and not name_key(name):
            return []
        if digits(number):
            wanted = wanted.where(table.number_tail == tail(number))
        if name_key(name):
            wanted = wanted.where(table.name_key == name_key(name))
        found = await self._bookings(wanted)
        return [one for one in found if not digits(number) or same_number(one.number, number)]

    async def list(
        self, wanted: BookingFilter = CONFIRMED_BOOKINGS, *, limit: int = 50, cursor: str = ""
    ) -> Page[Booking]:
        """Bookings, soonest first. Raises BadCursor."""
        limit, table = page_limit(limit), bookings.c
        query = _ordered(select(bookings).where(_in_states(wanted.states, self._db.now())))
        query = query.limit(limit + 1)
        if cursor:
            query = query.where(after_cursor(cursor, table.starts_at, table.id, descending=False))
        if wanted.agent:
            query = query.where(table.agent == wanted.agent)
        if wanted.call_id:
            query = query.where(table.call_id == wanted.call_id)
        if wanted.since:
            query = query.where(table.ends_at > wanted.since)
        if wanted.until:
            query = query.where(table.starts_at < wanted.until)
        if wanted.name:
            query = query.where(table.name_key.contains(name_key(wanted.name), autoescape=True))
        if wanted.number:
            query = query.where(table.number_tail == tail(wanted.number))
        found = await self._bookings(query)
        return page_of(found, limit, lambda one: (one.starts_at, one.id))

    async def calendar(self, agent: str, since: datetime) -> Sequence[Booking]:
        """Confirmed and cancelled bookings that end after the moment, soonest first: what a
        calendar feed shows."""
        table = bookings.c
        wanted = select(bookings).where(table.agent == agent, table.ends_at > since)
        wanted = wanted.where(table.state.in_((CONFIRMED, CANCELLED))).limit(_CALENDAR_LIMIT)
        return await self._bookings(_ordered(wanted))

    async def _bookings(self, wanted: Select[Any]) -> Sequence[Booking]:
        rows = await self._db.read(lambda db: db.execute(wanted).all())
        now = self._db.now()
        return [holding.booking(row, now) for row in rows]

    async def _change(self, work: Any) -> Booking:
        """Run it; if others are faster again and again, the slot is theirs."""
        try:
            booking: Booking = await self._db.write(work, repeats=_REPEATS)
        except IntegrityError:
            raise SlotTaken from None
        return booking


def _in_states(states: Sequence[BookingState], now: datetime) -> ColumnElement[bool]:
    table = bookings.c
    plain = [state.value for state in states if state is not BookingState.HELD]
    conditions: list[ColumnElement[bool]] = [table.state.in_(plain)]
    if BookingState.HELD in states:
        conditions.append(holding.is_held(now))
    if BookingState.EXPIRED in states:
        conditions.append(and_(table.state == HELD, table.held_until <= now))
    return or_(*conditions)


def _ordered(wanted: Select[Any]) -> Select[Any]:
    return wanted.order_by(bookings.c.starts_at, bookings.c.id)
