"""Brains: what the cascade engine needs of a language model or a script; one file per brain."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.call.effects import Turn
from services.call.words.readiness import Expectation


@dataclass(frozen=True, slots=True)
class TakeMessage:
    """The caller's message is complete (or as complete as it will get): keep it."""

    name: str
    number: str
    message: str
    complete: bool = True


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


BrainEvent = str | Line | TakeMessage | EndCall | Asks
"""A piece of the reply's text, in order, or something to do."""


class Brain(Protocol):
    """The brain of one call."""

    def prepare(self, turns: Sequence[Turn]) -> None:
        """The next turns to answer may be these. Takes a few ms at most."""

    def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        """Answer the last caller turn of ``turns`` (heard text only) as reply number ``reply``.

        Cancelling stops the work. Raises VendorError if no answer, or no more of it, can be had.
        """

    def unfinished(self, turns: Sequence[Turn]) -> TakeMessage | None:
        """What the caller had begun to leave when the call ended with these turns, if anything."""
