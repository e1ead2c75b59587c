"""Free times for appointments: the opening hours, the rules and what is taken, put together.

Pure. Everything is compared in UTC. The grid is one of the wall clock: it begins anew with each
opening span ("8:00", "8:15", ...), a time that the clocks skip is not on it, and of a time that
they repeat only the first is, because a voice cannot tell the two apart. An appointment must fit
into the time the business is open without a pause, spans that touch being one; over midnight it
belongs to the day on which its span begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from services.receptionist.agent import Booking
from services.receptionist.calendar.schedule import MINUTES_PER_DAY, Schedule

Stretch = tuple[datetime, datetime]
_MOST_DAYS_TO_SEARCH = 60


@dataclass(frozen=True, slots=True)
class Diary:
    """The rules and what is taken. ``minutes`` is the length of the service; times are aware."""

    schedule: Schedule
    rules: Booking
    minutes: int
    taken: Sequence[Stretch]
    now: datetime

    @property
    def earliest(self) -> datetime:
        """Nothing begins before this."""
        return self.now.astimezone(UTC) + timedelta(minutes=self.rules.notice_minutes)

    @property
    def latest(self) -> datetime:
        """Nothing begins after this: the end of the last day that can be booked."""
        last = self.schedule.local(self.now).date() + timedelta(days=self.rules.days_ahead)
        return self.schedule.moment(last, MINUTES_PER_DAY)

    def free(self, day: date) -> list[datetime]:
        """Free starts of a day, in order, in UTC."""
        stretches = self._open(day)
        starts = {start for start, _ in self._grid(day)}
        return [start for start in sorted(starts) if not self._refusal(start, stretches)]

    def free_at(self, day: date, begin: int, end: int) -> list[datetime]:
        """Those that begin at a minute of the day from ``begin`` up to, not including, ``end``."""
        starts = {start for start, minute in self._grid(day) if begin <= minute < end}
        stretches = self._open(day)
        return [start for start in sorted(starts) if not self._refusal(start, stretches)]

    def why_not(self, start: datetime) -> str:
        """'' if the start is free, or past, too_soon, too_far, closed, off_grid, taken."""
        start = start.astimezone(UTC)
        day = self.schedule.local(start).date()
        if refusal := self._refusal(start, self._open(day)):
            return refusal
        days = (day, day - timedelta(days=1))  # a span of yesterday may reach over midnight
        on_grid = any(start == at for one in days for at, _ in self._grid(one))
        return "" if on_grid else "off_grid"

    def nearest(self, asked: datetime, most: int = 3) -> list[datetime]:
        """Free starts near the asked one: those of its day first, the closest first, then of each
        following day the one at the closest time of day."""
        asked = asked.astimezone(UTC)
        day = self.schedule.local(asked).date()
        same_day = sorted(self.free(day), key=lambda start: (abs(start - asked), start))
        found = same_day[:most]
        for ahead in range(1, _MOST_DAYS_TO_SEARCH + 1):
            shift = timedelta(days=ahead)
            if len(found) == most or self.schedule.moment(day + shift, 0) > self.latest:
                break
            if starts := [start for start in self.free(day + shift) if start not in found]:
                wanted = asked + shift
                found.append(min(starts, key=lambda start: (abs(start - wanted), start)))
        return found

    def _refusal(self, start: datetime, stretches: Iterable[Stretch]) -> str:
        """Why it cannot begin then, wherever the grid is."""
        end = start + timedelta(minutes=self.minutes)
        if start < self.now.astimezone(UTC):
            return "past"
        if start < self.earliest:
            return "too_soon"
        if start >= self.latest:
            return "too_far"
        if not any(begin <= start and end <= close for begin, close in stretches):
            return "closed"
        return "taken" if self._is_full(start, end) else ""

    def _is_full(self, start: datetime, end: datetime) -> bool:
        """Whether at some moment of it there are as many appointments as there can be."""
        others = [
            (begin.astimezone(UTC), stop.astimezone(UTC))
            for begin, stop in self.taken
            if begin < end and stop > start
        ]
        moments = [start, *(begin for begin, _ in others if begin > start)]
        busiest = max(sum(begin <= at < stop for begin, stop in others) for at in moments)
        return busiest >= self.rules.at_once

    def _grid(self, day: date) -> Iterator[tuple[datetime, int]]:
        """The starts of a day's spans by the wall clock, in UTC, and as minutes of the day."""
        for span in self.schedule.spans(day):
            for minute in range(span.start, span.end, self.rules.every_minutes):
                start = self.schedule.moment(day, minute)
                wall = self.schedule.local(start)
                if wall.hour * 60 + wall.minute == minute % MINUTES_PER_DAY:
                    yield start, minute

    def _open(self, day: date) -> list[Stretch]:
        """When the business is open around a day, in UTC; spans that touch are one stretch."""
        days_of_service = self.minutes // MINUTES_PER_DAY + 2
        spans = sorted(
            (self.schedule.moment(one, span.start), self.schedule.moment(one, span.end))
            for ahead in range(-2, days_of_service + 1)
            for one in [day + timedelta(days=ahead)]
            for span in self.schedule.spans(one)
        )
        merged: list[Stretch] = []
        for begin, end in spans:
            if end <= begin:
                continue  # it lies in the hour that the clocks skip
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((begin, end))
        return merged


def spread(starts: Sequence[datetime], most: int = 3) -> list[datetime]:
    """A few out of many, over their whole length: the first, some between, the last."""
    if len(starts) <= most or most < 2:
        return list(starts[:most])
    step = (len(starts) - 1) / (most - 1)
    return [starts[round(at * step)] for at in range(most)]
