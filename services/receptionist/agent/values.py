"""What may stand as a value in an agent file, and what is said of one that may not."""

from __future__ import annotations

import re
import string
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Strict, StringConstraints

from services.receptionist.calendar.schedule import HolidayDays, OpenSpan
from services.receptionist.nearest import nearest

STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)
"""For each part of the file."""

PLACEHOLDERS = ("business", "name", "address", "phone", "email")
"""What a line may mention in curly brackets."""

_OTHER_COUNTRIES = {"UK": "GB", "EN": "GB", "EL": "GR"}
_ALIKE_ZONES = 75
"""Of 100: there are so many names that one of them is a little like anything."""
_NO_ZONE = 'expected a time zone like "America/New_York"'


def known_placeholders(text: str) -> str:
    """The text. Raises ValueError for a placeholder that does not exist."""
    looks = "a placeholder looks like {business}"
    try:
        found = [parts for parts in string.Formatter().parse(text) if parts[1] is not None]
    except ValueError:
        raise ValueError(f"a curly bracket without its other half; {looks}") from None
    for _, name, form, conversion in found:
        if name not in PLACEHOLDERS:
            known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            raise ValueError(f"unknown placeholder {{{name}}}; there are {known}")
        if form or conversion:
            raise ValueError(f"there is more than a name in the curly brackets; {looks}")
    return text


def _open_span(value: object) -> OpenSpan:
    if isinstance(value, OpenSpan):
        return value
    if not isinstance(value, str):
        raise ValueError(f'expected opening hours like "9:00-17:00", got {in_toml(value)}')
    return OpenSpan.parse(value)


def _spans_of_a_day(spans: tuple[OpenSpan, ...]) -> tuple[OpenSpan, ...]:
    ordered = tuple(sorted(spans, key=lambda span: span.start))
    if any(one.end > other.start for one, other in zip(ordered, ordered[1:], strict=False)):
        raise ValueError("these opening hours overlap; write each stretch of the day once")
    return ordered


def _dialable(value: object) -> str:
    """A number in E.164, from one that may have blanks and brackets in it."""
    number = re.sub(r"[\s().-]", "", str(value))
    if not isinstance(value, str) or not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
        expected = 'expected a number with its country, in quotation marks, like "+15551234567"'
        raise ValueError(f"{expected}, got {in_toml(value)}")
    return number


def _blocked(value: object) -> str:
    text = re.sub(r"[\s().-]", "", str(value))
    if text != "anonymous" and not re.fullmatch(r"\+[0-9]{1,15}\*?", text):
        raise ValueError(
            f'expected a number like "+15551234567", the beginning of some like "+1900*", or '
            f'"anonymous", got {in_toml(value)}'
        )
    return text


def _holiday_days(value: object) -> object:
    days = value if isinstance(value, (list, tuple)) else [value]
    return tuple(
        day if isinstance(day, HolidayDays) else HolidayDays.parse(str(day)) for day in days
    )


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (KeyError, ValueError, OSError):
        pass  # not there, no name at all, a folder of zones
    meant = _nearest_zone(value) if isinstance(value, str) else ""
    hint = f'; did you mean "{meant}"?' if meant else ""
    raise ValueError(f"{_NO_ZONE}, got {in_toml(value)}{hint}")


def _nearest_zone(name: str) -> str:
    """The zone whose name, or whose city, is most like this one."""
    name, zones = name.strip().replace(" ", "_"), sorted(available_timezones())
    cities = {zone.rpartition("/")[2]: zone for zone in zones}
    meant = nearest(name, zones, _ALIKE_ZONES)
    return meant or cities.get(nearest(name, cities, _ALIKE_ZONES), "")


def _country(value: str) -> str:
    if value in phonenumbers.SUPPORTED_REGIONS:
        return value
    meant = _OTHER_COUNTRIES.get(value.upper(), value.upper())
    known = meant in phonenumbers.SUPPORTED_REGIONS
    hint = f'; did you mean "{meant}"?' if known else ""
    raise ValueError(f'expected two capital letters for a country, like "US", got "{value}"{hint}')


def _language(value: str) -> str:
    if not re.fullmatch(r"multi|[a-z]{2,3}(-[A-Za-z]{2,4})?", value):
        raise ValueError(f'expected a language like "en" or "en-GB", or "multi", got "{value}"')
    return value


def _different(days: tuple[str, ...]) -> tuple[str, ...]:
    if twice := [day for place, day in enumerate(days) if day in days[:place]]:
        raise ValueError(f'"{twice[0]}" stands here twice; write each day once')
    return days


def in_toml(value: object) -> str:
    """A value as it stands in the file, if it is short."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if len(text) <= 60 else f"{text[:57]}..."


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WORKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")
Path_ = Literal["stream", "record"]
"""How a call is held: as a media stream, or recorded turn by turn."""

WhoHears = Literal["", "deepgram", "flux", "openai", "embedded"]
WhoThinks = Literal["", "openai", "scripted"]
WhoSpeaks = Literal["", "elevenlabs", "openai", "embedded"]

Whole = Annotated[int, Strict()]
Switch = Annotated[bool, Strict()]
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Line = Annotated[Name, AfterValidator(known_placeholders)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
Language = Annotated[str, AfterValidator(_language)]
DialableNumber = Annotated[str, BeforeValidator(_dialable)]
Number = Annotated[str, BeforeValidator(lambda value: _dialable(value) if value else value)]
BlockedNumber = Annotated[str, BeforeValidator(_blocked)]
HolidayDates = Annotated[tuple[HolidayDays, ...], BeforeValidator(_holiday_days)]
DayHours = Annotated[
    tuple[Annotated[OpenSpan, BeforeValidator(_open_span)], ...], AfterValidator(_spans_of_a_day)
]
Weekdays = Annotated[tuple[Weekday, ...], AfterValidator(_different)]
