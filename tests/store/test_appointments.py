"""The appointment book: hold, confirm, move, cancel, and what time does to a hold."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from services.receptionist.books import (
    HOLD_S,
    Appointments,
    Booking,
    BookingState,
    NewHold,
    NoSuchBooking,
    SlotTaken,
)
from services.store import BadCursor, BookingFilter, Store
from tests.store.clock import NOON, HandClock, at, wish
from tests.store.soundness import check_bookings

HELD, CONFIRMED = BookingState.HELD, BookingState.CONFIRMED
CANCELLED, EXPIRED = BookingState.CANCELLED, BookingState.EXPIRED


@pytest.fixture
async def book(store: Store) -> AsyncIterator[Appointments]:
    yield store.appointments
    await check_bookings(store)


async def booked(book: Appointments, new: NewHold) -> Booking:
    return await book.confirm((await book.hold(new)).id)


async def busy(book: Appointments, but: str = "", agent: str = "salon") -> list[tuple[int, int]]:
    """Busy stretches of the next day, in minutes after noon."""
    day = (NOON + timedelta(hours=12), NOON + timedelta(hours=60))
    found = await book.taken(agent, *day, but=but)
    minute = timedelta(minutes=1)
    return [((begin - at(0)) // minute, (end - at(0)) // minute) for begin, end in found]


async def test_hold_then_confirm(book: Appointments, clock: HandClock) -> None:
    hold = await book.hold(wish())
    assert (hold.state, hold.held_until) == (HELD, NOON + timedelta(seconds=HOLD_S))
    assert (hold.starts_at, hold.ends_at) == (at(0), at(30))
    assert (hold.name, hold.number, hold.call_id) == ("Bob Smith", "+1 (555) 123-4567", "CA1")
    assert (hold.agent, hold.service, hold.created_at) == ("salon", "Haircut", NOON)
    assert len(hold.id) <= 6
    clock.tick(HOLD_S - 1)
    booking = await book.confirm(hold.id)
    assert (booking.state, booking.id, booking.held_until) == (CONFIRMED, hold.id, None)
    assert booking.sequence == 0
    assert await book.confirm(hold.id) == booking
    assert await book.get(f" {hold.id.lower()} ") == booking
    assert await busy(book) == [(0, 30)]


@pytest.mark.parametrize("begin", [-25, -1, 0, 15, 29, 33])
async def test_what_overlaps_on_the_grid_is_taken(book: Appointments, begin: int) -> None:
    await book.hold(wish(length=31))
    with pytest.raises(SlotTaken):
        await book.hold(wish(begin=begin))


@pytest.mark.parametrize("begin", [-30, 35, 60])
async def test_neighbours_are_no_conflict(book: Appointments, begin: int) -> None:
    await booked(book, wish(length=31))
    await booked(book, wish(begin=begin))
    assert len(await busy(book)) == 2


async def test_agents_do_not_share_their_time(book: Appointments) -> None:
    await booked(book, wish())
    await booked(book, wish(agent="garage"))
    assert await busy(book) == await busy(book, agent="garage") == [(0, 30)]


async def test_lanes(book: Appointments) -> None:
    for _ in range(3):
        await booked(book, wish(lanes=3))
    with pytest.raises(SlotTaken):
        await book.hold(wish(begin=10, lanes=3))
    assert await busy(book) == [(0, 30)] * 3


async def test_a_fewer_lanes_than_there_were(book: Appointments) -> None:
    for _ in range(2):
        await booked(book, wish(lanes=2))
    with pytest.raises(SlotTaken):
        await book.hold(wish(lanes=1))


async def test_the_same_key_gives_the_same_hold(book: Appointments, clock: HandClock) -> None:
    hold = await book.hold(wish("k"))
    clock.tick(60)
    assert await book.hold(wish("k")) == hold
    with pytest.raises(SlotTaken):
        await book.hold(wish("other"))
    with pytest.raises(SlotTaken):
        await book.hold(wish("k", call_id="CA2"))
    booking = await book.confirm(hold.id)
    assert await book.hold(wish("k")) == booking
    cancelled = await book.cancel(hold.id)
    assert await book.hold(wish("k")) == cancelled
    assert await busy(book) == []


async def test_the_same_key_renews_a_hold_that_expired(
    book: Appointments, clock: HandClock
) -> None:
    hold = await book.hold(wish("k"))
    clock.tick(HOLD_S)
    again = await book.hold(wish("k"))
    assert (again.id, again.state) == (hold.id, HELD)
    assert again.held_until == NOON + timedelta(seconds=2 * HOLD_S)
    clock.tick(HOLD_S)
    await booked(book, wish(name="Eve"))
    with pytest.raises(SlotTaken):
        await book.hold(wish("k"))


async def test_the_same_hold_many_times_at_once(book: Appointments) -> None:
    holds = await asyncio.gather(*(book.hold(wish("k")) for _ in range(8)))
    assert len({hold.id for hold in holds}) == 1


async def test_an_expired_hold_gives_the_slot_back(book: Appointments, clock: HandClock) -> None:
    hold = await book.hold(wish())
    assert await busy(book) == [(0, 30)]
    clock.tick(HOLD_S)
    assert await busy(book) == []
    found = await book.get(hold.id)
    assert found is not None
    assert found.state is EXPIRED
    other = await book.hold(wish(begin=10))
    with pytest.raises(SlotTaken):
        await book.confirm(hold.id)
    await book.release(other.id)
    assert (await book.confirm(hold.id)).state is CONFIRMED


async def test_an_expired_hold_is_good_if_nobody_came(book: Appointments, clock: HandClock) -> None:
    hold = await book.hold(wish())
    clock.tick(10 * HOLD_S)
    assert (await book.confirm(hold.id)).state is CONFIRMED


async def test_release(book: Appointments) -> None:
    hold = await book.hold(wish())
    await book.release(hold.id)
    await book.release(hold.id)
    await book.release("nobody")
    with pytest.raises(NoSuchBooking):
        await book.confirm(hold.id)
    booking = await booked(book, wish())
    await book.release(booking.id)
    assert await book.get(booking.id) == booking


async def test_cancel(book: Appointments, clock: HandClock) -> None:
    booking = await booked(book, wish())
    clock.tick(5)
    cancelled = await book.cancel(booking.id)
    assert cancelled == replace(
        booking, state=CANCELLED, sequence=1, changed_at=NOON + timedelta(seconds=5)
    )
    clock.tick(5)
    assert await book.cancel(booking.id) == cancelled
    with pytest.raises(NoSuchBooking):
        await book.confirm(booking.id)
    assert await busy(book) == []
    await booked(book, wish())


async def test_what_cannot_be_done(book: Appointments) -> None:
    hold = await book.hold(wish())
    for attempt in (
        book.cancel(hold.id),
        book.cancel("nobody"),
        book.confirm("nobody"),
        book.confirm(""),
        book.hold(wish(begin=60, replaces=hold.id)),
        book.hold(wish(begin=60, replaces="nobody")),
    ):
        with pytest.raises(NoSuchBooking):
            await attempt
    assert await book.get("nobody") is None
    assert await busy(book) == [(0, 30)]


@pytest.mark.parametrize("begin", [60, 10, -10, 0])
async def test_a_change_keeps_the_id(store: Store, book: Appointments, begin: int) -> None:
    booking = await booked(book, wish("k1"))
    hold = await book.hold(wish("k2", begin=begin, replaces=booking.id))
    assert await busy(book, but=booking.id) == []
    await check_bookings(store)
    moved = await book.confirm(hold.id)
    assert (moved.id, moved.state, moved.sequence) == (booking.id, CONFIRMED, 1)
    assert (moved.starts_at, moved.ends_at) == (at(begin), at(begin + 30))
    assert (moved.name, moved.created_at) == (booking.name, booking.created_at)
    assert await busy(book) == [(begin, begin + 30)]
    assert await book.get(hold.id) is None
    # Repetitions, after a lost answer, find it done.
    assert await book.confirm(hold.id) == moved
    assert await book.hold(wish("k2", begin=begin, replaces=booking.id)) == moved
    await book.cancel(booking.id)
    with pytest.raises(NoSuchBooking):
        await book.confirm(hold.id)


async def test_until_the_change_is_confirmed_both_slots_are_kept(book: Appointments) -> None:
    booking = await booked(book, wish())
    await book.hold(wish(begin=60, replaces=booking.id))
    for begin in (0, 60):
        with pytest.raises(SlotTaken):
            await book.hold(wish(begin=begin))


async def test_a_change_of_mind_takes_the_place_of_the_first(book: Appointments) -> None:
    booking = await booked(book, wish())
    first = await book.hold(wish(begin=60, replaces=booking.id))
    second = await book.hold(wish(begin=75, replaces=booking.id))
    with pytest.raises(NoSuchBooking):
        await book.confirm(first.id)
    assert (await book.confirm(second.id)).starts_at == at(75)


async def test_a_change_whose_slot_is_taken_changes_nothing(
    book: Appointments, clock: HandClock
) -> None:
    booking = await booked(book, wish())
    hold = await book.hold(wish(begin=60, replaces=booking.id))
    clock.tick(HOLD_S)
    await booked(book, wish(begin=60))
    with pytest.raises(SlotTaken):
        await book.confirm(hold.id)
    assert await book.get(booking.id) == booking


async def test_a_change_of_what_was_cancelled(book: Appointments) -> None:
    booking = await booked(book, wish())
    hold = await book.hold(wish(begin=10, replaces=booking.id))
    await book.cancel(booking.id)
    assert await busy(book) == []
    with pytest.raises(NoSuchBooking):
        await book.confirm(hold.id)


async def test_move(store: Store, clock: HandClock) -> None:
    book = store.appointments
    booking = await booked(book, wish())
    other = await booked(book, wish(begin=60))
    clock.tick(1)
    with pytest.raises(SlotTaken):
        await book.move(booking.id, at(45), at(75), 1)
    assert await book.get(booking.id) == booking
    moved = await book.move(booking.id, at(15), at(60), 1)
    assert (moved.id, moved.sequence, moved.starts_at) == (booking.id, 1, at(15))
    assert await book.move(booking.id, at(15), at(60), 1) == moved
    assert await busy(book) == [(15, 60), (60, 90)]
    await book.cancel(other.id)
    with pytest.raises(NoSuchBooking):
        await book.move(other.id, at(200), at(230), 1)
    with pytest.raises(NoSuchBooking):
        await book.move("nobody", at(200), at(230), 1)
    await check_bookings(store)


@pytest.mark.parametrize(("begin", "end"), [(0, 0), (30, 0), (0, 31 * 24 * 60 + 5)])
async def test_spans_that_are_none(store: Store, begin: int, end: int) -> None:
    booking = await booked(store.appointments, wish())
    with pytest.raises(ValueError, match="ends after it starts"):
        await store.appointments.hold(wish(begin=begin, length=end - begin))
    with pytest.raises(ValueError, match="ends after it starts"):
        await store.appointments.move(booking.id, at(begin), at(end), 1)
    naive = replace(wish(), starts_at=datetime(2026, 11, 18, 12))
    with pytest.raises(ValueError, match="time zone"):
        await store.appointments.hold(naive)


async def test_an_hour_that_comes_twice(book: Appointments) -> None:
    """On the day on which summer time ends: 1:30 in both offsets are two moments."""
    summer, winter = (timezone(timedelta(hours=hours)) for hours in (-4, -5))
    half = timedelta(minutes=30)
    for zone in (summer, winter):
        start = datetime(2026, 11, 1, 1, 30, tzinfo=zone)
        booking = await booked(book, replace(wish(), starts_at=start, ends_at=start + half))
        assert booking.starts_at == start
        with pytest.raises(SlotTaken):
            await book.hold(replace(wish(), starts_at=start, ends_at=start + half))


async def test_of_person(book: Appointments) -> None:
    late = await booked(book, wish(begin=120))
    early = await booked(book, wish(begin=0, number="555 123 4567", name=" bob  SMITH "))
    await booked(book, wish(begin=240, number="+1 555 123 4568", name="Eve"))
    await book.hold(wish(begin=300))
    cancelled = await booked(book, wish(begin=360))
    await book.cancel(cancelled.id)
    assert await book.of_person("salon", NOON, number="+15551234567") == [early, late]
    assert await book.of_person("salon", NOON, number="5551234567") == [early, late]
    assert await book.of_person("salon", NOON, name="BOB SMITH") == [early, late]
    assert await book.of_person("salon", at(30), name="bob smith") == [late]
    assert await book.of_person("garage", NOON, name="bob smith") == []
    assert await book.of_person("salon", NOON, name="Bob Smith", number="+15551234568") == []
    for nobody in ({}, {"number": "anonymous"}, {"number": "4567"}, {"name": " "}):
        assert await book.of_person("salon", NOON, **nobody) == []


async def test_list_filters_and_pages(store: Store, clock: HandClock) -> None:
    book = store.appointments
    made = [await booked(book, wish(begin=60 * hour, name=f"Bob_{hour}")) for hour in range(5)]
    held = await book.hold(wish(begin=600, number="+15550001111"))
    cancelled = await book.cancel((await booked(book, wish(begin=660))).id)

    async def found(limit: int = 50, **filters: object) -> list[Booking]:
        pages, cursor = [], ""
        while True:
            page = await book.list(BookingFilter(**filters), limit=limit, cursor=cursor)  # type: ignore[arg-type]
            pages += page.items
            assert len(page.items) <= limit
            if not (cursor := page.next):
                return pages

    assert await found() == await found(limit=2) == await found(limit=5) == made
    assert await found(states=(HELD, CANCELLED)) == [held, cancelled]
    assert await found(states=(HELD,), number="0001111") == []
    assert await found(states=(HELD,), number="1 555 000 1111") == [held]
    assert await found(agent="garage") == []
    assert await found(since=at(90), until=at(180)) == made[2:3]
    assert await found(name="OB_3") == made[3:4]
    assert await found(name="%") == []
    assert await found(call_id="CA1") == made
    clock.tick(HOLD_S)
    assert await found(states=(HELD,)) == []
    (expired,) = await found(states=(EXPIRED,))
    assert expired == replace(held, state=EXPIRED)
    assert await book.calendar("salon", NOON) == [*made, cancelled]


@pytest.mark.parametrize("cursor", ["x", "é", "bnVsbA", "WzEsMl0", "WyIyMDI2LTAxLTAxIiwgIngiXQ"])
async def test_odd_cursors(store: Store, cursor: str) -> None:
    for books in (store.appointments, store.calls, store.messages):
        with pytest.raises(BadCursor):
            await books.list(cursor=cursor)


async def test_odd_words_survive(book: Appointments) -> None:
    booking = await booked(book, wish(name='Zoë\0 "👍" \ud83d', number="\0"))
    assert booking.name == 'Zoë "👍" ?'
    assert await book.of_person("salon", NOON, name='ZOË\0 "👍" ?') == [booking]
