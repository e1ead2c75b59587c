"""Deepgram's recognition of a whole file (``POST /v1/listen``): the rescue of a lost live socket.

Through Deepgram's own SDK, whose HTTP side is sound. The turn's mu-law is sent as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment

from services.audio.mulaw import RATE_HZ
from services.stt.deepgram import BASE_URL, MODEL
from services.stt.deepgram_socket import VENDOR
from services.stt.deepgram_wire import limited
from services.stt.turn_audio import Piece
from services.vendors import VendorError
from services.vendors.keys import check_key
from services.vendors.urls import socket_url

KEEP_ALIVE_S = 120
"""How long an idle connection is kept; the SDK's five seconds are shorter than a turn."""


class DeepgramFile:
    """Words by Deepgram's file interface. One for all calls with the same language and names."""

    name = VENDOR

    def __init__(
        self,
        key: str,
        base_url: str = BASE_URL,
        model: str = MODEL,
        language: str = "en",
        keyterms: Sequence[str] = (),
    ) -> None:
        self._key = key
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(5, connect=1),
            limits=httpx.Limits(max_connections=200, keepalive_expiry=KEEP_ALIVE_S),
        )
        socket = socket_url(base_url)
        self._client = AsyncDeepgramClient(
            api_key=key,
            environment=DeepgramClientEnvironment(
                base=base_url, production=socket, agent=socket, agent_rest=base_url
            ),
            httpx_client=self._http,
        )
        self._asked: dict[str, Any] = {
            "model": model,
            "language": language,
            "encoding": "mulaw",
            "smart_format": True,
            "numerals": True,
            "request_options": {
                "max_retries": 0,  # the next recogniser is faster
                "additional_query_parameters": {"sample_rate": RATE_HZ},
            },
        }
        if keyterms and model.startswith("nova-3"):
            self._asked["keyterm"] = list(limited(keyterms))

    @property
    def idle(self) -> bool:
        return False  # it costs money

    async def words(self, pieces: Sequence[Piece]) -> str:
        """The words of all pieces at once. Raises VendorError."""
        check_key(VENDOR, "transcribe", self._key)
        audio = b"".join(piece.audio for piece in pieces)
        try:
            response = await self._client.listen.v1.media.transcribe_file(
                request=audio, **self._asked
            )
            transcript = response.results.channels[0].alternatives[0].transcript
            return (transcript or "").strip()
        except ApiError as error:
            raise _refused(error) from None
        except httpx.ConnectTimeout:
            raise VendorError(VENDOR, "transcribe", "connect timeout", at_once=True) from None
        except httpx.TimeoutException:
            raise VendorError(VENDOR, "transcribe", "timeout", at_once=True) from None
        except httpx.ConnectError:
            raise VendorError(VENDOR, "transcribe", "refused", at_once=True) from None
        except httpx.HTTPError:
            raise VendorError(VENDOR, "transcribe", "reset") from None
        except Exception:  # the SDK lets its models' own errors through
            raise VendorError(VENDOR, "transcribe", "malformed") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _refused(error: ApiError) -> VendorError:
    status = error.status_code or 0
    if 200 <= status < 300:
        return VendorError(VENDOR, "transcribe", "malformed")
    return VendorError(VENDOR, "transcribe", str(status), at_once=status in {401, 402, 403})
