"""The calendar feed of an agent: its appointments as iCalendar (RFC 5545).

Calendar programs fetch it again and again and know an appointment by its UID: it stays the same
when the appointment is moved, whose SEQUENCE grows then. A cancelled one stays in the feed and says
so, because what merely disappears is kept by some programs for ever.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from icalendar import Calendar, Event

from services.receptionist.agent import Agent
from services.receptionist.books import Booking, BookingState

_STATUS = {BookingState.CONFIRMED: "CONFIRMED", BookingState.CANCELLED: "CANCELLED"}
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_REFRESH_AFTER = "PT15M"


def feed(bookings: Sequence[Booking], agent: Agent) -> bytes:
    """A calendar (``text/calendar``, UTF-8). Holds are left out, cancelled ones say so. The same
    bookings give the same bytes."""
    calendar = Calendar()
    calendar.add("prodid", "-//voice-agent-server//appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", agent.business.name)
    calendar.add("x-wr-timezone", agent.business.timezone.key)
    calendar.add("x-published-ttl", _REFRESH_AFTER)
    for booking in sorted(bookings, key=lambda one: (one.starts_at, one.id)):
        if booking.state in _STATUS:
            calendar.add_component(_event(booking, agent))
    return bytes(calendar.to_ical())


def _event(booking: Booking, agent: Agent) -> Event:
    event = Event()
    changed = booking.changed_at or booking.created_at or _LONG_AGO
    event.add("uid", f"{booking.id}@{_domain(booking.agent, agent)}")
    event.add("sequence", booking.sequence)
    event.add("status", _STATUS[booking.state])
    event.add("dtstamp", changed.astimezone(UTC).replace(microsecond=0))
    event.add("last-modified", changed.astimezone(UTC).replace(microsecond=0))
    event.add("dtstart", booking.starts_at.astimezone(UTC))
    event.add("dtend", booking.ends_at.astimezone(UTC))
    event.add("summary", f"{booking.service}: {booking.name}" if booking.name else booking.service)
    number = f"Number: {booking.number}\n" if booking.number else ""
    event.add("description", f"{number}Reference: {booking.id}")
    if agent.business.address:
        event.add("location", agent.business.address)
    if booking.state is BookingState.CANCELLED:
        event.add("transp", "TRANSPARENT")  # does not make anybody busy
    return event


def _domain(agent_id: str, agent: Agent) -> str:
    """Tells the calendars of several businesses apart: ids alone may meet."""
    named = f"{agent_id}/{agent.business.name}"
    return f"{hashlib.sha256(named.encode()).hexdigest()[:12]}.invalid"
