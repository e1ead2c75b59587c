"""One open multi-context socket to ElevenLabs, and the contexts on it.

A context counts until its ``isFinal`` has come, however long ago we closed it: the vendor counts so
as well, and the sixth one ends the socket with 1008. Audio of a context that nobody listens to any
more is dropped here. The socket is read without pause: if nobody reads, the library's queue fills
up, pongs stay unseen, and it closes itself with 1011.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from services.tts.elevenlabs_wire import (
    AT_ONCE,
    CLOSE_SOCKET,
    VENDOR,
    Chunk,
    ElevenLabsOptions,
    Refused,
    add_text,
    close_context,
    detail_status,
    keep_alive,
    multi_url,
    open_context,
    parse,
)
from services.vendors import VendorError
from services.vendors.keys import check_key
from services.vendors.sockets import open_socket, part, send, send_now

MOST_CONTEXTS = 4
"""The vendor takes five; one is left for what we do not know of."""
KEEP_ALIVE_S = 15.0
"""Below the 20 s after which the vendor gives up by default, should it not heed the 180 s that we
ask for; whether those hold for a socket without contexts is not documented. It keeps NATs awake as
well, and is four small messages a minute."""
_PARTING_S = 2.0  # for the vendor to close; if we just leave, many sockets end with 1006
_PEACEFUL = frozenset({1000, 1001, 1005})  # codes of a close without a complaint
_PING_S = 20.0  # between replies nothing else would tell that the line is dead


class Listener(Protocol):
    """Who listens to a context."""

    def hear(self, chunk: Chunk) -> None:
        """Audio of the context."""

    def final(self) -> None:
        """All audio of the context, which was closed, has come."""

    def fail(self, error: VendorError) -> None:
        """Nothing more will come."""


class Link:
    """The socket. Nothing but ``run`` waits: a message leaves at once, or through its outbox."""

    def __init__(
        self, socket: ClientConnection, options: ElevenLabsOptions, changed: Callable[[], None]
    ) -> None:
        """``changed`` is called whenever ``has_room`` or ``is_heard`` may have changed."""
        self._socket = socket
        self._changed = changed
        self._settings = options.settings
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._is_sending = False
        self._contexts: dict[str, Listener | None] = {}
        self._closing: set[str] = set()
        self._refused: str | None = None
        self._leaving = asyncio.get_running_loop().create_future()
        self.lost_idle: VendorError | None = None
        """Why the socket was lost, if that hit nobody who could tell."""
        self.is_open = True

    @property
    def has_room(self) -> bool:
        """Whether another context may be opened."""
        return self.is_open and len(self._contexts) < MOST_CONTEXTS

    @property
    def is_heard(self) -> bool:
        """Whether anybody listens to a context of it."""
        return any(self._contexts.values())

    def open(self, context: str, listener: Listener) -> None:
        """Open a context."""
        self._contexts[context] = listener
        self._send(open_context(context, self._settings))
        self._changed()

    def say(self, context: str, said: str) -> None:
        """Have a phrase spoken in an open context."""
        self._send(add_text(context, said))

    def close(self, context: str) -> None:
        """No more text for the context; what it was given is still spoken."""
        if context in self._contexts and context not in self._closing:
            self._closing.add(context)
            self._send(close_context(context))

    def _send(self, message: str) -> None:
        """At once, if nothing waits to be sent; else it waits its turn."""
        waits = self._is_sending or not self.is_open or not self._outbox.empty()
        if waits or not send_now(self._socket, message):
            self._outbox.put_nowait(message)

    def abandon(self, context: str) -> None:
        """Close the context and listen to it no longer."""
        self.close(context)
        if context in self._contexts:
            self._contexts[context] = None
            self._changed()

    def leave(self) -> None:
        """End ``run``, in peace. From now on there is no room."""
        self.is_open = False
        if not self._leaving.done():
            self._leaving.set_result(None)
        self._changed()

    def abort(self) -> None:
        """Drop the connection."""
        self._socket.transport.abort()

    async def run(self) -> None:
        """Lives as long as the socket; cancelling it closes the socket as the vendor likes it, and
        cancelling it again at once."""
        reading = asyncio.create_task(self._read(), name="elevenlabs in")
        writing = asyncio.create_task(self._write(), name="elevenlabs out")
        parting: asyncio.Task[None] | None = None
        try:
            await asyncio.wait({reading, self._leaving}, return_when=asyncio.FIRST_COMPLETED)
            parting = self._parting(reading, writing)
            await asyncio.wait({parting})  # leaves it alone if the call ends meanwhile
        finally:
            parting = parting or self._parting(reading, writing)
            try:
                await asyncio.wait({parting})
            finally:
                parting.cancel()
                self.abort()

    def _parting(self, *tasks: asyncio.Task[None]) -> asyncio.Task[None]:
        self.is_open = False
        for task in tasks:
            task.cancel()
        return asyncio.create_task(self._part(tasks), name="elevenlabs leaves")

    async def _part(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        await asyncio.wait(tasks)
        await part(self._socket, CLOSE_SOCKET, _PARTING_S)

    async def _write(self) -> None:
        try:
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE_S):
                        message = await self._outbox.get()
                except TimeoutError:
                    self._outbox.put_nowait(keep_alive())
                    for context in self._contexts.keys() - self._closing:
                        self._outbox.put_nowait(keep_alive(context))
                else:
                    self._is_sending = True
                    await send(self._socket, message)
                    self._is_sending = False
        except ConnectionClosed:
            pass  # the reader knows why

    async def _read(self) -> None:
        try:
            while True:
                self._take(parse(await self._socket.recv(decode=False)))
        except ConnectionClosed as closed:
            self._lost(self._refused or str(closed.rcvd.code if closed.rcvd else 1006))
        except ValueError:
            self._lost("malformed")

    def _take(self, message: Chunk | Refused | None) -> None:
        if isinstance(message, Chunk) and message.context in self._contexts:
            listener = self._contexts[message.context]
            if listener and message.audio:
                listener.hear(message)
            if message.is_final and message.context in self._closing:
                # One that we did not close may go on: text for it would open it again.
                del self._contexts[message.context]
                self._closing.discard(message.context)
                self._changed()
                if listener:
                    listener.final()
        elif isinstance(message, Refused):
            self._refused = message.code  # it closes the socket now; who waits need not
            self._fail(self._error(message.code))
            self.leave()

    def _lost(self, code: str) -> None:
        error = self._error(code)
        if not self._fail(error) and self._refused is None and code not in {"1000", "1001"}:
            self.lost_idle = error
        self._changed()

    def _fail(self, error: VendorError) -> bool:
        """Tell whoever listens; False if nobody did."""
        self.is_open = False
        listeners = [listener for listener in self._contexts.values() if listener]
        self._contexts = dict.fromkeys(self._contexts)
        for listener in listeners:
            listener.fail(error)
        if not listeners and self._refused:
            self.lost_idle = error
        return bool(listeners)

    @staticmethod
    def _error(code: str) -> VendorError:
        return VendorError(VENDOR, "socket", code, at_once=code in AT_ONCE)


async def check(options: ElevenLabsOptions, tls: ssl.SSLContext | None = None) -> None:
    """Open a socket, and close it as the vendor likes it: then the key is taken, and the way there
    (its name, its certificate) is warm. Raises VendorError."""
    socket = await connected(options, tls)
    try:
        refused = await _refusal(socket)
        await socket.close()
    finally:
        socket.transport.abort()
    if refused:
        raise VendorError(VENDOR, "connect", refused, at_once=refused in AT_ONCE)


async def _refusal(socket: ClientConnection) -> str | None:
    """Take leave, and read to the end: the vendor may refuse a socket that it has accepted."""
    refused: str | None = None
    try:
        async with asyncio.timeout(_PARTING_S):
            with suppress(ConnectionClosed):  # what it said before can still be read
                await socket.send(CLOSE_SOCKET)
            while True:
                message = parse(await socket.recv(decode=False))
                if isinstance(message, Refused):
                    refused = message.code
    except TimeoutError:
        return refused  # it need not close
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else 1006
        return refused or (None if code in _PEACEFUL else str(code))
    except ValueError:
        return "malformed"


async def connected(options: ElevenLabsOptions, tls: ssl.SSLContext | None) -> ClientConnection:
    """An open socket. Raises VendorError."""
    check_key(VENDOR, "connect", options.key)
    headers = {"xi-api-key": options.key}
    return await open_socket(VENDOR, multi_url(options), headers, _refused, tls=tls, ping_s=_PING_S)


def _refused(response: Response) -> VendorError:
    code = detail_status(response.body) or str(response.status_code)
    at_once = response.status_code in {401, 403, 404} or code in AT_ONCE
    return VendorError(VENDOR, "connect", code, at_once=at_once)
