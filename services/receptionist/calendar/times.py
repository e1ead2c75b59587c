"""Times of day: as a voice should say them, and as callers do."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from services.receptionist.calendar.schedule import MINUTES_PER_DAY, OpenSpan

_NOON = 12 * 60


def clock(minutes: int) -> str:
    """Minutes since midnight as they are spoken: "9 AM", "5:30 PM", "noon", "midnight"."""
    minutes %= MINUTES_PER_DAY
    if minutes in (0, _NOON):
        return "noon" if minutes else "midnight"
    hour, minute = divmod(minutes, 60)
    past = f":{minute:02}" if minute else ""
    return f"{(hour - 1) % 12 + 1}{past} {'AM' if hour < 12 else 'PM'}"


def spans_aloud(spans: Sequence[OpenSpan]) -> str:
    """ "from 8 AM to noon and from 1 to 5 PM"."""
    if spans and spans[0].all_day:
        return "all day"
    return listed([f"from {_begin(span)} to {clock(span.end)}" for span in spans])


def _begin(span: OpenSpan) -> str:
    """Without the "PM" that its end has too."""
    begin, half = clock(span.start), clock(span.end)[-3:]
    is_one_half = half in (" AM", " PM") and span.end - span.start < _NOON
    return begin.removesuffix(half) if is_one_half else begin


def sentences(parts: Sequence[str]) -> str:
    """Each part with a capital letter and a full stop."""
    return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts)


_A_DAY = re.compile(r"day\b|tomorrow|morning|afternoon|evening|week|month|o clock|\d")


def tells_a_time(words: str) -> bool:
    """Whether a day or a time of day is in words that ``normalise`` made comparable."""
    return bool(_A_DAY.search(words)) or asked_time(words) is not None


def listed(parts: Sequence[str], joint: str = " and ") -> str:
    """ "a, b and c"."""
    return joint.join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""


_HOURS_IN_WORDS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    "twelve",
)
_MINUTES_IN_WORDS = {"thirty": 30, "fifteen": 15, "forty five": 45}
_PAST = {"half past": 30, "quarter past": 15}
_NAMED = {"noon": _NOON, "midnight": MINUTES_PER_DAY}
_TIME = re.compile(
    r"(?:\b(?P<before>at|after|before|until|around|by|past) )?"
    rf"(?:\b(?P<past>{'|'.join(_PAST)}) )?"
    rf"\b(?P<hour>\d{{1,2}}|{'|'.join([*_NAMED, *_HOURS_IN_WORDS])})\b"
    rf"(?:[: ](?P<minute>\d\d|{'|'.join(_MINUTES_IN_WORDS)})\b)?"
    r"(?P<mark> o clock)?(?: in the| at)?(?P<part> (?:am|pm|morning|afternoon|evening|night))?"
)


@dataclass(frozen=True, slots=True)
class AskedTime:
    """Minutes since midnight; ``is_end``: "until five" asks about the minutes before."""

    minutes: int
    is_end: bool

    def is_in(self, span: OpenSpan) -> bool:
        at = self.minutes - self.is_end
        return any(span.start <= at + shift < span.end for shift in (0, MINUTES_PER_DAY))


def asked_time(words: str) -> AskedTime | None:
    """The time of day in a question; without "AM" or "PM", the one in working hours."""
    for match in _TIME.finditer(words):
        if any(match[name] for name in ("before", "past", "mark", "part")):
            minutes = _NAMED.get(match["hour"]) or _minutes(match)
            if minutes is not None:
                return AskedTime(minutes, is_end=match["before"] in ("until", "before", "by"))
    return None


def _minutes(match: re.Match[str]) -> int | None:
    spoken, part = match["hour"], (match["part"] or "").strip()
    hour = int(spoken) if spoken.isdigit() else _HOURS_IN_WORDS.index(spoken) + 1
    if hour > 23:
        return None
    if part in ("pm", "afternoon", "evening", "night") or (not part and 1 <= hour <= 6):
        hour = hour % 12 + 12
    elif part and hour == 12:
        hour = 0
    minute = match["minute"] or "0"
    past = int(minute) % 60 if minute.isdigit() else _MINUTES_IN_WORDS[minute]
    return hour * 60 + _PAST.get(match["past"] or "", past)
