"""Which words are in which audio. Pure.

A voice is given text made speakable and says when each of its characters begins; the call wants the
words that a reader would see. So the words of both texts are paired (the same word on both sides is
an anchor, what lies between two anchors is paired in proportion), and the audio is cut where words
begin.

The audio of a word that has begun and not ended is held back. If the vendor dies in the middle of a
word, what was given out ends with the word before, and another voice can take over without a half
word or a word said twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from services.audio.mulaw import BYTES_PER_MS, SILENCE
from services.tts import SpokenAudio

PIECE_BYTES = 400 * BYTES_PER_MS
"""Words are given out together until they are this long: exact enough for the playout ledger,
and a few events a second."""
LETTER_BYTES = 70.0 * BYTES_PER_MS
"""How long a letter takes until a voice's own pace is known; spaces and marks take none."""
_SHORTEST_MATCH = 4  # letters that show where we are, if some are missing


@dataclass(frozen=True, slots=True)
class Timing:
    """When characters begin, in ms from the beginning of their own message [vendor facts]."""

    chars: Sequence[str]
    starts_ms: Sequence[float]


@dataclass(frozen=True, slots=True)
class _Word:
    """A word to read (or more, if they begin together): letters ``first`` to ``end`` of the said
    text. Letters are
    all characters but spaces, numbered from the beginning of the reply."""

    text: str
    first: int
    end: int


class Pace:
    """How fast a voice speaks, for audio that comes without timing. Shared by all calls."""

    def __init__(self) -> None:
        self.letter_bytes = LETTER_BYTES

    def learn(self, said: str, audio_bytes: int) -> None:
        """A whole text took so many bytes of audio."""
        if count := len(letters_of(said)):
            self.letter_bytes += (audio_bytes / count - self.letter_bytes) / 4


def letters_of(text: str) -> str:
    """All characters but spaces: what a vendor does to spaces on the way moves no word."""
    return "".join(text.split())


def _sounds(letters: str) -> bool:
    return any(map(str.isalnum, letters))


class WordCutter:
    """Cuts the audio of one reply at the beginnings of its words."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._letters = ""
        self._words: list[_Word] = []
        self._unsayable: list[str] = []
        self._next = 0  # the first word that has not begun
        self._at: float = 0  # letters heard so far
        self._held = bytearray()
        self._cuts: list[tuple[int, str]] = []  # where in what is held which words begin
        self._said_any = False
        self.certain = True
        """Whether the position in the text is known, not estimated."""

    @property
    def owed(self) -> bool:
        """Whether letters of the text are still to be heard."""
        return _sounds(self._letters[int(self._at) :])

    @property
    def complete(self) -> bool:
        """Whether every word has at least begun."""
        rest = self._words[self._next :]
        return not rest or not _sounds(self._letters[rest[0].first :])

    def expect(self, phrase: str, said: str) -> None:
        """The next phrase, and what the voice is asked to say for it."""
        letters = letters_of(said)
        if not letters:  # it goes with the next word, or comes at the end
            self._unsayable += phrase.split()
            return
        base, total = len(self._letters), len(letters)
        pairs = paired(phrase, said)
        if self._unsayable:
            pairs[0] = f"{' '.join(self._unsayable)} {pairs[0][0]}", pairs[0][1]
            self._unsayable = []
        ends = [first for _, first in pairs[1:]] + [total]
        self._words += [
            _Word(text, base + first, base + end)
            for (text, first), end in zip(pairs, ends, strict=True)
        ]
        self._letters += letters

    def hear(self, audio: bytes, timing: Timing | None = None) -> list[SpokenAudio]:
        """The next audio; gives out what ends with a whole word."""
        base = len(self._held)
        self._held += audio
        place = self._place_by_pace(audio) if timing is None else self._place(timing)
        while self._next < len(self._words) and self._words[self._next].first < self._at:
            word = self._words[self._next]
            lowest = self._cuts[-1][0] if self._cuts else base
            position = max(lowest, min(base + place(word.first), len(self._held)))
            if not self._said_any and not self._cuts:
                position = 0  # the breath before the first word belongs to it
            self._cuts.append((position, word.text))
            self._next += 1
        is_cut = bool(self._cuts) and (
            self._words[self._next - 1].end > self._at or self._cuts[-1][0] >= len(self._held)
        )
        return self._release(hold_last=is_cut)

    def finish(self) -> list[SpokenAudio]:
        """All audio has come: what was held back, with the rest of the text."""
        for word in self._words[self._next :]:
            self._cuts.append((len(self._held), word.text))
        self._next, self._at = len(self._words), len(self._letters)
        if self._unsayable:
            self._cuts.append((len(self._held), " ".join(self._unsayable)))
            self._unsayable = []
        return self._release(hold_last=False)

    def _place(self, timing: Timing) -> Callable[[int], int]:
        """From the number of a letter to its byte in this message."""
        pairs = zip(timing.chars, timing.starts_ms, strict=False)
        timed = [(char, start) for char, start in pairs if not char.isspace()]
        self._find("".join(char for char, _ in timed))
        first = int(self._at)
        self._at = min(first + len(timed), len(self._letters))

        def place(letter: int) -> int:
            if letter < first or not timed:
                return 0
            return int(timed[min(letter - first, len(timed) - 1)][1] * BYTES_PER_MS)

        return place

    def _place_by_pace(self, audio: bytes) -> Callable[[int], int]:
        if self.owed:
            self.certain = False
        first, each = self._at, self._pace.letter_bytes
        self._at = min(first + len(audio) / each, float(len(self._letters)))
        return lambda letter: int((letter - first) * each)

    def _find(self, letters: str) -> None:
        """Set the position to where these letters stand. They follow the last ones, but for a
        message whose timing was missing or a voice that said something else."""
        at = int(self._at)
        if self._letters.startswith(letters, at):
            self.certain |= len(letters) >= _SHORTEST_MATCH
            return
        begun = self._words[self._next - 1].first if self._next else 0
        found = self._letters.find(letters, begun) if len(letters) >= _SHORTEST_MATCH else -1
        self.certain = found >= 0
        self._at = found if self.certain else at

    def _release(self, *, hold_last: bool) -> list[SpokenAudio]:
        stop = self._cuts[-1][0] if hold_last else len(self._held)
        cuts = self._cuts[:-1] if hold_last else self._cuts
        pieces: list[SpokenAudio] = []
        start, texts = 0, list[str]()
        for position, text in cuts:
            is_long = position - start >= PIECE_BYTES or (position > start and not texts)
            if is_long and position < stop:
                pieces.append(self._piece(start, position, texts))
                start, texts = position, []
            texts.append(text)
        if stop > start or texts:
            pieces.append(self._piece(start, stop, texts))
        self._cuts = [(0, self._cuts[-1][1])] if hold_last else []
        del self._held[:stop]
        return pieces

    def _piece(self, start: int, stop: int, texts: list[str]) -> SpokenAudio:
        self._said_any = True
        return SpokenAudio(bytes(self._held[start:stop]) or SILENCE, " ".join(texts))


def paired(phrase: str, said: str) -> list[tuple[str, int]]:
    """The words of ``phrase``, each with the letter of ``said`` at which it begins to be heard.

    Words that begin together are one entry. ``said`` must hold letters.
    """
    shown, spoken = phrase.split(), said.split()
    firsts = [0]
    for word in spoken:
        firsts.append(firsts[-1] + len(letters_of(word)))
    begins: Sequence[int] = range(len(shown)) if shown == spoken else _begins(shown, spoken)
    pairs: list[tuple[str, int]] = []
    for word, index in zip(shown, begins, strict=True):
        first = firsts[index] if pairs else 0
        if pairs and (first == pairs[-1][1] or first == firsts[-1]):
            pairs[-1] = f"{pairs[-1][0]} {word}", pairs[-1][1]
        else:
            pairs.append((word, first))
    return pairs


def _begins(shown: list[str], spoken: list[str]) -> list[int]:
    """For each word shown the number of the spoken word with which it begins."""
    both = (shown, spoken)
    bare = [["".join(filter(str.isalnum, word.casefold())) for word in words] for words in both]
    begins: list[int] = []
    i = j = 0
    for a, b, size in SequenceMatcher(None, bare[0], bare[1], autojunk=False).get_matching_blocks():
        begins += [j + k * (b - j) // (a - i) for k in range(a - i)]
        begins += range(b, b + size)
        i, j = a + size, b + size
    return begins
