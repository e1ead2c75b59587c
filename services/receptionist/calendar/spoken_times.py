"""Times of day in a caller's words: "half past three", "after four", "around noon".

``times.asked_time`` reads the time in a question about opening hours; an appointment needs more:
quarters and minutes to the hour, stretches of the day, and the hour without "AM" or "PM" at which
the business is open. No date library does that, so it is done here. Works on words that
``spoken_numbers.comparable`` made out of an utterance: small numbers in digits, no punctuation.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.receptionist.calendar.schedule import MINUTES_PER_DAY

_NOON = 12 * 60
_Replacement = Callable[[re.Match[str]], str]
_HOUR = r"(\d{1,2})"
_STEPS = r"(5|10|15|20|25|\d{1,2}(?= minutes?\b))(?: minutes?)?"
_LATER = {"past", "after"}
_REWRITES: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (
        re.compile(rf"\b(?:half(?: past| after)?) {_HOUR}\b(?!:|\s*(?:hours?|days?|minutes?))"),
        lambda match: f"at {match[1]}:30",
    ),
    (
        re.compile(rf"\b(?:a )?quarter (past|after|to|until|of|before) {_HOUR}\b"),
        lambda match: _off(match[2], 15, match[1] in _LATER),
    ),
    (
        re.compile(rf"(?<!from )(?<!between )\b{_STEPS} (past|to|until|before) {_HOUR}\b"),
        lambda match: _off(match[3], int(match[1]), match[2] in _LATER),
    ),
    (
        re.compile(rf"(?<!from )(?<!between )\b(\d{{1,2}}) minutes? after {_HOUR}\b"),
        lambda match: _off(match[2], int(match[1]), True),
    ),
    (
        re.compile(rf"(?<!from )(?<!between )\b{_HOUR} (?:to|until) {_HOUR}\b(?! minutes?)"),
        lambda match: f"from {match[1]} to {match[2]}",
    ),
    (re.compile(rf"\b{_HOUR} (?:o ?clock)\b"), lambda match: f"{match[1]}:00"),
    (re.compile(rf"\b{_HOUR} ([0-5]\d)\b"), lambda match: f"{match[1]}:{match[2]}"),
    (
        re.compile(r"\b(at|for|around|about|by|before|after|until|from) (\d{1,2})([0-5]\d)\b"),
        lambda match: f"{match[1]} {match[2]}:{match[3]}",
    ),
    (
        re.compile(r"\b(\d{1,2})([0-5]\d)(?= (?:am|pm|hours)\b|$)"),
        lambda match: f"{match[1]}:{match[2]}",
    ),
)


def _off(hour: str, minutes: int, is_past: bool) -> str:
    """So many minutes past an hour or to it."""
    if is_past:
        return f"at {hour}:{minutes:02}"
    return f"at {(int(hour) - 2) % 12 + 1 if int(hour) <= 12 else int(hour) - 1}:{60 - minutes:02}"


@dataclass(frozen=True, slots=True)
class Clock:
    """A time as it was said. ``part`` is am, pm, noon, midnight, or ''; ``is_24`` has no halves."""

    hour: int
    minute: int
    part: str = ""
    is_24: bool = False

    @property
    def is_possible(self) -> bool:
        return self.hour < 24 and self.minute < 60 and not (self.part and self.hour > 12)

    def minutes(self, is_open: Callable[[int], bool]) -> int:
        """Since midnight; what stays open is the time at which the business is open."""
        if self.part in ("noon", "midnight"):
            return _NOON if self.part == "noon" else MINUTES_PER_DAY
        total = self.hour * 60 + self.minute
        if self.is_24 or self.hour > 12:
            return total
        early = self.hour % 12 * 60 + self.minute
        if self.part == "night" and self.hour == 12:
            return MINUTES_PER_DAY + self.minute
        if self.part:
            is_late = self.part == "pm" or (self.part == "night" and self.hour >= 5)
            return early + _NOON if is_late else early
        late = early + _NOON
        by_day, other = (early, late) if early >= 7 * 60 else (late, early)
        open_ones = [one for one in (by_day, other, early + MINUTES_PER_DAY) if is_open(one)]
        return open_ones[0] if open_ones else by_day


@dataclass(frozen=True, slots=True)
class Times:
    """The times of day that would do: an exact one, or the starts from ``begin`` before ``end``.

    ``time`` is exact, or what a stretch is ``about``.
    """

    time: int | None = None
    begin: int = 0
    end: int = MINUTES_PER_DAY
    about: bool = False

    @property
    def is_exact(self) -> bool:
        return self.time is not None and not self.about


class NoSuchTime(ValueError):
    """25 o'clock."""


_PARTS = (
    (r"early morning|early in the morning|1st thing(?: in the morning)?", 0, 9 * 60 + 30),
    (r"mid morning|middle of the morning", 9 * 60 + 30, 11 * 60),
    (r"late(?:r in the| in the)? morning", 10 * 60 + 30, _NOON),
    (r"mornings?|before lunch", 0, _NOON),
    (r"lunch ?time|over lunch|at lunch|during lunch|around lunch", 11 * 60 + 30, 13 * 60 + 30),
    (r"early afternoon|early in the afternoon", _NOON, 14 * 60),
    (r"mid afternoon|middle of the afternoon", 14 * 60, 16 * 60),
    (r"late(?:r in the)? afternoon|late in the afternoon", 15 * 60 + 30, 18 * 60),
    (r"end of the day|last thing|late in the day", 15 * 60 + 30, MINUTES_PER_DAY),
    (r"after school", 15 * 60, 19 * 60),
    (r"after lunch", 13 * 60, 18 * 60),
    (r"after work", 17 * 60, MINUTES_PER_DAY),
    (r"afternoons?", _NOON, 18 * 60),
    (r"early evening|early in the evening", 17 * 60, 19 * 60),
    (r"late evening|late in the evening|late at night", 20 * 60, MINUTES_PER_DAY),
    (r"evenings?|tonight", 17 * 60, MINUTES_PER_DAY),
    (r"night", 18 * 60, MINUTES_PER_DAY + 3 * 60),
)
_HALVES = {"morning": "am", "mornings": "am", "afternoon": "pm", "evening": "pm", "tonight": "pm"}
_HALF = r"am|pm|morning|afternoon|evening|night"
_AT = (
    r"at|for|around|about|by|before|after|until|from|between|past|say|like|since|than|roughly"
    r"|approximately|make it|make that|maybe|or|and|to|is|exactly|do"
)
_TIME = re.compile(
    rf"(?:(?<![\w:])(?P<lead>{_AT}) )?"
    r"(?:(?<![\w:])(?P<named>noon|midnight)\b"
    r"|(?<![\w:])(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?(?![\w:])"
    r"(?! (?:past\b|minutes?|hours?|days?|weeks?|months?|years?|people|of us)\b))"
    rf"(?: (?:(?:in|on)(?: the)? |at |this )?(?P<half>{_HALF})\b)?"
)
_FILLER = re.compile(
    r"\b(?:please|okay|yes|yeah|how about|what about|let us say|maybe|would be|sounds|good|great"
    r"|is|fine|works|i would like|i want|can i|could i|come|in|on|the|then|that|it|thanks|a|an"
    r"|appointment|perhaps|preferably|just|if possible|with|you|do|have|instead|sharp|to|move|or"
    r"|later|earlier|onwards?|so"
    r"|no|any ?time|you have got|got|free|available|today|tomorrow|next|this|coming|day after"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?)\b"
)
_FROM = re.compile(
    r"\b(?:after|past|from|since|later than|not before|no earlier than|not earlier than|starting"
    r"(?: at| from)?)$"
)
_UP_TO = re.compile(
    r"\b(?:before|until|by|no later than|not later than|earlier than|not after|latest)$"
)
_ABOUT = re.compile(r"\b(?:around|about|roughly|approximately|like)$")
_ONWARDS = re.compile(
    r"^\s*(?:or (?:any ?time )?(?:later|after)|onwards?|and later|at the earliest)"
)
_OR_EARLIER = re.compile(r"^\s*(?:or (?:earlier|before)|at the latest|latest)")
_OR_SO = re.compile(r"^\s*(?:or so|or thereabouts|more or less|ish)")


def times(words: str, is_open: Callable[[int], bool]) -> Times | None:
    """The times of day in words that hold no dates any more; None if there are none.

    ``is_open`` tells whether the business is open at a minute of the day that is meant. Raises
    NoSuchTime.
    """
    for pattern, replacement in _REWRITES:
        words = pattern.sub(replacement, words)
    found = _clocks(words)
    part, begin, end = _part(words)
    if not found:
        return Times(begin=begin, end=end) if part else None
    clocks = [clock if clock.part else _in_half(clock, part) for _, clock in found]
    if any(not clock.is_possible for clock in clocks):
        raise NoSuchTime
    if len(found) > 1 and (pair := _pair(words, found, clocks, is_open)):
        return pair
    match, clock = found[0][0], clocks[0]
    return _qualified(words, match, clock.minutes(is_open))


def _part(words: str) -> tuple[str, int, int]:
    for pattern, begin, end in _PARTS:
        if match := re.search(rf"\b(?:{pattern})\b", words):
            return match[0], begin, end
    return "", 0, MINUTES_PER_DAY


def _in_half(clock: Clock, part: str) -> Clock:
    """A time in the part of the day that was named apart from it."""
    half = next((half for word, half in _HALVES.items() if part.endswith(word)), "")
    half = "night" if part in ("night", "tonight") else half
    if not half or clock.is_24 or clock.hour > 12:
        return clock
    return Clock(clock.hour, clock.minute, half)


def _clocks(words: str) -> list[tuple[re.Match[str], Clock]]:
    """What is a time of day rather than some number."""
    found: list[tuple[re.Match[str], Clock]] = []
    for match in _TIME.finditer(words):
        if match["named"]:
            found.append((match, Clock(0, 0, match["named"])))
            continue
        is_alone = not _FILLER.sub("", words.replace(match[0], "", 1)).strip(" ;")
        lead = match["lead"] or ""
        is_weak = lead in ("or", "and", "to", "is")
        if is_weak and not found and not match["minute"] and not match["half"] and not is_alone:
            continue
        if match["minute"] or match["half"] or lead or is_alone:
            half = match["half"] or ""
            half = {"am": "am", "pm": "pm", "night": "night"}.get(half, _HALVES.get(half, ""))
            is_24 = not half and match["hour"].startswith("0")
            clock = Clock(int(match["hour"]), int(match["minute"] or 0), half, is_24)
            if half and clock.hour > 12:
                clock = Clock(clock.hour, clock.minute)  # "15:30 in the afternoon"
            found.append((match, clock))
    return found


def _pair(
    words: str,
    found: list[tuple[re.Match[str], Clock]],
    clocks: list[Clock],
    is_open: Callable[[int], bool],
) -> Times | None:
    """ "between 2 and 4", "from 2 to 4", "3 or 4": the half of the second holds for both."""
    (one, _), (other, _) = found[:2]
    joint = (words[one.end() : other.start()] + f" {other['lead'] or ''}").split()
    if joint not in (["and"], ["to"], ["until"], ["or"]):
        return None
    second = clocks[1].minutes(is_open)
    first = clocks[0].minutes(is_open)
    if not clocks[0].part and clocks[1].part in ("am", "pm"):
        shared = Clock(clocks[0].hour, clocks[0].minute, clocks[1].part).minutes(is_open)
        first = shared if shared < second else first
    if second <= first and not clocks[1].part:
        second += _NOON
    if second <= first:
        return None
    return Times(begin=first, end=second + (joint == ["or"]))


def _qualified(words: str, match: re.Match[str], time: int) -> Times:
    """Exact, unless the words around it say from, up to, or about."""
    start = match.start("named") if match["named"] else match.start("hour")
    before, after = words[:start].strip(), words[match.end() :]
    before = re.sub(r" at$", "", before)
    if _UP_TO.search(before) or _OR_EARLIER.match(after):
        return Times(end=time)
    if _FROM.search(before) or _ONWARDS.match(after):
        return Times(begin=time, end=max(MINUTES_PER_DAY, time + 1))
    if _ABOUT.search(before) or _OR_SO.match(after):
        return Times(time, max(0, time - 60), time + 61, about=True)
    return Times(time, time, time + 1)
