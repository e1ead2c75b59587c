"""A call held turn by turn: what is said, what is kept, and what goes wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.audio.mulaw import SILENCE
from services.audio.wav import wav
from services.call import events as on
from services.call.effects import CommitTurn, HangUp, ReportHeard
from services.call.events import AfterReply, CallStarted, Event
from services.call.timings import Timings
from services.journal import Journal
from services.recorded import MOST_IN_VAIN, RecordedCall, Said
from services.records.latency import LatencyFold
from services.vendors import VendorError
from tests.recorded_engine import FakeEngine, FakeWords
from tests.virtual_time import run_virtual

FILE = wav(SILENCE * 50)


class Desk:
    """A call with everything that it wrote down."""

    def __init__(self, engine: FakeEngine, words: FakeWords, longest_s: float = 600) -> None:
        self.engine = engine
        self.entries: list[tuple[float, Event, list[Any]]] = []
        journal = Journal("CA1", "ava", Timings())
        journal.watch(lambda now, event, effects: self.entries.append((now, event, effects)))
        clock = asyncio.get_running_loop().time
        self.call = RecordedCall("CA1", engine, words, journal, clock, longest_s)  # type: ignore[arg-type]

    async def begin(self) -> Said:
        return await self.call.begin(CallStarted("+15551234567"))

    async def record(self, name: str, file: bytes | Exception = FILE) -> Said:
        async def fetch() -> bytes:
            await asyncio.sleep(0.2)
            if isinstance(file, Exception):
                raise file
            return file

        said = await self.call.recorded(name, 1000, fetch)
        self.call.fetched(said)
        return said

    def effects(self, kind: type) -> list[Any]:
        return [
            effect for _, _, effects in self.entries for effect in effects if type(effect) is kind
        ]


def history(call: RecordedCall) -> list[str]:
    return [f"{turn.speaker.value}: {turn.text}" for turn in call.history]


def test_a_call_from_the_greeting_to_the_goodbye() -> None:
    async def story() -> None:
        desk = Desk(FakeEngine("open till five", AfterReply.HANG_UP), FakeWords("open?", "bye"))
        assert (await desk.begin()).text == "greeting"
        said = await desk.record("RE1")
        assert (said.text, said.then) == ("open till five", AfterReply.LISTEN)
        assert len(said.audio) == 3 * 10 * 160
        said = await desk.record("RE2")
        assert said.then is AfterReply.HANG_UP
        await desk.call.end("agent: goodbye")
        assert history(desk.call) == [
            *("agent: greeting", "caller: open?", "agent: open till five", "caller: bye"),
            "agent: hang_up",
        ]
        assert [effect.text for effect in desk.effects(CommitTurn)] == ["open?", "bye"]
        assert [one.text for one in desk.effects(ReportHeard)] == [
            *("greeting", "open till five", "hang_up")
        ]
        assert desk.effects(HangUp) == [HangUp("goodbye")]
        assert desk.engine.finished == [tuple(desk.call.history)]
        assert not desk.engine.is_running

    run_virtual(story())


def test_the_figures_are_those_of_a_stream_silence_included() -> None:
    async def story() -> None:
        desk = Desk(FakeEngine("one", "two"), FakeWords("a", "b"))
        await desk.begin()
        await desk.record("RE1")
        await desk.record("RE2")
        fold = LatencyFold()
        turns = [turn for entry in desk.entries if (turn := fold.feed(*entry))]
        assert [(turn.reply, turn.total) for turn in turns] == [(2, pytest.approx(2700))]

    run_virtual(story())


def test_a_repeated_webhook_gets_the_same_answer_and_nothing_is_asked_twice() -> None:
    async def story() -> None:
        desk = Desk(FakeEngine("one"), FakeWords("a"))
        first, again = await desk.begin(), await desk.begin()
        assert first is again
        one = asyncio.create_task(desk.record("RE1"))
        await asyncio.sleep(0.1)
        assert await desk.record("RE1") is await one
        assert len(desk.engine.asked) == 2

    run_virtual(story())


@pytest.mark.parametrize(
    ("words", "file", "line"),
    [
        ("", FILE, "repair"),
        (VendorError("words", "transcribe", "500"), FILE, "apology"),
        ("a", b"<html>not a sound</html>", "apology"),
        ("a", OSError("the file is not there"), "apology"),
    ],
)
def test_what_has_no_words_is_asked_for_again_and_not_for_ever(
    words: str | Exception, file: bytes | Exception, line: str
) -> None:
    async def story() -> None:
        desk = Desk(FakeEngine(), FakeWords(*[words] * MOST_IN_VAIN))
        await desk.begin()
        said = [await desk.record(f"RE{number}", file) for number in range(MOST_IN_VAIN)]
        assert [one.text for one in said] == [line] * (MOST_IN_VAIN - 1) + ["idle_goodbye"]
        assert said[-1].then is AfterReply.HANG_UP

    run_virtual(story())


@pytest.mark.parametrize("failure", [RuntimeError("a bug"), "", AfterReply.APOLOGISE])
def test_an_answer_that_fails_is_apologised_for(failure: str | Exception | AfterReply) -> None:
    async def story() -> None:
        desk = Desk(FakeEngine(failure, "fine"), FakeWords("a", "b"))
        await desk.begin()
        assert (await desk.record("RE1")).text == "apology"
        assert (await desk.record("RE2")).text == "fine"
        assert history(desk.call)[-2:] == ["agent: apology", "caller: b"]

    run_virtual(story())


def test_silence_is_asked_about_once_and_then_ends_the_call() -> None:
    async def story() -> None:
        desk = Desk(FakeEngine(), FakeWords())
        await desk.begin()
        first = await desk.call.silent("silence 1")
        assert (first.text, first.then) == ("idle_prompt", AfterReply.LISTEN)
        second = await desk.call.silent("silence 2")
        assert (second.text, second.then) == ("idle_goodbye", AfterReply.HANG_UP)

    run_virtual(story())


def test_a_call_that_is_too_long_is_ended_with_a_line() -> None:
    async def story() -> None:
        desk = Desk(FakeEngine(), FakeWords("a"), longest_s=30)
        await desk.begin()
        await asyncio.sleep(31)
        said = await desk.record("RE1")
        assert (said.text, said.then) == ("time_limit", AfterReply.HANG_UP)

    run_virtual(story())


def test_a_hang_up_while_the_answer_is_made_leaves_nothing_running() -> None:
    async def story() -> None:
        desk = Desk(FakeEngine("one"), FakeWords("a"))
        await desk.begin()
        turn = asyncio.create_task(desk.record("RE1"))
        await asyncio.sleep(0.4)
        await desk.call.end("caller: completed")
        await desk.call.end("caller: completed")
        assert turn.cancelled() or (await asyncio.gather(turn, return_exceptions=True))
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others
        assert history(desk.call) == ["agent: greeting", "caller: a"]
        assert [entry[1] for entry in desk.entries][-1] == on.CallerHungUp("completed")
        assert len(desk.engine.finished) == 1

    run_virtual(story())
