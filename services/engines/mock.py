"""Mock engines for wiring tests: no model, no vendor, and nothing that silence could upset.

The segmenter is the real one, so turns and barge-in can be tried. Every utterance is "heard" as the
same words, every answer is the same sentence, and the voice is a soft tone as long as the text.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from services.audio.mulaw import RATE_HZ, encode_pcm
from services.call.effects import Turn
from services.call.events import TranscriptFailed, TranscriptFinal
from services.llm import BrainEvent
from services.receptionist.tools import ToolRequest
from services.stt import Emit
from services.tts import Say, SpokenAudio

HEARD = "mock words"
ANSWER = "This is the mock engine. It hears that you speak, but not what you say."
MS_PER_CHARACTER = 60
_TONE_HZ = 400  # divides the rate: the tone repeats every 20 samples
_LOUDNESS = 2000  # of 32767


class MockTranscriber:
    """Hears the same words in every utterance."""

    batch_frames = 5

    async def run(self, emit: Emit) -> None:
        self._emit = emit

    def hear(self, audio: bytes) -> None:
        """The words do not depend on it."""

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        """The words come at the end."""

    def speech_stopped(self, utterance: int) -> None:
        self._emit(TranscriptFinal(utterance, utterance, HEARD))

    def turn_committed(self) -> None:
        """There is nothing to forget."""


class NoSegments:
    """Stands in where no stream is heard."""

    def hear(self, frame: bytes) -> None:
        """There is nothing to hear."""

    def hear_soon(self, frame: bytes) -> None:
        """Nor will there be."""


class DeafTranscriber(MockTranscriber):
    """Stands in where no recogniser is installed: says of every utterance that it was lost."""

    def speech_stopped(self, utterance: int) -> None:
        self._emit(TranscriptFailed(utterance, "no recogniser is installed"))


class MockBrain:
    """Gives the same answer to everything."""

    def prepare(self, turns: Sequence[Turn]) -> None:
        """There is nothing to prepare."""

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        yield ANSWER

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        return None


class ToneVoice:
    """Speaks a soft tone, 60 ms for each character."""

    name = "tone"

    def __init__(self) -> None:
        period = RATE_HZ // _TONE_HZ
        samples = (round(_LOUDNESS * math.sin(2 * math.pi * n / period)) for n in range(period))
        pcm = b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)
        self._period = encode_pcm(pcm)

    async def run(self) -> None:
        """Nothing is kept open for a call."""
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        async for phrase in phrases:
            say(SpokenAudio(await self.render(phrase), phrase))

    async def render(self, text: str) -> bytes:
        size = len(text) * MS_PER_CHARACTER * RATE_HZ // 1000
        repeats = -(-size // len(self._period))
        return (self._period * repeats)[:size]
