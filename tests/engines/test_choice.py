"""Engines put together: for each set of keys there is one, and its end closes everything."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest

from services.engines.choice import Engines
from services.engines.mock import MockBrain
from services.engines.wanted import NotConfigured
from tests.desks import BRIEF, FakeDesk
from tests.engines.chosen import DEEPGRAM, ELEVENLABS, OPENAI, SPEECH, agent, settings
from tests.virtual_time import run_virtual

KEYS = [
    tuple(
        key for key, is_there in zip((DEEPGRAM, OPENAI, ELEVENLABS), there, strict=True) if is_there
    )
    for there in itertools.product([False, True], repeat=3)
]


@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("language", ["en", "de"])
def test_for_any_keys_there_is_an_engine_and_its_report_can_be_read(
    tmp_path: Path, keys: tuple[dict[str, str], ...], language: str
) -> None:
    async def work() -> None:
        engines = Engines(settings(*keys, data_dir=tmp_path), agent(language=language))
        assert [part for part, _ in engines.report] == ["Ears", "Brain", "Voice"]
        for _, report in engines.report:
            assert not re.search(r"[{}<>\[\]=]|None|  |-key", report)
            assert report.count("(") == report.count(")")
        for _ in range(3):
            engines.open(BRIEF, FakeDesk())
        await engines.close()

    run_virtual(work())


def test_the_end_closes_every_client(tmp_path: Path) -> None:
    async def work() -> None:
        chosen = settings(DEEPGRAM, OPENAI, ELEVENLABS, SPEECH, data_dir=tmp_path)
        engines = Engines(chosen, agent())
        shared: Any = engines._shared
        clients = [*shared.clients._openai.values()]
        https = [http for _, http in shared.clients._elevenlabs.values()]
        files: list[Any] = [getattr(close, "__self__", None) for close in engines._ears.closing]
        assert clients
        assert https
        assert files
        await engines.close()
        assert all(client.is_closed() for client in clients)
        assert all(http.is_closed for http in [*https, *(file._http for file in files)])
        with pytest.raises(RuntimeError):
            await shared.workers.run(int)

    run_virtual(work())


@pytest.mark.parametrize("part", [{"stt": "deepgram"}, {"llm": "openai"}, {"tts": "elevenlabs"}])
def test_an_engine_that_is_asked_for_without_its_key_is_refused(
    tmp_path: Path, part: dict[str, str]
) -> None:
    with pytest.raises(NotConfigured, match="_API_KEY$"):
        Engines(settings(data_dir=tmp_path, **part), agent())


def test_mock_engines_ask_for_no_key(tmp_path: Path) -> None:
    async def work() -> None:
        chosen = settings(use_mock_streaming=True, stt="deepgram", data_dir=tmp_path)
        engines = Engines(chosen, agent())
        assert all("(USE_MOCK_STREAMING is set)" in report for _, report in engines.report)
        await engines.warm()
        assert engines.problems == ()
        opened: Any = engines.open(BRIEF, FakeDesk())
        assert isinstance(opened._brain, MockBrain)
        assert opened.filler(1) is not None
        await engines.close()

    run_virtual(work())
