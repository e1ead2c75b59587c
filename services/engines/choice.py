"""Which engines run, and why. What is expensive is loaded once and shared by all calls."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.audio.models import ModelMissing
from services.audio.segmenter import Segmenter
from services.audio.vad import Silero, Vad, make_vad
from services.audio.workers import Workers
from services.call.effects import Purpose
from services.engines.cascade import CascadeEngine, Lines
from services.engines.mock import DeafTranscriber, MockBrain, MockTranscriber, ToneVoice
from services.llm import Brain
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import Agent
from services.stt import Transcriber
from services.stt.moonshine import Moonshine
from services.stt.utterances import UtteranceTranscriber
from services.tts.hibari import HibariVoice

log = logging.getLogger(__name__)


class EngineSettings(Protocol):
    """What the choice depends on."""

    use_mock_streaming: bool
    speech_workers: int
    speech_model_dir: str
    vad_mode: int
    vad_start_ms: int
    vad_silence_ms: int


@dataclass(frozen=True, slots=True)
class Parts:
    """How a call gets its parts. The voice, like all models, is one for all calls."""

    vad: Callable[[], Vad]
    transcriber: Callable[[], Transcriber]
    brain: Callable[[str], Brain]
    voice: HibariVoice | ToneVoice
    report: tuple[tuple[str, str], ...]
    """Part -> what runs and why, for people."""


class Engines:
    """Opens an engine per call."""

    def __init__(self, settings: EngineSettings, agent: Agent) -> None:
        self.agent_name = agent.name
        self._agent = agent
        self._settings = settings
        self._workers = Workers(settings.speech_workers)
        spoken = (purpose for purpose in Purpose if purpose is not Purpose.ANSWER)
        by_purpose: dict[Purpose, str] = {purpose: agent.line(purpose) for purpose in spoken}
        self._audio: dict[str, bytes] = {}
        self._lines = Lines(by_purpose, agent.filler, self._audio)
        choose = _mock if settings.use_mock_streaming else _embedded
        self._parts = choose(settings, agent, self._workers)

    @property
    def report(self) -> tuple[tuple[str, str], ...]:
        """Part -> what runs and why, for people."""
        return self._parts.report

    async def warm(self) -> None:
        """Render the agent's standing lines ahead; that also warms the voice."""
        for text in [*self._lines.by_purpose.values(), self._lines.filler]:
            self._audio[text] = await self._parts.voice.render(text)

    def open(self, caller: str) -> CascadeEngine:
        """The engine of one call. ``caller``: the caller's number, or what the carrier gave."""
        settings, parts = self._settings, self._parts
        return CascadeEngine(
            Segmenter(parts.vad(), settings.vad_start_ms, settings.vad_silence_ms),
            parts.transcriber(),
            parts.brain(caller),
            parts.voice,
            self._lines,
        )

    def close(self) -> None:
        """Stop the worker threads."""
        self._workers.close()


def _mock(settings: EngineSettings, agent: Agent, workers: Workers) -> Parts:
    why = "USE_MOCK_STREAMING is set"
    vad, vad_report = _vad(settings)
    return Parts(
        vad,
        MockTranscriber,
        lambda caller: MockBrain(),
        ToneVoice(),
        (("Ears", f"{vad_report}; mock words ({why})"), ("Brain", "mock"), ("Voice", "a tone")),
    )


def _embedded(settings: EngineSettings, agent: Agent, workers: Workers) -> Parts:
    """The engines that need no key. Where a model is missing the server runs without it."""
    vad, vad_report = _vad(settings)
    transcriber, stt_report = _recogniser(settings, workers)
    voice, voice_report = _voice(workers)
    zone = agent.business.timezone
    return Parts(
        vad,
        transcriber,
        lambda caller: ScriptedBrain(agent, lambda: datetime.now(zone), caller),
        voice,
        (
            ("Ears", f"{vad_report}; {stt_report}"),
            ("Brain", "a script over the agent's file (no language model is set up)"),
            ("Voice", voice_report),
        ),
    )


def _vad(settings: EngineSettings) -> tuple[Callable[[], Vad], str]:
    try:
        silero = Silero()
    except ModelMissing as error:
        return lambda: make_vad(None), f"WebRTC VAD alone ({error})"
    return lambda: make_vad(silero, settings.vad_mode), "WebRTC VAD confirmed by Silero"


def _recogniser(
    settings: EngineSettings, workers: Workers
) -> tuple[Callable[[], Transcriber], str]:
    try:
        moonshine = Moonshine(settings.speech_model_dir)
    except ModelMissing as error:
        return DeafTranscriber, f"no recogniser, only typing works ({error})"
    silence_ms = settings.vad_silence_ms
    return (
        lambda: UtteranceTranscriber(moonshine, workers, silence_ms),
        "Moonshine tiny (embedded, English)",
    )


def _voice(workers: Workers) -> tuple[HibariVoice | ToneVoice, str]:
    try:
        voice = HibariVoice(workers)
    except ModelMissing as error:
        return ToneVoice(), f"a tone instead of a voice ({error})"
    return voice, "Hibari (embedded, English)"
