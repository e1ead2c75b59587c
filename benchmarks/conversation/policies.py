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

from benchmarks.conversation.brain import Tell


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
    "default-600": {"timings": {"turn_silence_ms": 800, "complete_silence_ms": 700}},
    "no-eager": {"timings": {"eager_replies": 0}},
    "silence-550": {"timings": {"turn_silence_ms": 550, "complete_silence_ms": 400}},
    "silence-1000": {"timings": {"turn_silence_ms": 1000, "complete_silence_ms": 800}},
    "silence-only-700": {"timings": _silence_only(700)},
    "silence-only-1200": {"timings": _silence_only(1200)},
    "vendor-ends": {"ears": {"ends_s": 0.5, "may_end_s": 0.3}},
}
