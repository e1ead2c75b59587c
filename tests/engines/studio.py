"""A brain and a voice at work on one reply, for the tests of what comes of it and when."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

from services.call.effects import Purpose, Speaker, StartReply, Turn
from services.call.events import (
    AudioProduced,
)
from services.engines.cascade import CascadeEngine, Lines
from services.engines.tool_work import ToolWork
from services.llm import BrainEvent
from services.receptionist.tools import ToolRequest
from services.tts import Say, SpokenAudio
from services.vendors import Reports, VendorError
from tests.desks import FakeDesk
from tests.phone import FakeSegmenter, FakeTranscriber, sound
from tests.virtual_time import run_virtual

Script = Sequence[BrainEvent | float | Exception]
"""What the brain gives, in order; a number is a pause in seconds."""

SPEAK_S = 0.1
"""From a phrase to its audio."""
ASKED = (Turn(Speaker.CALLER, "When are you open?"),)
LOST = VendorError("vendor", "ask", "connection lost")


class ScriptedBrain:
    """Gives what the test says."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.is_open = False

    def prepare(self, turns: Sequence[Turn]) -> None: ...

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        self.is_open = True
        try:
            for item in self._script:
                if isinstance(item, Exception):
                    raise item
                if isinstance(item, float):
                    await asyncio.sleep(item)
                else:
                    yield item
        finally:
            self.is_open = False

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        return None


class SlowVoice:
    """Takes a moment for each phrase; may fail, or get stuck, at a phrase with a certain word."""

    def __init__(self, fails_at: str = "", sticks_at: str = "") -> None:
        self._fails_at = fails_at
        self._sticks_at = sticks_at
        self.speaks_now = 0

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        self.speaks_now += 1
        try:
            async for phrase in phrases:
                await asyncio.sleep(SPEAK_S)
                if self._fails_at and self._fails_at in phrase:
                    raise VendorError("voice", "speak", "reset")
                if self._sticks_at and self._sticks_at in phrase:
                    await asyncio.Event().wait()
                say(SpokenAudio(sound(phrase), phrase))
        finally:
            self.speaks_now -= 1


class Told:
    """What an engine emits, and when."""

    def __init__(self) -> None:
        self.events: list[tuple[float, Any]] = []

    def emit(self, event: Any) -> None:
        self.events.append((asyncio.get_running_loop().time(), event))

    @property
    def said(self) -> list[tuple[float, str]]:
        return [(at, event.text) for at, event in self.events if isinstance(event, AudioProduced)]

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.said]

    def all(self, kind: type) -> list[Any]:
        return [event for _, event in self.events if isinstance(event, kind)]


class Studio:
    """A cascade of scripted parts, and what it has told."""

    def __init__(
        self,
        *script: BrainEvent | float | Exception,
        voice: SlowVoice | None = None,
        desk: FakeDesk | None = None,
    ) -> None:
        texts = {purpose: purpose.value for purpose in Purpose if purpose is not Purpose.ANSWER}
        self.lines = Lines(texts, "moment")
        self.brain = ScriptedBrain(script)
        self.voice = voice or SlowVoice()
        self.desk = desk or FakeDesk()
        self.told = Told()
        self.interrupted = 0
        self.reports = Reports()
        self.engine = CascadeEngine(
            FakeSegmenter(),
            FakeTranscriber(["hello"]),
            self.brain,
            self.voice,
            self.lines,
            self.reports,
            self._interrupt,
            ToolWork(self.desk),
        )

    def _interrupt(self) -> None:
        self.interrupted += 1

    async def reply(self, purpose: Purpose = Purpose.ANSWER) -> None:
        await self.engine.reply(StartReply(1, purpose, ASKED), self.told.emit)


def play(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run on virtual time; no task and no error may be left that nobody has seen."""
    unseen: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unseen.append(told))
        await work()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        gc.collect()

    run_virtual(run())
    assert unseen == []
