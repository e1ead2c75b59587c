"""Deepgram Flux (``/v2/listen``): live recognition that also says when the caller's turn is over.

Flux tells the whole turn so far, about every 250 ms of audio. Its turns are not our utterances: one
may hold several pauses, or end before our segmenter has heard one. Its words are given to an
utterance when its turn ends; a caller who pauses amid a sentence therefore has longer to go on. If
Flux cannot decide, ``ForceEndTurn`` does. All its clocks count audio, so audio is made up when none
comes. Why not the SDK: see ``deepgram_socket``.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from dataclasses import dataclass

from services.audio.mulaw import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, RATE_HZ, SILENCE
from services.audio.segmenter import VAD_SILENCE_MS
from services.call.events import TurnEnded, TurnGoesOn, TurnMayEnd
from services.stt import Emit
from services.stt.deepgram import BASE_URL
from services.stt.deepgram_socket import VENDOR
from services.stt.deepgram_wire import (
    CLOSE_STREAM,
    FORCE_END_TURN,
    Problem,
    QueryValue,
    TurnEvent,
    TurnInfo,
    limited,
    parse_flux,
    query,
)
from services.stt.flux_turns import FluxTurns
from services.stt.link import Line, LineOptions
from services.stt.live import LiveCall
from services.stt.owed import Stop
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from services.vendors.urls import socket_url

log = logging.getLogger(__name__)

MODEL = "flux-general-en"
MULTI = "flux-general-multi"
ANSWER_MS = 350
"""How long the answer to ``ForceEndTurn`` is waited for."""
SILENT_MS = 600
"""Nothing at all from the service for so long, while somebody waits for words, is a failure."""
FILL_MS = 500
"""When no frame came for so long, as much silence is sent in its place."""

_LOOK_MS = 250
_BATCH_FRAMES = 4  # 80 ms in a message, which Deepgram recommends
_BATCH = _BATCH_FRAMES * FRAME_BYTES
_LAG = 240 * BYTES_PER_MS  # a word is in the text when so much more was heard


@dataclass(frozen=True, slots=True)
class FluxOptions:
    """What is asked of Flux. ``language``: ``en``, or others with the model for many languages,
    ``multi`` for any. ``eager_eot_threshold``: None: no ``TurnMayEnd``. ``force_after_ms``: how
    long after an utterance's end its turn is ended by us."""

    key: str
    base_url: str = BASE_URL
    model: str = MODEL
    language: str = "en"
    keyterms: tuple[str, ...] = ()
    eot_threshold: float = 0.7
    eager_eot_threshold: float | None = None
    eot_timeout_ms: int = 5000
    force_after_ms: int = 900

    @property
    def url(self) -> str:
        """The socket's address."""
        hint = self.language.partition("-")[0]
        hinted = self.model == MULTI and hint != "multi"
        values: dict[str, QueryValue | None] = {
            "model": self.model,
            "encoding": "mulaw",
            "sample_rate": RATE_HZ,
            "eot_threshold": self.eot_threshold,
            "eager_eot_threshold": self.eager_eot_threshold,
            "eot_timeout_ms": self.eot_timeout_ms,
            "language_hint": hint if hinted else None,
            "keyterm": limited(self.keyterms),
        }
        return f"{socket_url(self.base_url)}/v2/listen?{query(values)}"

    @property
    def patience_ms(self) -> int:
        """How long after an utterance's end its words may take: for the chain."""
        return self.force_after_ms + ANSWER_MS


class FluxTranscriber:
    """The transcriber of one call. ``silence_ms``: what the segmenter waits before an end.
    ``tls``: the process's own; None: a new one for each socket."""

    batch_frames = _BATCH_FRAMES

    def __init__(
        self,
        options: FluxOptions,
        reports: Reports,
        breaker: Breaker,
        silence_ms: int = VAD_SILENCE_MS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._options = options
        self._reports = reports
        line = LineOptions(options.url, options.key, _BATCH, _BATCH, _BATCH, "", CLOSE_STREAM, tls)
        self._line = Line(line, reports, breaker)
        self._pause = silence_ms * BYTES_PER_MS
        self._turns = FluxTurns()
        self._call = LiveCall(self._line, self._turns, reports, "listen")
        self._last_word_at = 0.0  # when the service last said anything

    async def run(self, emit: Emit) -> None:
        filling = asyncio.create_task(self._fill(), name="deepgram-silence")
        try:
            await self._call.run(emit, self)
        finally:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)

    def hear(self, audio: bytes) -> None:
        self._call.hear(audio)

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        self._call.speech_started(utterance, voiced_ms)
        self._call.owed.no_hurry()  # to end the turn now would cut a word

    def speech_stopped(self, utterance: int) -> None:
        call, stop = self._call, self._call.speech_stopped(utterance)
        if self._line.is_down:
            call.fail(stop, "not connected")
            return
        after = call.owed.after
        after(stop, 0, lambda _: self._settle())  # not before the pause itself is told
        after(stop, SILENT_MS, self._is_it_silent)
        after(stop, self._options.force_after_ms, self._force)
        after(stop, self._options.patience_ms, call.timed_out)
        call.expect()

    def turn_committed(self) -> None:
        self._call.turn_committed()

    def answered(self, utterance: int) -> None:
        self._call.answered(utterance)

    def missed_words(self) -> None:
        self._call.missed_words()

    # --- the line ---------------------------------------------------------------------------------

    def opened(self) -> None:
        """A new socket: nothing is to be asked for, the audio itself makes Flux speak."""
        self._last_word_at = asyncio.get_running_loop().time()
        self._call.opened()

    def got(self, message: bytes) -> None:
        """A message of the service. Raises Malformed, or VendorError if the service gives up."""
        self._last_word_at = asyncio.get_running_loop().time()
        self._call.heard_from()
        parsed = parse_flux(message)
        if isinstance(parsed, TurnInfo):
            self._turns.add(parsed, self._line.base)
            self._call.release()
            self._tell(parsed.event)
            self._settle()
        elif isinstance(parsed, Problem):
            if parsed.fatal:
                raise VendorError(VENDOR, "listen", parsed.code)
            log.warning("%s warns: %s", VENDOR, parsed.code)

    def lost(self, *, retrying: bool) -> None:
        self._call.lost(retrying=retrying)

    async def _fill(self) -> None:
        """Silence where no frames come, also between turns: there is no other sign of life."""
        missing_ms, heard = 0, self._line.audio.end
        while True:
            await asyncio.sleep(_LOOK_MS / 1000)
            missing_ms = missing_ms + _LOOK_MS if self._line.audio.end == heard else 0
            if missing_ms >= FILL_MS:
                for _ in range(missing_ms // FRAME_MS):
                    self.hear(SILENCE)
                missing_ms = 0
            heard = self._line.audio.end

    # --- words ------------------------------------------------------------------------------------

    def _tell(self, event: TurnEvent) -> None:
        """What it means for the utterance that is being spoken, or was spoken last."""
        self._call.tell_interim()
        last = self._call.last
        if last and event is TurnEvent.EAGER_END:
            self._call.emit(TurnMayEnd(last, self._turns.text))
        elif last and event is TurnEvent.RESUMED:
            self._call.emit(TurnGoesOn(last))

    def _settle(self) -> None:
        """Answer the utterances that have all their words, the last of them for all before it."""
        turns, waiting = self._turns, self._call.owed.waiting
        if turns.running:
            return  # the caller may go on
        ended = [stop for stop in waiting if stop.place <= turns.ended_to + self._pause]
        quiet = [stop for stop in waiting if stop.place <= turns.reach - _LAG]
        if stop := max((*ended[-1:], *quiet[-1:]), key=lambda stop: stop.place, default=None):
            self._answer(stop, turns.take())

    def _answer(self, stop: Stop, text: str) -> None:
        """Only now: updates in silence are no sign that Flux can hear."""
        self._call.answer(stop, text)
        if text and not self._call.last:
            self._call.emit(TurnEnded(stop.utterance))

    # --- words that do not come -------------------------------------------------------------------

    def _force(self, stop: Stop) -> None:
        if stop.is_waiting and self._turns.running:
            self._line.ask(self._line.audio.end, FORCE_END_TURN)
            self._reports.step(VENDOR, "force end turn")

    def _is_it_silent(self, stop: Stop) -> None:
        behind_ms = (self._line.audio.end - self._turns.reach) // BYTES_PER_MS
        silent_ms = (asyncio.get_running_loop().time() - self._last_word_at) * 1000
        if silent_ms >= SILENT_MS and behind_ms >= SILENT_MS:
            self._call.timed_out(stop)
