"""An utterance, understood."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.receptionist.agent import Faq, Person, Service, TransferRule
from services.receptionist.understanding.intent_kinds import KINDS, Intent, Kind

_ASKS = "what|where|when|how|who|which|why|do|does|are|is|can|could|will|would"
_QUESTION = re.compile(rf"(?:(?:and|but|so|okay|well|yes|no) )*(?:{_ASKS})\b")


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that the caller wants, and what it is about."""

    intent: Intent
    words: str
    faq: Faq | None = None
    services: tuple[Service, ...] = ()
    person: Person | None = None

    @property
    def kind(self) -> Kind:
        return KINDS[self.intent]


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance, understood. ``text`` is what was said, ``words`` the same made comparable.

    ``wants`` is what to react to; ``spoken`` are all intents whose pattern fits, pressing or not.
    ``answer`` is yes or no, if it begins like one. ``services`` are all that are named; ``rule`` is
    the owner's for callers who say such words.
    """

    text: str
    words: str
    wants: tuple[Want, ...]
    spoken: frozenset[Intent]
    answer: bool | None
    services: tuple[Service, ...] = ()
    rule: TransferRule | None = None

    @property
    def length(self) -> int:
        """In words."""
        return len(self.words.split())

    @property
    def is_question(self) -> bool:
        return "?" in self.text or bool(_QUESTION.match(self.words))

    def first(self, *kinds: Kind) -> Want | None:
        return next((want for want in self.wants if want.kind in kinds), None)

    def has(self, *intents: Intent) -> bool:
        return any(want.intent in intents for want in self.wants)

    def of_kind(self, *kinds: Kind) -> tuple[Want, ...]:
        return tuple(want for want in self.wants if want.kind in kinds)
