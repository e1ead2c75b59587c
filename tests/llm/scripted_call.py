"""A call with the scripted brain, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from services.call.effects import Purpose, Speaker, Turn
from services.llm import BrainEvent, EndCall, TakeMessage
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import Agent, load_agent

AGENT = load_agent(Path(__file__).parent.parent.parent / "agents" / "receptionist.toml")
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=AGENT.business.timezone)  # a Tuesday
CALLER = "+15551234567"
ALL = "all"
"""The whole of an agent's turn was heard."""


def brain(agent: Agent = AGENT, caller: str = CALLER) -> ScriptedBrain:
    return ScriptedBrain(agent, lambda: NOW, caller)


async def respond(turns: Sequence[Turn], of: ScriptedBrain | None = None) -> list[BrainEvent]:
    return [event async for event in (of or brain()).respond(1, turns)]


def said(events: Sequence[BrainEvent]) -> str:
    return "".join(event for event in events if isinstance(event, str))


def caller(text: str) -> Turn:
    return Turn(Speaker.CALLER, text)


def heard(text: str) -> Turn:
    return Turn(Speaker.AGENT, text)


class Call:
    """A call in the making, with a brain that is new for each turn: it must not need its memory."""

    def __init__(self, number: str = CALLER, agent: Agent = AGENT) -> None:
        self.turns = [heard(agent.line(Purpose.GREETING))]
        self.events: list[BrainEvent] = []
        self._agent = agent
        self._number = number

    async def say(self, text: str, hears: str = ALL) -> str:
        """The caller's next turn; the answer, of which the caller hears that much."""
        self.turns.append(caller(text))
        self.events = await respond(self.turns, brain(self._agent, self._number))
        answer = said(self.events)
        if hears:
            self.turns.append(heard(answer if hears == ALL else hears))
        return answer

    @property
    def message(self) -> TakeMessage | None:
        taken = [event for event in self.events if isinstance(event, TakeMessage)]
        assert len(taken) <= 1
        return taken[0] if taken else None

    @property
    def hangs_up(self) -> bool:
        return any(isinstance(event, EndCall) for event in self.events)

    def left(self) -> TakeMessage | None:
        return brain(self._agent, self._number).unfinished(self.turns)
