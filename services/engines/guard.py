"""Which audio of a reply belongs to sentences that may not be interrupted. Pure.

Sentences are compared by their letters and digits, for a model may set the stops otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from services.tts import SpokenAudio

_CERTAIN = 10
"""Letters of a sentence's beginning after which the rest is taken to follow."""


class Guard:
    """Follows one reply: first what it is going to say, then what is spoken of that."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self._sentences = [letters for sentence in sentences if (letters := _letters(sentence))]
        self._planned = ""
        self._until = 0
        self._spoken = 0
        self._is_on = False

    def plan(self, phrase: str) -> None:
        """The next phrase that the voice is given."""
        if self._sentences:
            self._planned += _letters(phrase)
            self._until = max(self._until, _end(self._sentences, self._planned))

    def runs(self, parts: Sequence[SpokenAudio]) -> Iterable[tuple[bool, list[SpokenAudio]]]:
        """Pieces of audio in the order in which they were spoken, those together that are alike:
        whether they may not be interrupted. What comes before such a sentence may not be either,
        for then it would not be said."""
        runs: list[tuple[bool, list[SpokenAudio]]] = []
        for part in parts:
            if size := len(_letters(part.text)) if self._sentences else 0:
                self._is_on = self._spoken < self._until
                self._spoken += size
            if not runs or runs[-1][0] != self._is_on:
                runs.append((self._is_on, []))
            runs[-1][1].append(part)
        return runs

    def parts(self, line: str) -> list[str]:
        """A line in what may not be interrupted and the rest, for voice and store to take one by
        one: where the one ends in the sound of both nobody knows."""
        cut = self.cut(line)
        return [part for part in (line[:cut].strip(), line[cut:].strip()) if part]

    def cut(self, line: str) -> int:
        """Up to which of a whole line's characters it may not be interrupted; 0 for none."""
        end, seen = _end(self._sentences, _letters(line)), 0
        for place, character in enumerate(line):
            if seen == end and (character.isalnum() or character.isspace()):
                return place if end else 0
            seen += character.isalnum()
        return len(line) if end else 0


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _end(sentences: Sequence[str], said: str) -> int:
    """Where the last of the sentences ends in what is said, or may go on."""
    end = 0
    for sentence in sentences:
        place = said.rfind(sentence)
        if place >= 0:
            end = max(end, place + len(sentence))
        longest = min(len(sentence) - 1, len(said))
        if any(said.endswith(sentence[:size]) for size in range(longest, _CERTAIN - 1, -1)):
            end = len(said)
    return end
