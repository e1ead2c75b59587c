"""A strict ElevenLabs: both text-to-speech sockets and the REST stream.

It refuses what the real service refuses, as far as that is known: sections 2 and 7 of the vendors'
fact sheet, which come from ElevenLabs' API reference and SDK. Where nothing is known it takes the
worse case: an idle socket without contexts is closed like an idle context.
"""

from __future__ import annotations

import asyncio
from typing import Any, Self

from aiohttp import web

from tests.simulators.mulaw import BYTES_PER_MS
from tests.simulators.vendors.base import Fault, Simulator, Trouble, break_off
from tests.simulators.vendors.elevenlabs_contexts import Speech, Voice
from tests.simulators.vendors.elevenlabs_messages import (
    STATUS_DETAILS,
    refused_body,
    refused_query,
)
from tests.simulators.vendors.elevenlabs_socket import Socket
from tests.simulators.vendors.hangups import notice_hangups, until_hangup
from tests.simulators.vendors.legible import MS_PER_CHAR, text_of

__all__ = ["ElevenLabsSimulator", "Voice", "text_of"]


class ElevenLabsSimulator(Simulator):
    """ElevenLabs on a free port.

    Faults can be ordered for "connect" (before a socket is accepted: RESET, STATUS, STALL_FIRST),
    "multi" and "single" (the socket: RESET and STATUS before it is accepted, the others in its
    first context), "context" (the next context of any socket) and "stream" (REST).
    """

    endpoints = ("multi", "single", "stream", "context", "connect")
    usual_key = "elevenlabs-test-key"

    def __init__(
        self,
        *,
        voice: Voice | None = None,
        first_audio_ms: float = 120,
        chunk_ms: float = 400,
        speed: float = 20,
        ms_per_char: int = MS_PER_CHAR,
        voices: set[str] | None = None,
        concurrency: int | None = None,
        **common: Any,
    ) -> None:
        """``voice``: text to mu-law; without one the audio spells its text, see ``legible``.

        ``first_audio_ms``: from a text to its first message, which holds about ``chunk_ms``; the
        next ones follow at ``speed`` times real time. ``voices``: the ids that exist, else all.
        ``concurrency``: REST requests at once. ``common``: what every simulator takes.
        """
        super().__init__(**common)
        self.speech = Speech(voice, first_audio_ms, chunk_ms, speed, ms_per_char)
        self.most_contexts: dict[int, int] = {}
        """The most contexts that each socket had open at once."""
        self.voices = voices
        self.concurrency = concurrency
        self.requests_now = 0
        self.sockets: set[Socket] = set()

    def routes(self) -> list[web.RouteDef]:
        base = "/v1/text-to-speech/{voice}"
        return [
            web.get(f"{base}/multi-stream-input", self._multi),
            web.get(f"{base}/stream-input", self._single),
            web.post(f"{base}/stream", self._stream),
        ]

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        notice_hangups(self)
        return self

    async def __aexit__(self, *details: Any) -> None:
        for socket in list(self.sockets):
            socket.cut()
        await super().__aexit__(*details)

    def close_sockets(self, code: int = 1011, reason: str = "") -> None:
        """Close every socket now; with 1008, ``reason`` is the code of the error before it."""
        for socket in list(self.sockets):
            socket.end(code, reason)

    def cut_sockets(self) -> None:
        """Cut every socket's connection now, without a close."""
        for socket in list(self.sockets):
            socket.cut()

    async def _multi(self, request: web.Request) -> web.StreamResponse:
        return await self._socket(request, "multi")

    async def _single(self, request: web.Request) -> web.StreamResponse:
        return await self._socket(request, "single")

    async def _socket(self, request: web.Request, endpoint: str) -> web.StreamResponse:
        link = self.new_link()
        early = self.faults.take("connect")
        if early is not None and early.trouble is Trouble.STALL_FIRST:
            await until_hangup()
        fault = early or self.faults.take(endpoint)
        if refusal := self._refusal(request, link, fault):
            return refusal
        if sentence := refused_query(request.query, multi=endpoint == "multi"):
            return self._refuse(link, 400, "invalid_request", sentence)
        answer = web.WebSocketResponse(compress=False, max_msg_size=2**20)
        await answer.prepare(request)
        self.note(link, "connected", endpoint=endpoint, query=dict(request.query))
        socket = Socket(self, link, request, answer, fault, multi=endpoint == "multi")
        with self.counted():
            self.sockets.add(socket)
            try:
                await socket.serve()
            finally:
                self.sockets.discard(socket)
        return answer

    def _refusal(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse | None:
        """The answer to a request that goes no further."""
        if fault is not None and fault.trouble is Trouble.RESET:
            break_off(request)
            return web.Response()
        if fault is not None and fault.trouble is Trouble.STATUS:
            return _failure(fault.status, fault.reason)
        if not self.knows(request.headers.get("xi-api-key", "")):
            return self._refuse(link, 401, "invalid_api_key", "Invalid API key")
        voice = request.match_info["voice"]
        if self.voices is not None and voice not in self.voices:
            return self._refuse(link, 400, "voice_not_found", f"voice {voice} was not found")
        return None

    def _refuse(self, link: int, status: int, code: str, sentence: str) -> web.Response:
        self.errors.append(sentence)
        self.note(link, "refused", status=status, code=code, sentence=sentence)
        return _failure(status, code, sentence)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        link = self.new_link()
        fault = self.faults.take("stream")
        if refusal := self._refusal(request, link, fault):
            return refusal
        try:
            body = await request.json()
        except ValueError:
            body = None
        if wrong := refused_body(request.query, body):
            return self._refuse(link, 400, *wrong)
        if self.concurrency is not None and self.requests_now >= self.concurrency:
            return _failure(429)
        self.note(link, "request", text=body["text"], body=body, query=dict(request.query))
        self.requests_now += 1
        try:
            return await self._speak(request, link, body["text"], fault)
        except (ConnectionError, asyncio.CancelledError):
            self.note(link, "disconnected")
            raise
        finally:
            self.requests_now -= 1

    async def _speak(
        self, request: web.Request, link: int, text: str, fault: Fault | None
    ) -> web.StreamResponse:
        trouble = fault.trouble if fault is not None else None
        loop = asyncio.get_running_loop()
        begin = loop.time() + self.speech.first_audio_ms / 1000
        pieces = await self.speech.pieces(text)
        if trouble is Trouble.STALL_FIRST:
            await until_hangup()
        await asyncio.sleep(begin - loop.time())
        if trouble is Trouble.MALFORMED:
            return web.Response(text="<html>upstream error</html>", content_type="text/html")
        answer = web.StreamResponse(
            headers={
                "Content-Type": "audio/basic",
                "current-concurrent-requests": str(self.requests_now),
                "maximum-concurrent-requests": str(self.concurrency or 10),
                "request-id": f"request-{link}",
            }
        )
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        for number, piece in enumerate(pieces):
            due = begin + piece.at_ms / self.speech.speed / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))
            part = piece.audio
            if number == 0:
                self.note(link, "first audio")
                if trouble is not None:  # in the middle, also if there is one piece only
                    part = part[: len(part) * 2 // 3 + 1]
            await answer.write(part)
            if trouble is Trouble.STALL_MID:
                await until_hangup()
            if trouble is not None:
                break_off(request)
                return answer
        await answer.write_eof()
        sent_ms = sum(len(piece.audio) for piece in pieces) // BYTES_PER_MS
        self.note(link, "done", audio_ms=sent_ms)
        return answer


def _failure(status: int, code: str = "", sentence: str = "") -> web.Response:
    usual_code, usual_sentence = STATUS_DETAILS.get(status, ("error", "Error"))
    detail = {"status": code or usual_code, "message": sentence or usual_sentence}
    return web.json_response({"detail": detail}, status=status)
