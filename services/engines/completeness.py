"""Telephone numbers by the numbering plans of the world, for the core's judgement of an answer."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, ValidationResult

from services.call.words.phone_answers import Dialable

_SHORTEST = 7
"""Digits below which what cannot be read as a number is the beginning of one."""
_FILLINGS = ("0000000000", "1111111111", "2345678901", "5555555555", "7777777777", "9876543210")
"""Digits to try after those that were said: is there a longer number that begins like this?"""
_NOT_YET = {
    ValidationResult.TOO_SHORT,
    ValidationResult.INVALID_LENGTH,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY,  # the area code, or the rest, is missing
}
_MOST_DIGITS = 20


@lru_cache(maxsize=4096)
def is_dialable(digits: str, region: str) -> Dialable:
    """What digits are as a number of a region (ISO 3166, "US"), or of the world with a ``+``.

    Only lengths and beginnings are judged, for numbers are given out that no plan knows yet. Where
    they are of one length, the last digit makes it whole; where not (Germany), it may be whole once
    it is as long as the region's example.
    """
    if len(digits) > _MOST_DIGITS:
        return Dialable.LONG
    number = _parsed(digits, region)
    if number is None:
        is_begun = len(digits) < _SHORTEST or digits.startswith("+")
        return Dialable.SHORT if is_begun else Dialable.LONG
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict in _NOT_YET or _lacks_after_prefix(digits, region, number):
        return Dialable.SHORT
    if verdict is not ValidationResult.IS_POSSIBLE:
        return Dialable.LONG
    longer = _longer_lengths(number)
    if longer and not phonenumbers.is_valid_number(number):
        return Dialable.SHORT
    if not _goes_on(digits, region, longer):
        return Dialable.WHOLE
    return Dialable.SHORT if _is_below_example(number) else Dialable.POSSIBLE


def _parsed(digits: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region)
    except NumberParseException:
        return None


def _lacks_after_prefix(digits: str, region: str, number: PhoneNumber) -> bool:
    """Whether the digits after the national prefix are too few ("1 555 012 345"): the library then
    takes the prefix for a part of the number."""
    plan = PhoneMetadata.metadata_for_region(region.upper(), None)
    if plan is None or not (prefix := plan.national_prefix):
        return False
    if not digits.startswith(prefix) or phonenumbers.is_valid_number(number):
        return False
    bare = _parsed(f"+{plan.country_code}{digits[len(prefix) :]}", region)
    return bare is None or phonenumbers.is_possible_number_with_reason(bare) in _NOT_YET


def _home(number: PhoneNumber) -> str:
    return phonenumbers.region_code_for_country_code(number.country_code or 0)


def _longer_lengths(number: PhoneNumber) -> list[int]:
    """By how many digits numbers of the same country may be longer."""
    plan = PhoneMetadata.metadata_for_region(_home(number), None)
    lengths = plan.general_desc.possible_length if plan and plan.general_desc else ()
    size = len(phonenumbers.national_significant_number(number))
    return [length - size for length in lengths if length > size]


def _goes_on(digits: str, region: str, longer: list[int]) -> bool:
    """Whether a longer number begins with these digits."""
    for more in longer:
        for filling in _FILLINGS:
            other = _parsed(digits + filling[:more], region)
            if other is not None and phonenumbers.is_valid_number(other):
                return True
    return False


def _is_below_example(number: PhoneNumber) -> bool:
    example = phonenumbers.example_number(_home(number))
    if example is None:
        return False
    national = phonenumbers.national_significant_number
    return len(national(number)) < len(national(example))
