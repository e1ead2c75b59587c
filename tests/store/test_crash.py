"""What the start after a crash makes of calls and holds: the record says what they came to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from services.receptionist.books import Booking, NewMessage
from services.store import CallEnd, NewCall, Store, StoredCall, StoredTool
from tests.store.clock import wish

Work = Callable[[Store], Awaitable[None]]


async def booked(store: Store, call_id: str, begin: float = 0, replaces: str = "") -> Booking:
    held = await store.appointments.hold(
        wish(f"{begin}", begin, call_id=call_id, replaces=replaces)
    )
    return await store.appointments.confirm(held.id)


async def stored(store: Store) -> StoredCall:
    call = await store.calls.get("CA1")
    assert call is not None
    return call


async def a_hold(store: Store) -> None:
    await store.appointments.hold(wish("k", call_id="CA1"))


async def a_booking(store: Store) -> None:
    await booked(store, "CA1")


async def a_change(store: Store) -> None:
    await booked(store, "CA1", 60, replaces=(await booked(store, "CA1")).id)


async def a_change_of_an_older_one(store: Store) -> None:
    await booked(store, "CA1", 60, replaces=(await booked(store, "CA0")).id)


async def a_cancellation(store: Store) -> None:
    await store.appointments.cancel((await booked(store, "CA1")).id)


async def a_cancellation_of_an_older_one(store: Store) -> None:
    await store.appointments.cancel((await booked(store, "CA0")).id)
    for at_ms, tool in enumerate(("change_appointment", "cancel_appointment", "confirm")):
        await store.calls.add_tool(StoredTool("CA1", tool, tool, {}, "ok", at_ms=at_ms))


async def a_message(store: Store) -> None:
    await store.messages.add(NewMessage("salon", "CA1", "+15551234567", "Bob", "", "Call me."))


@pytest.mark.parametrize(
    ("work", "outcome"),
    [
        (a_hold, "failed"),
        (a_booking, "booked"),
        (a_change, "changed"),
        (a_change_of_an_older_one, "changed"),
        (a_cancellation, "cancelled"),
        (a_cancellation_of_an_older_one, "cancelled"),
        (a_message, "message"),
    ],
)
async def test_a_call_that_broke_off_has_the_outcome_that_the_books_tell(
    store: Store, work: Work, outcome: str
) -> None:
    await store.calls.start(NewCall("CA1", "salon"))
    await work(store)
    assert await store.close_crashed() == 1
    call = await stored(store)
    assert (call.end_reason, call.outcome) == ("crash", outcome)


@pytest.mark.parametrize(("later", "outcome"), [("answered", "booked"), ("cancelled", "cancelled")])
async def test_a_call_that_goes_on_after_a_crash_keeps_what_it_had_achieved(
    store: Store, later: str, outcome: str
) -> None:
    await store.calls.start(NewCall("CA1", "salon"))
    await a_booking(store)
    await store.close_crashed()
    assert await store.calls.finish("CA1", CallEnd("caller: stop", outcome=later))
    call = await stored(store)
    assert (call.end_reason, call.outcome) == ("caller: stop", outcome)


async def test_what_was_held_when_the_server_died_is_free_at_once(store: Store) -> None:
    held = await store.appointments.hold(wish("k", call_id="CA1"))
    await store.close_crashed()
    other = await store.appointments.hold(wish("k", call_id="CA2"))
    assert other.id != held.id


async def test_a_process_on_its_way_out_can_still_confirm_what_nobody_took(store: Store) -> None:
    held = await store.appointments.hold(wish("k", call_id="CA1"))
    await store.close_crashed()
    assert (await store.appointments.confirm(held.id)).id == held.id
