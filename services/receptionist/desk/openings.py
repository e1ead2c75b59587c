"""Which free times there are for a wish: the time itself, or some to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from services.receptionist.books import Appointments
from services.receptionist.calendar.dates import stretch
from services.receptionist.calendar.slots import Diary, spread
from services.receptionist.calendar.when import Problem, When
from services.receptionist.desk.call import DeskCall

MOST_OFFERED = 3
_FIRST_LOOK_DAYS = 14
_NOON = 12 * 60
_APART = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Opening:
    """``start`` is the time that was asked for, if it is free; ``slots`` are others, and ``why``
    is the reason for which there is none as it was asked for."""

    start: datetime | None = None
    slots: tuple[datetime, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An appointment that is looked for: its length in minutes, and the booking it would move."""

    minutes: int
    moves: str = ""


class Openings:
    """Looks into the appointment book."""

    def __init__(self, call: DeskCall) -> None:
        self._call = call

    async def find(self, when: When, wanted: Wanted, *, refused: datetime | None = None) -> Opening:
        """What there is. ``refused`` is a start that the book has just refused. The wish must have
        no problem, except that it is in the past."""
        if when.at:
            return await self._exactly(when.at.astimezone(UTC), wanted, refused)
        if when.soonest or not when.days:
            return await self._soonest(when, wanted)
        return await self._within(when, wanted)

    async def _exactly(
        self, start: datetime, wanted: Wanted, refused: datetime | None = None
    ) -> Opening:
        diary = await self._diary(start, wanted)
        why = "taken" if refused == start else diary.why_not(start)
        if not why:
            return Opening(start)
        most = MOST_OFFERED + (refused is not None)
        if len(slots := diary.nearest(start, most)) < most:
            diary = await self._diary(start, wanted, self._call.agent.booking.days_ahead)
            slots = diary.nearest(start, most)
        return Opening(slots=self._sorted([one for one in slots if one != refused]), why=why)

    async def _soonest(self, when: When, wanted: Wanted) -> Opening:
        """The first free time, and others later on."""
        today = self._today
        ahead = self._call.agent.booking.days_ahead
        days = when.days or stretch(today, today + timedelta(days=ahead))
        for first in range(0, len(days), _FIRST_LOOK_DAYS):
            some = days[first : first + _FIRST_LOOK_DAYS]
            diary = await self._diary_of(some, wanted)
            found: list[datetime] = []
            for day in some:
                for start in diary.free_at(day, when.begin, when.end):
                    if not found or start >= found[-1] + _APART:
                        found.append(start)
                if len(found) >= MOST_OFFERED:
                    break
            if found:
                slots = tuple(found[:MOST_OFFERED])
                return Opening(slots[0] if when.soonest else None, slots)
        return Opening(why=await self._why_none(when, wanted, days))

    async def _within(self, when: When, wanted: Wanted) -> Opening:
        """Some times of the days and the time of day that were named."""
        diary = await self._diary_of(when.days, wanted)
        by_day = [diary.free_at(day, when.begin, when.end) for day in when.days]
        by_day = [starts for starts in by_day if starts]
        if not by_day:
            return await self._instead(when, wanted)
        if when.time is not None:
            if len(when.days) == 1:
                about = self._call.agent.schedule.moment(when.days[0], when.time)
                near = sorted(by_day[0], key=lambda start: (abs(start - about), start))
                start = about if near[0] == about else None
                return Opening(start, self._sorted(near[:MOST_OFFERED]))
            return Opening(slots=tuple(starts[0] for starts in by_day[:MOST_OFFERED]))
        if len(by_day) < MOST_OFFERED:
            return Opening(slots=tuple(spread([at for day in by_day for at in day], MOST_OFFERED)))
        days = [by_day[0], by_day[len(by_day) // 2], by_day[-1]]
        return Opening(slots=tuple(starts[0] for starts in days))

    async def _instead(self, when: When, wanted: Wanted) -> Opening:
        """Nothing is free on these days: why, and what is near."""
        why = await self._why_none(when, wanted, when.days)
        minute = when.time if when.time is not None else when.begin or _NOON
        asked = self._call.agent.schedule.moment(when.days[0], minute)
        near = await self._exactly(max(asked, self._call.now), wanted)
        slots = near.slots if near.start is None else (near.start,)
        return Opening(slots=slots, why=why)

    async def _why_none(self, when: When, wanted: Wanted, days: Sequence[date]) -> str:
        """The reason that holds for the start that came closest to being free."""
        schedule = self._call.agent.schedule
        diary = replace(await self._diary_of(days[:1], wanted), taken=())
        if any(diary.free_at(day, when.begin, when.end) for day in days):
            return "taken"
        starts = [
            schedule.moment(day, max(when.begin, span.start))
            for day in days
            for span in schedule.spans(day)
            if span.start < when.end and span.end > when.begin
        ]
        reasons = [diary.why_not(start) for start in starts]
        order = ("too_soon", "too_far", "past", "closed")
        return next((why for why in order if why in reasons), "closed")

    async def _diary(self, start: datetime, wanted: Wanted, days: int = _FIRST_LOOK_DAYS) -> Diary:
        day = self._call.agent.schedule.local(start).date()
        return await self._diary_of(stretch(day, day + timedelta(days=days)), wanted)

    async def _diary_of(self, days: Sequence[date], wanted: Wanted) -> Diary:
        """The diary with what is taken on some days, and the nights before and after them."""
        agent, book = self._call.agent, self._call.appointments
        begin = agent.schedule.moment(days[0] - timedelta(days=1), 0)
        end = agent.schedule.moment(days[-1] + timedelta(days=2), 0)
        end += timedelta(minutes=wanted.minutes)
        taken = await _taken(book, self._call.agent_id, begin, end, wanted.moves)
        return Diary(agent.schedule, agent.booking, wanted.minutes, taken, self._call.now)

    def _sorted(self, starts: Sequence[datetime]) -> tuple[datetime, ...]:
        """As they are read out: in the order of the calendar."""
        return tuple(sorted(starts[:MOST_OFFERED]))

    @property
    def _today(self) -> date:
        return self._call.agent.schedule.local(self._call.now).date()


async def _taken(
    book: Appointments, agent_id: str, begin: datetime, end: datetime, moves: str
) -> Sequence[tuple[datetime, datetime]]:
    return await book.taken(agent_id, begin, end, but=moves)


def can_be_looked_up(when: When) -> bool:
    """Whether there is anything to look for. For what is past, there is what comes instead."""
    return when.problem is Problem.NONE or (when.problem is Problem.PAST and when.at is not None)
