"""Did you mean ...? The nearest of the words that there are."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

_ALIKE = 60
"""Of 100; what is less alike was meant otherwise."""


def nearest(word: str, words: Iterable[str], alike: int = _ALIKE) -> str:
    """The word that is most like this one, or '' if none is."""
    plain = {known: known.casefold() for known in words}
    found = process.extractOne(word.casefold(), plain, scorer=fuzz.ratio, score_cutoff=alike)
    return found[2] if found else ""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The end of a sentence: ``; did you mean "services"?``, or nothing."""
    found = nearest(word, words)
    return f'; did you mean "{found}"?' if found else ""


def listed(words: Iterable[str], last: str = "or") -> str:
    """``"a", "b" or "c"``."""
    quoted = [f'"{word}"' for word in words]
    return f" {last} ".join(part for part in (", ".join(quoted[:-1]), *quoted[-1:]) if part)
