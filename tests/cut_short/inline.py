"""SQLite in the loop's own thread, so that what happens is in the same order in every run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import aiosqlite.core
from sqlalchemy import event
from sqlalchemy.engine import Engine


class _NoThread:
    """Stands in for the driver's thread."""

    daemon = True

    def __init__(self, **_: Any) -> None: ...

    def start(self) -> None: ...


class _DoneAtOnce:
    """Stands in for the queue to it: what is put there is done; the answer comes a step later."""

    def put_nowait(self, item: tuple[Any, Callable[[], Any]]) -> None:
        future, function = item
        settle: Any = aiosqlite.core.set_result
        try:
            outcome = function()
        except Exception as error:
            settle, outcome = aiosqlite.core.set_exception, error
        if future:
            future.get_loop().call_soon(settle, future, outcome)


@contextmanager
def inline_sqlite() -> Iterator[None]:
    """Without waiting for the disk, too: a killed process loses nothing that it has written."""

    def connected(connection: Any, _record: Any) -> None:
        if isinstance(connection.driver_connection, aiosqlite.core.Connection):
            cursor = connection.cursor()
            cursor.execute("PRAGMA synchronous = OFF")
            cursor.close()

    event.listen(Engine, "connect", connected)
    try:
        with (
            patch("aiosqlite.core.SimpleQueue", _DoneAtOnce),
            patch("aiosqlite.core.Thread", _NoThread),
        ):
            yield
    finally:
        event.remove(Engine, "connect", connected)


assert sqlite3.threadsafety  # migrations run in a thread of their own
