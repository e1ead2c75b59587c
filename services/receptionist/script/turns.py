"""The turns of a call, made ready for the fold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.call.effects import Speaker, Turn


def plain(text: str) -> list[str]:
    """The words alone, to find our own text again in what was heard of it."""
    return re.findall(r"\w+", text.lower())


def joined(turns: Sequence[Turn]) -> Iterator[Turn]:
    """Caller turns between which nothing was heard are one turn."""
    held: Turn | None = None
    for turn in turns:
        if turn.speaker is Speaker.AGENT:
            if held:
                yield held
            held = None
            yield turn
        else:
            held = replace(turn, text=f"{held.text} {turn.text}") if held else turn
    if held:
        yield held
