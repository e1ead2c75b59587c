"""Days in a caller's words: "next Tuesday", "the 3rd of December", "in two weeks", "next week".

Whose job is what: ``days.named_days`` knows weekdays ("next Friday" is not the one of this week),
today and tomorrow, weekends and holidays, those of the agent file included. Here are what only
appointments need: whole weeks and months, the day of the month, days counted from another one, and
the appointment that is being moved. ``dateparser`` reads dates in figures and the counted ones
("in 2 months"), where a calendar library is better than a few lines; see ``dates``.

Works on ``spoken_numbers.comparable`` words; ``day_readers`` tells what each pattern means. Pure:
the present day is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from services.receptionist.calendar import day_readers as read
from services.receptionist.calendar.dates import stretch
from services.receptionist.calendar.day_readers import Asked
from services.receptionist.calendar.days import MONTHS, Said, named_days
from services.receptionist.calendar.schedule import WEEKDAYS, Schedule

CUT = " ; "
"""Stands where the words of a day were: what is left around it does not belong together."""


@dataclass(frozen=True, slots=True)
class Days:
    """The days that would do, in order, and the words without them. ``is_bare``: a weekday that
    was named without saying which."""

    days: tuple[date, ...]
    rest: str
    is_bare: bool = False


_Reader = Callable[["re.Match[str]", Asked], tuple[date, ...]]
_DAY = "|".join(WEEKDAYS)
_MONTH = "|".join(MONTHS)
_SHORT_DAYS = {
    **{"mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday"},
    **{"weds": "wednesday", "thu": "thursday", "thur": "thursday", "thurs": "thursday"},
    **{"fri": "friday", "sat": "saturday", "sun": "sunday", "tmrw": "tomorrow"},
}
_SHORT_MONTHS = {month[:3]: month for month in MONTHS if month != "may"} | {"sept": "september"}
_SHORT = re.compile(rf"\b(?:{'|'.join([*_SHORT_DAYS, *_SHORT_MONTHS])})\b")
_NO_DAY_OF_MONTH = (
    r"(?! (?:thing|available|one|slot|time|appointment|opening|possible|free|week|half|part|of the"
    rf"|{_DAY})\b)"
)


def spoken_days(
    words: str, today: date, schedule: Schedule, other: date | None = None
) -> Days | None:
    """The days in the words; None if there are none.

    ``other`` is what "the next day" refers to. Raises NoSuchDay and OtherWeekday.
    """
    words = _SHORT.sub(lambda match: (_SHORT_DAYS | _SHORT_MONTHS)[match[0]], words)
    asked = Asked(today, schedule, other)
    words, barred = _without_barred(words)
    found = _first(words, asked) or _named(words, asked)
    if found is None:
        if not barred:
            return None
        found = Days(stretch(today, today + timedelta(days=13)), words)
    return Days(
        tuple(day for day in found.days if day.weekday() not in barred), found.rest, found.is_bare
    )


def _without_barred(words: str) -> tuple[str, set[int]]:
    """Weekdays that will not do ("any day except Friday")."""
    pattern = rf"\b(?:except|but not|(?<!if )not(?: on)?|other than) (?:on )?({_DAY})s?\b"
    barred = {WEEKDAYS.index(match[1]) for match in re.finditer(pattern, words)}
    return re.sub(pattern, CUT, words) if barred else words, barred


def _first(words: str, asked: Asked) -> Days | None:
    for pattern, reader in _READERS:
        if match := pattern.search(words):
            days = reader(match, asked)
            return Days(days, f"{words[: match.start()]}{CUT}{words[match.end() :]}")
    return None


def _named(words: str, asked: Asked) -> Days | None:
    """What ``named_days`` knows; the words stay, as there are no numbers in them."""
    days = named_days(words, asked.today, asked.schedule)
    if not days:
        return None
    is_bare = len(days) == 1 and days[0].said is Said.EVERY
    return Days(tuple(day.when for day in days), words, is_bare)


_OF_WEEK = rf"(?:(?:on )?(?P<weekday>{_DAY})s? )?(?:the )?"
_N = r"(?P<n>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?: (?:in )?(?P<year>20 ?\d\d)\b)?"
_IN_MONTH = rf"(?P<month>{_MONTH}|next month|this month|the month)"
_PART = "end|beginning|start|middle|mid|early|late"
_COUNT = r"(?P<count>\d{1,3}|an?|few)"
_UNIT = r"(?P<unit>days?|weeks?|months?)"
_ROWS: tuple[tuple[str, _Reader], ...] = (
    (
        rf"\bweek (?:of|beginning|starting) (?:the )?(?P<month>{_MONTH}) {_N}\b{_YEAR}",
        read.week_of,
    ),
    (rf"(?<!at )(?<!:)\b{_OF_WEEK}(?<!at )\b{_N} (?:of )?(?P<month>{_MONTH})\b{_YEAR}", read.dated),
    (rf"\b{_OF_WEEK}(?P<month>{_MONTH}) (?:the )?{_N}\b(?!:){_YEAR}", read.dated),
    (
        rf"\b(?:the )?(?P<n>[1-5](?:st|nd|rd|th)|last) (?P<weekday>{_DAY}) (?:of|in) {_IN_MONTH}\b",
        read.nth_weekday,
    ),
    (
        rf"\b(?:the )?(?P<n>[1-4](?:st|nd|rd|th)|last) week (?:of|in) {_IN_MONTH}\b",
        read.part_of_month,
    ),
    (rf"\b(?:the )?(?P<n>{_PART})(?: of)?(?: in)? {_IN_MONTH}\b", read.part_of_month),
    (
        rf"\b{_OF_WEEK}(?P<n>\d{{1,2}})(?:st|nd|rd|th)\b{_NO_DAY_OF_MONTH}"
        r"(?: of (?:the )?(?P<which>next|this) month)?",
        read.day_of_month,
    ),
    (
        r"\b(?:the )?same (?:day|time)(?: of the week)?(?: (?:the )?(?:next|following) week"
        r"| (?:a|1) week later)\b|\bthe week after(?= that\b|\s*$)",
        read.week_beside,
    ),
    (
        r"\b(?:the )?(?:next|following|previous) day\b|\b(?:the )?same day\b"
        r"|\b(?:the )?day (?:after|before)(?: that| this)?(?= (?:at|in|same|please|around)\b|\s*$)",
        read.beside,
    ),
    (rf"\b{_COUNT} {_UNIT} (?:later|earlier|sooner|after that|before that)\b", read.beside),
    (
        rf"\b(?P<count>\d|a) weeks? (?:from|on|after|this|coming) (?:this |next |coming )?"
        rf"(?P<weekday>{_DAY})\b",
        read.weeks_from_weekday,
    ),
    (rf"(?<!next )(?<!this )\bweek on (?P<weekday>{_DAY})\b", read.weeks_from_weekday),
    (rf"\b(?P<weekday>{_DAY}) (?:(?P<count>2) weeks|week)\b", read.weeks_from_weekday),
    (
        rf"\b(?P<weekday>{_DAY})s?(?: of| in| on)?(?: the)? (?P<week>week after next|(?:this|next"
        r"|following) week)\b",
        read.weekday_in_week,
    ),
    (
        rf"\b(?:the )?(?P<week>week after next|(?:this|next|following) week)(?: on)?(?: a)?"
        rf" (?P<weekday>{_DAY})s?\b(?! (?:to|through|until|and|or)\b)",
        read.weekday_in_week,
    ),
    (
        rf"\b(?P<week>next week (?:from |between |on )?)?(?:from |between )?(?P<one>{_DAY})"
        rf" (?:to|through|until) (?P<other>{_DAY})\b",
        read.weekday_range,
    ),
    (rf"\bbetween (?P<one>{_DAY}) and (?P<other>{_DAY})\b", read.weekday_range),
    (
        rf"\b(?:(?:{_PART}|later|sometime|rest|any ?time|any day)(?: of)?(?: in)?(?: the)? )?"
        r"(?:(?:this|next|following|coming) week\b(?! ?end)|week after next\b)"
        r"|\b(?:end|rest) of the week\b|\blater in the week\b",
        read.week,
    ),
    (
        r"\b(?:next|coming|following) (?P<count>\d{1,2}|few) (?P<unit>days|weeks|months)\b",
        read.within,
    ),
    (rf"\bwithin (?:the )?(?:next )?(?P<count>\d{{1,2}}|an?|next) {_UNIT}\b", read.within),
    (
        rf"\bin (?:about )?{_COUNT} {_UNIT}\b(?: (?:time|from (?:today|now|tomorrow)))?",
        read.counted_on,
    ),
    (rf"\b{_COUNT} {_UNIT} (?:from )?(?:today|now|tomorrow|time)\b", read.counted_on),
    (r"\b(?:today|tomorrow) (?P<unit>week)\b", read.counted_on),
    (r"\b(?P<month>next month|this month)\b", read.whole_month),
    (rf"\bin (?P<month>{_MONTH})\b", read.whole_month),
    (
        rf"\byesterday\b|\blast (?:week|month|night|{_DAY})\b|\b\d+ (?:days?|weeks?) ago\b",
        read.over,
    ),
)
_READERS = tuple((re.compile(pattern), reader) for pattern, reader in _ROWS)
