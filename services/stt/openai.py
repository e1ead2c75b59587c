"""OpenAI's transcription (``/v1/audio/transcriptions``): an utterance at a time, after its end.

A container is wanted, so the turn's audio becomes a WAV file of 16-bit samples at 8 kHz. Words come
a round trip and the recognition later than a live socket's; as a second way that is soon enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import httpx2
import openai
from openai import AsyncOpenAI

from services.audio.wav import wav
from services.stt.turn_audio import Piece
from services.vendors import VendorError
from services.vendors.keys import check_key
from services.vendors.openai_errors import VENDOR, vendor_error

MODEL = "gpt-transcribe"

_STEP = "transcribe"


@dataclass(frozen=True, slots=True)
class OpenAITranscription:
    """What is asked of OpenAI. ``language``: ``en``, ``en-US``, ...; ``multi``: any. ``keywords``:
    names to listen for; only ``gpt-transcribe`` takes them."""

    model: str = MODEL
    language: str = "en"
    keywords: tuple[str, ...] = ()


class OpenAIWords:
    """Words by OpenAI. One for all calls with the same options."""

    name = VENDOR

    def __init__(self, client: AsyncOpenAI, options: OpenAITranscription) -> None:
        """``client``: shared by all calls; its pool keeps connections warm."""
        self._client = client.with_options(max_retries=0)  # the next recogniser is faster
        self._model = options.model
        plain = options.language.partition("-")[0]
        self._language = openai.omit if plain == "multi" else plain
        takes_keywords = options.model == MODEL and options.keywords
        self._keywords = list(options.keywords) if takes_keywords else openai.omit

    @property
    def idle(self) -> bool:
        return False  # it costs money

    async def words(self, pieces: Sequence[Piece]) -> str:
        """The words of all pieces at once. Raises VendorError."""
        check_key(VENDOR, _STEP, self._client.api_key)
        audio = b"".join(piece.audio for piece in pieces)
        try:
            answer = await self._client.audio.transcriptions.create(
                model=self._model,
                file=("turn.wav", wav(audio), "audio/wav"),
                response_format="json",
                language=self._language,
                keywords=self._keywords,
            )
            return answer.text.strip()
        except (openai.APIError, httpx2.HTTPError) as error:
            raise vendor_error(_STEP, error, "timeout") from None
        except (AttributeError, ValueError):
            raise VendorError(VENDOR, _STEP, "malformed") from None
