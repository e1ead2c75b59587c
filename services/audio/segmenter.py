"""Frames to facts: where the caller's utterances begin and end. Counts frames, reads no clock."""

from __future__ import annotations

from services.audio.mulaw import FRAME_MS
from services.audio.vad import Vad
from services.call.events import SpeechStarted, SpeechStopped

VAD_START_MS = 60
"""Voice that begins an utterance: a click is shorter, and waiting longer delays every barge-in."""
VAD_SILENCE_MS = 200
"""Silence that ends an utterance. It does not end the turn: that is the core's decision."""


class Segmenter:
    """The utterances of one call, numbered from 1."""

    def __init__(
        self, vad: Vad, start_ms: int = VAD_START_MS, silence_ms: int = VAD_SILENCE_MS
    ) -> None:
        self._vad = vad
        self.hear_soon = vad.hear_soon
        """This very frame comes: see ``Vad``."""
        self._start_ms = start_ms
        self._silence_ms = silence_ms
        self._utterance = 0
        self._speaking = False
        self._quiet_ms = 0  # since the last voiced frame of the utterance

    def hear(self, frame: bytes) -> SpeechStarted | SpeechStopped | None:
        """One 20 ms frame of mu-law, in order; the fact that it made certain, if any."""
        voiced_ms = self._vad.hear(frame)
        if not self._speaking:
            return self._begin(voiced_ms) if voiced_ms >= self._start_ms else None
        self._quiet_ms = 0 if voiced_ms else self._quiet_ms + FRAME_MS
        return self._end() if self._quiet_ms >= self._silence_ms else None

    def _begin(self, voiced_ms: int) -> SpeechStarted:
        self._speaking = True
        self._quiet_ms = 0
        self._utterance += 1
        return SpeechStarted(self._utterance, voiced_ms)

    def _end(self) -> SpeechStopped:
        self._speaking = False
        return SpeechStopped(self._utterance, self._quiet_ms)
