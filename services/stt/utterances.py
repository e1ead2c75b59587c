"""A recogniser of whole pieces of speech, made into the transcriber of a call.

Whenever the caller pauses, the whole turn so far is decoded again: one long piece gives better text
than its parts. Finals come in order, one at a time. Interim transcripts are a luxury: made while
nobody else needs the recogniser, and dropped when the caller pauses.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from services.audio.mulaw import BYTES_PER_MS
from services.audio.segmenter import VAD_SILENCE_MS
from services.call.events import TranscriptFailed, TranscriptFinal, TranscriptInterim
from services.stt import Emit
from services.stt.turn_audio import MIN_VOICE_MS, Piece, TurnAudio
from services.stt.words import Words
from services.vendors import VendorError

log = logging.getLogger(__name__)

INTERIM_MS = 500
"""Time from one interim transcript to the next; more in a long piece, which takes longer."""

_BATCH_FRAMES = 5
_INTERIM_SHARE = 8  # the piece's length divided by this, if that is more


@dataclass(frozen=True, slots=True)
class _Request:
    """Utterances ``first`` to ``last`` need their words."""

    first: int
    last: int
    pieces: tuple[Piece, ...]


class UtteranceTranscriber:
    """The transcriber of one call. ``silence_ms``: what the segmenter waits before an end."""

    batch_frames = _BATCH_FRAMES

    def __init__(self, words: Words, silence_ms: int = VAD_SILENCE_MS) -> None:
        self._recogniser = words
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

    def hear(self, audio: bytes) -> None:
        self._turn.hear(audio)
        if self._utterance:
            self._interim_in_ms -= len(audio) // BYTES_PER_MS
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
        except VendorError as error:
            self._emit(TranscriptFailed(request.last, error.code))
        else:
            self._emit(TranscriptFinal(request.first, request.last, text))
        self._unanswered -= 1

    async def _words(self, pieces: Sequence[Piece]) -> str:
        return await self._recogniser.words(pieces) if pieces else ""

    # --- interim transcripts ----------------------------------------------------------------------

    def _start_interim(self) -> None:
        if self._tasks is None or self._interim or self._unanswered or not self._recogniser.idle:
            return  # the next frame asks again
        self._interim_in_ms = max(INTERIM_MS, self._turn.growing_ms // _INTERIM_SHARE)
        pieces = self._turn.pieces(MIN_VOICE_MS)
        request = _Request(self._turn.first, self._utterance, pieces)
        self._interim = self._tasks.create_task(self._guess(request), name="interim-transcript")

    async def _guess(self, request: _Request) -> None:
        try:
            text = await self._words(request.pieces)
        except VendorError:  # the final will tell
            log.info("utterance %d has no interim transcript", request.last)
        else:
            if certain := _without_last_word(text):
                self._emit(TranscriptInterim(request.first, request.last, certain))
        self._interim = None

    def _drop_interim(self) -> None:
        if self._interim:
            self._interim.cancel()
            self._interim = None


def _without_last_word(text: str) -> str:
    """The last word may have been cut off in the middle."""
    return " ".join(text.split()[:-1])
