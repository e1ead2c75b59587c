"""Ending a task that holds something open."""

from __future__ import annotations

import asyncio
from typing import Any


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel the task once and wait until it has ended, however often we are cancelled meanwhile.

    A second cancellation would meet it while it closes what it has open, and leave that open. What
    the task raises is nobody's business any more.
    """
    task.cancel()
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if not task.cancelled():
        task.exception()  # seen: asyncio need not complain that nobody did
    if cancelled is not None:
        raise cancelled
