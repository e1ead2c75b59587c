"""Twilio's playback queue: what the caller hears, and when each mark is reached. Pure; ms.

Audio is played in order of arrival, each piece at ``max(now, end of the queue)``. ``clear`` empties
the queue and makes Twilio echo every pending mark at once. Source:
https://www.twilio.com/docs/voice/media-streams/websocket-messages ("mark", "clear").
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tests.simulators.mulaw import BYTES_PER_MS, quiet_codes

SPEECH_BRIDGE_MS = 400
"""A pause that is shorter belongs to the speech around it."""

_QUIET = quiet_codes(peak=330)  # about -40 dBFS
_PIECE = 160


@dataclass(slots=True)
class Run:
    """Audio that was played without a hole, from ``start_ms`` on."""

    start_ms: float
    audio: bytearray

    @property
    def end_ms(self) -> float:
        """When its last byte has been played."""
        return self.start_ms + len(self.audio) / BYTES_PER_MS


@dataclass(slots=True)
class Speech:
    """A stretch of audible agent audio, to a frame's accuracy; it may still lie in the future."""

    start_ms: float
    end_ms: float


class Playback:
    """The queue of one stream and the record of what came out of it.

    The live view (``speech``) is coarse and cheap; the report measures the sound itself.
    """

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.clears: list[float] = []
        self._speeches: list[Speech] = []
        self._marks: deque[tuple[float, str]] = deque()

    @property
    def end_ms(self) -> float:
        """When everything queued so far has been played."""
        return self.runs[-1].end_ms if self.runs else 0.0

    @property
    def speech(self) -> Speech | None:
        """The latest stretch of agent speech, queued audio included."""
        return self._speeches[-1] if self._speeches else None

    @property
    def next_mark_ms(self) -> float | None:
        """When the next pending mark is reached; None if none is pending."""
        return self._marks[0][0] if self._marks else None

    def media(self, now: float, audio: bytes) -> None:
        """Queue audio that arrived at ``now``."""
        if not self.runs or now > self.runs[-1].end_ms:
            self.runs.append(Run(now, bytearray()))
        run = self.runs[-1]
        start_ms = run.end_ms
        run.audio += audio
        self._note_speech(start_ms, audio)

    def mark(self, now: float, name: str) -> None:
        """Queue a mark behind everything that was queued before it."""
        self._marks.append((max(now, self.end_ms), name))

    def reached(self, now: float) -> list[str]:
        """The marks that have been reached and not yet been returned, in order."""
        names = []
        while self._marks and self._marks[0][0] <= now:
            names.append(self._marks.popleft()[1])
        return names

    def clear(self, now: float) -> list[str]:
        """Empty the queue. Returns all pending marks: Twilio echoes them at once, in order."""
        self.clears.append(now)
        self.cut(now)
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names

    def cut(self, now: float) -> float:
        """Stop playing at ``now``. Returns how many ms of agent speech will never be heard."""
        unheard = 0.0
        while self._speeches and self._speeches[-1].end_ms > now:
            speech = self._speeches[-1]
            unheard += speech.end_ms - max(now, speech.start_ms)
            speech.end_ms = now
            if speech.start_ms < now:
                break
            self._speeches.pop()
        if self.runs and self.runs[-1].end_ms > now:
            run = self.runs[-1]
            del run.audio[max(0, int((now - run.start_ms) * BYTES_PER_MS)) :]
            if not run.audio:
                self.runs.pop()
        return unheard

    def _note_speech(self, start_ms: float, audio: bytes) -> None:
        """Extend the stretches of speech; this runs for every message, so it must stay cheap."""
        for offset in range(0, len(audio), _PIECE):
            piece = audio[offset : offset + _PIECE]
            if len(piece.translate(None, _QUIET)) * 20 < len(piece):  # under 5 % loud samples
                continue
            begin = start_ms + offset / BYTES_PER_MS
            end = begin + len(piece) / BYTES_PER_MS
            if self._speeches and begin - self._speeches[-1].end_ms <= SPEECH_BRIDGE_MS:
                self._speeches[-1].end_ms = end
            else:
                self._speeches.append(Speech(begin, end))
