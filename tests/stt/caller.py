"""A caller for the transcribers' tests: says made-up words at real speed of the loop's clock.

Each word is a tone of its own, so that a recogniser can tell exactly which words are in its audio,
whole or cut, once or twice. What the transcriber says goes through the core's own ``CallerTurn``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TypeVar

import pytest

from services.audio.mulaw import SILENCE
from services.call.events import (
    Event,
    SpeechStarted,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptInterim,
    VendorFailed,
    VendorStep,
)
from services.call.turn import CallerTurn
from services.stt import Transcriber
from services.stt.turn_audio import Piece
from services.stt.words import Words
from services.vendors import Reports, VendorError
from tests.phone import FakeSegmenter
from tests.simulators.vendors.base import Fault
from tests.simulators.vendors.deepgram import DeepgramSimulator

E = TypeVar("E", bound=Event)

WORD_MS = 200
BAD_KEYS = ("key\n", "key\r\nX-More: 1", "k\0y", "schlüssel", "ключ")
"""No header can hold them."""
VOCABULARY = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def tone(word: str) -> bytes:
    """A frame of this word."""
    return bytes([VOCABULARY.index(word) + 1]) * 160


def hears(audio: bytes) -> str:
    """The words in some mu-law; a word of which half is missing is "?"."""
    heard = []
    for code, run in groupby(audio):
        if 1 <= code <= len(VOCABULARY):
            whole = len(list(run)) > WORD_MS * 8 // 2
            heard.append(VOCABULARY[code - 1] if whole else "?")
    return " ".join(heard)


PIECES = (Piece(tone("one") * 10), Piece(tone("two") * 10))


class Caller:
    """Speaks into a transcriber, and notes what it says and when."""

    def __init__(self, transcriber: Transcriber, reports: Reports) -> None:
        self.said: list[tuple[float, Event]] = []
        self.stopped_at: dict[int, float] = {}
        self.turn = CallerTurn()
        self.utterance = 0
        self._transcriber = transcriber
        self._segmenter = FakeSegmenter()
        self._loop = asyncio.get_running_loop()
        reports.attach(self.note)

    def note(self, event: Event) -> None:
        self.said.append((self._loop.time(), event))
        if isinstance(event, TranscriptFinal):
            self.turn.final(event.first, event.last, event.text)
        elif isinstance(event, TranscriptFailed):
            self.turn.failed(event.last)

    async def speak(self, *words: str) -> None:
        """Word by word, without a pause."""
        for word in words:
            await self.send(tone(word), WORD_MS)

    async def pause(self, ms: int = 400) -> None:
        await self.send(SILENCE, ms)

    async def say(self, *words: str, pause_ms: int = 400) -> None:
        """An utterance, and the pause after it."""
        await self.speak(*words)
        await self.pause(pause_ms)

    async def send(self, frame: bytes, ms: int) -> None:
        for _ in range(ms // 20):
            self.frame(frame)
            await asyncio.sleep(0.02)

    def commit(self) -> str:
        """The turn is over; its words."""
        text = self.turn.text
        self.turn.close(self.utterance)
        self._transcriber.turn_committed()
        return text

    def frame(self, frame: bytes) -> None:
        self._transcriber.hear(frame)
        fact = self._segmenter.hear(frame)
        if isinstance(fact, SpeechStarted):
            self.utterance = fact.utterance
            self._transcriber.speech_started(fact.utterance, fact.voiced_ms)
            self.note(fact)
        elif fact is not None:
            self.stopped_at[fact.utterance] = self._loop.time()
            self._transcriber.speech_stopped(fact.utterance)
            self.turn.stopped(fact.utterance)
            self.note(fact)

    # --- what was said ----------------------------------------------------------------------------

    def all(self, kind: type[E]) -> list[E]:
        return [event for _, event in self.said if isinstance(event, kind)]

    @property
    def finals(self) -> list[tuple[int, int, str]]:
        return [(final.first, final.last, final.text) for final in self.all(TranscriptFinal)]

    @property
    def interims(self) -> list[str]:
        return [interim.text for interim in self.all(TranscriptInterim)]

    @property
    def failures(self) -> list[tuple[str, str, str]]:
        """What vendors failed at: vendor, step, code."""
        return [(f.vendor, f.step, f.code) for f in self.all(VendorFailed)]

    @property
    def steps(self) -> list[str]:
        return [f"{step.vendor}: {step.step}" for step in self.all(VendorStep)]

    def answered_in(self, utterance: int) -> float:
        """Seconds from the end of an utterance to its one answer."""
        answers = [
            at
            for at, event in self.said
            if (isinstance(event, TranscriptFinal) and event.first <= utterance <= event.last)
            or (isinstance(event, TranscriptFailed) and event.last == utterance)
        ]
        return answers[0] - self.stopped_at[utterance]

    def check_one_answer_each(self) -> None:
        """Each utterance that has ended got one answer of its own."""
        lasts = [
            event.last
            for _, event in self.said
            if isinstance(event, TranscriptFinal | TranscriptFailed)
        ]
        assert len(lasts) == len(set(lasts)), f"answered twice: {lasts}"
        spans = [(final.first, final.last) for final in self.all(TranscriptFinal)]
        spans += [(failed.last, failed.last) for failed in self.all(TranscriptFailed)]
        for utterance in self.stopped_at:
            assert any(first <= utterance <= last for first, last in spans), utterance


@asynccontextmanager
async def on_the_line(transcriber: Transcriber, reports: Reports) -> AsyncIterator[Caller]:
    """A caller whose transcriber runs until the block ends; then nothing is left of it."""
    caller = Caller(transcriber, reports)
    before = asyncio.all_tasks()
    ears = asyncio.create_task(transcriber.run(caller.note), name="ears")
    try:
        yield caller
        assert not ears.done(), "the ears live as long as the call"
    finally:
        ears.cancel()
        await asyncio.wait({ears})
        left = {task.get_name() for task in our_tasks(asyncio.all_tasks() - before)}
    assert ears.cancelled(), ears.exception()
    assert not left


def our_tasks(tasks: Iterable[asyncio.Task[object]]) -> list[asyncio.Task[object]]:
    """Those that are not a simulator's or its server's."""
    return [task for task in tasks if task.get_name().startswith(("deepgram-", "rescue", "ears"))]


def break_connections(deepgram: DeepgramSimulator) -> None:
    """Every connection to the simulator is cut now."""
    assert deepgram._runner is not None
    server = deepgram._runner.server
    assert server is not None
    for connection in server.connections:
        if connection.transport is not None:
            connection.transport.abort()


async def check_trouble(words: Words, code: str, *, at_once: bool) -> None:
    """It fails so now, and hears both pieces the next time."""
    with pytest.raises(VendorError) as failed:
        await words.words(PIECES)
    assert (failed.value.vendor, failed.value.code) == (words.name, code)
    assert failed.value.at_once is at_once
    assert await words.words(PIECES) == "one two"


def fault_id(value: object) -> str:
    """The name of a test's parameter."""
    return value.trouble.value if isinstance(value, Fault) else str(value)
