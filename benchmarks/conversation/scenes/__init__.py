"""The calls. Each module makes those of one subject."""

from __future__ import annotations

from benchmarks.conversation.scenes import details, lines, overlaps, pauses, turns
from benchmarks.conversation.script import Scene


def all_scenes() -> list[Scene]:
    """Every call, by subject; no two have the same name."""
    modules = (turns, pauses, details, overlaps, lines)
    return [scene for module in modules for scene in module.scenes()]
