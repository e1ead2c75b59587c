"""The pool: results, errors, who is busy, and cancelling."""

from __future__ import annotations

import asyncio
import threading

import pytest

from services.audio.workers import Workers


async def settled(workers: Workers) -> None:
    """A thread is free again a moment after its result is there."""
    async with asyncio.timeout(5):
        while not workers.idle:
            await asyncio.to_thread(threading.Event().wait, 0.001)


async def test_it_computes_in_a_thread_of_its_own() -> None:
    workers = Workers(1)
    assert await workers.run(pow, 2, 10) == 1024
    assert await workers.run(threading.current_thread) is not threading.main_thread()
    workers.close()


async def test_errors_come_back_and_free_the_thread() -> None:
    workers = Workers(1)
    with pytest.raises(ZeroDivisionError):
        await workers.run(divmod, 1, 0)
    await settled(workers)
    assert await workers.run(divmod, 7, 2) == (3, 1)
    workers.close()


async def test_it_is_idle_while_a_thread_is_free() -> None:
    workers, gate = Workers(2), threading.Event()
    assert workers.idle
    first = asyncio.create_task(workers.run(gate.wait, 5))
    await asyncio.sleep(0)
    assert workers.idle
    second = asyncio.create_task(workers.run(gate.wait, 5))
    await asyncio.sleep(0)
    assert not workers.idle
    gate.set()
    assert await asyncio.gather(first, second) == [True, True]
    await settled(workers)
    workers.close()


async def test_cancelling_drops_what_waits_and_outlives_what_runs() -> None:
    workers, gate, begun = Workers(1), threading.Event(), threading.Event()
    ran: list[str] = []

    def work() -> None:
        begun.set()
        gate.wait(5)
        ran.append("running")

    running = asyncio.create_task(workers.run(work))
    waiting = asyncio.create_task(workers.run(ran.append, "waiting"))
    await asyncio.to_thread(begun.wait, 5)
    for task in (running, waiting):
        task.cancel()
    results = await asyncio.gather(running, waiting, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert not workers.idle  # the thread is still at it
    gate.set()
    await settled(workers)
    assert ran == ["running"]
    workers.close()


async def test_after_closing_nothing_begins() -> None:
    workers = Workers(1)
    workers.close()
    with pytest.raises(RuntimeError):
        await workers.run(pow, 2, 2)
    assert workers.idle
