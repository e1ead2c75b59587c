"""The recogniser, as a stand-in: it knows what is said, and tells it as late as a vendor does.

A word becomes part of an interim ``interim_s`` after its end. The final text of an utterance comes
``final_s`` after its end, with all words that had ended by then. Noise has no words: its final text
is empty. With ``word_errors`` that share of words is lost or heard as another, always the same.

It may tell of ends of turns as well, as Deepgram's Flux does: ``may_end_s`` after the last word
that a turn may be about to end, ``ends_s`` after it that it has ended. In a pause of that length it
says so wrongly with the chance ``wrong_may_end`` or ``wrong_ends``.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.conversation.timeline import Word
from services.call.events import (
    TranscriptFinal,
    TranscriptInterim,
    TurnEnded,
    TurnGoesOn,
    TurnMayEnd,
)
from services.stt import Emit

STALE_S = 3.0
"""Words that no utterance was found for are forgotten so long after."""
_WRONG = ("the", "a", "it", "four", "there", "is")


@dataclass(frozen=True, slots=True)
class EarOptions:
    """How late, and how well."""

    interim_s: float = 0.25
    final_s: float = 0.06
    word_errors: float = 0.0
    may_end_s: float | None = None
    ends_s: float | None = None
    wrong_may_end: float = 0.25
    wrong_ends: float = 0.04


class ScriptedEars:
    """The ``Transcriber`` of one call. ``words``: all that can be made out, in order of ends;
    ``goes_on``: whether the caller has more to say at that moment."""

    batch_frames = 1

    def __init__(
        self,
        words: Callable[[], Sequence[Word]],
        goes_on: Callable[[float], bool],
        options: EarOptions,
        seed: int = 0,
    ) -> None:
        self._words = words
        self._goes_on = goes_on
        self._options = options
        self._seed = seed
        self._loop = asyncio.get_running_loop()
        self._utterance = 0
        self._is_open = False
        self._taken = 0  # words that belong to utterances that have ended
        self._told = ""
        self._said = ""  # in utterances of the turn that have ended
        self._may_end = False

    async def run(self, emit: Emit) -> None:
        self._emit = emit
        await asyncio.Event().wait()

    def hear(self, audio: bytes) -> None:
        """A frame's time has passed: there may be words to tell."""
        if not self._is_open:
            return
        text = self._text(self._ended(self._loop.time() - self._options.interim_s))
        if text != self._told:
            self._told = text
            self._emit(TranscriptInterim(self._utterance, self._utterance, text))

    def speech_started(self, utterance: int, voiced_ms: int) -> None:
        self._utterance, self._is_open, self._told = utterance, True, ""
        words, now = self._words(), self._loop.time()
        if self._may_end:
            self._may_end = False
            self._emit(TurnGoesOn(utterance))
        while self._taken < len(words) and words[self._taken].end < now - STALE_S:
            self._taken += 1

    def speech_stopped(self, utterance: int) -> None:
        self._is_open = False
        ended = self._ended(self._loop.time())
        final = TranscriptFinal(utterance, utterance, self._text(ended))
        self._taken += len(ended)
        self._loop.call_later(self._options.final_s, self._emit, final)
        if ended:
            self._said = f"{self._said} {final.text}".strip()
            self._expect_end(utterance, ended[-1].end)

    def turn_committed(self) -> None:
        self._said, self._may_end = "", False

    def _expect_end(self, utterance: int, last_word: float) -> None:
        """Tell of the turn's end in its time, unless the caller speaks before."""
        options, now = self._options, self._loop.time()
        for after_s, wrong, tell in (
            (options.may_end_s, options.wrong_may_end, self._tell_that_it_may_end),
            (options.ends_s, options.wrong_ends, self._tell_that_it_ended),
        ):
            chance = random.Random(f"{self._seed}|{tell.__name__}|{last_word:.3f}").random()
            if after_s is not None and (not self._goes_on(now) or chance < wrong):
                at = max(now + options.final_s + 0.001, last_word + after_s)
                self._loop.call_at(at, tell, utterance)

    def _tell_that_it_may_end(self, utterance: int) -> None:
        if not self._is_open and utterance == self._utterance and self._said:
            self._may_end = True
            self._emit(TurnMayEnd(utterance, self._said))

    def _tell_that_it_ended(self, utterance: int) -> None:
        if not self._is_open and utterance == self._utterance and self._said:
            self._may_end = False
            self._emit(TurnEnded(utterance))

    def _ended(self, at: float) -> Sequence[Word]:
        """The words of the open utterance that had ended by then."""
        words = self._words()
        last = self._taken
        while last < len(words) and words[last].end <= at + 1e-6:
            last += 1
        return words[self._taken : last]

    def _text(self, words: Sequence[Word]) -> str:
        return " ".join(heard for word in words if (heard := self._hears(word)))

    def _hears(self, word: Word) -> str:
        if not self._options.word_errors:
            return word.text
        chance = random.Random(f"{self._seed}|{word.text}|{word.begin:.3f}")
        if chance.random() >= self._options.word_errors:
            return word.text
        return chance.choice(["", *_WRONG])
