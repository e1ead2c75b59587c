"""Telephone numbers as people say and type them, and as a voice should read them back."""

from __future__ import annotations

import re
from enum import Enum

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

_UNITS = {
    **{"zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3"},
    **{"four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9"},
}
_TEENS = {
    **{"ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14"},
    **{"fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19"},
}
_TENS = {
    **{"twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6"},
    **{"seventy": "7", "eighty": "8", "ninety": "9"},
}
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_ROUND = {"hundred": "00", "thousand": "000"}
_SOUND_ALIKES = {
    "to": "2",
    "too": "2",
    "for": "4",
    "ate": "8",
    "won": "1",
    "till": "2",
    "tree": "3",
}
_LINKS = {"and", "dash", "hyphen", "then", "uh", "um", "area", "code", "plus"}
_TOKEN = re.compile(r"\d+|[a-z]+|\+")
_NOT_PEOPLE = {"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253"}
"""What some networks send for a withheld caller: ANONYMOUS and the like, spelled on a keypad."""


def spoken_digits(text: str) -> str:
    """The digits of the longest number in an utterance ("five double five", "555-1234"), or ''."""
    tokens = _TOKEN.findall(text.lower())
    runs, run, at = [""], "", 0
    while at < len(tokens):
        digits, used = _digits_at(tokens, at, inside=bool(run))
        if used:
            run += digits
        elif tokens[at] not in _LINKS:
            runs.append(run)
            run = ""
        at += used or 1
    return max([*runs, run], key=len)


def _digits_at(tokens: list[str], at: int, inside: bool) -> tuple[str, int]:
    """The digits that begin at a token, and how many tokens they take; 0 if none do."""
    word = tokens[at]
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    if word in _TIMES and _single(after):
        return _single(after) * _TIMES[word], 2
    if word in _TENS:
        unit = "" if after in ("oh", "o") else _UNITS.get(after, "")
        return _TENS[word] + (unit or "0"), 2 if unit else 1
    if word in _ROUND and inside:
        return _ROUND[word], 1
    if word in _SOUND_ALIKES:
        is_digit = (not after and inside) or bool(_single(after) and (inside or at == 0))
        return (_SOUND_ALIKES[word], 1) if is_digit else ("", 0)
    digits = word if word.isdigit() else _UNITS.get(word) or _TEENS.get(word, "")
    return digits, 1 if digits else 0


def _single(word: str) -> str:
    return word if word.isdigit() else _UNITS.get(word, "")


class Fit(Enum):
    """Whether digits can be a telephone number."""

    COMPLETE = "complete"
    SHORT = "short"
    LONG = "long"


_SHORT = {ValidationResult.TOO_SHORT, ValidationResult.INVALID_LENGTH}
_LONG = {ValidationResult.TOO_LONG, ValidationResult.INVALID_COUNTRY_CODE}


def fit(digits: str, country: str) -> Fit:
    """Whether the digits are a whole number of that country (ISO 3166, "US"), or of another one
    if they begin with ``+``."""
    try:
        number = phonenumbers.parse(digits, country)
    except NumberParseException:
        return Fit.SHORT if len(digits) < 7 else Fit.LONG
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict in _SHORT:
        return Fit.SHORT
    return Fit.LONG if verdict in _LONG else Fit.COMPLETE


def is_reachable(caller: str, country: str) -> bool:
    """Whether a caller's number, as the carrier gives it, can be called back."""
    return caller not in _NOT_PEOPLE and fit(caller, country) is Fit.COMPLETE


def read_aloud(number: str, country: str) -> str:
    """Digit by digit, in the groups of its country: ``5 5 5, 8 6 7, 5 3 0 9``."""
    try:
        parsed = phonenumbers.parse(number, country)
    except NumberParseException:
        return " ".join(re.sub(r"\D", "", number))
    home = phonenumbers.country_code_for_region(country)
    at_home = parsed.country_code == home
    style = PhoneNumberFormat.NATIONAL if at_home else PhoneNumberFormat.INTERNATIONAL
    groups = re.findall(r"\d+", phonenumbers.format_number(parsed, style))
    spoken = ", ".join(" ".join(group) for group in groups)
    return spoken if at_home else f"plus {spoken}"


def e164(text: str, country: str) -> str:
    """A number as it was said, typed or sent by a carrier, in E.164; '' if it is none.

    One without its area ("555-0123") stays as its digits: nobody knows where that is.
    """
    compact = re.sub(r"[\s().-]", "", text)
    digits = compact if re.fullmatch(r"\+?\d+", compact) else spoken_digits(text)
    if not digits or fit(digits, country) is not Fit.COMPLETE:
        return ""
    number = phonenumbers.parse(digits, country)
    if (
        phonenumbers.is_possible_number_with_reason(number)
        is ValidationResult.IS_POSSIBLE_LOCAL_ONLY
    ):
        return digits
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


_NO_TEXTS = {
    *(PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE, PhoneNumberType.PREMIUM_RATE),
    *(PhoneNumberType.SHARED_COST, PhoneNumberType.UAN, PhoneNumberType.VOICEMAIL),
    PhoneNumberType.PAGER,
}


def can_be_texted(number: str) -> bool:
    """Whether a number in E.164 may be a mobile telephone's: in many countries nobody can tell."""
    if number in _NOT_PEOPLE or fit(number, "ZZ") is not Fit.COMPLETE:
        return False
    return phonenumbers.number_type(phonenumbers.parse(number)) not in _NO_TEXTS
