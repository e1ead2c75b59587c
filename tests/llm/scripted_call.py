"""A call with the scripted brain, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from services.call.effects import Purpose, Speaker, Turn
from services.llm import BrainEvent, EndCall, UseTool
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import Agent, load_agent
from services.receptionist.tools import Desk, Tool, ToolRequest
from services.receptionist.understanding.lexicon import Lexicon
from tests.desks import FakeDesk

AGENT = load_agent(Path(__file__).parent.parent.parent / "agents" / "receptionist.toml")
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=AGENT.business.timezone)  # a Tuesday
CALLER = "+15551234567"
ALL = "all"
"""The whole of an agent's turn was heard."""


_LEXICON = Lexicon(AGENT)


def brain(agent: Agent = AGENT, caller: str = CALLER, greeting: str = "") -> ScriptedBrain:
    lexicon = _LEXICON if agent is AGENT else None
    return ScriptedBrain(agent, lambda: NOW, caller, lexicon, greeting)


async def respond(
    turns: Sequence[Turn], of: ScriptedBrain | None = None, desk: Desk | None = None
) -> list[BrainEvent]:
    """Everything that the answer consists of; what is to be done is done."""
    desk, events = desk or FakeDesk(), []
    async for event in (of or brain()).respond(1, turns):
        events.append(event)
        if isinstance(event, UseTool):
            event.begun = True
            event.result = await desk.do(event.request)
    return events


def said(events: Sequence[BrainEvent]) -> str:
    return "".join(event for event in events if isinstance(event, str))


def used(events: Sequence[BrainEvent]) -> list[ToolRequest]:
    return [event.request for event in events if isinstance(event, UseTool)]


def caller(text: str) -> Turn:
    return Turn(Speaker.CALLER, text)


def heard(text: str) -> Turn:
    return Turn(Speaker.AGENT, text)


def message(name: str, number: str, text: str, complete: bool = True) -> dict[str, str]:
    """The arguments with which a message is taken."""
    told = {"name": name, "number": number, "message": text, "urgent": "no"}
    return told | {"complete": "yes" if complete else "no"}


class Call:
    """A call in the making. The brain remembers nothing but what its tools brought."""

    def __init__(
        self,
        number: str = CALLER,
        agent: Agent = AGENT,
        desk: Desk | None = None,
        greeting: str = "",
    ) -> None:
        self.turns = [heard(greeting or agent.line(Purpose.GREETING))]
        self.events: list[BrainEvent] = []
        self.desk = desk or FakeDesk()
        self.brain = brain(agent, number, greeting)

    async def say(self, text: str, hears: str = ALL) -> str:
        """The caller's next turn; the answer, of which the caller hears that much."""
        self.turns.append(caller(text))
        self.events = await respond(self.turns, self.brain, self.desk)
        answer = said(self.events)
        if hears:
            self.turns.append(heard(answer if hears == ALL else hears))
        return answer

    @property
    def used(self) -> list[Tool]:
        """What was done for the last answer."""
        return [request.tool for request in used(self.events)]

    @property
    def message(self) -> dict[str, str] | None:
        """The message that was taken for the last answer."""
        taken = [wish.arguments for wish in used(self.events) if wish.tool is Tool.TAKE_MESSAGE]
        assert len(taken) <= 1
        return dict(taken[0]) if taken else None

    @property
    def hangs_up(self) -> bool:
        return any(isinstance(event, EndCall) for event in self.events)

    def left(self) -> dict[str, str] | None:
        """The message that the end of the call leaves."""
        request = self.brain.unfinished(self.turns)
        assert request is None or request.tool is Tool.TAKE_MESSAGE
        return None if request is None else dict(request.arguments)
