"""Putting callers through to a person, and what they are offered if nobody can be reached."""

from __future__ import annotations

from dataclasses import dataclass

from services.call.effects import Purpose
from services.receptionist import knowledge
from services.receptionist.abilities import can_transfer
from services.receptionist.agent import Agent
from services.receptionist.script.learned import Learned, Missed
from services.receptionist.script.message_form import MessageForm
from services.receptionist.tools import Tool

_LONGEST_REASON = 300
"""Characters: it is read by people, and spoken to whoever picks up."""


@dataclass(frozen=True, slots=True)
class Escalated:
    """What to say. ``offer``: nobody can be reached, and a yes begins this message."""

    text: str
    offer: MessageForm | None = None
    is_done: bool = False


class Escalation:
    """Puts the callers of one agent through."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.is_possible = can_transfer(agent)

    def put_through(
        self,
        learned: Learned,
        reason: str,
        *,
        person: str = "",
        name: str = "",
        urgency: str = "normal",
        by: str = "caller",
    ) -> Escalated:
        """Have the caller put through. Raises Needs and Missed, as `Learned.ask` does."""
        if not self.is_possible:
            return nobody(person, can_transfer=False)
        result = learned.ask(
            Tool.TRANSFER_CALL,
            person=person,
            reason=reason[:_LONGEST_REASON],
            urgency=urgency,
            name=name,
            by=by,
        )
        if not result.is_ok:
            return nobody(person)
        return Escalated(self._agent.line(Purpose.TRANSFER), is_done=True)

    def emergency(self, learned: Learned, words: str, name: str, number: str) -> Escalated:
        """Say at once what to do; then somebody is told, or the caller put through to them.

        Raises Needs, never Missed.
        """
        line, told = knowledge.emergency(self._agent), words[:_LONGEST_REASON]
        try:
            if self._agent.emergency.transfer and self.is_possible:
                result = learned.ask(
                    Tool.TRANSFER_CALL,
                    said=line,
                    person="",
                    reason=told,
                    urgency="high",
                    name=name,
                    by="emergency",
                )
                if result.is_ok:
                    text = f"{line} {self._agent.line(Purpose.TRANSFER)}"
                    return Escalated(text, is_done=True)
            kept = learned.ask(
                Tool.TAKE_MESSAGE,
                said=line,
                name=name,
                number=number,
                message=told,
                urgent="yes",
                complete="yes",
            )
        except Missed:
            return Escalated(line)
        return Escalated(line, is_done=kept.is_ok)


def nobody(person: str, *, can_transfer: bool = True) -> Escalated:
    """Nobody can be reached: a message instead."""
    if not person:
        why = "nobody can take your call just now" if can_transfer else "I can't put calls through"
        text = f"I'm sorry, {why}. Would you like to leave a message for the team?"
        return Escalated(text, MessageForm())
    why = f"I can't put you through to {person} just now."
    if not can_transfer:
        why = f"{person} isn't available on this line and I can't put calls through."
    text = f"I'm sorry, {why} Would you like to leave a message for {person}?"
    return Escalated(text, MessageForm(recipient=person))
