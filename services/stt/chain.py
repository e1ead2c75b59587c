"""A live recogniser, and the ways to words for when it fails: one answer for each utterance.

The turn's audio is kept until the turn is answered. If the live recogniser has no words for an
utterance soon after its end, or says that it will have none, the other ways are given the whole
turn so far: a word that was half sent when a socket broke is whole there. Whoever answers first
counts, and the other side is told. If it finds none in a turn with much voice, another vendor is
asked for a second opinion.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, field

from services.audio.segmenter import VAD_SILENCE_MS
from services.call.events import (
    EarEvent,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptInterim,
)
from services.stt import Emit
from services.stt.deepgram_socket import VENDOR
from services.stt.live import LiveTranscriber
from services.stt.turn_audio import MIN_VOICE_MS, Piece, TurnAudio
from services.stt.words import FirstWords
from services.vendors import VendorError

log = logging.getLogger(__name__)

PATIENCE_MS = 700
"""How long after an utterance's end the live recogniser alone is waited for."""
SETTLE_MS = 1700
"""When each utterance is answered at the latest: the core waits for words only a little longer."""
MUCH_VOICE_MS = 450
"""A turn with so much voice is hardly without words, whatever the live recogniser says: it may be
set to another language, or be out of order. Recorded single words have 500 ms (with the detector's
delay), a cough has less: others may hear words in it."""


@dataclass(slots=True)
class _Owed:
    """An utterance whose words are owed: the last of the turn that begins with ``first``."""

    first: int
    last: int
    pieces: tuple[Piece, ...]
    stopped_at: float
    has_much_voice: bool = False
    clock: asyncio.TimerHandle | None = None
    rescue: asyncio.Task[None] | None = None
    live_gave_up: asyncio.Event = field(default_factory=asyncio.Event)
    """The live recogniser has said that it has no words."""
    no_words: TranscriptFinal | None = None
    """It has said that there are none."""

    def stop_clock(self) -> None:
        """The live recogniser may take its time."""
        if self.clock:
            self.clock.cancel()

    def call_off(self) -> None:
        """It was answered."""
        self.stop_clock()
        if self.rescue:
            self.rescue.cancel()


class TranscriberChain:
    """The transcriber of one call. ``silence_ms``: what the segmenter waits before an end."""

    def __init__(
        self,
        live: LiveTranscriber,
        rescue: FirstWords,
        silence_ms: int = VAD_SILENCE_MS,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        self._live = live
        self._rescue = rescue
        self._second_opinion = rescue.besides(VENDOR)
        self._silence_ms = silence_ms
        self._patience_s = patience_ms / 1000
        self._turn = TurnAudio()
        self._live_has_words = False  # in this turn
        self._owed: dict[int, _Owed] = {}
        self._guess: TranscriptInterim | None = None
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self, emit: Emit) -> None:
        self._emit = emit
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._run_live()
        finally:
            for owed in self._all:
                owed.call_off()

    @property
    def batch_frames(self) -> int:
        return self._live.batch_frames

    def hear(self, audio: bytes) -> None:
        self._live.hear(audio)
        self._turn.hear(audio)

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        self._turn.begin(utterance, voiced_ms)
        for owed in self._all:
            if owed.first == self._turn.first:  # the turn goes on: its words can wait for the next
                owed.stop_clock()
        self._live.speech_started(utterance, voiced_ms)

    def speech_stopped(self, utterance: int) -> None:
        self._turn.end(self._silence_ms)
        loop = asyncio.get_running_loop()
        pieces = self._turn.pieces(MIN_VOICE_MS)
        has_much_voice = bool(self._turn.pieces(MUCH_VOICE_MS))
        owed = _Owed(self._turn.first, utterance, pieces, loop.time(), has_much_voice)
        owed.clock = loop.call_later(self._patience_s, self._help, owed)
        self._owed[utterance] = owed
        self._live.speech_stopped(utterance)

    def turn_committed(self) -> None:
        self._turn.forget()
        self._live_has_words = False
        self._live.turn_committed()

    # --- the live recogniser ----------------------------------------------------------------------

    async def _run_live(self) -> None:
        try:
            await self._live.run(self._heard_live)
        except Exception:  # a mistake of ours: the other ways carry on alone
            log.exception("the live recogniser broke")
            self._patience_s = 0
        await asyncio.get_running_loop().create_future()

    def _heard_live(self, event: EarEvent) -> None:
        if isinstance(event, TranscriptFailed):
            if owed := self._owed.get(event.last):
                owed.live_gave_up.set()
                self._help(owed)
        elif isinstance(event, TranscriptFinal):
            if owed := self._owed.get(event.last):
                if event.text or not self._should_hold_words(owed):
                    self._live_has_words |= bool(event.text) and owed.first == self._turn.first
                    self._answer(event, event.first)
                else:
                    owed.no_words = event
                    owed.live_gave_up.set()
                    self._help(owed)
        else:
            if isinstance(event, TranscriptInterim):
                self._guess = event
            self._emit(event)

    def _should_hold_words(self, owed: _Owed) -> bool:
        """Whether it is the last of a turn with much voice, in which the live recogniser has found
        no words yet."""
        is_last = owed.last == max(self._owed)
        return owed.has_much_voice and is_last and not self._live_has_words

    def _answer(self, event: TranscriptFinal | TranscriptFailed, first: int) -> None:
        """The one answer for all utterances from ``first`` on to the event's last."""
        for number in [number for number in self._owed if first <= number <= event.last]:
            self._owed.pop(number).call_off()
        self._guess = None
        self._emit(event)

    @property
    def _all(self) -> Collection[_Owed]:
        return self._owed.values()

    # --- the other ways ---------------------------------------------------------------------------

    def _help(self, owed: _Owed) -> None:
        """Ask the others, unless they answer with a later utterance of the turn anyway."""
        if any(later.first == owed.first and later.last > owed.last for later in self._all):
            return
        if owed.rescue is None and self._tasks is not None:
            owed.rescue = self._tasks.create_task(self._find_words(owed), name="rescue")

    async def _find_words(self, owed: _Owed) -> None:
        try:
            async with asyncio.timeout_at(owed.stopped_at + SETTLE_MS / 1000):
                text = await self._words(owed)
        except TimeoutError:
            self._without_words(owed, "timeout")
        except VendorError as error:
            self._without_words(owed, error.code)
        else:
            owed.rescue = None  # this task: it is not to be called off
            if text and owed.no_words:
                self._live.missed_words()
            unanswered = min(number for number in self._owed if number >= owed.first)
            first = owed.first if text else unanswered  # no words must not replace any
            self._rescued(TranscriptFinal(first, owed.last, text))

    async def _words(self, owed: _Owed) -> str:
        ways = self._second_opinion if owed.no_words else self._rescue
        try:
            return await ways.words(owed.pieces) if owed.pieces else ""
        except VendorError:
            await owed.live_gave_up.wait()  # it may still come; this is called off then
            raise

    def _without_words(self, owed: _Owed, code: str) -> None:
        """Nobody has certain words: what the live recogniser made out so far must do."""
        owed.rescue = None
        if owed.no_words:
            self._answer(owed.no_words, owed.no_words.first)
            return
        guess = self._guess
        if guess and guess.first <= owed.last <= guess.last:
            self._rescued(TranscriptFinal(guess.first, owed.last, guess.text))
        else:
            self._answer(TranscriptFailed(owed.last, code), owed.first)

    def _rescued(self, event: TranscriptFinal) -> None:
        self._live.answered(event.last)
        self._answer(event, event.first)
