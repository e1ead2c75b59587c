"""One of uvicorn's WebSockets without a network: the real protocol object on a paper transport."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from weakref import WeakValueDictionary

import uvicorn
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from api import rounds, sockets
from api.sockets import ImpatientSockets, fast_lane
from main import MAX_MESSAGE_BYTES

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ROUNDS_OF_THE_LOOP = 12
"""Enough for a task to be woken, to do its work, and for what follows from it."""

Message = str | bytes


async def _nothing(scope: Any, receive: Any, send: Any) -> None: ...


CONFIG = uvicorn.Config(
    _nothing,
    log_config=None,
    interface="asgi3",
    ws_max_size=MAX_MESSAGE_BYTES,
    ws_per_message_deflate=False,
    ws_ping_interval=None,
    proxy_headers=False,
)
CONFIG.load()


_open: WeakValueDictionary[int, PaperTransport] = WeakValueDictionary()


def read(number: int, size: int) -> bytes:
    """``os.read`` for paper transports."""
    return _open[number].receive(size)


@contextmanager
def in_rounds(few: int = 0) -> Iterator[None]:
    """Paper transports of more than so many calls are read in rounds."""
    with patch.object(rounds, "FEW_CALLS", few), patch.object(sockets, "_read", read):
        yield


class PaperTransport(asyncio.Transport):
    """Keeps what is written. What is fed while reading is paused waits, as it would in a kernel."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol: asyncio.Protocol | None = protocol
        self.written: list[bytes] = []
        self.paused = False
        self.has_eof = False
        self._arriving: list[bytes] = []
        self._closing = False
        self._loop = asyncio.get_running_loop()

    def write(self, data: Any) -> None:
        assert not self._closing or not data, "written to a connection that is closed"
        if data:
            self.written.append(bytes(data))

    def pause_reading(self) -> None:
        assert not self._closing, "uvloop would mind"
        self.paused = True

    def resume_reading(self) -> None:
        if not self._closing:
            self.paused = False
            self._loop.call_soon(self._read)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lost, None)

    def abort(self) -> None:
        self.close()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else default

    def fileno(self) -> int:
        """The number under which ``read`` finds it."""
        _open[id(self)] = self
        return id(self)

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 8000

    getpeername = getsockname

    def receive(self, size: int) -> bytes:
        """What the kernel would give to somebody who asks now."""
        if not self._arriving and not self.has_eof:
            raise BlockingIOError
        stream = b"".join(self._arriving)
        self._arriving = [stream[size:]] if stream[size:] else []
        return stream[:size]

    def feed(self, data: bytes) -> None:
        """These bytes arrive."""
        self._arriving.append(data)
        self._read()

    def end(self) -> None:
        """The peer closes its side."""
        self.has_eof = True
        self._read()

    def reset(self) -> None:
        """The connection breaks."""
        self._closing = True
        self._lost(ConnectionResetError())

    def _read(self) -> None:
        while self._arriving and not self.paused and not self._closing:
            assert self.protocol is not None
            self.protocol.data_received(self._arriving.pop(0))
        if self.has_eof and not self._arriving and not self.paused and not self._closing:
            assert self.protocol is not None
            self.protocol.eof_received()
            self.close()

    def _lost(self, error: Exception | None) -> None:
        if self.protocol is not None:
            protocol, self.protocol = self.protocol, None
            protocol.connection_lost(error)


class Line:
    """A socket whose app takes its messages, over the fast lane or as uvicorn gives them."""

    def __init__(
        self,
        take: Callable[[Message], None] | None = None,
        *,
        is_fast: bool = True,
        ready: asyncio.Event | None = None,
    ) -> None:
        """``take``: gets each message, after it was written down. ``ready``: when the app begins
        to take messages; else at once."""
        self.messages: list[Message] = []
        self.is_over = False
        self.error: Exception | None = None
        self._also = take
        self._ready = ready
        kind = ImpatientSockets if is_fast else WebSocketsSansIOProtocol
        state = ServerState()
        self.protocol = kind(CONFIG, state, {})
        self.protocol.app = self._app
        self.transport = PaperTransport(self.protocol)
        self.protocol.connection_made(self.transport)
        self.protocol.data_received(REQUEST)

    @classmethod
    async def open(cls, *args: Any, **options: Any) -> Line:
        """A line whose handshake is over."""
        line = cls(*args, **options)
        await settle()
        assert line.transport.written.pop(0).startswith(b"HTTP/1.1 101 ")
        return line

    @property
    def sent(self) -> bytes:
        """What the server has sent after the handshake."""
        return b"".join(self.transport.written)

    def feed(self, *frames: bytes) -> None:
        self.transport.feed(b"".join(frames))

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.websocket = WebSocket(scope, receive, send)
        await self.websocket.accept()
        if self._ready:
            await self._ready.wait()
        try:
            if lane := fast_lane(self.websocket):
                await lane.deliver(self._take)
            else:
                await self._receive()
        except ValueError as error:
            self.error = error
        self.is_over = True

    async def _receive(self) -> None:
        while (message := await self.websocket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            self._take(text if text is not None else message["bytes"])

    def _take(self, message: Message) -> None:
        self.messages.append(message)
        if self._also:
            self._also(message)


async def settle() -> None:
    """Let everything happen that is about to."""
    for _ in range(ROUNDS_OF_THE_LOOP):
        await asyncio.sleep(0)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = True) -> bytes:
    """A client's frame, with a mask of its own."""
    made: bytes = Frame(Opcode(opcode), payload, fin).serialize(mask=masked)
    return made


def text(words: str) -> bytes:
    return frame(Opcode.TEXT, words.encode())


def close(code: int, reason: str = "") -> bytes:
    return frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason.encode())


def odd_frame(head: int, payload: bytes) -> bytes:
    """A masked frame whose first byte no library would write."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    mask = os.urandom(4)
    body = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return bytes((head,)) + length + mask + body
