"""Clients for the tests of the simulated Deepgram: the real SDK, and a plain WebSocket client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.virtual_time import run_virtual

VOICE, QUIET = b"\x20" * 160, b"\xff" * 160
QUERY = {"model": "nova-3", "encoding": "mulaw", "sample_rate": "8000"}
LIVE = QUERY | {"interim_results": "true", "endpointing": "300"}
FLUX = {"model": "flux-general-en", "encoding": "mulaw", "sample_rate": "8000"}
EAGER = FLUX | {"eager_eot_threshold": "0.4", "eot_threshold": "0.8"}
TEXTS = ["I would like to book a table", "for two people please"]


class Talk:
    """A plain client that plays audio at its speed and collects what comes back, with times."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.got: list[tuple[float, Any]] = []
        self.closed: tuple[int, str] | None = None
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                data = await self.socket.recv()
                try:
                    self.got.append((loop.time(), json.loads(data)))
                except ValueError:
                    self.got.append((loop.time(), data))
        except ConnectionClosed as closed:
            self.closed = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")

    async def play(self, frame: bytes, ms: int, each: int = 1) -> None:
        """20 ms frames for so long, ``each`` of them in a message."""
        for _ in range(ms // 20 // each):
            await self.socket.send(frame * each)
            await asyncio.sleep(0.02 * each)

    async def send(self, kind: str, **more: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **more}))

    async def end(self) -> tuple[int, str]:
        """Wait for the end of the socket: the code and reason that came."""
        await self._reader
        assert self.closed is not None
        return self.closed

    async def hang_up(self) -> None:
        await self.socket.close()
        await self._reader

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The messages of these types, or with these events."""
        return [
            message
            for _, message in self.got
            if isinstance(message, dict) and {message.get("type"), message.get("event")} & {*kinds}
        ]


async def dial(
    simulator: DeepgramSimulator,
    query: dict[str, str] = LIVE,
    path: str = "/v1/listen",
    authorization: str | None = None,
) -> Talk:
    url = f"{simulator.url.replace('http', 'ws')}{path}?{urlencode(query)}"
    authorization = f"Token {simulator.key}" if authorization is None else authorization
    socket = await connect(
        url,
        additional_headers={"Authorization": authorization} if authorization else {},
        compression=None,
        proxy=None,
        ping_interval=None,
        close_timeout=1,
    )
    return Talk(socket)


def flux(simulator: DeepgramSimulator, query: dict[str, str] = EAGER) -> Awaitable[Talk]:
    return dial(simulator, query, "/v2/listen")


def text(message: dict[str, Any]) -> str:
    return str(message["channel"]["alternatives"][0]["transcript"])


def in_simulator(
    work: Callable[[DeepgramSimulator], Awaitable[None]], **options: Any
) -> DeepgramSimulator:
    """Run on virtual time; whatever happened, no socket is left."""

    async def run() -> DeepgramSimulator:
        async with DeepgramSimulator(**{"hears": TEXTS} | options) as simulator:
            await work(simulator)
            await asyncio.sleep(0.1)
            assert simulator.open_sockets == 0
        return simulator

    simulator: DeepgramSimulator = run_virtual(run())
    return simulator


@asynccontextmanager
async def sdk(simulator: DeepgramSimulator, key: str = "") -> AsyncIterator[AsyncDeepgramClient]:
    url = simulator.url
    place = url.replace("http", "ws")
    environment = DeepgramClientEnvironment(base=url, production=place, agent=place, agent_rest=url)
    async with httpx.AsyncClient(trust_env=False) as client:
        yield AsyncDeepgramClient(
            api_key=key or simulator.key, environment=environment, httpx_client=client
        )
