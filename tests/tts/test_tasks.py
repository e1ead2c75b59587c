"""Ending a task that holds something open."""

from __future__ import annotations

import asyncio

import pytest

from services.tts.tasks import ended
from tests.virtual_time import run_virtual


async def holding(closed: list[float], error: Exception | None = None) -> None:
    """Takes a second to close."""
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(1)
        closed.append(asyncio.get_running_loop().time())
        if error:
            raise error


@pytest.mark.parametrize("error", [None, OSError()])
def test_the_end_is_waited_for_and_no_error_gets_out(error: Exception | None) -> None:
    async def main() -> None:
        closed: list[float] = []
        task = asyncio.create_task(holding(closed, error))
        await asyncio.sleep(0)
        await ended(task)
        assert closed == [1.0]
        await ended(task)

    run_virtual(main())


def test_who_waits_for_the_end_may_be_cancelled_again_and_again() -> None:
    async def main() -> None:
        closed: list[float] = []
        task = asyncio.create_task(holding(closed))
        await asyncio.sleep(0)
        ending = asyncio.create_task(ended(task))
        for _ in range(3):
            await asyncio.sleep(0.2)
            ending.cancel()
        await asyncio.wait({ending})
        assert ending.cancelled()
        assert closed == [1.0]

    run_virtual(main())
