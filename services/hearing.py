"""The caller's audio of one call, on its way from the carrier's messages to the engine."""

from __future__ import annotations

from collections.abc import Callable

from services.audio.arrivals import MOST_S, Arrivals
from services.audio.mulaw import FRAME_MS
from services.audio.placement import Placement
from services.engines import Engine
from services.recording import Tape

FRAMES_PER_S = 1000 // FRAME_MS
AHEAD_S = 5.0
"""How far the caller's audio may run ahead of the clock. What is sent faster than people speak is
no call, and hearing it would take the event loop from everybody else's."""
STALL_AFTER_S = 0.2
"""A speaking caller's line without a frame for this long is taken as silent: some carriers send
nothing at all during silence, and a pause must still end the turn."""
MOST_LATE_MS = round(MOST_S * 1000)


class Hearing:
    """Takes what comes, message by message, and has it heard once for all messages of a round:
    other calls may have announced meanwhile what they will hear."""

    def __init__(self, engine: Engine, tape: Tape | None, now: Callable[[], float]) -> None:
        """``now``: seconds since the call's start."""
        self.placement = Placement()
        self.frames = 0
        """Heard so far."""
        self._engine = engine
        self._tape = tape
        self._now = now
        self._arrivals = Arrivals()
        self._unheard: list[bytes] = []
        self._unheard_ms: int | None = None  # the timestamp of their last message
        self._came_at = 0.0
        self._late_ms = 0
        self._allowed = 0
        self._stood_in = 0

    @property
    def late_ms(self) -> int:
        """How late the frame came that is being heard; 0 between frames. It is not believed without
        limit: some may stand in for a gap, and be no proof of a pause."""
        return min(max(0, self._late_ms), MOST_LATE_MS)

    def take(self, timestamp_ms: int, audio: bytes) -> None:
        """One message. 50 a second: nothing waits here."""
        frames = self.placement.place(timestamp_ms, audio)
        if frames:
            self._unheard_ms = timestamp_ms
        else:
            self._came_at = self._now()
        for frame in frames:
            if self.frames + len(self._unheard) < self._allowed:
                self._engine.hear_soon(frame)
            self._unheard.append(frame)

    def settle(self) -> None:
        """Hear what the messages brought."""
        if self._unheard_ms is None:
            return
        self._came_at = self._now()
        late_s = self._arrivals.late_s(self._unheard_ms, self._came_at)
        frames, self._unheard, self._unheard_ms = self._unheard, [], None
        self._hear(frames, round(late_s * 1000))

    def stand_in(self) -> None:
        """If nothing has come for a while, hear silence in its place."""
        missing = self._now() - self._came_at
        if missing >= STALL_AFTER_S:
            silence = self.placement.stall(int(missing * 1000))
            self._stood_in += len(silence)  # audio that is only late still comes, in full
            self._allowed += len(silence)
            self._hear(silence, late_ms=-FRAME_MS * len(silence))  # nobody knows what is late
            self._came_at = self._now()

    def _hear(self, frames: list[bytes], late_ms: int) -> None:
        """``late_ms``: how late the last of them came; those before it waited for it."""
        self._late_ms = late_ms + FRAME_MS * len(frames)
        for frame in frames:
            if self.frames >= self._allowed:  # look at the clock once in a few seconds
                by_clock = int((self._now() + AHEAD_S) * FRAMES_PER_S)
                self._allowed = by_clock + self._stood_in
                if self.frames >= self._allowed:
                    break
            self.frames += 1
            if self._tape:
                self._tape.caller(frame)
            self._late_ms -= FRAME_MS
            self._engine.hear(frame)
        self._late_ms = 0
