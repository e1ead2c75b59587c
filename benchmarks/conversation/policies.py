"""The ways of taking turns that are compared, each a name and what it changes.

Add one as a line of ``POLICIES``. All keys are optional:

``timings``       fields of ``services.call.timings.Timings``
``segmenter``     arguments of ``services.audio.segmenter.Segmenter``
``conversation``  further arguments of ``services.call.conversation.Conversation``
``ears``          fields of ``benchmarks.conversation.ears.EarOptions``
``tell``          how the brain tells what it asked for: see ``benchmarks.conversation.brain.Tell``
``voice``         ``first_s`` and ``speed`` of the agent's voice
``brain``         ``first_s``: the wait for the first token
"""

from __future__ import annotations

from typing import Any, TypedDict

from benchmarks.conversation.brain import Tell, tell_nothing


class Policy(TypedDict, total=False):
    """What a policy changes; see the module."""

    timings: dict[str, Any]
    segmenter: dict[str, Any]
    conversation: dict[str, Any]
    ears: dict[str, Any]
    tell: Tell
    voice: dict[str, float]
    brain: dict[str, float]


def _silence_only(ms: int) -> dict[str, int]:
    """No words, no learning, no eager replies: what a plain timer would do."""
    every = ("turn", "complete", "open", "asked")
    silences = {f"{name}_silence_ms": ms for name in every}
    return silences | {"half_answer_ms": ms, "longest_pause_ms": ms, "eager_replies": 0}


POLICIES: dict[str, Policy] = {
    "default": {},
    "no-eager": {"timings": {"eager_replies": 0}},
    "guess-asked": {"tell": tell_nothing},
    "vendor-ends": {"ears": {"ends_s": 0.5, "may_end_s": 0.3}},
    "timer-500": {"timings": _silence_only(500)},
    "timer-800": {"timings": _silence_only(800)},
    "timer-1200": {"timings": _silence_only(1200)},
    "any-sound": {"timings": {**_silence_only(500), "hold_limit_ms": 20}},
}

ABOUT = {
    "default": "as the server comes",
    "no-eager": "no answer is begun before the turn is over",
    "guess-asked": "the brain does not say what it asked for; the core guesses it from the words",
    "vendor-ends": "a recogniser that tells of ends of turns as well, as Deepgram's Flux does "
    "(300 ms: it may end, 500 ms: it ends; wrong in 25 % and 4 % of the pauses that are as long)",
    "timer-500": "silence of 500 ms alone ends a turn: no words, no learning, nothing ahead",
    "timer-800": "the same with 800 ms",
    "timer-1200": "the same with 1200 ms",
    "any-sound": "the timer of 500 ms, and any sound over the agent ends the reply for good",
}
"""What each is, in words for the reader of the tables."""
