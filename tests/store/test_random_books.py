"""The appointment book against a simple model of it, over random histories."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.receptionist.books import (
    HOLD_S,
    Booking,
    BookingState,
    NewHold,
    NoSuchBooking,
    SlotTaken,
)
from services.store import BookingFilter, Store
from tests.store.clock import HandClock, at, wish
from tests.store.soundness import check_bookings

Span = tuple[int, int]
SPANS = st.tuples(st.integers(0, 12), st.integers(1, 6)).map(lambda it: (it[0] * 5, sum(it) * 5))
WHICH = st.integers(0, 7)
STEPS = st.one_of(
    st.tuples(st.just("hold"), SPANS),
    st.tuples(st.just("change"), WHICH, SPANS),
    st.tuples(st.just("move"), WHICH, SPANS),
    st.tuples(st.sampled_from(["confirm", "confirm", "release", "cancel", "repeat"]), WHICH),
    st.tuples(st.just("wait"), st.sampled_from([HOLD_S // 2, HOLD_S])),
)


@dataclass
class Entry:
    """A booking in the model. ``state``: held, lapsed, given_up, moved, confirmed, cancelled."""

    span: Span
    state: str = "held"
    until: float = 0.0
    replaces: int | None = None


@dataclass
class Model:
    """What a book with one lane should do."""

    now: float = 0.0
    entries: list[Entry] = field(default_factory=list)

    def busy(self, but: int | None = None) -> list[Span]:
        """The busy stretches, without a booking and the holds that would move it."""
        return sorted(
            entry.span
            for number, entry in enumerate(self.entries)
            if entry.state in ("held", "confirmed")
            and (but is None or (number != but and entry.replaces != but))
        )

    def is_free(self, span: Span, but: int | None, beside: int | None = None) -> bool:
        """Whether nobody has it; not counting a booking, and the cells that it shares with a hold
        that would move it."""
        return not any(
            span[0] < entry.span[1] and entry.span[0] < span[1]
            for number, entry in enumerate(self.entries)
            if entry.state in ("held", "confirmed") and number not in (but, beside)
        )

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for entry in self.entries:
            if entry.state == "held" and entry.until <= self.now:
                entry.state = "lapsed"


class Both:
    """Does each step in the book and in the model, and compares."""

    def __init__(self, store: Store, clock: HandClock, agent: str) -> None:
        self.book, self.clock, self.agent = store.appointments, clock, agent
        self.model = Model()
        self.ids: list[str] = []
        self.wishes: list[NewHold] = []

    async def step(self, step: tuple[Any, ...]) -> None:
        if step[0] == "wait":
            self.clock.tick(step[1])
            self.model.wait(step[1])
        elif step[0] == "hold":
            await self.hold(step[1], None)
        elif self.ids:
            name, number, *rest = step
            await getattr(self, name)(number % len(self.ids), *rest)

    async def hold(self, span: Span, replaces: int | None) -> None:
        key = f"k{len(self.ids)}"
        target = "" if replaces is None else self.ids[replaces]
        new = wish(key, span[0], span[1] - span[0], agent=self.agent, call_id=self.agent)
        new = NewHold(**{**_fields(new), "replaces": target})
        model = self.model
        expected: type[Exception] | None = None
        given_up: list[Entry] = []
        if replaces is not None:
            given_up = [
                entry
                for entry in model.entries
                if entry.replaces == replaces and entry.state in ("held", "lapsed")
            ]
            if model.entries[replaces].state != "confirmed":
                expected = NoSuchBooking
        if expected is None and not model.is_free(span, replaces, _held_for(model, replaces)):
            expected = SlotTaken
        made = await _outcome(self.book.hold(new), expected)
        if made is None:
            return
        for entry in given_up:
            entry.state = "given_up" if entry.state == "held" else entry.state
        model.entries.append(Entry(span, "held", model.now + HOLD_S, replaces))
        self.ids.append(made.id)
        self.wishes.append(new)

    async def change(self, number: int, span: Span) -> None:
        await self.hold(span, number)

    async def repeat(self, number: int) -> None:
        """The same hold again, while it is one: it stays as it is."""
        entry = self.model.entries[number]
        if entry.state in ("held", "confirmed"):
            again = await self.book.hold(self.wishes[number])
            assert again.id == self.ids[number]

    async def confirm(self, number: int) -> None:
        model, entry = self.model, self.model.entries[number]
        target = None if entry.replaces is None else model.entries[entry.replaces]
        expected: type[Exception] | None = None
        if entry.state in ("cancelled", "given_up") or target and target.state != "confirmed":
            expected = NoSuchBooking
        elif entry.state == "lapsed" and not model.is_free(entry.span, number, entry.replaces):
            expected = SlotTaken
        made = await _outcome(self.book.confirm(self.ids[number]), expected)
        if made is None:
            return
        if target is None:
            entry.state = "confirmed"
        elif entry.state != "moved":
            target.span, entry.state = entry.span, "moved"
        assert made.id == self.ids[number if entry.replaces is None else entry.replaces]

    async def move(self, number: int, span: Span) -> None:
        entry = self.model.entries[number]
        expected: type[Exception] | None = None
        if entry.state != "confirmed":
            expected = NoSuchBooking
        elif span != entry.span and not self.model.is_free(
            span, number, _held_for(self.model, number)
        ):
            expected = SlotTaken
        if await _outcome(self.book.move(self.ids[number], at(span[0]), at(span[1]), 1), expected):
            if span != entry.span:
                self.give_up_holds_for(number)
            entry.span = span

    def give_up_holds_for(self, number: int) -> None:
        for other in self.model.entries:
            if other.replaces == number and other.state == "held":
                other.state = "given_up"

    async def release(self, number: int) -> None:
        entry = self.model.entries[number]
        await self.book.release(self.ids[number])
        if entry.state in ("held", "lapsed"):
            entry.state = "given_up"

    async def cancel(self, number: int) -> None:
        entry = self.model.entries[number]
        good = entry.state in ("confirmed", "cancelled")
        if await _outcome(self.book.cancel(self.ids[number]), None if good else NoSuchBooking):
            self.give_up_holds_for(number)
            entry.state = "cancelled"

    async def compare(self) -> None:
        found = await self.book.taken(self.agent, at(-600), at(600))
        assert sorted((_minute(begin), _minute(end)) for begin, end in found) == self.model.busy()
        states = tuple(BookingState)
        page = await self.book.list(BookingFilter(self.agent, states=states), limit=500)
        seen = {booking.id: booking for booking in page.items}
        for booking_id, entry in zip(self.ids, self.model.entries, strict=True):
            if entry.state == "moved":
                assert booking_id not in seen
                continue
            shown = {"lapsed": "expired", "given_up": "expired"}.get(entry.state, entry.state)
            assert seen[booking_id].state.value == shown
            span = (seen[booking_id].starts_at, seen[booking_id].ends_at)
            assert span == (at(entry.span[0]), at(entry.span[1]))


def _fields(new: NewHold) -> dict[str, Any]:
    return {name: getattr(new, name) for name in NewHold.__slots__}


def _held_for(model: Model, replaces: int | None) -> int | None:
    """The hold that a new one for the same booking takes the place of: there is one at most."""
    held = [
        number
        for number, entry in enumerate(model.entries)
        if replaces is not None and entry.replaces == replaces and entry.state == "held"
    ]
    return held[0] if held else None


def _minute(moment: Any) -> int:
    return int((moment - at(0)).total_seconds() // 60)


async def _outcome(attempt: Any, expected: type[Exception] | None) -> Booking | None:
    """The booking, or None if it was refused as expected."""
    made, refused = None, None
    try:
        made = await attempt
    except (SlotTaken, NoSuchBooking) as error:
        refused = type(error)
    assert refused is expected
    return made


def test_random_histories(url: str) -> None:
    clock = HandClock()
    agents = (f"agent {number}" for number in itertools.count())
    with asyncio.Runner() as runner:
        store = runner.run(Store.open(url, now=clock))

        async def run(steps: list[tuple[Any, ...]]) -> None:
            both = Both(store, clock, next(agents))
            for step in steps:
                await both.step(step)
            await both.compare()

        @settings(max_examples=60, deadline=None)
        @given(st.lists(STEPS, max_size=25))
        def histories(steps: list[tuple[Any, ...]]) -> None:
            runner.run(run(steps))

        try:
            histories()
            runner.run(check_bookings(store))
        finally:
            runner.run(store.close())
