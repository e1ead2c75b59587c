"""The scripted brain: rules and the agent file, no language model.

It knows what the agent file says and how to take a message, and says so when it does not
understand. All of its thinking is in ``services.receptionist.dialogue``, a fold over the turns; so
nothing needs to be undone when a reply is cancelled.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime

from services.call.effects import Turn
from services.call.words.readiness import Expectation
from services.llm import Asks, BrainEvent, EndCall, TakeMessage
from services.receptionist.agent import Agent
from services.receptionist.dialogue import Dialogue
from services.receptionist.lexicon import Lexicon
from services.receptionist.message_form import MessageForm, Slot

_EXPECTED = {
    Slot.MESSAGE: Expectation.FREE,
    Slot.NAME: Expectation.NAME,
    Slot.CALLING_NUMBER: Expectation.YES_NO,
    Slot.NUMBER: Expectation.PHONE,
    Slot.CONFIRM: Expectation.YES_NO,
    Slot.CHANGE: Expectation.FREE,
}


class ScriptedBrain:
    """The brain of one call. ``now`` returns an aware time; ``caller_number`` is as the carrier
    gave it (E.164, or anything that is no number)."""

    def __init__(
        self,
        agent: Agent,
        now: Callable[[], datetime],
        caller_number: str,
        lexicon: Lexicon | None = None,
    ) -> None:
        self._dialogue = Dialogue(agent, now, caller_number, lexicon)

    def prepare(self, turns: Sequence[Turn]) -> None:
        """There is nothing to prepare."""

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        """Answer the last caller turn. A message goes first: a barge-in must not lose it."""
        fold = self._dialogue.fold(turns)
        said, form = fold.reply, fold.state.form
        if form and not said.hang_up:
            yield Asks(_expected(form))
        if kept := said.message:
            yield TakeMessage(kept.name, kept.number, kept.message, kept.complete)
        yield said.text
        if said.hang_up:
            yield EndCall()

    def unfinished(self, turns: Sequence[Turn]) -> TakeMessage | None:
        """What the caller had begun to leave when the call ended with these turns."""
        kept = self._dialogue.unfinished(turns)
        if kept is None:
            return None
        return TakeMessage(kept.name, kept.number, kept.message, kept.complete)


def _expected(form: MessageForm) -> Expectation:
    """What the form's question asks for; the rest of a number is no number of its own."""
    return Expectation.NUMBER if form.digits else _EXPECTED[form.slot]
