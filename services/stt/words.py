"""Words for a stretch of audio: what can be asked once the audio is there, and in what order.

A live recogniser is one way to words; each of these is another. They serve as the transcriber of a
call by themselves (``utterances``), or help out when a live one fails (``chain``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.audio.mulaw import RATE_HZ
from services.stt.turn_audio import Piece
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker


class Words(Protocol):
    """A recogniser of whole stretches of speech: one for all calls, or a call's choice of them."""

    name: str
    """The vendor, as the journal calls it."""

    @property
    def idle(self) -> bool:
        """Whether a guess that nobody needs would cost neither money nor anybody's time now."""

    async def words(self, pieces: Sequence[Piece]) -> str:
        """The words in a turn's audio; "" if there are none. Raises VendorError."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to words. ``deadline_s``: when it has failed, and ``longer_s`` more for each second
    of audio; ``patience_s``: after which the next way is tried as well."""

    recogniser: Words
    breaker: Breaker
    deadline_s: float = 0.8
    patience_s: float = 0.35
    longer_s: float = 0.05


class FirstWords:
    """Several ways, in order of preference; the first answer counts. For one call."""

    name = "speech to text"

    def __init__(self, ways: Sequence[Way], reports: Reports) -> None:
        self._ways = tuple(ways)
        self._reports = reports

    @property
    def idle(self) -> bool:
        return bool(self._ways) and self._ways[0].recogniser.idle

    def besides(self, vendor: str) -> FirstWords:
        """The ways of other vendors; all, if there are no others."""
        others = [way for way in self._ways if way.recogniser.name != vendor]
        return FirstWords(others or self._ways, self._reports)

    async def words(self, pieces: Sequence[Piece]) -> str:
        """The next way is tried when one has failed, and beside one that is slow. A way that was
        overtaken counts as failed. If every breaker refuses, the last way is asked all the same:
        without it nobody would be heard at all."""
        if not pieces:
            return ""
        tried: list[tuple[Way, asyncio.Task[str]]] = []
        try:
            for way in self._ways:
                if not way.breaker.allows() and (tried or way is not self._ways[-1]):
                    continue
                tried.append((way, asyncio.create_task(self._ask(way, pieces))))
                if (text := await _first(tried, way.patience_s)) is not None:
                    return self._won(tried, text)
            if (text := await _first(tried, None)) is not None:
                return self._won(tried, text)
        finally:
            for _, task in tried:
                task.cancel()
            await asyncio.gather(*(task for _, task in tried), return_exceptions=True)
        raise VendorError(self.name, "transcribe", _codes(tried))

    async def _ask(self, way: Way, pieces: Sequence[Piece]) -> str:
        name = way.recogniser.name
        audio_s = sum(len(piece.audio) for piece in pieces) / RATE_HZ
        self._reports.step(name, "transcribe")
        try:
            async with asyncio.timeout(way.deadline_s + way.longer_s * audio_s):
                text = await way.recogniser.words(pieces)
        except TimeoutError:
            error = VendorError(name, "transcribe", "timeout", at_once=True)
        except VendorError as own:
            error = own
        else:
            way.breaker.succeeded()
            return text
        self._failed(way, error)
        raise error

    def _won(self, tried: Sequence[tuple[Way, asyncio.Task[str]]], text: str) -> str:
        for way, task in tried:
            if _answer(task) is not None:
                break
            if not task.done():
                self._failed(way, VendorError(way.recogniser.name, "transcribe", "overtaken"))
        return text

    def _failed(self, way: Way, error: VendorError) -> None:
        way.breaker.failed(error)
        self._reports.failed(error)


async def _first(
    tried: Sequence[tuple[Way, asyncio.Task[str]]], patience_s: float | None
) -> str | None:
    """The first answer within so many seconds; None if there is none, or none can come."""
    loop = asyncio.get_running_loop()
    until = None if patience_s is None else loop.time() + patience_s
    while True:
        for _, task in tried:
            if (text := _answer(task)) is not None:
                return text
        running = [task for _, task in tried if not task.done()]
        left = None if until is None else until - loop.time()
        if not running or (left is not None and left <= 0):
            return None
        await asyncio.wait(running, timeout=left, return_when=asyncio.FIRST_COMPLETED)


def _answer(task: asyncio.Task[str]) -> str | None:
    if not task.done() or task.cancelled() or task.exception():
        return None
    return task.result()


def _codes(tried: Sequence[tuple[Way, asyncio.Task[str]]]) -> str:
    """What the ways failed of."""
    errors = (task.exception() for _, task in tried if task.done() and not task.cancelled())
    codes = [error.code for error in errors if isinstance(error, VendorError)]
    return ", ".join(codes) or "no recogniser"
