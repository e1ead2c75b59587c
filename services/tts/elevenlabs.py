"""ElevenLabs over one multi-context socket per call: one context per reply.

The socket is opened when the call begins and opened again behind the caller's back when it is lost.
The vendor's SDK has no asynchronous client for it (``convert_realtime`` blocks and forces ``wss``),
so this is a plain WebSocket. A barge-in closes the reply's context, and the vendor goes on sending
what it had begun; so when four contexts are still open a second socket is opened ahead, and the
next reply begins there without waiting.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from services.tts import Say
from services.tts.elevenlabs_link import Link, connected
from services.tts.elevenlabs_speech import Speech
from services.tts.elevenlabs_wire import VENDOR, ElevenLabsOptions
from services.tts.tasks import ended
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker

OPEN_WAIT_S = 0.3
"""How long a reply waits for a socket that is being opened."""
_FIRST_REST_S = 0.25  # after a connection that could not be opened; then twice as long, up to
_LONGEST_REST_S = 8.0
_SHORT_LIFE_S = 5.0


class NotOpen(VendorError):
    """There is no socket to speak on; why was told when it failed."""


@dataclass(slots=True)
class _Context:
    """The context of a reply, and the socket on which it was opened."""

    name: str
    link: Link | None = None


class ElevenLabsVoice:
    """The voice of one call."""

    def __init__(
        self,
        options: ElevenLabsOptions,
        breaker: Breaker,
        reports: Reports,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``breaker``: of opening sockets, shared by all calls; not the one of the chain, which is
        told how replies end. ``tls``: the process's one, for ``wss``."""
        self._options = options
        self._breaker = breaker
        self._reports = reports
        self._tls = tls
        self._links: list[Link] = []  # the newest last
        self._has_room = asyncio.Event()
        self._wants_link = asyncio.Event()
        self._wants_link.set()
        self._is_resting = False
        self._opened = 0
        self._short_lived = 0  # sockets in a row that were soon lost

    # --- sockets ----------------------------------------------------------------------------------

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    await self._wants_link.wait()
                    link = await self._open()
                    self._links.append(link)
                    self._look_around()
                    tasks.create_task(self._tend(link), name="elevenlabs socket")
        finally:
            for link in self._links:
                link.abort()  # its task was cancelled before it began

    async def _open(self) -> Link:
        """A new socket, however long it takes."""
        rest_s = _FIRST_REST_S * 2**self._short_lived if self._short_lived > 1 else 0.0
        while True:
            if rest_s:
                self._is_resting = True
                await asyncio.sleep(min(rest_s, _LONGEST_REST_S))
            rest_s = max(_FIRST_REST_S, rest_s * 2)
            if not self._breaker.allows():
                continue
            self._is_resting = False
            if self._opened:
                self._reports.step(VENDOR, "reconnect")
            try:
                socket = await connected(self._options, self._tls)
            except VendorError as error:
                self._breaker.failed(error)
                self._reports.failed(error)
            else:
                self._breaker.succeeded()
                self._reports.step(VENDOR, "connected")
                self._opened += 1
                return Link(socket, self._options, self._look_around)

    async def _tend(self, link: Link) -> None:
        """Lives as long as the socket."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await link.run()
        finally:
            self._links.remove(link)
            is_short = loop.time() - began < _SHORT_LIFE_S
            self._short_lived = min(self._short_lived + 1, 8) if is_short else 0
            self._look_around()
        if link.lost_idle:
            self._reports.failed(link.lost_idle)

    def _look_around(self) -> None:
        """What the sockets are good for may have changed."""
        for link in self._links[:-1]:
            if link.is_open and not link.is_heard:
                link.leave()  # its contexts may never be final; nobody waits for them
        if self._links and self._links[-1].has_room:
            self._has_room.set()
            self._wants_link.clear()
        else:
            self._has_room.clear()
            self._wants_link.set()

    # --- replies ----------------------------------------------------------------------------------

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        options = self._options
        speech = Speech(reply, say, self._reports, options.region, options.language or "en")
        context = _Context(f"r{reply}")
        feeding = asyncio.create_task(self._feed(speech, context, phrases), name="phrases")
        try:
            await asyncio.wait({feeding, speech.done}, return_when=asyncio.FIRST_EXCEPTION)
            for part in (speech.done, feeding):
                if part.done():
                    part.result()
        except VendorError:
            if context.link:
                context.link.leave()  # whatever it is, a new socket is the better bet
            raise
        finally:
            speech.silence()
            feeding.cancel()  # from now on it opens nothing
            if context.link:
                context.link.abandon(context.name)
                self._reports.step(VENDOR, "context closed", reply)
            await ended(feeding)

    async def _feed(self, speech: Speech, context: _Context, phrases: AsyncIterator[str]) -> None:
        """Each phrase to the vendor as soon as it is there."""
        async for phrase in phrases:
            if not (said := speech.expect(phrase)):
                continue
            if not context.link:
                context.link = await self._link()
                context.link.open(context.name, speech)
                self._reports.step(VENDOR, "context opened", speech.reply)
            context.link.say(context.name, said)
        speech.all_told(was_silent=context.link is None)
        if context.link:
            context.link.close(context.name)

    async def _link(self) -> Link:
        """A socket with room for a context. Raises NotOpen."""
        if not self._has_room.is_set() and not self._is_resting:
            with suppress(TimeoutError):
                async with asyncio.timeout(OPEN_WAIT_S):
                    await self._has_room.wait()
        if not self._links or not self._links[-1].has_room:
            raise NotOpen(VENDOR, "context", "no socket")
        return self._links[-1]
