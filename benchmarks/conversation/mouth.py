"""All that comes from the caller's side of the line, mixed frame by frame, and what is true of it.

A line is never quite silent: under everything lies soft white noise, as on a live line, and the
bed of the scene, if it has one. An echo is what the phone has just played, softer and later.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.conversation.clips import Pcm, louder, noise
from benchmarks.conversation.script import Bed
from benchmarks.conversation.timeline import Word
from services.audio.mulaw import FRAME_BYTES, decode_pcm, encode_pcm

RATE = 8000
FRAME_S = 0.02
LINE_NOISE_RMS = 5.0
ECHO_DELAY_S = 0.16
BED_FRAMES = 1000  # then it begins anew

Played = Callable[[float, float], bytes]
"""What the phone played from one moment to another, as mu-law; silence where there was nothing."""


class Mouth:
    """``begin``: the moment of its first sample. ``words``: what a recogniser could make out, in
    order of their ends, those that are still to come included."""

    def __init__(
        self, begin: float, bed: Bed | None, echo_db: float | None, played: Played, seed: int
    ) -> None:
        self._begin = begin
        self._frame = 0
        self._echo = 0.0 if echo_db is None else 10 ** (-echo_db / 20)
        self._played = played
        self._ahead = np.zeros(0, np.int32)
        self._bed = _bed(bed, seed)
        self._quiet = [encode_pcm(frame.tobytes()) for frame in self._bed]
        self.words: list[Word] = []
        self.turns: list[tuple[float, float]] = []
        """First and last moment of each turn, pauses included."""

    def place(self, seconds: float = 0.0) -> float:
        """The moment of a sample that can still be said, so long after the next one."""
        return self._begin + self._frame * FRAME_S + round(seconds * RATE) / RATE

    def say(self, sound: Pcm, at: float) -> None:
        """Have a sound be heard from that moment on, over whatever is there."""
        offset = round((at - self._begin) * RATE) - self._frame * FRAME_BYTES
        missing = offset + len(sound) - len(self._ahead)
        if missing > 0:
            self._ahead = np.concatenate([self._ahead, np.zeros(missing, np.int32)])
        self._ahead[offset : offset + len(sound)] += sound

    def tell(self, word: Word) -> None:
        """A word that a recogniser can make out."""
        self.words.append(word)
        self.words.sort(key=lambda each: each.end)

    @property
    def is_silent(self) -> bool:
        """Whether the next frame holds nothing that was said."""
        return not len(self._ahead)

    def has_more_to_say(self, at: float) -> bool:
        """Whether a turn that has begun is not over yet."""
        return any(begin <= at < end - FRAME_S for begin, end in self.turns)

    def next_frame(self) -> bytes:
        """20 ms of mu-law."""
        number = self._frame
        self._frame += 1
        place = number % BED_FRAMES
        echo = self._echo_at(number) if self._echo else None
        if not len(self._ahead) and echo is None:
            return self._quiet[place]
        mixed = self._bed[place].astype(np.int32)
        ahead = self._ahead[:FRAME_BYTES]
        mixed[: len(ahead)] += ahead
        self._ahead = self._ahead[FRAME_BYTES:]
        if echo is not None:
            mixed += echo
        return encode_pcm(np.clip(mixed, -32768, 32767).astype(np.int16).tobytes())

    def _echo_at(self, number: int) -> Pcm | None:
        begin = self._begin + number * FRAME_S - ECHO_DELAY_S
        audio = self._played(begin, begin + FRAME_S)
        if not audio.strip(b"\xff"):
            return None
        heard = np.frombuffer(decode_pcm(audio), np.int16)
        return (heard * self._echo).astype(np.int16)


def _bed(bed: Bed | None, seed: int) -> Pcm:
    """The frames of what lies under everything."""
    count = BED_FRAMES * FRAME_BYTES
    wave = np.random.default_rng(seed).standard_normal(count) * LINE_NOISE_RMS
    if bed:
        wave = wave + np.resize(louder(noise(bed.noise), -bed.snr_db), count)
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16).reshape(-1, FRAME_BYTES)
