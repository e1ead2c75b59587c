"""An embedded recogniser as a way to words: pieces are decoded in a worker's thread."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.audio.mulaw import RATE_HZ, Samples, decode_samples
from services.audio.resample import resample
from services.audio.workers import Workers
from services.stt.turn_audio import Piece
from services.vendors import VendorError

log = logging.getLogger(__name__)

INPUT_HZ = 16000
"""The rate that recognisers take."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. ``confidence``: the geometric mean of the tokens' probabilities, 0 to 1."""

    text: str
    confidence: float


class Recogniser(Protocol):
    """Finds words in speech; shared by all calls, called in several threads at once."""

    def transcribe(self, samples: Samples) -> Transcript:
        """The words in at most 20 s of speech at 16 kHz; no text if there are none."""


class EmbeddedWords:
    """Words by a recogniser of this process; one for all calls."""

    name = "moonshine"

    def __init__(self, recogniser: Recogniser, workers: Workers) -> None:
        self._recogniser = recogniser
        self._workers = workers

    @property
    def idle(self) -> bool:
        return self._workers.idle

    async def words(self, pieces: Sequence[Piece]) -> str:
        """Each piece is decoded once: it keeps its text. Raises VendorError."""
        try:
            return await self._workers.run(_decode, self._recogniser, pieces)
        except Exception as error:  # of whatever kind: the call goes on by other means
            log.exception("the embedded recogniser failed")
            raise VendorError(self.name, "transcribe", type(error).__name__) from None


def _decode(recogniser: Recogniser, pieces: Sequence[Piece]) -> str:
    """The words of all pieces, in a worker's thread. Pieces that have their text keep it."""
    for piece in pieces:
        if piece.text is None:
            samples = resample(decode_samples(piece.audio), RATE_HZ, INPUT_HZ)
            piece.text = recogniser.transcribe(samples).text
    return " ".join(piece.text for piece in pieces if piece.text)
