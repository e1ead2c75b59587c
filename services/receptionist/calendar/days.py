"""Which days a caller means: "tomorrow", "Sundays", "next Friday", "December 24th", "Easter".

Works on words made comparable by ``words.normalise``. Pure: the present day is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from services.receptionist.calendar.schedule import WEEKDAYS, Schedule

MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_ORDINALS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"),
    *("seventeenth", "eighteenth", "nineteenth", "twentieth"),
    *("twenty first", "twenty second", "twenty third"),
    *("twenty fourth", "twenty fifth", "twenty sixth", "twenty seventh", "twenty eighth"),
    *("twenty ninth", "thirtieth", "thirty first"),
)
_ONE_OF_ORDINALS = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_NUMBER = rf"(?P<n>\d{{1,2}}(?:st|nd|rd|th)?|{_ONE_OF_ORDINALS})\b"
_MONTH = rf"(?P<month>{'|'.join(MONTHS)})"
_DATES = (
    re.compile(rf"\b{_MONTH} (?:the )?{_NUMBER}"),
    re.compile(rf"\b(?:the )?{_NUMBER} (?:of )?{_MONTH}\b"),
)
_WEEKDAY = re.compile(rf"\b(?:(this|next|coming) )?({'|'.join(WEEKDAYS)})s?\b")
_NEAR = (
    (re.compile(r"\bday after tomorrow\b"), 2),
    (re.compile(r"(?<!after )\btomorrow\b"), 1),
    (re.compile(r"\btoday\b|\btonight\b|\bthis (?:morning|afternoon|evening)\b"), 0),
)
_WEEKEND = re.compile(r"\b(?:(this|next|coming) )?weekend\b")
_WORKDAYS = re.compile(
    r"\bweek ?days?\b|\bduring the week\b|\bmonday (?:to|through|until) friday\b"
)


class Said(Enum):
    """How a day was named; the answer uses the same kind of name."""

    NEAR = "near"  # today, tomorrow
    EVERY = "every"  # on Sundays
    DATE = "date"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Day:
    """A day that a caller named. ``holiday`` is its name as the answer should say it."""

    when: date
    said: Said
    holiday: str = ""

    def label(self, today: date) -> str:
        """With its preposition: "today", "on Sundays", "on Friday, December 25th"."""
        if self.said is Said.HOLIDAY:
            return f"on {self.holiday}"
        if self.said is Said.EVERY:
            return f"on {self.when:%A}s"
        near = {0: "today", 1: "tomorrow"}
        return near.get((self.when - today).days) or f"on {full_date(self.when)}"


def full_date(day: date) -> str:
    """As it is read out: "Friday, December 25th"."""
    return f"{day:%A}, {day:%B} {ordinal(day.day)}"


def ordinal(number: int) -> str:
    """ "1st", "22nd", "13th"."""
    endings = {} if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{endings.get(number % 10, 'th')}"


def named_days(words: str, today: date, schedule: Schedule) -> tuple[Day, ...]:
    """The days that were named, in the order of the week or of the calendar, each once."""
    if named := _holidays(words, today, schedule):
        shift = (
            1
            if re.search(r"\bday after\b", words)
            else -1
            if re.search(r"\bday before\b", words)
            else 0
        )
        return (
            tuple(Day(day.when + timedelta(days=shift), Said.DATE) for day in named)
            if shift
            else named
        )
    if dates := tuple(_dates(words, today)):
        return dates
    found = [
        Day(today + timedelta(days=ahead), Said.NEAR)
        for pattern, ahead in _NEAR
        if pattern.search(words)
    ]
    for match in _WEEKDAY.finditer(words):
        found.append(_weekday(WEEKDAYS.index(match[2]), match[1], today))
    if weekend := _WEEKEND.search(words):
        rest = (6,) if weekend[1] == "this" and today.weekday() == 6 else (5, 6)
        found += [_weekday(weekday, weekend[1], today) for weekday in rest]
    if _WORKDAYS.search(words):
        found = [_weekday(weekday, None, today) for weekday in range(5)]
    return tuple(dict.fromkeys(sorted(found, key=lambda day: day.when)))


def _weekday(weekday: int, which: str | None, today: date) -> Day:
    ahead = (weekday - today.weekday()) % 7
    if which == "next" and ahead + today.weekday() < 7:
        ahead += 7  # "next Friday", said on a Monday, is not the one of this week
    return Day(today + timedelta(days=ahead), Said.DATE if which else Said.EVERY)


def _dates(words: str, today: date) -> Iterator[Day]:
    for pattern in _DATES:
        for match in pattern.finditer(words):
            number = match["n"]
            if number in _ORDINALS:
                day = _ORDINALS.index(number) + 1
            else:
                day = int(re.sub(r"\D", "", number))
            if found := _coming(MONTHS.index(match["month"]) + 1, day, today):
                yield Day(found, Said.DATE)


def _coming(month: int, day: int, today: date) -> date | None:
    """The next such day of the calendar; None if there is none (February 30th)."""
    for year in range(today.year, today.year + 5):
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found >= today:
            return found
    return None


_FIXED_HOLIDAYS = {
    "Christmas Eve": (12, 24),
    "Christmas Day": (12, 25),
    "New Year's Eve": (12, 31),
    "New Year's Day": (1, 1),
    "Independence Day": (7, 4),
    "Veterans Day": (11, 11),
    "Halloween": (10, 31),
    "Valentine's Day": (2, 14),
    "Boxing Day": (12, 26),
}
_MOVING_HOLIDAYS = {  # month, weekday, which one of the month; -1 is the last
    "Martin Luther King Day": (1, 0, 3),
    "Presidents' Day": (2, 0, 3),
    "Memorial Day": (5, 0, -1),
    "Labor Day": (9, 0, 1),
    "Columbus Day": (10, 0, 2),
    "Thanksgiving": (11, 3, 4),
}
_HOLIDAY_WORDS = (
    (r"christmas eve", "Christmas Eve"),
    (r"christmas(?: day)?|xmas", "Christmas Day"),
    (r"new years? eve", "New Year's Eve"),
    (r"new years?(?: day)?", "New Year's Day"),
    (
        r"independence day|(?:the )?(?:4th|fourth) of july|july (?:the )?(?:4th|fourth)",
        "Independence Day",
    ),
    (r"veterans? day", "Veterans Day"),
    (r"halloween", "Halloween"),
    (r"valentines?(?: day)?", "Valentine's Day"),
    (r"boxing day", "Boxing Day"),
    (r"martin luther king(?: jr| junior)?(?: day)?|mlk day", "Martin Luther King Day"),
    (r"presidents? day", "Presidents' Day"),
    (r"memorial day", "Memorial Day"),
    (r"labou?r day", "Labor Day"),
    (r"columbus day|indigenous peoples day", "Columbus Day"),
    (r"thanksgiving(?: day)?", "Thanksgiving"),
    (r"easter monday", "Easter Monday"),
    (r"good friday", "Good Friday"),
    (r"easter(?: sunday)?", "Easter"),
)
HOLIDAYS = "|".join(pattern for pattern, _ in _HOLIDAY_WORDS)
"""A pattern for the holidays that all know."""


def _holidays(words: str, today: date, schedule: Schedule) -> tuple[Day, ...]:
    dated = ((name, _day_of(name, today, schedule)) for name in _holiday_names(words, schedule))
    return tuple(Day(day, Said.HOLIDAY, name) for name, day in dated if day)


def undated_holiday(words: str, today: date, schedule: Schedule) -> str:
    """A holiday that was named and whose day only the agent file could tell, but does not."""
    names = _holiday_names(words, schedule)
    return next((name for name in names if not _day_of(name, today, schedule)), "")


def _holiday_names(words: str, schedule: Schedule) -> list[str]:
    """The holidays in the words, in their order; the longest name counts, then the agent file's."""
    own = [
        (re.escape(_comparable(name)), holiday.name)
        for holiday in schedule.holidays
        for name in (holiday.name, *holiday.aliases)
    ]
    matches = [
        (match.span(), name)
        for pattern, name in (*own, *_HOLIDAY_WORDS)
        for match in re.finditer(rf"\b(?:{pattern})\b", words)
    ]
    found: list[tuple[tuple[int, int], str]] = []
    for (start, end), name in sorted(matches, key=lambda entry: entry[0][0] - entry[0][1]):
        if not any(start < last and first < end for (first, last), _ in found):
            found.append(((start, end), name))
    return [name for _, name in sorted(found)]


def _comparable(name: str) -> str:
    return " ".join(re.sub(r"[^\w ]", "", name.lower()).split())


def _day_of(name: str, today: date, schedule: Schedule) -> date | None:
    for holiday in schedule.holidays:
        if _comparable(holiday.name) == _comparable(name):
            return schedule.next_day_of(holiday, today)
    if name in _FIXED_HOLIDAYS:
        return _coming(*_FIXED_HOLIDAYS[name], today)
    if name not in _MOVING_HOLIDAYS:
        return None
    days = (_moving(*_MOVING_HOLIDAYS[name], year) for year in (today.year, today.year + 1))
    return next((day for day in days if day >= today), None)


def _moving(month: int, weekday: int, which: int, year: int) -> date:
    days = [
        day
        for day in (date(year, month, 1) + timedelta(days=n) for n in range(31))
        if day.month == month and day.weekday() == weekday
    ]
    return days[which if which < 0 else which - 1]
