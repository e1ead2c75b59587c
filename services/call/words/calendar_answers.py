"""Is a day or a time of day in an answer whole?"""

from __future__ import annotations

import re

from services.call.words.answer import Answer, instead_of
from services.call.words.digits import digits_in
from services.call.words.readiness import Judgement, more_to_come, undecided, whole
from services.call.words.wording import lowered

_NUMERIC_DATE = re.compile(
    r"\b\d{1,2}(?:[/.-]\d{1,2}[/.-](?:\d{4}|\d\d)|/\d{1,2})\b|\d{4}-\d\d-\d\d"
)
_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b|[/.-]\d\d$")
_NUMERIC_TIME = re.compile(r"\b\d{1,2}[:h]\d\d\b")


def day(answer: Answer) -> Judgement:
    calendar, words = answer.lexicon.calendar, answer.words
    if calendar.open_times.search(words):
        return more_to_come("half a span")
    if instead := _unless_any(answer):
        return instead
    if calendar.days.search(words) or _has_day_and_month(answer):
        return whole("a day")
    if calendar.any_time.search(words):
        return whole("any day")
    month, ordinal = calendar.months.search(words), calendar.ordinals.search(words)
    if month and month.end() == len(words) and not ordinal:
        return more_to_come("a month without its day")
    return undecided("no day yet")


def _has_day_and_month(answer: Answer) -> bool:
    if _NUMERIC_DATE.search(lowered(answer.text)):
        return True
    calendar, words = answer.lexicon.calendar, answer.words
    if not (month := calendar.months.search(words)):
        return False
    rest = f"{words[: month.start()]} {words[month.end() :]}"
    spoken = digits_in(rest, answer.language)
    return bool(calendar.ordinals.search(rest)) or any(
        len(run.digits) <= 6 and run.digits[0] != "0" for run in spoken.runs
    )


def birth_date(answer: Answer) -> Judgement:
    if instead := _unless_any(answer):
        return instead
    if _NUMERIC_DATE.search(lowered(answer.text)) and _YEAR.search(lowered(answer.text)):
        return whole("a date with its year")
    spoken = digits_in(answer.text, answer.language)
    if not _has_day_and_month(answer):
        has_begun = spoken.runs or answer.lexicon.calendar.months.search(answer.words)
        return more_to_come("date not whole") if has_begun else undecided("no date yet")
    run = spoken.last
    year = run is not None and spoken.ends_on_number and len(run.digits) >= 4
    if year and run is not None and run.digits[-4:-2] in ("18", "19", "20"):
        return undecided("year missing perhaps") if run.digits.endswith("00") else whole("a year")
    return more_to_come("no year yet")


def time_of_day(answer: Answer) -> Judgement:
    calendar, words = answer.lexicon.calendar, answer.words
    if calendar.open_times.search(words):
        return more_to_come("half a span")
    if instead := _unless_any(answer):
        return instead
    if _NUMERIC_TIME.search(lowered(answer.text)) or calendar.clock.search(words):
        return whole("a time")
    if calendar.any_time.search(words):
        return whole("any time")
    if digits_in(answer.text, answer.language).ends_on_number:
        return undecided("hour only")
    return undecided("no time yet")


def day_and_time(answer: Answer) -> Judgement:
    on, at = day(answer), time_of_day(answer)
    if on.is_open or at.is_open:
        return on if on.is_open else at
    any_time = answer.lexicon.calendar.any_time.search(answer.words)
    if (on.is_complete and at.is_complete) or any_time:
        return whole("a day and a time")
    if on.is_complete and at.reason == "no time yet":
        return undecided("a day without its time")
    if at.is_complete and on.reason == "no day yet":
        return undecided("a time without its day")
    return on if on.is_complete else undecided("no day yet")


def _unless_any(answer: Answer) -> Judgement | None:
    """What is said instead, but for "I don't mind"."""
    if answer.lexicon.calendar.any_time.search(answer.words) and not answer.trails:
        return None
    return instead_of(answer)
