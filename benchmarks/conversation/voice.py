"""The agent's voice, as a stand-in: real sound, and exact knowledge of which word is where.

Each word is rendered on its own by Hibari, so its span is exact by construction, and words differ
in length as real ones do. Every 20 ms frame bears a number in the lowest bits of its first samples,
which nobody hears: so the phone can tell what it plays, whatever the server did with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.conversation.clips import Pcm, agent_word
from services.audio.mulaw import FRAME_BYTES, encode_pcm
from services.tts import Say, SpokenAudio

FRAME_S = 0.02
_GAP_FRAMES = 2
_CLAUSE_FRAMES = 5
_SENTENCE_FRAMES = 11
_MAGIC = np.array([1, 0, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0], np.uint8)
_BITS = 24
_STAMP = len(_MAGIC) + _BITS

Frames = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a frame is: frame ``place`` of ``frames`` of word ``word`` of a reply.

    ``word`` is -1 in the gap after a word.
    """

    reply: int
    word: int
    place: int
    frames: int


class Book:
    """The numbers of all frames that were spoken in a call. ``render``: the sound of a word."""

    def __init__(self, render: Callable[[str], Pcm] = agent_word) -> None:
        self._render = render
        self.stamps: list[Stamp] = []
        self.words: dict[int, list[str]] = {}

    def spoken(self, reply: int, word: str) -> bytes:
        """The next word of a reply with the gap after it: whole frames of mu-law."""
        words = self.words.setdefault(reply, [])
        sound = self._render(word)
        frames = -(-len(sound) // FRAME_BYTES)
        gap = _gap_after(word)
        padded = np.zeros((frames + gap) * FRAME_BYTES, np.int16)
        padded[: len(sound)] = sound
        stamps = [Stamp(reply, len(words), place, frames) for place in range(frames)]
        stamps += [Stamp(reply, -1, place, gap) for place in range(gap)]
        words.append(word)
        return self._stamped(encode_pcm(padded.tobytes()), stamps)

    def read(self, audio: bytes | bytearray) -> Iterator[Stamp | None]:
        """What the whole frames of ``audio`` are; None for silence that is not the voice's."""
        whole = len(audio) - len(audio) % FRAME_BYTES
        frames = np.frombuffer(bytes(audio[:whole]), np.uint8).reshape(-1, FRAME_BYTES)
        bits = frames[:, :_STAMP] & 1
        for frame, row in zip(frames, bits, strict=True):
            if (row[: len(_MAGIC)] == _MAGIC).all():
                number = int.from_bytes(np.packbits(row[len(_MAGIC) :]).tobytes(), "big")
                if number < len(self.stamps):
                    yield self.stamps[number]
                    continue
            if (frame & 0x7F < 0x60).any():
                raise ValueError("audible agent audio that the voice did not make")
            yield None

    def _stamped(self, audio: bytes, stamps: list[Stamp]) -> bytes:
        frames = np.frombuffer(audio, np.uint8).reshape(-1, FRAME_BYTES).copy()
        numbers = np.arange(len(self.stamps), len(self.stamps) + len(stamps), dtype=">u4")
        bits = np.unpackbits(numbers.view(np.uint8).reshape(-1, 4)[:, 1:], axis=1)
        frames[:, :_STAMP] &= 0xFE
        frames[:, : len(_MAGIC)] |= _MAGIC
        frames[:, len(_MAGIC) : _STAMP] |= bits
        self.stamps += stamps
        return frames.tobytes()


def _gap_after(word: str) -> int:
    if word[-1] in ".!?":
        return _SENTENCE_FRAMES
    return _CLAUSE_FRAMES if word[-1] in ",;:" else _GAP_FRAMES


class ScriptedVoice:
    """Speaks words as the book has them, ``speed`` times faster than they are played.

    ``first_s``: the wait for a reply's first audio. ``aligned``: a piece for each word; otherwise
    one for each phrase.
    """

    def __init__(self, book: Book, first_s: float, speed: float, aligned: bool) -> None:
        self._book = book
        self._first_s = first_s
        self._speed = speed
        self._aligned = aligned

    async def run(self) -> None:
        """Nothing is kept open."""
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        first = True
        async for phrase in phrases:
            if first:
                await asyncio.sleep(self._first_s)
                first = False
            pieces = [SpokenAudio(self._book.spoken(reply, word), word) for word in phrase.split()]
            if not self._aligned:
                pieces = [SpokenAudio(b"".join(piece.audio for piece in pieces), phrase)]
            for piece in pieces:
                say(piece)
                await asyncio.sleep(len(piece.audio) / 8000 / self._speed)


def standing_line(book: Book, text: str) -> bytes:
    """A standing line, rendered ahead; it is of reply 0."""
    return b"".join(book.spoken(0, word) for word in text.split())
