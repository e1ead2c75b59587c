"""The cascade engine: frames -> segmenter -> recogniser, and brain -> phrases -> voice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from services.call.effects import KeepMessage, Purpose, StartReply, Turn
from services.call.events import (
    AfterReply,
    AudioProduced,
    EarEvent,
    FillerReady,
    MessageTaken,
    ReplyFinished,
    SpeechStarted,
    SpeechStopped,
    TokenProduced,
)
from services.engines import Emit
from services.engines.phrases import Phraser
from services.llm import Brain, EndCall, Line, TakeMessage
from services.stt import Transcriber
from services.tts import SpokenAudio, Voice
from services.vendors import Reports


class Segmenter(Protocol):
    """Finds the caller's utterances; one per call."""

    def hear(self, frame: bytes) -> SpeechStarted | SpeechStopped | None:
        """One 20 ms frame, in order; the fact that it made certain, if any."""

    def hear_soon(self, frame: bytes) -> None:
        """This very frame comes next."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The agent's standing lines, and the audio of those that were rendered ahead in its voice."""

    by_purpose: Mapping[Purpose, str]
    filler: str = ""
    audio: dict[str, bytes] = field(default_factory=dict)
    """Text -> mu-law; shared by all calls. It may still be growing."""
    spare: dict[str, bytes] = field(default_factory=dict)
    """The same, in another voice: for what has to be said while the agent's own voice fails."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.by_purpose.values(), self.filler)


class CascadeEngine:
    """Ears and voice of one call, made of one segmenter, recogniser, brain and voice."""

    def __init__(
        self,
        segmenter: Segmenter,
        transcriber: Transcriber,
        brain: Brain,
        voice: Voice,
        lines: Lines,
        reports: Reports | None = None,
        interrupted: Callable[[], None] = lambda: None,
    ) -> None:
        """``interrupted`` is told of each reply that was cancelled."""
        self._segmenter = segmenter
        self._transcriber = transcriber
        self._brain = brain
        self._voice = voice
        self._lines = lines
        self._reports = reports or Reports()
        self._interrupted = interrupted
        self._emit: Emit | None = None
        self._committed = 0  # replies up to this number answer a turn that is over
        self._commits = asyncio.Event()

    async def run(self, emit: Emit) -> None:
        self._reports.attach(emit)
        self._emit = emit
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._transcriber.run(self._heard_words), name="transcriber")
            tasks.create_task(self._voice.run(), name="voice")

    # --- ears -------------------------------------------------------------------------------------

    def hear_soon(self, frame: bytes) -> None:
        if self._emit is not None:
            self._segmenter.hear_soon(frame)

    def hear(self, frame: bytes) -> None:
        if self._emit is None:
            return  # the ears' task has not begun: nothing to report to yet
        self._transcriber.hear(frame)
        fact = self._segmenter.hear(frame)
        if fact is None:
            return
        if isinstance(fact, SpeechStarted):
            self._transcriber.speech_started(fact.utterance, fact.voiced_ms)
        else:
            self._transcriber.speech_stopped(fact.utterance)
        self._emit(fact)

    def _heard_words(self, event: EarEvent) -> None:
        assert self._emit is not None
        self._emit(event)

    def turn_committed(self) -> None:
        self._transcriber.turn_committed()

    def prepare(self, turns: tuple[Turn, ...]) -> None:
        self._brain.prepare(turns)

    # --- voice ------------------------------------------------------------------------------------

    async def reply(self, request: StartReply, emit: Emit) -> None:
        number, phrases = request.reply, _Phrases()
        if not request.is_eager:
            self.commit(number)
        if request.purpose is Purpose.ANSWER:
            thinking = asyncio.create_task(self._think(request, phrases, emit), name="brain")
        else:
            line = self._lines.by_purpose[request.purpose]
            thinking = asyncio.create_task(self._recite(number, line, phrases, emit), name="line")

        def say(*parts: SpokenAudio) -> None:
            emit(_produced(number, parts))

        try:
            await self._voice.speak(number, phrases, say)
            then = await thinking
        except asyncio.CancelledError:
            self._interrupted()
            raise
        finally:
            thinking.cancel()
            await asyncio.wait({thinking})  # a reply leaves nothing running
        emit(ReplyFinished(number, then))

    async def _think(self, request: StartReply, phrases: _Phrases, emit: Emit) -> AfterReply:
        """The brain's answer into phrases, while the voice already speaks the first of them."""
        number, phraser, then, began = request.reply, Phraser(), AfterReply.LISTEN, False
        try:
            async with aclosing(self._brain.respond(number, request.turns)) as items:
                async for item in items:
                    if isinstance(item, TakeMessage | EndCall):
                        await self._is_committed(number)
                    if isinstance(item, TakeMessage):
                        emit(MessageTaken(number, *_fields(item)))
                    elif isinstance(item, EndCall):
                        then = AfterReply.HANG_UP
                    elif isinstance(item, Line):
                        self._say_line(number, item.text, phrases, emit)
                    else:
                        if not began:
                            emit(TokenProduced(number))
                            began = True
                        phrases.put(*phraser.feed(item))
        finally:
            phrases.put(*phraser.flush())  # what there is of a broken answer is said as well
            phrases.end()
        return then

    def commit(self, reply: int) -> None:
        self._committed = max(self._committed, reply)
        self._commits.set()
        self._commits = asyncio.Event()

    async def _is_committed(self, reply: int) -> None:
        """What changes the world waits for the end of the turn; the brain waits with it."""
        while self._committed < reply:
            await self._commits.wait()

    async def _recite(self, number: int, line: str, phrases: _Phrases, emit: Emit) -> AfterReply:
        self._say_line(number, line, phrases, emit)
        phrases.end()
        return AfterReply.LISTEN

    def _say_line(self, number: int, text: str, phrases: _Phrases, emit: Emit) -> None:
        """A whole line: out of the store, or spoken now."""
        audio = self._lines.audio.get(text)
        if audio is None and text == self._lines.by_purpose.get(Purpose.APOLOGY):
            audio = self._lines.spare.get(text)
        if audio:
            emit(AudioProduced(number, audio, text))
        else:
            phrases.put(text)

    def filler(self, reply: int) -> FillerReady | None:
        text = self._lines.filler
        audio = self._lines.audio.get(text) or self._lines.spare.get(text)
        return FillerReady(reply, audio, text) if audio else None

    def heard(self, reply: int, text: str, ms: int) -> None:
        """Nothing to do: the brain is given the heard history with each turn."""

    def unfinished(self, turns: tuple[Turn, ...]) -> KeepMessage | None:
        left = self._brain.unfinished(turns)
        return KeepMessage(*_fields(left)) if left else None


def _produced(reply: int, parts: Sequence[SpokenAudio]) -> AudioProduced:
    """Pieces of audio that came together, as one event."""
    if len(parts) == 1:
        return AudioProduced(reply, parts[0].audio, parts[0].text)
    spans = tuple((len(part.text), len(part.audio)) for part in parts)
    texts = [part.text for part in parts]
    return AudioProduced(reply, b"".join(part.audio for part in parts), " ".join(texts), spans)


def _fields(message: TakeMessage) -> tuple[str, str, str, bool]:
    return message.name, message.number, message.message, message.complete


class _Phrases(AsyncIterator[str]):
    """The phrases of a reply on their way from the brain to the voice."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()

    def put(self, *phrases: str) -> None:
        for phrase in phrases:
            self._queue.put_nowait(phrase)

    def end(self) -> None:
        self._queue.put_nowait(None)

    async def __anext__(self) -> str:
        phrase = await self._queue.get()
        if phrase is None:
            self._queue.put_nowait(None)  # it stays at its end
            raise StopAsyncIteration
        return phrase
