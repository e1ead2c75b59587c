"""Answers about opening hours, in words to be spoken. Pure: the present moment is an argument.

One table maps the shape of a question to the function that answers it; the first that has an answer
wins.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.receptionist.calendar.days import Day, Said, full_date, named_days, undated_holiday
from services.receptionist.calendar.schedule import MINUTES_PER_DAY, OpenSpan, Schedule
from services.receptionist.calendar.times import asked_time, clock, listed, sentences, spans_aloud
from services.receptionist.week_hours import AROUND_THE_CLOCK, lunch_break, notice, week

_NEVER_CLOSES = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked, made comparable, and what is needed to answer it. ``now`` is local."""

    words: str
    days: tuple[Day, ...]
    schedule: Schedule
    now: datetime

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def minute(self) -> int:
        return _minute_of(self.now)

    @property
    def is_about_now(self) -> bool:
        """Whether no other day than today was named."""
        return all(day.said is Said.NEAR and day.when == self.today for day in self.days)

    def lead(self, is_open: bool) -> str:
        """ "Yes" or "no", if that is what was asked."""
        if not re.search(r"\bopen\b", self.words) or re.search(
            r"\b(?:when|what|how)\b", self.words
        ):
            return ""
        return "yes, " if is_open else "no, "


def answer_hours(words: str, schedule: Schedule, now: datetime) -> str:
    """Answer a question about opening hours; the words were made comparable by ``normalise``."""
    now = schedule.local(now)
    if not schedule.is_known:
        return "I'm afraid I don't have our opening hours."
    if name := undated_holiday(words, now.date(), schedule):
        return f"I don't have our hours for {name} yet. {week(schedule)}"
    question = _Question(words, named_days(words, now.date(), schedule), schedule, now)
    answers = (answer(question) for pattern, answer in _ANSWERS if pattern.search(words))
    return next(filter(None, answers), "") or _regular(question)


# --- one function per shape of question; '' leaves the question to the next row -------------------


def _holidays(question: _Question) -> str:
    if question.days:
        return ""
    schedule = question.schedule
    dated = [
        (schedule.next_day_of(holiday, question.today), holiday) for holiday in schedule.holidays
    ]
    coming = sorted(((day, one) for day, one in dated if day), key=lambda pair: pair[0])[:5]
    if not coming:
        return f"I don't have any holiday hours. {week(schedule)}"
    closed = [holiday.name for _, holiday in coming if not holiday.hours]
    parts = [f"we're closed on {listed(closed)}"] if closed else []
    parts += [
        f"on {one.name} we're open {spans_aloud(one.hours)}" for _, one in coming if one.hours
    ]
    return sentences(parts)


def _lunch(question: _Question) -> str:
    """The pause around noon: of the named day, or of the first day from today on that has one."""
    week_from_today = [question.today + timedelta(days=ahead) for ahead in range(7)]
    for day in [day.when for day in question.days] or week_from_today:
        if gap := lunch_break(question.schedule.spans(day)):
            return f"We close for lunch, {gap}."
    return "" if question.days else "We're open through lunch."


def _at_time(question: _Question) -> str:
    asked = asked_time(question.words)
    if asked is None:
        return ""
    answers: list[str] = []
    for day in question.days or (Day(question.today, Said.NEAR),):
        spans = question.schedule.spans(day.when)
        at = f"at {clock(asked.minutes)}"
        if span := next((span for span in spans if asked.is_in(span)), None):
            until = "all day" if span.all_day else f"until {clock(span.end)}"
            answers.append(f"yes, {day.label(question.today)} we're open {until}")
        else:
            answers += [f"no, not {at}", _day(question, day)]
    return sentences(answers)


def _closing(question: _Question) -> str:
    """When it closes today; a pause on the way does not count as closing."""
    if not question.is_about_now:
        return ""
    schedule, now = question.schedule, question.now
    spans = schedule.spans(question.today)
    last = schedule.moment(question.today, spans[-1].end) if spans else None
    ends = [end for end in (schedule.closing(now), last) if end and end > now]
    if not ends:
        return _open_now(question)
    end = schedule.local(max(ends))
    if end - now > _NEVER_CLOSES:
        return AROUND_THE_CLOCK
    when = {0: " today", 1: ""}.get((end.date() - question.today).days, f" on {end:%A}")
    lunch = lunch_break([span for span in spans if span.end > question.minute])
    pause = f" We also close for lunch, {lunch}." if lunch else ""
    return f"We close at {clock(_minute_of(end))}{when}.{pause}"


def _opening(question: _Question) -> str:
    if question.days:
        return ""
    schedule = question.schedule
    is_open = schedule.closing(question.now) is not None
    tonight = schedule.moment(question.today, MINUTES_PER_DAY) - timedelta(minutes=1)
    opening = schedule.opening(tonight if is_open else question.now)
    if not opening:
        return ""
    next_time = f"e open {_moment(opening, question)}."
    if not is_open or re.search(r"\b(?:early|morning|what time)\b", question.words):
        return f"W{next_time}"
    return f"{_open_now(question)} After that w{next_time}"


def _open_now(question: _Question) -> str:
    if not question.is_about_now:
        return ""
    now, schedule = question.now, question.schedule
    closing, opening = schedule.closing(now), schedule.opening(now)
    if closing and closing - now > _NEVER_CLOSES:
        return AROUND_THE_CLOCK
    if closing:
        later = [span for span in schedule.spans(question.today) if span.start > question.minute]
        again = f", and again {spans_aloud(later)}" if later else ""
        until = clock(_minute_of(schedule.local(closing)))
        return sentences([f"{question.lead(True)}we're open now, until {until}{again}"])
    holiday = schedule.holiday(question.today)
    why = f"today for {holiday.name}" if holiday and not holiday.hours else "right now"
    parts = [f"{question.lead(False)}we're closed {why}"]
    return sentences([*parts, f"we open again {_moment(opening, question)}"] if opening else parts)


def _regular(question: _Question) -> str:
    """The hours of the days that were named, or else of the week."""
    days, schedule = question.days, question.schedule
    if not days:
        return week(schedule) + notice(schedule, question.today)
    if question.is_about_now:
        spans = schedule.spans(question.today)
        if spans and spans[-1].end <= question.minute:
            return _open_now(question).replace("right now", "for today", 1)
    if all(day.said is Said.EVERY for day in days) and len(days) > 2:
        return week(schedule, [day.when.weekday() for day in days])
    if len(days) == 2 and not any(schedule.spans(day.when) for day in days):
        labels = listed([day.label(question.today) for day in days])
        return sentences([f"{question.lead(False)}we're closed {labels}"])
    if len(days) > 1:
        return sentences([_day(question, day) for day in days])
    is_open = bool(_hours_of(question, days[0]))
    return sentences([f"{question.lead(is_open)}{_day(question, days[0])}"])


_WHEN = r"\b(?:when|what times?|how late|how long|until when)\b"
_NOW = r"\b(?:now|currently|at the moment|still|yet|already)\b"
_ANSWERS: tuple[tuple[re.Pattern[str], Callable[[_Question], str]], ...] = tuple(
    (re.compile(pattern), answer)
    for pattern, answer in (
        (r"\bholidays?\b", _holidays),
        (r"\blunch(?:time)?\b", _lunch),
        (r"", _at_time),
        (r"\bwhen are you open(?! (?:next|again))|\bnext week\b|\b(?:what|which) days\b", _regular),
        (
            rf"{_WHEN}.*\b(?:close|closing|closed|shut)\b|\b(?:how|open) late\b|\bclosing time\b",
            _closing,
        ),
        (r"\b(?:how long|until when)\b.*\bopen\b|\bopen until\b", _closing),
        (rf"{_WHEN}.*\b(?:open|opening|reopen)\b|\bnext open\b|\bopen (?:next|again)\b", _opening),
        (r"\bopening time\b|\b(?:how|open) early\b", _opening),
        (r"\btonight\b|\bevenings?\b", _closing),
        (_NOW, _open_now),
        (r"\b(?:hours|today)\b", _regular),
        (r"\byou (?:\w+ )?(?:open|closed)\b|^open$|\bopen right\b|\bclosed\b", _open_now),
    )
)


# --- the parts of an answer -----------------------------------------------------------------------


def _hours_of(question: _Question, day: Day) -> tuple[OpenSpan, ...]:
    if day.said is Said.EVERY:
        return question.schedule.week[day.when.weekday()]
    return question.schedule.spans(day.when)


def _day(question: _Question, day: Day) -> str:
    """One day's hours; a weekday that falls on a holiday next time says so."""
    holiday = question.schedule.holiday(day.when)
    label, spans = day.label(question.today), _hours_of(question, day)
    said = f"we're open {label} {spans_aloud(spans)}" if spans else f"we're closed {label}"
    if holiday and day.said is Said.EVERY:
        exception = Day(day.when, Said.DATE).label(question.today)
        state = f"open {spans_aloud(holiday.hours)}" if holiday.hours else "closed"
        return f"{said}. But {exception} we're {state}, because of {holiday.name}"
    if holiday and holiday.name != day.holiday:
        return f"{said}, because of {holiday.name}"
    if day.said is Said.HOLIDAY and not holiday:
        return f"{said}. Those are our usual {day.when:%A} hours"
    return said


def _moment(moment: datetime, question: _Question) -> str:
    """ "tomorrow at 9 AM", "on Monday at 9 AM", or with the date where that is not clear."""
    local = question.schedule.local(moment)
    ahead = (local.date() - question.today).days
    later = f"on {local:%A}" if ahead < 7 else f"on {full_date(local.date())}"
    return f"{ {0: 'today', 1: 'tomorrow'}.get(ahead, later) } at {clock(_minute_of(local))}"


def _minute_of(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute
