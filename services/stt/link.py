"""A call's audio line to a live recogniser: one socket at a time, opened again when it is lost.

Whoever owns the line says what to send at which place of the audio, and reads the answers. A new
socket begins with the oldest audio whose words are not certain yet: nothing goes with the old one.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from services.audio.mulaw import BYTES_PER_MS, FRAME_BYTES, SILENCE
from services.stt.backlog import IDLE_MS, LONGEST_MS, Backlog
from services.stt.deepgram_socket import VENDOR, close_socket, closed, open_socket
from services.stt.deepgram_wire import Malformed
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from services.vendors.sockets import send, send_now

log = logging.getLogger(__name__)

KEEP_ALIVE_S = 4.0
"""Deepgram asks for a sign of life every 3 to 5 s, and closes after 10 s without (NET-0001)."""
BACKOFF_S = (0.0, 0.0, 0.25, 0.5, 1.0, 2.0)
"""Waits before the first, second, ... attempt since the service last answered."""
_KEPT_OUT_S = 0.5


@dataclass(frozen=True, slots=True)
class LineOptions:
    """``url``: ``ws(s)://...`` with its query. ``batch``: bytes of audio in a message, and
    ``idle_batch`` while nobody speaks; ``biggest``: in one that catches up. ``keep_alive``: sent
    when nothing else is; "": nothing. ``tls``: None: the library's own."""

    url: str
    key: str
    batch: int
    idle_batch: int
    biggest: int
    keep_alive: str
    goodbye: str
    tls: ssl.SSLContext | None = None


class Listener(Protocol):
    """The owner of a line. Nothing here may block."""

    def opened(self) -> None:
        """A new socket: ask on it for all that is still wanted."""

    def got(self, message: bytes) -> None:
        """A message of the service. Raises Malformed or VendorError: then the socket is lost."""

    def lost(self, *, retrying: bool) -> None:
        """The socket is gone, or could not be opened. ``retrying``: a new one is opened now."""


class Line:
    """The line of one call. Reports its own failures, for it recovers by itself."""

    def __init__(self, options: LineOptions, reports: Reports, breaker: Breaker) -> None:
        self.audio = Backlog()
        """The call's audio. Only the line changes it."""
        self.base = 0
        """The place in the call at which the audio of this socket begins."""
        self.is_down = False
        """No socket, and none to come soon."""
        self._options = options
        self._reports = reports
        self._breaker = breaker
        self._requests: deque[tuple[int, str]] = deque()
        self._next = 0  # the place of the audio to send next
        self._batch = options.batch
        self._sent_at = 0.0
        self._wake = asyncio.Event()
        self._resting: ClientConnection | None = None  # the socket, while its writer waits
        self._failure: asyncio.Future[VendorError] | None = None  # of the socket that is open
        self._attempts = 0  # since the service last answered
        self._is_old = False  # it had a socket before

    async def run(self, listener: Listener) -> None:
        """Lives as long as the call."""
        while True:
            await self._wait_for_turn(listener)
            try:
                options = self._options
                socket = await open_socket(options.url, options.key, options.tls)
            except VendorError as error:
                self._failed(error)
                self._down(listener)
                continue
            self._reports.step(VENDOR, "connected again" if self._is_old else "connected")
            self._is_old = True
            self._failed(await self._use(socket, listener))
            if self._backoff_s:
                self._down(listener)
            else:
                listener.lost(retrying=True)

    def hear(self, frames: bytes, *, is_idle: bool) -> None:
        """The next frames. ``is_idle``: nobody waits for the words of what is kept."""
        audio = self.audio
        audio.hear(frames)
        self._batch = self._options.idle_batch if is_idle else self._options.batch
        if audio.end - self._next >= self._batch:
            if not self._send_now():
                self._wake.set()
            if is_idle:  # what was not sent yet is kept: a burst, a long gap that was filled
                self.release(audio.end - IDLE_MS * BYTES_PER_MS)
            audio.trim(LONGEST_MS)

    def release(self, before: int) -> None:
        """What was said before this place is known: another socket need not hear it."""
        self.audio.release(before if self._failure is None else min(before, self._next))

    def ask(self, place: int, text: str) -> None:
        """Send ``text`` once the audio before ``place`` was sent. Places do not go back."""
        self._requests.append((place, text))
        self._wake.set()

    def answered(self) -> None:
        """The service does what it should: words came."""
        if self._attempts:
            self._attempts = 0
            self._breaker.succeeded()

    def give_up(self, error: VendorError) -> None:
        """The owner finds that this socket is dead."""
        if self._failure and not self._failure.done():
            self._failure.set_result(error)

    # --- opening ----------------------------------------------------------------------------------

    @property
    def _backoff_s(self) -> float:
        return BACKOFF_S[min(self._attempts, len(BACKOFF_S) - 1)]

    async def _wait_for_turn(self, listener: Listener) -> None:
        await asyncio.sleep(self._backoff_s)
        kept_out = False
        while not self._breaker.allows():
            if not kept_out:
                kept_out = True
                self._reports.step(VENDOR, "kept out by the breaker")
                self._down(listener)
            await asyncio.sleep(_KEPT_OUT_S)
        self._attempts += 1

    def _failed(self, error: VendorError) -> None:
        self._breaker.failed(error)
        self._reports.failed(error)

    def _down(self, listener: Listener) -> None:
        self.is_down = True
        listener.lost(retrying=False)

    # --- an open socket ---------------------------------------------------------------------------

    async def _use(self, socket: ClientConnection, listener: Listener) -> VendorError:
        """Talk until the socket is lost; how it was."""
        loop = asyncio.get_running_loop()
        self._next = self.base = self.audio.begin
        self._requests.clear()
        self._sent_at = loop.time()
        self._failure = loop.create_future()
        self.is_down = False
        listener.opened()
        work: list[asyncio.Future[Any]] = [
            loop.create_task(self._read(socket, listener), name="deepgram-in"),
            loop.create_task(self._write(socket), name="deepgram-out"),
            loop.create_task(self._keep_alive(socket), name="deepgram-keep-alive"),
        ]
        try:
            done, _ = await asyncio.wait(
                [*work, self._failure], return_when=asyncio.FIRST_COMPLETED
            )
            return _cause(done.pop())
        except asyncio.CancelledError:  # the call is over
            await _stop(work)
            await close_socket(socket, self._options.goodbye)
            raise
        finally:
            self._failure = self._resting = None
            await _stop(work)
            socket.transport.abort()

    async def _read(self, socket: ClientConnection, listener: Listener) -> None:
        while True:
            listener.got(await socket.recv(decode=False))

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            self._wake.clear()
            while piece := self._piece():
                self._sent_at = asyncio.get_running_loop().time()
                await send(socket, piece)
            self._resting = socket
            await self._wake.wait()
            self._resting = None

    def _send_now(self) -> bool:
        """Send the audio that there is without waking the writer, if it has nothing else to do."""
        begin, end = self._next, self.audio.end
        if self._resting is None or self._requests or not self._fits(begin, end):
            return False
        if not send_now(self._resting, self.audio.take(begin, end)):
            return False
        self._next, self._sent_at = end, asyncio.get_running_loop().time()
        return True

    def _fits(self, begin: int, end: int) -> bool:
        """Whether this audio is still kept, and one message takes it."""
        return begin >= self.audio.begin and end - begin <= self._options.biggest

    def _piece(self) -> bytes | str | None:
        """What to send next: audio, or a request whose place was reached."""
        if self._next < self.audio.begin:  # too slow a socket: its words would come too late
            raise VendorError(VENDOR, "listen", "stall", at_once=True)
        until = self.audio.end
        if self._requests:
            until, text = self._requests[0]
            if until <= self._next:
                self._requests.popleft()
                return text
        elif until - self._next < self._batch:
            return None
        begin, self._next = self._next, min(until, self._next + self._options.biggest)
        return self.audio.take(begin, self._next)

    async def _keep_alive(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        if not self._options.keep_alive:
            await loop.create_future()  # nothing to do
        while True:
            due = self._sent_at + KEEP_ALIVE_S
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
                continue
            self._sent_at = loop.time()
            if self._next == self.base:  # it wants audio before all else, if only a little
                self.base -= FRAME_BYTES
                await send(socket, SILENCE)
            else:
                await send(socket, self._options.keep_alive)


async def _stop(work: Sequence[asyncio.Future[Any]]) -> None:
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


def _cause(ended: asyncio.Future[Any]) -> VendorError:
    """Why a task of the socket ended, or what its owner gave it up for."""
    error = ended.exception()
    if isinstance(error, ConnectionClosed):
        return closed(error)
    if isinstance(error, Malformed):
        return VendorError(VENDOR, "listen", "malformed")
    if isinstance(error, VendorError):
        return error
    if error is not None:  # a mistake of ours must not end the call
        log.error("the line to the recogniser broke", exc_info=error)
        return VendorError(VENDOR, "listen", type(error).__name__)
    given_up = ended.result()
    assert isinstance(given_up, VendorError), "the tasks of a socket end only with an error"
    return given_up
