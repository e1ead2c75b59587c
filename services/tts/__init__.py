"""Text to speech: what the cascade engine needs of a voice; one file per voice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SpokenAudio:
    """Audio (mu-law 8 kHz, any length) and the text that begins to be spoken in it."""

    audio: bytes
    text: str = ""


class Voice(Protocol):
    """A voice. One phrase at a time, in order."""

    def speak(self, phrase: str) -> AsyncGenerator[SpokenAudio]:
        """Render a phrase. The texts of the parts, joined, are ``phrase``, as a reader would see
        it; how it is pronounced is the voice's business. Cancelling stops the work."""
