"""Callers who want the same slot at the same moment: exactly one gets it, each time."""

from __future__ import annotations

import asyncio
import random

import pytest

from services.receptionist.books import Booking, NoSuchBooking, SlotTaken
from services.store import Store
from tests.store.clock import HandClock, wish
from tests.store.soundness import check_bookings

ROUNDS = 200


async def attempt(store: Store, **wanted: float | str | int) -> Booking | None:
    """Hold and confirm; None if somebody else has it."""
    try:
        hold = await store.appointments.hold(wish(**wanted))  # type: ignore[arg-type]
    except SlotTaken:
        return None
    await asyncio.sleep(random.uniform(0, 0.002))
    return await store.appointments.confirm(hold.id)


@pytest.mark.parametrize("stores", [1, 2])
async def test_one_of_two_gets_the_slot(
    store: Store, url: str, clock: HandClock, stores: int
) -> None:
    """Once with the connections of one process, once as two processes have theirs."""
    second = await Store.open(url, now=clock) if stores == 2 else store
    for number in range(ROUNDS):
        begin = number * 240.0
        shift = random.choice([0, 0, 5, 15, 25, -25])
        results = await asyncio.gather(
            attempt(store, begin=begin, call_id=f"A{number}", key="k"),
            attempt(second, begin=begin + shift, call_id=f"B{number}", key="k"),
        )
        got = [one for one in results if one]
        assert len(got) == 1, f"round {number}: {len(got)} of 2 got it"
        # The other one is told so and takes another time.
        other = await attempt(second, begin=begin + 120, call_id=f"B{number}", key="k2")
        assert other is not None
    page = await store.appointments.list(limit=500)
    assert len(page.items) == 2 * ROUNDS
    await check_bookings(store)
    if second is not store:
        await second.close()


async def test_as_many_as_there_are_lanes(store: Store, url: str, clock: HandClock) -> None:
    second = await Store.open(url, now=clock)
    for number in range(20):
        callers = [
            attempt((store, second)[caller % 2], begin=number * 60.0, lanes=3, call_id=f"{caller}")
            for caller in range(6)
        ]
        results = await asyncio.gather(*callers)
        assert len([one for one in results if one]) == 3
    await check_bookings(store)
    await second.close()


async def test_a_hold_that_lapsed_against_a_new_one(
    store: Store, url: str, clock: HandClock
) -> None:
    second = await Store.open(url, now=clock)
    for number in range(50):
        begin = number * 60.0
        lapsed = await store.appointments.hold(wish(begin=begin, call_id="A"))
        clock.tick(1000)

        async def confirm(hold: Booking = lapsed) -> Booking | None:
            try:
                return await store.appointments.confirm(hold.id)
            except SlotTaken:
                return None

        results = await asyncio.gather(confirm(), attempt(second, begin=begin, call_id="B"))
        assert len([one for one in results if one]) == 1
    await check_bookings(store)
    await second.close()


async def test_changes_of_one_booking_at_once(store: Store, url: str, clock: HandClock) -> None:
    """Move, change and cancel, all at the same moment: the booking stays whole."""
    second = await Store.open(url, now=clock)
    for number in range(40):
        begin = number * 600.0
        booking = await attempt(store, begin=begin)
        assert booking is not None
        books = store.appointments, second.appointments
        span = wish(begin=begin + 60)
        results = await asyncio.gather(
            books[0].move(booking.id, span.starts_at, span.ends_at, 1),
            _change(second, booking.id, begin + 15),
            _change(store, booking.id, begin + 20),
            books[1].cancel(booking.id),
            return_exceptions=True,
        )
        odd = [one for one in results if isinstance(one, Exception)]
        assert all(isinstance(one, NoSuchBooking | SlotTaken) for one in odd), odd
        final = await books[0].get(booking.id)
        assert final is not None
        assert final.state.value == "cancelled"
        await check_bookings(store)
    await second.close()


async def _change(store: Store, booking_id: str, begin: float) -> Booking:
    hold = await store.appointments.hold(wish(begin=begin, replaces=booking_id))
    return await store.appointments.confirm(hold.id)
