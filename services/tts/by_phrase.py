"""Speaking with a vendor that takes one request per phrase and streams its audio back. No timing
comes with it, so which words are in which part of the audio is not known exactly.

Therefore a phrase is held back until all of it has come, as long as nobody has to wait for it: the
vendors speak many times faster than a telephone plays. If it breaks off before, nothing of it was
said and another voice can say it whole. A phrase that is late is given out as it comes, cut where
its words should begin at the pace of the phrases before; only then may a break cost a word.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from services.audio.mulaw import BYTES_PER_MS, SILENCE
from services.tts import Say, SpokenAudio
from services.tts.alignment import Pace, WordCutter
from services.tts.speakable import speakable
from services.tts.tasks import ended
from services.vendors import Reports, VendorError

HOLD_S = 0.25
"""How long after its first byte a phrase may be held back while the caller waits for it."""
_LEAD_S = 0.4  # audio not yet played, below which the caller would soon wait

Stream = Callable[[str, str], AsyncGenerator[bytes]]
"""(text, text before it) -> mu-law audio as it comes. Raises VendorError."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Deadlines in s: from the request to its first audio, and between two pieces of audio."""

    first_audio_s: float
    stall_s: float = 1.5


class _Line:
    """The audio of a reply on its way, and until when the caller has something to hear."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._loop = asyncio.get_running_loop()
        self.plays_until = 0.0

    @property
    def now(self) -> float:
        return self._loop.time()

    def say(self, *parts: SpokenAudio) -> None:
        for part in parts:
            length_s = len(part.audio) / BYTES_PER_MS / 1000
            self.plays_until = max(self.plays_until, self.now) + length_s
        if parts:
            self._say(*parts)


class PhraseVoice:
    """A voice and a renderer, made of a vendor's ``stream``."""

    def __init__(
        self,
        vendor: str,
        stream: Stream,
        patience: Patience,
        reports: Reports,
        region: str,
        language: str = "en",
    ) -> None:
        self._vendor = vendor
        self._stream = stream
        self._patience = patience
        self._reports = reports
        self._region = region
        self._language = language
        self._pace = Pace()

    async def run(self) -> None:
        """Nothing is kept open for a call."""
        await asyncio.Event().wait()

    def spoken(self, text: str) -> str:
        """What the vendor is asked to say for ``text``; empty if there is nothing to say."""
        return speakable(text, self._region, language=self._language)

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        """As ``Voice.speak``."""
        before = ""
        line = _Line(say)
        async for phrase in phrases:
            said = self.spoken(phrase)
            if not said:
                line.say(SpokenAudio(SILENCE, phrase))
                continue
            self._reports.step(self._vendor, "request", reply)
            heard = functools.partial(self._reports.step, self._vendor, "first audio", reply)
            await self._say(phrase, said, before, line, heard)
            before = f"{before} {said}".strip()

    async def render(self, text: str) -> bytes:
        """All of ``text``. Raises VendorError."""
        said = self.spoken(text)
        if not said:
            return SILENCE
        audio = b"".join([chunk async for chunk in self._in_time(said, "")])
        self._pace.learn(said, len(audio))
        return audio

    async def _say(
        self, phrase: str, said: str, before: str, line: _Line, heard: Callable[[], None]
    ) -> None:
        """Speak one phrase. ``heard`` is called at its first audio."""
        cutter: WordCutter | None = None
        held = bytearray()
        needed_at = size = 0.0
        async with aclosing(self._in_time(said, before)) as chunks:
            async for chunk in chunks:
                if not size:
                    heard()
                    needed_at = max(line.now + HOLD_S, line.plays_until - _LEAD_S)
                size += len(chunk)
                held += chunk
                if line.now < needed_at:
                    continue
                if cutter is None:
                    cutter = WordCutter(self._pace)
                    cutter.expect(phrase, said)
                line.say(*cutter.hear(bytes(held)))
                held.clear()
        self._pace.learn(said, int(size))
        if cutter is None:
            line.say(SpokenAudio(bytes(held), phrase))
        else:
            line.say(*cutter.hear(bytes(held)), *cutter.finish())

    async def _in_time(self, said: str, before: str) -> AsyncGenerator[bytes]:
        """The audio; VendorError if it does not come in time, or not at all.

        The request lives in a task of its own, which is cancelled once: a caller who interrupts and
        hangs up cancels us twice, and the HTTP libraries leave a connection open for good if they
        are stopped while they close it.
        """
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[bytes] = asyncio.Queue()
        pulling = asyncio.create_task(_pull(self._stream(said, before), chunks), name="request")
        began = False
        try:
            while True:
                limit = self._patience.stall_s if began else self._patience.first_audio_s
                try:
                    async with asyncio.timeout_at(loop.time() + limit):
                        chunk = await chunks.get()
                except TimeoutError:
                    code = "stall" if began else "first audio timeout"
                    raise VendorError(self._vendor, "speak", code, at_once=True) from None
                if not chunk:
                    break
                began = True
                yield chunk
            await self._outcome(pulling, began=began)
        finally:
            await ended(pulling)

    async def _outcome(self, pulling: asyncio.Task[None], *, began: bool) -> None:
        """Raises VendorError if the request failed, or brought nothing."""
        try:
            await pulling
        except ValueError:  # of the HTTP library: such a header cannot be sent
            code = "malformed" if began else "bad key"
            raise VendorError(self._vendor, "request", code, at_once=not began) from None
        if not began:
            raise VendorError(self._vendor, "speak", "no audio")


async def _pull(stream: AsyncGenerator[bytes], into: asyncio.Queue[bytes]) -> None:
    """The chunks of a stream, and an empty one when it has ended or failed."""
    try:
        async with aclosing(stream):
            async for chunk in stream:
                if chunk:
                    into.put_nowait(chunk)
    finally:
        into.put_nowait(b"")


def check_is_audio(vendor: str, content_type: str) -> None:
    """Raises VendorError for a page of text that a proxy answers in the vendor's place."""
    if content_type.startswith(("text/", "application/json")):
        raise VendorError(vendor, "speak", "malformed")
