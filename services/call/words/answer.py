"""An answer under judgement, and what callers say in its place."""

from __future__ import annotations

from dataclasses import dataclass

from services.call.words.lexicons.lexicon import Lexicon, consists_of
from services.call.words.phone_answers import IsDialable
from services.call.words.readiness import Judgement, more_to_come, undecided, whole
from services.call.words.shape import trails_off
from services.call.words.wording import Ending, ending_of


@dataclass(frozen=True, slots=True)
class Answer:
    """What was said, with all that the judges below want to know."""

    text: str
    language: str
    region: str
    is_dialable: IsDialable
    before: str
    digits: int
    lexicon: Lexicon
    words: str

    @property
    def trails(self) -> str:
        return trails_off(self.text, self.language)


def instead_of(answer: Answer) -> Judgement | None:
    """What is said in place of the thing asked for, or before it."""
    of, words = answer.lexicon.answers, answer.words
    if reason := answer.trails:
        return more_to_come(reason)
    if consists_of(of.closings, words):
        return whole("thanks or goodbye")
    if evasion := of.evasions.search(words):
        if evasion.end() == len(words) or ending_of(answer.text) != Ending.NONE:
            return whole("no answer to come")
        return undecided("no answer to come")
    if not consists_of(of.short, words):
        return None
    if of.no.search(words):
        return whole("declined")
    return more_to_come("agrees, the answer follows") if of.yes.search(words) else None
