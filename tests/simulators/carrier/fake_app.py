"""A small TwiML application that the carrier is tried on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from tests.simulators.carrier import Carrier, serving
from tests.simulators.fake_server import Agent, Socket, listen

PUBLIC = "https://voice.example.com"
CALLER, OURS, STAFF, OTHER = "+15550100001", "+15550100002", "+15550100007", "+15550100008"

Form = dict[str, str]
Page = str | Callable[[Form], str]
"""The inside of a ``<Response>``, or what makes it of the posted form."""


@dataclass
class App:
    """An ASGI app: ``pages`` by path, ``files`` (content type, body), and a socket.

    ``statuses``: paths that answer with something else than 200; ``delays``: in seconds.
    """

    pages: Mapping[str, Page] = field(default_factory=dict)
    files: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    agent: Agent = listen
    statuses: Mapping[str, int] = field(default_factory=dict)
    delays: Mapping[str, float] = field(default_factory=dict)
    content_type: str = "text/xml"
    sockets: list[Socket] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    socket_refused: bool = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.headers.append(headers)
        if scope["type"] == "websocket":
            await receive()
            if self.socket_refused:
                await send({"type": "websocket.close", "code": 1008})
                return
            await send({"type": "websocket.accept"})
            socket = Socket(receive, send)
            self.sockets.append(socket)
            await self.agent(socket)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        path = scope["path"]
        await asyncio.sleep(self.delays.get(path, 0))
        kind, content = self._content(path, dict(parse_qsl(body.decode(), keep_blank_values=True)))
        status = self.statuses.get(path, 200)
        start = [(b"content-type", kind.encode())]
        await send({"type": "http.response.start", "status": status, "headers": start})
        await send({"type": "http.response.body", "body": content})

    def _content(self, path: str, form: Form) -> tuple[str, bytes]:
        if path in self.files:
            return self.files[path]
        page = self.pages.get(path, "")
        inside = page if isinstance(page, str) else page(form)
        return self.content_type, f"<Response>{inside}</Response>".encode()


@asynccontextmanager
async def on_the_line(app: App, **options: Any) -> AsyncIterator[Carrier]:
    """A carrier whose numbers are served by ``app``, at ``/voice``."""
    async with Carrier(**options) as carrier, serving(app) as url:
        carrier.serves(url, public_url=PUBLIC, voice="/voice")
        yield carrier


def asked(carrier: Carrier) -> list[str]:
    """Everything that was asked of the server, but for the sounds."""
    return [str(each) for each in carrier.requests if each.kind != "play"]
