"""What a live recogniser has made out so far, by place in the call, and what was given. Pure.

Its final stretches may end where they like: amid an utterance of ours, behind it, or late, when the
words were had elsewhere. Each word is given exactly once, to the utterance in which it was said.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.audio.mulaw import BYTES_PER_MS
from services.stt.deepgram_wire import Results, Word

_SLACK = 60 * BYTES_PER_MS
"""How much of an utterance's end may be missing: the recogniser works in steps of its own."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The text of the audio between two places. ``results`` came on a socket whose audio begins
    at the place ``base``; None: nothing finer than the text is known."""

    begin: int
    end: int
    text: str
    results: Results | None = None
    base: int = 0

    def split(self, place: int, slack: int) -> tuple[_Stretch | None, _Stretch | None]:
        """What was said before a place, and what after it."""
        centre = (self.begin + self.end) // 2
        if self.end <= place + slack and (self.begin < place - slack or centre <= place):
            return self, None
        if self.begin >= place - slack or self.results is None:
            return (self, None) if self.results is None and centre <= place else (None, self)
        return self._split_words(self.results.words(), place)

    def _split_words(
        self, words: list[Word], place: int
    ) -> tuple[_Stretch | None, _Stretch | None]:
        at = place - self.base
        before = [word.text for word in words if word.begin + word.end <= 2 * at]
        after = [word.text for word in words[len(before) :]]
        return (
            _Stretch(self.begin, place, " ".join(before)) if before else None,
            _Stretch(place, self.end, " ".join(after)) if after else None,
        )


class Heard:
    """The words of one call that were not given yet."""

    def __init__(self, pause_ms: int) -> None:
        """``pause_ms``: the silence with which utterances end; nobody needs words for it."""
        self.given = 0
        """Words from before this place were given, or are not wanted."""
        self.final_to = 0
        """The place up to which nothing changes any more."""
        self.settled_to = 0
        """An utterance that ends before this place has all its words."""
        self._pause = pause_ms * BYTES_PER_MS
        self._finals: list[_Stretch] = []
        self._interim: _Stretch | None = None

    @property
    def text(self) -> str:
        """All words not given yet, those that may still change included."""
        return _joined([*self._finals, self._interim])

    @property
    def reach(self) -> int:
        """The place up to which there are words that may still change (or silence)."""
        return max(self.final_to, self._interim.end if self._interim else 0)

    @property
    def done_to(self) -> int:
        """The place before which all words are final, given, or not wanted."""
        return max(self.final_to, self.given)

    def add(self, results: Results, base: int) -> None:
        """The socket's audio begins at the place ``base``."""
        begin, end = base + results.begin, base + results.end
        stretch = _Stretch(begin, end, results.text, results, base)
        _, wanted = stretch.split(self.given, self._pause)
        if not results.is_final:
            self._interim = wanted
            return
        self._interim = None
        self.final_to = max(self.final_to, end)
        spare = self._pause if results.at_pause else _SLACK
        self.settled_to = max(self.settled_to, end + spare)
        if wanted and wanted.text:
            self._finals.append(wanted)

    def take(self, place: int, *, guess: bool = False) -> str:
        """The words said before a place, which are given by this. ``guess``: also those that may
        still change."""
        said = [part.split(place, self._pause)[0] for part in self._finals]
        if guess and self._interim:
            said.append(self._interim.split(place, self._pause)[0])
        self.skip(place)
        return _joined(said)

    def skip(self, place: int) -> None:
        """Words from before this place were had elsewhere, or are not wanted."""
        self.given = max(self.given, place)
        halves = [part.split(place, self._pause) for part in self._finals]
        self._finals = [after for _, after in halves if after]
        if self._interim:
            self._interim = self._interim.split(place, self._pause)[1]

    def socket_lost(self) -> None:
        """What may still change will come again, from another socket."""
        self._interim = None


def _joined(parts: list[_Stretch | None]) -> str:
    return " ".join(part.text for part in parts if part and part.text)
