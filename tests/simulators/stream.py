"""One open media stream: the socket, the caller's frames, the playback queue and its marks.

Time is in ms since the ``start`` message was sent, on the loop's clock. Packet ``k`` of caller
audio holds what was spoken from ``k * packet_ms`` on, and leaves when its last sample has been
spoken; all deadlines are computed from the start, so that no lateness adds up.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import math
import os
import socket as tcp
import struct
from collections import deque
from collections.abc import Callable, Mapping
from typing import assert_never

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.simulators import twilio_wire as wire
from tests.simulators.line import Line, LineConditions, mix
from tests.simulators.mulaw import BYTES_PER_MS, SILENCE, Pcm, decode, encode
from tests.simulators.playback import Playback
from tests.simulators.record import Clip, Record, Spoken
from tests.simulators.script import HangUpMode

_LINGER_ZERO = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
STOP_GRACE_S = 5.0
"""How long a server may leave the socket open after ``stop``."""


class StreamEnded(Exception):
    """The stream is over: nothing can be sent or awaited any more."""


class MediaStream:
    """Twilio's end of one media stream. ``open`` it, keep ``run`` running, drive it by the rest.

    ``note`` takes what happens, for the timeline: a kind and a detail.
    """

    def __init__(
        self,
        socket: ClientConnection,
        ids: wire.StreamIds,
        conditions: LineConditions,
        noise: Pcm | None,
        note: Callable[[str, str], None],
    ) -> None:
        self.playback = Playback()
        self.record = Record()
        self.origin = 0.0
        self.noise = noise if noise is None else _whole_packets(noise, conditions.packet_bytes)
        self._loop = asyncio.get_running_loop()
        self._socket = socket
        self._ids = ids
        self._conditions = conditions
        self._note = note
        self._sequence = 1
        self._waiting: deque[tuple[int, list[str]]] = deque()  # first packet, its and the next ones
        self._silence = self._silent_packets()
        self._pulse = asyncio.Event()
        self._echoing = asyncio.Lock()
        self._hung_up = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    def now_ms(self) -> float:
        """The stream's clock."""
        return (self._loop.time() - self.origin) * 1000

    # --- its life ---------------------------------------------------------------------------------

    async def open(self, parameters: Mapping[str, str]) -> None:
        """Say ``connected`` and ``start``; the clock starts here."""
        await self._socket.send(wire.connected())
        self.origin = self._loop.time()
        await self._socket.send(wire.start(self._ids, parameters))
        self._note("start", self._ids.stream_sid)

    async def run(self) -> None:
        """Send, receive and echo until the socket is closed by either side."""
        try:
            async with asyncio.TaskGroup() as tasks:
                frames = tasks.create_task(self._send_frames(), name="caller-frames")
                echoes = tasks.create_task(self._echo_marks(), name="mark-echoes")
                await self._receive()
                frames.cancel()
                echoes.cancel()
        finally:
            self.record.ended_ms = self.now_ms
            self.record.unheard_ms = self.playback.cut(self.now_ms)
            self.record.closed_by_server = not self._hung_up.is_set()
            self._ended.set()
            self._pulse.set()

    async def hang_up(self, mode: HangUpMode) -> None:
        """End the stream from the caller's side."""
        if self._ended.is_set():
            raise StreamEnded
        self._hung_up.set()
        self._note("hang-up", mode.value)
        with contextlib.suppress(ConnectionClosed):
            if mode in (HangUpMode.STOP_AND_CLOSE, HangUpMode.STOP_ONLY):
                self._sequence += 1
                await self._socket.send(wire.stop(self._ids, self._sequence))
            if mode is HangUpMode.STOP_ONLY:
                await self._let_server_close()
        if mode is HangUpMode.ABORT:
            self._reset()
        else:
            await self._socket.close()
        await self._ended.wait()

    async def _let_server_close(self) -> None:
        try:
            async with asyncio.timeout(STOP_GRACE_S):
                await self._socket.wait_closed()
        except TimeoutError:
            self._note("socket", f"still open {STOP_GRACE_S:g} s after stop; the phone closes it")
        else:
            self._note("socket", "closed by the server after stop")

    def _reset(self) -> None:
        """Close the TCP connection with RST instead of FIN."""
        raw = self._socket.transport.get_extra_info("socket")
        raw.setsockopt(tcp.SOL_SOCKET, tcp.SO_LINGER, _LINGER_ZERO)
        self._socket.transport.abort()

    # --- what the caller does ---------------------------------------------------------------------

    def speak(self, clip: Clip, at_ms: float | None = None) -> Spoken:
        """Begin to speak at the first packet boundary from ``at_ms`` (now) on, or after what is
        being spoken already. Returns at once; ``until(spoken.end_ms)`` waits for the end."""
        size, packet_ms = self._conditions.packet_bytes, self._conditions.packet_ms
        first = math.ceil(max(self.now_ms, at_ms or 0.0) / packet_ms)
        if self._waiting:
            first = max(first, self._waiting[-1][0] + len(self._waiting[-1][1]))
        audio = clip.audio
        if self.noise is not None:
            audio = encode(mix(decode(audio), self.noise, first * size))
        self._waiting.append((first, _packets(audio, size)))
        start_ms = first * packet_ms
        spoken = Spoken(clip, first, start_ms, start_ms + len(clip.audio) / BYTES_PER_MS)
        self.record.spoken.append(spoken)
        self._note("caller", f"says {clip.text!r}")
        return spoken

    async def press(self, digit: str) -> None:
        """Press one key. Raises StreamEnded."""
        self._sequence += 1
        await self.send(wire.dtmf(self._ids, self._sequence, digit))
        self.record.keys_pressed.append(self.now_ms)
        self._note("key", digit)

    async def send(self, message: str | bytes) -> None:
        """Send any message. Raises StreamEnded."""
        try:
            await self._socket.send(message)
        except ConnectionClosed as closed:
            raise StreamEnded from closed

    async def until(self, ms: float) -> None:
        """Wait for a moment on the stream's clock. Raises StreamEnded if the stream ends first."""
        with contextlib.suppress(TimeoutError):
            async with self._until(ms):
                await self._ended.wait()
            raise StreamEnded

    async def changed(self, until_ms: float) -> None:
        """Wait until the agent has sent something, or until a moment. Raises StreamEnded."""
        with contextlib.suppress(TimeoutError):
            async with self._until(until_ms):
                await self._pulse.wait()
        if self._ended.is_set():
            raise StreamEnded

    async def ended(self, timeout_s: float) -> None:
        """Wait until the stream is over. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._ended.wait()

    # --- caller to server -------------------------------------------------------------------------

    async def _send_frames(self) -> None:
        line = Line(self._conditions)
        packet_ms = self._conditions.packet_ms
        chunk = 0
        held: str | None = None  # a message that the next one overtakes
        with contextlib.suppress(ConnectionClosed):
            for packet in itertools.count():
                transit = line.carry(packet)
                delay = self.origin + transit.leaves_ms / 1000 - self._loop.time()
                if delay > 0:
                    await asyncio.sleep(delay)
                payload = self._payload(packet)
                if self._hung_up.is_set():
                    return
                if payload is None or not transit.copies:
                    continue
                chunk += 1
                self._sequence += 1
                timestamp = int(packet * packet_ms)
                message = wire.media(self._ids, self._sequence, chunk, timestamp, payload)
                self.record.sent.append((packet, self.now_ms))
                if transit.overtaken and held is None:
                    held = message
                    continue
                for _ in range(transit.copies):
                    await self._socket.send(message)
                if held is not None:
                    await self._socket.send(held)
                    held = None

    def _payload(self, packet: int) -> str | None:
        """What is sent of the packet's 20 ms, in base64; None: nothing, the line is silent."""
        while self._waiting:
            first, packets = self._waiting[0]
            if packet < first:
                break
            if packet < first + len(packets):
                return packets[packet - first]
            self._waiting.popleft()
        if self._conditions.dtx:
            return None
        return self._silence[packet % len(self._silence)]

    def _silent_packets(self) -> list[str]:
        size = self._conditions.packet_bytes
        return _packets(SILENCE * size if self.noise is None else encode(self.noise), size)

    # --- server to caller -------------------------------------------------------------------------

    async def _receive(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in self._socket:
                verdict = wire.check(message, self._ids.stream_sid)
                for error in verdict.errors:
                    self.record.errors.append(error)
                    self._note("protocol-error", error)
                if verdict.message is not None:
                    await self._take(verdict.message)
                    self._wake()

    async def _take(self, message: wire.ServerMessage) -> None:
        now = self.now_ms
        match message:
            case wire.Media(audio):
                self.record.agent_media.append((now, len(audio)))
                self.playback.media(now, audio)
            case wire.Mark(name):
                self._note("mark", name)
                self.playback.mark(now, name)
                await self._echo(self.playback.reached(now))
            case wire.Clear():
                reached = self.playback.reached(now)
                names = self.playback.clear(now)
                self._note("clear", f"{len(names)} marks pending")
                await self._echo(reached + names)
            case _:
                assert_never(message)

    async def _echo_marks(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                with contextlib.suppress(TimeoutError):
                    async with self._until(self.playback.next_mark_ms):
                        await self._pulse.wait()
                names = self.playback.reached(self.now_ms)
                if names:
                    await self._echo(names)
                    self._wake()

    async def _echo(self, names: list[str]) -> None:
        if not names or self._hung_up.is_set():
            return
        async with self._echoing:  # two tasks echo; the order of the marks must hold
            for name in names:
                self._sequence += 1
                await self._socket.send(wire.mark(self._ids, self._sequence, name))
                self._note("mark-echo", name)

    def _until(self, ms: float | None) -> asyncio.Timeout:
        """A time-out at a moment on the stream's clock; None: never."""
        if ms is None:
            return asyncio.timeout(None)
        # A microsecond late: rounded down, it would come before its moment, again and again.
        return asyncio.timeout((ms - self.now_ms) / 1000 + 1e-6)

    def _wake(self) -> None:
        """Wake everyone who waits for a change right now."""
        self._pulse.set()
        self._pulse.clear()


def _whole_packets(noise: Pcm, size: int) -> Pcm:
    """Cut the noise so that it comes round at a packet boundary."""
    return noise[: len(noise) // size * size]


def _packets(audio: bytes, size: int) -> list[str]:
    """Cut audio into packets of ``size`` bytes, in base64; the last one is filled with silence."""
    count = -(-len(audio) // size)
    padded = audio.ljust(count * size, SILENCE)
    return [base64.b64encode(padded[at : at + size]).decode() for at in range(0, len(padded), size)]
