"""Reads one socket of the Deepgram simulator until it is over, and breaks it when told to."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import Any, Protocol

from aiohttp import WSMessage, WSMsgType, web

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram_ears import Ears
from tests.simulators.vendors.deepgram_socket import Outbox, Stream, Watchdog, hang_up

_MIDDLE_MS = 300
"""So much of the first stretch of speech is heard before the connection breaks."""
_CONTAINERS = (b"RIFF", b"OggS", b"fLaC", b"ID3", b"\x1aE\xdf\xa3")


class Owner(Protocol):
    """The simulator, as far as a socket needs it."""

    audio_bytes: Counter[int]
    errors: list[str]

    def note(self, link: int, what: str, **detail: Any) -> None: ...


class Serving:
    """Reads one socket until it is over."""

    def __init__(
        self,
        link: int,
        owner: Owner,
        socket: web.WebSocketResponse,
        outbox: Outbox,
        ears: Ears,
        fault: Fault | None,
        *,
        raw: bool,
    ) -> None:
        """``raw``: the audio has no header. ``fault``: one that comes while the caller speaks."""
        self._owner = owner
        self._link = link
        self._socket = socket
        self._outbox = outbox
        self._ears = ears
        breaks = fault is not None and fault.trouble in {Trouble.CUT, Trouble.CLOSE}
        self._breaks = fault if breaks else None
        self._wants_container = not raw
        self._over = False
        """A close frame of ours is on its way: what still comes in does not matter."""
        self._asked_to_close = False

    async def read(self, stream: Stream, watchdog: Watchdog | None) -> None:
        """Until the client or we have closed, or the connection is gone."""
        loop, counts = asyncio.get_running_loop(), self._owner.audio_bytes
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.BINARY:
                counts[self._link] += len(message.data)
                if watchdog is not None:
                    watchdog.last_frame, watchdog.has_audio = loop.time(), True
                if not self._over:
                    self._audio(stream, message.data)
            elif message.type is WSMsgType.TEXT:
                if watchdog is not None:
                    watchdog.last_frame = loop.time()
                if not self._over:
                    self._asked_to_close |= '"CloseStream"' in message.data
                    stream.text(message.data)
            else:
                return await self._end(message)

    def _audio(self, stream: Stream, data: bytes) -> None:
        if not data:
            self._wrong("an empty binary frame")
            self._close(1000, "")  # the code is not documented
        elif self._wants_container and not data.startswith(_CONTAINERS):
            self._wrong("raw audio without encoding")
            self._close(1008, "DATA-0000")
        else:
            self._wants_container = False
            stream.audio(data)
            if self._breaks is not None and self._in_the_middle():
                self._break(self._breaks)

    def _in_the_middle(self) -> bool:
        """Whether the first stretch of speech has lasted for a while, or is over already."""
        if not self._ears.waiting:
            return self._ears.texts.used > 0
        first = self._ears.waiting[0]
        return not first.open or (first.end - first.start) * 1000 >= _MIDDLE_MS

    def _break(self, fault: Fault) -> None:
        self._breaks, self._outbox.mute = None, fault.trouble is Trouble.CUT
        if fault.trouble is Trouble.CLOSE:
            self._close(fault.code, fault.reason)
        elif self._socket._req is not None and self._socket._req.transport is not None:
            self._over = True
            self._socket._req.transport.abort()

    def throw_out(self, why: str) -> None:
        """The client was silent for too long."""
        if not self._over and not self._asked_to_close:
            self._wrong(f"NET-0001: {why}")
            self._close(1011, "NET-0001")

    def _close(self, code: int, reason: str) -> None:
        self._over = True
        self._outbox.close(code, reason)

    async def _end(self, message: WSMessage) -> None:
        """A close frame, or the end of the connection."""
        ours = self._outbox.closing
        if message.type is WSMsgType.CLOSE:
            if ours is None:
                payload = message.data.to_bytes(2, "big") if message.data else b""
                with suppress(ConnectionError):
                    await self._socket.send_frame(payload, WSMsgType.CLOSE)
            hang_up(self._socket)
            code, by = (message.data or 1005, "client") if ours is None else (ours, "server")
        elif ours is not None or self._over:
            code, by = ours or 1006, "server"
        else:
            code, by = 1006, "nobody"
            if not self._asked_to_close:
                self._wrong("the connection is gone without a CloseStream or a close")
        self._owner.note(self._link, "closed", code=code, by=by)

    def _wrong(self, what: str) -> None:
        self._owner.errors.append(f"link {self._link}: {what}")
