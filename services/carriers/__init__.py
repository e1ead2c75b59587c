"""Carriers: one file each, pure codecs between wire messages and the core's vocabulary.

A codec holds no socket, reads no clock and never waits. Whatever a peer sends, ``parse`` either
returns a typed message or ``None`` ("not for us"); it raises nothing but :class:`BadMessage`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.call.events import DigitPressed, MarkPlayed


class BadMessage(ValueError):
    """A message that breaks the carrier's protocol; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class StreamConnected:
    """The first message of a stream, before its details are known."""


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The stream's details. ``parameters`` are ours: what the webhook's answer carried."""

    stream_id: str
    call_id: str
    parameters: Mapping[str, str]


@dataclass(slots=True)  # not frozen: 50 are made a second, and freezing doubles their cost
class MediaReceived:
    """Caller audio: mu-law 8 kHz, any length; ``timestamp_ms`` is its place in the stream."""

    timestamp_ms: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The carrier ended the stream. The call itself may live on (a transfer)."""


CarrierMessage = (
    StreamConnected | StreamStarted | MediaReceived | StreamStopped | DigitPressed | MarkPlayed
)


class Carrier(Protocol):
    """What the shell needs of a carrier's codec. One per socket: it knows its stream's id."""

    def parse(self, message: str) -> CarrierMessage | None:
        """One text message from the carrier; ``None`` if it is none of our business.

        Raises BadMessage if it breaks the protocol. After ``StreamStarted`` the encoders work.
        """

    def media(self, audio: bytes) -> str:
        """A message that hands over audio: mu-law 8 kHz, a multiple of 160 bytes."""

    def mark(self, name: str) -> str:
        """A message that asks for an echo once everything before it has been played."""

    def clear(self) -> str:
        """A message that empties the carrier's playback queue."""
