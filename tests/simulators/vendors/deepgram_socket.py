"""The life of one socket of the Deepgram simulator: what goes out when, and how it ends."""

from __future__ import annotations

import asyncio
import json
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiohttp import ClientConnectionResetError, WSMsgType, web

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram_ears import Ears, Stretch

Message = dict[str, Any]
Build = Callable[[], Message | None]
_Item = tuple[float, Build | bytes, Sequence[Stretch], Callable[[], None] | None]

IDLE_S = 10.0
"""So long may a client of /v1/listen be silent, and so late its first audio may come."""

_CLOSE_WITHIN_S = 2.0
_STALL_S = 600
_NONSENSE: tuple[str | bytes, ...] = (
    "upstream connect error or disconnect/reset before headers",
    b"\x00\x01\x02\x03",
    "[]",
    '{"type":"Results","channel":null}',
    '{"type":"TurnInfo","event":"EndOf',
)


class Stream(Protocol):
    """What is done with what the client sends. Nothing of it blocks."""

    def audio(self, data: bytes) -> None:
        """A binary frame with something in it."""

    def text(self, data: str) -> None:
        """A text frame."""


class Outbox:
    """Messages to the client, in order, each not before its time."""

    def __init__(self, socket: web.WebSocketResponse, fault: Fault | None) -> None:
        self.closing: int | None = None
        """The code of the close frame that was sent; 1005 if it had none."""
        self.mute = False
        self._socket = socket
        self._trouble = fault.trouble if fault else None
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Item] = deque()
        self._filled = asyncio.Event()
        self._nonsense = 0

    def put(self, build: Build, delay_ms: float, after: Sequence[Stretch] = ()) -> None:
        """``build`` the message and send it ``delay_ms`` from now, but not before the words of
        the stretches ``after`` are known. A message of None is left out."""
        self._append(build, delay_ms, after)

    def put_final(self, build: Build, delay_ms: float, ears: Ears, of: Sequence[Stretch]) -> None:
        """The same for the last words of stretches: they are used up once the client has them."""

        def sent() -> None:
            for stretch in of:
                ears.forget(stretch)

        self._append(build, delay_ms, of, sent)

    def close(self, code: int | None, reason: str = "", delay_ms: float = 0) -> None:
        """Send a close frame after all that is waiting; ``code`` None: one without a code."""
        self._append(b"" if code is None else struct.pack("!H", code) + reason.encode(), delay_ms)

    def _append(
        self,
        item: Build | bytes,
        delay_ms: float,
        after: Sequence[Stretch] = (),
        sent: Callable[[], None] | None = None,
    ) -> None:
        self._queue.append((self._loop.time() + delay_ms / 1000, item, after, sent))
        self._filled.set()

    async def run(self) -> None:
        """Send until a close frame was sent and not answered in time."""
        while True:
            while not self._queue:
                self._filled.clear()
                await self._filled.wait()
            due, item, after, sent = self._queue.popleft()
            for stretch in after:
                if stretch.recogniser is not None:
                    await asyncio.wait({stretch.recogniser})
            await asyncio.sleep(due - self._loop.time())
            try:
                if isinstance(item, bytes):
                    return await self._send_close(item)
                if await self._send(item()) and sent is not None:
                    sent()
            except ClientConnectionResetError:
                return  # the reader sees it as well, and says so

    async def _send(self, message: Message | None) -> bool:
        """Whether the client really got it."""
        if message is None or self.mute:
            return False
        speaks = message["type"] in {"Results", "TurnInfo"}
        if self._trouble is Trouble.MALFORMED and speaks:
            nonsense = _NONSENSE[self._nonsense % len(_NONSENSE)]
            self._nonsense += 1
            if isinstance(nonsense, bytes):
                await self._socket.send_bytes(nonsense)
            else:
                await self._socket.send_str(nonsense)
            return False
        await self._socket.send_str(json.dumps(message, separators=(",", ":")))
        if self._trouble is Trouble.STALL_MID and speaks and _has_words(message):
            self.mute = True
        return True

    async def _send_close(self, payload: bytes) -> None:
        if self.mute:
            return
        self.closing = struct.unpack("!H", payload[:2])[0] if payload else 1005
        await self._socket.send_frame(payload, WSMsgType.CLOSE)
        await asyncio.sleep(_CLOSE_WITHIN_S)
        hang_up(self._socket)


def _has_words(message: Message) -> bool:
    if message["type"] == "TurnInfo":
        return bool(message["transcript"])
    return bool(message["channel"]["alternatives"][0]["transcript"])


class Watchdog:
    """Tells when the client did not send anything, or no audio at first, for 10 s."""

    def __init__(self, bark: Callable[[str], None]) -> None:
        self._bark = bark
        self._loop = asyncio.get_running_loop()
        self.last_frame = self._loop.time()
        self.has_audio = False
        self._first = self._loop.call_later(IDLE_S, self._look_for_audio)
        self._timer = self._loop.call_later(IDLE_S, self._look)

    def _look_for_audio(self) -> None:
        if not self.has_audio:
            self._bark("no audio within 10 s of opening")

    def _look(self) -> None:
        due = self.last_frame + IDLE_S
        if self._loop.time() >= due:
            self._bark("no frame for 10 s")
        else:
            self._timer = self._loop.call_at(due, self._look)

    def stop(self) -> None:
        """No more."""
        self._first.cancel()
        self._timer.cancel()


def hang_up(socket: web.WebSocketResponse) -> None:
    """Close the TCP connection; what was written still goes out."""
    transport = socket._req.transport if socket._req is not None else None
    if transport is not None:
        transport.close()


async def until_gone(request: web.Request) -> None:
    """Say nothing until the client gives up."""
    for _ in range(_STALL_S * 4):
        if request.transport is None or request.transport.is_closing():
            return
        await asyncio.sleep(0.25)
