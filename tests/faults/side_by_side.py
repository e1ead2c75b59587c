"""Worlds side by side on one loop of virtual time: that takes half the time.

What one of them leaves running is told from the others' by a context variable: tasks inherit it.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Coroutine, Sequence
from contextvars import ContextVar
from typing import Any

_world: ContextVar[int] = ContextVar("world", default=0)
call_number: ContextVar[int] = ContextVar("call", default=0)
"""Of the world's calls, the one that is being held."""

_tasks: dict[int, weakref.WeakSet[asyncio.Task[Any]]] = {}


def tasks_here() -> set[asyncio.Task[Any]]:
    """The tasks of this world that are not done, but for connections that a server keeps."""
    return {
        task
        for task in _tasks[_world.get()]
        if not task.done()
        and "RequestHandler.start" not in getattr(task.get_coro(), "__qualname__", "")
    }


async def side_by_side(works: Sequence[Coroutine[Any, Any, Any]]) -> tuple[list[Any], list[str]]:
    """Do all of these, each in a world of its own; what they return or raise, and what the loop
    complains of."""
    loop, complaints = asyncio.get_running_loop(), list[str]()
    loop.set_exception_handler(lambda _, about: complaints.append(repr(about)))

    def factory(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, **options)
        _tasks.setdefault(_world.get(), weakref.WeakSet()).add(task)
        return task

    async def alone(number: int, work: Coroutine[Any, Any, Any]) -> Any:
        _world.set(number)
        inner = asyncio.create_task(work, name="world")
        try:
            return await inner
        finally:
            _world.set(0)

    loop.set_task_factory(factory)
    _tasks.clear()
    tasks = [asyncio.create_task(alone(number, work)) for number, work in enumerate(works, 1)]
    return await asyncio.gather(*tasks, return_exceptions=True), complaints
