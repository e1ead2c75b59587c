"""Holding and confirming: what happens to the rows, inside one transaction.

A row of ``bookings`` is HELD or CONFIRMED as long as it has cells, and has cells as long as it is
that. A hold whose time is over counts as EXPIRED although its row may still say HELD: whoever wants
its cells clears them. A hold that was given up has no ``held_until``. One that moved another
booking is MOVED, which nobody sees.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, insert, select, update

from services.receptionist.books import HOLD_S, Booking, BookingState, NewHold, NoSuchBooking
from services.store import cells
from services.store.matching import name_key, tail
from services.store.tables import bookings

HELD, CONFIRMED, CANCELLED, EXPIRED = (state.value for state in BookingState)
MOVED = "moved"
_ALPHABET = "ACDEFHJKLMNPRTUVWXY34679"  # without what looks or sounds like another
_ID_LENGTH = 6


def hold(db: Connection, wish: NewHold, now: datetime) -> Booking:
    """Hold a slot, or find the hold of this key. One that is over is begun anew."""
    target = plain_id(wish.replaces)
    replaced = locked(db, target) if target else None
    known = _of_key(db, wish)
    if known and known.state == MOVED:
        return booking(required(db, known.replaces), now)
    if known and known.state != EXPIRED and not _is_over(known, now):
        return booking(known, now)
    if target:
        if replaced is None or replaced.state != CONFIRMED:
            raise NoSuchBooking
        cells.give_up(db, holds_for(db, target), now)
    cells.expire(db, wish.agent, now)
    values: dict[str, Any] = {
        "agent": wish.agent,
        "service": wish.service,
        "starts_at": wish.starts_at,
        "ends_at": wish.ends_at,
        "state": HELD,
        "lanes": wish.lanes,
        "name": wish.name,
        "name_key": name_key(wish.name),
        "number": wish.number,
        "number_tail": tail(wish.number),
        "call_id": wish.call_id,
        "hold_key": wish.key or None,
        "held_until": now + timedelta(seconds=HOLD_S),
        "replaces": target,
    }
    if known:
        cells.give_back(db, known.id)
        made = changed(db, known, now, **values)
    else:
        new_id = "".join(secrets.choice(_ALPHABET) for _ in range(_ID_LENGTH))
        db.execute(insert(bookings).values(**values, id=new_id, created_at=now, changed_at=now))
        made = booking(required(db, new_id), now)
    span = (wish.starts_at, wish.ends_at)
    cells.take(db, made.id, wish.agent, span, wish.lanes, beside=target)
    return made


def confirm(db: Connection, booking_id: str, now: datetime) -> Booking:
    """Make a hold a booking, or move the booking that it replaces."""
    seen = db.execute(select(bookings).where(bookings.c.id == booking_id)).one_or_none()
    # Rows are locked in one order everywhere: first what is replaced, then the hold.
    target = locked(db, seen.replaces) if seen and seen.replaces else None
    row = locked(db, booking_id)
    if row is None or row.state == CANCELLED or (row.state == EXPIRED and not row.held_until):
        raise NoSuchBooking
    if row.replaces and (target is None or target.state != CONFIRMED):
        raise NoSuchBooking
    if row.state == CONFIRMED:
        return booking(row, now)
    if target is not None:
        return booking(target, now) if row.state == MOVED else _replace(db, target, row, now)
    if row.state == EXPIRED:
        cells.expire(db, row.agent, now)
        cells.take(db, row.id, row.agent, (row.starts_at, row.ends_at), row.lanes)
    return changed(db, row, now, state=CONFIRMED, held_until=None)


def _replace(db: Connection, target: Row[Any], wanted: Row[Any], now: datetime) -> Booking:
    """The booking moves to where the hold is."""
    cells.give_back(db, target.id, wanted.id)
    cells.expire(db, target.agent, now)
    cells.take(db, target.id, target.agent, (wanted.starts_at, wanted.ends_at), wanted.lanes)
    change(db, wanted.id, now, state=MOVED, held_until=None)
    changes = {key: getattr(wanted, key) for key in ("service", "starts_at", "ends_at", "lanes")}
    return changed(db, target, now, **changes, sequence=target.sequence + 1)


def _of_key(db: Connection, wish: NewHold) -> Row[Any] | None:
    if not wish.key:
        return None
    table = bookings.c
    same = and_(table.call_id == wish.call_id, table.hold_key == wish.key)
    return db.execute(select(bookings).where(same).with_for_update()).one_or_none()


def holds_for(db: Connection, booking_id: str) -> Sequence[str]:
    """The holds that would move this booking."""
    table = bookings.c
    wanted = select(table.id).where(table.replaces == booking_id, table.state == HELD)
    return db.scalars(wanted.order_by(table.id).with_for_update()).all()


def locked(db: Connection, booking_id: str) -> Row[Any] | None:
    """The row, which nobody else can change until this transaction ends."""
    wanted = select(bookings).where(bookings.c.id == booking_id)
    return db.execute(wanted.with_for_update()).one_or_none()


def required(db: Connection, booking_id: str) -> Row[Any]:
    return db.execute(select(bookings).where(bookings.c.id == booking_id)).one()


def changed(db: Connection, row: Row[Any], now: datetime, **values: Any) -> Booking:
    """Change a row; the booking as it is then."""
    change(db, row.id, now, **values)
    return booking(required(db, row.id), now)


def change(db: Connection, row_id: str, now: datetime, **values: Any) -> None:
    values["changed_at"] = now
    db.execute(update(bookings).where(bookings.c.id == row_id).values(**values))


def plain_id(written: str) -> str:
    """A booking's id, as it may be written down."""
    return written.strip().upper()


def is_held(now: datetime) -> ColumnElement[bool]:
    return and_(bookings.c.state == HELD, bookings.c.held_until > now)


def _is_over(row: Row[Any], now: datetime) -> bool:
    return bool(row.state == HELD and row.held_until <= now)


def booking(row: Row[Any], now: datetime) -> Booking:
    """The row as everybody else knows it."""
    return Booking(
        id=row.id,
        agent=row.agent,
        service=row.service,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=BookingState.EXPIRED if _is_over(row, now) else BookingState(row.state),
        name=row.name,
        number=row.number,
        call_id=row.call_id,
        held_until=row.held_until,
        replaces=row.replaces,
        sequence=row.sequence,
        created_at=row.created_at,
        changed_at=row.changed_at,
    )
