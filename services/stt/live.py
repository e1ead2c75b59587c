"""What the live recognisers share: a call's utterances, on a line that may die."""

from __future__ import annotations

import asyncio
from typing import Protocol

from services.audio.mulaw import BYTES_PER_MS
from services.call.events import TranscriptFailed, TranscriptFinal, TranscriptInterim
from services.stt import Emit, Transcriber
from services.stt.deepgram_socket import VENDOR
from services.stt.link import Line, Listener
from services.stt.owed import Owed, Stop
from services.vendors import Reports, VendorError

DEAD_MS = 1000
"""A socket that was asked for words, and on which nothing at all came for so long, is dead."""

_LEAD = 500 * BYTES_PER_MS  # words so long before a turn's first voice may belong to it


class LiveTranscriber(Transcriber, Protocol):
    """A transcriber that others can help out."""

    def answered(self, utterance: int) -> None:
        """The words up to this utterance were had elsewhere: do not give them again."""

    def missed_words(self) -> None:
        """There were words where it had found none."""


class Words(Protocol):
    """What a recogniser has made out so far, by place in the call."""

    @property
    def text(self) -> str:
        """All words not given yet."""

    @property
    def done_to(self) -> int:
        """What was said before this place need not be heard again."""

    def skip(self, place: int) -> None:
        """Words from before this place are not wanted."""

    def socket_lost(self) -> None:
        """What may still change will come again, from another socket."""


class LiveCall:
    """A call's utterances on its line: what is the same whatever is spoken on the line."""

    def __init__(self, line: Line, words: Words, reports: Reports, asked: str) -> None:
        """``asked``: the step in which a dead socket fails."""
        self.line = line
        self.owed = Owed()
        self.utterance = 0
        """The one being spoken; 0: none."""
        self._words = words
        self._reports = reports
        self._asked = asked
        self._in_turn = False
        self._told = ""  # the last interim transcript
        self._death: asyncio.TimerHandle | None = None  # unless something is heard before

    async def run(self, emit: Emit, listener: Listener) -> None:
        """Lives as long as the call."""
        self.emit = emit
        try:
            await self.line.run(listener)
        finally:
            self.owed.close()
            self.heard_from()

    # --- the caller -------------------------------------------------------------------------------

    def hear(self, audio: bytes) -> None:
        """The next frames."""
        self.line.hear(audio, is_idle=not self.utterance and self.owed.is_clear)

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        """Words from long before a turn are none of it."""
        if not self._in_turn:
            self._in_turn = True
            if self.owed.is_clear:
                self._words.skip(self.line.audio.end - voiced_ms * BYTES_PER_MS - _LEAD)
        self.utterance = utterance

    def speech_stopped(self, utterance: int) -> Stop:
        """Its words are owed from now on."""
        self.utterance = 0
        return self.owed.stopped(utterance, self.line.audio.end)

    def turn_committed(self) -> None:
        """What failed is not wanted any more."""
        self._in_turn = bool(self.utterance)
        self._words.skip(self.owed.forget_failed())

    def answered(self, utterance: int) -> None:
        """The words up to this utterance were had elsewhere."""
        self._words.skip(self.owed.settle(utterance))
        self.release()

    def missed_words(self) -> None:
        """There were words where the service had found none. That is told, but no reason to take
        another socket."""
        self._reports.failed(VendorError(VENDOR, self._asked, "no words"))

    # --- the line ---------------------------------------------------------------------------------

    def opened(self) -> None:
        """A new socket."""
        self.heard_from()
        if self.owed.waiting:
            self.expect()

    def lost(self, *, retrying: bool) -> None:
        """The socket is gone; without a new one soon, nobody is kept waiting."""
        self.heard_from()
        self._words.socket_lost()
        if not retrying:
            self._fail_all("not connected")

    def expect(self) -> None:
        """The service was asked: a message must come soon, of whatever kind."""
        if self._death is None:
            loop = asyncio.get_running_loop()
            self._death = loop.call_later(DEAD_MS / 1000, self._is_dead)

    def heard_from(self) -> None:
        """A message came, or the socket is another one: nothing is expected for now."""
        if self._death:
            self._death.cancel()
            self._death = None

    def release(self) -> None:
        """Audio whose words are certain is not kept."""
        self.line.release(self._words.done_to)

    def _is_dead(self) -> None:
        self._death = None
        self._fail_all("timeout")
        self.line.give_up(VendorError(VENDOR, self._asked, "stall", at_once=True))

    # --- answers ----------------------------------------------------------------------------------

    @property
    def last(self) -> int:
        """The utterance that is being spoken, or the last one that waits for words; 0: none."""
        waiting = self.owed.waiting
        return self.utterance or (waiting[-1].utterance if waiting else 0)

    def tell_interim(self) -> None:
        """The words so far, if they are new and somebody wants them."""
        last, text = self.last, self._words.text
        if last and text and text != self._told:
            self._told = text
            self.emit(TranscriptInterim(self.owed.answered + 1, last, text))

    def answer(self, stop: Stop, text: str) -> None:
        """The words of an utterance and of all before it that had none."""
        first = self.owed.answered + 1
        self.owed.settle(stop.utterance)
        self.line.answered()
        self.line.release(stop.place)
        self._reports.step(VENDOR, "final words")
        self._told = ""
        self.emit(TranscriptFinal(first, stop.utterance, text))

    def fail(self, stop: Stop, code: str) -> None:
        """The utterance must do without us."""
        stop.give_up_waiting()
        self.emit(TranscriptFailed(stop.utterance, code))

    def timed_out(self, stop: Stop) -> None:
        """Its words took too long, whatever else came."""
        self.fail(stop, "timeout")

    def _fail_all(self, code: str) -> None:
        for stop in self.owed.waiting:
            self.fail(stop, code)
