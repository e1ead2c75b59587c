"""The fleet: which agent takes a call, and what happens when its file changes during one."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from services.call.effects import Purpose
from services.engines import CallBrief
from services.engines.cascade import CascadeEngine
from services.engines.tool_work import NoDesk
from services.engines.wanted import NotConfigured
from services.fleet import LOOK_EVERY_S, READY_WITHIN_S, REMEMBERED_S, Fleet
from services.receptionist.agents import Agents
from tests.engines import chosen
from tests.receptionist.test_agents import ONE, TWO, agent_text, write
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.virtual_time import run_virtual

SOON_S = 3.0
"""When a changed file is to be in force."""


class World:
    """A fleet over a folder of files, which runs while the block lasts."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.folder = folder / "agents"
        mock = {"use_mock_streaming": True, "data_dir": folder, **settings}
        self.fleet = Fleet(chosen.settings(**mock), Agents(self.folder))
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> World:
        await self.fleet.warm()
        self._running = asyncio.create_task(self.fleet.run())
        await asyncio.sleep(0.1)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._running is not None
        assert not self._running.done()
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.fleet.close()

    def open(self, agent_id: str) -> CascadeEngine:
        engine = self.fleet.open(agent_id, CallBrief("CA1", "+15550001"), NoDesk())
        assert isinstance(engine, CascadeEngine)
        return engine

    async def changed(self, **texts: str) -> None:
        write(self.folder, texts)
        await asyncio.sleep(SOON_S)


def greeting(engine: CascadeEngine) -> str:
    return engine._lines.by_purpose[Purpose.GREETING]


def greeting_is_rendered(engine: CascadeEngine) -> bool:
    return greeting(engine) in engine._lines.audio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "agents").mkdir()
    write(tmp_path / "agents", {"ava": agent_text("Ava"), "bea": agent_text("Bea", TWO)})
    return tmp_path


def run(work: Coroutine[Any, Any, None]) -> None:
    run_virtual(work)


def test_a_change_is_in_force_in_three_seconds() -> None:
    assert LOOK_EVERY_S + READY_WITHIN_S < SOON_S


def test_each_number_has_its_agent_with_lines_of_its_own(folder: Path) -> None:
    async def work() -> None:
        async with World(folder) as world:
            fleet = world.fleet
            assert list(fleet.agents) == ["ava", "bea"]
            assert fleet.for_number(TWO) == ("bea", fleet.agent("bea"))
            assert fleet.for_number(ONE) == ("ava", fleet.agent("ava"))
            assert fleet.agent("nobody") is fleet.agent("ava")
            for agent_id, name in (("ava", "Ava Ltd"), ("bea", "Bea Ltd"), ("nobody", "Ava Ltd")):
                engine = world.open(agent_id)
                assert name in greeting(engine)
                assert greeting_is_rendered(engine)
            assert fleet.problems == []

    run(work())


def test_what_is_expensive_is_there_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    def silero() -> object:
        made.append("silero")
        return object()

    monkeypatch.setattr("services.engines.choice.Silero", silero)

    async def work() -> None:
        async with World(folder) as world:
            await world.changed(ava=agent_text("Eve"))
            shared = {post.engines._shared for post in world.fleet._posts.values()}
            assert len(shared) == 1
            assert made == ["silero"]

    run(work())


def test_a_changed_file_is_for_new_calls_and_a_call_in_progress_keeps_the_old(
    folder: Path,
) -> None:
    async def work() -> None:
        async with World(folder) as world:
            old, bea = world.open("ava"), world.fleet.agent("bea")
            await world.changed(ava=agent_text("Eve"))
            new = world.open("ava")
            assert "Eve Ltd" in greeting(new)
            assert "Ava Ltd" in greeting(old)
            assert greeting_is_rendered(new)
            assert greeting_is_rendered(old)
            assert world.fleet.for_number(ONE)[1].name == "Eve"
            assert world.fleet.agent("bea") is bea

    run(work())


def test_the_old_engines_are_closed_when_their_last_call_is_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []

    async def work() -> None:
        async with World(folder) as world:
            old = world.open("ava")
            engines = world.fleet._posts["ava"].engines

            async def close() -> None:
                closed.append("ava")

            monkeypatch.setattr(engines, "close", close)
            await world.changed(ava=agent_text("Eve"))
            await asyncio.sleep(2 * REMEMBERED_S)
            assert closed == []
            assert engines.in_use
            del old
            gc.collect()
            await asyncio.sleep(SOON_S)
            assert closed == ["ava"]
            assert world.fleet._left == []

    run(work())


def test_a_bad_file_is_a_problem_and_changes_nothing(folder: Path) -> None:
    async def work() -> None:
        async with World(folder) as world:
            ava = world.fleet.agent("ava")
            await world.changed(ava='name = "Eve"\n')
            assert world.fleet.agent("ava") is ava
            (problem,) = world.fleet.problems
            assert "ava.toml: line 1, business: is missing" in problem
            await world.changed(ava=agent_text("Eve"))
            assert world.fleet.agent("ava").name == "Eve"
            assert world.fleet.problems == []

    run(work())


def test_new_files_take_calls_and_removed_ones_take_no_more(folder: Path) -> None:
    async def work() -> None:
        async with World(folder) as world:
            await world.changed(cat=agent_text("Cat", ONE))
            assert world.fleet.for_number(ONE)[0] == "cat"
            assert list(world.fleet.agents) == ["ava", "bea", "cat"]
            (world.folder / "cat.toml").unlink()
            await asyncio.sleep(2 * SOON_S)
            assert world.fleet.for_number(ONE)[0] == "ava"
            assert world.fleet.agent("cat").name == "Cat"  # announced before
            await asyncio.sleep(2 * REMEMBERED_S)
            assert world.fleet.agent("cat").name == "Ava"

    run(work())


def test_when_all_files_are_gone_the_agents_go_on(folder: Path) -> None:
    async def work() -> None:
        async with World(folder) as world:
            for path in world.folder.iterdir():
                path.unlink()
            await asyncio.sleep(5 * SOON_S)
            assert list(world.fleet.agents) == ["ava", "bea"]
            assert "holds no agent any more" in world.fleet.problems[0]

    run(work())


# --- engines that cannot be had -------------------------------------------------------------------

FLUX = '[engines]\nstt = "flux"\n'


def test_at_the_start_it_is_told_whose_engine_lacks_its_key(folder: Path) -> None:
    write(folder / "agents", {"bea": f"{agent_text('Bea', TWO)}{FLUX}"})
    with pytest.raises(NotConfigured, match=r"^bea: STT=flux .* needs DEEPGRAM_API_KEY$"):
        World(folder, use_mock_streaming=False)


def test_later_the_agent_goes_on_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.engines.ears.Moonshine", chosen.missing)
    monkeypatch.setattr("services.engines.voices.HibariVoice", chosen.missing)

    async def work() -> None:
        async with World(folder, use_mock_streaming=False) as world:
            bea = world.fleet.agent("bea")
            await world.changed(bea=f"{agent_text('Eve', ONE)}{FLUX}")
            assert world.fleet.agent("bea") is bea
            assert world.fleet.for_number(TWO)[0] == "bea"
            (problem,) = world.fleet.problems
            assert problem.startswith("bea: STT=flux (the agent's file says so) needs DEEPGRAM_API")
            await world.changed(bea=agent_text("Eve", ONE))
            assert world.fleet.for_number(ONE)[1].name == "Eve"
            assert world.fleet.problems == []

    run(work())


def test_an_agent_that_cannot_be_made_for_another_reason_goes_on_too(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with World(folder) as world:
            with monkeypatch.context() as broken:
                broken.setattr("services.fleet.Engines", chosen.missing)
                await world.changed(ava=agent_text("Eve"))
            assert world.fleet.agent("ava").name == "Ava"
            assert world.fleet.problems == ["ava: ModelMissing; it goes on as it was"]

    run(work())


# --- lines ----------------------------------------------------------------------------------------


def with_voice(voice: ElevenLabsSimulator) -> dict[str, object]:
    return {
        "use_mock_streaming": False,
        "stt": "embedded",
        "llm": "scripted",
        "elevenlabs_api_key": voice.key,
        "elevenlabs_base_url": voice.url,
        "faq_ahead": False,
    }


@pytest.fixture
def no_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.engines.ears.Moonshine", chosen.missing)
    monkeypatch.setattr("services.engines.voices.HibariVoice", chosen.missing)


@pytest.mark.usefixtures("no_models")
def test_a_changed_agent_renders_its_new_lines_alone_and_keeps_them(folder: Path) -> None:
    async def work() -> None:
        async with ElevenLabsSimulator() as voice:
            async with World(folder, **with_voice(voice)) as world:
                voice.log.clear()
                await world.changed(ava=f'{agent_text("Ava")}[lines]\ngreeting = "Good day."\n')
                new = world.open("ava")
                assert greeting(new) == "Good day."
                assert greeting_is_rendered(new)
                assert len(voice.entries("request")) == 1
            voice.log.clear()
            async with World(folder, **with_voice(voice)) as world:
                assert greeting_is_rendered(world.open("ava"))
                assert voice.entries("request") == []

    run(work())


@pytest.mark.usefixtures("no_models")
def test_a_vendor_that_is_slow_does_not_hold_the_change_up(folder: Path) -> None:
    async def work() -> None:
        async with (
            ElevenLabsSimulator() as voice,
            World(folder, **with_voice(voice)) as world,
        ):
            voice.faults.order("stream", Fault(Trouble.STALL_FIRST))
            await world.changed(ava=f'{agent_text("Ava")}[lines]\ngreeting = "Good day."\n')
            new = world.open("ava")
            assert greeting(new) == "Good day."
            assert not greeting_is_rendered(new)
            voice.faults.clear()
            await asyncio.sleep(60)
            assert greeting_is_rendered(world.open("ava"))

    run(work())


# --- for people -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("no_models")
def test_what_all_agents_share_is_told_once(folder: Path) -> None:
    async def work() -> None:
        async with ElevenLabsSimulator() as voice:
            write(
                folder / "agents",
                {"bea": f'{agent_text("Bea", TWO)}[engines]\ntts = "embedded"\n'},
            )
            voice.faults.order("stream", Fault(Trouble.STATUS, 500))
            async with World(folder, **with_voice(voice)) as world:
                parts = world.fleet.report
                assert [part for part, _ in parts] == ["Ears", "Brain", "Voice", ""]
                assert parts[2][1].startswith("ava: ElevenLabs")
                assert parts[3][1].startswith("bea: a tone")
                (problem,) = world.fleet.problems
                assert problem.startswith("ava: ")
                assert "standing lines are not rendered yet" in problem
                assert world.fleet.failures

    run(work())
