"""What may be claimed of a reply: kept apart from the core's own ledger, to check that one by.

Positions are bytes of the reply's audio (mu-law 8 kHz). What was played of it is at most what the
time since it was sent allows, and at most the first mark that is still owed; beyond that only what
may have been played while an echo as late as those before was on its way.
"""

from __future__ import annotations

from services.call.effects import SendAudio

BYTES_PER_S = 8000
SLACK = 16
"""Rounding, in bytes."""


class Ledger:
    """One reply: what was said to be in it, what was sent, and what can have been heard."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.guarded_to = 0
        """The byte up to which it may not be interrupted."""
        self._produced = self._sent = self._claimable = 0
        self._ends = self._due = 0.0
        self._late = 0
        self._pending: dict[str, int] = {}

    def produced(self, text: str, size: int, *, is_guarded: bool = False) -> None:
        self.words += text.split()
        self._produced += size
        if is_guarded and size:
            self.guarded_to = self._produced

    def sent(self, effect: SendAudio, now: float) -> None:
        if effect.offset != self._sent:  # it speaks on
            self._sent, self._ends = effect.offset, now
        self._sent += len(effect.audio)
        self._ends = self._due = max(now, self._ends) + len(effect.audio) / BYTES_PER_S

    def marked(self, mark: str) -> None:
        self._pending[mark] = self._sent

    def echoed(self, mark: str, now: float) -> None:
        if (position := self._pending.get(mark)) is not None:
            self._pending = {name: at for name, at in self._pending.items() if at > position}
            self._claimable = max(self._claimable, position)
            ends = now + (self._sent - position) / BYTES_PER_S
            self._late = max(self._late, round((ends - self._ends) * BYTES_PER_S))
            self._ends = min(self._ends, ends)

    def cleared(self, now: float) -> None:
        """What is owed now means thrown away."""
        first_owed = min(self._pending.values(), default=self._sent) + self._late
        self._claimable = max(self._claimable, min(first_owed, self.position(now)))
        self._pending.clear()
        self._ends = now

    def waited_in_vain(self, now: float, grace_s: float) -> None:
        """The clock: marks that are so late count as echoed."""
        if now >= self._due + grace_s - 1e-6:
            self._claimable = max(self._claimable, self._sent)
            self._pending.clear()

    def position(self, now: float) -> int:
        """The byte that playback has come to, if nothing delays it."""
        return self._sent - round(max(0.0, self._ends - now) * BYTES_PER_S)

    def may_claim(self, heard_ms: int) -> bool:
        return heard_ms * BYTES_PER_S // 1000 <= self._claimable + SLACK
