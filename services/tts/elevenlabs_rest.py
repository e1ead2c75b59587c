"""ElevenLabs over its REST stream, through the vendor's SDK: for agents without a socket, for the
rest of a reply whose socket failed, and to render lines ahead.

What the SDK (2.78) must be told: without ``chunk_size`` it holds back the first 1024 bytes, 128 ms
of mu-law; it does not retry streams, and it waits for 240 s, so the deadlines are ours.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator

import httpx
import orjson
from elevenlabs.client import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.request_options import RequestOptions
from elevenlabs.types import VoiceSettings

from services.tts.by_phrase import Patience, PhraseVoice, check_is_audio
from services.tts.elevenlabs_wire import AT_ONCE, VENDOR, ElevenLabsOptions, detail_status
from services.vendors import Reports, VendorError

PATIENCE = Patience(first_audio_s=1.2)
_OPTIONS = RequestOptions(chunk_size=400)  # 50 ms: a phrase is held back longer than that anyway
_BEFORE_CHARS = 300  # of ``previous_text``: enough for the melody to go on


class ElevenLabsRest:
    """The voice of one call, and a renderer."""

    def __init__(
        self,
        client: AsyncElevenLabs,
        options: ElevenLabsOptions,
        reports: Reports | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        """``client``: shared by all calls; its pool keeps connections warm."""
        self._client = client
        self._options = options
        self._settings = _settings(options)
        self.name = f"elevenlabs {options.model} {options.voice}{_mark_of(options)}"
        language = options.language or "en"
        self._voice = PhraseVoice(
            VENDOR, self._stream, patience, reports or Reports(), options.region, language
        )
        self.run, self.speak = self._voice.run, self._voice.speak
        self.render, self.spoken = self._voice.render, self._voice.spoken

    async def _stream(self, said: str, before: str) -> AsyncGenerator[bytes]:
        knows_before = before and not self._options.model.startswith("eleven_v3")  # it refuses it
        given = {
            "language_code": self._options.language,
            "voice_settings": self._settings,
            "previous_text": before[-_BEFORE_CHARS:] if knows_before else None,
        }
        try:
            async with self._client.text_to_speech.with_raw_response.stream(
                self._options.voice,
                text=said,
                model_id=self._options.model,
                output_format="ulaw_8000",
                request_options=_OPTIONS,
                **{name: value for name, value in given.items() if value},
            ) as response:
                check_is_audio(VENDOR, response.headers.get("content-type", ""))
                async for chunk in response.data:
                    yield chunk
        except ApiError as error:
            raise _refused(error) from None
        except httpx.HTTPError as error:
            raise _broken(error) from None


def _settings(options: ElevenLabsOptions) -> VoiceSettings | None:
    return VoiceSettings.model_validate(dict(options.settings)) if options.settings else None


def _mark_of(options: ElevenLabsOptions) -> str:
    """What else the sound depends on, in short."""
    if not options.settings and not options.language:
        return ""
    settings = orjson.dumps([options.language, dict(options.settings)], option=orjson.OPT_SORT_KEYS)
    return f" {hashlib.sha256(settings).hexdigest()[:8]}"


def _refused(error: ApiError) -> VendorError:
    code = detail_status(error.body) or str(error.status_code)
    at_once = error.status_code in {401, 403, 404} or code in AT_ONCE
    return VendorError(VENDOR, "request", code, at_once=at_once)


def _broken(error: httpx.HTTPError) -> VendorError:
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return VendorError(VENDOR, "request", "connect timeout", at_once=True)
    if isinstance(error, httpx.TimeoutException):
        return VendorError(VENDOR, "speak", "stall", at_once=True)
    if isinstance(error, httpx.ConnectError):
        return VendorError(VENDOR, "request", "refused", at_once=True)
    if isinstance(error, httpx.LocalProtocolError):
        return VendorError(VENDOR, "request", "bad key", at_once=True)  # in no header at all
    if isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError):
        return VendorError(VENDOR, "speak", "cut")
    return VendorError(VENDOR, "speak", type(error).__name__)
