"""A small server for the phone in the box, over a real socket."""

from __future__ import annotations

import asyncio
import base64
import json
import socket as tcp
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import uvicorn

from tests.simulators.script import (
    WaitAgent,
)

TOKEN = "an-auth-token"
LOUD = b"\x10" * 160
SHORT_WAIT = WaitAgent(silence_ms=60, timeout_s=5)


def speak(text: str) -> bytes:
    """A voice that hums 20 ms for each letter."""
    return LOUD * len(text)


@dataclass
class Socket:
    """The fake server's end of one media stream."""

    receive: Callable[[], Awaitable[Any]]
    transmit: Callable[[Any], Awaitable[None]]
    got: list[dict[str, Any]] = field(default_factory=list)
    closed: int = 0
    sid: str = ""

    async def read(self) -> dict[str, Any] | None:
        """The next message, parsed; None once the phone is gone."""
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            self.closed = message["code"]
            return None
        parsed: dict[str, Any] = json.loads(message["text"])
        self.got.append(parsed)
        return parsed

    async def raw(self, **message: Any) -> None:
        await self.transmit({"type": "websocket.send", **message})

    async def send(self, event: str, **details: Any) -> None:
        await self.raw(text=json.dumps({"event": event, "streamSid": self.sid, **details}))

    async def media(self, audio: bytes) -> None:
        await self.send("media", media={"payload": base64.b64encode(audio).decode()})

    async def mark(self, name: str) -> None:
        await self.send("mark", mark={"name": name})

    async def close(self) -> None:
        await self.transmit({"type": "websocket.close", "code": 1000})

    def events(self, name: str) -> list[dict[str, Any]]:
        return [message for message in self.got if message["event"] == name]


Agent = Callable[[Socket], Awaitable[None]]


@dataclass
class FakeServer:
    """An ASGI app: a webhook that answers with TwiML and a socket that ``agent`` speaks on."""

    agent: Agent
    url: str = ""
    status: int = 200
    content_type: str = "text/xml"
    socket_refused: bool = False
    requests: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)
    handshakes: list[dict[str, str]] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if scope["type"] == "http":
            body = (await receive())["body"].decode()
            self.requests.append((headers, dict(parse_qsl(body, keep_blank_values=True))))
            start = [(b"content-type", self.content_type.encode())]
            await send({"type": "http.response.start", "status": self.status, "headers": start})
            await send({"type": "http.response.body", "body": self.twiml().encode()})
            return
        assert (await receive())["type"] == "websocket.connect"
        self.handshakes.append(headers)
        if self.socket_refused:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        socket = Socket(receive, send)
        self.sockets.append(socket)
        await self.agent(socket)

    def twiml(self) -> str:
        return (
            '<Response><Connect><Stream url="wss://voice.example.com/media-stream">'
            '<Parameter name="token" value="abc"/></Stream></Connect></Response>'
        )


@asynccontextmanager
async def serving(agent: Agent, **settings: Any) -> AsyncIterator[FakeServer]:
    app = FakeServer(agent, **settings)
    with tcp.create_server(("127.0.0.1", 0)) as listener:
        app.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(app, lifespan="off", log_level="error", ws="websockets-sansio")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield app
        finally:
            server.should_exit = True
            await task


async def listen(socket: Socket) -> None:
    """An agent that never says anything."""
    while await socket.read() is not None:
        pass


async def converse(socket: Socket) -> None:
    """Greets, answers each thing said after 100 ms of silence, hangs up after its second answer."""
    quiet = answers = 0
    loud = base64.b64encode(LOUD).decode()
    while (message := await socket.read()) is not None:
        if message["event"] == "start":
            socket.sid = message["streamSid"]
            await socket.media(LOUD * 10)
            await socket.mark("greeting")
        elif message["event"] == "media" and message["media"]["payload"] == loud:
            quiet = 1
        elif message["event"] == "media" and quiet:
            quiet += 1
            if quiet > 5:
                quiet, answers = 0, answers + 1
                await socket.media(LOUD * 10)
                await socket.mark(f"answer-{answers}")
        elif message["event"] == "mark" and message["mark"]["name"] == "answer-2":
            await socket.close()
            return
