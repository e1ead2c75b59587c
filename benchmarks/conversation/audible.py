"""When the agent was audible, and what a measure is made of. Pure; times in seconds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.conversation.script import Kind
from benchmarks.conversation.timeline import Played, Sound, Timeline

STRETCH_GAP_S = 0.3
"""A longer silence than that between two sentences: the agent has paused."""
NEAR_S = 0.1
"""What is closer than this happens at the same moment."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One chance. ``value`` is what was measured, if there is a number to it; ``kind`` what kind of
    sound it was about, where that matters."""

    at: float
    what: str
    failed: bool = False
    value: float | None = None
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A reply, audible without a pause."""

    reply: int
    begin: float
    end: float


def stretches(call: Timeline) -> list[Stretch]:
    """When the agent was audible, in order. A clear ends a stretch, and so does a pause."""
    found: list[Stretch] = []
    for part in sorted(call.played, key=lambda each: each.begin):
        last = found[-1] if found else None
        if last and last.reply == part.reply and _follows_on(call, last.end, part.begin):
            found[-1] = Stretch(last.reply, last.begin, part.end)
        else:
            found.append(Stretch(part.reply, part.begin, part.end))
    return found


def _follows_on(call: Timeline, end: float, begin: float) -> bool:
    """Whether sound that ended and sound that begins are said in one go."""
    cleared = any(end - 1e-6 <= at <= begin for at in call.clears)
    return begin - end <= STRETCH_GAP_S and not cleared


def audible_at(call: Timeline, at: float) -> Stretch | None:
    """What the agent was saying at that moment."""
    return next((each for each in stretches(call) if each.begin <= at < each.end), None)


def heard_of(call: Timeline, number: int) -> list[Played]:
    """What was audible of a reply, in order."""
    parts = [part for part in call.played if part.reply == number]
    return sorted(parts, key=lambda part: part.begin)


def whole_words(parts: Iterable[Played]) -> set[int]:
    """The words of a reply that were heard to their end, in one go or in pieces that join."""
    reached: dict[int, int] = {}
    found: set[int] = set()
    for part in parts:
        if part.first <= reached.get(part.word, -1) + 1:
            reached[part.word] = max(part.last, reached.get(part.word, -1))
            if reached[part.word] >= part.frames - 2:
                found.add(part.word)
    return found


def purpose(call: Timeline, number: int) -> str:
    """Why a reply was made."""
    reply = call.replies.get(number)
    return reply.purpose if reply else "filler"


def floor(call: Timeline) -> list[Sound]:
    """The sounds that want the agent to be silent, and to answer."""
    return [sound for sound in call.sounds if sound.kind.takes_the_floor]
