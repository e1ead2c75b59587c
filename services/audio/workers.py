"""Where speech models run: a few threads for the whole process. The event loop never waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Workers:
    """A pool of ``size`` threads. Models give up the interpreter lock while they compute."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="speech")
        self._busy = 0
        self._counting = Lock()

    @property
    def idle(self) -> bool:
        """Whether a thread is free right now: what is not needed runs only then."""
        return self._busy < self._size

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What ``function`` returns or raises, computed in a thread.

        Cancelling it drops what has not begun. What has begun runs to its end, unheard, and keeps
        its thread busy that long.
        """
        future = self._pool.submit(function, *args, **kwargs)
        self._count(1)
        future.add_done_callback(lambda _: self._count(-1))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drop what waits; what runs may finish. Does not block."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _count(self, change: int) -> None:
        with self._counting:
            self._busy += change
