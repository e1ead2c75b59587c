"""What the caller says in a random call, marked so that each utterance can be found again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from services.call.effects import Speaker, Turn
from services.call.events import Event, TranscriptFailed, TranscriptFinal

UTTERANCES = [
    "what are your hours {}",
    "",
    "mhm",
    "yes",
    "stop please",
    "...",
    "{} on sunday",
    "uh-huh okay",
    "{} I would like to",
    "just a second",
    "555 12",
    "We are open from nine",
    "I am {} and I have a question.",
]
"""Those with a mark take the turn, whatever the agent says; the others may be nothing."""


def mark(number: int) -> str:
    """A word that only utterance ``number`` holds."""
    return "zq" + "".join("abcdefghijklmnop"[(number >> shift) % 16] for shift in (4, 0))


class Said:
    """The marks that were delivered: each has to be in one turn of the caller's, no more."""

    def __init__(self) -> None:
        self._due: set[str] = set()
        self._reached = 0

    def delivered(self, event: Event) -> None:
        """A transcript came in while the call was live. One that comes after a later one may be
        dropped: a recogniser answers in order."""
        if isinstance(event, TranscriptFinal):
            for number in range(event.first, event.last):
                self._due.discard(mark(number))  # it stands there in other words now
            if event.last > self._reached and mark(event.last) in event.text:
                self._due.add(mark(event.last))
        if isinstance(event, TranscriptFinal | TranscriptFailed):
            self._reached = max(self._reached, event.last)

    def check(self, history: Sequence[Turn]) -> None:
        """The call is over."""
        texts = " ".join(turn.text for turn in history if turn.speaker is Speaker.CALLER)
        found = Counter(word.strip(".") for word in texts.split() if word.startswith("zq"))
        assert max(found.values(), default=0) <= 1, "words were committed twice"
        assert self._due <= found.keys(), "words were lost"
