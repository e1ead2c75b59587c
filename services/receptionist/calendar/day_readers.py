"""One function for each shape of words that tells days: what the match of its pattern means.

The patterns are in ``spoken_days``. Each function has the match and what days are counted from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from services.receptionist.calendar.dates import counted, monday, month, months_on, stretch
from services.receptionist.calendar.days import MONTHS, named_days
from services.receptionist.calendar.schedule import WEEKDAYS, Schedule


class NoSuchDay(ValueError):
    """February 30th."""


class OtherWeekday(ValueError):
    """Tuesday the 25th, which is a Wednesday."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What days are counted from: today, or the day of the appointment that is talked about."""

    today: date
    schedule: Schedule
    other: date | None

    @property
    def base(self) -> date:
        return self.other or self.today


def dated(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """A month and a day, with or without its weekday and year."""
    in_month, number = MONTHS.index(match["month"]) + 1, int(match["n"])
    year = _group(match, "year").replace(" ", "")
    if year:
        try:
            day = date(int(year), in_month, number)
        except ValueError:
            raise NoSuchDay from None
    else:
        days = named_days(f"{match['month']} {number}", asked.today, asked.schedule)
        if not days:
            raise NoSuchDay
        day = days[0].when
    return (_checked(day, match),)


def _checked(day: date, match: re.Match[str]) -> date:
    weekday = _group(match, "weekday")
    if weekday and WEEKDAYS[day.weekday()] != weekday:
        raise OtherWeekday
    return day


def day_of_month(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "the 3rd": of this month or of the next one that has it."""
    number, which = int(match["n"]), _group(match, "which")
    if not 1 <= number <= 31:
        raise NoSuchDay
    first = asked.today.replace(day=1)
    if which:
        first = months_on(first, 1) if which == "next" else first
        try:
            return (_checked(first.replace(day=number), match),)
        except ValueError as error:
            raise error if isinstance(error, OtherWeekday) else NoSuchDay from None
    for ahead in range(4):
        try:
            day = months_on(first, ahead).replace(day=number)
        except ValueError:
            continue
        if day >= asked.today:
            return (_checked(day, match),)
    raise NoSuchDay


def nth_weekday(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "the first Monday of December"."""
    weekday = WEEKDAYS.index(match["weekday"])
    in_month = month(_month_named(match["month"], asked))
    days = [day for day in in_month if day.weekday() == weekday]
    at = -1 if match["n"] == "last" else int(match["n"][0]) - 1
    if at >= len(days):
        raise NoSuchDay
    return (days[at],)


def part_of_month(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "the first week of December", "the end of the month"."""
    days, which = month(_month_named(match["month"], asked)), match["n"]
    if which in ("last", "end", "late"):
        return _to_come(days[-7:], asked)
    begin = 7 * (int(which[0]) - 1) if which[0].isdigit() else 10 * which.startswith("mid")
    return _to_come(days[begin : begin + 7], asked)


def _month_named(name: str, asked: Asked) -> date:
    """The first day of "next month", of the coming December, or of this month."""
    first = asked.today.replace(day=1)
    if name in MONTHS:
        return months_on(first, (MONTHS.index(name) + 1 - first.month) % 12)
    return months_on(first, int(name.startswith("next")))


def weekday_in_week(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "Tuesday next week", "next week on Tuesday"."""
    ahead = {"this": 0, "week": 2}.get(match["week"].split()[0], 1)
    weekday = WEEKDAYS.index(match["weekday"])
    return (monday(asked.today) + timedelta(days=7 * ahead + weekday),)


def weeks_from_weekday(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "a week from Tuesday", "Tuesday week", "two weeks on Friday"."""
    count = _group(match, "count")
    weeks = int(count) if count.isdigit() else 1
    ahead = (WEEKDAYS.index(match["weekday"]) - asked.today.weekday()) % 7
    return (asked.today + timedelta(days=7 * weeks + ahead),)


def weekday_range(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "Monday to Wednesday"."""
    first = asked.today
    if _group(match, "week"):
        first = monday(first) + timedelta(days=7)
    begin, end = WEEKDAYS.index(match["one"]), WEEKDAYS.index(match["other"])
    start = first + timedelta(days=(begin - first.weekday()) % 7)
    return stretch(start, start + timedelta(days=(end - begin) % 7))


def week(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """A whole week; of the present one what is left."""
    words = match[0]
    ahead = (
        2 if "after next" in words else 0 if re.search("this|later|rest|end of the", words) else 1
    )
    base = asked.today
    first = monday(base) + timedelta(days=7 * ahead)
    begin, end = 0, 6
    if re.search(r"end of|late\b", words):
        begin, end = 3, 4
    elif re.search("beginning|start|early", words):
        begin, end = 0, 1
    elif re.search("middle|mid", words):
        begin, end = 1, 3
    days = stretch(first + timedelta(days=begin), first + timedelta(days=end))
    later = "later" in words
    return tuple(day for day in days if day >= base + timedelta(days=later)) or (base,)


def week_of(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    first = monday(dated(match, asked)[0])
    return _to_come(stretch(first, first + timedelta(days=6)), asked)


def whole_month(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    return _to_come(month(_month_named(match["month"], asked)), asked)


def _to_come(days: Sequence[date], asked: Asked) -> tuple[date, ...]:
    return tuple(day for day in days if day >= asked.today)


def within(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "in the next two weeks", "within a week", "the next few days"."""
    count, unit = match["count"], match["unit"]
    number = 4 if count == "few" else int(count) if count.isdigit() else 1
    days = number * {"d": 1, "w": 7, "m": 30}[unit[0]]
    return stretch(asked.today, asked.today + timedelta(days=min(days, 366)))


def counted_on(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "in 2 weeks", "3 days from tomorrow", "a week today": counted by the library."""
    count = _group(match, "count")
    number = int(count) if count.isdigit() else 3 if count == "few" else 1
    base = asked.today + timedelta(days="tomorrow" in match[0])
    return (counted(number, match["unit"].rstrip("s"), base),)


def beside(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "the next day", "2 days earlier", "the day before": beside the other appointment."""
    words = match[0]
    if "same" in words:
        return (asked.base,)
    sign = -1 if re.search(r"before|earlier|previous", words) else 1
    count, unit = _group(match, "count"), _group(match, "unit") or "day"
    number = int(count) if count.isdigit() else 1
    return (counted(sign * number, unit.rstrip("s"), asked.base),)


def week_beside(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "the same day next week", "the same time next week", "the week after"."""
    return (asked.base + timedelta(days=7),)


def _group(match: re.Match[str], name: str) -> str:
    """'' for a group that the pattern does not have or that took no part."""
    return match.groupdict().get(name) or ""


def over(match: re.Match[str], asked: Asked) -> tuple[date, ...]:
    """ "yesterday", "last week": what cannot be booked."""
    return (asked.today - timedelta(days=1),)
