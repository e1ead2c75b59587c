"""The database: where it is, its connections, and one transaction after the other.

A piece of work is a plain function of a connection. It runs in one transaction, as a whole or not
at all, and may be run again after a conflict with another transaction.

With SQLite a transaction runs from its begin to its end in a thread: from statement to statement
there is nothing to wait for, and each change of threads would cost more than a statement.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime
from errno import EINVAL
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.store.columns import to_json
from services.store.errors import StoreError

log = logging.getLogger(__name__)

T = TypeVar("T")
Clock = Callable[[], datetime]
Work = Callable[[Connection], T]

BUSY_S = 5.0
"""How long a writer waits for another process's transaction in SQLite's file."""
_AT_ONCE = 5
"""Transactions in SQLite's file: one that writes, and readers."""
_CONNECT_S = 10.0
_COMMAND_S = 15.0
_REPEATABLE = {"40001", "40P01"}  # PostgreSQL: serialisation failure, deadlock
_REPEATS = 5
_TAKEN = {"ssl", "host", "target_session_attrs", "prepared_statement_cache_size"}
"""Parameters of PostgreSQL's URL that mean something here."""


def database_url(url: str) -> URL:
    """The URL with the driver that is used here. Raises StoreError."""
    try:
        parsed = make_url(url.strip())
        is_no_port = parsed.port is not None and not 0 < parsed.port < 65_536
    except (ArgumentError, ValueError):
        is_no_port = True
    if is_no_port or "\0" in url:
        raise StoreError(
            "DATABASE_URL cannot be read; it looks like postgresql://user:password@host/name or "
            "sqlite:///data/calls.db; a sign like @ in the password is written as %40"
        )
    scheme = parsed.drivername.partition("+")[0]
    if scheme in {"postgres", "postgresql"}:
        return _for_asyncpg(parsed.set(drivername="postgresql+asyncpg"))
    if scheme != "sqlite":
        raise StoreError("DATABASE_URL must begin with postgresql:// or sqlite:///")
    if parsed.database in {None, "", ":memory:"}:
        raise StoreError("SQLite needs a file here, like sqlite:///data/calls.db")
    return parsed.set(drivername="sqlite", query={})


def _for_asyncpg(url: URL) -> URL:
    """What hosts put into URLs for libpq, as asyncpg takes it; what it does not know goes."""
    query = {key: value for key, value in url.query.items() if key in _TAKEN}
    if mode := url.query.get("sslmode"):
        query["ssl"] = mode
    return url.set(query=query)


def prepare_file(url: URL) -> None:
    """Make SQLite's file, readable for its owner only; its companions get the same mode. Raises
    StoreError."""
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            raise OSError(EINVAL, "not a file")  # a device must keep its mode
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"the database file {path} cannot be made or opened ({error.strerror}); choose another "
            "place with DATA_DIR or DATABASE_URL, or let this user write there"
        ) from None


def make_engine(url: URL, *, foreign_keys: bool = True) -> Engine | AsyncEngine:
    """An engine whose errors tell no values."""
    common: dict[str, Any] = {
        "hide_parameters": True,
        "json_serializer": to_json,
        "json_deserializer": orjson.loads,  # four times as fast: it runs in the loop of the calls
    }
    if url.get_backend_name() == "postgresql":
        return create_async_engine(
            url,
            pool_size=10,
            pool_timeout=_CONNECT_S,
            pool_pre_ping=True,
            connect_args={"timeout": _CONNECT_S, "command_timeout": _COMMAND_S},
            **common,
        )
    engine = create_engine(
        url,
        pool_size=_AT_ONCE,
        connect_args={"timeout": BUSY_S, "check_same_thread": False},  # one thread after the other
        **common,
    )

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA foreign_keys = {int(foreign_keys)}")
        cursor.execute("PRAGMA secure_delete = ON")  # what is deleted is gone from the file, too
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        if not connection.get_execution_options().get("reading"):
            # One that began by reading could not write any more once another has written.
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class Database:
    """Runs pieces of work. ``now`` is the clock of all books."""

    def __init__(self, engine: Engine | AsyncEngine, now: Clock) -> None:
        self.engine = engine
        self.now = now
        is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time and polls for its turn; here writers queue in order.
        self._turn = asyncio.Lock() if is_sqlite else nullcontext()
        self._threads = ThreadPoolExecutor(_AT_ONCE, "sqlite") if is_sqlite else None
        self._running: set[asyncio.Task[Any]] = set()
        self._reader = engine.execution_options(
            **({"reading": True} if is_sqlite else {"isolation_level": "AUTOCOMMIT"})
        )

    async def write(self, work: Work[T], *, repeats: int = 0) -> T:
        """Run it in a transaction, again up to ``repeats`` times if a constraint stopped it.

        Raises what it raises (nothing of it was done then), IntegrityError and StoreError.
        """
        return await self._to_its_end(self._write(work, repeats))

    async def read(self, work: Work[T]) -> T:
        """Run what only reads. Raises StoreError."""
        return await self._to_its_end(self._read(work))

    async def wipe(self) -> None:
        """What was deleted goes out of SQLite's files, too: the write-ahead log still has it. If
        somebody reads just now, a later writing does it. PostgreSQL does so by itself, in time."""
        if self.engine.dialect.name != "sqlite":
            return
        try:
            await self.read(lambda db: db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all())
        except StoreError as error:
            log.warning("deleted rows are not out of the database's files yet: %s", error)

    async def close(self) -> None:
        """Wait for what is still running and close all connections."""
        await asyncio.gather(*self._running, return_exceptions=True)
        if isinstance(self.engine, AsyncEngine):
            await self.engine.dispose()
        elif self._threads:
            await self._in_thread(self.engine.dispose)
            self._threads.shutdown()

    async def _to_its_end(self, running: Coroutine[Any, Any, T]) -> T:
        """Run it in a task of its own: a caller who is cancelled leaves at once, but no connection
        is left in the middle of a transaction."""
        task = asyncio.create_task(running, name="store")
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits for it any more

    async def _write(self, work: Work[T], repeats: int) -> T:
        patience = _REPEATS
        while True:
            try:
                async with self._turn:
                    return await self._run(self.engine, work)
            except IntegrityError:
                if repeats <= 0:
                    raise
                repeats -= 1
            except DBAPIError as error:
                if patience <= 0 or getattr(error.orig, "sqlstate", None) not in _REPEATABLE:
                    raise _unusable(error) from error
                patience -= 1
                await asyncio.sleep(random.uniform(0.001, 0.02))
            except (OSError, TimeoutError, PoolTimeoutError) as error:
                raise _unusable(error) from error

    async def _read(self, work: Work[T]) -> T:
        try:
            return await self._run(self._reader, work)
        except (DBAPIError, OSError, TimeoutError, PoolTimeoutError) as error:
            raise _unusable(error) from error

    async def _run(self, engine: Engine | AsyncEngine, work: Work[T]) -> T:
        if isinstance(engine, AsyncEngine):
            async with engine.begin() as connection:
                return await connection.run_sync(work)

        def transaction() -> T:
            with engine.begin() as connection:
                return work(connection)

        return await self._in_thread(transaction)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def _unusable(error: Exception) -> StoreError:
    cause = getattr(error, "orig", None) or error
    return StoreError(f"the database does not answer as it should ({type(cause).__name__})")
