"""The caller's audio on its way to a recogniser's socket, kept until its words are certain. Pure.

Audio is named by its place: how many bytes of the call came before it (8 are 1 ms). A socket that
is lost costs nothing but time: the next one begins with the oldest audio that is still kept.
"""

from __future__ import annotations

from services.audio.mulaw import BYTES_PER_MS

IDLE_MS = 2_000
"""What is kept while nobody speaks: a word may have begun before it was noticed."""
LONGEST_MS = 35_000
"""What is kept at most: no turn is longer."""


class Backlog:
    """The last stretch of a call's audio, mu-law."""

    def __init__(self) -> None:
        self.begin = 0
        """The place of the oldest audio kept."""
        self._kept = bytearray()

    @property
    def end(self) -> int:
        """The place of the next frame."""
        return self.begin + len(self._kept)

    def hear(self, audio: bytes) -> None:
        """The next frames."""
        self._kept += audio

    def take(self, begin: int, end: int) -> bytes:
        """The audio between two places; both must be among those kept."""
        return bytes(self._kept[begin - self.begin : end - self.begin])

    def release(self, before: int) -> None:
        """Nothing before this place is needed any more."""
        size = min(before, self.end) - self.begin
        if size > 0:
            del self._kept[:size]
            self.begin += size

    def trim(self, ms: int) -> None:
        """Keep no more than the last ``ms``."""
        self.release(self.end - ms * BYTES_PER_MS)
