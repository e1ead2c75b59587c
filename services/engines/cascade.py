"""The cascade engine: frames -> segmenter -> recogniser, and brain -> phrases -> voice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from services.call.effects import KeepMessage, Purpose, StartReply, Turn
from services.call.events import (
    AfterReply,
    AnswerExpected,
    EarEvent,
    FillerReady,
    MessageTaken,
    ReplyFinished,
    SpeechStarted,
    SpeechStopped,
    TokenProduced,
)
from services.engines import Emit
from services.engines.guard import Guard
from services.engines.phrases import Phraser
from services.engines.speech import Speech
from services.llm import Asks, Brain, EndCall, Line, TakeMessage
from services.stt import Transcriber
from services.tts import Voice
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
    uninterruptible: tuple[str, ...] = ()
    """Sentences that a caller cannot interrupt."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, in the parts that are rendered ahead."""
        return self.parts(*self.by_purpose.values(), self.filler)

    def parts(self, *lines: str) -> tuple[str, ...]:
        """Lines in the parts that are rendered."""
        guard = Guard(self.uninterruptible)
        return tuple(part for line in lines for part in guard.parts(line))


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
        speech = Speech(request.reply, emit, Guard(self._lines.uninterruptible))
        if not request.is_eager:
            self.commit(request.reply)
        if request.purpose is Purpose.ANSWER:
            thinking = asyncio.create_task(self._think(request, speech), name="brain")
        else:
            line = self._lines.by_purpose[request.purpose]
            thinking = asyncio.create_task(self._recite(line, speech), name="line")
        try:
            await self._voice.speak(request.reply, speech, speech.say)
            then = await thinking
        except asyncio.CancelledError:
            self._interrupted()
            raise
        finally:
            thinking.cancel()
            await asyncio.wait({thinking})  # a reply leaves nothing running
        emit(ReplyFinished(request.reply, then))

    async def _think(self, request: StartReply, speech: Speech) -> AfterReply:
        """The brain's answer into phrases, while the voice already speaks the first of them."""
        number, phraser, then, began = request.reply, Phraser(), AfterReply.LISTEN, False
        try:
            async with aclosing(self._brain.respond(number, request.turns)) as items:
                async for item in items:
                    if isinstance(item, str):
                        if not began:
                            speech.emit(TokenProduced(number))
                            began = True
                        speech.put(*phraser.feed(item))
                    elif isinstance(item, EndCall):
                        await self._is_committed(number)
                        then = AfterReply.HANG_UP
                    else:
                        await self._do(item, speech)
        finally:
            speech.put(*phraser.flush())  # what there is of a broken answer is said as well
            speech.end()
        return then

    async def _do(self, item: Line | TakeMessage | Asks, speech: Speech) -> None:
        """What a brain gives besides text."""
        if isinstance(item, TakeMessage):
            await self._is_committed(speech.reply)
            speech.emit(MessageTaken(speech.reply, *_fields(item)))
        elif isinstance(item, Asks):
            speech.emit(AnswerExpected(speech.reply, item.what))
        else:
            self._say_line(item.text, speech)

    def commit(self, reply: int) -> None:
        self._committed = max(self._committed, reply)
        self._commits.set()
        self._commits = asyncio.Event()

    async def _is_committed(self, reply: int) -> None:
        """What changes the world waits for the end of the turn; the brain waits with it."""
        while self._committed < reply:
            await self._commits.wait()

    async def _recite(self, line: str, speech: Speech) -> AfterReply:
        self._say_line(line, speech)
        speech.end()
        return AfterReply.LISTEN

    def _say_line(self, text: str, speech: Speech) -> None:
        """A whole line: out of the store, or spoken now."""
        parts, lines = speech.parts(text), self._lines
        is_apology = text == lines.by_purpose.get(Purpose.APOLOGY)
        for store in (lines.audio, lines.spare) if is_apology else (lines.audio,):
            if all(store.get(part) for part in parts):
                speech.say_lines({part: store[part] for part in parts})
                return
        speech.put(*parts)

    def filler(self, reply: int) -> FillerReady | None:
        text = self._lines.filler
        audio = self._lines.audio.get(text) or self._lines.spare.get(text)
        return FillerReady(reply, audio, text) if audio else None

    def heard(self, reply: int, text: str, ms: int) -> None:
        """Nothing to do: the brain is given the heard history with each turn."""

    def unfinished(self, turns: tuple[Turn, ...]) -> KeepMessage | None:
        left = self._brain.unfinished(turns)
        return KeepMessage(*_fields(left)) if left else None


def _fields(message: TakeMessage) -> tuple[str, str, str, bool]:
    return message.name, message.number, message.message, message.complete
