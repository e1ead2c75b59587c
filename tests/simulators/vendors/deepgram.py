"""A strict stand-in for Deepgram's speech to text: live v1, Flux, and files.

It refuses what the real service refuses and tells what a client did wrong; what is not documented
is left out. Protocol: facts 1.1 to 1.7, read in deepgram-sdk 7.17 and developers.deepgram.com.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress

from aiohttp import web

from tests.simulators.vendors import deepgram_file
from tests.simulators.vendors.base import Fault, Simulator, Trouble, break_off
from tests.simulators.vendors.deepgram_ears import GAP_MS, Ears, Hears, Texts
from tests.simulators.vendors.deepgram_listen import ListenStream
from tests.simulators.vendors.deepgram_query import (
    BadQuery,
    FluxQuery,
    ListenQuery,
    file_query,
    flux_query,
    listen_query,
)
from tests.simulators.vendors.deepgram_serving import Serving
from tests.simulators.vendors.deepgram_socket import Outbox, Stream, Watchdog, until_gone
from tests.simulators.vendors.deepgram_stream import Latencies, Link, Told
from tests.simulators.vendors.flux import FluxStream, Turns

# The names are those of Deepgram's error answers; 402 and 500 are likely, not documented.
_REFUSALS = {
    400: ("Bad Request", "Bad Request."),
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request."),
    403: ("INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."),
    404: ("NOT_FOUND", "Not found."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later."),
    500: ("INTERNAL_SERVER_ERROR", "Internal server error."),
    503: ("SERVICE_UNAVAILABLE", "Service unavailable."),
}
Make = Callable[[Link], Stream]


class DeepgramSimulator(Simulator):
    """Deepgram on a free port."""

    endpoints = ("listen", "flux", "file")
    usual_key = "deepgram-test-key"

    def __init__(
        self,
        *,
        key: str = "",
        port: int = 0,
        keep_log: bool = True,
        hears: Hears = None,
        one_call: bool = False,
        gap_ms: int = GAP_MS,
        interim_ms: float = 60,
        final_ms: float = 60,
        file_ms: float = 300,
        turns: Turns | None = None,
        empty_finalize: bool = False,
        temporary_tokens: Collection[str] = (),
    ) -> None:
        """``hears``: a text for each stretch of speech of each socket, or a recogniser of mu-law,
        called in a thread for a whole stretch; nothing: speech has no words. ``one_call``: the
        texts go on from socket to socket, and one whose words were not given is heard again.
        ``gap_ms``: the pause between stretches. ``interim_ms``, ``final_ms``, ``file_ms``: how long
        messages take. ``turns``: how Flux decides. ``empty_finalize``: a Finalize with nothing to
        flush is answered, too; the real service may or may not."""
        super().__init__(key=key, port=port, keep_log=keep_log)
        self.audio_bytes: Counter[int] = Counter()
        """By link: how much audio came."""
        self._texts = Texts(hears)
        self._one_call = one_call
        self._gap_ms = gap_ms
        self._latencies = Latencies(interim_ms, final_ms, file_ms)
        self._turns = turns or Turns()
        self._empty_finalize = empty_finalize
        self._tokens = frozenset(temporary_tokens)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/listen", self._listen),
            web.post("/v1/listen", self._file),
            web.get("/v2/listen", self._flux),
        ]

    # --- what can be asked for --------------------------------------------------------------------

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        link, fault = self.new_link(), self.faults.take("listen")
        if (refusal := await self._refused(request, link, fault)) is not None:
            return refusal
        try:
            query = listen_query(request.query)
        except BadQuery as error:
            return self._bad(link, error)

        def make(line: Link) -> Stream:
            return ListenStream(query, line, empty_finalize=self._empty_finalize)

        return await self._socket(request, link, fault, query, make, idles=True)

    async def _flux(self, request: web.Request) -> web.StreamResponse:
        link, fault = self.new_link(), self.faults.take("flux")
        if (refusal := await self._refused(request, link, fault)) is not None:
            return refusal
        try:
            query = flux_query(request.query)
        except BadQuery as error:
            return self._bad(link, error)

        def make(line: Link) -> Stream:
            return FluxStream(query, line, self._turns)

        return await self._socket(request, link, fault, query, make, idles=False)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        link, fault = self.new_link(), self.faults.take("file")
        if (refusal := await self._refused(request, link, fault)) is not None:
            return refusal
        request_id = str(uuid.uuid4())
        try:
            query = file_query(request.query)
            self._warn(link, query)
            body = await request.read()
            self.audio_bytes[link] += len(body)
            self.note(link, "file", query=_pairs(request), bytes=len(body))
            audio = deepgram_file.audio_of(body, query)
        except BadQuery as error:
            return self._bad(link, error)
        answer = await deepgram_file.transcribe(audio, query, self._new_ears(link), request_id)
        await asyncio.sleep(self._latencies.file_ms / 1000)
        headers = {"dg-request-id": request_id}
        return await deepgram_file.send(request, answer, headers, fault)

    # --- refusals ---------------------------------------------------------------------------------

    async def _refused(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse | None:
        """The answer to a request that gets nowhere."""
        trouble = fault.trouble if fault else None
        if trouble is Trouble.RESET:
            self.note(link, "refused", status=0)
            break_off(request)
            return web.Response()
        if trouble is Trouble.STALL_FIRST:
            self.note(link, "stalled")
            await until_gone(request)
            return web.Response()
        if fault is not None and trouble is Trouble.STATUS:
            return self._refuse(link, fault.status)
        if not self._knows(request, link):
            return self._refuse(link, 401)
        return None

    def _knows(self, request: web.Request, link: int) -> bool:
        """Whether the key is good: ``Token`` for keys, ``Bearer`` for temporary tokens only."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if not scheme:  # browsers cannot send headers with a socket
            offered = request.headers.get("Sec-WebSocket-Protocol", "")
            scheme, _, value = (part.strip() for part in offered.partition(","))
        if scheme.lower() == "token":
            return self.knows(value)
        if scheme.lower() == "bearer" and value in self._tokens:
            return True
        self._wrong(link, f"authorisation by {scheme or 'nothing'}")
        return False

    def _bad(self, link: int, error: BadQuery) -> web.Response:
        self._wrong(link, str(error))
        return self._refuse(link, 400, str(error))

    def _refuse(self, link: int, status: int, why: str = "") -> web.Response:
        code, usual = _REFUSALS.get(status, ("UNKNOWN", "Error."))
        why, request_id = why or usual, str(uuid.uuid4())
        self.note(link, "refused", status=status, why=why)
        headers = {"dg-request-id": request_id, "dg-error": why}
        if status == 429:
            headers["Retry-After"] = "1"
        body = {"err_code": code, "err_msg": why, "request_id": request_id}
        return web.json_response(body, status=status, headers=headers)

    def _wrong(self, link: int, what: str) -> None:
        self.errors.append(f"link {link}: {what}")

    def _warn(self, link: int, query: ListenQuery | FluxQuery) -> None:
        for warning in query.warnings:
            self._wrong(link, warning)

    def _told(self, link: int) -> Told:
        return Told(lambda what: self.note(link, what), lambda what: self._wrong(link, what))

    def _new_ears(self, link: int, rate: int = 8000) -> Ears:
        texts = self._texts if self._one_call else Texts(self._texts.hears)
        return Ears(texts, rate, self._gap_ms, lambda what: self._wrong(link, what))

    # --- sockets ----------------------------------------------------------------------------------

    async def _socket(
        self,
        request: web.Request,
        link: int,
        fault: Fault | None,
        query: ListenQuery | FluxQuery,
        make: Make,
        *,
        idles: bool,
    ) -> web.StreamResponse:
        """Open the socket and serve it to its end. ``idles``: a silent client is thrown out."""
        request_id = str(uuid.uuid4())
        socket = web.WebSocketResponse(autoclose=False, compress=False, protocols=("token",))
        socket.headers["dg-request-id"] = request_id
        await socket.prepare(request)
        self.note(link, "connected", path=request.path, query=_pairs(request))
        self._warn(link, query)
        outbox, ears = Outbox(socket, fault), self._new_ears(link, query.sample_rate)
        serving = Serving(link, self, socket, outbox, ears, fault, raw=query.encoding is not None)
        stream = make(Link(ears, outbox, self._latencies, self._told(link), request_id))
        watchdog = Watchdog(serving.throw_out) if idles else None
        with self.counted():
            writer = asyncio.create_task(outbox.run(), name=f"deepgram {link}")
            try:
                await serving.read(stream, watchdog)
            finally:
                if watchdog is not None:
                    watchdog.stop()
                writer.cancel()
                with suppress(asyncio.CancelledError):
                    await writer
                await ears.close()
        return socket


def _pairs(request: web.Request) -> list[tuple[str, str]]:
    return list(request.query.items())
