"""The tools for appointments: look, find, propose, confirm.

Booking, moving and cancelling only propose; ``confirm`` does it, in a later turn of the caller's.
What is proposed is a hold in the appointment book, which expires by itself: whatever happens to the
call, there is never half an appointment.

Nobody learns of other people's appointments: they are found by the number that the caller calls
from, or by a name and a number that both fit, and only a few such guesses are allowed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from rapidfuzz import fuzz

from services.receptionist.books import Booking, BookingState, NoSuchBooking, SlotTaken
from services.receptionist.calendar.when import Problem, When, understand
from services.receptionist.desk import wording as say
from services.receptionist.desk.call import DeskCall, refusal
from services.receptionist.desk.openings import Openings, Wanted, can_be_looked_up
from services.receptionist.desk.proposals import Proposal, Proposals, Purpose
from services.receptionist.desk.service_choice import service_named
from services.receptionist.numbers import e164
from services.receptionist.tools import ToolRequest, ToolResult
from services.receptionist.understanding.words import normalise

MOST_GUESSES = 4
"""How often a call may look for a name and a number that fit together."""
_SAME_NAME = 85
_OWN_NUMBER = re.compile(r"\b(?:this|my|same|current|caller|calling)\b")


class BookingTools:
    """The appointments of one call."""

    def __init__(self, call: DeskCall) -> None:
        self._call = call
        self._openings = Openings(call)
        self._day: date | None = None
        """The day that is being talked about."""
        self._proposals = Proposals(call.appointments)
        self._outcomes: dict[str, ToolResult] = {}
        self._shown: set[str] = set()
        """Bookings that this caller may change."""
        self._guesses = 0

    @property
    def pending(self) -> Sequence[Proposal]:
        """What waits for the caller's yes."""
        return tuple(self._proposals)

    # --- looking ----------------------------------------------------------------------------------

    async def check(self, request: ToolRequest) -> ToolResult:
        """Whether a time is free, or which are."""
        service = service_named(self._call, request.arguments.get("service", ""))
        if isinstance(service, ToolResult):
            return service
        when = self._when(request.arguments.get("when", "") or "as soon as possible")
        if not can_be_looked_up(when):
            return say.not_understood(when, service.name)
        own_hold = self._proposals.held_for(Purpose.BOOK)
        found = await self._openings.find(when, Wanted(service.minutes, own_hold))
        if found.start is None and (theirs := await self._booked(service.name, when.at)):
            return say.theirs(self._call, theirs)
        return say.availability(self._call, service.name, when, found)

    async def find(self, request: ToolRequest) -> ToolResult:
        """The appointments of the caller's number, or of a name and a number that both fit."""
        if not self._call.agent.booking.enabled:
            return say.not_offered()
        name, said = (request.arguments.get(key, "").strip() for key in ("name", "number"))
        own = self._call.number
        number = own if not said or _OWN_NUMBER.search(said.lower()) else self._e164(said)
        if said and not number and not own:
            return say.ask_number()
        if not number:
            return say.ask_who(has_name=bool(name))
        if number == own:
            found = await self._of_number(number)
        elif not name:
            return say.ask_who(has_name=False)
        else:
            self._guesses += 1
            if self._guesses > MOST_GUESSES:
                return say.too_many_guesses()
            found = [one for one in await self._of_number(number) if _same_name(name, one.name)]
        self._shown |= {one.id for one in found}
        return say.bookings(self._call, found)

    async def _of_number(self, number: str) -> list[Booking]:
        call = self._call
        return list(await call.appointments.of_person(call.agent_id, call.now, number=number))

    async def _booked(
        self, service: str, at: datetime | None, name: str = "", number: str = ""
    ) -> Booking | None:
        """The very appointment that is wished for, if the caller has it. They may not know: they
        interrupted, were cut off, or the server broke down before it was said."""
        own, number = self._call.number, number or self._call.number
        if at is None or not number:
            return None
        for one in await self._of_number(number):
            is_theirs = _same_name(name, one.name) or (number == own and not (name and one.name))
            if (one.service, one.starts_at) == (service, at) and is_theirs:
                self._shown.add(one.id)
                return one
        return None

    # --- proposing --------------------------------------------------------------------------------

    async def book(self, request: ToolRequest) -> ToolResult:
        """Hold a slot."""
        service = service_named(self._call, request.arguments.get("service", ""))
        if isinstance(service, ToolResult):
            return service
        said = request.arguments.get("number", "").strip()
        name = " ".join(request.arguments.get("name", "").split())[:100]
        is_own = not said or bool(_OWN_NUMBER.search(said.lower()))
        number = self._call.number if is_own else self._e164(said)
        if not number and not is_own:
            return say.ask_number()
        if not (name or number):
            return say.ask_name_and_number()
        when = self._when(request.arguments.get("when", ""))
        if not can_be_looked_up(when):
            return say.not_understood(when, service.name)
        wanted_again = when.at and self._proposals.for_new_appointment(
            service.name, when.at, name, number, self._call.now
        )
        if wanted_again:
            return wanted_again.result
        if theirs := await self._booked(service.name, when.at, name, number):
            return say.theirs(self._call, theirs)
        replaces = bool(self._proposals.held_for(Purpose.BOOK, but_for=(service.name, when.at)))
        await self._proposals.free(Purpose.BOOK)
        wanted = Wanted(service.minutes)
        found = await self._openings.find(when, wanted)
        if found.start is None:
            return say.no_slot(self._call, service.name, when, found)
        end = found.start + timedelta(minutes=service.minutes)
        try:
            held = await self._hold(service.name, found.start, end, name, number)
        except SlotTaken:
            return await self._taken(service.name, found.start, wanted)
        result = say.proposed(self._call, held, has_name=bool(name), replaces=replaces)
        return self._proposals.add(Proposal(Purpose.BOOK, held, request.turn, result))

    async def change(self, request: ToolRequest) -> ToolResult:
        """Hold another slot for an appointment."""
        booking = await self._theirs(request)
        if isinstance(booking, ToolResult):
            return booking
        when = self._when(request.arguments.get("when", ""), booking)
        if not can_be_looked_up(when):
            return say.not_understood(when, booking.service)
        when = self._at_the_same_time(when, booking)
        if when.at == booking.starts_at:
            return say.same_time(self._call, booking)
        await self._proposals.free(Purpose.MOVE)
        await self._proposals.free(Purpose.CANCEL, booking.id)
        length = booking.ends_at - booking.starts_at
        wanted = Wanted(int(length.total_seconds()) // 60, booking.id)
        found = await self._openings.find(when, wanted)
        if found.start is None:
            return say.no_slot(self._call, booking.service, when, found)
        start, of = found.start, (booking.name, booking.number, booking.id)
        try:
            held = await self._hold(booking.service, start, start + length, *of)
        except SlotTaken:
            return await self._taken(booking.service, start, wanted)
        except NoSuchBooking:
            return say.unknown_reference()
        result = say.proposed_move(self._call, booking, held)
        return self._proposals.add(Proposal(Purpose.MOVE, held, request.turn, result))

    async def cancel(self, request: ToolRequest) -> ToolResult:
        """Propose to cancel an appointment."""
        booking = await self._theirs(request)
        if isinstance(booking, ToolResult):
            return booking
        await self._proposals.free(Purpose.MOVE)
        self._outcomes.pop(booking.id, None)
        result = say.proposed_cancellation(self._call, booking)
        return self._proposals.add(Proposal(Purpose.CANCEL, booking, request.turn, result))

    # --- confirming -------------------------------------------------------------------------------

    async def confirm(self, request: ToolRequest) -> ToolResult:
        """Do what was proposed, once the caller could say yes to it."""
        reference = _reference(request.arguments.get("reference", ""))
        proposal = self._proposals.to_confirm(reference)
        if proposal is None:
            return self._outcomes.get(reference) or self._unknown()
        if request.turn <= proposal.turn:
            return say.too_early(proposal.result)
        held, book = proposal.booking, self._call.appointments
        try:
            if proposal.purpose is Purpose.CANCEL:
                booking = await book.cancel(held.id)
            else:
                booking = await book.confirm(held.id)
        except SlotTaken:
            self._proposals.remove(proposal)
            minutes = int((held.ends_at - held.starts_at).total_seconds()) // 60
            wanted = Wanted(minutes, held.replaces)
            return await self._taken(held.service, held.starts_at, wanted)
        except NoSuchBooking:
            self._proposals.remove(proposal)
            return say.unknown_reference()
        return self._did(proposal, booking)

    def _unknown(self) -> ToolResult:
        notes = [
            say.pending_note(self._call, one.booking, one.purpose.value) for one in self.pending
        ]
        return say.waiting(notes) if notes else say.unknown_reference()

    def _did(self, proposal: Proposal, booking: Booking) -> ToolResult:
        call, did = self._call, proposal.purpose.value
        self._proposals.remove(proposal)
        self._shown.add(booking.id)
        texts, number = call.texts, call.number
        texted = call.agent.booking.text_confirmation and texts.reaches(number)
        if texted:
            text = say.confirmation_text(call, booking, did)
            texts.soon(number, text, f"{did}:{booking.id}:{booking.sequence}")
        result = say.done(call, booking, did, texted=texted)
        call.notes.append(say.note(call, booking, did))
        self._outcomes[proposal.booking.id] = result
        return result

    async def withdraw(self) -> None:
        """Give up all holds that were not confirmed."""
        await self._proposals.withdraw()

    # --- the parts --------------------------------------------------------------------------------

    def _when(self, text: str, booking: Booking | None = None) -> When:
        """What the caller means by it; the day is remembered for a time without one."""
        agent = self._call.agent
        when = understand(
            text,
            agent.schedule,
            self._call.now,
            country=self._call.country,
            language=agent.engines.language,
            day=None if booking else self._day,
            booked=booking.starts_at if booking else None,
        )
        if when.problem is Problem.NONE and len(when.days) == 1:
            self._day = when.days[0]
        return when

    def _at_the_same_time(self, when: When, booking: Booking) -> When:
        """ "The next day" is at the time that the appointment has."""
        if when.has_time or when.at or when.soonest or len(when.days) != 1:
            return when
        local = self._call.agent.schedule.local(booking.starts_at)
        return understand(
            f"{when.days[0].isoformat()}T{local:%H:%M}", self._call.agent.schedule, self._call.now
        )

    async def _hold(
        self,
        service: str,
        start: datetime,
        end: datetime,
        name: str,
        number: str,
        replaces: str = "",
    ) -> Booking:
        """Raises SlotTaken and NoSuchBooking."""
        call = self._call
        return await self._proposals.hold(
            agent_id=call.agent_id,
            service=service,
            start=start,
            end=end,
            lanes=call.agent.booking.at_once,
            name=name,
            number=number,
            call_id=call.call_id,
            replaces=replaces,
        )

    async def _taken(self, service: str, start: datetime, wanted: Wanted) -> ToolResult:
        """Somebody else has it now: what there is instead."""
        local = self._call.agent.schedule.local(start)
        when = When(days=(local.date(),), at=local)
        found = await self._openings.find(when, wanted, refused=start)
        return say.no_slot(self._call, service, when, found)

    async def _theirs(self, request: ToolRequest) -> Booking | ToolResult:
        """The appointment of a reference, if it is this caller's to change."""
        call = self._call
        if not call.agent.booking.enabled:
            return say.not_offered()
        reference = _reference(request.arguments.get("reference", ""))
        if not reference:
            return say.ask_reference()
        if self._is_only_held(reference):
            return say.not_booked_yet()
        booking = await call.appointments.get(reference)
        if (
            booking is None
            or booking.agent != call.agent_id
            or booking.state is not BookingState.CONFIRMED
        ):
            return say.unknown_reference()
        is_own = bool(call.number) and e164(booking.number, call.country) == call.number
        if booking.id not in self._shown and not is_own:
            return say.unknown_reference()
        if booking.starts_at <= call.now:
            return refusal("past", "That appointment has begun already: it cannot be changed.")
        return booking

    def _is_only_held(self, reference: str) -> bool:
        proposal = self._proposals.get(reference)
        return proposal is not None and proposal.purpose is not Purpose.CANCEL

    def _e164(self, text: str) -> str:
        return e164(text, self._call.country)


def _reference(text: str) -> str:
    """A reference as it is written, spelled, or read out."""
    return re.sub(r"[^A-Za-z0-9]", "", text).upper()


def _same_name(said: str, booked: str) -> bool:
    """Whether it is the whole name, as a recogniser may have misheard it."""
    one, other = normalise(said), normalise(booked)
    return bool(one and other) and fuzz.token_sort_ratio(one, other) >= _SAME_NAME
