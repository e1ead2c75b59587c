"""Is a sound over the agent to be believed, or does this line make sounds of its own?

The agent's echo and other people's talk set off the voice detection like a caller does. An agent
that falls silent for each of them stutters, and each time it speaks on, its echo comes anew. So
after sounds that held no words of the caller's, the next is not believed before there are some.
"""

from __future__ import annotations

from dataclasses import dataclass

EARLY_S = 1.2
"""An echo begins with what it echoes; the detection and the line take their time."""
_ENOUGH = 2
_CALM_S = 3.0
"""The agent spoke so long and nothing was heard: the line is quiet again."""

_STALE_S = 8.0
"""Nothing was doubted for so long: what was before says nothing of this sound."""


@dataclass(slots=True)
class Doubt:
    """What came of the last sounds over the agent. Times in seconds on the clock of ``now``."""

    in_vain: int = 0
    _was_early: bool = False
    _since: float = 0.0

    def of_sound(self, now: float, speaks_since: float) -> bool:
        """A sound over the agent, which has spoken since then: is it to be doubted?"""
        quiet_s = now - self._since
        if quiet_s >= _STALE_S or quiet_s >= _CALM_S <= now - speaks_since:
            self.in_vain = 0
        self._since = now
        is_early = now - speaks_since < EARLY_S
        is_doubtful = self.in_vain >= _ENOUGH or (self.in_vain > 0 and is_early)
        self._was_early = is_early
        return is_doubtful

    def was_nothing(self, now: float) -> None:
        """The sound is over and held no words, or the agent's own."""
        self._since = now
        if self._was_early or self.in_vain:
            self.in_vain += 1

    def was_caller(self) -> None:
        """The agent fell silent for it, and it held words of the caller's."""
        self.in_vain = max(0, self.in_vain - 1)

    @property
    def is_there(self) -> bool:
        """Whether even a word or two that repeat the agent's are hardly the caller's."""
        return self.in_vain > 0
