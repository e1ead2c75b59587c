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


POLICIES: dict[str, Policy] = {
    "default": {},
    "silence-300": {"timings": {"turn_silence_ms": 300}},
    "silence-800": {"timings": {"turn_silence_ms": 800}},
    "silence-1200": {"timings": {"turn_silence_ms": 1200}},
    "vendor-ends": {"ears": {"ends_s": 0.5, "may_end_s": 0.3}},
}
