"""Who speaks with which keys, who speaks then, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from services.engines import voices
from services.engines.mock import ToneVoice
from services.engines.shared import Shared
from services.engines.voices import make_voices
from services.receptionist.agent import Agent
from services.settings import Settings
from services.vendors import Reports
from tests.engines.chosen import (
    ELEVENLABS,
    OPENAI,
    SPEECH,
    agent,
    missing,
    opened_in_a_loop,
    settings,
)

SOCKET = "ElevenLabs eleven_flash_v2_5, one socket a call (ELEVENLABS_API_KEY is set)"
REQUESTS = "ElevenLabs eleven_flash_v2_5, a request a phrase (ELEVENLABS_API_KEY is set)"
SPOKEN_BY_OPENAI = (
    "OpenAI gpt-4o-mini-tts (OPENAI_API_KEY and OPENAI_SPEECH_MODEL are set)",
    ["openai speech"],
)


def speaking(shared: Shared, chosen: Settings, who: Agent) -> tuple[str, list[str]]:
    """The voice's report, and a call's voices, in order."""
    made = make_voices(chosen, who, shared)
    opened: Any = opened_in_a_loop(lambda: made.open(Reports()))
    if hasattr(opened, "_voices"):
        return made.report, [breaker.name for _, breaker in opened._voices]
    return made.report, [opened.name]


@pytest.mark.parametrize(
    ("keys", "engines", "report", "chain"),
    [
        ((), {}, "Hibari (embedded, English)", ["hibari"]),
        ((OPENAI,), {}, "Hibari (embedded, English)", ["hibari"]),
        (
            (ELEVENLABS,),
            {},
            f"{SOCKET}; if it fails, Hibari",
            ["elevenlabs socket", "elevenlabs rest", "hibari"],
        ),
        (
            (ELEVENLABS,),
            {"language": "de"},
            f"{SOCKET}; if it fails, Hibari (English)",
            ["elevenlabs socket", "elevenlabs rest", "hibari"],
        ),
        (
            (ELEVENLABS,),
            {"use_persistent_tts": False},
            f"{REQUESTS}; if it fails, Hibari",
            ["elevenlabs rest", "hibari"],
        ),
        (
            (ELEVENLABS, OPENAI, SPEECH),
            {},
            f"{SOCKET}; if it fails, OpenAI gpt-4o-mini-tts, then Hibari",
            ["elevenlabs socket", "elevenlabs rest", "openai speech", "hibari"],
        ),
        (
            (OPENAI, SPEECH),
            {},
            f"{SPOKEN_BY_OPENAI[0]}; if it fails, Hibari",
            [*SPOKEN_BY_OPENAI[1], "hibari"],
        ),
        (
            (OPENAI, SPEECH),
            {"language": "de"},
            f"{SPOKEN_BY_OPENAI[0]}; if it fails, Hibari (English)",
            [*SPOKEN_BY_OPENAI[1], "hibari"],
        ),
        (
            (ELEVENLABS, OPENAI, SPEECH),
            {"tts": "openai"},
            "OpenAI gpt-4o-mini-tts (the agent's file says so); if it fails, Hibari",
            ["openai speech", "hibari"],
        ),
        ((ELEVENLABS,), {"tts": "embedded"}, "Hibari (embedded, English)", ["hibari"]),
    ],
)
def test_who_speaks_and_who_speaks_then(
    shared: Shared,
    keys: tuple[dict[str, str], ...],
    engines: dict[str, Any],
    report: str,
    chain: list[str],
) -> None:
    assert speaking(shared, settings(*keys), agent(**engines)) == (report, chain)


@pytest.mark.parametrize(
    ("keys", "engines", "name"),
    [
        ((ELEVENLABS,), {}, "elevenlabs eleven_flash_v2_5 EXAVITQu4vr4xnSDxMaL"),
        ((ELEVENLABS,), {"voice": "her"}, "elevenlabs eleven_flash_v2_5 her"),
        ((OPENAI, SPEECH), {}, "openai gpt-4o-mini-tts marin"),
        ((OPENAI, SPEECH), {"voice": "cedar"}, "openai gpt-4o-mini-tts cedar"),
        (
            (ELEVENLABS, OPENAI, SPEECH),
            {"voice": "cedar", "tts": "openai"},
            "openai gpt-4o-mini-tts cedar",
        ),
        ((), {"voice": "her"}, "hibari"),
    ],
)
def test_lines_are_rendered_in_the_agents_own_voice(
    shared: Shared, keys: tuple[dict[str, str], ...], engines: dict[str, Any], name: str
) -> None:
    renderer = make_voices(settings(*keys), agent(**engines), shared).renderer
    assert renderer.name.startswith(name)


def test_a_voice_of_elevenlabs_means_nothing_to_openai_behind_it(shared: Shared) -> None:
    made = make_voices(settings(ELEVENLABS, OPENAI, SPEECH), agent(voice="her"), shared)
    chain: Any = opened_in_a_loop(lambda: made.open(Reports()))
    names = [getattr(voice, "name", "") for voice, _ in chain._voices]
    assert "openai gpt-4o-mini-tts marin" in names


@pytest.mark.parametrize(("language", "expected"), [("de-CH", "de"), ("multi", "en"), ("en", "en")])
def test_openai_reads_numbers_in_the_agents_language(
    shared: Shared, language: str, expected: str
) -> None:
    made: Any = make_voices(settings(OPENAI, SPEECH), agent(language=language), shared)
    assert made.renderer._options.language == expected


def test_without_a_voice_a_tone_says_why(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "HibariVoice", missing)
    made = make_voices(settings(), agent(), shared)
    assert made.report == "a tone instead of a voice (the model is not installed)"
    assert isinstance(made.renderer, ToneVoice)
    report, chain = speaking(shared, settings(ELEVENLABS), agent())
    assert (report, chain) == (SOCKET, ["elevenlabs socket", "elevenlabs rest"])


def test_only_the_last_voice_is_waited_for_patiently(monkeypatch: pytest.MonkeyPatch) -> None:
    def patience(*keys: dict[str, str]) -> list[float]:
        made = make_voices(settings(*keys), agent(), Shared(1))
        chain: Any = opened_in_a_loop(lambda: made.open(Reports()))
        by_phrase = [voice._voice for voice, _ in chain._voices if hasattr(voice, "_voice")]
        return [voice._patience.first_audio_s for voice in by_phrase]

    assert patience(ELEVENLABS, OPENAI, SPEECH) == [1.2, 1.5]
    monkeypatch.setattr(voices, "HibariVoice", missing)
    assert patience(ELEVENLABS, OPENAI, SPEECH) == [1.2, 5.0]
    assert patience(ELEVENLABS) == [5.0]


def test_a_voice_of_its_own_that_is_gone_silences_no_other_agent(shared: Shared) -> None:
    def breakers(**engines: object) -> list[str]:
        made = make_voices(settings(ELEVENLABS, OPENAI, SPEECH), agent(**engines), shared)
        chain: Any = opened_in_a_loop(lambda: made.open(Reports()))
        return [breaker.name for _, breaker in chain._voices]

    assert breakers() == ["elevenlabs socket", "elevenlabs rest", "openai speech", "hibari"]
    own = ["elevenlabs socket her", "elevenlabs rest her", "openai speech", "hibari"]
    assert breakers(voice="her") == own
