"""What is done to all books at once: the start after a crash, and deletion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, func, or_, select, update

from services.receptionist.books import BookingState
from services.receptionist.tools import Tool
from services.store.calls import CRASH
from services.store.escalations import OPEN
from services.store.holding import CANCELLED, CONFIRMED, MOVED, is_held
from services.store.matching import same_number, tail
from services.store.records import CallState, Deleted, Direction, EscalationState, TextState
from services.store.tables import bookings, calls, escalations, messages, texts, tool_calls, turns

BATCH = 200
"""Calls that one transaction deletes: others wait for it."""
STILL_RINGING = timedelta(hours=1)
"""The carrier goes on with a transfer while we are away, and asks about it afterwards: a wish this
young is left open."""
_HOLDS = (BookingState.HELD.value, BookingState.EXPIRED.value, MOVED)
_PROPOSED = {
    Tool.BOOK_APPOINTMENT.value: "booked",
    Tool.CHANGE_APPOINTMENT.value: "changed",
    Tool.CANCEL_APPOINTMENT.value: "cancelled",
}
_NAMELESS = {**dict.fromkeys(("name", "name_key", "number", "number_tail"), ""), "hold_key": None}
"""A hold's key is made out of what was said: the name and number are in it, too."""


def close_crashed(db: Connection, now: datetime) -> int:
    """End what no process works on any more. How many calls there were."""
    is_open = calls.c.state != CallState.ENDED.value
    open_calls = db.execute(
        select(calls.c.id, calls.c.started_at, calls.c.outcome).where(is_open)
    ).all()
    for call in open_calls:
        db.execute(
            update(calls)
            .where(calls.c.id == call.id)
            .values(
                state=CallState.ENDED.value,
                end_reason=CRASH,
                outcome=call.outcome or _outcome(db, call.id),
                ended_at=call.started_at + timedelta(milliseconds=_last_sign_ms(db, call.id)),
            )
        )
    # A caller who calls again at once finds the slot free; a process that is on its way out can
    # confirm its holds all the same.
    db.execute(update(bookings).where(is_held(now)).values(held_until=now, changed_at=now))
    db.execute(
        update(texts)
        .where(texts.c.state == TextState.SENDING.value)
        .values(state=TextState.UNKNOWN.value, settled_at=now)
    )
    db.execute(
        update(escalations)
        .where(escalations.c.state.in_(OPEN), escalations.c.asked_at < now - STILL_RINGING)
        .values(state=EscalationState.FAILED.value, settled_at=now)
    )
    return len(open_calls)


def _outcome(db: Connection, call_id: str) -> str:
    """What a call came to, as ``services.records.outcome`` names it. The calendar knows it best:
    what was done last may not have got into the record."""
    last = db.execute(
        select(bookings.c.state, bookings.c.sequence)
        .where(bookings.c.call_id == call_id, bookings.c.state.in_((CONFIRMED, CANCELLED, MOVED)))
        .order_by(bookings.c.changed_at.desc())
        .limit(1)
    ).one_or_none()
    if last is not None:
        if last.state == CANCELLED:
            return "cancelled"
        return "changed" if last.state == MOVED or last.sequence else "booked"
    if did := _confirmed(db, call_id):
        return did
    has_left_word = select(messages.c.id).where(messages.c.call_id == call_id).limit(1)
    return "message" if db.scalar(has_left_word) else "failed"


def _confirmed(db: Connection, call_id: str) -> str:
    """The last change that the tools on record tell of: of an appointment of another call's."""
    used = db.scalars(
        select(tool_calls.c.tool)
        .where(tool_calls.c.call_id == call_id, tool_calls.c.code == "ok")
        .order_by(tool_calls.c.at_ms, tool_calls.c.key)
    )
    did = proposed = ""
    for tool in used:
        if tool == Tool.CONFIRM.value:
            did = proposed
        proposed = _PROPOSED.get(tool, proposed)
    return did


def _last_sign_ms(db: Connection, call_id: str) -> int:
    """When a call was last heard of: ms after it began."""
    signs = [
        db.scalar(select(func.max(table.c.at_ms)).where(table.c.call_id == call_id))
        for table in (turns, tool_calls)
    ]
    return max(sign or 0 for sign in signs)


def forget_call(db: Connection, call_id: str) -> Deleted:
    """Delete a call, if there is one with this id."""
    return _forget_calls(db, db.scalars(select(calls.c.id).where(calls.c.id == call_id)).all())


def forget_number(db: Connection, number: str, now: datetime) -> Deleted:
    """Delete what is known of a person by number. Calls that are not over stay as they are."""
    if not tail(number):
        return Deleted()
    either = or_(calls.c.caller_tail == tail(number), calls.c.called_tail == tail(number))
    found = [row for row in db.execute(select(calls).where(either))]
    theirs = [row for row in found if same_number(_person(row), number)]
    call_ids = [row.id for row in theirs if row.state == CallState.ENDED.value]
    deleted = _forget_calls(db, call_ids)
    asked = select(escalations.c.id, escalations.c.caller).where(
        escalations.c.call_id.not_in(select(calls.c.id))
    )
    lone = [row.id for row in db.execute(asked) if same_number(row.caller, number)]
    db.execute(delete(escalations).where(escalations.c.id.in_(lone)))
    of_number = _ids(db, messages, number, "caller", "number")
    left = db.execute(delete(messages).where(messages.c.id.in_(of_number))).rowcount
    sent = db.execute(
        delete(texts).where(
            texts.c.to_tail == tail(number),
            texts.c.to.in_([row.to for row in _matching(db, texts, number, "to")]),
        )
    ).rowcount
    booking_ids = _ids(db, bookings, number, "number")
    without_number = (bookings.c.number_tail == "") & bookings.c.call_id.in_(call_ids)
    booking_ids += db.scalars(select(bookings.c.id).where(without_number))
    forgotten, upcoming = _forget_bookings(db, booking_ids, now)
    return replace(
        deleted,
        messages=deleted.messages + left,
        texts=deleted.texts + sent,
        bookings=forgotten,
        upcoming=upcoming,
        active=len(theirs) - len(call_ids),
    )


def _person(call: Row[Any]) -> str:
    """The number of the one who is not the business."""
    is_inbound = call.direction == Direction.INBOUND.value
    return str(call.caller if is_inbound else call.called)


def _matching(db: Connection, table: Table, number: str, *columns: str) -> list[Row[Any]]:
    """The rows in which one of the columns is that number."""
    tails = (table.c[f"{column}_tail"] == tail(number) for column in columns)
    rows = db.execute(select(table).where(or_(*tails))).all()
    return [
        row for row in rows if any(same_number(getattr(row, column), number) for column in columns)
    ]


def _ids(db: Connection, table: Table, number: str, *columns: str) -> list[str]:
    return [row.id for row in _matching(db, table, number, *columns)]


def _forget_bookings(db: Connection, ids: Sequence[str], now: datetime) -> tuple[int, int]:
    """Delete holds, take names out of what is over. How many lost their name, how many are to
    come and keep it."""
    chosen = bookings.c.id.in_(ids)
    db.execute(delete(bookings).where(chosen, bookings.c.state.in_(_HOLDS)))
    to_come = (bookings.c.state == BookingState.CONFIRMED.value) & (bookings.c.ends_at > now)
    upcoming = db.scalar(select(func.count()).select_from(bookings).where(chosen, to_come)) or 0
    forgotten = db.execute(update(bookings).where(chosen, ~to_come).values(**_NAMELESS)).rowcount
    return forgotten, upcoming


def forget_old_calls(db: Connection, before: datetime) -> Deleted:
    """Delete up to BATCH calls that ended and began before the moment."""
    is_ended = calls.c.state == CallState.ENDED.value
    old = select(calls.c.id).where(is_ended, calls.c.started_at < before)
    return _forget_calls(db, db.scalars(old.order_by(calls.c.started_at).limit(BATCH)).all())


def forget_old_rest(db: Connection, before: datetime) -> Deleted:
    """Delete what else is from before the moment, and names in bookings that ended by then."""
    left = db.execute(delete(messages).where(messages.c.at < before)).rowcount
    sent = db.execute(delete(texts).where(texts.c.at < before)).rowcount
    db.execute(delete(escalations).where(escalations.c.asked_at < before))
    is_hold = bookings.c.state.in_(_HOLDS)
    db.execute(delete(bookings).where(is_hold, bookings.c.changed_at < before))
    is_named = or_(bookings.c.name != "", bookings.c.number != "")
    forgotten = db.execute(
        update(bookings).where(bookings.c.ends_at < before, is_named).values(**_NAMELESS)
    ).rowcount
    return Deleted(messages=left, texts=sent, bookings=forgotten)


def _forget_calls(db: Connection, ids: Sequence[str]) -> Deleted:
    """Delete calls with all that was kept in them, but for their bookings."""
    if not ids:
        return Deleted()
    rows = db.execute(select(calls.c.recording, calls.c.journal).where(calls.c.id.in_(ids))).all()
    left = db.execute(delete(messages).where(messages.c.call_id.in_(ids))).rowcount
    sent = db.execute(delete(texts).where(texts.c.call_id.in_(ids))).rowcount
    db.execute(delete(escalations).where(escalations.c.call_id.in_(ids)))
    db.execute(delete(calls).where(calls.c.id.in_(ids)))  # turns and tools go with them
    files = tuple(name for row in rows for name in (row.recording, row.journal) if name)
    return Deleted(calls=len(ids), messages=left, texts=sent, files=files)
