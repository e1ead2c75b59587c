"""What the desk says of appointments: results for a language model, as data for the script, and
texts for the caller.

A result's text tells what happened, the time in the words in which it is to be spoken, and what to
do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from services.receptionist.books import Booking
from services.receptionist.calendar.days import full_date
from services.receptionist.calendar.spoken_slots import a_service, slots_aloud, your_service
from services.receptionist.calendar.times import listed
from services.receptionist.calendar.when import Problem, When
from services.receptionist.desk.call import OFFER_MESSAGE, DeskCall, refusal
from services.receptionist.desk.openings import Opening
from services.receptionist.tools import ToolResult

_ASK = "Ask the caller"
WAITING = "Waiting for the caller's yes"
"""So begin the notes of what is not done."""
_REASONS = {
    "taken": "is taken",
    "closed": "is outside the opening hours",
    "past": "is in the past",
    "too_soon": "is too soon from now",
    "too_far": "is too far ahead",
    "off_grid": "is not a time at which appointments begin",
}
_PROBLEMS = {
    Problem.UNCLEAR: "No day and no time was understood.",
    Problem.NO_SUCH_DAY: "There is no such day in the calendar.",
    Problem.OTHER_WEEKDAY: "That date is on another day of the week than the one that was said.",
    Problem.NO_SUCH_TIME: "There is no such time on that day.",
    Problem.PAST: "That is in the past.",
}


def not_understood(when: When, service: str) -> ToolResult:
    """The wish for a time cannot be taken as it is."""
    why = when.problem.value
    code = "past" if when.problem is Problem.PAST else "unclear"
    text = f"{_PROBLEMS[when.problem]} {_ASK} which day and time they would like."
    return ToolResult(code, text, {"service": service, "free": None, "slots": [], "why": why})


def availability(call: DeskCall, service: str, when: When, found: Opening) -> ToolResult:
    """What is free."""
    if found.start is not None and (when.at or when.time is not None):
        text = (
            f"{call.aloud(found.start)} is free for {a_service(service)}. Nothing is booked yet: "
            "if the caller wants it, use book_appointment."
        )
        return ToolResult("ok", text, _facts(call, service, True, [found.start], ""))
    asked_for_one = when.at is not None
    free = False if asked_for_one or found.why else None
    facts = _facts(call, service, free, found.slots, found.why)
    if not found.slots:
        return ToolResult(found.why or "taken", _nothing(call, when, found), facts)
    times = slots_aloud([call.iso(slot) for slot in found.slots], _today(call))
    if found.why:
        text = f"{_reason(call, when, found.why)} Free instead: {times}. Offer these."
        return ToolResult(found.why, text, facts)
    text = f"Free for {a_service(service)}, among others: {times}. {_ASK} which one suits them."
    return ToolResult("ok", text, facts)


def no_slot(call: DeskCall, service: str, when: When, found: Opening) -> ToolResult:
    """Nothing was held: the time is not free, or none was named."""
    facts = {**_facts(call, service, None, found.slots, found.why or "no_time"), "service": service}
    del facts["free"]
    if not found.slots:
        return ToolResult(found.why or "taken", _nothing(call, when, found), facts)
    times = slots_aloud([call.iso(slot) for slot in found.slots], _today(call))
    if found.why:
        text = f"Nothing was held: {_reason(call, when, found.why)} Free instead: {times}."
        return ToolResult(found.why, f"{text} Offer these.", facts)
    text = f"Nothing was held: no exact time was named. Free, among others: {times}."
    return ToolResult("no_time", f"{text} {_ASK} which one suits them.", facts)


def proposed(call: DeskCall, held: Booking, *, has_name: bool, replaces: bool) -> ToolResult:
    """A slot is held for a new appointment. ``replaces``: one that was held before is given up."""
    what = f"{a_service(held.service)} on {call.aloud(held.starts_at)}, reference {held.id}"
    if has_name:
        then = (
            "Read the service, the day and the time back and ask whether that is right. When the "
            f'caller says yes, use confirm with reference "{held.id}".'
        )
    else:
        then = (
            "The name is missing: ask for it, and use book_appointment again with the same "
            "service and time, and with the name. Only if they will not give one, read this back "
            f'and, when the caller says yes, use confirm with reference "{held.id}".'
        )
    instead = " This replaces what was held before: confirm one before you book the next."
    text = f"Held for two minutes, not booked yet: {what}.{instead if replaces else ''} {then}"
    return ToolResult("ok", text, _of(call, held))


def proposed_move(call: DeskCall, booking: Booking, held: Booking) -> ToolResult:
    """A slot is held to which an appointment would move."""
    text = (
        f"Not moved yet: {a_service(booking.service)} from {call.aloud(booking.starts_at)} to "
        f"{call.aloud(held.starts_at)}, which is held for two minutes. Read the new day and time "
        f"back and ask whether that is right. When the caller says yes, use confirm with reference "
        f'"{held.id}".'
    )
    return ToolResult("ok", text, _of(call, held))


def proposed_cancellation(call: DeskCall, booking: Booking) -> ToolResult:
    """An appointment would be cancelled."""
    text = (
        f"Not cancelled yet: {a_service(booking.service)} on {call.aloud(booking.starts_at)}. Ask "
        f"whether it should really be cancelled. When the caller says yes, use confirm with "
        f'reference "{booking.id}".'
    )
    return ToolResult("ok", text, _of(call, booking))


def done(call: DeskCall, booking: Booking, did: str, *, texted: bool) -> ToolResult:
    """It is booked, moved or cancelled."""
    told = " The caller gets a text message about it." if texted else ""
    then = "is cancelled" if did == "cancelled" else f"is {did}"
    preposition = {"booked": "for", "moved": "to"}.get(did, "on")
    when = f"{preposition} {call.aloud(booking.starts_at)}"
    what = a_service(booking.service)
    if did == "cancelled":
        text = f"Done: {what} {when} {then}.{told} Tell the caller."
    else:
        text = f"Done: {what} {then} {when}.{told} Tell the caller, with the day and the time."
    facts = {"id": booking.id, "did": did, "texted": texted, **_of(call, booking)}
    return ToolResult("ok", text, facts)


def note(call: DeskCall, booking: Booking, did: str) -> str:
    """What was done, as a sentence for the rest of the call."""
    when = call.aloud(booking.starts_at)
    return f"{did.capitalize()}: {a_service(booking.service)}, {when} (reference {booking.id})."


def pending_note(call: DeskCall, booking: Booking, did: str) -> str:
    """What waits for the caller's yes."""
    when = call.aloud(booking.starts_at)
    what = f"{a_service(booking.service)}, {when} (reference {booking.id})"
    return f"{WAITING}, and not {did} yet: {what}."


def confirmation_text(call: DeskCall, booking: Booking, did: str) -> str:
    """The text message to the caller."""
    business = call.agent.business
    verb = {"booked": "is booked for", "moved": "was moved to"}.get(did, "was cancelled:")
    again = f" To change it, call {business.phone}." if business.phone else ""
    again = again if did != "cancelled" else ""
    what = your_service(booking.service)
    return f"{business.name}: {what} {verb} {call.aloud(booking.starts_at)}.{again}"


def bookings(call: DeskCall, found: Sequence[Booking]) -> ToolResult:
    """The appointments that a caller may hear of."""
    facts = {"bookings": [_of(call, one) for one in found]}
    if not found:
        text = (
            "No coming appointment was found. Ask for the full name and the number under which it "
            f"was booked, and look again once; else: {OFFER_MESSAGE}"
        )
        return ToolResult("not_found", text, facts)
    named = [
        f'{a_service(one.service)} on {call.aloud(one.starts_at)} (reference "{one.id}")'
        for one in found
    ]
    then = f"{_ASK} which one they mean." if len(found) > 1 else ""
    return ToolResult("ok", f"Coming appointments: {listed(named)}. {then}".strip(), facts)


# --- what to ask ----------------------------------------------------------------------------------


def not_offered() -> ToolResult:
    return refusal("not_offered", f"Appointments cannot be booked here. {OFFER_MESSAGE}")


def unknown_service(names: Sequence[str], *, was_said: bool) -> ToolResult:
    listed_names = listed([a_service(name) for name in names], " or ")
    text = "There is no such service" if was_said else "The service is missing"
    facts = {"services": list(names), "slots": [], "free": None}
    return refusal("unknown_service", f"{text}. {_ASK} which of these: {listed_names}?", facts)


def without_appointment(name: str, names: Sequence[str]) -> ToolResult:
    listed_names = listed([a_service(one) for one in names], " or ")
    text = f"No appointments are made for {a_service(name)}; there are some for {listed_names}."
    facts = {"services": list(names), "slots": [], "free": None}
    return refusal("unknown_service", f"{text} {OFFER_MESSAGE}", facts)


def ask_number() -> ToolResult:
    text = f"That is no whole telephone number. {_ASK} for it again, digit by digit."
    return ToolResult("unclear", text, {"why": "number", "bookings": []})


def ask_name_and_number() -> ToolResult:
    text = f"A name and a number are needed. {_ASK} for both, then book again with them."
    return ToolResult("unclear", text, {"why": "name"})


def ask_who(*, has_name: bool) -> ToolResult:
    missing = "the number" if has_name else "the full name and the number"
    text = f"{_ASK} for {missing} under which it was booked, and look again with both."
    return ToolResult("unclear", text, {"why": "who", "bookings": []})


def ask_reference() -> ToolResult:
    text = "The reference is missing. Use find_appointments first: it gives one."
    return refusal("unknown_reference", text)


def too_many_guesses() -> ToolResult:
    text = f"No further appointments can be looked up in this call. {OFFER_MESSAGE}"
    return ToolResult("not_possible", text, {"why": "not_possible", "bookings": []})


def waiting(notes: Sequence[str]) -> ToolResult:
    """A reference that is none, where something waits for the caller's yes."""
    text = f"Nothing has this reference. {' '.join(notes)} Use confirm with that reference."
    return refusal("unknown_reference", text)


def unknown_reference() -> ToolResult:
    text = (
        "There is nothing with this reference that could be changed in this call. Use "
        "find_appointments for the caller's appointments, or propose it again."
    )
    return refusal("unknown_reference", text)


def not_booked_yet() -> ToolResult:
    text = (
        "This was only proposed and is not booked, so there is nothing to change or to cancel. For "
        "another time use book_appointment again; what was proposed is dropped then."
    )
    return refusal("unknown_reference", text)


def same_time(call: DeskCall, booking: Booking) -> ToolResult:
    text = f"It is on {call.aloud(booking.starts_at)} already. {_ASK} for another time."
    return ToolResult("unclear", text, {"why": "same_time", "slots": []})


def theirs(call: DeskCall, booking: Booking) -> ToolResult:
    """The caller wishes for an appointment that they have."""
    what = f"{a_service(booking.service)} on {call.aloud(booking.starts_at)}"
    text = (
        f"It is booked for this caller already: {what}, reference {booking.id}. Tell them so, and "
        "do not book it again."
    )
    return refusal("theirs", text, {**_of(call, booking), "slots": []})


def too_early(result: ToolResult) -> ToolResult:
    text = (
        "Not done: the caller has not heard it yet. Read it back first, ask whether it is right, "
        "and confirm it only after they have said yes."
    )
    return ToolResult("too_early", text, {**result.facts, "why": "too_early"})


# --- the parts ------------------------------------------------------------------------------------


def _facts(
    call: DeskCall, service: str, free: bool | None, slots: Sequence[datetime], why: str
) -> dict[str, object]:
    listed_slots = [call.iso(slot) for slot in slots]
    facts: dict[str, object] = {"service": service, "free": free, "slots": listed_slots, "why": why}
    return facts | ({"latest": _latest(call).isoformat()} if why == "too_far" else {})


def _latest(call: DeskCall) -> date:
    """The last day that can be booked now."""
    return _today(call) + timedelta(days=call.agent.booking.days_ahead)


def _of(call: DeskCall, booking: Booking) -> dict[str, str]:
    return {
        "reference": booking.id,
        "service": booking.service,
        "start": call.iso(booking.starts_at),
        "end": call.iso(booking.ends_at),
    }


def _reason(call: DeskCall, when: When, why: str) -> str:
    what = call.aloud(when.at) if when.at else "Everything then"
    return f"{what} {_REASONS.get(why, 'is not free')}."


def _nothing(call: DeskCall, when: When, found: Opening) -> str:
    ahead = call.agent.booking.days_ahead
    if found.why == "too_far":
        latest = full_date(_latest(call))
        text = f"Appointments can be made at most {ahead} days ahead, until {latest}."
        return f"{text} {_ASK} for an earlier day."
    return f"{_reason(call, when, found.why or 'taken')} Nothing else is free. {OFFER_MESSAGE}"


def _today(call: DeskCall) -> date:
    return call.agent.schedule.local(call.now).date()
