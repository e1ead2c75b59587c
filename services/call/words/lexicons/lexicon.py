"""What a language's words mean for the taking of turns: the shape of a word list.

All patterns are matched against plain words: lower case, one space between, no punctuation but the
apostrophes within words (``wording.plain``). They are written as blocks of phrases with ``|``
between them; line breaks and the blanks round a ``|`` do not count, nor does one after a repeated
group that ends in a blank of its own (``(?:no\\s)* (?:go on)``) or before a look behind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.call.words.readiness import Expectation

_MOST_WORDS = 12
NEVER = re.compile(r"(?!)")
_BAR = re.compile(r"\s*\|\s*")
_BLANK_TWICE = re.compile(r"(?<=\\s\)[*?]) | (?=\(\?<[!=])")


def block(phrases: str) -> str:
    """A block of phrases as one pattern, in a group of its own."""
    joined = _BLANK_TWICE.sub("", _BAR.sub("|", " ".join(phrases.split())))
    return f"(?:{joined})"


def anywhere(phrases: str) -> re.Pattern[str]:
    """Also after an elision: "l'adresse"."""
    return re.compile(rf"(?<!\w){block(phrases)}(?![\w'])")


def at_end(phrases: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w']){block(phrases)}$")


def at_start(phrases: str) -> re.Pattern[str]:
    return re.compile(rf"^{block(phrases)}(?![\w'])")


def made_of(phrases: str) -> re.Pattern[str]:
    """Nothing but these phrases, one or more of them; for ``consists_of``."""
    return re.compile(rf"{block(phrases)}(?: {block(phrases)})*")


def consists_of(pattern: re.Pattern[str], words: str) -> bool:
    """Whether plain words are nothing but what :func:`made_of` was given. Of many words none is:
    such patterns may take time that doubles with each word."""
    return words.count(" ") < _MOST_WORDS and bool(pattern.fullmatch(words))


def a_list(words: str) -> frozenset[str]:
    return frozenset(words.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Endings:
    """How turns end, and how they do not."""

    open_words: frozenset[str] = frozenset()
    """Words with which hardly any sentence ends."""
    open_endings: re.Pattern[str] = NEVER
    """Endings of several words after which more must come."""
    may_end: re.Pattern[str] = NEVER
    """Endings on an open word that are whole all the same: "what is it for"."""
    fillers: re.Pattern[str] = NEVER
    """Endings by which a speaker keeps the turn: "um", "let me see"."""
    restarts: re.Pattern[str] = NEVER
    """What begins a correction of oneself, anywhere."""
    restart_endings: re.Pattern[str] = NEVER
    """The same at the end: what is right is still to come."""
    asks_for_time: re.Pattern[str] = NEVER
    no_time_asked: re.Pattern[str] = NEVER
    """What looks like it and is not: "a second opinion"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is said in answer to nearly everything."""

    yes: re.Pattern[str] = NEVER
    no: re.Pattern[str] = NEVER
    """What an answer begins with that says yes, or no."""
    short: re.Pattern[str] = NEVER
    """Short answers that are whole, courtesies included."""
    closings: re.Pattern[str] = NEVER
    """Thanks and goodbyes, and "that's all"."""
    evasions: re.Pattern[str] = NEVER
    """What is said instead of an answer: "I don't know", "why do you need it"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverAgent:
    """What is said while the agent speaks."""

    commands: re.Pattern[str] = NEVER
    """What a command begins with."""
    lead_ins: re.Pattern[str] = NEVER
    """What may stand before one: "okay", "but", "um"."""
    go_on: re.Pattern[str] = NEVER
    """What tells the agent to speak on: "no no, go on"."""
    backchannels: re.Pattern[str] = NEVER
    backchannels_begun: frozenset[str] = frozenset()
    """Words with which a backchannel begins and that are none by themselves: "I", of "I see"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Digits as they are spoken, and the words of e-mail addresses."""

    words: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """Number words, 0 to 99, to their digits."""
    times: Mapping[str, int] = field(default_factory=dict)
    """ "double", "triple"."""
    rounds: Mapping[str, str] = field(default_factory=dict)
    """ "hundred" and "thousand" to the noughts that they add within a number."""
    sound_alikes: Mapping[str, str] = field(default_factory=dict)
    """Words that are digits only amid digits: "for"."""
    links: frozenset[str] = frozenset()
    """Words amid a number that do not break it: "dash", "um"."""
    nouns: re.Pattern[str] = NEVER
    """What announces a number that is said digit by digit."""
    at_words: frozenset[str] = frozenset({"at"})
    dot_words: frozenset[str] = frozenset({"dot"})
    sign_words: Mapping[str, str] = field(default_factory=dict)
    """ "underscore" and "dash" to their signs in an address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Days and times."""

    days: re.Pattern[str] = NEVER
    """A day that needs nothing after it: "Tuesday", "tomorrow"."""
    months: re.Pattern[str] = NEVER
    ordinals: re.Pattern[str] = NEVER
    """Days of the month that say they are one: "the fifth"."""
    clock: re.Pattern[str] = NEVER
    """A time of day that needs nothing after it: "noon", "ten thirty", "10 am"."""
    any_time: re.Pattern[str] = NEVER
    """Answers that leave it to the agent."""
    open_times: re.Pattern[str] = NEVER
    """A span or a time of which the end is missing: "between two", "half past"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """What the agent asks for."""

    kinds: tuple[tuple[re.Pattern[str], Expectation], ...] = ()
    """In this order: what a question with these words asks for."""
    yes_no: re.Pattern[str] = NEVER
    """What a question begins with that asks for yes or no, whatever it mentions."""
    tags: re.Pattern[str] = NEVER
    """What makes a question of a sentence: "right?"."""
    requests: re.Pattern[str] = NEVER
    """What asks without a question mark: "please tell me"."""
    or_words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One language."""

    endings: Endings = field(default_factory=Endings)
    answers: Answers = field(default_factory=Answers)
    over_agent: OverAgent = field(default_factory=OverAgent)
    numbers: Numbers = field(default_factory=Numbers)
    calendar: Calendar = field(default_factory=Calendar)
    questions: Questions = field(default_factory=Questions)


def number_words(
    units: str, teens: str, tens: str, *, joint: str = "", unit_first: bool = False
) -> dict[tuple[str, ...], str]:
    """The numbers 0 to 99. ``units`` are nought to nine, ``teens`` 10 to 19, ``tens`` 20, 30 and so
    on; ``|`` joins spellings of one, ``_`` the words of one spelling. ``joint`` stands between a
    ten and its unit; with ``unit_first`` they are one word, the unit before ("dreiundzwanzig")."""
    ones = [spelling.split("|") for spelling in units.split()]
    table: dict[tuple[str, ...], str] = {
        (word,): str(value) for value, words in enumerate(ones) for word in words
    }
    for value, spelling in enumerate(teens.split(), 10):
        table.update({tuple(word.split("_")): str(value) for word in spelling.split("|")})
    for ten, spelling in enumerate(tens.split(), 2):
        for word in spelling.split("|"):
            table[tuple(word.split("_"))] = f"{ten}0"
            for unit, words in enumerate(ones[1:], 1):
                for one in words:
                    if unit_first:
                        table[(f"{one}{joint}{word}",)] = f"{ten}{unit}"
                    else:
                        table[(*word.split("_"), *joint.split(), one)] = f"{ten}{unit}"
    return table
