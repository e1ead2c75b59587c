"""Answers known ahead: what the agent file already answers needs no large model, or none at all.

A caller who asks one of the owner's questions, and nothing else, gets the owner's answer at once:
its audio was rendered before the call. Other plain questions of fact may go to a cheaper model.
In doubt the main brain answers, which knows what was being talked about.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.call.effects import Purpose, Speaker, Turn
from services.llm import Brain, BrainEvent, Line
from services.receptionist.agent import Agent
from services.receptionist.script.turns import joined, plain
from services.receptionist.tools import ToolRequest
from services.receptionist.understanding.intents import Intent, Kind
from services.receptionist.understanding.lexicon import Heard, Lexicon
from services.receptionist.understanding.words import content, covered, normalise

_LONGEST_QUESTION = 12
_LONGEST_PLAIN = 18
"""In words; who says more than that says more than a question."""
_OF_QUESTION, _OF_TURN = 0.9, 0.75
"""Which part of the owner's question must have been said, and of what was said must be of it."""
_OPEN_QUESTION = re.compile(
    r"\b(?:help|anything else|something else|what else|do for you|still there|like to know)\b"
)
_LAST_SENTENCE = re.compile(r"[^.!?]*[.!?]+[\"'”’)]*\s*$")


def lines_ahead(agent: Agent) -> list[str]:
    """The texts to be rendered ahead, exactly as they will be said."""
    return list(dict.fromkeys(agent.fill(faq.answer) for faq in agent.faq))


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a caller's turn: the owner's answer to it, if it is one of the owner's
    questions and nothing else; whether it asks only for facts of the agent file."""

    answer: str = ""
    is_plain: bool = False


class KnownAnswers:
    """What one agent file answers by itself; shared by all calls."""

    def __init__(self, agent: Agent, lexicon: Lexicon | None = None) -> None:
        self._agent = agent
        self._lexicon = lexicon or Lexicon(agent)
        self._greeting = plain(agent.line(Purpose.GREETING))

    def understand(self, said: str) -> Heard:
        """What a caller's words mean: the work of some ms."""
        return self._lexicon.understand(said)

    def look_at(
        self, turns: Sequence[Turn], understand: Callable[[str], Heard] | None = None
    ) -> Known:
        """What is known of the last caller turn. ``understand``: by somebody who remembers."""
        said, before = self._last(turns)
        if len(said.split()) > _LONGEST_PLAIN or not self._is_open(before):
            return Known()  # without the work of understanding it
        heard = (understand or self.understand)(said)
        answer = self._answer(heard)
        if plain(answer)[-3:] == plain(before)[-3:]:
            answer = ""  # who asks again did not get what they wanted
        return Known(answer, is_plain={want.kind for want in heard.wants} == {Kind.FACT})

    def _answer(self, heard: Heard) -> str:
        """The owner's answer, if this is one of the owner's questions and nothing else."""
        if len(heard.wants) != 1 or heard.length > _LONGEST_QUESTION:
            return ""
        given, faq = content(heard.words), heard.wants[0].faq
        if heard.wants[0].intent is not Intent.FAQ or faq is None:
            return ""
        questions = [content(normalise(question)) for question in faq.questions]
        is_asked = any(
            covered(question, given) >= _OF_QUESTION and covered(given, question) >= _OF_TURN
            for question in questions
        )
        return self._agent.fill(faq.answer) if is_asked else ""

    def _last(self, turns: Sequence[Turn]) -> tuple[str, str]:
        """What the caller said last, and what the agent had said before that ('' for nothing)."""
        last = [Turn(Speaker.AGENT, ""), *joined(turns)][-2:]
        if last[-1].speaker is not Speaker.CALLER:
            return "", ""
        return last[-1].text, last[0].text if last[0].speaker is Speaker.AGENT else ""

    def _is_open(self, before: str) -> bool:
        """Whether the caller may speak of anything now, rather than answer a question."""
        words = plain(before)
        if self._greeting[: len(words)] == words:
            return True  # also one that was interrupted
        last = _LAST_SENTENCE.search(before)
        if last is None:
            return False  # interrupted in the middle of something
        return "?" not in last[0] or bool(_OPEN_QUESTION.search(last[0].lower()))


class AnswersAhead:
    """The brain of one call: known answers first, then perhaps a cheaper brain, then the main one.

    ``cheap`` reports its failures itself and has its own fallbacks, as ``brain`` does.
    """

    def __init__(self, known: KnownAnswers, brain: Brain, cheap: Brain | None = None) -> None:
        self._known = known
        self._brain = brain
        self._cheap = cheap
        self._understand = lru_cache(maxsize=2)(known.understand)

    def prepare(self, turns: Sequence[Turn]) -> None:
        """Understand the words while the turn may still go on; then there is less to wait for."""
        known = self._known.look_at(turns, self._understand)
        if not known.answer:
            self._for(known).prepare(turns)

    def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        """Answer the last caller turn. See ``Brain``."""
        known = self._known.look_at(turns, self._understand)
        if known.answer:
            return _line(known.answer)
        return self._for(known).respond(reply, turns)

    def _for(self, known: Known) -> Brain:
        return self._cheap if self._cheap is not None and known.is_plain else self._brain

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        """What the main brain says."""
        return self._brain.unfinished(turns)


async def _line(text: str) -> AsyncGenerator[BrainEvent]:
    yield Line(text)
