"""Is it the caller who speaks, or the agent's own voice come back over the line?

An echo repeats what the agent is saying, in its order, as a recogniser hears it on a bad line. A
caller repeats a word or two ("Tuesday?"), or one of the things offered; that is no echo.
"""

from __future__ import annotations

from functools import lru_cache

from services.call.words.digits import digits_in
from services.call.words.lexicons import lexicon_of
from services.call.words.wording import Ending, ending_of, words_of

_FEWEST = 3
_SURE = 5
"""So many words in the agent's order are not said by chance."""
_SHARE = 0.78
_AGENT_WORDS = 150
_CALLER_WORDS = 40
_MOST_STARTS = 16
"""Places in the agent's words that are tried, the latest first."""


@lru_cache(maxsize=64)
def is_echo(caller: str, agent: str, language: str = "en", *, echoes: bool = False) -> bool:
    """Whether the caller's words only repeat what the agent said lately (``agent``: the last few
    sentences, up to what is being said now). ``echoes``: the line is known to; then a word or two
    that answer nothing are enough."""
    heard = _comparable(caller, language)[:_CALLER_WORDS]
    said = _comparable(agent, language)[-_AGENT_WORDS:]
    fewest = 1 if echoes else _FEWEST
    if len(heard) < fewest or len(said) < fewest:
        return False
    asks_back = ending_of(caller) == Ending.QUESTION and "?" not in agent
    if len(heard) < _SURE and (asks_back or _may_be_an_answer(heard, language)):
        return False
    matched, start, end = _best_match(heard, said)
    if len(heard) < _SURE and matched < len(heard):
        return False
    if matched < _SHARE * len(heard):
        return False
    return not _is_a_choice(heard, said, start, end, lexicon_of(language).questions.or_words)


def may_become_echo(caller: str, agent: str, language: str = "en") -> bool:
    """Whether words that are not all yet stand just so in the agent's: more of them will tell."""
    heard, said = _comparable(caller, language), _comparable(agent, language)[-_AGENT_WORDS:]
    size = len(heard)
    return size > 0 and any(said[at : at + size] == heard for at in range(len(said) - size + 1))


def _comparable(text: str, language: str) -> list[str]:
    """The words; of numbers, each digit by itself, however they were said."""
    spoken = digits_in(text, language)
    if not spoken.runs:
        return words_of(text)
    words: list[str] = []
    at = 0
    for run in spoken.runs:
        words += [*spoken.tokens[at : run.start], *run.digits]
        at = run.end
    return [*words, *spoken.tokens[at:]]


def _may_be_an_answer(heard: list[str], language: str) -> bool:
    """A few words that begin with yes or no, or hold a digit, a day or a time, could answer."""
    lexicon, joined = lexicon_of(language), " ".join(heard)
    answers, calendar = lexicon.answers, lexicon.calendar
    return bool(
        answers.yes.search(joined)
        or answers.no.search(joined)
        or any(word.isdecimal() for word in heard)
        or calendar.days.search(joined)
        or calendar.clock.search(joined)
    )


def _best_match(heard: list[str], said: list[str]) -> tuple[int, int, int]:
    """How many words of ``heard`` stand in their order in one stretch of ``said`` not much longer
    than themselves, and where that stretch begins and ends."""
    best = (0, 0, 0)
    size = len(heard) + 1 + len(heard) // 4
    spoken = set(said)
    alike = {word: {other for other in spoken if _alike(word, other)} for word in set(heard)}
    rows = [alike[word] for word in heard]
    starts = [place for place, word in enumerate(said) if any(word in row for row in rows[:2])]
    for start in reversed(starts[-_MOST_STARTS:]):
        matched, end = _in_order(rows, said[start : start + size])
        if matched > best[0]:
            best = (matched, start, start + end)
    return best


def _in_order(rows: list[set[str]], said: list[str]) -> tuple[int, int]:
    """The longest common subsequence, and how far into ``said`` it reaches. ``rows``: for each word
    of the caller, the words that it may be."""
    row = [0] * (len(said) + 1)
    for accepted in rows:
        above = 0
        for place, other in enumerate(said, 1):
            kept = row[place]
            row[place] = above + 1 if other in accepted else max(row[place], row[place - 1])
            above = kept
    return row[-1], row.index(row[-1])


def _alike(one: str, other: str) -> bool:
    """The same word, or a mishearing of it."""
    if one == other:
        return True
    shortest = min(len(one), len(other))
    if one[0] != other[0] or shortest < 4 or abs(len(one) - len(other)) > 2:
        return False
    return _distance(one, other) <= (1 if shortest < 7 else 2)


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        above, row[0] = row[0], place
        for column, against in enumerate(other, 1):
            cost = min(row[column] + 1, row[column - 1] + 1, above + (letter != against))
            above, row[column] = row[column], cost
    return row[-1]


def _is_a_choice(
    heard: list[str], said: list[str], start: int, end: int, or_words: frozenset[str]
) -> bool:
    """Whether the words are one of two things offered: "Tuesday at three or Friday"."""
    if or_words & set(heard):
        return False
    around = {*said[max(0, start - 2) : start], *said[end : end + 2]}
    return bool(or_words & around)
