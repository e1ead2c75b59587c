"""Appointments and free times, as a voice should say them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby

from services.receptionist.calendar.days import full_date
from services.receptionist.calendar.times import clock, listed
from services.receptionist.tools import ToolResult

MOST_OFFERED = 3
_WEEK = 7
_NO_APPOINTMENT = {
    "taken": "That's taken.",
    "closed": "We're closed then.",
    "past": "That's in the past.",
    "too_soon": "That's too soon.",
    "too_far": "That's too far ahead.",
    "off_grid": "We don't start at that time.",
    "other_weekday": "That date is on another day of the week.",
    "no_such_day": "There's no such day.",
    "no_such_time": "There's no such time that day.",
    "same_time": "That's when it is already.",
    "unclear": "Sorry, I didn't get the day and the time.",
    "unknown_service": "Sorry, I don't know that service.",
}
"""Why there is no appointment at a time, by the code of the tool's result."""


def moment(start: str) -> str:
    """ "Tuesday, November 24th at 3:30 PM", from ISO 8601."""
    at = datetime.fromisoformat(start)
    return f"{full_date(at.date())} at {clock_of(start)}"


def clock_of(start: str) -> str:
    """The time of day of an ISO datetime: "3:30 PM"."""
    at = datetime.fromisoformat(start)
    return clock(at.hour * 60 + at.minute)


def slots_aloud(slots: Sequence[str], today: date) -> str:
    """ "Tuesday at 2 PM or 4:15 PM, or Wednesday at 3:30 PM"."""
    by_day = groupby(slots, key=lambda slot: datetime.fromisoformat(slot).date())
    days = [f"{_day(day, today)} at {listed([*map(clock_of, of)], ' or ')}" for day, of in by_day]
    return listed(days, ", or ")


def offer_of(slots: Sequence[str], today: date, verb: str = "I could offer") -> str:
    """The question that offers some times."""
    question = "Would that suit you?" if len(slots) == 1 else "Which one?"
    return f"{verb} {slots_aloud(slots, today)}. {question}"


def not_picked(slots: Sequence[str], today: date, misses: int) -> tuple[str, str]:
    """Why none of the times was taken, and the question again; another one the second time."""
    if not misses:
        return "Sorry, I didn't get that.", offer_of(slots, today)
    return "Sorry.", f"Please say {slots_aloud(slots, today)}, or another day."


def no_time_told(question: str, misses: int) -> tuple[str, str]:
    """The same for a day and a time."""
    if not misses:
        return "Sorry, I didn't get the day and the time.", question
    return "Sorry.", "Please say a day and a time, like Tuesday at three, or the first free one."


def slots_of(result: ToolResult) -> tuple[str, ...]:
    """The free times that a result names, as many as can be listened to."""
    return tuple(str(slot) for slot in result.facts.get("slots", ())[:MOST_OFFERED])


def why_not(result: ToolResult) -> str:
    """Why there is no appointment at the time that was asked for; '' if no time was."""
    why = str(result.facts.get("why") or result.code)
    if why == "unclear" and result.facts.get("slots"):
        return ""  # a day without a time, and there are some
    if why == "too_far" and (latest := str(result.facts.get("latest") or "")):
        return f"That's too far ahead: we book up to {full_date(date.fromisoformat(latest))}."
    return _NO_APPOINTMENT.get(why, "")


def a_service(name: str) -> str:
    """A service inside of a sentence: "a cleaning"; abbreviations stay as they are."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def your_service(name: str) -> str:
    """ "your cleaning"."""
    return f"your {re.sub(r'^(?:an?|the) ', '', a_service(name)) or 'appointment'}"


def _day(day: date, today: date) -> str:
    near = {0: "today", 1: "tomorrow"}
    ahead = (day - today).days
    return near.get(ahead) or (f"{day:%A}" if 0 < ahead < _WEEK else full_date(day))
