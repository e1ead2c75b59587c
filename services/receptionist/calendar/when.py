"""What a caller means by "next Tuesday at half past three", in the business's time zone.

Four parts, each for what it does best: ``spoken_days`` and ``days.named_days`` find the days in the
words, ``spoken_times`` the times of day in what is left of them, ``dates`` asks a calendar library
for dates in figures, counted days and other languages, and this module puts them together: the day
for a time without one, a correction ("no wait, Wednesday"), ISO 8601 as programs write it, and what
is wrong with the wish. Whatever doubt is left is resolved by reading the time back to the caller.

The choices that are made, always in the same way:

- "next Tuesday" is not the one of this week (see ``days``); "Tuesday" said on a Tuesday is today,
  but the next one if that time of today has passed.
- An hour without "AM" or "PM" is the one at which the business is open; if it is open at both, or
  at neither, the one between 7 AM and 7 PM.
- A time without a day is on the day that is being talked about, else the next time the business is
  open at that time.
- A time that the clocks skip does not exist. Of a time that they repeat the first one is meant,
  unless the offset is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from services.receptionist.calendar import dates
from services.receptionist.calendar.day_readers import NoSuchDay, OtherWeekday
from services.receptionist.calendar.relative_moments import relative_moment
from services.receptionist.calendar.schedule import MINUTES_PER_DAY, Schedule
from services.receptionist.calendar.spoken_days import CUT, Days, spoken_days
from services.receptionist.calendar.spoken_numbers import comparable
from services.receptionist.calendar.spoken_times import NoSuchTime, Times, times


class Problem(Enum):
    """Why a wish cannot be taken as it is."""

    NONE = ""
    UNCLEAR = "unclear"  # no day and no time in it
    NO_SUCH_DAY = "no_such_day"  # February 30th
    OTHER_WEEKDAY = "other_weekday"  # "Tuesday the 25th", which is a Wednesday
    NO_SUCH_TIME = "no_such_time"  # 25 o'clock, or in the hour that a change of clocks skips
    PAST = "past"


@dataclass(frozen=True, slots=True)
class When:
    """When somebody wants to come.

    ``days``: each day that would do, in order; empty if none was said. ``time``: the minute since
    midnight that was said, exact or about; 1440 and more is in the night that follows. ``begin``
    and ``end``: a start is fine from ``begin`` up to, not including, ``end``. ``at``: the moment,
    if one day and an exact time are known, in the business's zone. ``soonest``: when possible.
    """

    days: tuple[date, ...] = ()
    time: int | None = None
    begin: int = 0
    end: int = MINUTES_PER_DAY
    at: datetime | None = None
    soonest: bool = False
    problem: Problem = Problem.NONE

    @property
    def iso(self) -> str:
        """ISO 8601: a moment with its offset, a day, or ``first/last``; '' if nothing is known."""
        if self.at:
            return self.at.isoformat()
        if not self.days:
            return ""
        first, last = self.days[0].isoformat(), self.days[-1].isoformat()
        return first if first == last else f"{first}/{last}"

    @property
    def has_time(self) -> bool:
        """Whether a time of day or a part of the day was said."""
        return self.time is not None or (self.begin, self.end) != (0, MINUTES_PER_DAY)


@dataclass(frozen=True, slots=True)
class _Context:
    """What the words are understood against. ``now`` is local, ``day`` is being talked about."""

    schedule: Schedule
    now: datetime
    country: str
    language: str
    day: date | None
    booked: datetime | None

    @property
    def today(self) -> date:
        return self.now.date()


_Found = tuple[Days | None, Times | None]
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::\d\d(?:\.\d+)?)?\s?(Z|[+-]\d\d:?\d\d)?)?",
    re.IGNORECASE,
)
_CORRECTION = re.compile(
    r"\b(?:no wait|wait no|sorry|i mean|i meant|actually|scratch that|or rather|make (?:it|that)"
    r"|let us say|no make|not that)\b"
)
_SOONEST = re.compile(
    r"\b(?:asap|as soon as|soonest|earliest(?! at)|right away|immediately|at once|straight away"
    r"|(?:1st|next)(?: (?:available|free|possible|open))+|(?:1st|next) (?:appointment|slot|opening"
    r"|one|time)|right now|soon|now$|today if possible|sooner the better)\b"
)
_WHENEVER = re.compile(r"\b(?:any ?time|whenever|any day|flexible|does not matter|do not mind)\b")
_SAME_TIME = re.compile(r"\bsame time\b")


def understand(
    text: str,
    schedule: Schedule,
    now: datetime,
    *,
    country: str = "US",
    language: str = "en",
    day: date | None = None,
    booked: datetime | None = None,
) -> When:
    """What was said, in the business's zone.

    ``day`` is the day that is being talked about, for a time without one. ``booked`` is the
    appointment that "the next day" and "an hour later" refer to.
    """
    here = booked and schedule.local(booked)
    context = _Context(schedule, schedule.local(now), country, language, day, here)
    try:
        return _understood(text.strip()[:300], context)
    except NoSuchDay:
        return When(problem=Problem.NO_SUCH_DAY)
    except OtherWeekday:
        return When(problem=Problem.OTHER_WEEKDAY)
    except (NoSuchTime, OverflowError):
        return When(problem=Problem.NO_SUCH_TIME)


def _understood(text: str, context: _Context) -> When:
    if match := _ISO.fullmatch(text):
        return _from_iso(match, context)
    words = comparable(text)
    if moment := relative_moment(words, context.schedule, context.now, context.booked):
        return _checked(_exactly(moment), context)
    found = _days_and_times(text, context)
    if not _is_english(context) and (found is None or None in found):
        days, wanted = found or (None, None)
        other = _in_other_words(text, context) or (None, None)
        days, wanted = days or other[0], wanted or other[1]
        found = (days, wanted) if days or wanted else None
    soonest = bool(_SOONEST.search(words)) or (found is None and bool(_WHENEVER.search(words)))
    found = found or _beside_booked(words, context)
    if found is None:
        return When(soonest=True) if soonest else When(problem=Problem.UNCLEAR)
    days, wanted = found
    return _combined(days, wanted, soonest, context)


def _is_english(context: _Context) -> bool:
    return context.language.split("-")[0] == "en"


def _from_iso(match: re.Match[str], context: _Context) -> When:
    """As a program writes it. Without an offset it is the business's time."""
    try:
        day = date.fromisoformat(match[1])
        if not match[2]:
            return _checked(When(days=(day,)), context)
        clock = time.fromisoformat(match[2])
    except ValueError:
        is_day = re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", match[1])
        wrong_time = is_day and match[2] and not re.match(r"[01]\d|2[0-3]", match[2])
        return When(problem=Problem.NO_SUCH_TIME if wrong_time else Problem.NO_SUCH_DAY)
    if match[3]:
        moment = datetime.fromisoformat(match[0].upper().replace(" ", "T", 1))
        return _checked(_exactly(context.schedule.local(moment)), context)
    return _at(day, clock.hour * 60 + clock.minute, context)


def _beside_booked(words: str, context: _Context) -> _Found | None:
    """ "A bit later": on the day of the appointment that is moved."""
    way = re.search(r"\b(?:later|earlier|sooner)\b", words)
    if context.booked is None or way is None:
        return None
    minute = context.booked.hour * 60 + context.booked.minute
    day = Days((context.booked.date(),), "")
    return day, Times(begin=minute + 1) if way[0] == "later" else Times(end=minute)


def _days_and_times(text: str, context: _Context) -> _Found | None:
    """The last day and the last time of day that were said; None if neither was."""
    days: Days | None = None
    wanted: Times | None = None
    for part in _CORRECTION.split(_corrections(text)):
        its_days, its_times = _part(part, context)
        days, wanted = its_days or days, its_times or wanted
    return (days, wanted) if days or wanted else None


def _corrections(text: str) -> str:
    """The contractions in which corrections come, in full."""
    return re.sub(r"\blet's\b", "let us", text, flags=re.IGNORECASE).lower()


def _part(text: str, context: _Context) -> _Found:
    figures = dates.in_figures(text, context.today, context.country)
    if figures:
        text = text.replace(figures[0], CUT, 1)
        if figures[1] is None:
            raise NoSuchDay
    words = comparable(text)
    other = context.booked.date() if context.booked else context.day
    days = Days((figures[1],), words) if figures and figures[1] else None
    days = days or spoken_days(words, context.today, context.schedule, other)
    rest = days.rest if days else words
    days_meant = days.days if days else _default_days(context)
    wanted = times(rest, _opening(days_meant, context.schedule))
    if wanted is None and context.booked and _SAME_TIME.search(words):
        minute = context.booked.hour * 60 + context.booked.minute
        wanted = Times(minute, minute, minute + 1)
    return days, wanted


def _default_days(context: _Context) -> tuple[date, ...]:
    """The days that a time without a day may be on."""
    if known := context.day or (context.booked and context.booked.date()):
        return (known,)
    return dates.stretch(context.today, context.today + timedelta(days=7))


def _opening(days: tuple[date, ...], schedule: Schedule) -> Callable[[int], bool]:
    """Whether the business is open at a minute of one of the days."""
    spans = [span for day in days for span in schedule.spans(day)]
    return lambda minute: any(span.start <= minute < span.end for span in spans)


def _in_other_words(text: str, context: _Context) -> _Found | None:
    """What the library makes of words that are not English."""
    languages = dates.languages_of(context.language)
    found = dates.parse_within(text, languages, context.today, context.country)
    if found is None:
        return None
    parsed, rest = found
    days = Days((parsed.day,), "")
    if parsed.minute is not None:
        return days, Times(parsed.minute, parsed.minute, parsed.minute + 1)
    return days, times(comparable(rest), _opening(days.days, context.schedule))


def _combined(days: Days | None, wanted: Times | None, soonest: bool, context: _Context) -> When:
    if wanted is None:
        return _checked(When(days=_not_over(days, context), soonest=soonest), context)
    if not wanted.is_exact or wanted.time is None:
        named = _not_over(days, context) if days else _default_day(context)
        wish = When(named, wanted.time, wanted.begin, wanted.end, soonest=soonest)
        return _checked(wish, context)
    if days is None:
        return _at(_next_day_at(wanted.time, context), wanted.time, context)
    if len(days.days) > 1:
        wish = When(days.days, wanted.time, wanted.begin, wanted.end, soonest=soonest)
        return _checked(wish, context)
    if not days.days:
        return When(problem=Problem.UNCLEAR)
    (day,) = days.days
    when = _at(day, wanted.time, context)
    if days.is_bare and when.problem is Problem.PAST:
        return _at(day + timedelta(days=7), wanted.time, context)
    return when


def _default_day(context: _Context) -> tuple[date, ...]:
    known = context.day or (context.booked and context.booked.date())
    return (known,) if known else ()


def _not_over(days: Days | None, context: _Context) -> tuple[date, ...]:
    """The days; "Tuesday", said on a Tuesday after hours, is the next one."""
    if days is None:
        return ()
    if days.is_bare and days.days == (context.today,):
        minute = context.now.hour * 60 + context.now.minute
        spans = context.schedule.spans(context.today)
        if not any(span.end > minute for span in spans):
            return (context.today + timedelta(days=7),)
    return days.days


def _next_day_at(minute: int, context: _Context) -> date:
    """The day for a time without one."""
    if known := context.day or (context.booked and context.booked.date()):
        return known
    for day in dates.stretch(context.today, context.today + timedelta(days=13)):
        is_ahead = context.schedule.moment(day, minute) > context.now
        if is_ahead and _opening((day,), context.schedule)(minute):
            return day
    is_ahead = context.schedule.moment(context.today, minute) > context.now
    return context.today if is_ahead else context.today + timedelta(days=1)


def _at(day: date, minute: int, context: _Context) -> When:
    """A minute of a day; a time that the clocks skip is a problem."""
    moment = context.schedule.local(context.schedule.moment(day, minute))
    if (moment.hour * 60 + moment.minute) != minute % MINUTES_PER_DAY:
        return When((day,), problem=Problem.NO_SUCH_TIME)
    return _checked(replace(_exactly(moment), days=(day,), time=minute), context)


def _exactly(moment: datetime) -> When:
    minute = moment.hour * 60 + moment.minute
    return When((moment.date(),), minute, minute, minute + 1, at=moment)


def _checked(when: When, context: _Context) -> When:
    """With the problem that it lies in the past, if it does."""
    now = context.now.astimezone(UTC)
    if when.at:
        is_past = when.at.astimezone(UTC) < now.replace(second=0, microsecond=0)
    elif when.days:
        is_past = context.schedule.moment(when.days[-1], when.end) <= now
    else:
        is_past = False
    return replace(when, problem=Problem.PAST) if is_past else when
