"""What is ready when the server starts, and what it says is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.call.effects import Purpose
from services.engines.choice import WARM_WITHIN_S, Engines
from services.settings import Settings
from tests.desks import BRIEF, FakeDesk
from tests.engines.chosen import (
    ELEVENLABS,
    OPENAI,
    SILENT,
    agent,
    settings,
)
from tests.server import free_port
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.openai import OpenAISimulator
from tests.virtual_time import run_virtual

LATE = "until they are, they come late or in another voice"


async def warmed(engines: Engines) -> tuple[float, list[str]]:
    """How long it took to warm them, in s of the loop's time, and what went wrong."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await engines.warm()
    return loop.time() - begun, [str(problem) for problem in engines.problems]


def test_vendors_that_are_down_delay_the_start_a_little_and_are_told(tmp_path: Path) -> None:
    async def work() -> None:
        nobody = f"http://127.0.0.1:{free_port()}"
        chosen = settings(
            OPENAI,
            ELEVENLABS,
            data_dir=tmp_path,
            openai_base_url=nobody,
            elevenlabs_base_url=nobody,
        )
        engines = Engines(chosen, agent())
        seconds, problems = await warmed(engines)
        assert seconds <= WARM_WITHIN_S + 0.1
        assert problems == [
            f"OpenAI ({nobody}) cannot be reached (unreachable)",
            f"ElevenLabs ({nobody}) cannot be reached (refused)",
            f"11 of 11 standing lines are not rendered yet (elevenlabs: refused); {LATE}",
        ]
        assert engines.failures.keys() == {("elevenlabs", "refused")}
        opened = engines.open(BRIEF, FakeDesk())
        filler = opened.filler(1)
        assert filler is not None  # it cannot wait for a vendor
        assert filler.audio == SILENT
        assert opened._lines.audio[agent().line(Purpose.GREETING)] == SILENT  # nor can this
        await engines.close()

    run_virtual(work())


def test_vendors_that_keep_us_waiting_do_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    async def work() -> None:
        async with OpenAISimulator() as openai, ElevenLabsSimulator() as elevenlabs:
            openai.faults.order("models", Fault(Trouble.STALL_FIRST))
            elevenlabs.faults.order("stream", Fault(Trouble.STALL_FIRST))
            engines = Engines(with_vendors(tmp_path, openai, elevenlabs), agent())
            seconds, problems = await warmed(engines)
            assert seconds <= WARM_WITHIN_S + 0.1
            assert len(problems) == 2
            await engines.close()

    run_virtual(work())


def test_vendors_that_work_have_all_lines_ready_and_the_next_start_asks_for_none(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with OpenAISimulator() as openai, ElevenLabsSimulator() as elevenlabs:
            for rendered in (11, 0):
                elevenlabs.log.clear()
                engines = Engines(with_vendors(tmp_path, openai, elevenlabs), agent())
                _, problems = await warmed(engines)
                assert problems == []
                assert len(elevenlabs.entries("request")) == rendered
                assert all(agent().line(purpose) in engines._lines.audio for purpose in lines())
                await engines.close()
            assert openai.errors == elevenlabs.errors == []

    run_virtual(work())


def test_it_stays_warm_until_it_is_told_to_stop(tmp_path: Path) -> None:
    async def work() -> None:
        async with OpenAISimulator() as openai, ElevenLabsSimulator() as elevenlabs:
            openai.faults.order("models", Fault(Trouble.MALFORMED))
            engines = Engines(with_vendors(tmp_path, openai, elevenlabs), agent())
            running = asyncio.create_task(engines.run())
            engines.open(BRIEF, FakeDesk())
            await asyncio.sleep(200)
            assert not running.done()
            asked = [entry.at for entry in openai.entries("request")]
            assert len(asked) >= 4
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await engines.close()

    run_virtual(work())


def with_vendors(
    folder: Path, openai: OpenAISimulator, elevenlabs: ElevenLabsSimulator
) -> Settings:
    return settings(
        data_dir=folder,
        openai_api_key=openai.key,
        openai_base_url=openai.url,
        elevenlabs_api_key=elevenlabs.key,
        elevenlabs_base_url=elevenlabs.url,
    )


def lines() -> list[Purpose]:
    return [purpose for purpose in Purpose if purpose is not Purpose.ANSWER]


# --- what is wrong, in words that say what to do --------------------------------------------------


def told_at_the_start(
    folder: Path, spoil: Callable[[Vendors], None], **values: object
) -> list[str]:
    """What is wrong when these vendors are met; the start leaves nothing open at any of them."""

    async def work() -> list[str]:
        async with (
            DeepgramSimulator(key="dg-key") as ears,
            OpenAISimulator(key="oa-key") as brain,
            ElevenLabsSimulator(key="el-key") as voice,
        ):
            chosen = settings(
                with_vendors(folder, brain, voice).model_dump(),
                deepgram_api_key=ears.key,
                deepgram_base_url=ears.url,
            )
            vendors = Vendors(ears, brain, voice)
            spoil(vendors)
            engines = Engines(settings(chosen.model_dump(), **values), agent())
            seconds, problems = await warmed(engines)
            assert seconds <= WARM_WITHIN_S + 0.1
            assert ears.open_sockets == voice.open_sockets == 0
            await engines.close()
            return [
                problem.replace(ears.url, "ears").replace(brain.url, "brain")
                for problem in problems
            ]

    found: list[str] = run_virtual(work())
    return found


@dataclass(frozen=True, slots=True)
class Vendors:
    ears: DeepgramSimulator
    brain: OpenAISimulator
    voice: ElevenLabsSimulator

    def change_keys(self) -> None:
        """The keys of before are taken no more."""
        for vendor in (self.ears, self.brain, self.voice):
            vendor.key = "another key"


def test_vendors_that_work_are_no_trouble(tmp_path: Path) -> None:
    assert told_at_the_start(tmp_path, lambda vendors: None) == []
    assert told_at_the_start(tmp_path, lambda vendors: None, stt="flux") == []


def test_each_key_that_is_refused_is_named_once(tmp_path: Path) -> None:
    told = told_at_the_start(tmp_path, Vendors.change_keys, openai_faq_model="gpt-5.4-nano")
    assert told == [
        "DEEPGRAM_API_KEY was refused (401)",
        "OPENAI_API_KEY was refused (401)",
        "ELEVENLABS_API_KEY was refused (invalid_api_key)",
        f"11 of 11 standing lines are not rendered yet (elevenlabs: invalid_api_key); {LATE}",
    ]
    assert "-key" not in " ".join(told)


def test_a_fallback_model_elsewhere_has_a_key_of_its_own_to_be_refused(tmp_path: Path) -> None:
    def elsewhere(vendors: Vendors) -> None:
        vendors.brain.faults.order("models", Fault(Trouble.STATUS, 401))

    there = {"openai_fallback_base_url": "http://127.0.0.1:1", "openai_fallback_model": "big"}
    told = told_at_the_start(tmp_path, elsewhere, **there, openai_fallback_api_key="other")
    assert told == [
        "OPENAI_API_KEY was refused (401)",
        "OpenAI (http://127.0.0.1:1) cannot be reached (unreachable)",
    ]


@pytest.mark.parametrize("setting", ["openai_model", "openai_faq_model", "openai_speech_model"])
def test_a_model_that_openai_does_not_know_is_named_with_its_setting(
    tmp_path: Path, setting: str
) -> None:
    told = told_at_the_start(tmp_path, lambda vendors: None, **{setting: "gpt-0"})
    assert told == [f"{setting.upper()}=gpt-0 is not known (404)"]


def test_other_troubles_say_where_they_are(tmp_path: Path) -> None:
    def spoil(vendors: Vendors) -> None:
        vendors.ears.faults.order("listen", Fault(Trouble.STATUS, 402))
        vendors.brain.faults.order("models", Fault(Trouble.STALL_FIRST))

    assert told_at_the_start(tmp_path, spoil) == [
        "the account of DEEPGRAM_API_KEY has no credit left (402)",
        "OpenAI (brain) cannot be reached (unreachable)",
    ]


def test_with_the_greeting_on_disk_a_voice_that_fails_still_greets_in_its_own(
    tmp_path: Path,
) -> None:
    async def work() -> None:
        async with OpenAISimulator() as openai, ElevenLabsSimulator() as elevenlabs:
            chosen = with_vendors(tmp_path, openai, elevenlabs)
            for trouble in (None, Fault(Trouble.STATUS, 500)):
                if trouble:
                    elevenlabs.faults.order("stream", trouble)
                engines = Engines(chosen, agent())
                await engines.warm()
                audio = engines.open(BRIEF, FakeDesk())._lines.audio
                assert audio[agent().line(Purpose.GREETING)] != SILENT
                await engines.close()

    run_virtual(work())


def test_once_the_voice_has_come_back_it_greets_itself(tmp_path: Path) -> None:
    async def work() -> None:
        async with OpenAISimulator() as openai, ElevenLabsSimulator() as elevenlabs:
            elevenlabs.faults.order("stream", Fault(Trouble.STATUS, 500))
            engines = Engines(with_vendors(tmp_path, openai, elevenlabs), agent())
            await engines.warm()
            running = asyncio.create_task(engines.run())
            greeting = agent().line(Purpose.GREETING)
            assert engines.open(BRIEF, FakeDesk())._lines.audio[greeting] == SILENT
            elevenlabs.faults.clear()
            await asyncio.sleep(60)
            assert engines.open(BRIEF, FakeDesk())._lines.audio[greeting] != SILENT
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await engines.close()

    run_virtual(work())
