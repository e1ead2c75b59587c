"""Moments that are counted in hours and minutes: "in two hours", "half an hour later".

Counted in UTC, so that a change of the clocks on the way makes no difference.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from services.receptionist.calendar.schedule import Schedule

_SHIFT = re.compile(
    r"\b(?:(?P<half>half an hour)|(?P<n>\d{1,3}|an?) (?P<unit>minutes?|hours?)"
    r"(?P<more> and a half)?) (?P<way>later|earlier|sooner|after that|before that)\b"
)
_FROM_NOW = re.compile(
    r"\b(?:in )?(?:(?P<half>half an hour)|(?P<n>\d{1,3}|an?) (?P<unit>minutes?|hours?)"
    r"(?P<more> and a half)?)(?P<now> from now| time)?\b"
)


def relative_moment(
    words: str, schedule: Schedule, now: datetime, booked: datetime | None
) -> datetime | None:
    """ "In two hours", counted from now; "an hour later", from the other appointment. In the
    business's zone; None if there is no such thing in the comparable words."""
    shift = _SHIFT.search(words)
    if shift and booked:
        sign = -1 if shift["way"] in ("earlier", "sooner", "before that") else 1
        return schedule.local(booked.astimezone(UTC) + sign * _length(shift))
    match = _FROM_NOW.search(words)
    if match and not shift and (match[0].startswith("in ") or match["now"]):
        moment = now.astimezone(UTC) + _length(match)
        return schedule.local(moment.replace(second=0, microsecond=0))
    return None


def _length(match: re.Match[str]) -> timedelta:
    if match["half"]:
        return timedelta(minutes=30)
    count = int(match["n"]) if match["n"].isdigit() else 1
    minutes = count * (60 if match["unit"].startswith("hour") else 1)
    return timedelta(minutes=minutes + 30 * bool(match["more"]))
