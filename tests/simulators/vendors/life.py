"""What makes the simulators talk sense: a model that has read the agent's file.

It is the server's own script, put behind the vendor's protocol with its tool calls. Of what a tool
brings a model sees only the text, so it takes messages and puts callers through, but makes no
appointments; for those see ``receptionist_model``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from services.call.effects import Speaker, Turn
from services.receptionist.agent import load_agent
from services.receptionist.script.dialogue import Dialogue
from services.receptionist.script.learned import Needs
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from tests.simulators.vendors.openai_answers import Reply, ToolCall

_SPEAKERS = {"user": Speaker.CALLER, "assistant": Speaker.AGENT}
_ARGUMENTS = {
    Tool.TAKE_MESSAGE: ("name", "number", "message", "urgent"),
    Tool.TRANSFER_CALL: ("person", "reason", "urgency", "name"),
}
"""Of the tools that it uses, the arguments that a function has."""


def model(agent_file: Path) -> Callable[[list[dict[str, Any]]], Reply]:
    """A language model: the messages of a request in, what it says and which tools it calls out."""
    agent = load_agent(agent_file)
    zone = agent.business.timezone
    dialogue = Dialogue(agent, lambda: datetime.now(zone), "+15550100001")

    def answer(messages: list[dict[str, Any]]) -> Reply:
        last = max(n for n, one in enumerate(messages) if one["role"] == "user")
        told = [one["content"] for one in messages[last:] if one["role"] == "tool"]
        turns = [
            Turn(_SPEAKERS[message["role"]], message["content"])
            for message in messages[: last + 1]
            if message["role"] in _SPEAKERS and message.get("content")
        ]
        results: dict[str, ToolResult] = {}
        said = ""
        while True:
            try:
                reply = dialogue.fold(turns, results).reply
                break
            except Needs as needs:
                if needs.request.tool not in _ARGUMENTS:
                    results[needs.request.key] = ToolResult("failed", "")
                elif told:
                    results[needs.request.key], said = ToolResult("ok", told.pop(0)), needs.said
                else:
                    return [*filter(None, [needs.said]), _call(needs.request)]
        text = reply.text.removeprefix(said).lstrip()
        if not reply.hang_up:
            return text
        begun = dialogue.unfinished(turns, results)
        return [text, *([_call(begun)] if begun else []), ToolCall("end_call", "{}")]

    return answer


def _call(request: ToolRequest) -> ToolCall:
    names = _ARGUMENTS[request.tool]
    return ToolCall(request.tool.value, {name: request.arguments[name] for name in names})
