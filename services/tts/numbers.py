"""English numbers into words: money, times, dates, years, ordinals, and plain numbers. Pure.

The fast voices do not do it themselves (ElevenLabs' Flash v2.5 has no normalisation of numbers) and
guess: "$1,200.50" or "10:30" come out wrong. Digits that are said one by one ("5 5 5") stay.
"""

from __future__ import annotations

import re

from services.tts.dates import DATES, slashed_dates
from services.tts.number_words import (
    AMOUNT,
    LONGEST,
    SIGN,
    Match,
    Rule,
    amount_in_words,
    apart,
    digit_by_digit,
    in_words,
    minus,
    year_in_words,
)


def numbers_in_words(text: str, region: str = "US") -> str:
    """``text`` with its numbers as English words.

    ``region`` tells whether 3/4/2026 is in March or in April, ISO 3166 alpha-2.
    """
    if not _DIGIT.search(text):
        return text
    text = slashed_dates(text, region)
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return text


# --- money ----------------------------------------------------------------------------------------

_CURRENCIES = {
    "$": (("dollar", "dollars"), ("cent", "cents")),
    "€": (("euro", "euros"), ("cent", "cents")),
    "£": (("pound", "pounds"), ("penny", "pence")),
}
_SCALES = {"k": "thousand", "K": "thousand", "M": "million", "B": "billion"}


def _money(match: Match) -> str:
    names, cents = _CURRENCIES[match["sign"]]
    written, scale = match["amount"].replace(",", ""), match["scale"]
    per = " per" if match["per"] else ""
    if scale:
        scale = _SCALES.get(scale, scale)
        return apart(match, f"{minus(match)}{amount_in_words(written)} {scale} {names[1]}{per}")
    whole, _, decimals = written.partition(".")
    if len(decimals) not in {0, 2} or len(whole) > LONGEST:
        return apart(match, f"{minus(match)}{amount_in_words(written)} {names[1]}{per}")
    big, small = int(whole), int(decimals or "0")
    parts = [f"{in_words(big)} {names[big != 1]}"] if big or not small else []
    parts += [f"{in_words(small)} {cents[small != 1]}"] if small else []
    return apart(match, f"{minus(match)}{' and '.join(parts)}{per}")


# --- the rest -------------------------------------------------------------------------------------


def _range(match: Match) -> str:
    first, last = match["first"], match["last"]
    if all(_IS_YEAR.fullmatch(year) for year in (first, last)):
        return f"{year_in_words(first)} to {year_in_words(last)}"
    if float(first.replace(",", "")) < float(last.replace(",", "")):
        return f"{first} to {last}"
    return f"{first}, {last}"


def _with_unit(match: Match) -> str:
    unit = match["unit"]
    said = "percent" if unit == "%" else "cents" if unit == "¢" else "degrees"
    scale = {"F": " Fahrenheit", "C": " Celsius"}.get(unit[-1], "")
    return apart(match, f"{minus(match)}{amount_in_words(match['amount'])} {said}{scale}")


def _spelled(match: Match) -> str:
    if re.search(r"[0-9] [0-9]", match[0]):
        return match[0]
    return re.sub("[0-9]", lambda digit: in_words(int(digit[0])), match[0])


def _plain(match: Match) -> str:
    if match["run"]:
        return _spelled(match)
    if match["groups"]:
        return ", ".join(digit_by_digit(group) for group in re.findall("[0-9]+", match["groups"]))
    if match["dotted"]:
        parts = [amount_in_words(part) for part in match["dotted"].split(".")]
        return apart(match, " point ".join(parts))
    written = match["amount"]
    plus = " plus" if match["plus"] else ""
    if written.isdigit() and _is_code(match, written):
        return apart(match, digit_by_digit(written) + plus)
    return apart(match, minus(match) + amount_in_words(written) + plus)


def _is_code(match: Match, digits: str) -> bool:
    """Whether it is no quantity: said digit by digit."""
    if digits[0] == "0" and len(digits) > 1:
        return True
    if len(digits) > 4:
        return not digits.endswith("00")
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    return len(digits) == 4 and (before.isalpha() or after.isalpha())


_DIGIT = re.compile("[0-9]")
_IS_YEAR = re.compile("(?:19|20)[0-9]{2}")
_CODE_WORDS = (
    "code|PIN|pin|passcode|account|reference|confirmation|policy|ZIP|zip|ending in|ends in|"
    "booking|ticket|order|invoice|case|claim"
)
_RULES: tuple[Rule, ...] = (
    (
        re.compile(
            rf"(?:\bUS)?{SIGN}(?P<sign>[$€£])\s?{AMOUNT}"
            r"(?:\s?(?P<scale>[kKMB]|thousand|million|billion)\b)?(?P<per>\s?/\s?(?=[a-z]))?"
        ),
        _money,
    ),
    (re.compile(rf"{SIGN}{AMOUNT}(?P<scale>(?!))?\s?(?P<sign>[€£])(?P<per>/(?=[a-z]))?"), _money),
    *DATES,
    (
        re.compile(r"(?<![0-9.,])([0-9]{1,6}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:st|nd|rd|th)\b"),
        lambda match: apart(match, in_words(int(match[1].replace(",", "")), "ordinal")),
    ),
    (
        re.compile(
            rf"\b((?:{_CODE_WORDS})(?:\s+(?:number|code))?(?:\s+is|:)?\s+)([0-9]{{4,}})\b"
            r"(?![,.%-][0-9]|%)"
        ),
        lambda match: match[1] + digit_by_digit(match[2]),
    ),
    (
        re.compile(r"\b([A-Z]{2}\s+)([0-9]{5})\b(?![,.][0-9])"),
        lambda m: m[1] + digit_by_digit(m[2]),
    ),
    (
        re.compile(
            r"(?<![\w.,:/-])(?P<first>[0-9]{1,9}(?:,[0-9]{3})*(?:\.[0-9]{1,9})?)\s?[-–—]\s?"
            r"(?P<last>[0-9]{1,9}(?:,[0-9]{3})*(?:\.[0-9]{1,9})?)(?![\w/-]|[.,:][0-9])"
        ),
        _range,
    ),
    (re.compile(rf"{SIGN}{AMOUNT}\s?(?P<unit>%|¢|°\s?[FC]\b|°)"), _with_unit),
    (
        re.compile(
            r"(?P<run>(?<![\w.,])[0-9](?:,? [0-9])+(?![\w:]|[.,][0-9]))"
            r"|(?P<groups>(?<![\w.,-])[0-9]{2,}(?:[ -][0-9]{2,}){2,}(?![\w-]|[.,][0-9]))"
            r"|(?P<dotted>[0-9]{1,9}(?:\.[0-9]{1,9}){2,})"
            rf"|{SIGN}{AMOUNT}(?P<plus>\+(?!\w))?"
        ),
        _plain,
    ),
)
