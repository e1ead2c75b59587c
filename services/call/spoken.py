"""What is said in a call: whose turn it was, and why the agent speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


def words(default: Any = None) -> Any:
    """A field that holds a person's own words or number: no log shows it unasked."""
    metadata = {"words": True}
    return (
        field(metadata=metadata) if default is None else field(default=default, metadata=metadata)
    )


class Speaker(Enum):
    """Who said a turn."""

    CALLER = "caller"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of the conversation; of the agent's turns only what the caller heard."""

    speaker: Speaker
    text: str = words()
    unheard: str = words("")
    """What the agent had wanted to say when it was interrupted."""


class Purpose(Enum):
    """Why the agent speaks. All but ANSWER are lines of the agent's file, rendered ahead."""

    GREETING = "greeting"
    ANSWER = "answer"
    REPAIR = "repair"  # sound, but no words: "Sorry, I didn't catch that."
    IDLE_PROMPT = "idle_prompt"  # "Are you still there?"
    IDLE_GOODBYE = "idle_goodbye"
    TIME_LIMIT = "time_limit"  # the goodbye when the call has reached its maximum length
    APOLOGY = "apology"  # something failed: "Sorry, could you say that again?"
    OUTBOUND = "outbound"  # the greeting of a call that we make
    TRANSFER = "transfer"  # "I'll put you through now."
    NOBODY_THERE = "nobody_there"  # the caller comes back: nobody took the transfer
    VOICEMAIL = "voicemail"  # said to an answering machine
