"""One English number into words, and how an amount is written. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from num2words import num2words  # type: ignore[import-untyped]

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str]]
"""What is said for what matches."""

LONGEST = 15  # digits: more is no quantity
DASH = r"\s*[-–—]\s*"
AMOUNT = r"(?P<amount>(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?)"
SIGN = r"(?P<minus>(?<![\w)%$€£.,:/-])[-−])?"


@lru_cache(maxsize=4096)
def in_words(number: int, to: str = "cardinal") -> str:
    """42: "forty-two". ``to``: also "ordinal" and "year"."""
    words: str = num2words(number, lang="en", to=to)
    return words.replace(" and ", " ").replace(",", "").replace("oh-", "oh ")


def digit_by_digit(digits: str) -> str:
    """Still digits, which voices say one by one."""
    return " ".join(digits)


def amount_in_words(written: str) -> str:
    """A quantity: "1,200", "98.6"."""
    whole, _, decimals = written.replace(",", "").partition(".")
    if len(whole) > LONGEST:
        return digit_by_digit(whole + decimals)
    said = in_words(int(whole or "0"))
    if not decimals:
        return said
    return f"{said} point {' '.join(in_words(int(digit)) for digit in decimals[:LONGEST])}"


def apart(match: Match, said: str) -> str:
    """With a space where a letter would touch it: "4B" is "four B"."""
    text, start, end = match.string, match.start(), match.end()
    before = " " if start and text[start - 1].isalnum() else ""
    after = " " if end < len(text) and text[end].isalnum() else ""
    return f"{before}{said}{after}"


def minus(match: Match) -> str:
    """The word for what ``SIGN`` has matched."""
    return "minus " if match["minus"] else ""


def year_in_words(written: str) -> str:
    """1995: "nineteen ninety-five"."""
    return in_words(int(written), "year")
