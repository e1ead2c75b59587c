"""What a language model's caller has heard, and what it has told them. Pure.

A yes counts only for what was heard. So a caller's turn after which nothing of an answer was heard
is the same turn as the next one, however often a reply was begun and interrupted in between.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from services.call.effects import Purpose, Speaker, Turn
from services.receptionist.agent import Agent

_DONE = re.compile(
    r"\b(?:you are|you're|it's|it is|that's|that is|is|are|has been|have been|was|i have|i've|all)"
    r" (?:now |all |just |already |successfully )*"
    r"(?:booked|scheduled|rescheduled|moved|cancelled|canceled|reserved)\b",
    re.IGNORECASE,
)
_NOT_DONE = re.compile(
    r"\b(?:not|nothing|once|when|before|if|until|unless|would|whether)\b|n't\b|\?$", re.IGNORECASE
)
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")


def fixed_lines(agent: Agent) -> tuple[str, ...]:
    """What the agent says that answers nothing."""
    purposes = (Purpose.APOLOGY, Purpose.IDLE_PROMPT, Purpose.REPAIR)
    lines = (agent.filler, *(agent.line(purpose) for purpose in purposes))
    return tuple(plain for line in lines if (plain := _plain(line)))


def caller_turns(turns: Sequence[Turn], lines: Collection[str]) -> int:
    """How often the caller has spoken after they had heard something of an answer. ``lines``: what
    is none, see ``fixed_lines``."""
    count, has_heard = 0, True
    for turn in turns:
        if turn.speaker is Speaker.CALLER:
            count, has_heard = count + has_heard, False
        else:
            has_heard = has_heard or _says_something(turn, lines)
    return count


def _says_something(turn: Turn, lines: Collection[str]) -> bool:
    """Whether it is more than a fixed line, and was not cut off before its first figure: that is
    where a read-back has its day and time."""
    words = _plain(turn.text)
    if not words or any(line.startswith(words) for line in lines):
        return False
    return bool(re.search(r"\d", turn.text)) or not re.search(r"\d", turn.unheard)


def claims_done(text: str) -> bool:
    """Whether an answer says that an appointment is made, moved or cancelled."""
    return any(
        _DONE.search(sentence) and not _NOT_DONE.search(sentence.strip())
        for sentence in _SENTENCE.findall(text)
    )


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
