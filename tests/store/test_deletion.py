"""Deletion by number and by age: what goes, what stays, which files are left to unlink."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from services.call.effects import Speaker
from services.receptionist.books import Handling, NewEscalation, NewMessage
from services.store import (
    BookingFilter,
    CallEnd,
    Deleted,
    Direction,
    NewCall,
    Store,
    StoredTool,
    StoredTurn,
    upkeep,
)
from services.store.matching import same_number
from services.store.tables import metadata
from tests.store.clock import HandClock, wish
from tests.store.soundness import check_bookings

BOB, EVE, US = "+15551234567", "+15557654321", "+15550009999"
DAY = timedelta(days=1)


async def a_call(store: Store, call_id: str, person: str, outbound: bool = False) -> None:
    """A call in which everything happens that leaves something behind."""
    numbers = (US, person) if outbound else (person, US)
    direction = Direction.OUTBOUND if outbound else Direction.INBOUND
    await store.calls.start(
        NewCall(call_id, "salon", direction, caller=numbers[0], called=numbers[1])
    )
    await store.calls.update(call_id, journal=f"{call_id}.jsonl", recording=f"{call_id}.wav")
    await store.calls.add_turn(StoredTurn(call_id, 1, Speaker.CALLER, "I am Bob"))
    await store.calls.add_tool(StoredTool(call_id, "k", "confirm", {}, "ok"))
    await store.messages.add(NewMessage("salon", call_id, person, "Bob", person, "Call me"))
    await store.texts.claim(call_id, "k", person, "Booked.")
    await store.escalations.add(
        NewEscalation(
            *("salon", call_id, person, "Bob", "Ann", US, "a leak", "high"), Handling.WARM, "rule"
        )
    )
    await store.calls.finish(call_id, CallEnd("hangup"))


async def everything(store: Store) -> str:
    """All that stands in the database."""

    def dump(db: Connection) -> str:
        tables = metadata.sorted_tables
        return "\n".join(str(db.execute(select(table)).all()) for table in tables)

    return await store._db.read(dump)


async def count(store: Store, *, of: str = "") -> dict[str, int]:
    def counts(db: Connection) -> dict[str, int]:
        return {
            name: db.scalar(select(func.count()).select_from(table)) or 0
            for name, table in metadata.tables.items()
            if not of or name == of
        }

    return await store._db.read(counts)


async def test_deletion_by_number(store: Store, clock: HandClock) -> None:
    await a_call(store, "CA1", BOB)
    await a_call(store, "OUT1", BOB, outbound=True)
    await a_call(store, "CA2", EVE)
    # Bob left his number in Eve's call, too, and had a text.
    await store.messages.add(NewMessage("salon", "CA2", EVE, "Bob", "555 123 4567", "Me too"))
    await store.texts.claim("CA2", "k2", BOB, "Booked.")
    book = store.appointments
    past = await book.confirm((await book.hold(wish(f"cut:Bob:{BOB}", number=BOB))).id)
    # The server did not get to put these on record, and this one is not over.
    lone = NewEscalation(
        *("salon", "CA9", BOB, "Bob", "Ann", US, "a leak", "high"), Handling.WARM, "rule"
    )
    await store.escalations.add(lone)
    await store.calls.start(NewCall("CA3", "salon", caller=BOB, called=US))
    by_call = await book.confirm((await book.hold(wish(begin=60, call_id="OUT1", number=""))).id)
    eves = await book.confirm((await book.hold(wish(begin=90, number=EVE, name="Eve"))).id)
    clock.tick(2 * DAY.total_seconds())
    coming = await book.confirm((await book.hold(wish(begin=9000, number=BOB))).id)
    await book.hold(wish(begin=9060, number=BOB))

    deleted = await store.delete_number("(555) 123-4567")
    files = ("CA1.jsonl", "CA1.wav", "OUT1.jsonl", "OUT1.wav")
    assert tuple(sorted(deleted.files)) == files
    assert replace(deleted, files=()) == Deleted(
        calls=2, messages=3, texts=3, bookings=2, upcoming=1, active=1
    )
    await store.calls.finish("CA3", CallEnd("hangup"))
    assert await store.delete_number(BOB) == Deleted(calls=1, upcoming=1)
    for booking in (past, by_call):
        kept = await book.get(booking.id)
        assert kept == replace(booking, name="", number="")
    assert await book.get(eves.id) == eves
    assert await book.get(coming.id) == coming
    assert (await store.calls.list()).items[0].id == "CA2"
    counts = await count(store)
    rest = {"calls": 1, "turns": 1, "tool_calls": 1, "messages": 1, "texts": 1, "escalations": 1}
    assert {name: counts[name] for name in rest} == rest
    await check_bookings(store)

    await book.cancel(coming.id)
    assert await store.delete_number(BOB) == Deleted(bookings=1)
    assert await store.delete_number(BOB) == Deleted()
    assert BOB[2:] not in await everything(store)


async def test_what_was_deleted_is_not_in_sqlites_files_either(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/calls.db")
    await a_call(store, "CA1", BOB)
    await a_call(store, "CA2", EVE)
    await store.appointments.hold(wish(f"cut:Bob:{BOB}", number=BOB))
    await store.delete_number(BOB)
    files = await asyncio.to_thread(
        lambda: b"".join(path.read_bytes() for path in tmp_path.iterdir())
    )
    assert BOB[2:].encode() not in files
    assert EVE[2:].encode() in files
    await store.close()


@pytest.mark.parametrize("number", ["", "anonymous", "4567", US, "+495551234567"])
async def test_numbers_of_nobody_delete_nothing(store: Store, number: str) -> None:
    await a_call(store, "CA1", BOB)
    before = await everything(store)
    deleted = await store.delete_number(number)
    assert deleted == Deleted()
    assert await everything(store) == before


async def test_deletion_of_a_call(store: Store) -> None:
    await a_call(store, "CA1", BOB)
    await a_call(store, "CA2", BOB)
    booking = await store.appointments.confirm((await store.appointments.hold(wish())).id)
    deleted = await store.delete_call("CA1")
    assert deleted == Deleted(calls=1, messages=1, texts=1, files=("CA1.wav", "CA1.jsonl"))
    assert await store.delete_call("CA1") == Deleted()
    assert (await count(store, of="turns"))["turns"] == 1
    assert await store.appointments.get(booking.id) == booking


async def test_deletion_by_age(
    store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BATCH", 2)
    book = store.appointments
    for number in range(5):
        await a_call(store, f"CA{number}", BOB)
    await store.calls.start(NewCall("live", "salon", caller=BOB))
    old = await book.confirm((await book.hold(wish())).id)
    await book.hold(wish(begin=60))
    coming = await book.confirm((await book.hold(wish(begin=60 * 24 * 40))).id)
    clock.tick(10 * DAY.total_seconds())
    await a_call(store, "new", EVE)
    assert await store.delete_older(0) == Deleted()
    assert await store.delete_older(11) == Deleted()
    deleted = await store.delete_older(7)
    assert len(deleted.files) == 10
    assert replace(deleted, files=()) == Deleted(calls=5, messages=5, texts=5, bookings=1)
    kept = await book.get(old.id)
    assert kept == replace(old, name="", number="")
    assert await book.get(coming.id) == coming
    assert {call.id for call in (await store.calls.list()).items} == {"live", "new"}
    page = await book.list(BookingFilter(states=tuple(type(old.state))))
    assert len(page.items) == 2
    assert await count(store, of="turns") == {"turns": 1}
    assert await store.delete_older(7) == Deleted()
    await check_bookings(store)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+15551234567", "(555) 123-4567", True),
        ("+15551234567", "001 555 123 4567", True),
        ("+442079460958", "020 7946 0958", True),
        ("+4712345678", "12345678", True),
        ("+15551234567", "+15551234568", False),
        ("+15551234567", "1234567", False),
        ("+15551234567", "+495551234567", False),
        ("112", "112", True),
        ("", "", False),
        ("anonymous", "anonymous", False),
    ],
)
def test_the_same_number(one: str, other: str, same: bool) -> None:
    assert same_number(one, other) == same_number(other, one) == same


def test_what_was_deleted_adds_up() -> None:
    one = Deleted(1, 2, 3, 4, 5, 6, ("a",))
    assert one + Deleted(1, files=("b",)) == Deleted(2, 2, 3, 4, 5, 6, ("a", "b"))
