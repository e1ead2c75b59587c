"""Deepgram's live recognition (``/v1/listen``): words while the caller speaks.

Mu-law passes through undecoded. When our own segmenter hears a pause, ``Finalize`` makes Deepgram
say at once what it would say half a second later. Its words are matched to our utterances by their
times, so that none is lost or doubled whatever comes late, or again after a reconnect. Why not the
SDK: see ``deepgram_socket``.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from services.audio.mulaw import BYTES_PER_MS, FRAME_BYTES, RATE_HZ
from services.audio.segmenter import VAD_SILENCE_MS
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
from services.stt.live import LiveCall
from services.stt.owed import Stop
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from services.vendors.urls import socket_url

BASE_URL = "https://api.deepgram.com"
MODEL = "nova-3"
GIVE_UP_MS = 1200
"""An utterance without words so long after its end is given up."""

_BATCH_FRAMES = 5  # 100 ms in a message: a fifth of the work, and Finalize waits for nothing
_IDLE_BATCH = 1000 * BYTES_PER_MS  # nobody waits for the words of silence; speech sends it at once
_BIGGEST = RATE_HZ  # a second in a message that catches up
_LITTLE = 500 * BYTES_PER_MS  # with no more than this to finish, Finalize may go unanswered


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
    """The transcriber of one call. ``silence_ms``: what the segmenter waits before an end.
    ``tls``: the process's own; None: a new one for each socket."""

    batch_frames = _BATCH_FRAMES

    def __init__(
        self,
        options: DeepgramOptions,
        reports: Reports,
        breaker: Breaker,
        silence_ms: int = VAD_SILENCE_MS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._options = options
        self._reports = reports
        line = LineOptions(
            options.url,
            options.key,
            batch=_BATCH_FRAMES * FRAME_BYTES,
            idle_batch=_IDLE_BATCH,
            biggest=_BIGGEST,
            keep_alive=KEEP_ALIVE,
            goodbye=CLOSE_STREAM,
            tls=tls,
        )
        self._line = Line(line, reports, breaker)
        self._silence = silence_ms * BYTES_PER_MS
        self._heard = Heard(silence_ms)
        self._call = LiveCall(self._line, self._heard, reports, "finalize")

    async def run(self, emit: Emit) -> None:
        await self._call.run(emit, self)

    def hear(self, audio: bytes) -> None:
        self._call.hear(audio)

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        self._call.speech_started(utterance, voiced_ms)

    def speech_stopped(self, utterance: int) -> None:
        call, stop = self._call, self._call.speech_stopped(utterance)
        self._answer_settled()
        if not stop.is_waiting:
            return  # Deepgram has noticed the pause itself, and has said all
        if self._line.is_down:
            call.fail(stop, "not connected")
            return
        self._line.ask(stop.place, FINALIZE)
        self._reports.step(VENDOR, "finalize")
        call.owed.after(stop, self._options.finalize_wait_ms, self._finalize_is_late)
        call.owed.after(stop, GIVE_UP_MS, call.timed_out)
        if stop.place - self._heard.final_to > _LITTLE:
            call.expect()

    def turn_committed(self) -> None:
        self._call.turn_committed()

    def answered(self, utterance: int) -> None:
        self._call.answered(utterance)

    def missed_words(self) -> None:
        self._call.missed_words()

    # --- the line ---------------------------------------------------------------------------------

    def opened(self) -> None:
        """A new socket: what is still wanted is asked for again."""
        self._call.opened()
        for stop in self._call.owed.waiting:
            self._line.ask(stop.place, FINALIZE)

    def got(self, message: bytes) -> None:
        """A message of the service. Raises Malformed."""
        self._call.heard_from()
        parsed = parse(message)
        if isinstance(parsed, Results):
            self._heard.add(parsed, self._line.base)
            self._answer_settled()
            self._call.tell_interim()
            self._call.release()
        elif isinstance(parsed, Problem):
            self._reports.failed(VendorError(VENDOR, "message", parsed.code))

    def lost(self, *, retrying: bool) -> None:
        self._call.lost(retrying=retrying)

    # --- words ------------------------------------------------------------------------------------

    def _answer_settled(self) -> None:
        """Answer all utterances whose words are final, the last of them for all before it."""
        waiting = self._call.owed.waiting
        if reached := [stop for stop in waiting if stop.place <= self._heard.settled_to]:
            self._call.answer(reached[-1], self._heard.take(reached[-1].place))

    def _finalize_is_late(self, stop: Stop) -> None:
        """Perhaps there was nothing left to finalise: what there is will do if it is all."""
        if stop.is_waiting and self._heard.reach >= stop.place - self._silence:
            self._call.heard_from()
            self._call.answer(stop, self._heard.take(stop.place, guess=True))
            self._call.release()
