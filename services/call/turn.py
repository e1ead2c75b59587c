"""The caller's turn in the making: words by utterance, keypad digits, and what is still owed.

The recogniser may answer late, or again for a longer stretch; this is where that is sorted out.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.call.words.wording import has_words

MAX_DIGITS = 64
"""Keys that a turn takes; no number that anybody keys in is as long."""


class CallerTurn:
    """Collects the words of one turn after the other."""

    def __init__(self) -> None:
        self._finals: dict[tuple[int, int], str] = {}
        self._guess: tuple[int, int, str] | None = None
        self._owed: set[int] = set()
        self._overdue: set[int] = set()
        self._closed_through = 0
        self._kept = ""
        self._digits = ""
        self._typed = ""
        self.took_the_floor = False
        """A reply was cancelled for this turn, or its words were lost: the agent must speak."""

    @property
    def text(self) -> str:
        """The words so far, in order: kept ones, transcripts, digits, typed ones."""
        return self._joined(self._finals)

    @property
    def text_so_far(self) -> str:
        """The same with what may still change."""
        if self._guess is None:
            return self.text
        first, last, text = self._guess
        return self._joined({**self._without(first, last), (first, last): text})

    def _joined(self, transcripts: Mapping[tuple[int, int], str]) -> str:
        spoken = (transcripts[span] for span in sorted(transcripts))
        said = (text for text in spoken if has_words(text))
        parts = [self._kept, *said, self._digits, self._typed]
        return " ".join(part.strip() for part in parts if part.strip())

    def _without(self, first: int, last: int) -> dict[tuple[int, int], str]:
        """The transcripts that do not overlap with those utterances."""
        return {
            span: text
            for span, text in self._finals.items()
            if not (first <= span[1] and span[0] <= last)
        }

    @property
    def awaits_words(self) -> bool:
        """Whether an utterance of this turn has ended and its transcript is not here yet."""
        return bool(self._owed)

    @property
    def is_only_spoken(self) -> bool:
        """Whether all of it was heard since the last turn: nothing keyed, typed or kept."""
        return not (self._kept or self._digits or self._typed)

    @property
    def digits(self) -> str:
        return self._digits

    def stopped(self, utterance: int) -> None:
        """An utterance ended: its words are owed, unless they came early."""
        if utterance > self._closed_through and not any(
            last >= utterance for _, last in self._finals
        ):
            self._owed.add(utterance)

    def is_open(self, last: int) -> bool:
        """Whether words up to utterance ``last`` belong to this turn: new ones, or overdue."""
        return last > self._closed_through or any(number <= last for number in self._overdue)

    def interim(self, first: int, last: int, text: str) -> bool:
        """Words that may still change; False if their turn is closed."""
        is_open = self.is_open(last)
        if is_open:
            self._guess = (first, last, text)
        return is_open

    def settle(self) -> None:
        """The call ends: what was made out of the last utterance so far has to do."""
        if self._guess:
            self.final(*self._guess)

    def final(self, first: int, last: int, text: str) -> bool:
        """Words for utterances ``first`` to ``last``; False if their turn is closed."""
        if not self.is_open(last):
            return False
        if self._guess and self._guess[1] <= last:
            self._guess = None
        self._overdue = {number for number in self._overdue if number > last}
        self._owed = {number for number in self._owed if number > last}
        self._finals = {**self._without(first, last), (first, last): text}
        return True

    def failed(self, last: int) -> bool:
        """No words for utterance ``last``; False if there are some, or its turn is closed."""
        has_some = any(first <= last <= end for first, end in self._finals)
        return not has_some and self.final(last, last, "")

    def typed(self, text: str) -> None:
        self._typed = text

    def digit(self, digit: str) -> None:
        self._digits = (self._digits + digit)[:MAX_DIGITS]

    def reopen(self, text: str) -> None:
        """The caller was not finished: the words of the last turn belong to this one."""
        self._kept = f"{text} {self._kept}".strip()

    def stop_waiting(self) -> None:
        """The owed words are late; should they still come, they begin a turn of their own."""
        self._overdue |= self._owed
        self._owed.clear()

    def close(self, through: int) -> None:
        """The turn is over, with all utterances up to number ``through``."""
        self.stop_waiting()
        answered = (last for _, last in self._finals)
        self._closed_through = max(self._closed_through, through, *answered)
        self._finals.clear()
        self._guess = None
        self._kept = self._digits = self._typed = ""
        self.took_the_floor = False
