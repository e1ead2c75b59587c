"""Settings and agents for tests of who is chosen, with nothing of this machine's environment."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from services.audio.models import ModelMissing
from services.receptionist.agent import Agent, parse_agent
from services.settings import Settings, load_settings

DEEPGRAM, OPENAI, ELEVENLABS = (
    {"deepgram_api_key": "dg-key"},
    {"openai_api_key": "oa-key"},
    {"elevenlabs_api_key": "el-key"},
)
SPEECH = {"openai_speech_model": "gpt-4o-mini-tts"}
OLLAMA = {
    "openai_api_key": "ollama",
    "openai_base_url": "http://localhost:11434",
    "openai_model": "llama3",
}
SILENT = b"\x20" * 800
_DATA = Path(tempfile.gettempdir()) / "voice-agent-tests-unused"


def settings(*parts: dict[str, str], **values: object) -> Settings:
    """The defaults, with these instead."""
    defaults = {
        name: field.default
        for name, field in Settings.model_fields.items()
        if name != "trusted_proxies"
    }
    given = {key: value for part in parts for key, value in part.items()}
    return load_settings(**{**defaults, "_env_file": None, "data_dir": _DATA, **given, **values})


def agent(**engines: object) -> Agent:
    """A receptionist with this ``[engines]`` in the file."""
    return parse_agent(
        {"name": "Ava", "business": {"name": "Bright Smile Dental"}, "engines": engines}
    )


class FakeHibari:
    """The embedded voice without its model."""

    name = "hibari"

    def __init__(self, workers: object) -> None: ...

    async def render(self, text: str) -> bytes:
        return SILENT


def missing(*given: object) -> Any:
    raise ModelMissing("the model is not installed")


def opened_in_a_loop(make: Any) -> Any:
    async def work() -> Any:
        return make()

    return asyncio.run(work())
