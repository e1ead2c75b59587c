"""A call as it can be known without the server's help: what was audible at the phone. Pure.

It cannot be heard which reply a sound belongs to. So a reply is all that the agent says between
the ends of two turns of the caller's; one that a clear ended for good counts as given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from benchmarks.conversation.audible import NEAR_S, floor
from benchmarks.conversation.script import Scene
from benchmarks.conversation.timeline import Played, Reply, Sound, Timeline

MEASURED = (
    "cut-offs",
    "pauses",
    "responses",
    "waits",
    "naggings",
    "interruptions",
    "holds",
    "command silences",
    "false interruptions",
    "recoveries",
    "gaps",
    "steps",
)
"""The measures that hold for such a timeline."""


def heard_from_outside(
    scene: Scene,
    sounds: Sequence[Sound],
    audible: Sequence[tuple[float, float]],
    clears: Sequence[float],
    ended: float,
) -> Timeline:
    """The call. ``audible``: the stretches in which the agent was heard, in order; seconds."""
    call = Timeline(scene.name, scene.family, 0.0, ended=ended)
    call.sounds, call.clears = list(sounds), list(clears)
    turns = [sound.end for sound in floor(call)]
    for begin, end in audible:
        number = 1 + sum(at <= begin for at in turns)
        call.played.append(Played(number, 0, 0, 0, 1, begin, end))
        call.replies.setdefault(number, Reply(number, "answer", begin))
    for reply in call.replies.values():
        last = max(part.end for part in call.played if part.reply == reply.number)
        reply.cancelled = next((at for at in clears if abs(at - last) < NEAR_S), None)
    return call


def joined(audible: Sequence[tuple[float, float]], gap_s: float) -> list[tuple[float, float]]:
    """The stretches, those closer than that made one."""
    found = list(audible[:1])
    for before, after in pairwise(audible):
        if after[0] - before[1] <= gap_s:
            found[-1] = (found[-1][0], after[1])
        else:
            found.append(after)
    return found
