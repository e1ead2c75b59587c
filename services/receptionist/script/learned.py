"""What a call has learned from its tools so far, and how a step of the script asks for more.

The script is a fold over the turns and does nothing itself. A step that needs to know what came of
a tool looks it up here; if it is not known yet, the fold stops with `Needs`, and goes through the
same turns again once the tool was used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.receptionist.tools import Tool, ToolRequest, ToolResult


class Needs(Exception):
    """The fold goes no further without this. ``said`` is what may be spoken meanwhile: the reply
    begins with it."""

    def __init__(self, request: ToolRequest, said: str = "") -> None:
        super().__init__(request.tool.value)
        self.request = request
        self.said = said


class Missed(Exception):
    """An older turn did without this tool: its time has passed."""


def request_of(tool: Tool, turn: int, **arguments: str) -> ToolRequest:
    """A request with its key; ``turn`` counts the caller's turns so far."""
    told = json.dumps(arguments, sort_keys=True, ensure_ascii=False)
    return ToolRequest(tool, arguments, turn, f"{turn}:{tool.value}:{told}")


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known at one turn of the caller's. Only the last turn ``may_ask`` for more. ``read``
    is the proposal whose read-back the caller has heard."""

    results: Mapping[str, ToolResult] = field(default_factory=dict)
    turn: int = 0
    may_ask: bool = False
    read: str = ""

    def ask(self, tool: Tool, *, said: str = "", **arguments: str) -> ToolResult:
        """What came of a tool in this turn. Raises Needs or, in an older turn, Missed."""
        request = request_of(tool, self.turn, **arguments)
        if (result := self.results.get(request.key)) is not None:
            return result
        raise Needs(request, said) if self.may_ask else Missed

    def done(self, tool: Tool, since: int, /, **arguments: str) -> ToolResult | None:
        """What came of a tool that succeeded after the turn ``since``, by this one."""
        turns = range(since + 1, self.turn + 1)
        keys = (request_of(tool, turn, **arguments).key for turn in turns)
        found = (self.results.get(key) for key in keys)
        return next((result for result in found if result and result.is_ok), None)
