"""Speech to text: what the cascade engine needs of a recogniser; one file per recogniser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from services.call.events import EarEvent

Emit = Callable[[EarEvent], None]


class Transcriber(Protocol):
    """The recogniser of one call. Its methods never block; results come through ``emit``.

    The voice-activity segmenter says where utterances begin and end; each that has ended is
    answered by one ``TranscriptFinal`` or ``TranscriptFailed`` whose ``first`` to ``last`` holds
    its number.
    """

    async def run(self, emit: Emit) -> None:
        """Lives as long as the call; cancelling it closes everything that it opened."""

    @property
    def batch_frames(self) -> int:
        """How many frames it likes to be given at once, while nothing happens in them."""

    def hear(self, audio: bytes) -> None:
        """Caller audio, in order, speech or not: whole 20 ms frames (160 bytes of mu-law). All that
        came before an utterance's start or end is given before they are told."""

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        """The utterance began ``voiced_ms`` before the end of the last frame heard."""

    def speech_stopped(self, utterance: int) -> None:
        """The utterance ended: transcribe it now."""

    def turn_committed(self) -> None:
        """The words so far were answered: what comes next is a new turn."""
