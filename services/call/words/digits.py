"""Numbers that are said digit by digit, or in groups: where they stand in a text, and their digits.

What a number means is not asked here, only which digits it has and whether it is still being said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from services.call.words.lexicons import lexicon_of
from services.call.words.lexicons.lexicon import Numbers
from services.call.words.wording import ASKED_AGAIN, lowered

_TOKEN = re.compile(r"\d+|\+|[^\W\d_]+(?:'[^\W\d_]+)*")
_LONGEST_PHRASE = 4
_INSIDE = 3
"""Digits after which a word that only sounds like a digit is one."""


@dataclass(frozen=True, slots=True)
class Run:
    """Digits in a row. ``start`` and ``end`` count tokens of the text; ``singles`` are the digits
    that were said or written one by one; ``plus`` tells of an international number."""

    digits: str
    start: int
    end: int
    groups: int
    singles: int
    plus: bool
    in_words: bool


@dataclass(frozen=True, slots=True)
class Spoken:
    """The numbers of a text. ``cut`` tells that it ends on a word that needs a digit: "double"."""

    runs: tuple[Run, ...]
    tokens: tuple[str, ...]
    cut: bool

    @property
    def last(self) -> Run | None:
        return self.runs[-1] if self.runs else None

    @property
    def ends_on_number(self) -> bool:
        return self.last is not None and self.last.end == len(self.tokens)

    @property
    def longest(self) -> Run | None:
        return max(self.runs, key=lambda run: len(run.digits), default=None)

    @property
    def joined(self) -> str:
        """All digits of the text."""
        return "".join(run.digits for run in self.runs)


@lru_cache(maxsize=ASKED_AGAIN)
def digits_in(text: str, language: str) -> Spoken:
    """The numbers of a text, as words or figures: "five double five", "(555) 012-3456"."""
    numbers = lexicon_of(language).numbers
    tokens = tuple(_TOKEN.findall(lowered(text)))
    runs: list[Run] = []
    at, gap = 0, len(tokens) + 1  # the gap: link words since the last digit, none seen yet
    while at < len(tokens):
        goes_on = bool(runs) and gap == at - runs[-1].end
        inside = len(runs[-1].digits) if goes_on else 0
        digits, used, singles = _digits_at(tokens, at, numbers, inside)
        if used:
            plus = at > 0 and tokens[at - 1] in ("+", "plus")
            one = Run(digits, at, at + used, 1, singles, plus, not tokens[at].isdigit())
            runs[-1:] = [_joined(runs[-1], one)] if goes_on else [*runs[-1:], one]
            gap = 0
        elif tokens[at] in numbers.links or tokens[at] == "+":
            gap += 1
        else:
            gap = len(tokens) + 1
        at += used or 1
    cut = bool(tokens) and (tokens[-1] in numbers.times or tokens[-1] == "+")
    return Spoken(tuple(runs), tokens, cut)


def _joined(before: Run, after: Run) -> Run:
    return Run(
        before.digits + after.digits,
        before.start,
        after.end,
        before.groups + 1,
        before.singles + after.singles,
        before.plus,
        before.in_words and after.in_words,
    )


def _digits_at(
    tokens: Sequence[str], at: int, numbers: Numbers, inside: int
) -> tuple[str, int, int]:
    """The digits that begin at a token, how many tokens they take (0: none do) and how many digits
    of them stand alone."""
    word = tokens[at]
    if word.isdecimal():
        return word, 1, len(word) if len(word) == 1 else 0
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    times = numbers.times.get(word)
    if times and (single := _single(after, numbers)):
        return single * times, 2, times
    if inside and word in numbers.rounds:
        return numbers.rounds[word], 1, 0
    if inside >= _INSIDE and word in numbers.sound_alikes:
        return numbers.sound_alikes[word], 1, 1
    for length in range(min(_LONGEST_PHRASE, len(tokens) - at), 0, -1):
        digits = numbers.words.get(tuple(tokens[at : at + length]))
        if digits is not None and not (word == "o" and not inside and not _single(after, numbers)):
            return digits, length, len(digits) if len(digits) == 1 else 0
    return "", 0, 0


def _single(word: str, numbers: Numbers) -> str:
    digits = word if word.isdecimal() else numbers.words.get((word,), "")
    return digits if len(digits) == 1 else ""
