"""What the engines need of the settings, and who is chosen by them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from services.receptionist.agent import EngineChoice, WhoHears, WhoSpeaks, WhoThinks
from services.vendors.openai_errors import is_openai_host


class EngineSettings(Protocol):
    """See ``services.settings`` for what each is."""

    stt: WhoHears
    llm: WhoThinks
    tts: WhoSpeaks
    deepgram_api_key: str
    deepgram_base_url: str
    deepgram_model: str
    flux_model: str
    flux_eager_threshold: float | None
    openai_api_key: str
    openai_base_url: str
    openai_model: str
    openai_reasoning_effort: str
    openai_fallback_model: str
    openai_fallback_base_url: str
    openai_fallback_api_key: str
    openai_faq_model: str
    openai_transcribe_model: str
    openai_speech_model: str
    openai_speech_voice: str
    first_token_ms: int
    hedge_after_ms: int
    faq_ahead: bool
    elevenlabs_api_key: str
    elevenlabs_base_url: str
    elevenlabs_model: str
    elevenlabs_voice: str
    use_mock_streaming: bool
    speech_workers: int
    speech_model_dir: str
    vad_mode: int
    vad_start_ms: int
    vad_silence_ms: int
    data_dir: Path


class NotConfigured(ValueError):
    """An engine was asked for that needs another setting; the text says which."""


def hears(settings: EngineSettings, choice: EngineChoice) -> tuple[str, str]:
    """Who hears, and why. Raises NotConfigured."""
    forced = _forced("STT", settings.stt, choice.stt)
    needs = {
        "deepgram": {"DEEPGRAM_API_KEY": settings.deepgram_api_key},
        "flux": {"DEEPGRAM_API_KEY": settings.deepgram_api_key},
        "openai": {"OPENAI_API_KEY": settings.openai_api_key},
        "embedded": {},
    }
    if not forced and not is_openai(settings):
        del needs["openai"]  # few servers like it can hear
    return _chosen("STT", forced, needs, not_by_itself={"flux"})


def thinks(settings: EngineSettings, choice: EngineChoice) -> tuple[str, str]:
    """Who thinks, and why. Raises NotConfigured."""
    needs = {"openai": {"OPENAI_API_KEY": settings.openai_api_key}, "scripted": {}}
    return _chosen("LLM", _forced("LLM", settings.llm, choice.llm), needs)


def speaks(settings: EngineSettings, choice: EngineChoice) -> tuple[str, str]:
    """Who speaks, and why. Raises NotConfigured."""
    needs = {
        "elevenlabs": {"ELEVENLABS_API_KEY": settings.elevenlabs_api_key},
        "openai": {
            "OPENAI_API_KEY": settings.openai_api_key,
            "OPENAI_SPEECH_MODEL": settings.openai_speech_model,
        },
        "embedded": {},
    }
    return _chosen("TTS", _forced("TTS", settings.tts, choice.tts), needs)


def is_openai(settings: EngineSettings) -> bool:
    """Whether ``OPENAI_BASE_URL`` is OpenAI itself, and not a server like it."""
    return is_openai_host(urlsplit(settings.openai_base_url).hostname)


def _forced(setting: str, by_settings: str, by_agent: str) -> tuple[str, str] | None:
    if by_agent:
        return by_agent, "the agent's file says so"
    return (by_settings, f"{setting} is set") if by_settings else None


def _chosen(
    setting: str,
    forced: tuple[str, str] | None,
    needs: dict[str, dict[str, str]],
    not_by_itself: set[str] | None = None,
) -> tuple[str, str]:
    """The forced one, or the first one for which all is there."""
    if forced:
        name, why = forced
        if missing := [key for key, value in needs[name].items() if not value]:
            raise NotConfigured(f"{setting}={name} ({why}) needs {' and '.join(missing)}")
        return name, why
    for name, keys in needs.items():
        if all(keys.values()) and name not in (not_by_itself or set()):
            verb = "are" if len(keys) > 1 else "is"
            return name, f"{' and '.join(keys)} {verb} set" if keys else "no key is set"
    raise AssertionError("there is always one that needs nothing")


def if_it_fails(others: Sequence[str]) -> str:
    """The end of a report: who takes over, in order."""
    return f"; if it fails, {', then '.join(others)}" if others else ""
