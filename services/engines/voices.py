"""Who speaks: the voice of a call, the others that speak on when it fails, and lines ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.audio.models import ModelMissing
from services.engines.checks import Check, openai_check
from services.engines.mock import ToneVoice
from services.engines.shared import Shared
from services.engines.wanted import EngineSettings, if_it_fails, speaks
from services.receptionist.agent import Agent
from services.tts import Renderer, Voice
from services.tts.by_phrase import Patience
from services.tts.chain import VoiceChain
from services.tts.elevenlabs import ElevenLabsVoice
from services.tts.elevenlabs_link import check
from services.tts.elevenlabs_rest import PATIENCE as ELEVENLABS_PATIENCE
from services.tts.elevenlabs_rest import ElevenLabsRest
from services.tts.elevenlabs_wire import ElevenLabsOptions
from services.tts.hibari import HibariVoice
from services.tts.openai import PATIENCE as OPENAI_PATIENCE
from services.tts.openai import OpenAISpeech, OpenAIVoice
from services.vendors import Reports
from services.vendors.breaker import Breaker

LAST_PATIENCE = Patience(first_audio_s=5.0)
"""The last voice may take its time: after it there is only silence."""


@dataclass(frozen=True, slots=True)
class Voices:
    """How a call gets its voice, and who renders the standing lines.

    ``spare`` renders in this machine, for what cannot wait while the vendor fails; None if the
    renderer does so itself, or if nobody can. ``breaker`` is of the renderer's way to its vendor.
    ``report`` is for people, ``checks`` are for the start.
    """

    open: Callable[[Reports], Voice]
    renderer: Renderer
    spare: Renderer | None
    report: str
    checks: tuple[Check, ...] = ()
    breaker: Breaker | None = None


Opened = Callable[[Reports], tuple[Voice, Breaker]]
"""One of a chain's voices, for one call."""


def make_voices(settings: EngineSettings, agent: Agent, shared: Shared) -> Voices:
    """The chosen voice with those that stand in for it. Raises NotConfigured."""
    name, why = speaks(settings, agent.engines)
    embedded, missing = _embedded(shared)
    if name == "embedded":
        voice = embedded or ToneVoice()
        report = f"a tone instead of a voice ({missing})"
        return Voices(
            lambda reports: voice,
            voice,
            None,
            "Hibari (embedded, English)" if embedded else report,
        )
    has_openai = name == "openai" or bool(settings.openai_speech_model and settings.openai_api_key)
    last = "" if embedded else "openai" if has_openai else "elevenlabs"
    makers = _Makers(settings, agent, shared, name, last)
    chain: list[Opened] = []
    checks: list[Check] = []
    told: list[str] = []
    if name == "elevenlabs":
        if agent.engines.use_persistent_tts:
            chain.append(makers.elevenlabs_socket)
            checks.append(makers.elevenlabs_check())
        chain.append(makers.elevenlabs_rest)
        how = "one socket a call" if agent.engines.use_persistent_tts else "a request a phrase"
        told.append(f"ElevenLabs {settings.elevenlabs_model}, {how} ({why})")
    if has_openai:
        chain.append(makers.openai)
        key, url, model = (
            settings.openai_api_key,
            settings.openai_base_url,
            settings.openai_speech_model,
        )
        checks.append(openai_check(shared, key, url, model, "OPENAI_SPEECH_MODEL"))
        told.append(f"OpenAI {settings.openai_speech_model}" + (f" ({why})" * (name == "openai")))
    if embedded:  # in any language: an accent is better than silence
        chain.append(lambda reports: (embedded, shared.breaker("hibari")))
        is_english = agent.engines.language.partition("-")[0] in {"en", "multi"}
        told.append("Hibari" if is_english else "Hibari (English)")
    renderer, breaker = makers.renderer()
    return Voices(
        lambda reports: VoiceChain([opened(reports) for opened in chain], reports),
        renderer,
        embedded,
        f"{told[0]}{if_it_fails(told[1:])}",
        tuple(checks),
        breaker,
    )


class _Makers:
    """Makes the vendors' voices; what calls share of them is made once."""

    def __init__(
        self, settings: EngineSettings, agent: Agent, shared: Shared, chosen: str, last: str
    ) -> None:
        """``chosen``: who speaks first; the agent's voice is one of theirs. ``last``: the vendor
        after whose requests nobody comes; "": none of them."""
        self._settings = settings
        self._shared = shared
        self._chosen = chosen
        self._last = last
        self._region = agent.business.country
        self._voice = agent.engines.voice
        language = agent.engines.language
        self._spoken = None if language in {"en", "multi"} else language.partition("-")[0]
        """ISO 639-1; None: English, or whatever comes."""

    def renderer(self) -> tuple[Renderer, Breaker]:
        """The renderer in the chosen voice."""
        maker = self.elevenlabs_rest if self._chosen == "elevenlabs" else self.openai
        return maker(self._shared.reports())  # which nobody hears: rendering tells nothing itself

    def elevenlabs_socket(self, reports: Reports) -> tuple[Voice, Breaker]:
        opening = self._breaker("elevenlabs connect", "elevenlabs")
        tls = self._shared.tls_of(self._settings.elevenlabs_base_url)
        voice = ElevenLabsVoice(self._elevenlabs, opening, reports, tls)
        return voice, self._breaker("elevenlabs socket", "elevenlabs")

    def elevenlabs_check(self) -> Check:
        """Whether a socket opens."""
        options, tls = self._elevenlabs, self._shared.tls_of(self._settings.elevenlabs_base_url)
        return Check(
            lambda: check(options, tls),
            f"ElevenLabs ({options.base_url})",
            "ELEVENLABS_API_KEY",
            f"the voice {options.voice} or the model {options.model}",
        )

    def elevenlabs_rest(self, reports: Reports) -> tuple[ElevenLabsRest, Breaker]:
        settings = self._settings
        client = self._shared.clients.elevenlabs(
            settings.elevenlabs_api_key, settings.elevenlabs_base_url
        )
        patience = LAST_PATIENCE if self._last == "elevenlabs" else ELEVENLABS_PATIENCE
        voice = ElevenLabsRest(client, self._elevenlabs, reports, patience)
        return voice, self._breaker("elevenlabs rest", "elevenlabs")

    def openai(self, reports: Reports) -> tuple[OpenAIVoice, Breaker]:
        settings = self._settings
        client = self._shared.clients.openai(settings.openai_api_key, settings.openai_base_url)
        own = self._voice if self._chosen == "openai" else ""
        options = OpenAISpeech(
            settings.openai_speech_model,
            own or settings.openai_speech_voice,
            region=self._region,
            language=self._spoken or "en",
        )
        patience = LAST_PATIENCE if self._last == "openai" else OPENAI_PATIENCE
        voice = OpenAIVoice(client, options, reports, patience)
        return voice, self._breaker("openai speech", "openai")

    def _breaker(self, name: str, vendor: str) -> Breaker:
        """A voice that one agent alone has may be gone while the others still talk."""
        own = self._voice if self._chosen == vendor else ""
        return self._shared.breaker(f"{name} {own}".rstrip())

    @property
    def _elevenlabs(self) -> ElevenLabsOptions:
        settings = self._settings
        return ElevenLabsOptions(
            settings.elevenlabs_base_url,
            settings.elevenlabs_api_key,
            self._voice or settings.elevenlabs_voice,
            settings.elevenlabs_model,
            self._spoken,
            region=self._region,
        )


def _embedded(shared: Shared) -> tuple[HibariVoice | None, str]:
    try:
        return shared.once("hibari", lambda: HibariVoice(shared.workers)), ""
    except ModelMissing as error:
        return None, str(error)
