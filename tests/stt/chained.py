"""What the tests of chains share: a second recogniser, all that may befall the first, and a call
that must be understood all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from services.stt.chain import PATIENCE_MS, TranscriberChain
from services.stt.live import LiveTranscriber
from services.stt.turn_audio import Piece
from services.stt.words import FirstWords, Way, Words
from services.vendors import Reports, VendorError
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import Caller, hears
from tests.stt.live import new_breaker

FAULTS = [
    Fault(Trouble.RESET),
    Fault(Trouble.STATUS, 401),
    Fault(Trouble.STATUS, 402),
    Fault(Trouble.STATUS, 429),
    Fault(Trouble.STATUS, 500),
    Fault(Trouble.STALL_FIRST),
    Fault(Trouble.STALL_MID),
    Fault(Trouble.MALFORMED),
    Fault(Trouble.CUT),
    Fault(Trouble.CLOSE, code=1008, reason="DATA-0000"),
    Fault(Trouble.CLOSE, code=1011, reason="NET-0000"),
    Fault(Trouble.CLOSE, code=1011, reason="NET-0001"),
]
BY_FAULT = pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda f: f"{f.trouble.value} {f.status} {f.reason}"
)


@dataclass
class Second:
    """A second recogniser that hears every word, 150 ms after it was asked."""

    name: str = "second"
    idle: bool = False
    after_s: float = 0.15
    error: str = ""
    asked: list[str] = field(default_factory=list)
    stopped: int = 0

    async def words(self, pieces: Sequence[Piece]) -> str:
        text = hears(b"".join(piece.audio for piece in pieces))
        self.asked.append(text)
        try:
            await asyncio.sleep(self.after_s)
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.error:
            raise VendorError(self.name, "transcribe", self.error)
        return text


def chain(
    live: LiveTranscriber, reports: Reports, *ways: Words, patience_ms: int = PATIENCE_MS
) -> TranscriberChain:
    """A live recogniser with others to help, in order."""
    others = FirstWords([Way(way, new_breaker(way.name)) for way in ways], reports)
    return TranscriberChain(live, others, patience_ms=patience_ms)


async def check_words_come_in_time(
    deepgram: DeepgramSimulator, caller: Caller, within_s: float, again_within_s: float
) -> None:
    """Three turns under whatever fault was ordered, and two more once it is over: each answer
    comes ``within_s``, the last of them from the live recogniser, ``again_within_s``."""
    await caller.say("one", "two", pause_ms=2000)
    await caller.say("three", pause_ms=2000)
    assert caller.commit() == "one two three"
    await caller.say("four", "five", "six", pause_ms=2000)
    assert caller.commit() == "four five six"
    deepgram.faults.clear()
    await caller.say("seven", pause_ms=2000)  # perhaps still on a socket that breaks
    assert caller.commit() == "seven"
    await asyncio.sleep(70)
    await caller.say("eight", "nine")
    assert caller.commit() == "eight nine"
    for utterance in (1, 2, 3, 4):
        assert caller.answered_in(utterance) < within_s
    assert caller.answered_in(5) < again_within_s
    assert {vendor for vendor, _, _ in caller.failures} == {"deepgram"}
