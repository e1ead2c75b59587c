"""The phones: Twilio's side of many calls on one timer, for a few microseconds a frame.

Not the phone of ``tests/simulators``, which measures one call well and costs as much as the server.
A call keeps its 20 ms beat by the clock, not by sleeping; how late the beat was is written down,
for a late generator measures itself.
"""

from __future__ import annotations

import array
import asyncio
import base64
import os
import time
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import httpx

from benchmarks.load.caller import Caller
from benchmarks.load.frames import CLOSE, PING, PONG, TEXT, Frames, NotAFrame, frame
from tests.simulators import twilio_wire as wire
from tests.simulators.webhook import Answer, form, read_twiml

FRAME_S = 0.02
SLOTS = 20
"""The calls' beats are spread over the 20 ms."""
OPEN_WITHIN_S = 15.0
CLOSE_WITHIN_S = 5.0

_ACCOUNT = "AC" + "0" * 31 + "1"


class CallFailed(Exception):
    """There was no call; the text says why."""


class Phone(asyncio.Protocol):
    """One call. Its socket is opened by ``dial``; ``beat`` is called every 20 ms."""

    def __init__(self, caller: Caller, ids: wire.StreamIds, hello: bytes, greeting: str) -> None:
        self.caller = caller
        self.errors: list[str] = []
        self.closed = asyncio.Event()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ids = ids
        self._hello = hello
        self._greeting = greeting
        self._frames: Frames | None = None  # until the handshake is over
        self._head = b""
        self._sequence = 1
        self._chunk = 0
        self._hung_up = False
        self._media = (
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d",'
            b'"timestamp":"%d","payload":"%b"},"streamSid":"' + ids.stream_sid.encode() + b'"}'
        )

    # --- asyncio's side ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        if self._frames is None:
            self._head += data
            head, found, data = self._head.partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self._fail(f"the socket was refused: {head[:60].decode('latin-1')}")
                return
            self._frames = Frames()
            self._send(wire.connected())
            self._send(self._greeting)
            self.opened.set_result(None)
        now = time.monotonic()
        try:
            for opcode, payload in self._frames.feed(data):
                self._take(now, opcode, payload)
        except NotAFrame as error:
            self._fail(f"31924: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._hung_up:
            self.errors.append(f"the call was lost: {exc or 'closed by the server'}")
        if not self.opened.done():
            self.opened.set_exception(CallFailed("; ".join(self.errors)))
        self.closed.set()

    # --- the call ---------------------------------------------------------------------------------

    def beat(self, now: float) -> None:
        """Send the next 20 ms, and the marks that have been played by now."""
        if self._hung_up or self.closed.is_set():
            return
        for name in self.caller.reached(now):
            self._echo(name)
        self._sequence += 1
        self._chunk += 1
        payload = self.caller.next_payload(now)
        counters = (self._sequence, self._chunk, 20 * (self._chunk - 1), payload)
        self._transport.write(frame(self._media % counters))

    async def hang_up(self) -> None:
        """Say ``stop``, close, and wait for the server to do the same."""
        if self.closed.is_set():
            return
        self._hung_up = True
        self._sequence += 1
        self._send(wire.stop(self._ids, self._sequence))
        self._transport.write(frame(b"\x03\xe8", CLOSE))
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self.closed.wait()
        except TimeoutError:
            self.errors.append(f"the server kept the socket {CLOSE_WITHIN_S:g} s after the close")
            self._transport.abort()

    def _take(self, now: float, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            verdict = wire.check(payload.decode(), self._ids.stream_sid)
            self.errors += verdict.errors
            match verdict.message:
                case wire.Media(audio):
                    self.caller.media(now, audio)
                case wire.Mark(name):
                    self.caller.mark(now, name)
                case wire.Clear():
                    for name in self.caller.clear(now):
                        self._echo(name)
        elif opcode == PING:
            self._transport.write(frame(payload, PONG))
        elif opcode == CLOSE:
            if not self._hung_up:
                code = int.from_bytes(payload[:2])
                self.errors.append(f"the server closed: {code} {payload[2:].decode()}")
                self._hung_up = True
                self._transport.write(frame(payload[:2], CLOSE))
            self._transport.close()
        else:
            self.errors.append(f"31950: a frame with opcode {opcode}")

    def _echo(self, name: str) -> None:
        self._sequence += 1
        self._send(wire.mark(self._ids, self._sequence, name))

    def _send(self, message: str) -> None:
        self._transport.write(frame(message.encode()))

    def _fail(self, why: str) -> None:
        self.errors.append(why)
        self._transport.abort()


class Exchange:
    """Dials, and keeps the beat of all calls with one timer."""

    def __init__(self, url: str) -> None:
        self.lateness_ms = array.array("f")
        """Of each beat of a slot; cleared by whoever begins a measurement."""
        self._url = url
        self._http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=OPEN_WITHIN_S)
        self._slots: list[list[Phone]] = [[] for _ in range(SLOTS)]
        self._beats = 0
        self._origin = time.monotonic()
        self._timer: asyncio.TimerHandle | None = None

    async def close(self) -> None:
        """Stop the beat. The calls have hung up before."""
        if self._timer:
            self._timer.cancel()
        await self._http.aclose()

    async def dial(self, number: int, caller: Caller) -> Phone:
        """A call that is up. Raises CallFailed."""
        ids = wire.StreamIds(_ACCOUNT, wire.new_sid("CA"))
        fields = form(_ACCOUNT, ids.call_sid, f"+1555{number:07d}", "+15550100002")
        try:
            answer = await self._http.post("/voice-stream", data=fields)
        except httpx.HTTPError as error:
            raise CallFailed(f"the webhook: {str(error) or type(error).__name__}") from error
        content_type = answer.headers.get("content-type", "")
        twiml = read_twiml(
            Answer(answer.status_code, content_type, answer.content), self._url + "/voice-stream"
        )
        if twiml.errors or not twiml.stream_url:
            raise CallFailed("; ".join(twiml.errors) or "no stream in the webhook's answer")
        phone = await self._connect(twiml.stream_url, twiml.parameters, ids, caller)
        min(self._slots, key=len).append(phone)
        if self._timer is None:
            self._origin, self._beats = time.monotonic(), 0
            self._arm()
        return phone

    async def hang_up(self, phones: list[Phone]) -> None:
        """End these calls."""
        for slot in self._slots:
            slot[:] = [phone for phone in slot if phone not in phones]
        await asyncio.gather(*(phone.hang_up() for phone in phones))

    async def _connect(
        self, url: str, parameters: Mapping[str, str], ids: wire.StreamIds, caller: Caller
    ) -> Phone:
        here = urlsplit(self._url)
        assert here.hostname
        assert here.port
        key = base64.b64encode(os.urandom(16)).decode()
        hello = (
            f"GET {urlsplit(url).path} HTTP/1.1\r\nHost: {here.netloc}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "User-Agent: Twilio.TmeWs/1.0\r\n\r\n"
        )
        phone = Phone(caller, ids, hello.encode(), wire.start(ids, parameters))
        try:
            async with asyncio.timeout(OPEN_WITHIN_S):
                loop = asyncio.get_running_loop()
                await loop.create_connection(lambda: phone, here.hostname, here.port)
                await phone.opened
        except OSError as error:  # TimeoutError is one
            raise CallFailed(f"the socket: {str(error) or type(error).__name__}") from error
        return phone

    # --- the beat ---------------------------------------------------------------------------------

    def _arm(self) -> None:
        due = self._origin + self._beats * FRAME_S / SLOTS
        delay = max(0.0, due - time.monotonic())
        self._timer = asyncio.get_running_loop().call_later(delay, self._beat)

    def _beat(self) -> None:
        """Send for every slot whose time has come, and sleep until that of the next one in use."""
        while True:
            due = self._origin + self._beats * FRAME_S / SLOTS
            slot = self._slots[self._beats % SLOTS]
            if slot:
                now = time.monotonic()
                if due > now + 0.0005:
                    break
                self.lateness_ms.append(max(0.0, now - due) * 1000)
                for phone in slot:
                    phone.beat(time.monotonic())
            elif not any(self._slots):
                self._timer = None
                return
            self._beats += 1
        self._arm()
