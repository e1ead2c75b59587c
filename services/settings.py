"""The settings: the only reader of the environment. Everything else gets its values passed down.

Each setting is an environment variable of the same name in capitals, or a line in ``.env``. The
descriptions here are what ``.env.example`` and the README say; a test holds the three together.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.call.timings import Timings
from services.receptionist.agent import WhoHears, WhoSpeaks, WhoThinks
from services.vendors.urls import base_url


def _key(value: str) -> str:
    """A key as a header takes it. Raises ValueError, without the key."""
    value = value.strip()
    if not (value.isascii() and value.isprintable()):
        raise ValueError(
            "holds a character that no key has (a dash, quote or blank out of a word processor?); "
            "copy it from the vendor again"
        )
    return value


Key = Annotated[str, AfterValidator(_key)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
OptionalUrl = Annotated[str, AfterValidator(lambda value: base_url(value) if value else value)]


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the text says which, and what is expected."""


class Settings(BaseSettings):
    """All settings, checked when the server starts."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all of them.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    public_url: str = Field(
        "", description="The https:// address under which Twilio reaches this server."
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.1", "::1"),
        description="Proxies whose forwarded headers count, as addresses or networks. "
        "ngrok runs on this machine, so the default suits it.",
    )

    twilio_auth_token: str = Field(
        "",
        repr=False,
        description="Twilio's auth token: webhooks and sockets must be signed with it.",
    )
    twilio_account_sid: str = Field(
        "",
        description="Twilio's account, for calls that go out, text messages and recordings.",
    )
    twilio_number: str = Field(
        "",
        description="The number that calls and text messages come from, like +15551234567, unless "
        "the agent's file names one.",
    )
    twilio_base_url: BaseUrl = Field(
        "https://api.twilio.com", description="Where Twilio's REST interface is."
    )
    api_keys: Annotated[tuple[Key, ...], NoDecode] = Field(
        (),
        repr=False,
        description="Keys that open the REST interface, separated by commas; without one it is "
        "closed.",
    )
    console_password: str = Field(
        "",
        repr=False,
        description="Password of the talk page. Without one it answers only to this machine.",
    )

    agents_dir: Path = Field(
        Path("agents"), description="The folder of the agents' files; each describes one."
    )
    agent_file: Path | None = Field(
        None, description="The file of the only agent, instead of all in the folder."
    )
    greeting: str = Field(
        "", description="What the agent says first, instead of the file's greeting; for one agent."
    )
    business_name: str = Field(
        "", description="The business's name, instead of the file's; for one agent."
    )
    owner_phone: str = Field(
        "",
        description="The owner's number, like +15551234567: urgent callers are put through to it, "
        "and it is told of messages, unless the agent's file names another.",
    )

    stt: WhoHears = Field(
        "", description="Who hears: deepgram, flux, openai, embedded; empty: by the keys there are."
    )
    llm: WhoThinks = Field(
        "", description="Who thinks: openai, scripted; empty: by the keys there are."
    )
    tts: WhoSpeaks = Field(
        "", description="Who speaks: elevenlabs, openai, embedded; empty: by the keys there are."
    )

    deepgram_api_key: Key = Field("", repr=False, description="Deepgram hears, if this is set.")
    deepgram_base_url: BaseUrl = Field(
        "https://api.deepgram.com", description="Where Deepgram is; its sockets are found from it."
    )
    deepgram_model: str = Field("nova-3", description="Deepgram's model for STT=deepgram.")
    flux_model: str = Field("flux-general-en", description="Deepgram's model for STT=flux.")
    flux_eager_threshold: float | None = Field(
        None,
        ge=0.3,
        le=0.9,
        description="Confidence at which Flux tells of an end that may come; empty: never.",
    )

    openai_api_key: Key = Field(
        "",
        repr=False,
        description="OpenAI thinks, if this is set. A local server may take any text as key.",
    )
    openai_base_url: BaseUrl = Field(
        "https://api.openai.com",
        description="Where OpenAI is, or a server like it (Ollama, vLLM, llama.cpp).",
    )
    openai_model: str = Field("gpt-5.4-mini", description="The language model.")
    openai_reasoning_effort: str = Field(
        "",
        description="How long a reasoning model thinks; empty: none at api.openai.com, "
        "unsaid elsewhere.",
    )
    openai_fallback_model: str = Field(
        "gpt-5.6-luna",
        description="The model that is asked if the first one is late or fails; none: no other.",
    )
    openai_fallback_base_url: OptionalUrl = Field(
        "", description="Where the fallback model is, if elsewhere."
    )
    openai_fallback_api_key: Key = Field(
        "",
        repr=False,
        description="The key for the fallback model, if another. Unless it is set, no key goes "
        "to another vendor's host.",
    )
    openai_faq_model: str = Field(
        "", description="A cheaper model for plain questions; empty: the first one answers all."
    )
    openai_transcribe_model: str = Field(
        "gpt-transcribe", description="OpenAI's model for STT=openai."
    )
    openai_speech_model: str = Field(
        "",
        description="OpenAI's model for TTS=openai. It has no default: OpenAI ends these models "
        "on 2027-01-06.",
    )
    openai_speech_voice: str = Field("marin", description="OpenAI's voice for TTS=openai.")
    first_token_ms: int = Field(
        4000,
        ge=500,
        le=20_000,
        description="Silence of a language model before it has failed, in ms; more for a slow "
        "local one.",
    )
    hedge_after_ms: int = Field(
        1200,
        ge=200,
        le=8000,
        description="Silence of the language model before the fallback model is asked too, in ms.",
    )
    faq_ahead: bool = Field(
        True,
        description="Plain questions of the agent file's FAQ are answered without a language "
        "model, from audio rendered ahead.",
    )

    elevenlabs_api_key: Key = Field(
        "", repr=False, description="ElevenLabs speaks, if this is set."
    )
    elevenlabs_base_url: BaseUrl = Field(
        "https://api.elevenlabs.io",
        description="Where ElevenLabs is; its sockets are found from it.",
    )
    elevenlabs_model: str = Field("eleven_flash_v2_5", description="ElevenLabs' model.")
    elevenlabs_voice: str = Field(
        "EXAVITQu4vr4xnSDxMaL", description="ElevenLabs' voice, by its id; this one is Sarah."
    )

    use_mock_streaming: bool = Field(
        False,
        description="Mock engines for wiring tests: a tone instead of a voice, no recognition.",
    )
    speech_workers: int = Field(
        2,
        ge=1,
        le=64,
        description="Threads for the embedded speech models, for all calls together.",
    )
    speech_model_dir: str = Field(
        "", description="Folder with the Moonshine model files, if not the installed package's."
    )

    turn_silence_ms: int = Field(
        800,
        ge=100,
        le=5000,
        description="Silence that ends the caller's turn if the words do not tell, in ms; whole "
        "words want less, words that lack their end more.",
    )
    eager_replies: int = Field(
        2,
        ge=0,
        le=5,
        description="How many answers may be begun for one turn before it is certain to be over; "
        "0: none. Each costs tokens if the caller goes on.",
    )
    vad_mode: int = Field(
        1,
        ge=0,
        le=3,
        description="WebRTC VAD mode: 0 lets most through to Silero, 3 least; unused without.",
    )
    vad_start_ms: int = Field(
        60, ge=20, le=500, description="Voice that begins an utterance, in ms."
    )
    vad_silence_ms: int = Field(
        200, ge=60, le=2000, description="Silence that ends an utterance (not yet a turn), in ms."
    )
    idle_secs: float = Field(
        8,
        ge=2,
        le=120,
        description="Silence before the agent asks whether you are still there, in s.",
    )
    max_convo_secs: int = Field(
        600, ge=10, le=14400, description="The longest call, in s; then the agent says goodbye."
    )
    max_calls: int = Field(
        100, ge=1, description="Calls at a time; further callers are asked to try again later."
    )
    drain_secs: float = Field(
        30,
        ge=0,
        le=3600,
        description="How long calls in progress may go on when the server is told to stop, in s.",
    )

    data_dir: Path = Field(
        Path("data"), description="Folder for journals, recordings and the database file."
    )
    database_url: str = Field(
        "",
        repr=False,
        description="The database, like postgresql://user:password@host/name; empty: a file of "
        "SQLite in the data folder.",
    )
    retention_days: int = Field(
        0, ge=0, description="Days after which a call's record is deleted; 0: never."
    )
    target_ms: int = Field(
        1500,
        ge=100,
        le=20_000,
        description="How long a caller should wait for an answer at most, in ms; a turn that takes "
        "longer is a warning in the log.",
    )
    price_currency: str = Field("USD", description="The currency of the prices.")
    price_call_minute: float = Field(
        0.0085, ge=0, description="What a minute of a call costs at the carrier."
    )
    price_stream_minute: float = Field(
        0.004, ge=0, description="What a minute of its media stream costs there."
    )
    price_stt_minute: float = Field(
        0.0077, ge=0, description="What a minute of a remote recogniser costs."
    )
    price_input_million: float = Field(
        0.75, ge=0, description="What a million tokens of prompt cost."
    )
    price_output_million: float = Field(
        4.5, ge=0, description="What a million tokens of answer cost."
    )
    price_tts_thousand: float = Field(
        0.05, ge=0, description="What a thousand characters of a remote voice cost."
    )
    price_sms: float = Field(0.0083, ge=0, description="What a text message costs.")
    journal_words: bool = Field(
        True,
        description="Whether journals keep the callers' words. Replay needs them.",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator("public_url")
    @classmethod
    def _public_url(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// (or http:// for a local test)")
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _trusted_proxies(cls, value: object) -> object:
        if isinstance(value, str):
            value = tuple(part.strip() for part in value.split(",") if part.strip())
            for part in value:
                ip_network(part, strict=False)
        return value

    @field_validator("api_keys", mode="before")
    @classmethod
    def _api_keys(cls, value: object) -> object:
        if isinstance(value, str):
            value = tuple(part.strip() for part in value.split(",") if part.strip())
            if any(len(part) < 16 for part in value):
                raise ValueError("each key must have 16 characters or more")
        return value

    @field_validator("database_url")
    @classmethod
    def _database_url(cls, value: str) -> str:
        value = value.strip()
        if value and not value.startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise ValueError("must begin with postgresql:// or sqlite:///")
        return value

    @field_validator("twilio_number", "owner_phone")
    @classmethod
    def _number(cls, value: str) -> str:
        value = re.sub(r"[\s().-]", "", value)
        if value and not re.fullmatch(r"\+[1-9]\d{6,14}", value):
            raise ValueError("must be a number with its country, like +15551234567")
        return value

    @field_validator("openai_fallback_model")
    @classmethod
    def _no_model(cls, value: str) -> str:
        return "" if value.strip().lower() == "none" else value.strip()

    @field_validator("log_level")
    @classmethod
    def _log_level(cls, value: str) -> str:
        if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @property
    def store_url(self) -> str:
        """Where the database is."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'receptionist.db'}"

    @property
    def timings(self) -> Timings:
        """The part that the core needs."""
        return Timings(
            turn_silence_ms=self.turn_silence_ms,
            eager_replies=self.eager_replies,
            idle_ms=int(self.idle_secs * 1000),
            max_call_s=self.max_convo_secs,
        )


def load_settings(**overrides: object) -> Settings:
    """Read the settings. Raises SettingsError, in words that never repeat a secret's value."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except UnicodeDecodeError:
        raise SettingsError(".env: must be written in UTF-8") from None
    except ValidationError as error:
        lines = [
            f"{'.'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("\n".join(lines)) from None
