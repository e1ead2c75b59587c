"""The voices of a call in the order in which they are asked.

When one fails in the middle of a reply, the next goes on with the first word that was not said. A
voice whose breaker is open is passed over; the last one is always asked, because after it there is
only silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from services.tts import Say, SpokenAudio, Voice
from services.tts.elevenlabs import NotOpen
from services.tts.tasks import ended
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker


class VoiceChain:
    """The voice of one call, made of several."""

    def __init__(self, voices: Sequence[tuple[Voice, Breaker]], reports: Reports) -> None:
        """``voices``: at least one, the best first; the breakers are shared by all calls."""
        self._voices = voices
        self._reports = reports

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for voice, breaker in self._voices:
                tasks.create_task(voice.run(), name=f"voice {breaker.name}")

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        """As ``Voice.speak``. The voice takes the phrases from ``phrases`` itself: a task in
        between would let each of them wait for another round of the event loop.

        So the wait for a phrase may be cancelled, and another voice waits for it then. A generator
        would end by that, and the reply with it; it is read in a task.
        """
        if isinstance(phrases, AsyncGenerator):
            async with _read(phrases) as unbroken:
                await self._speak(reply, _Kept(unbroken), _Said(say))
        else:
            await self._speak(reply, _Kept(phrases), _Said(say))

    async def _speak(self, reply: int, kept: _Kept, said: _Said) -> None:
        *_, (last, _) = self._voices
        for voice, breaker in self._voices:
            if not breaker.allows() and voice is not last:
                continue
            words = said.words
            try:
                async with aclosing(kept.after(words)) as rest:
                    await voice.speak(reply, rest, said.say)
            except VendorError as error:
                if not isinstance(error, NotOpen):
                    breaker.failed(error)
                    self._reports.failed(error)
                if voice is last:
                    raise
            except asyncio.CancelledError:
                if said.words > words:
                    breaker.succeeded()  # it was interrupted, and it spoke
                else:
                    breaker.unanswered()
                raise
            else:
                breaker.succeeded()
                return


class _Said:
    """Counts the words that were said on their way."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.words = 0

    def say(self, *parts: SpokenAudio) -> None:
        self.words += sum(len(part.text.split()) for part in parts)
        self._say(*parts)


class _Kept:
    """The phrases of a reply on their way to a voice, kept for the next one."""

    def __init__(self, source: AsyncIterator[str]) -> None:
        self._source = source
        self._phrases: list[str] = []

    async def after(self, words: int) -> AsyncGenerator[str]:
        """The phrases without the first ``words`` words. Those were said, so they are kept."""
        for phrase in self._phrases:
            left = phrase.split()
            if words < len(left):
                yield " ".join(left[words:]) if words else phrase
            words = max(0, words - len(left))
        async for phrase in self._source:
            self._phrases.append(phrase)
            yield phrase


class _Unbroken(AsyncIterator[str]):
    """What a task has read. Waiting for more of it may be cancelled."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._error: Exception | None = None

    async def read(self, source: AsyncGenerator[str]) -> None:
        try:
            async for phrase in source:
                self._queue.put_nowait(phrase)
        except Exception as error:
            self._error = error
        finally:
            self._queue.put_nowait(None)

    async def __anext__(self) -> str:
        phrase = await self._queue.get()
        if phrase is not None:
            return phrase
        self._queue.put_nowait(None)  # it stays at its end
        raise self._error or StopAsyncIteration


@asynccontextmanager
async def _read(source: AsyncGenerator[str]) -> AsyncIterator[_Unbroken]:
    unbroken = _Unbroken()
    reading = asyncio.create_task(unbroken.read(source), name="read phrases")
    try:
        yield unbroken
    finally:
        await ended(reading)
