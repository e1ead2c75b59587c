"""Deepgram's live recognition (``/v1/listen``): words while the caller speaks.

Mu-law passes through undecoded. When our own segmenter hears a pause, ``Finalize`` makes Deepgram
say at once what it would say half a second later. Its words are matched to our utterances by their
times, so that none is lost or doubled whatever comes late, or again after a reconnect. Why not the
SDK: see ``deepgram_socket``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.audio.mulaw import BYTES_PER_MS, FRAME_BYTES, RATE_HZ
from services.audio.segmenter import VAD_SILENCE_MS
from services.call.events import TranscriptFailed, TranscriptFinal, TranscriptInterim
from services.stt import Emit
from services.stt.deepgram_socket import VENDOR
from services.stt.deepgram_wire import (
    CLOSE_STREAM,
    FINALIZE,
    KEEP_ALIVE,
    Problem,
    QueryValue,
    Results,
    limited,
    parse,
    query,
)
from services.stt.heard import Heard
from services.stt.link import Line, LineOptions
from services.stt.live import Owed, Stop
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from services.vendors.urls import socket_url

BASE_URL = "https://api.deepgram.com"
MODEL = "nova-3"
GIVE_UP_MS = 1200
"""An utterance without words so long after its end is given up ..."""
DEAD_MS = 2000
"""... and so is the socket, if nothing at all came for so long, or at the second in a row."""

_BATCH = 5 * FRAME_BYTES  # 100 ms in a message: a fifth of the work, and Finalize waits for nothing
_IDLE_BATCH = 500 * BYTES_PER_MS  # nobody waits for the words of silence; speech sends it at once
_BIGGEST = RATE_HZ  # a second in a message that catches up
_LEAD = 500 * BYTES_PER_MS  # words so long before a turn's first voice may belong to it


@dataclass(frozen=True, slots=True)
class DeepgramOptions:
    """What is asked of Deepgram. Defaults suit a receptionist on the telephone.

    ``language``: ``en``, ``multi``, ... ``keyterms``: names to listen for (nova-3 only).
    ``endpointing``: silence in ms after which Deepgram itself finishes a stretch; None: never.
    ``finalize_wait_ms``: how long the answer to ``Finalize`` is waited for.
    """

    key: str
    base_url: str = BASE_URL
    model: str = MODEL
    language: str = "en"
    keyterms: tuple[str, ...] = ()
    endpointing: int | None = 300
    smart_format: bool = True
    numerals: bool = True
    finalize_wait_ms: int = 400

    @property
    def url(self) -> str:
        """The socket's address."""
        values: dict[str, QueryValue | None] = {
            "model": self.model,
            "language": self.language,
            "encoding": "mulaw",
            "sample_rate": RATE_HZ,
            "channels": 1,
            "interim_results": True,
            "endpointing": False if self.endpointing is None else self.endpointing,
            "smart_format": self.smart_format,
            "numerals": self.numerals,
            "keyterm": limited(self.keyterms) if self.model.startswith("nova-3") else None,
        }
        return f"{socket_url(self.base_url)}/v1/listen?{query(values)}"


class DeepgramTranscriber:
    """The transcriber of one call. ``silence_ms``: what the segmenter waits before an end."""

    def __init__(
        self,
        options: DeepgramOptions,
        reports: Reports,
        breaker: Breaker,
        silence_ms: int = VAD_SILENCE_MS,
    ) -> None:
        self._options = options
        self._reports = reports
        self._line = Line(
            LineOptions(
                options.url,
                options.key,
                batch=_BATCH,
                idle_batch=_IDLE_BATCH,
                biggest=_BIGGEST,
                keep_alive=KEEP_ALIVE,
                goodbye=CLOSE_STREAM,
            ),
            reports,
            breaker,
        )
        self._silence = silence_ms * BYTES_PER_MS
        self._heard = Heard(silence_ms)
        self._owed = Owed()
        self._utterance = 0  # being spoken; 0: none
        self._in_turn = False
        self._told = ""  # the last interim transcript
        self._last_word_at = 0.0  # when the service last said anything
        self._misses = 0

    async def run(self, emit: Emit) -> None:
        self._emit = emit
        try:
            await self._line.run(self)
        finally:
            self._owed.close()

    def hear(self, frame: bytes) -> None:
        self._line.hear(frame, is_idle=not self._utterance and self._owed.is_clear)

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        if not self._in_turn:
            self._in_turn = True
            if self._owed.is_clear:
                self._heard.skip(self._line.audio.end - voiced_ms * BYTES_PER_MS - _LEAD)
        self._utterance = utterance

    def speech_stopped(self, utterance: int) -> None:
        self._utterance = 0
        stop = self._owed.stopped(utterance, self._line.audio.end)
        self._answer_settled()
        if not stop.is_waiting:
            return  # Deepgram has noticed the pause itself, and has said all
        if self._line.is_down:
            self._fail(stop, "not connected")
            return
        self._line.ask(stop.place, FINALIZE)
        self._reports.step(VENDOR, "finalize")
        self._owed.after(stop, self._options.finalize_wait_ms, self._finalize_is_late)
        self._owed.after(stop, GIVE_UP_MS, self._words_are_missing)

    def turn_committed(self) -> None:
        self._in_turn = bool(self._utterance)
        self._heard.skip(self._owed.forget_failed())

    def answered(self, utterance: int) -> None:
        """The words up to this utterance were had elsewhere: do not give them again."""
        if any(stop.utterance <= utterance for stop in self._owed.waiting):
            self._missed()
        self._heard.skip(self._owed.settle(utterance))
        self._release()

    # --- the line ---------------------------------------------------------------------------------

    def opened(self) -> None:
        """A new socket: what is still wanted is asked for again."""
        self._last_word_at = asyncio.get_running_loop().time()
        self._misses = 0
        for stop in self._owed.waiting:
            self._line.ask(stop.place, FINALIZE)

    def got(self, message: bytes) -> None:
        """A message of the service. Raises Malformed."""
        self._last_word_at = asyncio.get_running_loop().time()
        parsed = parse(message)
        if isinstance(parsed, Results):
            self._misses = 0
            self._heard.add(parsed, self._line.base)
            self._answer_settled()
            self._tell_interim()
            self._release()
        elif isinstance(parsed, Problem):
            self._reports.failed(VendorError(VENDOR, "message", parsed.code))

    def lost(self, *, retrying: bool) -> None:
        """The socket is gone; without a new one soon, nobody is kept waiting."""
        self._heard.socket_lost()
        if not retrying:
            for stop in self._owed.waiting:
                self._fail(stop, "not connected")

    # --- words ------------------------------------------------------------------------------------

    def _answer_settled(self) -> None:
        """Answer all utterances whose words are final, the last of them for all before it."""
        reached = [stop for stop in self._owed.waiting if stop.place <= self._heard.settled_to]
        if reached:
            self._answer(reached[-1], guess=False)

    def _answer(self, stop: Stop, *, guess: bool) -> None:
        first, text = self._owed.answered + 1, self._heard.take(stop.place, guess=guess)
        self._owed.settle(stop.utterance)
        self._line.answered()
        self._reports.step(VENDOR, "final words")
        self._told = ""
        self._emit(TranscriptFinal(first, stop.utterance, text))

    def _tell_interim(self) -> None:
        waiting = self._owed.waiting
        last = self._utterance or (waiting[-1].utterance if waiting else 0)
        text = self._heard.text
        if last and text and text != self._told:
            self._told = text
            self._emit(TranscriptInterim(self._owed.answered + 1, last, text))

    def _release(self) -> None:
        self._line.release(max(self._heard.final_to, self._heard.given))

    # --- words that do not come -------------------------------------------------------------------

    def _finalize_is_late(self, stop: Stop) -> None:
        """Perhaps there was nothing left to finalise: what there is will do if it is all."""
        if stop.is_waiting and self._heard.reach >= stop.place - self._silence:
            self._answer(stop, guess=True)
            self._release()

    def _words_are_missing(self, stop: Stop) -> None:
        self._missed()
        self._fail(stop, "timeout")

    def _missed(self) -> None:
        """An utterance had to do without us. Is the socket dead?"""
        self._misses += 1
        silent_s = asyncio.get_running_loop().time() - self._last_word_at
        if self._misses > 1 or silent_s >= DEAD_MS / 1000:
            self._line.give_up(VendorError(VENDOR, "finalize", "stall", at_once=True))

    def _fail(self, stop: Stop, code: str) -> None:
        stop.give_up_waiting()
        self._emit(TranscriptFailed(stop.utterance, code))
