"""Brains: what the cascade engine needs of a language model or a script; one file per brain."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.call.effects import Turn
from services.call.words.readiness import Expectation
from services.receptionist.tools import ToolRequest, ToolResult


@dataclass(frozen=True, slots=True)
class EndCall:
    """Hang up once the reply has been played."""


@dataclass(frozen=True, slots=True)
class Line:
    """A whole line that may have been rendered ahead; it comes before all other text."""

    text: str


@dataclass(frozen=True, slots=True)
class Asks:
    """What the reply asks the caller for: the end of their answer is judged by it."""

    what: Expectation


@dataclass(slots=True)
class UseTool:
    """Have something done. Whoever takes it from the brain sets ``result`` before asking for the
    next item, so the brain finds it there when it goes on.

    ``begun``: it is being done, or was, perhaps for a reply that is over. To ask for the same once
    more then changes nothing, and tells what came of it."""

    request: ToolRequest
    result: ToolResult | None = None
    begun: bool = False


BrainEvent = str | Line | EndCall | Asks | UseTool
"""A piece of the reply's text, in order, or something to do."""


class Brain(Protocol):
    """The brain of one call."""

    def prepare(self, turns: Sequence[Turn]) -> None:
        """The next turns to answer may be these. Takes a few ms at most."""

    def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        """Answer the last caller turn of ``turns`` (heard text only) as reply number ``reply``.

        Cancelling stops the work. Raises VendorError if no answer, or no more of it, can be had.
        """

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        """What the caller had begun to leave when the call ended with these turns, if anything:
        TAKE_MESSAGE with ``complete`` "no"."""
