"""Messages, escalations and texts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.receptionist.books import Handling, NewEscalation, NewMessage
from services.store import EscalationState, MessageFilter, Store, TextState
from tests.store.clock import NOON, HandClock

WHOLE = NewMessage("salon", "CA1", "+15550001111", "Bob", "5551234567", "Call me back tomorrow")
HALF = replace(WHOLE, name="", number="", text="call me  back", complete=False)
WISH = NewEscalation(
    *("salon", "CA1", "+15550001111", "Bob", "Eve", "+15550002222", "a leak", "high"),
    Handling.WARM,
    "caller",
)


async def texts_of(store: Store, **filters: object) -> list[str]:
    page = await store.messages.list(MessageFilter(**filters))  # type: ignore[arg-type]
    return [message.text for message in page.items]


async def test_a_message(store: Store) -> None:
    assert await store.messages.add(replace(WHOLE, urgent=True))
    (message,) = (await store.messages.list()).items
    assert (message.agent, message.call_id, message.caller) == ("salon", "CA1", "+15550001111")
    assert (message.name, message.number, message.text) == ("Bob", "5551234567", WHOLE.text)
    assert (message.urgent, message.complete) == (True, True)
    assert (message.at, message.done_at) == (NOON, None)
    assert await store.messages.get(message.id) == message


async def test_a_message_is_kept_once(store: Store) -> None:
    assert await store.messages.add(WHOLE)
    assert not await store.messages.add(WHOLE)
    assert await store.messages.add(replace(WHOLE, call_id="CA2"))
    added = await asyncio.gather(*(store.messages.add(replace(HALF, call_id="CA3")),) * 1)
    assert added == [True]
    many = [store.messages.add(replace(WHOLE, call_id="CA4")) for _ in range(8)]
    assert sum(await asyncio.gather(*many)) == 1
    assert len((await store.messages.list()).items) == 4


async def test_a_whole_message_takes_the_place_of_its_half(store: Store) -> None:
    assert await store.messages.add(HALF)
    assert await store.messages.add(replace(HALF, name="bob"))
    assert await store.messages.add(WHOLE)
    (message,) = (await store.messages.list()).items
    assert (message.text, message.name, message.complete) == (WHOLE.text, "Bob", True)
    assert not await store.messages.add(HALF)


@pytest.mark.parametrize(
    "other",
    [
        replace(HALF, text="Something else"),
        replace(HALF, text="all me"),
        replace(HALF, name="Eve"),
        replace(HALF, number="5550000000"),
        replace(HALF, call_id="CA2"),
    ],
)
async def test_another_half_stays(store: Store, other: NewMessage) -> None:
    assert await store.messages.add(other)
    assert await store.messages.add(WHOLE)
    assert await texts_of(store, call_id=other.call_id) != [WHOLE.text]
    assert len((await store.messages.list()).items) == 2


async def test_marks_and_deletion(store: Store, clock: HandClock) -> None:
    await store.messages.add(WHOLE)
    (message,) = (await store.messages.list()).items
    clock.tick(5)
    done = await store.messages.mark(message.id, done=True)
    assert done == replace(message, done_at=NOON + timedelta(seconds=5))
    clock.tick(5)
    assert await store.messages.mark(message.id, done=True) == done
    assert await texts_of(store, done=True) == [WHOLE.text]
    assert await texts_of(store, done=False) == []
    assert await store.messages.mark(message.id, done=False) == message
    assert await store.messages.delete(message.id)
    assert not await store.messages.delete(message.id)
    assert await store.messages.get(message.id) is None
    assert await store.messages.mark(message.id, done=True) is None
    assert await texts_of(store) == []
    assert not await store.messages.add(WHOLE)
    assert not await store.messages.delete("none")


async def test_list_filters_and_pages(store: Store, clock: HandClock) -> None:
    for number in range(5):
        await store.messages.add(
            replace(WHOLE, call_id=f"CA{number}", text=str(number), urgent=number == 2)
        )
        clock.tick(60 if number % 2 else 0)
    everything = await texts_of(store)
    assert sorted(everything) == list("01234")
    assert everything[0] == "4"
    cursor, paged = "", []
    while True:
        page = await store.messages.list(limit=2, cursor=cursor)
        paged += [message.text for message in page.items]
        if not (cursor := page.next):
            break
    assert paged == everything
    assert await texts_of(store, urgent=True) == ["2"]
    assert await texts_of(store, agent="garage") == []
    assert await texts_of(store, call_id="CA3") == ["3"]
    assert await texts_of(store, since=NOON + timedelta(seconds=120)) == ["4"]
    assert sorted(await texts_of(store, until=NOON + timedelta(seconds=60))) == ["0", "1"]


async def test_a_warm_transfer_that_is_accepted(store: Store, clock: HandClock) -> None:
    book = store.escalations
    wish = await book.add(WISH)
    assert (wish.wish, wish.state, wish.asked_at) == (WISH, EscalationState.ASKED, NOON)
    for state in (
        *(EscalationState.DIALLING, EscalationState.ACCEPTED, EscalationState.CONNECTED),
    ):
        clock.tick(1)
        assert await book.set_state(wish.id, state)
        assert not await book.set_state(wish.id, state)
    found = await book.latest("CA1")
    assert found is not None
    seconds = [
        (moment - NOON).total_seconds()
        for moment in (found.dialled_at, found.accepted_at, found.settled_at)
        if moment
    ]
    assert (found.state, seconds) == (EscalationState.CONNECTED, [1, 2, 3])
    assert await book.get(wish.id) == found


S = EscalationState
ALLOWED = {
    S.ASKED: set(S) - {S.ASKED},
    S.DIALLING: set(S) - {S.ASKED, S.DIALLING},
    S.ACCEPTED: {S.CONNECTED, S.FAILED, S.WITHDRAWN},
}


async def test_transitions(store: Store) -> None:
    for start in S:
        for goal in S:
            wish = await store.escalations.add(replace(WISH, call_id=f"{start}{goal}"))
            if start is not S.ASKED:
                assert await store.escalations.set_state(wish.id, start)
            went = await store.escalations.set_state(wish.id, goal)
            assert went == (goal in ALLOWED.get(start, set()))
            found = await store.escalations.get(wish.id)
            assert found is not None
            assert found.state is (goal if went else start)
            assert found.state.is_settled == (found.settled_at is not None)


async def test_a_second_wish_takes_the_place_of_the_first(store: Store) -> None:
    book = store.escalations
    first = await book.add(WISH)
    second = await book.add(replace(WISH, person="Ann"))
    other = await book.add(replace(WISH, call_id="CA2"))
    assert await book.latest("CA1") == second
    assert [one.state for one in await book.of_call("CA1")] == [S.WITHDRAWN, S.ASKED]
    await book.set_state(second.id, S.DIALLING)
    third = await book.add(WISH)
    assert [one.state for one in await book.of_call("CA1")] == [S.WITHDRAWN, S.DIALLING, S.ASKED]
    assert await book.get(other.id) == other
    assert len({first.id, second.id, third.id, other.id}) == 4


@pytest.mark.parametrize("unknown", ["", "x", "0", "99999999999999999999", "²", "-1", "1 "])
async def test_escalations_that_are_none(store: Store, unknown: str) -> None:
    await store.escalations.add(WISH)
    assert await store.escalations.get(unknown) is None
    assert not await store.escalations.set_state(unknown, S.FAILED)
    assert await store.escalations.latest("CA9") is None


async def test_a_text_is_claimed_once(store: Store, clock: HandClock) -> None:
    claims = [store.texts.claim("CA1", "k", "+15551234567", "Booked.") for _ in range(8)]
    assert sum(await asyncio.gather(*claims)) == 1
    assert await store.texts.claim("CA1", "k2", "+1", "More")
    assert await store.texts.claim("CA2", "k", "+1", "Other")
    clock.tick(2)
    assert await store.texts.settle("CA1", "k", TextState.SENT, sid="SM1")
    assert not await store.texts.settle("CA1", "k", TextState.FAILED)
    assert not await store.texts.settle("CA9", "k", TextState.FAILED)
    assert await store.texts.settle("CA1", "k2", TextState.FAILED, error="21610")
    sent, failed = await store.texts.of_call("CA1")
    assert (sent.to, sent.body, sent.state, sent.sid) == ("+15551234567", "Booked.", S_SENT, "SM1")
    assert (sent.at, sent.settled_at) == (NOON, NOON + timedelta(seconds=2))
    assert (failed.state, failed.error) == (TextState.FAILED, "21610")
    assert await store.texts.get("CA1", "k") == sent
    assert await store.texts.get("CA1", "none") is None


S_SENT = TextState.SENT
