"""The parts of an agent file that say what she may do with a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from services.receptionist.agent.values import (
    STRICT,
    WORKDAYS,
    DayHours,
    DialableNumber,
    Line,
    Name,
    Path_,
    Switch,
    Text,
    Weekdays,
    Whole,
)
from services.receptionist.calendar.schedule import OpenSpan


@dataclass(frozen=True, slots=True)
class Booking:
    """How appointments are made. Services with ``minutes`` can be booked.

    They begin on a grid of ``every_minutes``, at least ``notice_minutes`` from now and at most
    ``days_ahead`` days; ``at_once`` is how many the business can have at the same time.
    """

    __pydantic_config__ = STRICT

    enabled: Switch = True
    every_minutes: Annotated[Whole, Field(ge=5, le=240, multiple_of=5)] = 15
    notice_minutes: Annotated[Whole, Field(ge=0, le=43_200)] = 60
    days_ahead: Annotated[Whole, Field(ge=1, le=730)] = 90
    at_once: Annotated[Whole, Field(ge=1, le=100)] = 1
    text_confirmation: Switch = True


@dataclass(frozen=True, slots=True)
class TransferRule:
    """Callers who say one of these words are put through to a person at once."""

    __pydantic_config__ = STRICT

    words: Annotated[tuple[Name, ...], Field(min_length=1)]
    person: Text = ""
    urgency: Literal["normal", "high"] = "normal"


@dataclass(frozen=True, slots=True)
class Transfers:
    """How callers are put through. ``to``: whom, if nobody was named: one of the people; empty is
    the first with a number, then the owner. ``ring_secs`` is how long a telephone rings."""

    __pydantic_config__ = STRICT

    handling: Literal["warm", "cold"] = "warm"
    to: Text = ""
    ring_secs: Annotated[Whole, Field(ge=5, le=120)] = 20
    after_misses: Annotated[Whole, Field(ge=0, le=20)] = 3
    open_hours_only: Switch = False
    rules: tuple[TransferRule, ...] = ()


@dataclass(frozen=True, slots=True)
class RingFirst:
    """Telephones that ring for so many seconds before the receptionist answers; 0: none."""

    __pydantic_config__ = STRICT

    secs: Annotated[Whole, Field(ge=0, le=60)] = 0
    numbers: tuple[DialableNumber, ...] = ()
    open_hours_only: Switch = True


@dataclass(frozen=True, slots=True)
class Recording:
    """Whether calls are recorded, in stereo. The notice is said first and to its end."""

    __pydantic_config__ = STRICT

    enabled: Switch = False
    notice: Line = "This call may be recorded."


@dataclass(frozen=True, slots=True)
class Outbound:
    """When she may call people, and what happens if a machine answers."""

    __pydantic_config__ = STRICT

    hours: DayHours = (OpenSpan(9 * 60, 20 * 60),)
    weekdays: Weekdays = WORKDAYS
    machine: Literal["leave_message", "hang_up"] = "leave_message"


@dataclass(frozen=True, slots=True)
class Routing:
    """Which way a call takes: ``stream`` talks, ``record`` records each turn of the caller's.

    ``record_share`` of 100 calls and those of ``record_numbers`` are recorded, to compare the two.
    """

    __pydantic_config__ = STRICT

    path: Path_ = "stream"
    outside_hours: Literal["", "stream", "record"] = ""
    record_share: Annotated[Whole, Field(ge=0, le=100)] = 0
    record_numbers: tuple[DialableNumber, ...] = ()
    stream_numbers: tuple[DialableNumber, ...] = ()
