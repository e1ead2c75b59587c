"""Who hears, thinks and speaks: by the keys there are, by the settings, by the agent's file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.engines.wanted import (
    EngineSettings,
    NotConfigured,
    hears,
    if_it_fails,
    is_openai,
    speaks,
    thinks,
)
from services.receptionist.agent import EngineChoice
from tests.engines.chosen import DEEPGRAM, ELEVENLABS, OLLAMA, OPENAI, SPEECH, settings

Chooser = Callable[[EngineSettings, EngineChoice], tuple[str, str]]


@pytest.mark.parametrize(
    ("chooser", "keys", "expected"),
    [
        (hears, (), ("embedded", "no key is set")),
        (hears, (ELEVENLABS,), ("embedded", "no key is set")),
        (hears, (OPENAI,), ("openai", "OPENAI_API_KEY is set")),
        (hears, (DEEPGRAM,), ("deepgram", "DEEPGRAM_API_KEY is set")),
        (hears, (OPENAI, DEEPGRAM), ("deepgram", "DEEPGRAM_API_KEY is set")),
        (hears, (OLLAMA,), ("embedded", "no key is set")),
        (hears, (OLLAMA, DEEPGRAM), ("deepgram", "DEEPGRAM_API_KEY is set")),
        (thinks, (), ("scripted", "no key is set")),
        (thinks, (DEEPGRAM, ELEVENLABS), ("scripted", "no key is set")),
        (thinks, (OPENAI,), ("openai", "OPENAI_API_KEY is set")),
        (thinks, (OLLAMA,), ("openai", "OPENAI_API_KEY is set")),
        (speaks, (), ("embedded", "no key is set")),
        (speaks, (OPENAI,), ("embedded", "no key is set")),
        (speaks, (SPEECH,), ("embedded", "no key is set")),
        (
            speaks,
            (OPENAI, SPEECH),
            ("openai", "OPENAI_API_KEY and OPENAI_SPEECH_MODEL are set"),
        ),
        (speaks, (ELEVENLABS,), ("elevenlabs", "ELEVENLABS_API_KEY is set")),
        (speaks, (OPENAI, SPEECH, ELEVENLABS), ("elevenlabs", "ELEVENLABS_API_KEY is set")),
    ],
)
def test_the_keys_that_are_there_decide(
    chooser: Chooser, keys: tuple[dict[str, str], ...], expected: tuple[str, str]
) -> None:
    assert chooser(settings(*keys), EngineChoice()) == expected


@pytest.mark.parametrize(
    ("chooser", "name", "keys"),
    [
        (hears, "embedded", (DEEPGRAM, OPENAI)),
        (hears, "openai", (DEEPGRAM, OPENAI)),
        (hears, "openai", (OLLAMA,)),  # it is asked for: perhaps this server can hear
        (hears, "deepgram", (DEEPGRAM,)),
        (hears, "flux", (DEEPGRAM,)),
        (thinks, "scripted", (OPENAI,)),
        (thinks, "openai", (OPENAI,)),
        (speaks, "embedded", (ELEVENLABS,)),
        (speaks, "openai", (ELEVENLABS, OPENAI, SPEECH)),
        (speaks, "elevenlabs", (ELEVENLABS,)),
    ],
)
def test_the_settings_or_the_agents_file_may_name_one(
    chooser: Chooser, name: str, keys: tuple[dict[str, str], ...]
) -> None:
    part = {hears: "stt", thinks: "llm", speaks: "tts"}[chooser]
    by_settings = chooser(settings(*keys, **{part: name}), EngineChoice())
    assert by_settings == (name, f"{part.upper()} is set")
    by_agent = chooser(settings(*keys), EngineChoice(**{part: name}))  # type: ignore[arg-type]
    assert by_agent == (name, "the agent's file says so")


def test_the_agents_file_is_asked_before_the_settings() -> None:
    chosen = hears(settings(DEEPGRAM, OPENAI, stt="openai"), EngineChoice(stt="flux"))
    assert chosen == ("flux", "the agent's file says so")


@pytest.mark.parametrize(
    ("chooser", "name", "keys", "expected"),
    [
        (hears, "deepgram", (OPENAI,), "STT=deepgram (STT is set) needs DEEPGRAM_API_KEY"),
        (hears, "flux", (OPENAI,), "STT=flux (STT is set) needs DEEPGRAM_API_KEY"),
        (hears, "openai", (DEEPGRAM,), "STT=openai (STT is set) needs OPENAI_API_KEY"),
        (thinks, "openai", (ELEVENLABS,), "LLM=openai (LLM is set) needs OPENAI_API_KEY"),
        (speaks, "elevenlabs", (OPENAI,), "TTS=elevenlabs (TTS is set) needs ELEVENLABS_API_KEY"),
        (speaks, "openai", (OPENAI,), "TTS=openai (TTS is set) needs OPENAI_SPEECH_MODEL"),
        (
            speaks,
            "openai",
            (),
            "TTS=openai (TTS is set) needs OPENAI_API_KEY and OPENAI_SPEECH_MODEL",
        ),
    ],
)
def test_who_is_asked_for_and_cannot_work_is_told_with_what_is_missing(
    chooser: Chooser, name: str, keys: tuple[dict[str, str], ...], expected: str
) -> None:
    part = expected[:3].lower()
    with pytest.raises(NotConfigured) as refused:
        chooser(settings(*keys, **{part: name}), EngineChoice())
    assert str(refused.value) == expected
    with pytest.raises(NotConfigured, match="the agent's file says so"):
        chooser(settings(*keys), EngineChoice(**{part: name}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.openai.com", True),
        ("https://api.openai.com/v1", True),
        ("https://API.OpenAI.com:443", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://evilapi.openai.com", False),
        ("http://localhost:11434", False),
        ("https://api.openai.com.example.org", False),
        ("https://example.org/api.openai.com", False),
    ],
)
def test_openai_is_told_from_servers_like_it_by_its_host(url: str, expected: bool) -> None:
    assert is_openai(settings(openai_base_url=url)) is expected


def test_who_takes_over_is_told_in_order() -> None:
    assert if_it_fails([]) == ""
    assert if_it_fails(["Moonshine"]) == "; if it fails, Moonshine"
    assert if_it_fails(["one", "two", "three"]) == "; if it fails, one, then two, then three"
