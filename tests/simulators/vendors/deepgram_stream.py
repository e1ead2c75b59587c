"""What both of Deepgram's sockets do alike: audio block by block, and commands as JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.simulators.vendors.deepgram_ears import Change, Ears, Stretch
from tests.simulators.vendors.deepgram_socket import Outbox


@dataclass(frozen=True, slots=True)
class Latencies:
    """How long after the audio came in, or after what was asked for, a message is sent: ms."""

    interim_ms: float = 60
    final_ms: float = 60
    file_ms: float = 300


@dataclass(frozen=True, slots=True)
class Told:
    """Where a stream tells what it got: ``note`` for the log, ``wrong`` for a client's mistakes."""

    note: Callable[[str], None]
    wrong: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Link:
    """What one stream hears with, and how it answers."""

    ears: Ears
    outbox: Outbox
    latencies: Latencies
    told: Told
    request_id: str


class LinkedStream(ABC):
    """A stream; its subclasses decide what the audio and the commands mean."""

    commands: frozenset[str]

    def __init__(self, link: Link) -> None:
        self._ears = link.ears
        self._outbox = link.outbox
        self._latencies = link.latencies
        self._told = link.told
        self._request_id = link.request_id
        self._closed = False

    def audio(self, data: bytes) -> None:
        """A binary frame with something in it."""
        if self._closed:
            self._told.wrong("audio after CloseStream")
            return
        if data.startswith(b'{"type"'):
            self._told.wrong("a command in a binary frame")
        for block in self._ears.blocks(data):
            change = self._ears.hear(block)
            if change is Change.STARTED and self._ears.stretch is not None:
                self._hear(self._ears.stretch)
            self._tick()

    def text(self, data: str) -> None:
        """A text frame."""
        try:
            message = json.loads(data)
            kind = message["type"]
            assert kind in self.commands
        except (ValueError, TypeError, KeyError, AssertionError):
            self._told.wrong(f"not a command: {data[:80]}")
            self._refuse(data)
            return
        if self._closed and kind != "KeepAlive":
            self._told.wrong(f"{kind} after CloseStream")
        else:
            self._told.note(_NOTES[kind])
            self._obey(kind, message, data)

    # --- for the subclasses -----------------------------------------------------------------------

    @abstractmethod
    def _hear(self, stretch: Stretch) -> None:
        """Speech begins."""

    @abstractmethod
    def _tick(self) -> None:
        """What is due at this moment of the audio."""

    @abstractmethod
    def _refuse(self, data: str) -> None:
        """A text that is no command."""

    @abstractmethod
    def _obey(self, kind: str, message: dict[str, Any], data: str) -> None:
        """A command; ``data``: as it came."""


_NOTES = {
    "KeepAlive": "keepalive",
    "Finalize": "finalize",
    "ForceEndTurn": "force end turn",
    "CloseStream": "close stream",
    "Configure": "configure",
}
"""Command -> what is noted of it."""
