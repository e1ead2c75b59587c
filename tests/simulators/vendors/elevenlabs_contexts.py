"""A context of the simulated ElevenLabs sockets: what it buffers, and how it speaks.

A single-context socket has one of them, a multi-context socket up to five.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from tests.simulators.mulaw import BYTES_PER_MS
from tests.simulators.vendors import legible
from tests.simulators.vendors.base import Fault, Trouble

Voice = Callable[[str], bytes]
"""Text to mu-law 8 kHz."""

SCHEDULE = (120, 160, 250, 290)
"""The default ``chunk_length_schedule``: characters that the buffer waits for."""
TRIGGER_CHARS = 50
"""What ``try_trigger_generation`` wants at least."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The audio of one message, ready to be sent. ``at_ms``: where it begins in its text."""

    audio: bytes
    encoded: str
    alignment: str
    at_ms: float


@dataclass
class Speech:
    """How the simulated voice sounds and how fast it is."""

    voice: Voice | None = None
    first_audio_ms: float = 120
    chunk_ms: float = 400
    speed: float = 20
    ms_per_char: int = legible.MS_PER_CHAR

    def __post_init__(self) -> None:
        self._render = lru_cache(maxsize=1024)(self._cut)
        self._rendered: set[str] = set()

    async def pieces(self, text: str) -> tuple[Piece, ...]:
        """The audio of ``text``, as the messages that will carry it."""
        if self.voice is None or text in self._rendered:
            return self._render(text)
        self._rendered.add(text)
        return await asyncio.get_running_loop().run_in_executor(None, self._render, text)

    def lasts(self, text: str, pieces: tuple[Piece, ...]) -> float:
        """Seconds from the first message to when the next text could be spoken."""
        return (pieces[-1].at_ms + len(pieces[-1].audio) / BYTES_PER_MS) / self.speed / 1000

    def _cut(self, text: str) -> tuple[Piece, ...]:
        audio = self.voice(text) if self.voice else legible.spell(text, self.ms_per_char)
        per_char = len(audio) / BYTES_PER_MS / len(text)
        pieces = []
        begin = 0
        for end in _ends(text, max(2, round(self.chunk_ms / per_char)) if per_char else len(text)):
            starts = [round((index - begin) * per_char) for index in range(begin, end + 1)]
            alignment = {
                "chars": list(text[begin:end]),
                "charStartTimesMs": starts[:-1],
                "charDurationsMs": [
                    b - a for a, b in zip(starts[:-1], starts[1:], strict=True)
                ],
            }  # fmt: skip
            part = audio[len(audio) * begin // len(text) : len(audio) * end // len(text)]
            encoded = base64.b64encode(part).decode()
            pieces.append(Piece(part, encoded, json.dumps(alignment), begin * per_char))
            begin = end
        return tuple(pieces)


def _ends(text: str, step: int) -> list[int]:
    """Where messages end: about every ``step`` characters, never at the edge of a word."""
    ends = []
    end = step
    while end < len(text):
        if text[end] == " " or text[end - 1] == " ":
            end += 1
            continue
        ends.append(end)
        end += step
    return [*ends, len(text)]


class Link(Protocol):
    """What a context needs of its socket."""

    speech: Speech

    async def send(self, message: str) -> None: ...
    async def strike(self, fault: Fault) -> None: ...
    def mute(self) -> None: ...
    def note(self, what: str, **detail: Any) -> None: ...


class Context:
    """Buffers text, speaks it piece by piece, says when it is done. ``name`` None: the only one."""

    def __init__(
        self,
        link: Link,
        name: str | None,
        *,
        auto_mode: bool,
        fault: Fault | None,
        settings: dict[str, Any],
    ) -> None:
        """``settings``: what its first message had and no later one may have."""
        self.name = name
        self.settings = settings
        self._link = link
        self._auto_mode = auto_mode
        self._fault = fault
        self._buffer = ""
        self._generated = 0
        self._sent = 0
        self._free_at = 0.0
        self._jobs: asyncio.Queue[tuple[str, float] | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self.input_at = self._loop.time()
        config = settings.get("generation_config") or {}
        self._schedule: tuple[int, ...] = tuple(config.get("chunk_length_schedule") or SCHEDULE)

    def touch(self) -> None:
        """The client did something for it: its inactivity begins anew."""
        self.input_at = self._loop.time()

    def add(self, text: str, *, flush: bool, trigger: bool = False) -> None:
        """Text for the buffer. Speaks it if told to, or if there is enough of it."""
        self._buffer += text if self._buffer or text.strip() else ""
        enough = self._schedule[min(self._generated, len(self._schedule) - 1)]
        if (
            flush
            or self._auto_mode
            or len(self._buffer) >= enough
            or (trigger and len(self._buffer) > TRIGGER_CHARS)
        ):
            self._generate()

    def close(self) -> str:
        """No more text. What was to be spoken still is; returns what was not and is dropped."""
        dropped, self._buffer = self._buffer.strip(), ""
        self._jobs.put_nowait(None)
        return dropped

    async def speak(self) -> None:
        """Lives as long as the context; sends its audio and, in the end, that it is final."""
        if self._fault is not None and self._fault.trouble is Trouble.STALL_FIRST:
            self._link.mute()
        while (job := await self._jobs.get()) is not None:
            await self._say(*job)
        if self._sent:
            await self._strike()
        end: dict[str, Any] = {"isFinal": True, "contextId": self.name}
        if self.name is None:
            end = {"audio": None, "isFinal": True}
        await self._link.send(json.dumps(end))
        self._link.note("final", context=self.name)

    def _generate(self) -> None:
        if self._buffer.strip():
            self._jobs.put_nowait((self._buffer, self._loop.time()))
            self._generated += 1
        self._buffer = ""

    async def _say(self, text: str, asked_at: float) -> None:
        speech = self._link.speech
        pieces = await speech.pieces(text)
        begin = max(asked_at + speech.first_audio_ms / 1000, self._free_at)
        self._free_at = begin + speech.lasts(text, pieces)
        for piece in pieces:
            due = begin + piece.at_ms / speech.speed / 1000
            if (wait := due - self._loop.time()) > 0:
                await asyncio.sleep(wait)
            if self._sent and await self._strike():
                continue
            await self._link.send(self._message(piece))
            if not self._sent:
                self._link.note("first audio", context=self.name)
            self._sent += 1

    def _message(self, piece: Piece) -> str:
        whose = '"isFinal":null' if self.name is None else f'"contextId":{json.dumps(self.name)}'
        return (
            f'{{"audio":"{piece.encoded}",{whose},"alignment":{piece.alignment},'
            f'"normalizedAlignment":{piece.alignment}}}'
        )

    async def _strike(self) -> bool:
        """Let the ordered fault happen, once. Returns whether a message was spoilt by it."""
        fault, self._fault = self._fault, None
        if fault is None:
            return False
        await self._link.strike(fault)
        return fault.trouble is Trouble.MALFORMED
