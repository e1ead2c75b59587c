"""Is a telephone number in an answer whole? Digits spoken in groups are never to be cut."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from services.call.words.digits import Run, Spoken, digits_in
from services.call.words.lexicons import lexicon_of
from services.call.words.readiness import Judgement, more_to_come, undecided, whole
from services.call.words.wording import Ending, ending_of, plain


class Dialable(Enum):
    """What digits are as a telephone number."""

    SHORT = "short"  # more are needed
    POSSIBLE = "possible"  # whole perhaps; longer ones begin like it
    WHOLE = "whole"
    LONG = "long"


IsDialable = Callable[[str, str], Dialable]
"""Judges digits, with a leading ``+`` or none, by the numbering plan of a region (ISO 3166)."""

_USUAL = 10
_LONGEST = 15


def by_length(digits: str, region: str) -> Dialable:
    """Without a numbering plan: no number is sure, and a short one is none."""
    size = len(digits.lstrip("+"))
    if size < (_USUAL + digits.startswith("+")):
        return Dialable.SHORT
    return Dialable.POSSIBLE if size <= _LONGEST else Dialable.LONG


def phone_number(
    text: str, language: str, region: str, is_dialable: IsDialable, before: str = ""
) -> Judgement | None:
    """Whether the number in ``text`` is whole; None if there is none. ``before``: digits of it that
    were said in earlier turns."""
    spoken = digits_in(text, language)
    if not _is_a_number(spoken, before):
        return None
    if corrected := _corrected(text, language, region, is_dialable):
        return corrected
    verdict, is_joined = _fit(spoken, before, region, is_dialable)
    if spoken.cut:
        return more_to_come("half a number")
    if verdict is Dialable.SHORT:
        return more_to_come("number too short")
    if verdict is Dialable.LONG:
        return undecided("number too long")
    goes_on = ending_of(text) == Ending.PAUSE and spoken.ends_on_number
    if verdict is Dialable.POSSIBLE or is_joined or goes_on:
        return undecided("number may be whole")
    return whole("number whole")


def _is_a_number(spoken: Spoken, before: str) -> bool:
    """One digit amid other words is none: "I don't have one"."""
    longest = spoken.longest
    if longest is None:
        return spoken.cut
    return len(longest.digits) > 1 or bool(before) or len(spoken.tokens) == 1 or spoken.cut


def _fit(
    spoken: Spoken, before: str, region: str, is_dialable: IsDialable
) -> tuple[Dialable, bool]:
    """The verdict on the number, and whether it had to be put together out of several."""
    longest = spoken.longest
    if longest is None:
        return Dialable.SHORT, False
    verdict = is_dialable(_written(longest), region)
    if verdict is not Dialable.SHORT:
        return verdict, False
    anew = f"+{spoken.joined}" if spoken.runs[0].plus else spoken.joined
    for digits in (anew, before + spoken.joined) if before else (anew,):
        joined = is_dialable(digits, region)
        if joined in (Dialable.WHOLE, Dialable.POSSIBLE):
            said_at_once = len(spoken.runs) == 1 and bool(before)
            return joined, not said_at_once
    return Dialable.SHORT, False


def _written(run: Run) -> str:
    return f"+{run.digits}" if run.plus else run.digits


def _corrected(text: str, language: str, region: str, is_dialable: IsDialable) -> Judgement | None:
    """The verdict after "no wait": the number anew, or only its last digits."""
    joined = plain(text)
    marks = list(lexicon_of(language).endings.restarts.finditer(joined))
    for mark in reversed(marks):
        wrong = digits_in(joined[: mark.start()], language).joined
        right = digits_in(joined[mark.end() :], language)
        if not wrong or len(right.joined) < 2:
            continue
        if is_dialable(right.joined, region) is Dialable.WHOLE:
            return whole("number corrected")
        kept = (wrong[:-cut] + right.joined for cut in range(1, len(wrong)))
        if any(is_dialable(one, region) is Dialable.WHOLE for one in kept):
            return undecided("number corrected in part")
        return more_to_come("number too short")
    return None
