"""SQLite in the loop's own thread, so that what happens is in the same order in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from sqlite3 import Connection
from typing import Any
from unittest.mock import patch

from sqlalchemy import event
from sqlalchemy.engine import Engine


class _DoneAtOnce(Executor):
    """Stands in for the threads: what they are given is done; the answer comes a step later."""

    def __init__(self, *_: Any) -> None: ...

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def inline_sqlite() -> Iterator[None]:
    """Without waiting for the disk, too: a killed process loses nothing that it has written."""

    def connected(connection: Any, _record: Any) -> None:
        if isinstance(connection, Connection):
            connection.execute("PRAGMA synchronous = OFF")

    event.listen(Engine, "connect", connected)
    try:
        with patch("services.store.database.ThreadPoolExecutor", _DoneAtOnce):
            yield
    finally:
        event.remove(Engine, "connect", connected)
