"""The caller's audio of one turn, pauses included, in pieces that a recogniser can take. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from services.audio.mulaw import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, loudness

PREROLL_MS = 180
"""Audio kept from before the first voiced frame: a word may begin with an unvoiced sound."""
FULL_MS = 15_000
"""A piece of this length ends at the next pause ..."""
OVERFULL_MS = 20_000
"""... and one of this length at once, at the quietest moment of its last 2 s."""
MIN_VOICE_MS = 150
"""A turn with less voice holds no words; a recogniser would make some up."""

_PAUSE_BYTES = 600 * BYTES_PER_MS  # what is kept of a pause
_CUT_BYTES = 2000 * BYTES_PER_MS


@dataclass(slots=True)
class Piece:
    """A stretch of a turn, mu-law. ``text`` is None until its words were looked for."""

    audio: bytes
    text: str | None = None


class TurnAudio:
    """What was heard since the last turn was committed. Only the last piece still grows."""

    def __init__(self) -> None:
        self.first = 0
        """The turn's first utterance; 0 before it."""
        self._done: list[Piece] = []
        self._growing = bytearray()
        self._pause = bytearray()
        self._utterance = 0  # being spoken; 0: none
        self._utterance_at = 0  # where in the growing piece it begins
        self._speech_ms = 0  # its length so far
        self._voiced_ms = 0  # of the turn's other utterances

    @property
    def growing_ms(self) -> int:
        """Length of the piece that still grows."""
        return len(self._growing) // BYTES_PER_MS

    def hear(self, audio: bytes) -> None:
        """The next frames, speech or not."""
        if not self._utterance:
            self._pause += audio
            del self._pause[:-_PAUSE_BYTES]
            return
        self._growing += audio
        self._speech_ms += len(audio) // BYTES_PER_MS
        if self.growing_ms >= OVERFULL_MS:
            self._finish_piece(self._quietest())

    def begin(self, utterance: int, voiced_ms: int) -> None:
        """An utterance began, ``voiced_ms`` before the end of the last frame heard."""
        if self.growing_ms >= FULL_MS:
            self._finish_piece(len(self._growing))
        if not self.first:
            self.first = utterance
        before = bytes(self._pause)
        if not self._growing:
            before = before[-((voiced_ms + PREROLL_MS) // FRAME_MS * FRAME_BYTES) :]
        self._pause.clear()
        self._utterance = utterance
        self._utterance_at = len(self._growing)
        self._growing += before
        self._speech_ms = voiced_ms

    def end(self, silence_ms: int) -> None:
        """The utterance ended, ``silence_ms`` after its last voiced frame."""
        self._voiced_ms += max(0, self._speech_ms - silence_ms)
        self._utterance = self._speech_ms = 0

    def forget(self) -> None:
        """What comes next is a new turn; an utterance that is being spoken belongs to it."""
        self._done = []
        del self._growing[: self._utterance_at if self._utterance else None]
        self._utterance_at = 0
        self._voiced_ms = 0
        self.first = self._utterance

    def pieces(self, min_voiced_ms: int) -> tuple[Piece, ...]:
        """The turn so far; none if it holds less voice than that."""
        if self._voiced_ms + self._speech_ms < min_voiced_ms:
            return ()
        return (*self._done, Piece(bytes(self._growing)))

    def _finish_piece(self, size: int) -> None:
        self._done.append(Piece(bytes(self._growing[:size])))
        del self._growing[:size]
        self._utterance_at = 0

    def _quietest(self) -> int:
        """Where to cut the growing piece so that no word is likely to be hit."""
        starts = range(len(self._growing) - _CUT_BYTES, len(self._growing), FRAME_BYTES)
        return min(starts, key=lambda at: loudness(bytes(self._growing[at : at + FRAME_BYTES])))
