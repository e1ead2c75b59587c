"""Where one model breaks off and another goes on: nothing lost, nothing said twice. Pure.

Text goes out in whole words, so that the break is between two words; and what the second model
repeats of the first one's words is taken away from its beginning.
"""

from __future__ import annotations

import re
from enum import Enum

_LONGEST_HELD = 40
_WIDE = "\u2e80"
"""From here on scripts write no spaces between words."""
_WORD = re.compile(r"\w+")
_ENDS_SENTENCE = re.compile(r"\w{2,}[.!?]+[\"'”’)]*$")
_LEFT_OVER = " \t\n.,;:!?…\"'”’)-–—"


class WholeWords:
    """Holds back the last word of a stream until it is known to be complete.

    That delays nothing that is spoken: a phrase can end only where a word does.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take a piece; the text that is complete now."""
        self._held += text
        cut = max(self._held.rfind(" "), self._held.rfind("\n")) + 1
        if len(self._held) - cut > _LONGEST_HELD or self._held[-1:] >= _WIDE:
            cut = len(self._held)
        whole, self._held = self._held[:cut], self._held[cut:]
        return whole

    def flush(self) -> str:
        """The stream came to its end: the last word."""
        rest, self._held = self._held, ""
        return rest

    def broken_off(self) -> str:
        """The stream broke: its last word if a sentence ends with it; half a word is nothing."""
        rest = self.flush()
        return rest if _ENDS_SENTENCE.search(rest) else ""


class _At(Enum):
    """Where in a continuation the seam is."""

    REPETITION = "repetition"  # perhaps
    SPACE = "space"  # and punctuation, before what is new
    NEW = "new"


class Seam:
    """The beginning of a continuation, without what it repeats of ``said``."""

    def __init__(self, said: str) -> None:
        self._said = _WORD.findall(said.lower())
        self._shortest = 2 if _ENDS_SENTENCE.search(said.rstrip()) else 1
        self._joint = "" if not said or said[-1].isspace() else " "
        self._held = ""
        self._at = _At.REPETITION if said else _At.NEW

    def feed(self, text: str) -> str:
        """Take a piece; what is new in it, as far as that is certain."""
        if self._at is _At.REPETITION:
            self._held += text
            words = [match for match in _WORD.finditer(self._held) if match.end() < len(self._held)]
            if self._may_go_on([match[0].lower() for match in words]):
                return ""
            text = self._without_repetition(words)
        if self._at is _At.SPACE:
            text = text.lstrip(_LEFT_OVER)
            if text:
                self._at = _At.NEW
                text = self._joint + text
        return text

    def flush(self) -> str:
        """The continuation is over: what was held back and is new."""
        if self._at is not _At.REPETITION:
            return ""
        rest = self._without_repetition(list(_WORD.finditer(self._held))).lstrip(_LEFT_OVER)
        return self._joint + rest if rest else ""

    def _may_go_on(self, words: list[str]) -> bool:
        """Whether these words may be the beginning of a longer repetition."""
        said = self._said
        return any(
            said[begin : begin + len(words)] == words for begin in range(len(said) - len(words))
        )

    def _without_repetition(self, words: list[re.Match[str]]) -> str:
        """What is held, after the longest repetition; what comes next is new."""
        self._at = _At.SPACE
        given = [match[0].lower() for match in words]
        lengths = range(min(len(given), len(self._said)), self._shortest - 1, -1)
        repeated = next((n for n in lengths if self._said[-n:] == given[:n]), 0)
        return self._held[words[repeated - 1].end() :] if repeated else self._held
