"""What was proposed to a caller and waits for a yes, and the holds behind it.

At most one proposal for each purpose, but for cancellations: a new one frees what the one before
held.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from services.receptionist.books import (
    Appointments,
    Booking,
    BookingState,
    NewHold,
    NoSuchBooking,
    SlotTaken,
)
from services.receptionist.tools import ToolResult

_MOST_REPEATS = 20
"""How often one call can book the same slot anew."""


class Purpose(Enum):
    """What was proposed, by what will have been done."""

    BOOK = "booked"
    MOVE = "moved"
    CANCEL = "cancelled"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What ``confirm`` would do, and since which turn. ``booking`` is the hold or, for a
    cancellation, the appointment; ``result`` is what was said of it."""

    purpose: Purpose
    booking: Booking
    turn: int
    result: ToolResult


class Proposals:
    """The proposals of one call, by reference."""

    def __init__(self, book: Appointments) -> None:
        self._book = book
        self._open: dict[str, Proposal] = {}
        self._freed = 0
        """Counts what was freed: a hold wished for again after that is a new one."""
        self._unsure: NewHold | None = None
        """A hold that was cut off while it was made."""

    def __iter__(self) -> Iterator[Proposal]:
        return iter(tuple(self._open.values()))

    def get(self, reference: str) -> Proposal | None:
        """The proposal with a reference; without one, the only one that there is."""
        if not reference and len(self._open) == 1:
            return next(iter(self._open.values()))
        return self._open.get(reference)

    def to_confirm(self, reference: str) -> Proposal | None:
        """The same, or the one that would move the appointment with this reference."""
        moves = (one for one in self if reference and one.booking.replaces == reference)
        return self.get(reference) or next(moves, None)

    def add(self, proposal: Proposal) -> ToolResult:
        """Remember it; the result is what is said of it."""
        self._open[proposal.booking.id] = proposal
        return proposal.result

    def remove(self, proposal: Proposal) -> None:
        """It is carried out, or cannot be any more."""
        self._open.pop(proposal.booking.id, None)
        self._freed += 1

    def for_new_appointment(
        self, service: str, start: datetime, name: str, number: str, now: datetime
    ) -> Proposal | None:
        """The one for the same appointment, if its hold has not expired."""
        wanted = (service, start, name, number)
        for one in self:
            held = one.booking
            is_live = held.held_until is not None and held.held_until > now
            same = (held.service, held.starts_at, held.name, held.number) == wanted
            if one.purpose is Purpose.BOOK and is_live and same:
                return one
        return None

    def held_for(self, purpose: Purpose, but_for: tuple[str, datetime | None] = ("", None)) -> str:
        """The id of what is held for a purpose, or ''; not for this service at this time."""
        held = (one.booking for one in self if one.purpose is purpose)
        return next((one.id for one in held if (one.service, one.starts_at) != but_for), "")

    async def free(self, purpose: Purpose, only: str = "") -> None:
        """Forget what was proposed for a purpose, and give up what it held."""
        await self._settle()
        for proposal in self:
            if proposal.purpose is purpose and only in ("", proposal.booking.id):
                if purpose is not Purpose.CANCEL:
                    await self._book.release(proposal.booking.id)
                self.remove(proposal)

    async def hold(
        self,
        *,
        agent_id: str,
        service: str,
        start: datetime,
        end: datetime,
        lanes: int,
        name: str,
        number: str,
        call_id: str,
        replaces: str = "",
    ) -> Booking:
        """Hold a slot. The same wish of the call is the same hold, until that was given up or
        carried out. Raises SlotTaken and NoSuchBooking."""
        for _ in range(_MOST_REPEATS):
            wanted = (service, start.isoformat(), replaces, name, number, str(self._freed))
            wish = NewHold(
                *(agent_id, service, start, end, lanes, name, number, call_id),
                key=":".join(wanted),
                replaces=replaces,
            )
            self._unsure = wish
            try:
                held = await self._book.hold(wish)
            except (SlotTaken, NoSuchBooking):
                self._unsure = None
                raise
            self._unsure = None
            if held.state is BookingState.HELD:
                return held
            self._freed += 1  # an earlier desk of this call has booked under this key
        raise SlotTaken

    async def withdraw(self) -> None:
        """Give everything up that was not confirmed."""
        for purpose in Purpose:
            await self.free(purpose)

    async def _settle(self) -> None:
        """A hold that was cut off may have been made: holding it again tells, and frees it."""
        if self._unsure is None:
            return
        with contextlib.suppress(SlotTaken, NoSuchBooking):  # then it never came to be
            await self._book.release((await self._book.hold(self._unsure)).id)
        self._unsure = None
        self._freed += 1
