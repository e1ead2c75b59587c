"""Brings the tables up to date when the store is opened."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.store.database import BUSY_S, make_engine, prepare_file
from services.store.errors import StoreError

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_203_114_906
"""The number by which processes that start at once queue up in PostgreSQL."""
_ONE_AT_A_TIME = threading.Lock()
"""Alembic keeps its context in a module: one run in a process."""


async def migrate(url: URL) -> None:
    """Bring the tables up to date, in a thread. Raises StoreError."""
    await asyncio.to_thread(migrate_now, url)


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for a connection that is in a transaction."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate_now(url: URL) -> None:
    """The same, where no event loop runs. Blocks."""
    with _ONE_AT_A_TIME:
        if url.get_backend_name() == "sqlite":
            prepare_file(url)
        try:
            engine = make_engine(url, foreign_keys=False)
        except ValueError as error:
            raise StoreError(_cannot_use(url, error)) from None
        try:
            if isinstance(engine, AsyncEngine):
                asyncio.run(_upgrade_there(engine))
            else:
                _upgrade_file(engine)
        except CommandError as error:
            raise StoreError(
                "the database's tables were made by another version of this server; start that "
                f"one, or name another database in DATABASE_URL ({error})"
            ) from None
        except (DBAPIError, OSError, TimeoutError) as error:
            raise StoreError(_cannot_use(url, getattr(error, "orig", None) or error)) from None


def _cannot_use(url: URL, cause: BaseException) -> str:
    """What is wrong, and what to do. Holds no password."""
    why = str(cause).strip() or type(cause).__name__
    if url.get_backend_name() == "postgresql":
        place = url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
        remedy = "is it running, and is DATABASE_URL right?"
        return f"the database at {place} cannot be used: {why}; {remedy}"
    remedy = "if it is no database of this server, name another file in DATABASE_URL"
    if "locked" in why:
        remedy = "another program works with it: end that one first"
    return f"the database file {url.database} cannot be used: {why}; {remedy}"


async def _upgrade_there(engine: AsyncEngine) -> None:
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_to_head)
    finally:
        await engine.dispose()


def _upgrade_file(engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            _use_wal(connection)
            _to_head(connection)
    finally:
        engine.dispose()


def _use_wal(connection: Connection) -> None:
    """Readers and a writer do not wait for one another. The file remembers it."""
    connection = connection.execution_options(reading=True)
    patience = BUSY_S
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        except OperationalError:  # SQLite does not wait here for another process
            if patience <= 0:
                raise
            patience -= 0.05
            time.sleep(0.05)
        else:
            break
        finally:
            connection.rollback()
    connection.execution_options(reading=False)


def _to_head(connection: Connection) -> None:
    with connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        command.upgrade(alembic_config(connection), "head")
