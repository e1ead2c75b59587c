"""The message book; see ``services.receptionist.books.Messages`` for what ``add`` promises."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.receptionist.books import NewMessage
from services.store.columns import clean
from services.store.database import Database
from services.store.matching import (
    after_cursor,
    digits,
    name_key,
    page_limit,
    page_of,
    tail,
)
from services.store.records import ALL_MESSAGES, MessageFilter, Page, StoredMessage
from services.store.tables import calls, messages


class Messages:
    """What callers left."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, message: NewMessage) -> bool:
        """Keep a message; False if it, or one that tells all that it tells, was kept before."""

        def work(db: Connection) -> bool:
            # Two messages of one call take their turn, so that each sees the other.
            db.execute(select(calls.c.id).where(calls.c.id == message.call_id).with_for_update())
            of_call = messages.c.call_id == message.call_id
            kept = db.execute(select(messages).where(of_call).order_by(messages.c.at)).all()
            if any(row.key == _key(message) for row in kept):
                return False
            kept = [row for row in kept if row.deleted_at is None]
            if any(_holds(row, message) for row in kept if not message.complete):
                return False
            lesser = [row.id for row in kept if not row.complete and _holds(message, row)]
            if lesser:
                db.execute(delete(messages).where(messages.c.id.in_(lesser[1:])))
                kept_id = messages.c.id == lesser[0]
                db.execute(update(messages).where(kept_id).values(**self._values(message)))
            else:
                db.execute(insert(messages).values(id=uuid.uuid4().hex, **self._values(message)))
            return True

        try:
            return await self._db.write(work, repeats=2)
        except IntegrityError:
            return False

    async def get(self, message_id: str) -> StoredMessage | None:
        """The message with this id, unless it was deleted."""
        return await self._db.read(lambda db: _get(db, message_id))

    async def list(
        self, wanted: MessageFilter = ALL_MESSAGES, *, limit: int = 50, cursor: str = ""
    ) -> Page[StoredMessage]:
        """Messages, newest first. Raises BadCursor."""
        limit, table = page_limit(limit), messages.c
        query = select(messages).where(table.deleted_at.is_(None)).limit(limit + 1)
        query = query.order_by(table.at.desc(), table.id.desc())
        if cursor:
            query = query.where(after_cursor(cursor, table.at, table.id, descending=True))
        if wanted.agent:
            query = query.where(table.agent == wanted.agent)
        if wanted.call_id:
            query = query.where(table.call_id == wanted.call_id)
        if wanted.since:
            query = query.where(table.at >= wanted.since)
        if wanted.until:
            query = query.where(table.at < wanted.until)
        if wanted.urgent is not None:
            query = query.where(table.urgent == wanted.urgent)
        if wanted.done is not None:
            query = query.where(table.done_at.is_not(None) == wanted.done)
        rows = await self._db.read(lambda db: db.execute(query).all())
        return page_of([_message(row) for row in rows], limit, lambda one: (one.at, one.id))

    async def mark(self, message_id: str, *, done: bool) -> StoredMessage | None:
        """Mark it as dealt with, or not; None if there is no such message."""

        def work(db: Connection) -> StoredMessage | None:
            message = _get(db, message_id)
            if message and (message.done_at is not None) != done:
                values = {"done_at": self._db.now() if done else None}
                db.execute(update(messages).where(messages.c.id == message_id).values(**values))
            return _get(db, message_id)

        return await self._db.write(work)

    async def delete(self, message_id: str) -> bool:
        """Delete its words, name and number; False if there is no such message."""
        # A bare row stays, so that the call cannot leave the same message again.
        emptied = dict.fromkeys(("caller", "caller_tail", "name", "number", "number_tail"), "")
        change = (
            update(messages)
            .where(messages.c.id == message_id, messages.c.deleted_at.is_(None))
            .values(**emptied, text="", deleted_at=self._db.now())
        )
        return await self._db.write(lambda db: db.execute(change).rowcount == 1)

    def _values(self, message: NewMessage) -> dict[str, Any]:
        return {
            "key": _key(message),
            "agent": message.agent,
            "call_id": message.call_id,
            "caller": message.caller,
            "caller_tail": tail(message.caller),
            "name": message.name,
            "number": message.number,
            "number_tail": tail(message.number),
            "text": message.text,
            "urgent": message.urgent,
            "complete": message.complete,
            "at": self._db.now(),
            "done_at": None,
        }


def _key(message: NewMessage) -> str:
    """Messages are the same if call, words, name and number are, and both or neither are whole."""
    told = (message.call_id, message.name, message.number, message.text)
    identity = json.dumps([*map(clean, told), message.complete])
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _holds(fuller: Any, lesser: Any) -> bool:
    """Whether one tells all that the other tells."""
    return (
        _words(lesser.text) in _words(fuller.text)
        and (not lesser.name or name_key(lesser.name) == name_key(fuller.name))
        and (not lesser.number or digits(lesser.number) == digits(fuller.number))
    )


def _words(text: str) -> str:
    return f" {' '.join(text.casefold().split())} " if text.strip() else ""


def _get(db: Connection, message_id: str) -> StoredMessage | None:
    wanted = select(messages).where(messages.c.id == message_id, messages.c.deleted_at.is_(None))
    row = db.execute(wanted).one_or_none()
    return _message(row) if row else None


def _message(row: Row[Any]) -> StoredMessage:
    return StoredMessage(
        id=row.id,
        agent=row.agent,
        call_id=row.call_id,
        caller=row.caller,
        name=row.name,
        number=row.number,
        text=row.text,
        urgent=row.urgent,
        complete=row.complete,
        at=row.at,
        done_at=row.done_at,
    )
