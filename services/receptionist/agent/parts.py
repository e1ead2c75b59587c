"""The parts of an agent file that say what she knows, how she sounds and who helps her do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from services.receptionist.agent.values import (
    STRICT,
    Country,
    DayHours,
    HolidayDates,
    Language,
    Line,
    Name,
    Number,
    Switch,
    Text,
    WhoHears,
    Whole,
    WhoSpeaks,
    WhoThinks,
    Zone,
)


@dataclass(frozen=True, slots=True)
class Business:
    """Who is being called. ``country`` (ISO 3166) tells how telephone numbers are read."""

    __pydantic_config__ = STRICT

    name: Name
    address: Text = ""
    directions: Text = ""
    phone: Text = ""
    email: Text = ""
    timezone: Zone = ZoneInfo("UTC")
    country: Country = "US"


@dataclass(frozen=True, slots=True)
class Week:
    """Opening hours by weekday; an empty day is a closed one."""

    __pydantic_config__ = STRICT

    monday: DayHours = ()
    tuesday: DayHours = ()
    wednesday: DayHours = ()
    thursday: DayHours = ()
    friday: DayHours = ()
    saturday: DayHours = ()
    sunday: DayHours = ()

    @property
    def days(self) -> tuple[DayHours, ...]:
        mondays_to_fridays = (self.monday, self.tuesday, self.wednesday, self.thursday, self.friday)
        return (*mondays_to_fridays, self.saturday, self.sunday)


@dataclass(frozen=True, slots=True)
class HolidayEntry:
    """Days with hours of their own."""

    __pydantic_config__ = STRICT

    name: Name
    date: HolidayDates
    hours: DayHours = ()
    aliases: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """Something that is sold. ``price`` is said as it is written."""

    __pydantic_config__ = STRICT

    name: Name
    price: Text = ""
    minutes: Annotated[Whole, Field(ge=0, le=1440)] = 0
    description: Text = ""
    aliases: tuple[Name, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that callers may call it."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Faq:
    """A question in the words in which it may be asked, and its answer."""

    __pydantic_config__ = STRICT

    questions: Annotated[tuple[Name, ...], Field(min_length=1)]
    answer: Line


@dataclass(frozen=True, slots=True)
class Person:
    """Someone whom callers ask for. Without a number they cannot be put through, but may leave a
    message."""

    __pydantic_config__ = STRICT

    name: Name
    number: Number = ""
    aliases: tuple[Name, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All that callers may call them."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Emergency:
    """What is answered at once with "call this number", whatever was being talked about. With
    ``transfer`` the caller is put through instead; the owner is told in any case."""

    __pydantic_config__ = STRICT

    number: Text = ""
    transfer: Switch = False
    words: tuple[Name, ...] = (
        *("chest pain", "heart attack", "stroke", "can't breathe", "not breathing"),
        *("unconscious", "passed out", "overdose", "suicide", "kill myself", "bleeding to death"),
    )
    line: Text = ""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Who hears, thinks and speaks for this agent; what is empty is as in the settings."""

    __pydantic_config__ = STRICT

    stt: WhoHears = ""
    llm: WhoThinks = ""
    tts: WhoSpeaks = ""
    voice: Text = ""
    language: Language = "en"
    key_terms: tuple[Name, ...] = ()
    use_persistent_tts: Switch = True


@dataclass(frozen=True, slots=True)
class Lines:
    """Fixed lines; many are named after the purposes of ``services.call.effects``."""

    __pydantic_config__ = STRICT

    greeting: Line = (
        "Thanks for calling {business}. This is {name}, the automated receptionist. "
        "How can I help you?"
    )
    repair: Line = "Sorry, I didn't catch that. Could you say it again?"
    idle_prompt: Line = "Are you still there?"
    idle_goodbye: Line = "I can't hear you, so I'll hang up now. Please call again. Goodbye!"
    time_limit: Line = "I'm sorry, our time for this call is over. Please call again. Goodbye!"
    apology: Line = "Sorry, something went wrong on my side. Could you say that again?"
    filler: Line = "One moment, please."
    goodbye: Line = "Thanks for calling {business}. Goodbye!"
    transfer: Line = "One moment, I'll put you through."
    nobody_there: Line = (
        "I'm sorry, nobody could take your call just now. May I take a message for them?"
    )
    outbound: Line = "Hello, this is {name}, the automated assistant of {business}."
    voicemail: Line = (
        "Hello, this is {name}, the automated assistant of {business}. Please call us back. "
        "Thank you, goodbye."
    )
    uninterruptible: tuple[Line, ...] = ()
