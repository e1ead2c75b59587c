"""The agent file: all that one receptionist knows, as frozen data parsed from TOML.

``agents/receptionist.toml`` explains every key. Only the names of the receptionist and of the
business must be given; what is left out has a default, or is something that she says she does not
know.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from services.call.effects import Purpose
from services.receptionist.schedule import Holiday, HolidayDays, OpenSpan, Schedule
from services.receptionist.toml_lines import line_of

_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)


class AgentFileError(ValueError):
    """An agent file that cannot be used; the text says where, and what is expected there."""


def _placeholders(text: str) -> set[str]:
    try:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError as error:
        raise ValueError(f"{error}; a placeholder looks like {{business}}") from None


def _known_placeholders(text: str) -> str:
    if unknown := _placeholders(text) - set(PLACEHOLDERS):
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValueError(f"unknown placeholder {{{sorted(unknown)[0]}}}; there are {known}")
    return text


def _open_span(value: object) -> object:
    return OpenSpan.parse(value) if isinstance(value, str) else value


def _spans_of_a_day(spans: tuple[OpenSpan, ...]) -> tuple[OpenSpan, ...]:
    ordered = tuple(sorted(spans, key=lambda span: span.start))
    if any(one.end > other.start for one, other in zip(ordered, ordered[1:], strict=False)):
        raise ValueError("these opening hours overlap")
    return ordered


def _holiday_days(value: object) -> object:
    days = value if isinstance(value, list) else [value]
    return tuple(HolidayDays.parse(str(day)) for day in days)


PLACEHOLDERS = ("business", "name", "address", "phone", "email")
"""What a line may mention in curly brackets."""

WhoHears = Literal["", "deepgram", "flux", "openai", "embedded"]
WhoThinks = Literal["", "openai", "scripted"]
WhoSpeaks = Literal["", "elevenlabs", "openai", "embedded"]
Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Line = Annotated[Name, AfterValidator(_known_placeholders)]
DayHours = Annotated[
    tuple[Annotated[OpenSpan, BeforeValidator(_open_span)], ...], AfterValidator(_spans_of_a_day)
]


@dataclass(frozen=True, slots=True)
class Business:
    """Who is being called. ``country`` (ISO 3166) tells how telephone numbers are read."""

    __pydantic_config__ = _STRICT

    name: Name
    address: Text = ""
    directions: Text = ""
    phone: Text = ""
    email: Text = ""
    timezone: ZoneInfo = ZoneInfo("UTC")
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = "US"


@dataclass(frozen=True, slots=True)
class Week:
    """Opening hours by weekday; an empty day is a closed one."""

    __pydantic_config__ = _STRICT

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

    __pydantic_config__ = _STRICT

    name: Name
    date: Annotated[tuple[HolidayDays, ...], BeforeValidator(_holiday_days)]
    hours: DayHours = ()
    aliases: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """Something that is sold. ``price`` is said as it is written."""

    __pydantic_config__ = _STRICT

    name: Name
    price: Text = ""
    minutes: Annotated[int, Field(ge=0)] = 0
    description: Text = ""
    aliases: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Faq:
    """A question in the words in which it may be asked, and its answer."""

    __pydantic_config__ = _STRICT

    questions: Annotated[tuple[Name, ...], Field(min_length=1)]
    answer: Line


@dataclass(frozen=True, slots=True)
class Person:
    """Someone whom callers ask for."""

    __pydantic_config__ = _STRICT

    name: Name
    number: Text = ""
    aliases: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Emergency:
    """What is answered at once with "call this number", whatever was being talked about."""

    __pydantic_config__ = _STRICT

    number: Text = ""
    words: tuple[Name, ...] = (
        *("chest pain", "heart attack", "stroke", "can't breathe", "not breathing"),
        *("unconscious", "passed out", "overdose", "suicide", "kill myself", "bleeding to death"),
    )
    line: Text = ""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Who hears, thinks and speaks for this agent; what is empty is as in the settings."""

    __pydantic_config__ = _STRICT

    stt: WhoHears = ""
    llm: WhoThinks = ""
    tts: WhoSpeaks = ""
    voice: Text = ""
    language: Annotated[str, StringConstraints(pattern="^(multi|[a-z]{2,3}(-[A-Za-z]{2,4})?)$")] = (
        "en"
    )
    key_terms: tuple[Name, ...] = ()
    use_persistent_tts: bool = True


@dataclass(frozen=True, slots=True)
class Lines:
    """Fixed lines; the first six are named after the purposes of ``services.call.effects``."""

    __pydantic_config__ = _STRICT

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
    uninterruptible: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    """One configured receptionist."""

    __pydantic_config__ = _STRICT

    name: Name
    business: Business
    hours: Week = Week()
    holidays: tuple[HolidayEntry, ...] = ()
    services: tuple[Service, ...] = ()
    faq: tuple[Faq, ...] = ()
    people: tuple[Person, ...] = ()
    emergency: Emergency = Emergency()
    lines: Lines = Lines()
    engines: EngineChoice = EngineChoice()

    @property
    def key_terms(self) -> tuple[str, ...]:
        """Names that a recogniser would not know, each once: the agent's, the business's, ..."""
        people = (name for person in self.people for name in (person.name, *person.aliases))
        sold = (service.name for service in self.services)
        named = (*self.engines.key_terms, self.business.name, self.name, *people, *sold)
        return tuple(dict.fromkeys(named))

    @property
    def schedule(self) -> Schedule:
        holidays = (Holiday(day.name, day.date, day.hours, day.aliases) for day in self.holidays)
        return Schedule(self.business.timezone, self.hours.days, tuple(holidays))

    @property
    def filler(self) -> str:
        """The line that bridges the wait for a late reply."""
        return self.fill(self.lines.filler)

    @property
    def goodbye(self) -> str:
        """The last words of a call that the caller ends."""
        return self.fill(self.lines.goodbye)

    @property
    def uninterruptible(self) -> tuple[str, ...]:
        """Sentences that a caller cannot interrupt."""
        return tuple(self.fill(sentence) for sentence in self.lines.uninterruptible)

    def line(self, purpose: Purpose) -> str:
        """The fixed line for a purpose. Raises ValueError for ANSWER, which has none."""
        if purpose is Purpose.ANSWER:
            raise ValueError("an answer has no fixed line")
        return self.fill(getattr(self.lines, purpose.value))

    def fill(self, text: str) -> str:
        """A line with its placeholders filled in."""
        facts = self.business
        return text.format(
            business=facts.name,
            name=self.name,
            address=facts.address,
            phone=facts.phone,
            email=facts.email,
        )

    def with_overrides(
        self, greeting: str | None = None, business_name: str | None = None
    ) -> Agent:
        """The same agent with another greeting or business name; None and '' change nothing.

        Raises AgentFileError for a greeting with a placeholder that does not exist.
        """
        agent = self
        if business_name and business_name.strip():
            agent = replace(agent, business=replace(agent.business, name=business_name.strip()))
        if greeting and greeting.strip():
            try:
                _known_placeholders(greeting)
            except ValueError as error:
                raise AgentFileError(f"greeting: {error}") from None
            agent = replace(agent, lines=replace(agent.lines, greeting=greeting.strip()))
        return agent


def load_agent(path: Path | str) -> Agent:
    """Read an agent file. Raises AgentFileError with file, line, key and what is expected."""
    path = Path(path)
    try:
        source = path.read_text(encoding="utf-8")
        agent = parse_agent(tomllib.loads(source))
    except OSError as error:
        raise AgentFileError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise AgentFileError(f"{path}: must be a text file in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise AgentFileError(f"{path}: not valid TOML: {error}") from None
    except ValidationError as error:
        problems = [_problem(path, source, problem) for problem in error.errors()]
        raise AgentFileError("\n".join(problems)) from None
    return agent


def parse_agent(document: Mapping[str, Any]) -> Agent:
    """Build an agent from a parsed TOML document. Raises pydantic's ValidationError."""
    return _ADAPTER.validate_python(document)


_ADAPTER = TypeAdapter(Agent)
_EXPECTED = {
    "missing": "is missing",
    "literal_error": "is not one of those that there are",
    "unexpected_keyword_argument": "is not a key that is known here",
    "string_type": "expected text in quotation marks",
    "string_too_short": "must not be empty",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "tuple_type": "expected a list in square brackets",
    "zone_info_str": 'expected a time zone like "America/New_York"',
}


def _problem(path: Path, source: str, problem: Mapping[str, Any]) -> str:
    """One line: file, line, key, what is expected."""
    keys = tuple(problem["loc"])
    where = f"line {line}, " if (line := line_of(source, keys)) else ""
    key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in keys)
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{path}: {where}{key.lstrip('.')}: {_EXPECTED.get(problem['type'], message)}"
