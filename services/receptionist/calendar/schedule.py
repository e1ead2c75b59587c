"""When the business is open: spans of the week, holidays, and the arithmetic on them.

Pure: the present moment is an argument. A span belongs to the day on which it begins and may end
on the next one. Moments are compared in UTC, because two times of one zone compare by their clock
faces, which is wrong in the hour that a change of the clocks repeats.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTES_PER_DAY = 24 * 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LOOK_AHEAD_DAYS = 60
_LONGEST_PLAUSIBLE = 18 * 60

_CLOCK = r"(\d{1,2})(?:[:.](\d\d))?\s*(am|pm)?"
_SPAN = re.compile(rf"\s*{_CLOCK}\s*(?:-|–|to)\s*{_CLOCK}\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OpenSpan:
    """Open from ``start`` to ``end``, in minutes since midnight; ``end`` may lie past midnight."""

    start: int
    end: int

    @property
    def all_day(self) -> bool:
        return self.start == 0 and self.end == MINUTES_PER_DAY

    @classmethod
    def parse(cls, text: str) -> OpenSpan:
        """Read ``9:00-17:30`` or ``9am-5:30pm``; ``18:00-02:00`` ends on the next day.

        Raises ValueError, saying what is expected.
        """
        match = _SPAN.fullmatch(text)
        if not match:
            raise ValueError(f'expected opening hours like "9:00-17:00", got "{text}"')
        start, end = _minutes(*match.groups()[:3]), _minutes(*match.groups()[3:])
        if start in (MINUTES_PER_DAY, end):
            raise ValueError(f'"{text}" has no length; around the clock is "0:00-24:00"')
        if end < start:
            end += MINUTES_PER_DAY
        if end > MINUTES_PER_DAY and end - start > _LONGEST_PLAUSIBLE:
            hours = (end - start) // 60
            raise ValueError(f'"{text}" would last {hours} hours; write 5 PM as 17:00')
        return cls(start, end)


def _minutes(hour: str, minute: str | None, half: str | None) -> int:
    hours, minutes = int(hour), int(minute or 0)
    if half and not 1 <= hours <= 12:
        raise ValueError(f'"{hour} {half}" is no time of day; write one like 9:30 or 17:30')
    if half:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    if minutes > 59 or hours * 60 + minutes > MINUTES_PER_DAY:
        raise ValueError(f'"{hour}:{minutes:02}" is no time of day; write one like 9:30 or 17:30')
    return hours * 60 + minutes


@dataclass(frozen=True, slots=True)
class HolidayDays:
    """``2026-12-24``, ``2026-12-24 to 2027-01-02``, or ``12-25`` for every year."""

    first: tuple[int, ...]
    last: tuple[int, ...]

    def includes(self, day: date) -> bool:
        key = (day.year, day.month, day.day)[-len(self.first) :]
        if self.first <= self.last:
            return self.first <= key <= self.last
        return key >= self.first or key <= self.last  # every year, over New Year

    @classmethod
    def parse(cls, text: str) -> HolidayDays:
        """Raises ValueError, saying what is expected."""
        first, _, last = (part.strip() for part in text.partition(" to "))
        stretch = cls(_day_key(first), _day_key(last or first))
        if len(stretch.first) != len(stretch.last):
            raise ValueError(f'"{text}": write both days with the year, or both without')
        if len(stretch.first) == 3 and stretch.last < stretch.first:
            raise ValueError(f'"{text}" ends before it begins')
        return stretch


def _day_key(text: str) -> tuple[int, ...]:
    """Year, month and day, or month and day."""
    try:
        numbers = tuple(int(part) for part in text.split("-"))
        date(*(numbers if len(numbers) == 3 else (2024, *numbers)))  # 2024: so that 02-29 exists
    except (ValueError, TypeError, OverflowError):
        message = f'expected a date like "2026-12-24", or "12-25" for every year, got "{text}"'
        raise ValueError(message) from None
    return numbers


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days with hours of their own; no spans means closed."""

    name: str
    days: tuple[HolidayDays, ...]
    hours: tuple[OpenSpan, ...] = ()
    aliases: tuple[str, ...] = ()

    def includes(self, day: date) -> bool:
        return any(stretch.includes(day) for stretch in self.days)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The opening hours of a business: ``week`` holds the spans of Monday to Sunday."""

    zone: ZoneInfo
    week: tuple[tuple[OpenSpan, ...], ...] = field(default=((),) * 7)
    holidays: tuple[Holiday, ...] = ()

    @property
    def is_known(self) -> bool:
        return any(self.week)

    def holiday(self, day: date) -> Holiday | None:
        return next((holiday for holiday in self.holidays if holiday.includes(day)), None)

    def spans(self, day: date) -> tuple[OpenSpan, ...]:
        holiday = self.holiday(day)
        return holiday.hours if holiday else self.week[day.weekday()]

    def closing(self, moment: datetime) -> datetime | None:
        """When it closes, if it is open at the moment; far in the future if it never does."""
        return next((end for start, end in self._stretches(moment) if start <= moment < end), None)

    def opening(self, moment: datetime) -> datetime | None:
        """When it opens next after the moment; None if that is weeks away."""
        return next((start for start, _ in self._stretches(moment) if start > moment), None)

    def next_day_of(self, holiday: Holiday, today: date) -> date | None:
        """The next day of a holiday, within a year."""
        days = (today + timedelta(days=ahead) for ahead in range(366))
        return next((day for day in days if self.holiday(day) is holiday), None)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def moment(self, day: date, minutes: int) -> datetime:
        """The wall clock's time on that day, in UTC."""
        days, rest = divmod(minutes, MINUTES_PER_DAY)
        wall = datetime.combine(day + timedelta(days=days), time(*divmod(rest, 60)), self.zone)
        return wall.astimezone(UTC)

    def _stretches(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open stretches around the moment, in UTC; spans that touch are one stretch."""
        today = self.local(moment).date()
        begun: tuple[datetime, datetime] | None = None
        for ahead in range(-1, _LOOK_AHEAD_DAYS):
            day = today + timedelta(days=ahead)
            for span in self.spans(day):
                start, end = self.moment(day, span.start), self.moment(day, span.end)
                if end <= start:
                    continue  # it lies in the hour that the clocks skip
                if begun and start <= begun[1]:
                    begun = (min(begun[0], start), max(begun[1], end))
                    continue
                if begun:
                    yield begun
                begun = (start, end)
        if begun:
            yield begun
