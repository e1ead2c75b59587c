"""All questions of fact in an utterance, answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from services.receptionist import knowledge
from services.receptionist.agent import Agent
from services.receptionist.script import forms
from services.receptionist.script.small_talk import about_herself
from services.receptionist.script.talk import Form
from services.receptionist.understanding.heard import Heard
from services.receptionist.understanding.intents import Kind


class Facts:
    """The answers of one agent. ``now`` is asked anew for each answer on opening hours."""

    def __init__(self, agent: Agent, now: Callable[[], datetime]) -> None:
        self._agent = agent
        self._now = now

    def in_answer_to(self, heard: Heard, form: Form | None = None) -> str:
        """What the caller wants to know; '' if nothing is known, or asked. ``form`` is being filled
        in: "how much is it" asks for that."""
        answers = [about_herself(self._agent, want.intent) for want in heard.of_kind(Kind.ABOUT)]
        for want in heard.of_kind(Kind.FACT):
            about = forms.about(form, want, self._agent.services)
            answers.append(knowledge.answer(self._agent, about, self._now()))
        return " ".join(dict.fromkeys(filter(None, answers)))
