"""An event loop whose clock jumps to the next timer instead of waiting for it.

Whatever waits on this loop's own time takes no time at all, and the order of events is the same in
every run. Sockets may be used if both ends live on this loop: what one end has written the other
can read at once, so bytes on their way arrive before the clock moves. Threads are waited for, too.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

THREADS_WITHIN_S = 10
_LOOPBACK_S = 0.0005
"""Real time that the kernel is given to carry bytes from one socket to the other."""


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if len(self.get_map()) > 1:  # more than the loop's own pipe
            ready = super().select(_LOOPBACK_S)
        if not ready and (self.threads or timeout is None):
            ready = super().select(THREADS_WITHIN_S)
        if not ready and timeout is None:
            raise RuntimeError("every task waits for something that will never happen")
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its ``time()`` begins at 0 and moves only when all tasks wait."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        self._jumping.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, future: asyncio.Future[Any]) -> None:
        self._jumping.threads -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Threads end in real time: no clock of this loop may give them up."""
        await super().shutdown_default_executor()


def run_virtual(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end on a virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
