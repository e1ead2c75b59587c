"""Dates by the calendar library, and a little arithmetic on days.

``dateparser`` is asked for what a library does better than a few lines of patterns: dates in
figures (in the order of the country), days counted in months and years, and
every language but English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from dateparser.date import DateDataParser

_MONTH_FIRST = {"US", "PH", "PW", "FM", "MH", "GU", "PR"}
_ANY_LANGUAGE = ("en", "es", "fr", "de", "it", "pt", "nl", "pl", "ru", "tr", "sv")
"""Tried for agents that speak several."""
_FIGURES = re.compile(
    r"(?<![\d/:])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}/\d{1,2}(?:/\d{2,4})?"
    r"|\d{1,2}[-.]\d{1,2}[-.]\d{2,4})(?![\d/])"
)
_MOST_WORDS = 12
_LONGEST_DATE = 3
_SHORTEST_DATE = 4
_CLOCKS = (
    (
        re.compile(r"\b(\d{1,2})\s?(?:uhr|heures?|h|horas?|ore|uur)\s?([0-5]\d)\b", re.I),
        r"at \1:\2",
    ),
    (re.compile(r"\b(\d{1,2})\s?(?:uhr|heures?|h|horas?|ore|uur)\b", re.I), r"at \1:00"),
    (re.compile(r"\b(?:um|gegen|à|a las?|alle|às|om|kl|o|в)\s(?=\d{1,2}\b(?!\.))", re.I), "at "),
)
"""How clock times are said in other languages, and how in English."""
_CLOCK = re.compile(r"\b(?:at \d{1,2}(?::\d\d)?|\d{1,2}:\d\d)\b")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the library made of a text. ``minute`` is None if no time of day was in it."""

    day: date
    minute: int | None


def parse(text: str, languages: Sequence[str], today: date, country: str) -> Parsed | None:
    """A text that is nothing but a date, perhaps with a time; None if it is not understood."""
    settings: dict[str, Any] = {
        "RELATIVE_BASE": datetime.combine(today, time()),
        "PREFER_DATES_FROM": "future",
        "RETURN_TIME_AS_PERIOD": True,
        "RETURN_AS_TIMEZONE_AWARE": False,
        "DATE_ORDER": "MDY" if country in _MONTH_FIRST else "DMY",
    }
    try:
        parser = DateDataParser(languages=list(languages), settings=settings)
        found = parser.get_date_data(text)
    except (ValueError, OverflowError, TypeError):  # it is not proof against every text
        return None
    moment = found.date_obj
    if moment is None:
        return None
    minute = moment.hour * 60 + moment.minute if found.period == "time" else None
    return Parsed(moment.date(), minute)


def parse_within(
    text: str, languages: Sequence[str], today: date, country: str
) -> tuple[Parsed, str] | None:
    """A date in a text that is not English, and its time of day in English words, if it is said
    apart ("um 15 Uhr" is "at 15:00"). None if there is no date."""
    for pattern, replacement in _CLOCKS:
        text = pattern.sub(replacement, text)
    clock = _CLOCK.search(text)
    said_at = clock[0] if clock else ""
    text = text.replace(said_at, " ; ", 1) if clock else text
    words = re.sub(r"[,!?]", " ", text).split()[:_MOST_WORDS]
    if ";" not in words and (whole := parse(" ".join(words), languages, today, country)):
        return whole, ""
    for length in range(_LONGEST_DATE, 0, -1):
        for start in range(len(words) - length + 1):
            some = " ".join(words[start : start + length])
            if ";" in some or len(some) < _SHORTEST_DATE or not re.search(r"[^\W\d_]", some):
                continue  # a number alone is no date, and "mar" is many things
            found = parse(some, languages, today, country)
            if found and found.minute is None:
                return found, said_at
    return None


def in_figures(text: str, today: date, country: str) -> tuple[str, date | None] | None:
    """A date like 12/3 or 2026-12-03 and the words that hold it; the date is None for February
    30th, the whole is None if there is no such thing in the text."""
    match = _FIGURES.search(text)
    if match is None:
        return None
    found = parse(match[0], ("en",), today, country)
    return match[0], found.day if found else None


def counted(number: int, unit: str, base: date) -> date:
    """So many days, weeks, months or years after a day, or before it."""
    words = f"in {number} {unit}s" if number >= 0 else f"{-number} {unit}s ago"
    found = parse(words, ("en",), base, "US")
    return found.day if found else base


def languages_of(language: str) -> tuple[str, ...]:
    """The library's languages for an agent's ("en-GB", "de", "multi")."""
    return _ANY_LANGUAGE if language == "multi" else (language.split("-")[0].lower(),)


def warm_up(language: str = "en") -> None:
    """Load what the library reads at its first use: 0.1 to 0.3 s that no call should wait for."""
    parse("in 2 weeks", ("en",), date(2026, 1, 1), "US")
    parse("-", languages_of(language), date(2026, 1, 1), "US")


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def months_on(first: date, months: int) -> date:
    """The first day of a month, so many months on."""
    years, month_index = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month_index + 1, 1)


def month(first: date) -> tuple[date, ...]:
    """All days of the month that begins on a day."""
    return stretch(first, months_on(first, 1) - timedelta(days=1))


def stretch(first: date, last: date) -> tuple[date, ...]:
    """The days from one to another, both included."""
    return tuple(first + timedelta(days=ahead) for ahead in range((last - first).days + 1))
