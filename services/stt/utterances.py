"""A recogniser of whole pieces of speech, made into the transcriber of a call.

Whenever the caller pauses, the whole turn so far is decoded again: one long piece gives better text
than its parts. Finals come in order, one at a time. Interim transcripts are a luxury: made while
nobody else needs the workers, and dropped when the caller pauses.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.audio.mulaw import FRAME_MS, RATE_HZ, Samples, decode_samples
from services.audio.resample import resample
from services.audio.segmenter import VAD_SILENCE_MS
from services.audio.workers import Workers
from services.call.events import TranscriptFailed, TranscriptFinal, TranscriptInterim
from services.stt import Emit
from services.stt.turn_audio import Piece, TurnAudio

log = logging.getLogger(__name__)

INPUT_HZ = 16000
"""The rate that recognisers take."""
MIN_VOICE_MS = 150
"""A turn with less voice holds no words; a recogniser would make some up."""
INTERIM_MS = 500
"""Time from one interim transcript to the next; more in a long piece, which takes longer."""

_INTERIM_SHARE = 8  # the piece's length divided by this, if that is more


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. ``confidence``: the geometric mean of the tokens' probabilities, 0 to 1."""

    text: str
    confidence: float


class Recogniser(Protocol):
    """Finds words in speech; shared by all calls, called in several threads at once."""

    def transcribe(self, samples: Samples) -> Transcript:
        """The words in at most 20 s of speech at 16 kHz; no text if there are none."""


@dataclass(frozen=True, slots=True)
class _Request:
    """Utterances ``first`` to ``last`` need their words."""

    first: int
    last: int
    pieces: tuple[Piece, ...]


class UtteranceTranscriber:
    """The transcriber of one call. ``silence_ms``: what the segmenter waits before an end."""

    def __init__(
        self, recogniser: Recogniser, workers: Workers, silence_ms: int = VAD_SILENCE_MS
    ) -> None:
        self._recogniser = recogniser
        self._workers = workers
        self._silence_ms = silence_ms
        self._turn = TurnAudio()
        self._utterance = 0  # being spoken; 0: none
        self._requests: deque[_Request] = deque()
        self._asked = asyncio.Event()
        self._unanswered = 0
        self._tasks: asyncio.TaskGroup | None = None
        self._interim: asyncio.Task[None] | None = None
        self._interim_in_ms = 0

    async def run(self, emit: Emit) -> None:
        self._emit = emit
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                await self._asked.wait()
                await self._answer(self._newest_of_a_turn())
                if not self._requests:
                    self._asked.clear()

    def hear(self, frame: bytes) -> None:
        self._turn.hear(frame)
        if self._utterance:
            self._interim_in_ms -= FRAME_MS
            if self._interim_in_ms <= 0:
                self._start_interim()

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        self._turn.begin(utterance, voiced_ms)
        self._utterance = utterance
        self._interim_in_ms = INTERIM_MS

    def speech_stopped(self, utterance: int) -> None:
        self._drop_interim()
        self._turn.end(self._silence_ms)
        self._utterance = 0
        pieces = self._turn.pieces(MIN_VOICE_MS)
        self._requests.append(_Request(self._turn.first, utterance, pieces))
        self._asked.set()
        self._unanswered += 1

    def turn_committed(self) -> None:
        self._drop_interim()
        self._turn.forget()

    # --- finals -----------------------------------------------------------------------------------

    def _newest_of_a_turn(self) -> _Request:
        """The next request, without those that a later one of the same turn answers as well: when
        the workers are behind, a caller with many pauses must not set them further back."""
        request = self._requests.popleft()
        while self._requests and self._requests[0].first == request.first:
            request = self._requests.popleft()
            self._unanswered -= 1
        return request

    async def _answer(self, request: _Request) -> None:
        try:
            text = await self._words(request.pieces)
        except Exception as error:  # of whatever kind: the call goes on, and is told
            log.exception("utterance %d has no transcript", request.last)
            self._emit(TranscriptFailed(request.last, type(error).__name__))
        else:
            self._emit(TranscriptFinal(request.first, request.last, text))
        self._unanswered -= 1

    async def _words(self, pieces: Sequence[Piece]) -> str:
        return await self._workers.run(_decode, self._recogniser, pieces) if pieces else ""

    # --- interim transcripts ----------------------------------------------------------------------

    def _start_interim(self) -> None:
        if self._tasks is None or self._interim or self._unanswered or not self._workers.idle:
            return  # the next frame asks again
        self._interim_in_ms = max(INTERIM_MS, self._turn.growing_ms // _INTERIM_SHARE)
        pieces = self._turn.pieces(MIN_VOICE_MS)
        request = _Request(self._turn.first, self._utterance, pieces)
        self._interim = self._tasks.create_task(self._guess(request), name="interim-transcript")

    async def _guess(self, request: _Request) -> None:
        try:
            text = await self._words(request.pieces)
        except Exception:  # the final will tell
            log.warning("utterance %d has no interim transcript", request.last, exc_info=True)
        else:
            if certain := _without_last_word(text):
                self._emit(TranscriptInterim(request.first, request.last, certain))
        self._interim = None

    def _drop_interim(self) -> None:
        if self._interim:
            self._interim.cancel()
            self._interim = None


def _decode(recogniser: Recogniser, pieces: Sequence[Piece]) -> str:
    """The words of all pieces, in a worker's thread. Pieces that have their text keep it."""
    for piece in pieces:
        if piece.text is None:
            samples = resample(decode_samples(piece.audio), RATE_HZ, INPUT_HZ)
            piece.text = recogniser.transcribe(samples).text
    return " ".join(piece.text for piece in pieces if piece.text)


def _without_last_word(text: str) -> str:
    """The last word may have been cut off in the middle."""
    return " ".join(text.split()[:-1])
