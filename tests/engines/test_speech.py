"""Audio of a voice on its way to the call: what is not needed yet comes together, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.effects import Purpose, StartReply
from services.call.events import AudioProduced, ReplyFinished
from services.engines.guard import Guard
from services.engines.speech import GATHER_S, Speech
from services.tts import Say, SpokenAudio
from services.vendors import VendorError
from tests.engines.studio import ASKED, SlowVoice, Studio
from tests.virtual_time import run_virtual

PIECE_MS = 400
EVERY_S = 0.02
"""A voice speaks twenty times as fast as its words are played."""

Arrival = tuple[float, SpokenAudio]


def piece(number: int, ms: int = PIECE_MS) -> SpokenAudio:
    return SpokenAudio(bytes([number % 256]) * (8 * ms), f"w{number}")


class Watched:
    """A reply's speech, and when it gave out what."""

    def __init__(self) -> None:
        self.events: list[tuple[float, AudioProduced]] = []
        self.speech = Speech(1, self._emit, Guard(()))

    def _emit(self, event: Any) -> None:
        self.events.append((asyncio.get_running_loop().time(), event))

    @property
    def words(self) -> list[str]:
        return [event.text for _, event in self.events]


def watched(work: Callable[[Watched], Coroutine[Any, Any, None]]) -> Watched:
    """What a speech has given out when this work is done."""

    async def run() -> Watched:
        here = Watched()
        await work(here)
        return here

    return run_virtual(run())


def test_what_is_not_needed_yet_comes_together() -> None:
    async def work(here: Watched) -> None:
        for number in range(13):
            here.speech.say(piece(number))
            await asyncio.sleep(EVERY_S)
        await asyncio.sleep(GATHER_S)

    here = watched(work)
    assert here.words[:3] == ["w0", "w1", "w2"]  # 1.2 s: now there is enough
    assert " ".join(here.words) == " ".join(f"w{number}" for number in range(13))
    assert len(here.words) <= 3 + 2


def test_what_has_piled_up_is_given_out_when_the_voice_is_done() -> None:
    async def work(here: Watched) -> None:
        here.speech.say(piece(0, 3000))
        here.speech.say(piece(1))
        assert here.words == ["w0"]
        here.speech.flush()
        assert here.words == ["w0", "w1"]
        await asyncio.sleep(2 * GATHER_S)

    assert watched(work).words == ["w0", "w1"]


def test_what_has_piled_up_stays_away_after_an_interruption() -> None:
    async def work(here: Watched) -> None:
        here.speech.say(piece(0, 3000))
        here.speech.say(piece(1))
        here.speech.drop()
        await asyncio.sleep(2 * GATHER_S)
        here.speech.flush()

    assert watched(work).words == ["w0"]


def test_a_stored_line_does_not_overtake_what_was_spoken() -> None:
    async def work(here: Watched) -> None:
        here.speech.say(piece(0, 3000))
        here.speech.say(piece(1))
        here.speech.say_lines({"line": b"\x40" * 160})

    assert watched(work).words == ["w0", "w1", "line"]


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(20, 2500)), min_size=1, max_size=25))
def test_nothing_comes_too_late(pieces: Sequence[tuple[int, int]]) -> None:
    """Each piece is given out when it comes, or half a second before it is due; none is lost."""
    arrivals: list[Arrival] = []

    async def work(here: Watched) -> None:
        loop = asyncio.get_running_loop()
        for number, (wait_ms, ms) in enumerate(pieces):
            await asyncio.sleep(wait_ms / 1000)
            arrivals.append((loop.time(), piece(number, ms)))
            here.speech.say(arrivals[-1][1])
        await asyncio.sleep(GATHER_S)

    here = watched(work)
    audio = b"".join(event.audio for _, event in here.events)
    assert audio == b"".join(part.audio for _, part in arrivals)
    assert " ".join(here.words) == " ".join(part.text for _, part in arrivals)
    given_out = [at for at, event in here.events for _ in event.spans or (None,)]
    due = 0.0
    for (came_at, part), at in zip(arrivals, given_out, strict=True):
        due = max(due, came_at)
        assert at == pytest.approx(came_at) or at <= due - 0.5
        due += len(part.audio) / 8000


# --- in a reply -----------------------------------------------------------------------------------


class FastVoice(SlowVoice):
    """Speaks many pieces at once; may then fail or hang."""

    def __init__(self, then: str = "") -> None:
        super().__init__()
        self._then = then

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        for number in range(13):
            say(piece(number))
            await asyncio.sleep(EVERY_S)
        if self._then == "fails":
            raise VendorError("voice", "speak", "reset")
        if self._then == "breaks":
            raise ValueError("a bug")
        if self._then == "hangs":
            await asyncio.Event().wait()


ALL = " ".join(f"w{number}" for number in range(13))


def test_a_reply_ends_after_all_of_its_audio() -> None:
    async def work() -> None:
        studio = Studio("Hello.", voice=FastVoice())
        await studio.reply()
        assert " ".join(studio.told.texts) == ALL
        assert isinstance(studio.told.events[-1][1], ReplyFinished)

    run_virtual(work())


@pytest.mark.parametrize("how", ["fails", "breaks"])
def test_what_a_voice_had_said_before_it_failed_is_heard(how: str) -> None:
    async def work() -> None:
        studio = Studio("Hello.", voice=FastVoice(how))
        with pytest.raises((VendorError, ValueError)):
            await studio.reply()
        assert " ".join(studio.told.texts) == ALL

    run_virtual(work())


def test_an_interrupted_reply_says_no_more() -> None:
    async def work() -> None:
        studio = Studio("Hello.", voice=FastVoice("hangs"))
        request = StartReply(1, Purpose.ANSWER, ASKED)
        reply = asyncio.create_task(studio.engine.reply(request, studio.told.emit))
        await asyncio.sleep(5 * EVERY_S)
        told = len(studio.told.events)
        reply.cancel()
        await asyncio.wait({reply})
        await asyncio.sleep(2 * GATHER_S)
        assert len(studio.told.events) == told

    run_virtual(work())
