"""English times of day and dates into words. Pure."""

from __future__ import annotations

import re

from services.tts.number_words import (
    DASH,
    Match,
    Rule,
    amount_in_words,
    apart,
    in_words,
    year_in_words,
)

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_MONTH_FIRST = frozenset({"", "US", "CA", "PH"})


def slashed_dates(text: str, region: str) -> str:
    """``text`` with 3/4/2026 in words, and with what looks like it: fractions, "24 slash 7"."""
    month_first = region.upper() in _MONTH_FIRST
    return _SLASHED.sub(lambda match: _slashed_date(match, month_first=month_first), text)


# --- times ----------------------------------------------------------------------------------------


def _half(match: Match) -> str:
    """The half of the day, and the stop if the last dot of "p.m." ended the sentence too."""
    half = f" {match['half'].upper()} M"
    if not match["dot"]:
        return half
    return f"{half}." if _SENTENCE_END.match(match.string, match.end()) else half


def _clock(match: Match) -> str:
    hour, minute = int(match["hour"]), int(match["minute"] or "0")
    minutes = f" {'oh ' if minute < 10 else ''}{in_words(minute)}" if minute else ""
    if match["half"]:
        said = f"{in_words(hour)}{minutes}{_half(match)}"
    elif minute:
        said = f"{in_words(hour)}{minutes}"
    elif not hour:
        said = "midnight"
    else:
        said = in_words(hour) + (" hundred" if hour > 12 else " o'clock")
    if second := int(match["second"] or "0"):
        said += f" and {in_words(second)} second{'s' * (second != 1)}"
    return apart(match, said)


# --- dates ----------------------------------------------------------------------------------------


def _date(match: Match, day: int, month: int, year: str | None) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    said = f"{_MONTHS[month - 1]} {in_words(day, 'ordinal')}"
    return f"{said}, {year_in_words(year)}" if year else said


def _slashed_date(match: Match, *, month_first: bool) -> str:
    first, second, year = int(match["first"]), int(match["second"]), match["year"]
    if not year and f"{first}/{second}" in _FRACTIONS:
        return _FRACTIONS[f"{first}/{second}"]
    if year and len(year) == 2:
        year = f"20{year}"
    is_month_first = second > 12 or (month_first and first <= 12)
    month, day = (first, second) if is_month_first else (second, first)
    said = _date(match, day, month, year)
    if said != match[0]:
        return said
    return " slash ".join(amount_in_words(number) for number in match[0].split("/"))


def _numeric_date(match: Match) -> str:
    return _date(match, int(match["day"]), int(match["month"]), match["year"])


def _month(name: str) -> str:
    return next(month for month in _MONTHS if month.startswith(name[:3]))


def _month_day(match: Match) -> str:
    said = f"{_month(match['name'])} {in_words(int(match['day']), 'ordinal')}"
    if match["last"]:
        said += f" to {in_words(int(match['last']), 'ordinal')}"
    return f"{said}, {year_in_words(match['year'])}" if match["year"] else said


def _day_month(match: Match) -> str:
    said = f"the {in_words(int(match['day']), 'ordinal')} of {_month(match['name'])}"
    return f"{said}, {year_in_words(match['year'])}" if match["year"] else said


def _decade(match: Match) -> str:
    words = year_in_words(match["decade"])
    return apart(match, f"{words[:-1]}ies" if words.endswith("y") else f"{words}s")


_FRACTIONS = {
    **{"1/2": "one half", "1/3": "one third", "2/3": "two thirds"},
    **{"1/4": "one quarter", "3/4": "three quarters"},
}
_NAMES = "|".join(_MONTHS)
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
_NAME = rf"\b(?P<name>{_NAMES}|{_SHORT})\b\.?"
_DAY = r"(?P<day>3[01]|[12][0-9]|0?[1-9])"
_TH = r"(?:st|nd|rd|th)"
_YEAR = r"(?P<year>(?:19|20)[0-9]{2})\b(?![,.:/][0-9])"
_HALF = r"(?P<half>[AaPp])(?:\.\s?[Mm](?P<dot>\.)?|[Mm]\b)"
_SLASHED = re.compile(
    r"(?<![\w./-])(?P<first>[0-9]{1,2})/(?P<second>[0-9]{1,2})(?:/(?P<year>[0-9]{4}|[0-9]{2}))?"
    r"(?![\w/])"
)
_WEEKDAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_SENTENCE_END = re.compile(
    rf"\s*$|\s+(?!(?:{_WEEKDAYS}|{_SHORT}|May)[a-z]*\b)(?:[A-Z]['’a-z]|I\b|A\b)"
)
DATES: tuple[Rule, ...] = (
    (
        re.compile(
            r"(?<![\w.-])(?P<year>(?:19|20)[0-9]{2})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
            r"(?![\w-])"
        ),
        _numeric_date,
    ),
    (
        re.compile(r"(?<![\w.])(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>20[0-9]{2})\b"),
        _numeric_date,
    ),
    # a span of times, of which the first need not say its half of the day
    (
        re.compile(
            rf"(?<![\w.,:-])([0-9]{{1,2}}(?::[0-9]{{2}})?){DASH}"
            r"(?=[0-9]{1,2}(?::[0-9]{2}(?![0-9])|(?::[0-9]{2})?\s?[AaPp]\.?[Mm]\b))"
        ),
        lambda match: f"{match[1]} to ",
    ),
    (
        re.compile(
            r"(?<![\d.,:])(?P<hour>2[0-3]|[01]?[0-9]):(?P<minute>[0-5][0-9])"
            rf"(?::(?P<second>[0-5][0-9]))?(?![0-9:])(?:\s?{_HALF}|\s?o['’]clock\b)?"
        ),
        _clock,
    ),
    (
        re.compile(
            rf"(?<![\w.,:])(?P<hour>1[0-2]|0?[1-9])(?P<minute>(?!))?(?P<second>(?!))?\s?{_HALF}"
        ),
        _clock,
    ),
    (
        re.compile(
            rf"{_NAME}\s+(?:the\s+)?{_DAY}{_TH}?(?:{DASH}(?P<last>3[01]|[12][0-9]|[1-9]){_TH}?)?"
            rf"(?![\w%]|[,.:/][0-9])(?:,?\s+{_YEAR})?"
        ),
        _month_day,
    ),
    (
        re.compile(rf"(?<![\w.,:$/-])(?:the\s+)?{_DAY}{_TH}?\s+(?:of\s+)?{_NAME}(?:,?\s+{_YEAR})?"),
        _day_month,
    ),
    (
        re.compile(
            rf"\b(?P<before>{_NAMES}|[Ii]n|[Ss]ince|[Yy]ear|[Uu]ntil|[Bb]efore|[Dd]uring|early|late|"
            rf"[Ss]pring|[Ss]ummer|[Ff]all|[Aa]utumn|[Ww]inter),?\s+{_YEAR}(?![%-]|{DASH}[0-9])"
        ),
        lambda match: f"{match['before']} {year_in_words(match['year'])}",
    ),
    (re.compile(r"(?<![\w.,])(?P<decade>(?:1[0-9]|20)?[2-9]0)['’]?s\b"), _decade),
)
