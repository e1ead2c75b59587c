"""A caller with a plan: what she says next, and what she was told has been done."""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.call.effects import Speaker, Turn

NAME, NUMBER, OURS = "Anna Miller", "+14155550100", "+14155550199"
WISHES = {
    "booked": "I'd like to book a check-up next Tuesday at half past three.",
    "changed": "Can you move my appointment to Wednesday next week?",
    "cancelled": "Please cancel my appointment.",
    "message": "I'd like to leave a message.",
    "transferred": "Can I talk to a person, please?",
}
"""Outcome -> how it is asked for."""
PLAN = ("booked", "changed", "cancelled")
GOODBYE = "No, thank you. Goodbye."
_ANSWERS = (
    (r"your name\b.*\?|a name\b", f"My name is {NAME}."),
    (r"(?:calling from|reach you)\b.*\?", "Yes."),
    (
        r"(?:Shall I(?: book it| cancel it)?|Is that right|Did I get that right)\?|Yes or no\?",
        "Yes.",
    ),
    (r"the message\?|message\? What", "I will be ten minutes late."),
)
_TOLD = (
    (r"\bBooked\b|\bIt's booked\b|\bYou're booked for that\b", "booked"),
    (r"\bIt's on [^.?]* now\b|\bThat's when it is already\b", "changed"),
    (r"\bis cancelled\b|\bcan't find one under your number\b", "cancelled"),
)


def told(turns: Sequence[Turn]) -> list[str]:
    """What the caller has heard to be done, in order."""
    heard = [turn.text for turn in turns if turn.speaker is Speaker.AGENT]
    return [what for text in heard for pattern, what in _TOLD if re.search(pattern, text)]


def next_words(plan: Sequence[str], turns: Sequence[Turn]) -> str:
    """What the caller says next: an answer, or what she still wants of the plan."""
    last = turns[-1] if turns else None
    asked = last.text if last and last.speaker is Speaker.AGENT else ""
    before = [turn.text for turn in turns if turn.speaker is Speaker.CALLER]
    if before and asked.endswith("say that again?"):
        return before[-1]
    for pattern, answer in _ANSWERS:
        if re.search(rf"(?:{pattern})\s*$", asked):
            return answer
    done = told(turns)
    left = [wish for wish in plan if wish not in done]
    return WISHES[left[0]] if left else GOODBYE
