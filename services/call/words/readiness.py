"""How ready a caller's words are to be answered: the vocabulary of the end-of-turn judgements."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Readiness(Enum):
    """What the words say about whether the caller goes on."""

    OPEN = "open"  # more is to come: wait
    NEUTRAL = "neutral"  # they do not tell: silence decides
    COMPLETE = "complete"  # whole: the answer may come sooner


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, with its reason in a few words for the journal. It never quotes the caller."""

    readiness: Readiness
    reason: str

    @property
    def is_open(self) -> bool:
        return self.readiness is Readiness.OPEN

    @property
    def is_complete(self) -> bool:
        return self.readiness is Readiness.COMPLETE


def more_to_come(reason: str) -> Judgement:
    return Judgement(Readiness.OPEN, reason)


def undecided(reason: str) -> Judgement:
    return Judgement(Readiness.NEUTRAL, reason)


def whole(reason: str) -> Judgement:
    return Judgement(Readiness.COMPLETE, reason)


class Expectation(Enum):
    """What the agent asked for."""

    NONE = "none"
    YES_NO = "yes_no"
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    DATE = "date"
    BIRTH_DATE = "birth_date"  # a date that needs its year
    TIME = "time"
    WHEN = "when"  # a day, a time, or both
    NUMBER = "number"  # how many, how much
    CODE = "code"  # digits and letters one by one: references, postcodes, cards
    ADDRESS = "address"
    FREE = "free"  # a story, a message, a wish
