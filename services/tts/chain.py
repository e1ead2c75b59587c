"""The voices of a call in the order in which they are asked.

When one fails in the middle of a reply, the next goes on with the first word that was not said. A
voice whose breaker is open is passed over; the last one is always asked, because after it there is
only silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from services.tts import Say, SpokenAudio, Voice
from services.tts.elevenlabs import NotOpen
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
        taken = _Taken(phrases)
        said = _Said(say)
        taking = asyncio.create_task(taken.take(), name="take phrases")
        try:
            await self._speak(reply, taken, said)
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)

    async def _speak(self, reply: int, taken: _Taken, said: _Said) -> None:
        *_, (last, _) = self._voices
        for voice, breaker in self._voices:
            if not breaker.allows() and voice is not last:
                continue
            words = said.words
            try:
                async with aclosing(taken.after(words)) as rest:
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
                raise
            else:
                breaker.succeeded()
                return


class _Said:
    """Counts the words that were said on their way."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self.words = 0

    def say(self, part: SpokenAudio) -> None:
        self.words += len(part.text.split())
        self._say(part)


class _Taken:
    """The phrases of a reply as they come, kept for the next voice."""

    def __init__(self, phrases: AsyncIterator[str]) -> None:
        self._source = phrases
        self._phrases: list[str] = []
        self._more = asyncio.Event()
        self._ended = False
        self._error: Exception | None = None

    async def take(self) -> None:
        """In a task of its own: a voice that is stopped while it waits for a phrase would end the
        iterator, if that is a generator, and with it the reply."""
        try:
            async for phrase in self._source:
                self._phrases.append(phrase)
                self._more.set()
        except Exception as error:
            self._error = error
        finally:
            self._ended = True
            self._more.set()

    async def after(self, words: int) -> AsyncGenerator[str]:
        """The phrases without the first ``words`` words."""
        index = 0
        while True:
            while index < len(self._phrases):
                phrase = self._phrases[index]
                index += 1
                if not words:
                    yield phrase
                elif words < len(left := phrase.split()):
                    left, words = left[words:], 0
                    yield " ".join(left)
                else:
                    words -= len(left)
            if self._ended:
                break
            self._more.clear()
            await self._more.wait()
        if self._error:
            raise self._error
