"""HTTP clients of the vendors: one for each place and key, shared by all calls, and kept warm.

The SDKs drop a connection after five idle seconds, which is shorter than a turn; the next reply
would then pay for a new connection with TLS. These pools keep theirs for two minutes, and
:meth:`Clients.warm` makes sure that there is one.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
import httpx2
import openai
from elevenlabs.client import AsyncElevenLabs
from openai import AsyncOpenAI, DefaultAioHttpClient

from services.vendors import VendorError
from services.vendors.openai_errors import VENDOR, is_openai_host

KEEP_ALIVE_S = 120
WARM_EVERY_S = 60
WARM_AGAIN_S = 1.0
"""How soon at most: of many calls' wishes one is enough."""
_CONNECT_S = 1.5
_READ_S = 10.0
"""The longest pause between two bytes; brains and voices have shorter deadlines of their own."""
_WARM_WITHIN_S = 3.0
_MOST_CONNECTIONS = 1000


class Clients:
    """All HTTP clients of the process. Close them at the end."""

    def __init__(self) -> None:
        self._openai: dict[tuple[str, str], AsyncOpenAI] = {}
        self._elevenlabs: dict[tuple[str, str], tuple[AsyncElevenLabs, httpx.AsyncClient]] = {}

    def openai(self, key: str, base_url: str) -> AsyncOpenAI:
        """OpenAI, or a server like it. ``base_url`` without a path means the one at ``/v1``."""
        if (key, base_url) not in self._openai:
            place = base_url if urlsplit(base_url).path else f"{base_url}/v1"
            self._openai[key, base_url] = openai_client(key, place)
        return self._openai[key, base_url]

    def elevenlabs(self, key: str, base_url: str) -> AsyncElevenLabs:
        """ElevenLabs' REST interface."""
        if (key, base_url) not in self._elevenlabs:
            http = httpx.AsyncClient(
                timeout=httpx.Timeout(_READ_S, connect=_CONNECT_S),
                limits=httpx.Limits(
                    max_connections=_MOST_CONNECTIONS,
                    max_keepalive_connections=_MOST_CONNECTIONS,
                    keepalive_expiry=KEEP_ALIVE_S,
                ),
            )
            client = AsyncElevenLabs(api_key=key, base_url=base_url, httpx_client=http)
            self._elevenlabs[key, base_url] = client, http
        return self._elevenlabs[key, base_url][0]

    async def warm(self) -> list[VendorError]:
        """Have a connection to each model's place ready. Returns what went wrong.

        A refused key shows here and not in the first call.
        """
        outcomes = await asyncio.gather(*(_try(client) for client in self._openai.values()))
        return [error for error in outcomes if error is not None]

    async def check(self, key: str, base_url: str, model: str) -> None:
        """Have a connection ready, and find out whether the key is taken and the model known, where
        the place tells. Raises VendorError (401, 403, 404, unreachable)."""
        await _ask(self.openai(key, base_url), model)

    async def close(self) -> None:
        """Close all connections."""
        for client in self._openai.values():
            await client.close()
        for _, http in self._elevenlabs.values():
            await http.aclose()


def openai_client(key: str, base_url: str) -> AsyncOpenAI:
    """A client whose transport is aiohttp: a token of a stream costs it half of what it costs
    httpx2 (95 us instead of 170, of one core, with our own work on it)."""
    return AsyncOpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,  # a chain has something better to do than to wait
        http_client=DefaultAioHttpClient(
            timeout=httpx2.Timeout(_READ_S, connect=_CONNECT_S),
            limits=httpx2.Limits(
                max_connections=_MOST_CONNECTIONS,
                max_keepalive_connections=_MOST_CONNECTIONS,
                keepalive_expiry=KEEP_ALIVE_S,
            ),
        ),
    )


async def _ask(client: AsyncOpenAI, model: str = "") -> None:
    """One cheap authenticated request: for a model, or else for the list of them."""
    models = client.models.with_raw_response  # nobody reads what there is
    try:
        async with asyncio.timeout(_WARM_WITHIN_S):
            await (models.retrieve(model) if model else models.list())
    except openai.APIStatusError as error:
        code = str(error.status_code)
        if code in {"401", "403"}:
            raise VendorError(VENDOR, "warm", code, at_once=True) from None
        if model and code == "404" and _misses(model, error, client.base_url.host):
            raise VendorError(VENDOR, "warm", code, at_once=True) from None
        # else it answered: the connection is there, and not every server tells of its models
    except (openai.APIConnectionError, TimeoutError):
        raise VendorError(VENDOR, "warm", "unreachable", at_once=True) from None
    except Exception as error:  # a key that no header can hold, for one: no reason not to start
        raise VendorError(VENDOR, "warm", type(error).__name__) from None


def _misses(model: str, error: openai.APIStatusError, host: str) -> bool:
    """Whether a 404 speaks of the model: not every server like OpenAI knows this address, and one
    that does not cannot name the model."""
    return is_openai_host(host) or error.code == "model_not_found" or model in str(error.body)


async def _try(client: AsyncOpenAI) -> VendorError | None:
    try:
        await _ask(client)
    except VendorError as error:
        return error
    return None


class Warmth:
    """Keeps the clients warm: all the time a little, and at once when it is asked to."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._wanted = asyncio.Event()

    def want(self) -> None:
        """A connection is needed soon, or was used up: an interrupted stream closes its own."""
        self._wanted.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(WARM_EVERY_S):
                    await self._wanted.wait()
            self._wanted.clear()
            await self._clients.warm()
            await asyncio.sleep(WARM_AGAIN_S)
