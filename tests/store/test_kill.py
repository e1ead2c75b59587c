"""A server that is killed at every boundary of a change: all of it happened, or nothing."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from services.receptionist.books import Booking, NewHold, SlotTaken
from services.store import Store
from services.store.database import Database, database_url, make_engine
from services.store.tables import bookings
from tests.store.clock import HandClock, at, wish
from tests.store.soundness import check_bookings
from tests.store.victim import perform

ROOT = Path(__file__).parent.parent.parent
MOST = 60
"""Boundaries that a change may have; it is a mistake in the test if there are more."""

Order = tuple[str, dict[str, Any]]
Prepare = Callable[[Store, HandClock, str], Awaitable[Order]]
Kill = Callable[[int, Order], Awaitable[str]]


@pytest.fixture
async def kill(url: str, clock: HandClock) -> AsyncIterator[Kill]:
    """Does the work in a process that is killed at a boundary: "killed", or "done"."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.store.victim"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    stdin, stdout = process.stdin, process.stdout

    async def order(kill_at: int, work: Order) -> str:
        do, arguments = work
        line = {"url": url, "now": clock.now, "kill_at": kill_at, "do": do, "arguments": arguments}
        stdin.write(json.dumps(line, default=lambda moment: moment.isoformat()).encode() + b"\n")
        return (await stdout.readline()).decode().strip()

    yield order
    stdin.close()
    await process.wait()


def new(agent: str, **other: Any) -> NewHold:
    return wish(agent=agent, call_id=f"call of {agent}", **other)


async def booked(store: Store, wanted: NewHold) -> Booking:
    return await store.appointments.confirm((await store.appointments.hold(wanted)).id)


async def hold(store: Store, clock: HandClock, agent: str) -> Order:
    return "hold", asdict(new(agent, key="k"))


async def hold_over_a_lapsed_one(store: Store, clock: HandClock, agent: str) -> Order:
    await store.appointments.hold(new(agent, begin=10))
    clock.tick(1000)
    return "hold", asdict(new(agent, key="k"))


async def hold_a_change(store: Store, clock: HandClock, agent: str) -> Order:
    booking = await booked(store, new(agent, begin=-20))
    await store.appointments.hold(new(agent, begin=60, replaces=booking.id))
    return "hold", asdict(new(agent, key="k", replaces=booking.id))


async def confirm(store: Store, clock: HandClock, agent: str) -> Order:
    return "confirm", {"booking_id": (await store.appointments.hold(new(agent))).id}


async def confirm_a_lapsed_one(store: Store, clock: HandClock, agent: str) -> Order:
    order = await confirm(store, clock, agent)
    clock.tick(1000)
    other = await store.appointments.hold(new(agent))
    await store.appointments.release(other.id)
    return order


async def confirm_a_change(store: Store, clock: HandClock, agent: str) -> Order:
    booking = await booked(store, new(agent, begin=-20))
    changed = await store.appointments.hold(new(agent, replaces=booking.id))
    return "confirm", {"booking_id": changed.id}


async def move(store: Store, clock: HandClock, agent: str) -> Order:
    booking = await booked(store, new(agent, begin=-20))
    span = {"starts_at": at(0), "ends_at": at(30)}
    return "move", {"booking_id": booking.id, **span, "lanes": 1}


async def cancel(store: Store, clock: HandClock, agent: str) -> Order:
    booking = await booked(store, new(agent))
    await store.appointments.hold(new(agent, begin=60, replaces=booking.id))
    return "cancel", {"booking_id": booking.id}


async def release(store: Store, clock: HandClock, agent: str) -> Order:
    return "release", {"booking_id": (await store.appointments.hold(new(agent))).id}


CHANGES: list[Prepare] = [
    *(hold, hold_over_a_lapsed_one, hold_a_change),
    *(confirm, confirm_a_lapsed_one, confirm_a_change, move, cancel, release),
]


@asynccontextmanager
async def new_connections(url: str, clock: HandClock) -> AsyncIterator[Store]:
    """A store on a database that is up to date: what the next process has."""
    store = Store(Database(make_engine(database_url(url)), clock))
    try:
        yield store
    finally:
        await store.close()


async def rows(store: Store, agent: str) -> list[tuple[Any, ...]]:
    """What is in the book of this agent, but for the ids that are drawn anew."""
    columns = [column for column in bookings.c if column.name not in ("id", "replaces")]
    wanted = select(*columns).where(bookings.c.agent == agent)
    found = await store._db.read(lambda db: db.execute(wanted).all())
    return sorted(tuple(str(value) for value in row) for row in found)


@pytest.mark.parametrize("prepare", CHANGES, ids=lambda prepare: prepare.__name__)
async def test_killed_at_every_boundary(
    store: Store, url: str, clock: HandClock, kill: Kill, prepare: Prepare
) -> None:
    before, after = set(), set()
    outcomes = []
    for kill_at in range(1, MOST):
        agent = f"agent {kill_at}"
        work = await prepare(store, clock, agent)
        untouched = await rows(store, agent)
        outcome = await kill(kill_at, work)
        assert outcome in ("killed", "done")
        outcomes.append(outcome)
        async with new_connections(url, clock) as restarted:
            await check_bookings(restarted)
            (before if await rows(restarted, agent) == untouched else after).add(kill_at)
            await _the_slot_is_booked_once(restarted, clock, agent, work)
        if outcome == "done":
            break
    # Nothing until some boundary, all of it from there on; the commit is the last but one.
    last = len(outcomes)
    assert last > 5
    assert outcomes == ["killed"] * (last - 1) + ["done"]
    assert before == set(range(1, last - 1))
    assert after == {last - 1, last}


async def _the_slot_is_booked_once(store: Store, clock: HandClock, agent: str, work: Order) -> None:
    """The call is over; whoever comes next finds the slot free or booked, and can do the same."""
    await perform(store, *work)  # repeated after a lost answer, it is as if done once
    clock.tick(1000)
    span = (at(0), at(30))
    if await store.appointments.taken(agent, *span):
        with pytest.raises(SlotTaken):
            await store.appointments.hold(new(agent, key="another"))
    else:
        await booked(store, new(agent, key="another"))
    assert len(await store.appointments.taken(agent, *span)) == 1
    await check_bookings(store)


async def test_a_caller_who_hangs_up_at_every_step(store: Store, clock: HandClock) -> None:
    """A task that is cancelled at any of its awaits leaves nothing half done, nothing locked."""
    finished = 0
    for steps in range(400):
        agent = f"agent {steps}"
        task = asyncio.create_task(booked(store, new(agent, key="k")))
        for _ in range(steps):
            await asyncio.sleep(0.0005)
            if task.done():
                break
        finished += task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await check_bookings(store)
        await booked(store, new(agent, key="k"))
        assert len(await store.appointments.taken(agent, at(0), at(30))) == 1
        if finished == 3:
            break
    assert finished == 3
