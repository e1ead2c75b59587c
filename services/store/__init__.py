"""The store: calls, bookings, messages, escalations and texts in SQLite or PostgreSQL.

``Store.open(url)`` brings the tables up to date and gives the books. Each method of a book is one
short transaction. Times go in and come out aware; all are kept in UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from services.store import upkeep
from services.store.appointments import Appointments
from services.store.calls import Calls
from services.store.database import Clock, Database, database_url, make_engine
from services.store.errors import BadCursor, StoreError
from services.store.escalations import Escalations
from services.store.messages import Messages
from services.store.migrate import migrate, migrate_now
from services.store.records import (
    BookingFilter,
    CallChanges,
    CallEnd,
    CallFilter,
    CallState,
    Deleted,
    Direction,
    EscalationState,
    MessageFilter,
    NewCall,
    Page,
    StoredCall,
    StoredEscalation,
    StoredMessage,
    StoredText,
    StoredTool,
    StoredTurn,
    TextState,
)
from services.store.texts import Texts

__all__ = [
    "Appointments",
    "BadCursor",
    "BookingFilter",
    "CallChanges",
    "CallEnd",
    "CallFilter",
    "CallState",
    "Calls",
    "Deleted",
    "Direction",
    "EscalationState",
    "Escalations",
    "MessageFilter",
    "Messages",
    "NewCall",
    "Page",
    "Store",
    "StoreError",
    "StoredCall",
    "StoredEscalation",
    "StoredMessage",
    "StoredText",
    "StoredTool",
    "StoredTurn",
    "TextState",
    "Texts",
    "prepare",
    "utc_now",
]


def utc_now() -> datetime:
    return datetime.now(UTC)


def prepare(url: str) -> None:
    """Make the database's tables, or bring them up to date, before there is an event loop: a server
    whose database cannot be used need not begin. Blocks. Raises StoreError."""
    migrate_now(database_url(url))


class Store:
    """An open database and its books."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.appointments = Appointments(database)
        self.messages = Messages(database)
        self.escalations = Escalations(database)
        self.calls = Calls(database)
        self.texts = Texts(database)

    @classmethod
    async def open(cls, url: str, now: Clock = utc_now) -> Store:
        """Open ``sqlite:///path`` or ``postgresql://user:password@host/name`` and bring its tables
        up to date. Raises StoreError."""
        where = database_url(url)
        await migrate(where)
        return cls(Database(make_engine(where), now))

    async def close(self) -> None:
        """Close all connections, once what is being written is written."""
        await self._db.close()

    async def ping(self) -> None:
        """Whether the database answers. Raises StoreError."""
        await self._db.read(lambda db: db.execute(select(1)).scalar())

    async def close_crashed(self) -> int:
        """Call it once at the start: calls that never ended are ended with the reason "crash",
        texts in sending become UNKNOWN, escalations that are open for an hour FAILED. How many
        calls there were."""
        return await self._db.write(lambda db: upkeep.close_crashed(db, self._db.now()))

    async def delete_call(self, call_id: str) -> Deleted:
        """Delete a call with its turns, tools, texts and messages."""
        return await self._deleted(lambda db: upkeep.forget_call(db, call_id))

    async def delete_number(self, number: str) -> Deleted:
        """Delete all that is known of a person by number: calls with their turns, tools and texts,
        messages; names and numbers in past bookings. What goes on or is to come stays."""
        return await self._deleted(lambda db: upkeep.forget_number(db, number, self._db.now()))

    async def _deleted(self, work: Callable[[Connection], Deleted]) -> Deleted:
        deleted = await self._db.write(work)
        await self._db.wipe()
        return deleted

    async def delete_older(self, days: int) -> Deleted:
        """The same for all that is older than so many days; 0: nothing."""
        if days <= 0:
            return Deleted()
        before = self._db.now() - timedelta(days=days)
        deleted = await self._db.write(lambda db: upkeep.forget_old_rest(db, before))
        while True:
            batch = await self._db.write(lambda db: upkeep.forget_old_calls(db, before))
            deleted = deleted + batch
            if batch.calls < upkeep.BATCH:
                break
        await self._db.wipe()
        return deleted
