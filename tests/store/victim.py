"""A process that is killed in the middle of its work: ``python -m tests.store.victim``.

It reads lines of JSON, ``{"url", "now", "kill_at", "do", "arguments"}``. For each it forks a child
that does the work and sends itself SIGKILL at boundary number ``kill_at``: before each statement
(which is after the one before it), before the commit and after it. The answer is a line:
``killed``, ``done``, or what went wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, event

from services.receptionist.books import NewHold
from services.store import Store
from services.store.database import Database, database_url, make_engine

BOUNDARIES = ("before_cursor_execute", "commit")


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_child(json.loads(line)))
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            print("killed", flush=True)
        else:
            print("done" if status == 0 else f"failed: {status}", flush=True)


def _child(order: dict[str, Any]) -> int:
    try:
        asyncio.run(_work(order))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


async def _work(order: dict[str, Any]) -> None:
    now = datetime.fromisoformat(order["now"])
    engine = make_engine(database_url(order["url"]))
    store = Store(Database(engine, lambda: now))
    await store.ping()  # connects, which is no part of the work
    listened = engine if isinstance(engine, Engine) else engine.sync_engine
    passed = _killer(order["kill_at"])
    for name in BOUNDARIES:
        event.listen(listened, name, passed)
    await perform(store, order["do"], order["arguments"])
    passed()  # the last commit is over
    for name in BOUNDARIES:
        event.remove(listened, name, passed)
    await store.close()


def _killer(kill_at: int) -> Callable[..., None]:
    boundaries = 0

    def passed(*_: Any) -> None:
        nonlocal boundaries
        boundaries += 1
        if boundaries == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    return passed


async def perform(store: Store, do: str, arguments: dict[str, Any]) -> None:
    """One change of the appointment book, from plain data."""
    for key in {"starts_at", "ends_at"} & arguments.keys():
        if isinstance(arguments[key], str):
            arguments = {**arguments, key: datetime.fromisoformat(arguments[key])}
    book = store.appointments
    if do == "hold":
        await book.hold(NewHold(**arguments))
    else:
        await getattr(book, do)(**arguments)


if __name__ == "__main__":
    main()
