"""What the agent asked for, out of its own words: used when the brain does not say."""

from __future__ import annotations

import re

from services.call.words.digits import digits_in
from services.call.words.lexicons import lexicon_of
from services.call.words.lexicons.lexicon import Questions
from services.call.words.readiness import Expectation
from services.call.words.wording import Ending, ending_of, plain

_SENTENCE = re.compile(r"[^.!?¿¡]+(?:[.!?]+(?=\S)[^.!?¿¡]+)*[.!?]*")
_AGAIN = re.compile(
    r"\b(?:again|once more|repeat|the rest|go on|slowly|wiederholen|noch ?mal|noch einmal|repetir"
    r"|repita|otra vez|répéter|répétez|encore une fois)\b"
)
_JUDGED = 600
_COUNTED = re.compile(r"\b(\w+)[ -](?:digits?|stellen|stellige\w*|dígitos|cifras|chiffres)\b")


def guess_expectation(agent_text: str, language: str) -> Expectation:
    """What the last question or request in the agent's words asks for; NONE if there is none."""
    questions, agent_text = lexicon_of(language).questions, agent_text[-_JUDGED:]
    sentences = [part for part in _SENTENCE.findall(agent_text) if plain(part)]
    for place in range(len(sentences) - 1, max(-1, len(sentences) - 4), -1):
        asked = _asked_in(sentences[place], questions)
        if asked is Expectation.NONE:
            continue
        again = asked in (Expectation.FREE, Expectation.YES_NO) and _AGAIN.search(
            plain(sentences[place])
        )
        return _named(plain(agent_text), questions) or asked if again else asked
    return Expectation.NONE


def expected_digits(agent_text: str, language: str) -> int:
    """How many digits a code has, if the agent says so ("your six-digit PIN", "the last four
    digits"); 0 if it does not."""
    match = _COUNTED.search(agent_text.lower())
    found = digits_in(match[1], language).last if match else None
    return int(found.digits) if found and len(found.digits) < 3 else 0


def _asked_in(sentence: str, questions: Questions) -> Expectation:
    joined = plain(sentence)
    is_question = ending_of(sentence) == Ending.QUESTION
    if not is_question and not questions.requests.search(joined):
        return Expectation.NONE
    if is_question and questions.tags.search(joined) and not questions.requests.search(joined):
        return Expectation.YES_NO
    named = _named(joined, questions)
    if questions.yes_no.search(joined):
        offers = any(word in questions.or_words for word in joined.split())
        timely = (Expectation.DATE, Expectation.TIME, Expectation.WHEN)
        return named if offers and named in timely else Expectation.YES_NO
    if named:
        return named
    return Expectation.FREE if is_question or _AGAIN.search(joined) else Expectation.NONE


def _named(joined: str, questions: Questions) -> Expectation | None:
    """The kind of the thing that is mentioned first in our order of kinds."""
    return next((kind for pattern, kind in questions.kinds if pattern.search(joined)), None)
