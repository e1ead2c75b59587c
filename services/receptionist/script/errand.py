"""Calls that we make: what we called for, and what the other side says to it."""

from __future__ import annotations

from services.receptionist.agent import Agent
from services.receptionist.script.learned import Learned
from services.receptionist.script.small_talk import ANYTHING_ELSE
from services.receptionist.script.talk import Asks
from services.receptionist.tools import Tool
from services.receptionist.understanding.intents import Intent
from services.receptionist.understanding.lexicon import Heard

_NOTED = f"Thank you, I'll pass that on. {ANYTHING_ELSE}"
_NOT_NOTED = "I'm sorry, I couldn't note that. Please call us back."
_WHO = (Intent.GREETING, Intent.HEAR_ME, Intent.HOW_ARE_YOU)


class Errand:
    """``greeting`` is the outbound line and the errand; '' for a call that came in."""

    def __init__(self, agent: Agent, greeting: str) -> None:
        line = agent.fill(agent.lines.outbound)
        self._errand = greeting.removeprefix(line).strip() if greeting.startswith(line) else ""
        self.is_one = bool(self._errand)

    def answer(self, heard: Heard, learned: Learned, number: str) -> str:
        """What to say to the first words of whom we called; '' if they are nothing special. What
        answers the errand's question is noted for the business."""
        if heard.has(*_WHO) or not heard.words:
            return f"Hello. {self._errand}"
        if not self._errand.endswith("?"):
            agrees = heard.answer or heard.has(Intent.ACKNOWLEDGE, Intent.THANKS)
            return f"Good. {ANYTHING_ELSE}" if agrees else ""
        if heard.wants and heard.answer is None and not heard.has(Intent.ACKNOWLEDGE):
            return ""
        kept = learned.ask(
            Tool.TAKE_MESSAGE,
            name="",
            number=number,
            message=f'Asked "{self._errand}", they said: {heard.text.strip()}',
            urgent="no",
            complete="yes",
        )
        return _NOTED if kept.is_ok else _NOT_NOTED

    def asks_after(self, text: str) -> Asks | None:
        """Whether the errand still waits for its answer after a reply."""
        return Asks.ERRAND if text.endswith(self._errand) else None
