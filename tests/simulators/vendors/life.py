"""What makes the simulators talk sense: a model that has read the agent's file.

It is the server's own script, put behind the vendor's protocol with its tool calls.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from services.call.effects import KeepMessage, Speaker, Turn
from services.receptionist.agent import load_agent
from services.receptionist.dialogue import Dialogue
from tests.simulators.vendors.openai_answers import Reply, ToolCall

_SPEAKERS = {"user": Speaker.CALLER, "assistant": Speaker.AGENT}


def model(agent_file: Path) -> Callable[[list[dict[str, Any]]], Reply]:
    """A language model: the messages of a request in, what it says and which tools it calls out."""
    agent = load_agent(agent_file)
    zone = agent.business.timezone
    dialogue = Dialogue(agent, lambda: datetime.now(zone), "+15550100001")

    def answer(messages: list[dict[str, Any]]) -> Reply:
        turns = [
            Turn(_SPEAKERS[message["role"]], message["content"])
            for message in messages
            if message["role"] in _SPEAKERS and message.get("content")
        ]
        said = dialogue.fold(turns).reply
        if messages[-1]["role"] == "tool":
            return said.text
        if said.message:
            return [_take(said.message)]
        if not said.hang_up:
            return said.text
        begun = dialogue.unfinished(turns)
        left = [_take(begun)] if begun else []
        return [said.text, *left, ToolCall("end_call", "{}")]

    return answer


def _take(left: KeepMessage) -> ToolCall:
    taken = {"name": left.name, "number": left.number, "message": left.message}
    return ToolCall("take_message", taken)
