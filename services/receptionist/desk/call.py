"""What all tools of one call work with: the agent, the books, the caller, the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.receptionist.agent import Agent
from services.receptionist.books import Appointments, Escalations, Messages
from services.receptionist.calendar.spoken_slots import moment
from services.receptionist.desk.texts import CallTexts
from services.receptionist.numbers import e164, is_reachable
from services.receptionist.tools import ToolResult
from services.receptionist.understanding.lexicon import Lexicon


@dataclass(frozen=True, slots=True)
class DeskCall:
    """One call at the desk. ``caller`` is as the carrier gave it, ``notes`` is added to."""

    agent: Agent
    agent_id: str
    call_id: str
    caller: str
    appointments: Appointments
    messages: Messages
    escalations: Escalations
    texts: CallTexts
    clock: Callable[[], datetime]
    lexicon: Lexicon
    notes: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        """In UTC."""
        return self.clock().astimezone(UTC)

    @property
    def country(self) -> str:
        return self.agent.business.country

    @property
    def number(self) -> str:
        """The caller's own number in E.164; '' if it was withheld or cannot be called."""
        if not is_reachable(self.caller, self.country):
            return ""
        return e164(self.caller, self.country)

    def iso(self, at: datetime) -> str:
        """A moment in the business's zone, with its offset."""
        return self.agent.schedule.local(at).isoformat(timespec="seconds")

    def aloud(self, at: datetime) -> str:
        """ "Tuesday, November 24th at 3:30 PM"."""
        return moment(self.iso(at))


def refusal(code: str, text: str, facts: Mapping[str, Any] | None = None) -> ToolResult:
    """Why not; the reason stands in the facts as well."""
    return ToolResult(code, text, {"why": code, **(facts or {})})


OFFER_MESSAGE = "Offer to take a message instead, so that somebody calls them back."
