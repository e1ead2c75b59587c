"""What went over the wire in a call, kept raw: everything in it is measured afterwards.

Times are ms since the ``start`` message.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clip:
    """Something the caller says, rendered ahead: mu-law 8 kHz, and how it reads."""

    text: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class Spoken:
    """A clip and where it lies on the caller's clock."""

    clip: Clip
    first_packet: int
    start_ms: float
    end_ms: float


@dataclass(slots=True)
class Record:
    """One call. ``unheard_ms``: agent speech that was still queued when it ended."""

    spoken: list[Spoken] = field(default_factory=list)
    sent: list[tuple[int, float]] = field(default_factory=list)  # packet, when it left
    agent_media: list[tuple[float, int]] = field(default_factory=list)  # when it came, bytes
    keys_pressed: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    closed_by_server: bool = False
    ended_ms: float = 0.0
    unheard_ms: float = 0.0
