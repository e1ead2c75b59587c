"""A caller's name, out of the sentence in which it was said."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

_MY_NAME_IS = r"my (?:first |full )?name(?: is|'s)|the name(?: is|'s)|this is"
_ANYWHERE = re.compile(rf"\b(?:{_MY_NAME_IS}|name's)\s+(.+)", re.IGNORECASE)
_AT_THE_START = re.compile(
    r"(?:it is|it's|i am|i'm|call me|that's|that is|(?:you're )?(?:speaking|talking) (?:to|with))"
    r"\s+(.+)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:u+h+m?|u+m+|er+m?|oh|well|so|yes|yeah|yep|sure|okay|ok|hi|hello|of course|certainly"
    r"|please|and)\b[\s,.!]*)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"[,.;!?]\s+.*$|\s+\d.*$"
    r"|\s+(?:and|my number|my phone|calling|speaking|here|please|thanks|thank you|at)\b.*$",
    re.IGNORECASE,
)
_SPELLED = re.compile(r"(?:[A-Za-z](?:[-.\s]+|$)){2,}")
_SPELLED_PART = re.compile(r"(?<![\w'])(?:[A-Za-z](?![\w'])[-.,\s]*){3,}")
_AROUND_SPELLING = {"that's", "that", "is", "spelled", "spelt", "spell", "it", "it's", "as", "with"}
_SOUNDS_AS_SPELLED = 60
_NOT_IN_NAMES = frozenset(
    """what why when where how who which do does did is are am was can could will would should you
    your my me want wants need have has had call calls message tell say said please not no yes
    about because that this it they them he she to for the later tomorrow today back sure okay know
    think just don't dont i'm i'd i'll calling cancel nothing nobody anonymous hello thanks
    at in by around after before thank right correct fine good great perfect true next weekdays
    week weekend everything appointment monday tuesday wednesday thursday friday saturday
    sunday""".split()  # noqa: SIM905
)
_MOST_WORDS = 4
_SURNAME_FIRST = re.compile(r"^(\w+), (?=\w+ \1\b)", re.IGNORECASE)
"""The name's Bond, James Bond."""


def introduced_name(text: str) -> str:
    """A name that a sentence introduces in passing ("this is Bob Lee, ..."), or ''."""
    match = _ANYWHERE.search(text)
    return _as_name(match[1]) if match else ""


def answered_name(text: str) -> str:
    """The name in an answer to "And your name?", or '' if it does not look like one."""
    answer = _LEAD.sub("", text.strip())
    match = _ANYWHERE.search(answer) or _AT_THE_START.match(answer)
    return _as_name(_LEAD.sub("", match[1]) if match else answer)


_BOOKED_FOR = re.compile(
    r"\b(?:under(?: the name(?: of)?)?|in the name of|name of|for)\s+"
    r"((?:(?:Mr|Mrs|Ms|Dr)\.?\s)?[A-Z][\w'-]+(?:\s[A-Z][\w'-]+){1,2})(?=[\s,.;!?]|$)"
)
_NOT_FIRST = re.compile(
    r"^(?:dr|next|this|the|january|february|march|april|may|june|july|august|september|october"
    r"|november|december|christmas|new|good|easter)\b",
    re.IGNORECASE,
)


def name_booked_for(text: str) -> str:
    """The name in "a cleaning for Anna Miller", or ''. One word is not enough to tell."""
    match = _BOOKED_FOR.search(text)
    return "" if match is None or _NOT_FIRST.match(match[1]) else _as_name(match[1])


def _as_name(text: str) -> str:
    """Without what was said around it; '' if these are no words of a name."""
    if spelled := _SPELLED.fullmatch(text.strip(" .,!?")):
        return re.sub(r"[^A-Za-z]", "", spelled[0]).capitalize()
    plain = re.sub(r"\b(Dr|Mr|Mrs|Ms|St)\.\s", r"\1 ", _with_spelling(text))
    plain = _SURNAME_FIRST.sub("", plain)
    words = _TAIL.sub("", f"{plain} ").strip(" .,;!?\"'").split()
    is_name = 0 < len(words) <= _MOST_WORDS and not any(
        word.lower() in _NOT_IN_NAMES or not re.search(r"[^\W\d_]", word) for word in words
    )
    return " ".join(map(_capitalised, words)) if is_name else ""


def _with_spelling(text: str) -> str:
    """A name of which a part is said and spelled: as it is spelled."""
    spelled = _SPELLED_PART.search(text)
    if spelled is None:
        return text
    letters = re.sub(r"[^A-Za-z]", "", spelled[0]).capitalize()
    said = _said_beside(text[: spelled.start()]) or _said_beside(
        _TAIL.sub("", text[spelled.end() :])
    )
    alike = [fuzz.ratio(word.lower(), letters.lower()) for word in said]
    if alike and max(alike) >= _SOUNDS_AS_SPELLED:
        said[alike.index(max(alike))] = letters
    else:
        said.append(letters)
    return " ".join(said)


def _said_beside(text: str) -> list[str]:
    return [word for word in re.findall(r"[\w'-]+", text) if word.lower() not in _AROUND_SPELLING]


def _capitalised(word: str) -> str:
    """McDonald stays as it is."""
    return word.capitalize() if word.islower() and word not in ("from", "of") else word
