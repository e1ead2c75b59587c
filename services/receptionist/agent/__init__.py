"""The agent file: all that one receptionist knows, as frozen data parsed from TOML.

``agents/receptionist.toml`` explains every key. Only the names of the receptionist and of the
business must be given; what is left out has a default, or is something that she says she does not
know. Its parts are in ``agent_parts`` and ``agent_work``, what is told of mistakes in
``agent_file`` and ``agent_checks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from services.call.effects import Purpose
from services.receptionist.agent.checks import contradictions
from services.receptionist.agent.file import AgentFile, AgentFileError
from services.receptionist.agent.parts import (
    Business,
    Emergency,
    EngineChoice,
    Faq,
    HolidayEntry,
    Lines,
    Person,
    Service,
    Week,
)
from services.receptionist.agent.values import (
    STRICT,
    BlockedNumber,
    DialableNumber,
    Name,
    Number,
    Path_,
    Text,
    WhoHears,
    WhoSpeaks,
    WhoThinks,
    known_placeholders,
)
from services.receptionist.agent.work import (
    Booking,
    Outbound,
    Recording,
    RingFirst,
    Routing,
    TransferRule,
    Transfers,
)
from services.receptionist.calendar.schedule import Holiday, Schedule

__all__ = [
    "Agent",
    "AgentFileError",
    "Booking",
    "Business",
    "Emergency",
    "EngineChoice",
    "Faq",
    "HolidayEntry",
    "Lines",
    "Outbound",
    "Path_",
    "Person",
    "Recording",
    "RingFirst",
    "Routing",
    "Service",
    "TransferRule",
    "Transfers",
    "Week",
    "WhoHears",
    "WhoSpeaks",
    "WhoThinks",
    "load_agent",
    "parse_agent",
    "read_agent",
]


@dataclass(frozen=True, slots=True)
class Agent:
    """One configured receptionist."""

    __pydantic_config__ = STRICT

    name: Name
    business: Business
    hours: Week = Week()
    holidays: tuple[HolidayEntry, ...] = ()
    services: tuple[Service, ...] = ()
    faq: tuple[Faq, ...] = ()
    people: tuple[Person, ...] = ()
    numbers: tuple[DialableNumber, ...] = ()
    """The numbers that this agent answers; the agent without any answers all others."""
    persona: Text = ""
    """How she is and what else she should know, for a language model."""
    owner_phone: Number = ""
    from_number: Number = ""
    """Where her calls and texts come from, if not TWILIO_NUMBER."""
    blocked: tuple[BlockedNumber, ...] = ()
    """Callers who hear a busy line; ``+1900*`` is all that begin so."""
    booking: Booking = Booking()
    transfers: Transfers = Transfers()
    ring_first: RingFirst = RingFirst()
    recording: Recording = Recording()
    outbound: Outbound = Outbound()
    routing: Routing = Routing()
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

    def person(self, name: str) -> Person | None:
        """The person with this name or alias; None if there is none."""
        wanted = " ".join(name.casefold().split())
        for person in self.people:
            if wanted in (" ".join(known.casefold().split()) for known in person.names):
                return person
        return None

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
        notice = (self.recording.notice,) if self.recording.enabled else ()
        return tuple(self.fill(sentence) for sentence in (*notice, *self.lines.uninterruptible))

    def line(self, purpose: Purpose) -> str:
        """The fixed line for a purpose; the notice of a recording comes before the first words.
        Raises ValueError for ANSWER, which has none."""
        if purpose is Purpose.ANSWER:
            raise ValueError("an answer has no fixed line")
        line = self.fill(getattr(self.lines, purpose.value))
        if self.recording.enabled and purpose in _FIRST_WORDS:
            return f"{self.fill(self.recording.notice)} {line}"
        return line

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
        self,
        greeting: str | None = None,
        business_name: str | None = None,
        owner_phone: str = "",
    ) -> Agent:
        """The same agent with another greeting or business name; None and '' change nothing.
        ``owner_phone`` is for an agent that has none.

        Raises AgentFileError for a greeting with a placeholder that does not exist.
        """
        agent = self
        if owner_phone and not agent.owner_phone:
            agent = replace(agent, owner_phone=owner_phone)
        if business_name and business_name.strip():
            agent = replace(agent, business=replace(agent.business, name=business_name.strip()))
        if greeting and greeting.strip():
            try:
                known_placeholders(greeting)
            except ValueError as error:
                raise AgentFileError(f"greeting: {error}") from None
            agent = replace(agent, lines=replace(agent.lines, greeting=greeting.strip()))
        return agent


def load_agent(path: Path | str) -> Agent:
    """Read an agent file. Raises AgentFileError with file, line, key and what is expected."""
    return read_agent(AgentFile.read(Path(path)))


def read_agent(file: AgentFile[Agent]) -> Agent:
    """The agent that a file describes. See ``load_agent``."""
    agent = file.parse(Agent, _ADAPTER)
    file.refuse(contradictions(agent))
    return agent


def parse_agent(document: Mapping[str, Any]) -> Agent:
    """Build an agent from a parsed TOML document. Raises pydantic's ValidationError."""
    return _ADAPTER.validate_python(document)


_ADAPTER = TypeAdapter(Agent)
_FIRST_WORDS = (Purpose.GREETING, Purpose.OUTBOUND)
