"""The books of a business in memory, honouring the contracts of ``services.receptionist.books``.

Every method stops twice: before its transaction and after it. ``on_step`` is awaited there with the
method's name, so that a test may cancel, delay or fail what is going on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from services.receptionist.agent import Agent
from services.receptionist.books import (
    HOLD_S,
    Booking,
    BookingState,
    NewEscalation,
    NewHold,
    NewMessage,
    NoSuchBooking,
    SlotTaken,
)
from services.receptionist.desk import ReceptionDesk

Now = Callable[[], datetime]
OnStep = Callable[[str], Awaitable[None]]


async def _yield(step: str) -> None:
    await asyncio.sleep(0)


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """``move(minutes=3)``; the names are those of ``timedelta``."""
        self.now += timedelta(**by)


class MemoryAppointments:
    """The appointment book. ``rows`` holds every booking that ever was, by id."""

    def __init__(self, now: Now, on_step: OnStep = _yield) -> None:
        self.now = now
        self.on_step = on_step
        self.rows: dict[str, Booking] = {}
        self.keys: dict[str, str] = {}
        self.lanes: dict[str, int] = {}
        self.moved: dict[str, str] = {}

    def in_state(self, state: BookingState) -> list[Booking]:
        """The bookings in a state; holds whose time is over count as expired."""
        return [row for row in self.rows.values() if self._state(row) is state]

    async def taken(
        self, agent: str, begin: datetime, end: datetime, *, but: str = ""
    ) -> Sequence[tuple[datetime, datetime]]:
        await self.on_step("taken")
        found = [
            (row.starts_at, row.ends_at) for row in self._overlapping(agent, begin, end, but=but)
        ]
        await self.on_step("taken")
        return found

    async def hold(self, wish: NewHold) -> Booking:
        await self.on_step("hold")
        booking = self._hold(wish)
        await self.on_step("hold")
        return booking

    async def confirm(self, booking_id: str) -> Booking:
        await self.on_step("confirm")
        booking = self._confirm(booking_id)
        await self.on_step("confirm")
        return booking

    async def release(self, booking_id: str) -> None:
        await self.on_step("release")
        row = self.rows.get(booking_id)
        if row and row.state is BookingState.HELD:
            self.rows[booking_id] = replace(row, state=BookingState.EXPIRED, held_until=None)
        await self.on_step("release")

    async def cancel(self, booking_id: str) -> Booking:
        await self.on_step("cancel")
        row = self.rows.get(booking_id)
        if row is None or row.state not in (BookingState.CONFIRMED, BookingState.CANCELLED):
            raise NoSuchBooking(booking_id)
        if row.state is BookingState.CONFIRMED:
            row = self._changed(row, state=BookingState.CANCELLED, sequence=row.sequence + 1)
        await self.on_step("cancel")
        return row

    async def get(self, booking_id: str) -> Booking | None:
        await self.on_step("get")
        row = self.rows.get(booking_id)
        await self.on_step("get")
        return row

    async def of_person(
        self, agent: str, after: datetime, *, number: str = "", name: str = ""
    ) -> Sequence[Booking]:
        await self.on_step("of_person")
        found = [
            row
            for row in self.in_state(BookingState.CONFIRMED)
            if row.agent == agent
            and row.ends_at > after
            and (number or name)
            and (not number or _digits(row.number) == _digits(number))
            and (not name or row.name.casefold() == name.casefold())
        ]
        await self.on_step("of_person")
        return sorted(found, key=lambda row: row.starts_at)

    def put(self, booking: Booking) -> Booking:
        """Write a booking in, as it is."""
        self.rows[booking.id] = booking
        return booking

    def _state(self, row: Booking) -> BookingState:
        over = row.held_until is not None and row.held_until <= self.now()
        return BookingState.EXPIRED if row.state is BookingState.HELD and over else row.state

    def _overlapping(
        self, agent: str, begin: datetime, end: datetime, *, but: str = ""
    ) -> list[Booking]:
        return [
            row
            for row in self.rows.values()
            if row.agent == agent
            and self._state(row) in (BookingState.CONFIRMED, BookingState.HELD)
            and row.starts_at < end
            and row.ends_at > begin
            and not (but and but in (row.id, row.replaces))
        ]

    def _hold(self, wish: NewHold) -> Booking:
        known = self.rows.get(self.keys.get(wish.key, ""))
        if known and self._state(known) is not BookingState.EXPIRED:
            return known
        if wish.replaces:
            replaced = self.rows.get(wish.replaces)
            if replaced is None or replaced.state is not BookingState.CONFIRMED:
                raise NoSuchBooking(wish.replaces)
        self._check_free(wish.agent, wish.starts_at, wish.ends_at, wish.lanes, wish.replaces)
        now = self.now().astimezone(UTC)
        booking = Booking(
            id=f"R{len(self.rows) + len(self.moved) + 1:03}",
            agent=wish.agent,
            service=wish.service,
            starts_at=wish.starts_at,
            ends_at=wish.ends_at,
            state=BookingState.HELD,
            name=wish.name,
            number=wish.number,
            call_id=wish.call_id,
            held_until=now + timedelta(seconds=HOLD_S),
            replaces=wish.replaces,
            created_at=now,
            changed_at=now,
        )
        self.rows[booking.id] = booking
        self.keys[wish.key] = booking.id
        self.lanes[booking.id] = wish.lanes
        return booking

    def _confirm(self, booking_id: str) -> Booking:
        row = self.rows.get(self.moved.get(booking_id, booking_id))
        if row is None or row.state is BookingState.CANCELLED:
            raise NoSuchBooking(booking_id)
        if row.state is BookingState.CONFIRMED:
            return row
        if row.state is BookingState.EXPIRED and row.held_until is None:
            raise NoSuchBooking(booking_id)
        if self._state(row) is BookingState.EXPIRED:
            lanes, own = self.lanes.get(booking_id, 1), row.replaces or booking_id
            self._check_free(row.agent, row.starts_at, row.ends_at, lanes, own)
        if not row.replaces:
            return self._changed(row, state=BookingState.CONFIRMED, held_until=None)
        old = self.rows[row.replaces]
        if old.state is not BookingState.CONFIRMED:
            raise NoSuchBooking(row.replaces)
        del self.rows[booking_id]
        self.moved[booking_id] = old.id
        return self._changed(
            old,
            service=row.service,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            sequence=old.sequence + 1,
        )

    def _check_free(self, agent: str, begin: datetime, end: datetime, lanes: int, but: str) -> None:
        others = self._overlapping(agent, begin, end, but=but)
        for moment in [begin, *(row.starts_at for row in others if row.starts_at > begin)]:
            if sum(row.starts_at <= moment < row.ends_at for row in others) >= lanes:
                raise SlotTaken

    def _changed(self, row: Booking, **changes: object) -> Booking:
        now = self.now().astimezone(UTC)
        booking = replace(row, **changes, changed_at=now)  # type: ignore[arg-type]
        self.rows[row.id] = booking
        return booking


@dataclass
class MemoryMessages:
    """The message book; ``kept`` is in the order of arrival."""

    on_step: OnStep = _yield
    kept: list[NewMessage] = field(default_factory=list)

    async def add(self, message: NewMessage) -> bool:
        await self.on_step("add")
        if message in self.kept:
            return False
        self.kept.append(message)
        await self.on_step("add")
        return True


@dataclass
class MemoryEscalations:
    """Where callers are put through; the last wish of a call counts."""

    on_step: OnStep = _yield
    asked: list[NewEscalation] = field(default_factory=list)

    async def ask(self, wish: NewEscalation) -> None:
        await self.on_step("ask")
        self.asked.append(wish)
        await self.on_step("ask")


@dataclass
class MemoryTexts:
    """Text messages. ``sent`` holds (to, text) of those that were accepted."""

    is_possible: bool = True
    accepts: bool = True
    on_step: OnStep = _yield
    sent: list[tuple[str, str]] = field(default_factory=list)
    keys: set[tuple[str, str]] = field(default_factory=set)

    async def send(self, call_id: str, to: str, text: str, key: str) -> bool:
        await self.on_step("send")
        if (call_id, key) in self.keys:
            return True
        if not self.accepts:
            return False
        self.keys.add((call_id, key))
        self.sent.append((to, text))
        await self.on_step("send")
        return True


class MemoryBooks:
    """All of them, with one clock and one hook."""

    def __init__(self, now: Now, on_step: OnStep = _yield) -> None:
        self.appointments = MemoryAppointments(now, on_step)
        self.messages = MemoryMessages(on_step)
        self.escalations = MemoryEscalations(on_step)
        self.texts = MemoryTexts(on_step=on_step)
        self._now = now

    def desk(self, agent: Agent, caller: str = "+15551234567") -> ReceptionDesk:
        """The desk of a call, with these books."""
        return ReceptionDesk(
            agent,
            "receptionist",
            appointments=self.appointments,
            messages=self.messages,
            escalations=self.escalations,
            texts=self.texts,
            call_id="CA1",
            caller=caller,
            now=self._now,
        )

    def hook(self, on_step: OnStep) -> None:
        """Await this from now on."""
        for book in (self.appointments, self.messages, self.escalations, self.texts):
            book.on_step = on_step
