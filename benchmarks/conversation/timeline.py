"""What happened in one call, as the caller could hear it, and what the server believed of it.

All times are seconds on the phone's clock. Everything here is data: ``measures`` judges it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.conversation.script import Kind


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the caller's, and when it was said."""

    text: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Sound:
    """Something that came from the caller's side. ``chunks``: its audible stretches, in order.

    ``voiced_s``: from its first audible sample to its first voiced frame, if it has a voice.
    """

    kind: Kind
    label: str
    chunks: tuple[tuple[float, float], ...]
    words: tuple[Word, ...] = ()
    voiced_s: float = 0.0

    @property
    def begin(self) -> float:
        """Its first audible sample, or its first key."""
        return self.chunks[0][0]

    @property
    def end(self) -> float:
        """Its last audible sample, or its last key."""
        return self.chunks[-1][1]

    @property
    def voiced(self) -> float:
        """Its first voiced frame: from here on a listener can know that somebody speaks."""
        return self.begin + self.voiced_s

    @property
    def pauses(self) -> list[tuple[float, float]]:
        """The silences inside it."""
        return [(a[1], b[0]) for a, b in zip(self.chunks, self.chunks[1:], strict=False)]


@dataclass(frozen=True, slots=True)
class Played:
    """A stretch of one word of a reply that was audible at the phone without a break.

    ``first`` and ``last`` are frames of the word, of ``frames`` that it has. Reply 0 is a filler.
    """

    reply: int
    word: int
    first: int
    last: int
    frames: int
    begin: float
    end: float

    @property
    def is_whole(self) -> bool:
        """From its beginning to its end, give or take a frame."""
        return self.first == 0 and self.last >= self.frames - 2


@dataclass(slots=True)
class Reply:
    """A reply of the agent's. ``heard`` is what the server says was heard of it, "" if nothing."""

    number: int
    purpose: str
    started: float
    words: list[str] = field(default_factory=list)
    heard: str = ""
    cancelled: float | None = None


@dataclass(slots=True)
class Timeline:
    """One call. ``fixed_s``: what brain and voice take for first audio, whatever the policy."""

    scene: str
    family: str
    fixed_s: float
    sounds: list[Sound] = field(default_factory=list)
    played: list[Played] = field(default_factory=list)
    replies: dict[int, Reply] = field(default_factory=dict)
    commits: list[tuple[float, str]] = field(default_factory=list)
    clears: list[float] = field(default_factory=list)
    noisy: bool = False
    """Noise or echo lies under the whole call."""
    skipped: list[str] = field(default_factory=list)
    """What the caller could not do, because the agent did not speak or did not stop."""
    ended: float = 0.0
