"""What a call came to, by rules: its outcome, what the caller wanted, in which mood. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal[
    "booked",
    "changed",
    "cancelled",
    "transferred",
    "message",
    "answered",
    "abandoned",
    "voicemail",
    "no_answer",
    "busy",
    "blocked",
    "failed",
]
"""``answered``: the caller was talked to, and nothing of the above was done. ``abandoned``: hung up
without a word. ``voicemail``: we spoke to a machine. ``busy``: all lines were."""

ACHIEVED: Collection[Outcome] = ("transferred", "booked", "changed", "cancelled", "message")
"""What was done for the caller: no hang-up afterwards undoes it."""

Intent = Literal["", "book", "change", "cancel", "transfer", "message", "question", "other"]
Sentiment = Literal["", "positive", "neutral", "negative"]


@dataclass(frozen=True, slots=True)
class Done:
    """A tool that was used, as the record needs it. ``facts`` are those of its result."""

    tool: str
    code: str
    arguments: Mapping[str, str]
    facts: Mapping[str, Any]

    @property
    def is_ok(self) -> bool:
        return self.code == "ok"


_DID = {"booked": "booked", "moved": "changed", "cancelled": "cancelled"}
_OF_OUR_HANG_UP = {
    "transfer": "transferred",
    "voicemail": "voicemail",
    "machine": "no_answer",
    "failed": "failed",
}
_WISHES: dict[str, Intent] = {
    "book_appointment": "book",
    "change_appointment": "change",
    "cancel_appointment": "cancel",
    "transfer_call": "transfer",
    "take_message": "message",
}


def outcome_of(done: Sequence[Done], reason: str, caller_turns: int) -> Outcome:
    """What was achieved. ``reason`` is why the call ended, as in its record. The last change to the
    calendar counts; being put through comes before it, since it was the caller's last wish."""
    if reason == "agent: transfer":
        return "transferred"
    for use in reversed(done):
        if use.tool == "confirm" and use.is_ok and (did := _DID.get(str(use.facts.get("did")))):
            return did  # type: ignore[return-value]
    if any(use.tool == "take_message" and use.is_ok for use in done):
        return "message"
    if reason == "crash":
        return "failed"
    ours = _OF_OUR_HANG_UP.get(reason.removeprefix("agent: "))
    if ours and reason.startswith("agent: "):
        return ours  # type: ignore[return-value]
    return "answered" if caller_turns else "abandoned"


def intent_of(done: Sequence[Done], caller_turns: int) -> Intent:
    """What the caller wanted first of all, whether or not they got it; by the tools that were
    asked for. Without any it was a question."""
    for use in done:
        if wish := _WISHES.get(use.tool):
            return wish
    return "question" if caller_turns else ""


# --- mood -----------------------------------------------------------------------------------------

_GOOD = (
    *("thank you so much", "thanks so much", "great", "perfect", "wonderful", "excellent"),
    *("lovely", "awesome", "amazing", "fantastic", "very helpful", "brilliant", "appreciate"),
)
_BAD = (
    *("ridiculous", "terrible", "horrible", "awful", "useless", "worst", "unacceptable", "angry"),
    *("frustrated", "frustrating", "annoyed", "annoying", "disappointed", "complaint", "complain"),
    *("waste of time", "stupid", "rude", "fed up", "sick of", "disgusting", "never again"),
    *("not happy", "unhappy", "not good enough", "this is a joke"),
)


def _pattern(phrases: Collection[str]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)


_IS_GOOD, _IS_BAD = _pattern(_GOOD), _pattern(_BAD)
_NEGATED = re.compile(r"\b(?:not|isn't|wasn't|no|never|hardly)(?: \w+)? $", re.IGNORECASE)


def sentiment_of(said: Sequence[str]) -> Sentiment:
    """The caller's mood, by plain words of praise and of complaint (English): negative if there is
    more complaint, or as much; positive if there is more praise; else neutral. Praise after a "not"
    is complaint. Empty if the caller said nothing."""
    good = bad = 0
    for text in said:
        bad += len(_IS_BAD.findall(text))
        for found in _IS_GOOD.finditer(text):
            if _NEGATED.search(text[: found.start()]):
                bad += 1
            else:
                good += 1
    if bad and bad >= good:
        return "negative"
    if good:
        return "positive"
    return "neutral" if said else ""
