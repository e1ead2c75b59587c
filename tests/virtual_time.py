"""An event loop whose clock jumps to the next timer instead of waiting for it.

Whatever waits on this loop's own time takes no time at all, and the order of events is the same in
every run. A thread is waited for only when nothing else is left to do; real sockets are not used.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

THREADS_WITHIN_S = 10


class _JumpingSelector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(THREADS_WITHIN_S if timeout is None else 0)
        if not ready and timeout is None:
            raise RuntimeError("every task waits for something that will never happen")
        if not ready and timeout and timeout > 0:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its ``time()`` begins at 0 and moves only when all tasks wait."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Threads end in real time: no clock of this loop may give them up."""
        await super().shutdown_default_executor()


def run_virtual(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end on a virtual loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
