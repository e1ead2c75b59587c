"""What the tests of voices share: a reply's phrases in time, and what a caller gets of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from services.call.events import VendorEvent, VendorFailed, VendorStep
from services.tts import SpokenAudio, Voice
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from tests.simulators.vendors.legible import spell, text_of

__all__ = [
    "BAD_KEYS",
    "TEN",
    "Caller",
    "Failing",
    "Spelling",
    "Told",
    "breaker",
    "calling",
    "interrupt",
    "phrases",
    "words",
]

BAD_KEYS = ["secr\u00e9t", "\u043a\u043b\u044e\u0447", "secret\nX: 1", "secret\r\n", "a\0b"]
"""Keys that no header can hold."""

TEN = [
    "Yes, we are open on Saturdays,",
    "from nine in the morning until noon.",
    "Doctor Nguyen is in on Mondays and Thursdays.",
    "A first visit takes about forty minutes.",
    "Please bring the card of your insurance.",
    "There is parking right behind the house.",
    "The entrance is on Oak Street, next to the bakery.",
    "If you are late, please give us a call.",
    "We can also send you a text to remind you.",
    "Would you like me to take a message?",
]


class Told:
    """The vendor events of a call."""

    def __init__(self) -> None:
        self.events: list[VendorEvent] = []
        self.reports = Reports()
        self.reports.attach(self.events.append)

    @property
    def failures(self) -> list[str]:
        return [
            f"{event.vendor} {event.code}"
            for event in self.events
            if isinstance(event, VendorFailed)
        ]

    @property
    def steps(self) -> list[tuple[str, int]]:
        return [(event.step, event.reply) for event in self.events if isinstance(event, VendorStep)]


class Caller:
    """Takes the pieces of replies, with the times at which they came."""

    def __init__(self) -> None:
        self.parts: list[tuple[float, SpokenAudio]] = []

    def say(self, *parts: SpokenAudio) -> None:
        for part in parts:
            self._take(part)

    def _take(self, part: SpokenAudio) -> None:
        self.parts.append((asyncio.get_running_loop().time(), part))

    @property
    def heard(self) -> list[str]:
        """The words in the audio."""
        return text_of(b"".join(part.audio for _, part in self.parts)).split()

    @property
    def read(self) -> list[str]:
        """The words in the texts."""
        return " ".join(part.text for _, part in self.parts).split()

    def check_got(self, texts: Iterable[str]) -> None:
        """The texts were said and told, whole, once, and in their order."""
        assert self.read == words(texts)
        assert "".join(self.heard) == "".join(words(texts))  # requests end without a space

    def silence_ms(self) -> float:
        """The longest wait for audio while playing, in ms."""
        ends, worst = self.parts[0][0], 0.0
        for at, part in self.parts:
            worst = max(worst, at - ends)
            ends = max(at, ends) + len(part.audio) / 8000
        return worst * 1000


class Spelling:
    """A voice of last resort that cannot fail."""

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Any) -> None:
        async for phrase in phrases:
            say(SpokenAudio(spell(f"{phrase} "), phrase))


class Failing:
    """A voice that says so many words, and then fails."""

    def __init__(self, words: int, code: str = "500") -> None:
        self.words = words
        self.code = code
        self.asked = 0

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Any) -> None:
        self.asked += 1
        left = self.words
        async for phrase in phrases:
            for word in phrase.split()[:left]:
                say(SpokenAudio(spell(f"{word} "), word))
            left -= len(phrase.split())
            if left < 0:
                break
        raise VendorError("failing", "speak", self.code)


def breaker() -> Breaker:
    return Breaker("test", asyncio.get_running_loop().time)


async def phrases(
    texts: Iterable[str], every_s: float = 0.0, log: list[float] | None = None
) -> AsyncIterator[str]:
    """The phrases, one at a time; ``log`` gets when each was given out."""
    for number, text in enumerate(texts):
        if number and every_s:
            await asyncio.sleep(every_s)
        if log is not None:
            log.append(asyncio.get_running_loop().time())
        yield text


async def interrupt(speaking: asyncio.Task[Any], again_after: int | None = None) -> None:
    """A barge-in. ``again_after``: so many turns of the loop later the call ends, too."""
    speaking.cancel()
    if again_after is not None:
        for _ in range(again_after):
            await asyncio.sleep(0)
        speaking.cancel()
    await asyncio.wait({speaking})


def words(texts: Iterable[str]) -> list[str]:
    return " ".join(texts).split()


@asynccontextmanager
async def calling(voice: Voice) -> AsyncIterator[None]:
    """A call with this voice."""
    run: Coroutine[Any, Any, None] = voice.run()
    running = asyncio.create_task(run)
    await asyncio.sleep(0.1)
    try:
        yield
        assert not running.done(), "run never ends by itself"
    finally:
        running.cancel()
        await asyncio.wait({running})
