"""The shape of a transcript: does it read as if more were to come?

One layer of the end-of-turn decision. Recognisers put a full stop after nearly everything that a
pause follows, so a stop on an open word means nothing. In doubt the shape is neutral.
"""

from __future__ import annotations

import re
from functools import lru_cache

from services.call.words.digits import digits_in
from services.call.words.lexicons import lexicon_of
from services.call.words.lexicons.lexicon import consists_of
from services.call.words.readiness import Judgement, more_to_come, undecided, whole
from services.call.words.speech_acts import asks_for_time
from services.call.words.wording import ASKED_AGAIN, Ending, ending_of, plain, words_of

_JUDGED = 300
"""Characters at the end of a turn that tell whether it goes on."""
_ENOUGH_WORDS = 3
_ENOUGH_CHARACTERS = 6  # of a script without spaces
_WHOLE_NUMBER = 10
_MONEY_OR_CLOCK = re.compile(r"(?:[$€£]\s?[\d.,]*\d|\d[:h]\d\d|\d\s?[%€£]|\d[.,]\d{1,2})\W*$")
_SPELLED = re.compile(r"(?:^| )(?:[^\W\d_] ){2,}[^\W\d_]$|(?:^| )[^\W\d_] as in \w+(?: [^\W\d_])*$")
_ADDRESS_BEGUN = re.compile(r"[\w.+-]@[\w-]*\.?$")
ASKS_FOR_TIME = "asks for time"
_COURTESY = re.compile(
    r"(?:please|thanks|thank you|sir|ma'am|bitte|danke|por favor|gracias|s'il (?:vous|te) plaît"
    r"|merci)"
    r"(?: (?:sir|ma'am|schön|señora?|madame|monsieur))?"
)
_CARRIES_ON = frozenset({"but", "and", "or", "aber", "und", "oder", "pero", "mais", "et"})


def shape_of(text: str, language: str) -> Judgement:
    """How a transcript ends, final or interim; the turn so far, not its last words only."""
    text = text[-_JUDGED:]
    words = words_of(text)
    if not words:
        return undecided("no words")
    if reason := trails_off(text, language):
        return more_to_come(reason)
    if reason := _number_begun(text, language):
        return more_to_come(reason)
    return _finished(text, words, language)


@lru_cache(maxsize=ASKED_AGAIN)
def trails_off(text: str, language: str) -> str:
    """Why the words, numbers apart, are surely not all; '' if nothing tells."""
    text = text[-_JUDGED:]
    joined, ending = plain(text), ending_of(text)
    of = lexicon_of(language).endings
    if not joined:
        return ""
    if asks_for_time(text, language) and not _goes_on_after_it(text, language):
        return ASKS_FOR_TIME
    if of.restart_endings.search(joined):
        return "a correction begun"
    if of.fillers.search(joined):
        return "a filler"
    if _on_open_word(joined, ending, language):
        return "a function word"
    if _ADDRESS_BEGUN.search(text.strip(" .,")) and "@" in text:
        return "an address begun"
    if _SPELLED.search(joined):
        return "spelled letters"
    return "a comma or a dash" if ending == Ending.PAUSE else ""


def _goes_on_after_it(text: str, language: str) -> bool:
    """ "Let me see, next Tuesday": the caller has thought, and then said it."""
    *before, last = text.strip(" .!?").split(",")
    is_more = bool(before) and not _COURTESY.fullmatch(plain(last))
    return is_more and not asks_for_time(last, language)


def _on_open_word(joined: str, ending: str, language: str) -> bool:
    lexicon = lexicon_of(language)
    of, last = lexicon.endings, joined.rsplit(" ", 1)[-1]
    if of.may_end.search(joined) or consists_of(lexicon.answers.short, joined):
        return False
    if of.open_endings.search(joined):
        return ending != Ending.QUESTION
    if last not in of.open_words:
        return False
    return ending != Ending.QUESTION or last in _CARRIES_ON


def _number_begun(text: str, language: str) -> str:
    """Why a number at the end is surely not all; '' if it may be, or none is there."""
    spoken = digits_in(text, language)
    if spoken.cut:
        return "half a number"
    run = spoken.last
    if run is None or not spoken.ends_on_number or _MONEY_OR_CLOCK.search(text.strip()):
        return ""
    if len(run.digits) >= _WHOLE_NUMBER:
        return ""
    before = " ".join(spoken.tokens[: run.start])
    noun = lexicon_of(language).numbers.nouns
    if run.plus or (len(run.digits) > 1 and run.digits[0] == "0"):
        return "a number begun"
    if run.singles > 1 and run.groups > 1:
        return "digit by digit"
    if run.groups > 1 and not run.in_words and len(run.digits) > 4:
        return "a number in groups"
    if noun.search(before) and not _one_of_a_kind(run.digits, run.in_words):
        return "a number begun"
    return "a number alone" if not before and len(run.digits) >= 3 and not run.in_words else ""


def _one_of_a_kind(digits: str, in_words: bool) -> bool:
    """ "That number one", "the phone two": no telephone number."""
    return in_words and len(digits) == 1


def _finished(text: str, words: list[str], language: str) -> Judgement:
    answers, joined, ending = lexicon_of(language).answers, " ".join(words), ending_of(text)
    if consists_of(answers.closings, joined):
        return whole("thanks or goodbye")
    if consists_of(answers.short, joined):
        return whole("a short answer")
    is_long = len(words) >= _ENOUGH_WORDS or (
        len(joined) >= _ENOUGH_CHARACTERS and not joined.isascii() and len(words) == 1
    )
    if ending == Ending.QUESTION:
        return whole("a question") if is_long else undecided("a short question")
    if ending == Ending.STOP and is_long:
        return whole("a sentence")
    return undecided("a few words" if not is_long else "no end in sight")
