"""The opening hours of a week in one breath: what most callers want to hear when they ask for them.

Callers cannot skim. So days with the same hours stand together, a lunch break is said once, and
only the next holiday is mentioned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from services.receptionist.calendar.days import ordinal
from services.receptionist.calendar.schedule import MINUTES_PER_DAY, WEEKDAYS, OpenSpan, Schedule
from services.receptionist.calendar.times import clock, listed, sentences, spans_aloud

AROUND_THE_CLOCK = "We're open around the clock."
_NOTICE_DAYS = 10
_FORENOON_ENDS, _AFTERNOON_BEGINS = 14 * 60, 11 * 60


def week(schedule: Schedule, weekdays: Sequence[int] = range(7)) -> str:
    """The hours of the week, or of some of its days (0 is Monday)."""
    days = {weekday: schedule.week[weekday] for weekday in sorted(weekdays)}
    with_lunch = [day for day, spans in days.items() if len(spans) == 2 and lunch_break(spans)]
    lunch = {lunch_break(days[day]) for day in with_lunch}
    if len(lunch) == 1:
        days |= {day: (OpenSpan(days[day][0].start, days[day][1].end),) for day in with_lunch}
    groups: dict[tuple[OpenSpan, ...], list[int]] = {}
    for weekday, spans in days.items():
        groups.setdefault(spans, []).append(weekday)
    closed = groups.pop((), [])
    if not closed and groups.keys() == {(OpenSpan(0, MINUTES_PER_DAY),)}:
        return AROUND_THE_CLOCK
    said = [f"we're open {listed(_hours(groups), ', and ')}"] if groups else []
    if len(lunch) == 1:
        on = "" if len(with_lunch) + len(closed) == len(days) else f"{_names(with_lunch)} "
        all_day = f", and all day {_names(closed)}" if closed else ""
        said.append(f"we close for lunch {on}{lunch.pop().removesuffix(' PM')}{all_day}")
    elif closed:
        said.append(f"we're closed on {_names(closed)}")
    return sentences(said)


def notice(schedule: Schedule, today: date) -> str:
    """A holiday in the next days, which the hours of the week would hide; '' if there is none."""
    for ahead in range(_NOTICE_DAYS + 1):
        day = today + timedelta(days=ahead)
        holiday = schedule.holiday(day)
        if holiday and holiday.hours != schedule.week[day.weekday()]:
            when = {0: "today", 1: "tomorrow"}.get(ahead, f"{day:%A} the {ordinal(day.day)}")
            if holiday.hours:
                return f" On {holiday.name}, {when}, we're open {spans_aloud(holiday.hours)}."
            return f" We're closed on {holiday.name}, {when}."
    return ""


def lunch_break(spans: Sequence[OpenSpan]) -> str:
    """ "from noon to 1 PM", or '' if these spans have no pause around noon."""
    for before, after in zip(spans, spans[1:], strict=False):
        if before.end <= _FORENOON_ENDS and after.start >= _AFTERNOON_BEGINS:
            return f"from {clock(before.end)} to {clock(after.start)}"
    return ""


def _hours(groups: Mapping[tuple[OpenSpan, ...], Sequence[int]]) -> list[str]:
    """ "Monday to Thursday from 8 AM to 5 PM", "Friday until 2 PM": the same begin is said once."""
    said: list[str] = []
    begin: int | None = None
    for spans, days in groups.items():
        hours = spans_aloud(spans)
        if len(spans) == 1 and spans[0].start == begin and not spans[0].all_day:
            hours = f"until {clock(spans[0].end)}"
        begin = spans[0].start if len(spans) == 1 else None
        said.append(f"{_names(days)} {hours}")
    return said


def _names(days: Sequence[int]) -> str:
    """ "Monday to Friday", "Monday, Wednesday and Friday"."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names: list[str] = []
    for run in runs:
        ends = [WEEKDAYS[day].capitalize() for day in run]
        names += [f"{ends[0]} to {ends[-1]}"] if len(run) > 2 else ends
    return listed(names)
