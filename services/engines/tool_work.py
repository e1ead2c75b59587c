"""The tools of one call at work: what changes something is a task of the call, not of a reply.

A caller who interrupts, or hangs up, stops the reply that wanted it, but not the work: it happens
once, its outcome is in the journal, and the next reply knows of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from services.call.events import AfterReply, ToolEvent, ToolStarted, ToolUsed
from services.receptionist.tools import Desk, ToolRequest, ToolResult

log = logging.getLogger(__name__)

WITHIN_S = 8.0
"""How long a reply waits for a tool; as ``Timings.tool_ms``."""
SETTLE_WITHIN_S = 4.0
"""How long a reply waits for what an earlier one has begun, before it is thought of."""
FINISH_WITHIN_S = 5.0
"""How long running tools are waited for at the end of the call."""
CLOSE_WITHIN_S = 5.0

LATE = ToolResult(
    "failed",
    "This is taking too long, and it is not known whether it will work. Apologise, say that you "
    "cannot finish it right now, and offer to take a message instead.",
)
_KEPT = (
    "The caller interrupted you before they were put through, so they were not. If they still want "
    "it, use transfer_call again."
)
Tell = Callable[[ToolEvent], None]


class NoDesk:
    """Stands in where there is no business behind the agent: nothing can be done."""

    notes: Sequence[str] = ()

    async def do(self, request: ToolRequest) -> ToolResult:
        return ToolResult("not_possible", "That cannot be done on this line.")

    async def close(self) -> None:
        """Nothing was held."""


class ToolWork:
    """Has the tools of one call performed by its desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._running: dict[str, tuple[asyncio.Task[ToolResult], float]] = {}
        """Key -> what changes something, and when it was begun."""
        self._wishes: dict[str, ToolRequest] = {}
        self._done: dict[str, ToolResult] = {}
        """Key -> what came of what changes something; not what failed, which may be tried again."""
        self._lets_go = self._was_kept = False

    @property
    def notes(self) -> Sequence[str]:
        """What was done in this call, and what is still under way, for a language model."""
        return [
            *self._desk.notes,
            *([_KEPT] if self._was_kept else []),
            *(
                f"You have begun {wish.tool.value} ({_told(wish)}); it is not known yet whether it "
                "worked. Do not say that it did, and do not begin it again."
                for wish in self._wishes.values()
            ),
        ]

    async def use(self, reply: int, wish: ToolRequest, tell: Tell) -> ToolResult:
        """Have it done, once for each key. What takes too long goes on all the same; cancelling
        this stops only what changes nothing."""
        if not wish.tool.changes_something:
            try:
                async with asyncio.timeout(WITHIN_S):
                    return await self._perform(reply, wish, tell)
            except TimeoutError:
                return LATE
        result = self._done.get(wish.key)
        if result is None:
            task = self._begin(reply, wish, tell)
            done, _ = await asyncio.wait({task}, timeout=WITHIN_S)  # leaves the task alone
            result = task.result() if done else LATE
        self._lets_go = self._lets_go or result.then is AfterReply.TRANSFER
        return result

    async def settle(self) -> None:
        """Another reply is to be thought of: wait for what earlier ones have begun, unless that is
        hopeless."""
        self._was_kept, self._lets_go = self._lets_go, False
        now = asyncio.get_running_loop().time()
        young = {task for task, since in self._running.values() if now < since + WITHIN_S}
        if young:
            await asyncio.wait(young, timeout=SETTLE_WITHIN_S)

    async def finish(self, left: ToolRequest | None, tell: Tell) -> None:
        """The call is over: what is running may end, and ``left`` is done as well. What takes too
        long is cancelled, and said to be unfinished."""
        loop = asyncio.get_running_loop()
        until = loop.time() + FINISH_WITHIN_S
        await self._wait(until)
        if left is not None:
            self._begin(0, left, tell)
            await self._wait(until)
        tasks = [task for task, _ in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._desk.close()
        except TimeoutError:
            log.warning("the desk could not be closed in time")

    async def _wait(self, until: float) -> None:
        if tasks := [task for task, _ in self._running.values()]:
            await asyncio.wait(tasks, timeout=until - asyncio.get_running_loop().time())

    def _begin(self, reply: int, wish: ToolRequest, tell: Tell) -> asyncio.Task[ToolResult]:
        """The task that does it; the same one, if it is being done already."""
        if running := self._running.get(wish.key):
            return running[0]
        task = asyncio.create_task(self._perform(reply, wish, tell), name=f"tool-{wish.tool.value}")
        self._running[wish.key] = task, asyncio.get_running_loop().time()
        self._wishes[wish.key] = wish
        task.add_done_callback(lambda _: self._forget(wish.key))
        return task

    def _forget(self, key: str) -> None:
        del self._running[key], self._wishes[key]

    async def _perform(self, reply: int, wish: ToolRequest, tell: Tell) -> ToolResult:
        """Do it, and tell what came of it."""
        loop = asyncio.get_running_loop()
        began, result = loop.time(), ToolResult("unfinished", "")
        tell(ToolStarted(reply, wish.tool.value))
        try:
            result = await self._desk.do(wish)
        except Exception as error:  # a desk raises nothing, but nobody is to be left waiting
            log.error("the tool %s failed: %s", wish.tool.value, type(error).__name__)
            result = ToolResult("failed", LATE.text)
        else:
            if wish.tool.changes_something and result.code != "failed":
                self._done[wish.key] = result
        finally:
            ms = round((loop.time() - began) * 1000)
            arguments = tuple(wish.arguments.items())
            tell(ToolUsed(reply, wish.tool.value, result.code, ms, arguments, result.text))
        return result


def _told(wish: ToolRequest) -> str:
    return ", ".join(f"{name}: {value}" for name, value in wish.arguments.items())
