"""A telephone for tests on virtual time: the carrier's end of a session's socket.

It plays what it is sent at real speed of the loop's clock, echoes marks when they are reached, and
echoes all pending ones at once after a clear, as Twilio does. Frames whose bytes are not silence
count as the caller's voice.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any

from services.call.effects import Purpose, Turn
from services.call.events import SpeechStarted, SpeechStopped, TranscriptFinal
from services.engines.cascade import CascadeEngine, Lines
from services.engines.tool_work import ToolWork
from services.llm import BrainEvent
from services.receptionist.tools import Desk, ToolRequest
from services.stt import Emit
from services.tts import Say, SpokenAudio
from tests.desks import FakeDesk, message

SILENCE = b"\xff" * 160
VOICE = b"\x20" * 160
MS_PER_CHARACTER = 50


def sound(text: str) -> bytes:
    """The audio of a text in these tests: 50 ms for each character."""
    return b"\x40" * (len(text) * MS_PER_CHARACTER * 8)


class FakePhone:
    """The session's ``Socket``, and the caller's hand on it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.incoming: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.played: list[tuple[float, float]] = []
        self.closed_at: float | None = None
        self._pending: dict[str, asyncio.TimerHandle] = {}
        self._ends = 0.0
        self._timestamp = 0

    # --- the socket -------------------------------------------------------------------------------

    async def deliver(
        self, take: Callable[[str | bytes], None], settle: Callable[[], None]
    ) -> None:
        while (message := await self.incoming.get()) is not None:
            take(message)
            settle()

    def send_now(self, message: str) -> bool:
        self._take(message)
        return True

    async def send(self, message: str) -> None:
        self._take(message)

    def _take(self, message: str) -> None:
        now, body = self.loop.time(), json.loads(message)
        self.sent.append((now, body))
        if body["event"] == "media":
            begins = max(now, self._ends)
            self._ends = begins + len(base64.b64decode(body["media"]["payload"])) / 8000
            self.played.append((begins, self._ends))
        elif body["event"] == "mark":
            name = body["mark"]["name"]
            self._pending[name] = self.loop.call_at(max(now, self._ends), self._echo, name)
        else:
            self._ends = now
            self.played = [(begin, min(end, now)) for begin, end in self.played if begin < now]
            for name, timer in list(self._pending.items()):
                timer.cancel()
                self._echo(name)

    async def close(self) -> None:
        if self.closed_at is None:
            self.closed_at = self.loop.time()

    def _echo(self, name: str) -> None:
        del self._pending[name]
        self.say({"event": "mark", "streamSid": "MZ1", "mark": {"name": name}})

    # --- the caller -------------------------------------------------------------------------------

    def say(self, body: dict[str, Any]) -> None:
        self.incoming.put_nowait(json.dumps(body))

    async def speak(self, ms: int, frame: bytes = VOICE) -> None:
        """Send frames of sound for so long, at real speed."""
        for _ in range(ms // 20):
            self.blurt(20, frame)
            await asyncio.sleep(0.02)

    def blurt(self, ms: int, frame: bytes = VOICE) -> None:
        """Send them all at once: they come late."""
        payload = base64.b64encode(frame).decode()
        for _ in range(ms // 20):
            media = {"track": "inbound", "timestamp": str(self._timestamp), "payload": payload}
            self.say({"event": "media", "streamSid": "MZ1", "media": media})
            self._timestamp += 20

    async def listen(self, ms: int) -> None:
        await self.speak(ms, SILENCE)

    def hang_up(self) -> None:
        self.say({"event": "stop", "streamSid": "MZ1", "stop": {}})

    # --- what happened ----------------------------------------------------------------------------

    def events(self, name: str) -> list[float]:
        """When messages of this kind arrived."""
        return [at for at, body in self.sent if body["event"] == name]

    @property
    def silent_from(self) -> float:
        """When the last sound so far ends, or ended."""
        return self.played[-1][1] if self.played else 0.0


class FakeSegmenter:
    """Three voiced frames begin an utterance, ten silent ones end it."""

    def __init__(self) -> None:
        self._utterance = self._voiced = self._silent = 0
        self._speaking = False

    def hear_soon(self, frame: bytes) -> None: ...

    def hear(self, frame: bytes) -> SpeechStarted | SpeechStopped | None:
        voiced = frame[0] != 0xFF
        self._voiced = self._voiced + 1 if voiced else 0
        self._silent = 0 if voiced else self._silent + 1
        if not self._speaking and self._voiced == 3:
            self._speaking = True
            self._utterance += 1
            return SpeechStarted(self._utterance, voiced_ms=60)
        if self._speaking and self._silent == 10:
            self._speaking = False
            return SpeechStopped(self._utterance, silence_ms=200)
        return None


class FakeTranscriber:
    """Hears the given words, one entry for each utterance, 50 ms after its end."""

    batch_frames = 1

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words

    async def run(self, emit: Emit) -> None:
        self._emit = emit

    def hear(self, audio: bytes) -> None: ...

    def speech_started(self, utterance: int, voiced_ms: int) -> None: ...

    def speech_stopped(self, utterance: int) -> None:
        final = TranscriptFinal(utterance, utterance, self._words[utterance - 1])
        asyncio.get_running_loop().call_later(0.05, self._emit, final)

    def turn_committed(self) -> None: ...


class FakeBrain:
    """Gives the scripted items, one list for each reply, after a pause for thought."""

    def __init__(self, answers: Sequence[Sequence[BrainEvent | Exception]], think_s: float) -> None:
        self._answers = iter(answers)
        self._think_s = think_s
        self.asked: list[tuple[str, ...]] = []
        self.prepared: list[tuple[str, ...]] = []
        self.open = 0

    def prepare(self, turns: Sequence[Turn]) -> None:
        self.prepared.append(tuple(turn.text for turn in turns))

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        self.asked.append(tuple(turn.text for turn in turns))
        self.open += 1
        try:
            await asyncio.sleep(self._think_s)
            for item in next(self._answers):
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self.open -= 1

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        begun = [turn.text for turn in turns if turn.text.startswith("message")]
        return message(begun[0], "", "", complete="no") if begun else None


class FakeVoice:
    """Speaks 50 ms for each character, as soon as it is asked."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        async for phrase in phrases:
            say(SpokenAudio(sound(phrase), phrase))


def lines() -> Lines:
    """Each standing line is its purpose's name; all are rendered ahead."""
    texts = {purpose: purpose.value for purpose in Purpose if purpose is not Purpose.ANSWER}
    audio = {text: sound(text) for text in [*texts.values(), "moment"]}
    return Lines(texts, "moment", audio)


def engine(
    words: Sequence[str],
    answers: Sequence[Sequence[BrainEvent | Exception]],
    think_s: float = 0.1,
    desk: Desk | None = None,
) -> tuple[CascadeEngine, FakeBrain]:
    """A cascade whose ears, brain and voice do what the test says."""
    brain = FakeBrain(answers, think_s)
    parts = FakeSegmenter(), FakeTranscriber(words), brain, FakeVoice(), lines()
    return CascadeEngine(*parts, work=ToolWork(desk or FakeDesk())), brain
