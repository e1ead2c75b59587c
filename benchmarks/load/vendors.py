"""The simulated vendors with fixed latencies, and when each of them had its part in each answer.

Every answer begins with a word of its own, and the simulated voice spells what it says: whatever a
phone hears, its first letters tell which request, which phrase and which audio it was. Questions
differ as well, so that no store of answers helps. Times are of the clock that the phones use;
uvloop's is only good to a millisecond.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from benchmarks.load.turns import Vendor
from tests.simulators.vendors.base import Simulator
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.simulators.vendors.deepgram_ears import Ears, Texts
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator, text_of
from tests.simulators.vendors.openai import OpenAISimulator
from tests.simulators.vendors.openai_answers import Model, Pace, Token

FINAL_MS = 60
FIRST_TOKEN_MS = 250
TOKENS_PER_S = 60
FIRST_AUDIO_MS = 120

QUESTION = "Do you still have room for {} tomorrow evening?"
ANSWER = "{} can come at seven, and we will keep the table by the window free. Is that all?"
_LETTERS = 6  # of the word that an answer begins with
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def words() -> Iterator[str]:
    """Words of six letters that nobody has heard before."""
    return ("".join(parts).capitalize() for parts in product(_SYLLABLES, repeat=3))


@dataclass(slots=True)
class Answer:
    """What is known of one answer. ``tokens_at``: when each of its ``tokens`` was sent.

    ``request_at``: when the request had been read and checked, 0.2 ms after its headers came in.
    """

    tokens: list[str]
    request_at: float
    tokens_at: dict[int, float] = field(default_factory=dict)
    phrase: str = ""
    text_at: float = 0.0
    voice_at: float = 0.0

    @property
    def phrase_at(self) -> float:
        """When the token was sent that shows that the first phrase is over: the one after it."""
        length = len(self.phrase.strip())
        so_far = 0
        for number, token in enumerate(self.tokens):
            so_far += len(token)
            if so_far > length:
                return self.tokens_at.get(number, 0.0)
        return self.tokens_at.get(len(self.tokens) - 1, 0.0)

    def vendor(self) -> Vendor | None:
        """Its times, if it was spoken."""
        if not self.voice_at or not "".join(self.tokens).startswith(self.phrase.strip()):
            return None
        return Vendor(self.request_at, self.phrase_at, self.text_at, self.voice_at)


class _Questions(Sequence[str]):
    """A new question for each stretch of speech."""

    def __init__(self, fresh: Iterator[str]) -> None:
        self._fresh = fresh

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, index: Any) -> Any:
        return QUESTION.format(next(self._fresh))


class _Deepgram(DeepgramSimulator):
    def __init__(self) -> None:
        super().__init__(keep_log=False, final_ms=FINAL_MS)
        self._fresh = words()

    def _new_ears(self, link: int, rate: int = 8000) -> Ears:
        ears = super()._new_ears(link, rate)
        ears.texts = Texts(_Questions(self._fresh))
        return ears


class _Pace(Pace):
    """Writes down when each token is sent."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(FIRST_TOKEN_MS / 1000, 1 / TOKENS_PER_S)
        self._answer = answer

    async def until(self, number: int) -> None:
        await super().until(number)
        self._answer.tokens_at[number] = time.monotonic()


class _Model(Model):
    """Says something new each time. ``pace`` belongs to the ``answer`` before it."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        super().__init__(self._say, FIRST_TOKEN_MS, TOKENS_PER_S)
        self._answers = answers
        self._fresh = words()
        self._word = ""

    def answer(
        self,
        messages: list[dict[str, Any]],
        longest: int | None,
        tools: list[dict[str, Any]] | None = None,
    ) -> list[Token]:
        now = time.monotonic()
        self._word = next(self._fresh)
        tokens = super().answer(messages, longest, tools)
        self._answers[self._word] = Answer([token.text for token in tokens], now)
        return tokens

    def pace(self) -> Pace:
        return _Pace(self._answers[self._word])

    def _say(self, messages: list[dict[str, Any]]) -> str:
        return ANSWER.format(self._word)


class _ElevenLabs(ElevenLabsSimulator):
    def __init__(self, answers: dict[str, Answer]) -> None:
        super().__init__(keep_log=False, first_audio_ms=FIRST_AUDIO_MS)
        self._answers = answers
        self._speaking: dict[tuple[int, object], Answer] = {}

    def note(self, link: int, what: str, **detail: Any) -> None:
        whose = link, detail.get("context")
        if "text" in detail:
            answer = self._answers.get(detail["text"][:_LETTERS])
            if answer is not None and not answer.text_at:
                answer.text_at, answer.phrase = time.monotonic(), detail["text"]
                self._speaking[whose] = answer
        elif what == "first audio" and (answer := self._speaking.pop(whose, None)):
            answer.voice_at = time.monotonic()


class Vendors:
    """What the benchmark asks of them."""

    def __init__(self, simulators: Sequence[Simulator], answers: dict[str, Answer]) -> None:
        self._simulators = simulators
        self._answers = answers

    def behind(self, opening: bytes) -> Vendor | None:
        """The times of the answer whose first audio this is (mu-law); None if it is none."""
        answer = self._answers.get(text_of(opening)[:_LETTERS])
        return answer.vendor() if answer else None

    def complaints(self) -> list[str]:
        """What the server did wrong in the vendors' eyes, so far."""
        return [f"vendor: {error}" for each in self._simulators for error in each.errors]

    @property
    def sockets(self) -> int:
        """How many are open."""
        return sum(each.open_sockets for each in self._simulators)


@asynccontextmanager
async def vendors() -> AsyncIterator[tuple[Vendors, dict[str, str]]]:
    """Deepgram, OpenAI and ElevenLabs, and the settings that lead the server to them."""
    # A client that goes away in the middle is the server's affair, and it tells what failed.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    answers: dict[str, Answer] = {}
    deepgram, openai, elevenlabs = (
        _Deepgram(), OpenAISimulator(keep_log=False), _ElevenLabs(answers)
    )  # fmt: skip
    openai.model = _Model(answers)
    async with deepgram, openai, elevenlabs:
        yield (
            Vendors((deepgram, openai, elevenlabs), answers),
            {
                "STT": "deepgram",
                "LLM": "openai",
                "TTS": "elevenlabs",
                "DEEPGRAM_API_KEY": deepgram.key,
                "OPENAI_API_KEY": openai.key,
                "ELEVENLABS_API_KEY": elevenlabs.key,
                "DEEPGRAM_BASE_URL": deepgram.url,
                "OPENAI_BASE_URL": openai.url,
                "ELEVENLABS_BASE_URL": elevenlabs.url,
            },
        )
