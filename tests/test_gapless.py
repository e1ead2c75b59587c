"""A long reply is heard without a hole, also while the event loop is busy with something else."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests import speech
from tests.server import RunningServer, serve
from tests.simulators.mulaw import encode
from tests.simulators.phone import CallSetup, Phone
from tests.simulators.report import Report
from tests.simulators.script import PlayWav, WaitAgent
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.legible import MS_PER_CHAR, text_of
from tests.simulators.vendors.openai import OpenAISimulator
from tests.vendors.calls import (
    HEARS_GAP_MS,
    on_virtual_time,
    settings_for,
    stall,
    vendors,
    without_embedded_models,
)

SENTENCES = (
    "We are open from Monday to Friday.",
    "On these days, the doors open at eight, and they close at five.",
    "There is a break at noon.",
    "On Saturday, we are here in the morning only.",
    "On Sunday, we are closed.",
    "You will find us next to the public library.",
    "The entrance is around the corner, and there is a bell.",
    "You can park behind the building, for free.",
    "Please bring your card, and come a little early.",
    "We look forward to seeing you.",
)
ANSWER = " ".join(SENTENCES)
STALL_S = 0.3


@pytest.mark.parametrize(
    ("tokens_per_s", "speed"), [(60, 20), (12, 4)], ids=["usual vendors", "slow vendors"]
)
def test_ten_sentences_are_heard_as_one(tmp_path: Path, tokens_per_s: float, speed: float) -> None:
    @on_virtual_time
    async def work(folder: Path) -> None:
        slow = {"openai": {"tokens_per_s": tokens_per_s}, "elevenlabs": {"speed": speed}}
        async with (
            vendors(folder, ["Tell me all."], [ANSWER], simulated=slow) as world,
            world.call() as call,
        ):
            await call.agent_is_done()
            await call.ask("hours")
            run = call.playback().runs[-1]
            assert text_of(bytes(run.audio)).split() == ANSWER.split()
            assert run.end_ms - run.start_ms <= (len(ANSWER) + 1) * MS_PER_CHAR + 20
            assert call.history[-1] == ANSWER
            assert call.failures == []
            assert len(world.elevenlabs.entries("text")) >= len(SENTENCES)  # many phrases ...
            assert len(world.elevenlabs.entries("context opened")) == 1  # ... in one breath

    work(tmp_path)


@pytest.mark.parametrize("after_ms", [20, 500, 2000, 10_000])
def test_a_busy_event_loop_is_not_heard(tmp_path: Path, after_ms: int) -> None:
    @on_virtual_time
    async def work(folder: Path) -> None:
        async with (
            vendors(folder, ["Tell me all."], [ANSWER]) as world,
            world.call() as call,
        ):
            await call.agent_is_done()
            await call.say("hours")
            await call.agent_speaks()
            await call.listen(after_ms)
            before = call.phone.loop.time()
            stall(STALL_S)
            assert call.phone.loop.time() >= before + STALL_S
            await call.agent_is_done()
            assert text_of(bytes(call.playback().runs[-1].audio)).split() == ANSWER.split()
            assert call.history[-1] == ANSWER
            assert call.failures == []

    work(tmp_path)


def test_a_server_that_is_busy_amid_a_reply_is_not_heard(tmp_path: Path) -> None:
    """In real time: the real server, with a loop that does nothing for 300 ms, three times."""

    async def work() -> Report:
        async with (
            DeepgramSimulator(hears=["Tell me all."], gap_ms=HEARS_GAP_MS) as deepgram,
            OpenAISimulator(answers=[" ".join(SENTENCES[:3])]) as openai,
            ElevenLabsSimulator(ms_per_char=40) as elevenlabs,
        ):
            settings = settings_for(deepgram, openai, elevenlabs, greeting="Hello.")
            with without_embedded_models():
                server = serve(tmp_path, **settings)
                running = await asyncio.to_thread(server.__enter__)
            try:
                busy = asyncio.create_task(keep_busy(running, openai))
                report = await Phone(CallSetup(url=running.url)).call(
                    [WaitAgent(), PlayWav(speech.FOLDER / "hours.wav"), WaitAgent()]
                )
                assert await busy == 3
                return report
            finally:
                await asyncio.to_thread(server.__exit__, None, None, None)

    report = asyncio.run(work())
    assert report.failure == ""
    assert report.protocol_errors == []
    assert report.gaps == []
    assert " ".join(SENTENCES[:3]) in text_of(encode(report.audio[1]))


async def keep_busy(server: RunningServer, openai: OpenAISimulator) -> int:
    """Once the model has begun to answer, block the server's loop now and then; how often."""
    while not openai.entries("first token"):  # noqa: ASYNC110 - a log wakes nobody
        await asyncio.sleep(0.05)
    stalls = 0
    for _ in range(3):
        await asyncio.sleep(0.6)
        server.loop.call_soon_threadsafe(time.sleep, STALL_S)
        stalls += 1
    return stalls
