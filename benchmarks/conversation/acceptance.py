"""What the default policy must reach: limits on measures, and whether they are kept. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.conversation.audible import Moment
from benchmarks.conversation.measures import MEASURES
from benchmarks.conversation.script import Kind
from benchmarks.conversation.timeline import Timeline

DETAILS = ("phone numbers", "e-mails")
"""Calls about what is said in groups."""
NOTHING = (Kind.BACKCHANNEL, Kind.COUGH, Kind.NOISE)
"""Sounds for which no reply may be given up."""

UNKNOWABLE = ("late-marks-400",)
"""Marks that come back 400 ms late: was the audio late, or only the echo? One of a word's two fates
is wrong then, and half a second of speech is a word. The tables count these calls like all others.
"""

Moments = Callable[[Sequence[Timeline]], list[Moment]]


@dataclass(frozen=True, slots=True)
class Line:
    """One limit: ``value`` of the moments must be ``most`` at most. ``each``: and every one of them
    must keep it by itself, so that those that break it can be named."""

    name: str
    most: float
    unit: str
    moments: Moments
    value: Callable[[Sequence[Moment]], float]
    each: bool = True

    def breaks(self, moment: Moment) -> bool:
        """Whether this moment alone breaks the line."""
        return self.each and (moment.failed or self.value([moment]) > self.most)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a line was kept. ``of``: how many moments there were; ``broken_by``: those that alone
    break the line, for people to look up."""

    line: Line
    value: float
    of: int
    broken_by: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """A line for which nothing was measured is not kept."""
        return self.of > 0 and not self.broken_by and self.value <= self.line.most


def judge(calls: Iterable[Timeline]) -> list[Verdict]:
    """All lines, in order."""
    held = list(calls)
    return [_judge(line, held) for line in LINES]


def _judge(line: Line, calls: Sequence[Timeline]) -> Verdict:
    moments = line.moments(calls)
    broken_by = tuple(
        f"{call.scene} at {moment.at:.2f} s: {moment.what}"
        for call in calls
        for moment in line.moments([call])
        if line.breaks(moment)
    )
    return Verdict(line, line.value(moments) if moments else 0.0, len(moments), broken_by)


# --- which moments --------------------------------------------------------------------------------


def _all(measure: str, *kinds: Kind) -> Moments:
    def moments(calls: Sequence[Timeline]) -> list[Moment]:
        found = (moment for call in calls for moment in MEASURES[measure](call))
        return [moment for moment in found if not kinds or moment.kind in kinds]

    return moments


def _about(measure: str, families: Sequence[str]) -> Moments:
    def moments(calls: Sequence[Timeline]) -> list[Moment]:
        return _all(measure)([call for call in calls if call.family in families])

    return moments


def _but_for(measure: str, scenes: Sequence[str]) -> Moments:
    def moments(calls: Sequence[Timeline]) -> list[Moment]:
        return _all(measure)([call for call in calls if call.scene not in scenes])

    return moments


# --- which value ----------------------------------------------------------------------------------


def _values(moments: Sequence[Moment]) -> list[float]:
    return [moment.value for moment in moments if moment.value is not None]


def _count(moments: Sequence[Moment]) -> float:
    return float(sum(moment.failed for moment in moments))


def _share(moments: Sequence[Moment]) -> float:
    return 100 * _count(moments) / len(moments)


def _median_ms(moments: Sequence[Moment]) -> float:
    return 1000 * float(np.median(_values(moments) or [0.0]))


def _most_ms(moments: Sequence[Moment]) -> float:
    return 1000 * max(_values(moments), default=0.0)


def _sum(moments: Sequence[Moment]) -> float:
    return sum(_values(moments))


def _most(moments: Sequence[Moment]) -> float:
    return max(_values(moments), default=0.0)


LINES = (
    Line("false cut-offs, share of turns", 5, "%", _all("cut-offs"), _share, each=False),
    Line("added wait, median", 550, "ms", _all("waits"), _median_ms, each=False),
    Line("phone numbers and e-mails cut off", 0, "", _about("cut-offs", DETAILS), _count),
    Line(
        "replies given up for backchannels, coughs, noises",
        0,
        "",
        _all("false interruptions", *NOTHING),
        _count,
    ),
    Line("gone on after such a sound, at most", 1000, "ms", _all("recoveries", *NOTHING), _most_ms),
    Line("words lost or repeated on going on", 0, "", _but_for("resumed words", UNKNOWABLE), _sum),
    Line("silence after a spoken command, at most", 300, "ms", _all("command silences"), _most_ms),
    Line(
        "playback held after a command's first voiced frame, at most",
        100,
        "ms",
        _all("holds", Kind.COMMAND),
        _most_ms,
    ),
    Line("heard text off in an interruption, at most", 1, "words", _all("heard errors"), _most),
)
