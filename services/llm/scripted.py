"""The scripted brain: rules and the agent file, no language model.

It knows what the agent file says, books, takes messages and puts callers through, and says so when
it does not understand. All of its thinking is in ``services.receptionist.script``, a fold over the
turns and over what the tools brought; so nothing needs to be undone when a reply is cancelled.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime

from services.call.effects import Turn
from services.call.words.readiness import Expectation
from services.llm import Asks, BrainEvent, EndCall, UseTool
from services.receptionist.agent import Agent
from services.receptionist.script.dialogue import Dialogue
from services.receptionist.script.learned import Needs
from services.receptionist.tools import ToolRequest, ToolResult
from services.receptionist.understanding.lexicon import Lexicon

_NOT_DONE = ToolResult("failed", "It could not be done.")


class ScriptedBrain:
    """The brain of one call. ``now`` returns an aware time; ``caller_number`` is as the carrier
    gave it (E.164, or anything that is no number). ``greeting``: what the agent begins with, if it
    is not the agent's greeting: the outbound line, a blank and what we call for."""

    def __init__(
        self,
        agent: Agent,
        now: Callable[[], datetime],
        caller_number: str,
        lexicon: Lexicon | None = None,
        greeting: str = "",
    ) -> None:
        self._dialogue = Dialogue(agent, now, caller_number, lexicon, greeting)
        self._uses: dict[str, UseTool] = {}
        """What was asked for in this call, by key; some of it perhaps never done."""

    def prepare(self, turns: Sequence[Turn]) -> None:
        """There is nothing to prepare."""

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        """Answer the last caller turn. What is to be done goes first: a barge-in must not lose it,
        and what is said depends on what came of it."""
        for use in list(self._uses.values()):
            if use.begun and use.result is None:  # by a reply that was interrupted meanwhile
                yield use
        said = ""
        while True:
            try:
                fold = self._dialogue.fold(turns, self._results)
                break
            except Needs as needs:
                if needs.said != said:
                    yield needs.said
                    said = needs.said
                use = self._uses[needs.request.key] = UseTool(needs.request)
                yield use
                use.result = use.result or _NOT_DONE
        if fold.expects and fold.expects is not Expectation.NONE:
            yield Asks(fold.expects)
        if rest := fold.reply.text.removeprefix(said):
            yield rest
        if fold.reply.hang_up:
            yield EndCall()

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        """What the caller had begun to leave when the call ended with these turns."""
        return self._dialogue.unfinished(turns, self._results)

    @property
    def _results(self) -> dict[str, ToolResult]:
        return {key: use.result for key, use in self._uses.items() if use.result}
