"""One reply on its way: phrases from the brain to the voice, audio from the voice to the call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from services.audio.mulaw import BYTES_PER_MS
from services.call.alignment import CHARACTER_BYTES
from services.call.events import AudioProduced
from services.engines import Emit
from services.engines.guard import Guard
from services.tts import SpokenAudio

ENOUGH_S = 1.0
"""While so much is still to be heard, what follows is in time although it comes a little later."""
GATHER_S = 0.2
"""So long pieces of audio pile up then: together they cost little more than one."""
_BYTES_PER_S = BYTES_PER_MS * 1000
_CHARACTER_S = CHARACTER_BYTES / _BYTES_PER_S


class Speech(AsyncIterator[str]):
    """What is said in one reply. The voice iterates over its phrases."""

    def __init__(self, reply: int, emit: Emit, guard: Guard) -> None:
        self.reply = reply
        self.emit = emit
        self._guard = guard
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._gathered: list[SpokenAudio] = []
        self._gathering: asyncio.TimerHandle | None = None
        self._lasts_until = 0.0  # if all that was given out is played without a pause
        self.has_begun = False
        """Whether there is anything to say."""
        self.said_by = 0.0
        """When what was put here has been spoken, at the earliest, by its letters; on the loop's
        clock."""

    def put(self, *phrases: str) -> None:
        """Have these spoken."""
        for phrase in phrases:
            self.has_begun = True
            self._takes(len(phrase) * _CHARACTER_S)
            self._guard.plan(phrase)
            self._queue.put_nowait(phrase)

    def _takes(self, seconds: float) -> None:
        self.said_by = max(self.said_by, asyncio.get_running_loop().time()) + seconds

    def end(self) -> None:
        """There are no more."""
        self._queue.put_nowait(None)

    async def __anext__(self) -> str:
        phrase = await self._queue.get()
        if phrase is None:
            self._queue.put_nowait(None)  # it stays at its end
            raise StopAsyncIteration
        return phrase

    def say(self, *parts: SpokenAudio) -> None:
        """What the voice has spoken; what came together is one event."""
        self._gathered += parts
        if self._gathering:
            return
        loop = asyncio.get_running_loop()
        if self._lasts_until - loop.time() > ENOUGH_S:
            self._gathering = loop.call_later(GATHER_S, self.flush)
        else:
            self.flush()

    def flush(self) -> None:
        """Give out what has piled up."""
        parts = self._gathered
        self.drop()
        for is_guarded, run in self._guard.runs(parts):
            event = _produced(self.reply, run, is_guarded=is_guarded)
            self._lasts_until = max(self._lasts_until, asyncio.get_running_loop().time())
            self._lasts_until += len(event.audio) / _BYTES_PER_S
            self.emit(event)

    def drop(self) -> None:
        """What has piled up is not wanted any more."""
        self._gathered = []
        if self._gathering:
            self._gathering.cancel()
            self._gathering = None

    def say_lines(self, lines: Mapping[str, bytes]) -> None:
        """Parts of a line, out of the store."""
        self.has_begun = True
        self.flush()
        for text, audio in lines.items():
            is_guarded = bool(self._guard.cut(text))
            self._takes(len(audio) / _BYTES_PER_S)
            self.emit(AudioProduced(self.reply, audio, text, is_guarded=is_guarded))

    def parts(self, line: str) -> list[str]:
        """See ``Guard``."""
        return self._guard.parts(line)


def _produced(reply: int, parts: Sequence[SpokenAudio], *, is_guarded: bool) -> AudioProduced:
    if len(parts) == 1:
        return AudioProduced(reply, parts[0].audio, parts[0].text, is_guarded=is_guarded)
    spans = tuple((len(part.text), len(part.audio)) for part in parts)
    texts = " ".join(part.text for part in parts)
    return AudioProduced(reply, b"".join(part.audio for part in parts), texts, spans, is_guarded)
