"""A desk for tests: it does what it is asked, once for each key, and says what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from services.engines import CallBrief
from services.receptionist.tools import Tool, ToolRequest, ToolResult

OK = ToolResult("ok", "Done.")


class FakeDesk:
    """``takes_s``: how long each tool works; ``results`` are by tool, else all is well.
    ``closes_s``: how long it takes to close."""

    def __init__(
        self,
        takes_s: float = 0.0,
        results: Mapping[Tool, ToolResult | Exception] | None = None,
        closes_s: float = 0.0,
    ) -> None:
        self.takes_s = takes_s
        self.closes_s = closes_s
        self.asked: list[ToolRequest] = []
        self.done: list[ToolRequest] = []
        """What was done, each key once."""
        self.closed = 0
        self._results = dict(results or {})
        self._known: dict[str, ToolResult] = {}

    async def do(self, request: ToolRequest) -> ToolResult:
        self.asked.append(request)
        if request.key in self._known:
            return self._known[request.key]
        await asyncio.sleep(self.takes_s)
        result = self._results.get(request.tool, OK)
        if isinstance(result, Exception):
            raise result
        self.done.append(request)
        self._known[request.key] = result
        return result

    @property
    def notes(self) -> Sequence[str]:
        return [f"You have used {request.tool.value}." for request in self.done]

    async def close(self) -> None:
        if self.closes_s:
            await asyncio.sleep(self.closes_s)
        self.closed += 1

    @property
    def messages(self) -> list[Mapping[str, str]]:
        """The messages that were taken."""
        return [request.arguments for request in self.done if request.tool is Tool.TAKE_MESSAGE]


def wish(tool: Tool, turn: int = 1, **arguments: str) -> ToolRequest:
    """A use of a tool."""
    said = ";".join(f"{name}={text}" for name, text in arguments.items())
    return ToolRequest(tool, arguments, turn, f"{turn}:{tool.value}:{said}")


def message(
    text: str = "call me", name: str = "Anna", number: str = "555", *, complete: str = "yes"
) -> ToolRequest:
    """A message to be kept."""
    return wish(
        Tool.TAKE_MESSAGE, name=name, number=number, message=text, urgent="no", complete=complete
    )


BRIEF = CallBrief("CA1", "+15550001")
