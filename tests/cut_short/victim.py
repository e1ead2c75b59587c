"""A process that is killed while it holds the conversation: ``python -m tests.cut_short.victim``.

It reads lines of JSON, each an :class:`Order`, and forks a child for each: the conversation is held
in it until, at step number ``kill_at`` (0: never), the child puts what was known into a file and
sends itself SIGKILL. A step is an entry of the call's journal, and the moments before each
statement (so after the one before it) and each commit of whatever the process does to the database
from the call's start on. Then comes the next start of the server: see ``after_kill``. The answer is
a line of JSON: how many steps there were, and what is wrong ("" if nothing is).
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from services.call import events as on
from services.store import Store
from tests.cut_short.after_kill import calls_again, goes_on, look_after
from tests.cut_short.caller import PLAN
from tests.cut_short.inline import inline_sqlite
from tests.cut_short.reception import Line, reception
from tests.virtual_time import run_virtual

CALL_ID = "CA1"
DATABASE = "receptionist.db"
"""Its file in the folder for data."""
_BOUNDARIES = ("before_cursor_execute", "commit")


@dataclass(frozen=True, slots=True)
class Order:
    """One call to be killed. ``folder`` is its own; ``url`` the database's, "" for a copy of the
    file ``template`` in it. With a ``url`` only what is done to the database is a step."""

    folder: str
    kill_at: int
    plan: tuple[str, ...] = PLAN
    template: str = ""
    url: str = ""


class Steps:
    """Counts steps, and ends the process at one of them."""

    def __init__(self, folder: Path, kill_at: int, *, entries: bool = True) -> None:
        """``entries``: whether those of the journal count as well."""
        self._entries = entries
        self._known = folder / "known.json"
        self._kill_at = kill_at
        self._line: Line | None = None
        self.passed = 0

    def entry(self, line: Line, number: int) -> None:
        """The call's journal has one more."""
        if self._line is None:
            self._line = line
            for name in _BOUNDARIES:
                event.listen(Engine, name, self.step)
        if self._entries:
            self.step()

    def step(self, *_: Any) -> None:
        self.passed += 1
        if self.passed == self._kill_at:
            self._known.write_text(json.dumps(self.known()))
            os.kill(os.getpid(), signal.SIGKILL)

    def stop(self) -> None:
        """The call is over, and on record."""
        for name in _BOUNDARIES:
            event.remove(Engine, name, self.step)

    def known(self) -> dict[str, Any]:
        """What has happened so far. The newest turn and tool may not be on record yet."""
        assert self._line
        entries = self._line.entries
        now = self._line.phone.loop.time()
        return {
            "turns": [(turn.speaker.value, turn.text) for turn in self._line.turns],
            "used": [event.tool for _, event, _ in entries if isinstance(event, on.ToolUsed)],
            "begun": [event.tool for _, event, _ in entries if isinstance(event, on.ToolStarted)],
            "now": now,
            "event": type(entries[-1][1]).__name__,
        }


async def _held(order: Order, steps: Steps) -> None:
    async with reception(Path(order.folder), order.url) as house:
        if order.url:
            await house.clear()
        await house.call(CALL_ID, order.plan, steps.entry)
        steps.stop()


async def _next_start(order: Order, known: dict[str, Any]) -> str:
    store = await Store.open(order.url or f"sqlite:///{order.folder}/{DATABASE}")
    try:
        await store.close_crashed()
        return await look_after(store, CALL_ID, known)
    finally:
        await store.close()


async def _calls_again(order: Order, stage: str) -> None:
    async with reception(Path(order.folder), order.url) as house:
        await calls_again(house, stage)


async def _goes_on(order: Order) -> None:
    async with reception(Path(order.folder), order.url) as house:
        await goes_on(house, CALL_ID, order.plan)


def _run(work: Callable[[], Coroutine[Any, Any, Any]], *, inline: bool) -> Any:
    with inline_sqlite() if inline else nullcontext():
        return run_virtual(work())


def _in_child(work: Callable[[], None]) -> int:
    """Do it in a process of its own; its exit status as ``waitpid`` gives it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        sys.stderr.flush()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def perform(order: Order, seen: set[str]) -> dict[str, Any]:
    """Hold the call, kill it, start again. What is wrong is told by the child that found it.
    ``seen``: what was found in databases after kills before this one."""
    folder = Path(order.folder)
    folder.mkdir(parents=True)
    if order.template:
        shutil.copy(order.template, folder / DATABASE)
    count, told = folder / "steps", folder / "wrong"
    copy = replace(order, folder=f"{folder}-copy")

    def hold() -> None:
        steps = Steps(folder, order.kill_at, entries=not order.url)
        _run(lambda: _held(order, steps), inline=not order.url)
        count.write_text(str(steps.passed))

    def anew(stage: str) -> None:
        with _telling(told, "in another call"):
            _run(lambda: _calls_again(order, stage), inline=not order.url)

    def on_the_line() -> None:
        with _telling(told, "on the line"):
            _run(lambda: _goes_on(copy), inline=True)

    status = _in_child(hold)
    if count.exists():
        return {"steps": int(count.read_text()), "wrong": ""}
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        return {"steps": 0, "wrong": f"the call ended with status {status}"}
    if not order.url:
        shutil.copytree(folder, copy.folder)
    known, found = json.loads((folder / "known.json").read_text()), ""
    with _telling(told, known["event"]):
        found = asyncio.run(_next_start(order, known))  # the time is the database's
    if found and found not in seen:
        seen.add(found)
        status = _in_child(lambda: anew(found.partition(":")[0]))
        if not order.url:
            status |= _in_child(on_the_line)
    else:
        status = 0
    wrong = told.read_text() if told.exists() else ""
    for each in (folder, Path(copy.folder)):
        shutil.rmtree(each, ignore_errors=True)
    return {"steps": 0, "wrong": wrong or ("" if status == 0 else f"status {status}")}


@contextmanager
def _telling(file: Path, where: str) -> Iterator[None]:
    """Put down what goes wrong."""
    try:
        yield
    except BaseException as error:
        file.write_text(f"{where}: {_what(error)}")


def _what(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "cut_short" in frame.filename] or frames
    return f"{type(error).__name__} in {ours[-1].name}, line {ours[-1].lineno}: {error}"


def main() -> None:
    logging.disable(logging.ERROR)
    with TemporaryDirectory() as folder:  # what is made once need not be made in each child
        order = Order(folder, 0)
        _run(lambda: _held(order, Steps(Path(folder), 0)), inline=True)
    gc.collect()
    gc.freeze()
    seen: set[str] = set()
    for text in sys.stdin:
        values = json.loads(text)
        order = Order(**{**values, "plan": tuple(values["plan"])})
        print(json.dumps(perform(order, seen)), flush=True)


def to_json(order: Order) -> str:
    """The line for an order."""
    return json.dumps(asdict(order))


if __name__ == "__main__":
    main()
