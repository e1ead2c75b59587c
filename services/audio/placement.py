"""Carrier audio onto the media clock: whole frames, in order, each moment exactly once.

Carriers send payloads of any size, repeat themselves, arrive late, leave gaps, and some send
nothing at all during silence. The timestamp says where audio belongs; its arrival says nothing.
What leaves here has no holes and no repeats, so that whoever counts frames has a clock.
"""

from __future__ import annotations

from services.audio.mulaw import (
    BYTES_PER_MS,
    FRAME_BYTES,
    SILENCE,
    decode_pcm,
    encode_pcm,
    scale_pcm,
)

MAX_FILL_MS = 2000
"""The longest gap that is filled. Beyond it the clock jumps: a wild timestamp costs no memory."""

RESTART_MS = 1000
"""So much late audio in a row is not late: the carrier's clock has gone back. We follow it."""

JITTER_MS = 10
"""A smaller difference is rounding or jitter of the timestamps, neither gap nor overlap."""

_JITTER = JITTER_MS * BYTES_PER_MS
_FADE = (0.7, 0.5)
"""Lost audio begins as the frame before it, ever softer: recognisers stumble over holes."""


class Placement:
    """The media clock of one stream. It never raises and holds less than a frame."""

    def __init__(self) -> None:
        self._end: int | None = None  # of the audio so far, in bytes on the carrier's clock
        self._rest = b""  # placed, but not yet a whole frame
        self._last = SILENCE  # the last 20 ms of audio
        self._stalled = 0  # bytes of silence from stall() that no timestamp has explained yet
        self._late_since: int | None = None  # where the present row of late audio began
        self._dropped = 0
        self._filled = 0

    @property
    def dropped_ms(self) -> int:
        """Audio dropped so far because its moment had passed, in ms."""
        return self._dropped // BYTES_PER_MS

    @property
    def filled_ms(self) -> int:
        """Silence and repeated sound put in so far, in ms."""
        return self._filled // BYTES_PER_MS

    def place(self, timestamp_ms: int, audio: bytes) -> list[bytes]:
        """Put audio (mu-law, any length) where its timestamp says; returns the frames now complete.

        The first audio sets the clock. A moment that is there already is dropped; a gap is filled,
        less what :meth:`stall` has filled of it. Audio that follows on directly is never dropped,
        however late it came in.
        """
        if not audio:
            return []
        start = timestamp_ms * BYTES_PER_MS
        if start == self._end and len(audio) == FRAME_BYTES and not (self._rest or self._stalled):
            self._end = start + FRAME_BYTES  # as nearly always: the next frame, in time
            self._last = audio
            self._late_since = None
            return [audio]
        ahead = 0 if self._end is None else start - self._end
        if self._end is None or self._clock_went_back(start, ahead):
            self._end = start
        elif ahead < -_JITTER:
            self._dropped += min(-ahead, len(audio))
            audio = audio[-ahead:]
            if not audio:
                return []
        elif ahead > _JITTER:
            self._rest += self._bridge(ahead)
            self._end = start
        self._end += len(audio)
        self._late_since = None
        self._stalled = 0
        self._last = (self._last + audio[-FRAME_BYTES:])[-FRAME_BYTES:]
        return self._frames(audio)

    def stall(self, ms: int) -> list[bytes]:
        """The line has carried nothing for ``ms``: silence in its place, at most 2 s at a time.

        If it turns out to have been a gap, the gap is not filled twice; if the audio was only late,
        it is placed behind this silence, in full.
        """
        size = max(0, min(ms, MAX_FILL_MS)) * BYTES_PER_MS
        self._stalled += size
        self._filled += size
        return self._frames(_silence(size))

    def _clock_went_back(self, start: int, ahead: int) -> bool:
        """Whether late audio has gone on for so long that it is not late: see RESTART_MS."""
        if ahead >= -_JITTER:
            return False
        if self._late_since is None:
            self._late_since = start
        return start - self._late_since >= RESTART_MS * BYTES_PER_MS

    def _bridge(self, gap: int) -> bytes:
        """What stands in for a gap of so many bytes."""
        missing = max(0, min(gap - self._stalled, MAX_FILL_MS * BYTES_PER_MS))
        self._filled += missing
        if self._stalled:
            return _silence(missing)
        pcm = decode_pcm(self._last)
        fading = b"".join(encode_pcm(scale_pcm(pcm, gain)) for gain in _FADE)
        return fading[:missing] + _silence(missing - len(fading))

    def _frames(self, audio: bytes) -> list[bytes]:
        audio = self._rest + audio
        whole = len(audio) - len(audio) % FRAME_BYTES
        self._rest = audio[whole:]
        return [audio[at : at + FRAME_BYTES] for at in range(0, whole, FRAME_BYTES)]


def _silence(size: int) -> bytes:
    return SILENCE[:1] * size
