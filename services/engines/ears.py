"""Who hears: the recogniser of a call, and the others that carry on when it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from services.audio.models import ModelMissing
from services.engines.checks import Check, openai_check
from services.engines.mock import DeafTranscriber
from services.engines.shared import Shared
from services.engines.wanted import EngineSettings, hears, if_it_fails, is_openai
from services.receptionist.agent import Agent
from services.stt import Transcriber
from services.stt.chain import TranscriberChain
from services.stt.deepgram import DeepgramOptions, DeepgramTranscriber
from services.stt.deepgram_file import DeepgramFile
from services.stt.deepgram_socket import check
from services.stt.embedded import EmbeddedWords
from services.stt.flux import MODEL as FLUX_MODEL
from services.stt.flux import MULTI, FluxOptions, FluxTranscriber
from services.stt.moonshine import Moonshine
from services.stt.openai import OpenAITranscription, OpenAIWords
from services.stt.utterances import UtteranceTranscriber
from services.stt.words import FirstWords, Way, Words
from services.vendors import Reports

OPENAI_FIRST_S = 1.2
"""How long OpenAI may take where it is the first to be asked, before it has failed."""
EMBEDDED_WITHIN_S = 5.0
"""The last way may take its time: there is nothing to hurry on to."""
RECORDING_WITHIN_S = 5.0
RECORDING_PATIENCE_S = 2.0
"""For whole recordings: when a way has failed, and when the next one is tried beside it."""


@dataclass(frozen=True, slots=True)
class Ears:
    """How a call gets its recogniser: of a stream (``open``) or of whole recordings (``words``).
    ``report`` is for people, ``checks`` are for the start, ``closing`` is for the end."""

    open: Callable[[Reports], Transcriber]
    words: Callable[[Reports], Words]
    report: str
    checks: tuple[Check, ...] = ()
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()


def make_ears(settings: EngineSettings, agent: Agent, shared: Shared) -> Ears:
    """The chosen recogniser with its rescue. Raises NotConfigured."""
    name, why = hears(settings, agent.engines)
    silence_ms, others = settings.vad_silence_ms, _Others(settings, agent, shared)
    if name == "embedded":
        way = others.embedded()
        if way is None:
            report = f"no recogniser, only typing works ({others.without_embedded})"
            return Ears(lambda reports: DeafTranscriber(), _words([]), report)
        return Ears(
            lambda reports: UtteranceTranscriber(way.recogniser, silence_ms),
            _words([way]),
            "Moonshine tiny (embedded, English)",
        )
    if name == "openai":
        ways = others.after("openai")
        first = replace(others.openai(), deadline_s=OPENAI_FIRST_S, patience_s=OPENAI_FIRST_S)
        return Ears(
            lambda reports: UtteranceTranscriber(FirstWords([first, *ways], reports), silence_ms),
            _words([first, *ways]),
            f"OpenAI {settings.openai_transcribe_model} ({why}){_then(ways)}",
            tuple(others.checks),
            tuple(others.closing),
        )
    if name == "flux":
        return _flux(settings, agent, shared, why, others)
    return _deepgram(settings, agent, shared, why, others)


def _deepgram(
    settings: EngineSettings, agent: Agent, shared: Shared, why: str, others: _Others
) -> Ears:
    options = DeepgramOptions(
        settings.deepgram_api_key,
        settings.deepgram_base_url,
        settings.deepgram_model,
        agent.engines.language,
        agent.key_terms,
    )
    breaker, ways = shared.breaker("deepgram live"), others.after("deepgram")
    tls = shared.tls_of(options.base_url)

    def open_one(reports: Reports) -> Transcriber:
        live = DeepgramTranscriber(options, reports, breaker, settings.vad_silence_ms, tls=tls)
        return TranscriberChain(live, FirstWords(ways, reports), settings.vad_silence_ms)

    checks = (
        _deepgram_check(settings, f"DEEPGRAM_MODEL={options.model}", lambda: check(options, tls)),
        *others.checks,
    )
    report = f"Deepgram {options.model} ({why}){_then(ways)}"
    return Ears(open_one, _words(ways), report, checks, tuple(others.closing))


def _flux(
    settings: EngineSettings, agent: Agent, shared: Shared, why: str, others: _Others
) -> Ears:
    language, model = agent.engines.language, settings.flux_model
    if model == FLUX_MODEL and language.partition("-")[0] != "en":
        model = MULTI  # the other one knows English only
    options = FluxOptions(
        settings.deepgram_api_key,
        settings.deepgram_base_url,
        model,
        language,
        agent.key_terms,
        eager_eot_threshold=settings.flux_eager_threshold,
    )
    breaker, ways = shared.breaker("deepgram flux"), others.after("deepgram")
    silence_ms, tls = settings.vad_silence_ms, shared.tls_of(options.base_url)

    def open_one(reports: Reports) -> Transcriber:
        live = FluxTranscriber(options, reports, breaker, silence_ms, tls=tls)
        return TranscriberChain(
            live, FirstWords(ways, reports), silence_ms, patience_ms=options.patience_ms
        )

    checks = (
        _deepgram_check(settings, f"FLUX_MODEL={model}", lambda: check(options, tls)),
        *others.checks,
    )
    report = f"Deepgram {options.model} ({why}){_then(ways)}"
    return Ears(open_one, _words(ways), report, checks, tuple(others.closing))


def _deepgram_check(
    settings: EngineSettings, model: str, run: Callable[[], Awaitable[None]]
) -> Check:
    return Check(run, f"Deepgram ({settings.deepgram_base_url})", "DEEPGRAM_API_KEY", model)


class _Others:
    """The ways to words that need no socket of their own; each is made once."""

    def __init__(self, settings: EngineSettings, agent: Agent, shared: Shared) -> None:
        self._settings = settings
        self._agent = agent
        self._shared = shared
        self.without_embedded = ""
        self.checks: list[Check] = []
        self.closing: list[Callable[[], Awaitable[None]]] = []
        """Both of those that were made."""

    def after(self, first: str) -> list[Way]:
        """Those that are tried when ``first`` has failed, in order."""
        ways = [self._deepgram_file()] if first == "deepgram" else []
        has_openai = self._settings.openai_api_key and is_openai(self._settings)
        if first != "openai" and has_openai:
            ways.append(self.openai())
        embedded = self.embedded() if self._is_english else None
        return [*ways, embedded] if embedded else ways

    @property
    def _is_english(self) -> bool:
        return self._agent.engines.language.partition("-")[0] in {"en", "multi"}

    def _deepgram_file(self) -> Way:
        settings, agent = self._settings, self._agent
        recogniser = DeepgramFile(
            settings.deepgram_api_key,
            settings.deepgram_base_url,
            settings.deepgram_model,
            agent.engines.language,
            agent.key_terms,
        )
        self.closing.append(recogniser.close)
        return Way(recogniser, self._shared.breaker("deepgram file"))

    def openai(self) -> Way:
        settings, agent = self._settings, self._agent
        key, url, model = (
            settings.openai_api_key,
            settings.openai_base_url,
            settings.openai_transcribe_model,
        )
        client = self._shared.clients.openai(key, url)
        self.checks.append(openai_check(self._shared, key, url, model, "OPENAI_TRANSCRIBE_MODEL"))
        options = OpenAITranscription(model, agent.engines.language, agent.key_terms)
        return Way(OpenAIWords(client, options), self._shared.breaker("openai transcription"))

    def embedded(self) -> Way | None:
        try:
            folder = self._settings.speech_model_dir
            moonshine = self._shared.once("moonshine", lambda: Moonshine(folder))
        except ModelMissing as error:
            self.without_embedded = str(error)
            return None
        words = EmbeddedWords(moonshine, self._shared.workers)
        breaker = self._shared.breaker("moonshine")
        return Way(words, breaker, EMBEDDED_WITHIN_S, EMBEDDED_WITHIN_S, 0.0)


def _words(ways: Sequence[Way]) -> Callable[[Reports], Words]:
    """A recording is heard with more patience than a turn of a stream: its caller waits anyway."""
    patient = [
        replace(way, deadline_s=RECORDING_WITHIN_S, patience_s=RECORDING_PATIENCE_S) for way in ways
    ]
    return lambda reports: FirstWords(patient, reports)


def _then(ways: list[Way]) -> str:
    names = {"deepgram": "Deepgram's files", "openai": "OpenAI", "moonshine": "Moonshine"}
    return if_it_fails([names.get(way.recogniser.name, way.recogniser.name) for way in ways])
