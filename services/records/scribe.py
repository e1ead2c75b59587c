"""The scribe: writes to the record of calls in the background, one thing after the other.

A call only puts into a queue and never waits. Turns, which are most of it, wait a moment for those
of other calls and are written together; with anything else, what waits before it goes at once. What
cannot be written is tried again a few times, then given up: the journal still has it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol, Unpack

from services.store import CallChanges, CallEnd, NewCall, StoredCall, StoredTool, StoredTurn

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
"""Writes that may wait; beyond them the record has gaps, the journals have none."""
TRIES_AFTER_S = (0.2, 1.0, 3.0)
"""When to try again what could not be written."""
GATHER_S = 1.0
"""How long turns wait for others: nobody needs them sooner, and a transaction is what costs."""
MOST_TOGETHER = 200
"""Turns in one transaction."""
CLOSE_WITHIN_S = 10.0


class CallBook(Protocol):
    """What is needed of ``services.store.Calls``."""

    async def start(self, call: NewCall) -> bool: ...
    async def get(self, call_id: str) -> StoredCall | None: ...
    async def update(self, call_id: str, **changes: Unpack[CallChanges]) -> bool: ...
    async def add_turns(self, turns: Sequence[StoredTurn]) -> int: ...
    async def add_tool(self, tool: StoredTool) -> bool: ...
    async def finish(self, call_id: str, end: CallEnd) -> bool: ...


Work = Callable[[CallBook], Awaitable[object]]
_OF_ITSELF = (ValueError, TypeError)
"""What is wrong with what is to be written: it would not go in at another time either."""


class Scribe:
    """Writes what calls put down, in order, while :meth:`run` runs."""

    def __init__(self, book: Callable[[], CallBook], most_waiting: int = MOST_WAITING) -> None:
        """``book`` gives the store's calls, which are opened after this was made."""
        self._book = book
        self._most_waiting = most_waiting
        self._items: deque[tuple[str, str, Work] | StoredTurn] = deque()
        self._has_items = asyncio.Event()
        self._has_more_than_turns = asyncio.Event()
        self._one_writes = asyncio.Lock()
        self._is_failing = False
        self.lost = 0
        """Writes that were given up."""

    @property
    def waiting(self) -> int:
        """Writes that are still to be done."""
        return len(self._items)

    @property
    def backlog(self) -> tuple[int, int]:
        """How many writes wait, and how many were given up."""
        return self.waiting, self.lost

    def put(self, call_id: str, what: str, work: Work) -> None:
        """Have something written. Never blocks. ``what`` names it in the log."""
        if self._has_room(call_id, what):
            self._items.append((call_id, what, work))
            self._has_items.set()
            self._has_more_than_turns.set()

    def put_turn(self, turn: StoredTurn) -> None:
        """Have a turn written, within a moment."""
        if self._has_room(turn.call_id, "turn"):
            self._items.append(turn)
            self._has_items.set()

    def _has_room(self, call_id: str, what: str) -> bool:
        if len(self._items) < self._most_waiting:
            return True
        self._give_up(call_id, what, "too much is waiting")
        return False

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._has_items.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_S):
                    await self._has_more_than_turns.wait()
            await self._write_what_waits()

    async def drain(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """Have all written, but not for ever; whether or not :meth:`run` still runs."""
        try:
            async with asyncio.timeout(within_s):
                await self._write_what_waits()
        except TimeoutError:
            log.error("records: %d writes were not done in time", self.waiting)

    async def _write_what_waits(self) -> None:
        while self._items:
            await self._write_next()

    async def _write_next(self) -> None:
        """What is being written when this is cancelled may be half done: it is written again by
        whoever comes next, and to write it twice does no harm."""
        async with self._one_writes:
            if turns := self._next_turns():
                await self._write_turns(turns)
                for _ in turns:
                    self._items.popleft()
            elif self._items and isinstance(item := self._items[0], tuple):
                await self._write(*item)
                self._items.popleft()
            if not self._items:
                self._has_items.clear()
                self._has_more_than_turns.clear()

    def _next_turns(self) -> Sequence[StoredTurn]:
        turns: list[StoredTurn] = []
        for item in self._items:
            if not isinstance(item, StoredTurn) or len(turns) == MOST_TOGETHER:
                break
            turns.append(item)
        return turns

    async def _write_turns(self, turns: Sequence[StoredTurn]) -> None:
        error = await self._tried(lambda book: book.add_turns(turns))
        if error is None:
            return
        if len(turns) == 1:
            self._give_up(turns[0].call_id, "turn", type(error).__name__)
            return
        for turn in turns:  # one that is bad must not take the others with it
            await self._write_turns([turn])

    async def _write(self, call_id: str, what: str, work: Work) -> None:
        if error := await self._tried(work):
            self._give_up(call_id, what, type(error).__name__)

    async def _tried(self, work: Work) -> Exception | None:
        """Write, with patience; the error if that could not be done."""
        pauses: Sequence[float] = () if self._is_failing else TRIES_AFTER_S
        for pause_s in (*pauses, None):
            try:
                await work(self._book())
            except Exception as error:  # of whatever kind: the next write must be tried
                if pause_s is None or isinstance(error, _OF_ITSELF):
                    self._is_failing = not isinstance(error, _OF_ITSELF)
                    return error
                await asyncio.sleep(pause_s)
            else:
                self._is_failing = False
                return None
        return None

    def _give_up(self, call_id: str, what: str, why: str) -> None:
        self.lost += 1
        log.error("call %s: its %s is not on record (%s); the journal has it", call_id, what, why)
