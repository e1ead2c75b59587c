"""The books of the business, as the desk needs them: appointments, messages, escalations.

``services.store`` keeps them in a database. All times are aware and in UTC; texts hold what callers
said and stand in no log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

HOLD_S = 120
"""How long a slot is kept free for a caller who has not confirmed it."""


class BookingState(Enum):
    """``held``: kept free for a caller who has not confirmed yet, for a short while."""

    HELD = "held"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # a hold that was never confirmed


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment. ``id`` is short enough to be read out; ``agent`` is the agent file's name
    without its suffix. ``replaces`` is the booking that a hold would move. ``sequence`` counts its
    changes, as iCalendar wants it."""

    id: str
    agent: str
    service: str
    starts_at: datetime
    ends_at: datetime
    state: BookingState
    name: str = ""
    number: str = ""
    call_id: str = ""
    held_until: datetime | None = None
    replaces: str = ""
    sequence: int = 0
    created_at: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewHold:
    """A slot that a caller wants. ``lanes``: how many appointments the business can have at once.

    ``key`` makes a repeated hold the same one."""

    agent: str
    service: str
    starts_at: datetime
    ends_at: datetime
    lanes: int
    name: str
    number: str
    call_id: str
    key: str
    replaces: str = ""


class SlotTaken(Exception):
    """Somebody else has it."""


class NoSuchBooking(LookupError):
    """There is none with this id, or it is in no state in which that could be done with it."""


class Appointments(Protocol):
    """The appointment book. Each method is one transaction: it happens wholly or not at all."""

    async def taken(
        self, agent: str, begin: datetime, end: datetime, *, but: str = ""
    ) -> Sequence[tuple[datetime, datetime]]:
        """What overlaps the stretch: confirmed bookings and holds that have not expired, one entry
        for each; not the booking ``but`` nor holds that would replace it."""

    async def hold(self, wish: NewHold) -> Booking:
        """Hold a slot for HOLD_S seconds. The same key gives the same hold. Raises SlotTaken, and
        NoSuchBooking for a ``replaces`` that is not confirmed."""

    async def confirm(self, booking_id: str) -> Booking:
        """Make a hold a booking; one that replaces another moves that one (which keeps its id) and
        is gone itself. A confirmed booking stays as it is. An expired hold is still good if the
        slot is free. Raises SlotTaken and NoSuchBooking."""

    async def release(self, booking_id: str) -> None:
        """Give a hold up. Anything else stays as it is."""

    async def cancel(self, booking_id: str) -> Booking:
        """Cancel a booking; a cancelled one stays so. Raises NoSuchBooking."""

    async def get(self, booking_id: str) -> Booking | None:
        """The booking with this id."""

    async def of_person(
        self, agent: str, after: datetime, *, number: str = "", name: str = ""
    ) -> Sequence[Booking]:
        """Confirmed bookings that end after the moment and were made for this number (compared by
        digits) or name (compared without case), soonest first; both, if both are given."""


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What a caller left. ``complete`` is False for what a hang-up cut off."""

    agent: str
    call_id: str
    caller: str
    name: str
    number: str
    text: str
    urgent: bool = False
    complete: bool = True


class Messages(Protocol):
    """The message book."""

    async def add(self, message: NewMessage) -> bool:
        """Keep a message; False if the same one was kept before. A complete message takes the
        place of an incomplete one of the same call whose words it holds."""


class Handling(Enum):
    """How a caller gets to a person."""

    COLD = "cold"  # the phones are connected at once
    WARM = "warm"  # the person hears a summary and accepts with a key


@dataclass(frozen=True, slots=True)
class NewEscalation:
    """A caller is to be put through. ``by``: caller, rule, emergency, misunderstanding, api."""

    agent: str
    call_id: str
    caller: str
    name: str
    person: str
    number: str
    reason: str
    urgency: str
    handling: Handling
    by: str


class Escalations(Protocol):
    """Where callers are put through."""

    async def ask(self, wish: NewEscalation) -> None:
        """Put the caller through as soon as the reply in progress was said. One at a time: a second
        wish of a call takes the place of the first while that was not carried out."""


class Texts(Protocol):
    """Sends text messages."""

    @property
    def is_possible(self) -> bool:
        """Whether there is an account and a number to send from."""

    async def send(self, call_id: str, to: str, text: str, key: str) -> bool:
        """Send it, once for each call and key; False if it was refused. Never tried again by
        itself: it might arrive twice."""
