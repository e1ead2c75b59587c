"""The calendar feed, read back with the same library that calendar programs could use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from services.receptionist.agent import Agent, Business
from services.receptionist.books import Booking, BookingState
from services.receptionist.ics import feed

START = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
BOOKED = Booking(
    *("R001", "receptionist", "A check-up", START, START + timedelta(minutes=30)),
    state=BookingState.CONFIRMED,
    name="Maria López",
    number="+15551234567",
    changed_at=datetime(2026, 11, 21, 15, 0, 3, 999, tzinfo=UTC),
)


def events(data: bytes) -> list[Event]:
    return [part for part in Calendar.from_ical(data).walk("VEVENT") if isinstance(part, Event)]


def test_a_booking(agent: Agent) -> None:
    data = feed([BOOKED], agent)
    (event,) = events(data)
    assert event["status"] == "CONFIRMED"
    assert event["summary"] == "A check-up: Maria López"
    assert event["description"] == "Number: +15551234567\nReference: R001"
    assert event["sequence"] == 0
    assert event["location"] == "120 Market Street, Springfield"
    assert event["dtstart"].dt == START
    assert event["dtend"].dt == START + timedelta(minutes=30)
    assert b"DTSTART:20261124T203000Z\r\n" in data
    assert b"DTSTAMP:20261121T150003Z\r\n" in data
    assert b"METHOD:PUBLISH\r\n" in data


def test_a_moved_booking_keeps_its_uid_and_counts_its_changes(agent: Agent) -> None:
    later = START + timedelta(days=1)
    moved = replace(BOOKED, starts_at=later, ends_at=later + timedelta(minutes=30), sequence=1)
    (before,), (after,) = events(feed([BOOKED], agent)), events(feed([moved], agent))
    assert before["uid"] == after["uid"]
    assert after["sequence"] == 1
    assert after["dtstart"].dt == later


def test_a_cancelled_one_stays_and_says_so(agent: Agent) -> None:
    (event,) = events(feed([replace(BOOKED, state=BookingState.CANCELLED, sequence=1)], agent))
    assert event["status"] == "CANCELLED"
    assert event["transp"] == "TRANSPARENT"


def test_holds_are_left_out(agent: Agent) -> None:
    states = (BookingState.HELD, BookingState.EXPIRED)
    assert events(feed([replace(BOOKED, state=state) for state in states], agent)) == []


def test_the_same_bookings_in_any_order_are_the_same_bytes(agent: Agent) -> None:
    other = replace(BOOKED, id="R002", starts_at=START - timedelta(hours=1))
    assert feed([BOOKED, other], agent) == feed([other, BOOKED], agent)


def test_two_businesses_have_different_uids(agent: Agent) -> None:
    other = replace(agent, business=Business(name="Another"))
    (one,), (two,) = events(feed([BOOKED], agent)), events(feed([BOOKED], other))
    assert one["uid"] != two["uid"]


@settings(max_examples=100, deadline=None)
@given(name=st.text(max_size=200), service=st.text(min_size=1, max_size=100))
def test_no_name_breaks_the_calendar_or_adds_lines_to_it(name: str, service: str) -> None:
    agent = Agent(name="Ava", business=Business(name="Bright Smile"))
    data = feed([replace(BOOKED, name=name, service=service)], agent)
    (event,) = events(data)
    assert event["status"] == "CONFIRMED"
    assert event["dtstart"].dt == START
    assert data.count(b"BEGIN:VEVENT") == 1
