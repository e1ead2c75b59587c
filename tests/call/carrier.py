"""A carrier on a virtual clock: the independent truth of what the caller heard.

It plays what it is sent at real time, in order. A mark is echoed when everything before it has been
played; a clear throws away the rest, and echoes all pending marks at once, as Twilio does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from services.call.effects import ClearPlayback, Effect, SendAudio, SendMark

BYTES_PER_S = 8000


@dataclass(slots=True)
class Stretch:
    """Audio of one reply, from byte ``offset`` on, audible from ``begins`` to ``ends`` (s)."""

    reply: int
    offset: int
    begins: float
    ends: float

    def end_byte(self, now: float) -> int:
        """The byte of the reply that playback has come to."""
        return self.offset + round((min(now, self.ends) - self.begins) * BYTES_PER_S)


class FakeCarrier:
    """``echo_after_s``: how late an echo comes in. ``loses_marks``: it echoes nothing at all."""

    def __init__(self, *, echo_after_s: float = 0.0, loses_marks: bool = False) -> None:
        self.stretches: list[Stretch] = []
        self.silent_from = 0.0
        self.is_prompt = not echo_after_s and not loses_marks
        self._echo_after_s = echo_after_s
        self._loses_marks = loses_marks
        self._pending: deque[tuple[float, str]] = deque()

    def perform(self, effect: Effect, now: float) -> None:
        match effect:
            case SendAudio(reply=reply, offset=offset, audio=audio):
                begins = max(now, self.silent_from)
                self.silent_from = begins + len(audio) / BYTES_PER_S
                self.stretches.append(Stretch(reply, offset, begins, self.silent_from))
            case SendMark(mark=mark) if not self._loses_marks:
                self._pending.append((max(now, self.silent_from), mark))
            case ClearPlayback():
                self._clear(now)

    def _clear(self, now: float) -> None:
        self.stretches = [stretch for stretch in self.stretches if stretch.begins < now]
        for stretch in self.stretches:
            stretch.ends = min(stretch.ends, now)
        self.silent_from = min(self.silent_from, now)
        self._pending = deque((min(due, now), mark) for due, mark in self._pending)

    def next_echo(self) -> float | None:
        """When the next echo comes in."""
        return self._pending[0][0] + self._echo_after_s if self._pending else None

    def echo(self) -> str:
        """The mark that is echoed then."""
        return self._pending.popleft()[1]

    def played(self, reply: int, now: float) -> list[tuple[int, int]]:
        """The stretches of a reply that were audible so far: (first byte, end byte), in order."""
        return [
            (stretch.offset, stretch.end_byte(now))
            for stretch in self.stretches
            if stretch.reply == reply and stretch.begins < now
        ]

    def furthest(self, reply: int, now: float) -> int:
        """The byte up to which a reply was ever audible."""
        return max((end for _, end in self.played(reply, now)), default=0)

    def is_audible(self, now: float) -> bool:
        return now < self.silent_from
