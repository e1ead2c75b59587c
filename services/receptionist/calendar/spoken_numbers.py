"""Numbers in a caller's words, in digits: "half past three" becomes "half past 3".

Recognisers write numbers now in words and now in digits; days and times are read from one form.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from services.receptionist.understanding.words import correct, normalise

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50}
_FIRSTS = (
    *("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"),
    *("tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth"),
    *("seventeenth", "eighteenth", "nineteenth"),
)
_ROUND_FIRSTS = {"twentieth": "20th", "thirtieth": "30th"}
_UNIT = "|".join(sorted(_UNITS, key=len, reverse=True))
_FIRST = "|".join(sorted(_FIRSTS, key=len, reverse=True))
_TEN = "|".join(_TENS)
_OH = re.compile(rf"\b({_UNIT}|\d{{1,2}}) (?:oh|o|zero) ({_UNIT}|\d)\b")
_COMMON_SLIPS = (
    *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january"),
    *("february", "september", "october", "november", "december", "tomorrow", "morning"),
    *("afternoon", "evening", "today", "noon", "midnight", "thirty", "fifteen", "quarter", "april"),
    *("august", "weekend", "following", "available", "possible", "earliest", "christmas", "month"),
)


def comparable(text: str) -> str:
    """The words of an utterance with its numbers in digits: "23rd", "3 30", "25 past 3"."""
    words = _OH.sub(_after_oh, text.lower())
    words = correct(normalise(words), _COMMON_SLIPS)
    for pattern, replacement in _TO_DIGITS:
        words = pattern.sub(replacement, words)
    return " ".join(words.split())


def _after_oh(match: re.Match[str]) -> str:
    """ "three oh five" is 3:05."""
    hour, minute = (_number(match[group]) for group in (1, 2))
    return f"{hour} 0{minute}" if minute < 10 else match[0]


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _UNITS.index(word)


def _nth(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number not in (11, 12, 13) else 0, "th")
    return f"{number}{ending}"


_Replacement = Callable[[re.Match[str]], str]
_TO_DIGITS: tuple[tuple[re.Pattern[str], _Replacement], ...] = (
    (
        re.compile(rf"\b(twenty|thirty) ({'|'.join(_FIRSTS[:9])})\b"),
        lambda match: _nth(_TENS[match[1]] + _FIRSTS.index(match[2]) + 1),
    ),
    (re.compile(r"\b(twentieth|thirtieth)\b"), lambda match: _ROUND_FIRSTS[match[1]]),
    (re.compile(rf"\b({_FIRST})\b"), lambda match: _nth(_FIRSTS.index(match[1]) + 1)),
    (
        re.compile(rf"\b({_TEN}) ({'|'.join(_UNITS[1:10])})\b"),
        lambda match: str(_TENS[match[1]] + _UNITS.index(match[2])),
    ),
    (re.compile(rf"\b({_TEN})\b"), lambda match: str(_TENS[match[1]])),
    (re.compile(rf"\b({_UNIT})(?=ish\b|\b)"), lambda match: str(_UNITS.index(match[1]))),
    (re.compile(r"\b(\d{1,2}) hundred\b(?: hours)?"), lambda match: f"{int(match[1]):02}:00"),
    (re.compile(r"\b(\d{1,2})h(\d\d)?\b"), lambda match: f"{match[1]}:{match[2] or '00'}"),
    (re.compile(r"\b(?:a )?couple(?: of)?\b"), lambda match: "2"),
    (re.compile(r"\b(?:a )?fortnight\b"), lambda match: "2 weeks"),
    (re.compile(r"\b(\d{1,2}(?::\d\d)?) ?ish\b"), lambda match: f"around {match[1]}"),
    (re.compile(r"\b(?:mid ?day|12 noon)\b"), lambda match: "noon"),
    (re.compile(r"\bnoon ?ish\b"), lambda match: "around noon"),
    (re.compile(r"\b12 midnight\b"), lambda match: "midnight"),
)
