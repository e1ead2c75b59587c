"""The brain, as a stand-in: says what the scene has it say to the turn that the caller has begun.

What an answer asks for is told through ``tell``, which the policy chooses: a brain may leave it to
the core to guess.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from benchmarks.conversation.script import Turn as CallerTurn
from services.call.effects import Turn
from services.call.words.readiness import Expectation
from services.llm import Asks, BrainEvent
from services.receptionist.tools import ToolRequest

Tell = Callable[[str], BrainEvent | None]
"""``phone``, ``email``, ``name``, ``date``, ``yes_no`` -> the brain's event that says so."""


def tell_all(asks: str) -> BrainEvent | None:
    """As the server's own brains do."""
    return Asks(Expectation(asks))


def tell_nothing(asks: str) -> BrainEvent | None:
    """The core has to guess it from the answer's words."""
    return None


class ScriptedBrain:
    """``current``: the turn that the caller has begun last. ``first_s``: the wait for a token.

    ``asked``: how often it was asked; ``words``: how many words it gave.
    """

    def __init__(
        self, current: Callable[[], CallerTurn | None], first_s: float, tell: Tell
    ) -> None:
        self._current = current
        self._first_s = first_s
        self._tell = tell
        self.asked = 0
        self.words = 0

    def overhear(self, words: str) -> None:
        """Nothing is prepared."""

    def prepare(self, turns: Sequence[Turn]) -> None:
        """Nothing is prepared."""

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        self.asked += 1
        turn = self._current()
        await asyncio.sleep(self._first_s)
        answer, asks = (turn.answer, turn.asks) if turn else ("Sorry, what was that?", "")
        if asks and (event := self._tell(asks)) is not None:
            yield event
        self.words += len(answer.split())
        yield answer

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        return None
