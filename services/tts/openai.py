"""OpenAI speech (``/audio/speech``): linear PCM at 24 kHz, made mu-law at 8 kHz while it comes.

OpenAI ends this endpoint with all its models (``tts-1``, ``tts-1-hd``, ``gpt-4o-mini-tts``) on
2027-01-06 and names its Realtime API as the replacement [SDK 3.52, openai.resources.audio.speech],
so there is no default model here. Servers that speak the same protocol go on.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import httpx2
import numpy as np
import openai
import soxr
from openai import AsyncOpenAI

from services.audio.mulaw import RATE_HZ, encode_pcm
from services.tts.by_phrase import Patience, PhraseVoice, check_is_audio
from services.vendors import Reports
from services.vendors.openai_errors import VENDOR, vendor_error

VOICE = "marin"
PATIENCE = Patience(first_audio_s=1.5)
_RATE_HZ = 24_000
_CHUNK_BYTES = 2400  # 50 ms


@dataclass(frozen=True, slots=True)
class OpenAISpeech:
    """Who speaks, and how: ``instructions`` in words ("Warm and brisk."). ``region``: of telephone
    numbers without a country code. ``language``: of numbers; ISO 639-1."""

    model: str
    voice: str = VOICE
    instructions: str = ""
    region: str = "US"
    language: str = "en"


class OpenAIVoice:
    """The voice of one call, and a renderer."""

    def __init__(
        self,
        client: AsyncOpenAI,
        options: OpenAISpeech,
        reports: Reports | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        """``client``: shared by all calls; its pool keeps connections warm."""
        self._client = client.with_options(max_retries=0)  # the next voice is faster
        self._options = options
        self.name = f"openai {options.model} {options.voice}"
        if options.instructions:
            self.name += f" {hashlib.sha256(options.instructions.encode()).hexdigest()[:8]}"
        self._voice = PhraseVoice(
            VENDOR, self._stream, patience, reports or Reports(), options.region, options.language
        )
        self.run, self.speak = self._voice.run, self._voice.speak
        self.render, self.spoken = self._voice.render, self._voice.spoken

    async def _stream(self, said: str, before: str) -> AsyncGenerator[bytes]:
        telephone = _Telephone()
        try:
            async with self._client.audio.speech.with_streaming_response.create(
                model=self._options.model,
                voice=self._options.voice,
                input=said,
                response_format="pcm",
                instructions=self._options.instructions or openai.omit,
            ) as response:
                check_is_audio(VENDOR, response.headers.get("content-type", ""))
                async for chunk in response.iter_bytes(_CHUNK_BYTES):
                    yield telephone.hear(chunk)
                yield telephone.finish()
        except (openai.APIError, httpx2.HTTPError) as error:
            raise vendor_error("speak", error, "stall") from None


class _Telephone:
    """16-bit samples at 24 kHz, little-endian, cut anywhere, to mu-law at 8 kHz."""

    def __init__(self) -> None:
        self._resampler = soxr.ResampleStream(_RATE_HZ, RATE_HZ, 1, dtype="int16", quality="HQ")
        self._odd = b""

    def hear(self, pcm: bytes) -> bytes:
        """More of it; what can be played so far."""
        pcm = self._odd + pcm
        whole = len(pcm) & ~1
        self._odd = pcm[whole:]
        return self._encode(pcm[:whole], last=False)

    def finish(self) -> bytes:
        """What the filter still holds."""
        return self._encode(b"", last=True)

    def _encode(self, pcm: bytes, *, last: bool) -> bytes:
        samples = np.frombuffer(pcm, dtype="<i2").astype(np.int16, copy=False)
        return encode_pcm(self._resampler.resample_chunk(samples, last=last).tobytes())
