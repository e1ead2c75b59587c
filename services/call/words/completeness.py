"""Is the answer whole that the agent asked for? One layer of the end-of-turn decision.

``readiness_of`` puts it together with the transcript's shape. What callers say instead of an answer
never waits long: it is neutral or complete.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from services.call.words.answer import Answer, instead_of
from services.call.words.calendar_answers import birth_date, day, day_and_time, time_of_day
from services.call.words.digits import digits_in
from services.call.words.email_answers import ENDS_ON_ADDRESS, email_address, name_begun
from services.call.words.lexicons import lexicon_of
from services.call.words.lexicons.lexicon import consists_of
from services.call.words.phone_answers import IsDialable, by_length, phone_number
from services.call.words.readiness import Expectation, Judgement, more_to_come, undecided, whole
from services.call.words.shape import ASKS_FOR_TIME, shape_of
from services.call.words.wording import Ending, ending_of, lowered, words_of

_POSTCODE = re.compile(
    r"\b(?:\d{5}(?:-\d{4})?|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d)$"
)
_LETTERS = re.compile(r"(?:^| )((?:[^\W\d_] )+[^\W\d_])$")
_CODE = re.compile(r"(?:^| )[^\W_]$|\d")
_LONG_CODE = 8
_JUDGED = 600
"""Characters at the end of a turn in which an answer is looked for."""


def completeness(
    expectation: Expectation,
    text: str,
    language: str,
    region: str = "US",
    is_dialable: IsDialable = by_length,
    *,
    before: str = "",
    digits: int = 0,
) -> Judgement:
    """Whether the answer to what was asked is whole. ``text`` is the turn so far.

    ``before``: digits of the same number that earlier turns brought. ``digits``: how many a code
    has, 0 if that is not known.
    """
    lexicon, text = lexicon_of(language), text[-_JUDGED:]
    answer = Answer(
        text, language, region, is_dialable, before, digits, lexicon, " ".join(words_of(text))
    )
    judge = _JUDGES.get(expectation)
    if judge is None:
        return undecided("nothing to check")
    if not answer.words:
        return undecided("no words")
    return judge(answer)


def readiness_of(
    text: str,
    expectation: Expectation,
    language: str,
    region: str = "US",
    is_dialable: IsDialable = by_length,
    *,
    before: str = "",
    digits: int = 0,
) -> Judgement:
    """Completeness and shape in one: what was asked for decides, and where it does not tell, the
    shape."""
    asked = completeness(
        expectation, text, language, region, is_dialable, before=before, digits=digits
    )
    if asked.is_open or asked.is_complete or asked.reason in _FINAL_WORD:
        return asked
    return shape_of(text, language)


_FINAL_WORD = frozenset(
    {"number too long", "number may be whole", "number corrected in part", "a long code"}
    | {
        "a country may follow",
        "end not known",
        "hour only",
        "year missing perhaps",
        "a round number",
    }
)
"""Neutral reasons that know better than the shape, which sees an open number in them."""


def _yes_no(answer: Answer) -> Judgement:
    of = answer.lexicon.answers
    if answer.trails:
        return more_to_come(answer.trails)
    if consists_of(of.short, answer.words):
        return whole("yes or no")
    if of.yes.fullmatch(answer.words) or of.no.fullmatch(answer.words):
        return whole("yes or no")
    return undecided("more than yes or no")


def _phone(answer: Answer) -> Judgement:
    found = phone_number(
        answer.text, answer.language, answer.region, answer.is_dialable, answer.before
    )
    spoken = digits_in(answer.text, answer.language)
    if found and not found.is_complete and answer.trails in (ASKS_FOR_TIME, "a correction begun"):
        return more_to_come(answer.trails)
    if found and (spoken.ends_on_number or not found.is_complete):
        return _unless_evaded(found, answer)
    if found:
        return more_to_come(answer.trails) if answer.trails else found
    return instead_of(answer) or undecided("no number yet")


def _unless_evaded(found: Judgement, answer: Answer) -> Judgement:
    """ "555 and I don't know the rest": do not wait for it."""
    spoken = digits_in(answer.text, answer.language)
    last = spoken.last
    tail = " ".join(spoken.tokens[last.end :]) if last else ""
    if found.is_open and answer.lexicon.answers.evasions.search(tail):
        return undecided("no answer to come")
    return found


def _email(answer: Answer) -> Judgement:
    found = email_address(answer.text, answer.language, answer.region)
    if found:
        may_trail = found.reason != ENDS_ON_ADDRESS
        return more_to_come(answer.trails) if may_trail and answer.trails else found
    if instead := instead_of(answer):
        return instead
    if ending_of(answer.text) == Ending.QUESTION:
        return undecided("a question instead")
    if name_begun(answer.text, answer.language):
        return more_to_come("no at yet")
    return undecided("no address yet")


def _name(answer: Answer) -> Judgement:
    if letters := _LETTERS.search(answer.words):
        spelled = letters[1].replace(" ", "")
        said = answer.words[: letters.start()].split()
        if len(spelled) > 1 and spelled in said:
            return whole("spelled what was said")
        return more_to_come("spelled letters")
    if instead := instead_of(answer):
        return instead
    if ending_of(answer.text) == Ending.QUESTION:
        return undecided("a question instead")
    names = [word for word in answer.text.split() if word[:1].isupper()][-2:]
    at_end = answer.text.split()[-2:] == names
    if len(names) == 2 and at_end and not names[0].endswith((",", ".")):
        return undecided("a full name")
    return undecided("a name or part of it")


def _number(answer: Answer) -> Judgement:
    spoken = digits_in(answer.text, answer.language)
    if spoken.cut:
        return more_to_come("half a number")
    if instead := instead_of(answer):
        return instead
    if spoken.last is None:
        return undecided("no number yet")
    if spoken.ends_on_number and spoken.last.in_words and spoken.last.digits.endswith("0"):
        return undecided("a round number")
    return whole("a number")


def _code(answer: Answer) -> Judgement:
    spoken = digits_in(answer.text, answer.language)
    size = len(answer.before + spoken.joined)
    has_code = bool(spoken.runs and len(spoken.joined) > 1) or bool(_CODE.search(answer.words))
    ends_on_code = spoken.ends_on_number or bool(_LETTERS.search(answer.words))
    if not (has_code and ends_on_code) and (instead := instead_of(answer)):
        return instead
    if not has_code:
        return undecided("no code yet")
    if answer.digits:
        return whole("all its digits") if size >= answer.digits else more_to_come("digits missing")
    if size >= _LONG_CODE:
        return undecided("a long code")
    if _POSTCODE.search(lowered(answer.text).rstrip(" .!?")):
        return undecided("a long code")
    return more_to_come("more digits may come")


def _address(answer: Answer) -> Judgement:
    if instead := instead_of(answer):
        return instead
    if _POSTCODE.search(lowered(answer.text).rstrip(" .!?")) and len(answer.words.split()) > 3:
        return whole("a postcode at the end")
    if digits_in(answer.text, answer.language).ends_on_number:
        return more_to_come("a number without its street")
    return undecided("no postcode")


_JUDGES: dict[Expectation, Callable[[Answer], Judgement]] = {
    Expectation.YES_NO: _yes_no,
    Expectation.NAME: _name,
    Expectation.PHONE: _phone,
    Expectation.EMAIL: _email,
    Expectation.DATE: day,
    Expectation.BIRTH_DATE: birth_date,
    Expectation.TIME: time_of_day,
    Expectation.WHEN: day_and_time,
    Expectation.NUMBER: _number,
    Expectation.CODE: _code,
    Expectation.ADDRESS: _address,
}
