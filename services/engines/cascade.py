"""The cascade engine: frames -> segmenter -> recogniser, and brain -> phrases -> voice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from services.call.effects import KeepMessage, Purpose, StartReply, Turn
from services.call.events import (
    AfterReply,
    AudioProduced,
    FillerReady,
    MessageTaken,
    ReplyEvent,
    ReplyFinished,
    SpeechStarted,
    SpeechStopped,
    TokenProduced,
)
from services.engines import Emit
from services.engines.phrases import Phraser
from services.llm import Brain, EndCall, TakeMessage
from services.stt import Transcriber
from services.tts import SpokenAudio, Voice


class Segmenter(Protocol):
    """Finds the caller's utterances; one per call."""

    def hear(self, frame: bytes) -> SpeechStarted | SpeechStopped | None:
        """One 20 ms frame, in order; the fact that it made certain, if any."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The agent's standing lines, rendered ahead in its voice; shared by all calls."""

    by_purpose: Mapping[Purpose, SpokenAudio]
    filler: SpokenAudio | None = None


class CascadeEngine:
    """Ears and voice of one call, made of one segmenter, recogniser, brain and voice."""

    def __init__(
        self,
        segmenter: Segmenter,
        transcriber: Transcriber,
        brain: Brain,
        voice: Voice,
        lines: Lines,
    ) -> None:
        self._segmenter = segmenter
        self._transcriber = transcriber
        self._brain = brain
        self._voice = voice
        self._lines = lines
        self._emit: Emit | None = None

    # --- ears -------------------------------------------------------------------------------------

    async def run(self, emit: Emit) -> None:
        self._emit = emit
        await self._transcriber.run(emit)

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

    def turn_committed(self) -> None:
        self._transcriber.turn_committed()

    # --- voice ------------------------------------------------------------------------------------

    async def reply(self, request: StartReply) -> AsyncGenerator[ReplyEvent]:
        number = request.reply
        if request.purpose is not Purpose.ANSWER:
            line = self._lines.by_purpose[request.purpose]
            yield AudioProduced(number, line.audio, line.text)
            yield ReplyFinished(number)
            return
        phraser, then, tokens = Phraser(), AfterReply.LISTEN, 0
        async with aclosing(self._brain.respond(request.turns)) as items:
            async for item in items:
                if isinstance(item, TakeMessage):
                    yield MessageTaken(number, item.name, item.number, item.message, item.complete)
                elif isinstance(item, EndCall):
                    then = AfterReply.HANG_UP
                else:
                    tokens += 1
                    if tokens == 1:
                        yield TokenProduced(number)
                    async for event in self._speak(number, phraser.feed(item)):
                        yield event
        async for event in self._speak(number, phraser.flush()):
            yield event
        yield ReplyFinished(number, then)

    async def _speak(self, reply: int, phrases: Sequence[str]) -> AsyncGenerator[AudioProduced]:
        for phrase in phrases:
            async with aclosing(self._voice.speak(phrase)) as parts:
                async for part in parts:
                    yield AudioProduced(reply, part.audio, part.text)

    def filler(self, reply: int) -> FillerReady | None:
        line = self._lines.filler
        return FillerReady(reply, line.audio, line.text) if line else None

    def heard(self, reply: int, text: str, ms: int) -> None:
        """Nothing to do: the brain is given the heard history with each turn."""

    def unfinished(self, turns: tuple[Turn, ...]) -> KeepMessage | None:
        left = self._brain.unfinished(turns)
        if left is None:
            return None
        return KeepMessage(left.name, left.number, left.message, left.complete)
