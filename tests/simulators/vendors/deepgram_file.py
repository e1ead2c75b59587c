"""Deepgram's answer to a whole file: ``POST /v1/listen`` (facts 1.7)."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import numpy as np
from aiohttp import web

from tests.simulators import mulaw
from tests.simulators.vendors.base import Fault, Trouble, break_off
from tests.simulators.vendors.deepgram_answers import alternative, metadata
from tests.simulators.vendors.deepgram_ears import Ears, Word
from tests.simulators.vendors.deepgram_query import BadQuery, ListenQuery
from tests.simulators.vendors.deepgram_socket import until_gone

_MULAW, _PCM = 7, 1


def audio_of(body: bytes, query: ListenQuery) -> bytes:
    """Mu-law at 8 kHz, raw or out of a WAV file. Raises BadQuery."""
    if not body:
        raise BadQuery("no audio")
    if body.startswith(b"RIFF"):
        return _wav(body)
    if query.encoding == "mulaw" and query.sample_rate == mulaw.RATE:
        return body
    raise BadQuery("failed to process audio: corrupt or unsupported data")


def _wav(body: bytes) -> bytes:
    """The samples of a WAV file: mono, 8 kHz, mu-law or 16 bits."""
    at, form = 12, (0, 0, 0)
    while at + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        chunk = body[at + 8 : at + 8 + size]
        if name == b"fmt ":
            form = struct.unpack_from("<HHI", chunk)
        elif name == b"data":
            if form == (_MULAW, 1, mulaw.RATE):
                return chunk
            if form == (_PCM, 1, mulaw.RATE):
                return mulaw.encode(np.frombuffer(chunk[: len(chunk) & ~1], dtype=np.int16))
            break
        at += 8 + size + (size & 1)
    raise BadQuery("failed to process audio: corrupt or unsupported data")


async def transcribe(
    audio: bytes, query: ListenQuery, ears: Ears, request_id: str
) -> dict[str, Any]:
    """The whole answer."""
    for block in ears.blocks(audio):
        ears.hear(block)
    ears.end()
    words: list[Word] = []
    for stretch in list(ears.waiting):
        if stretch.recogniser is not None:
            await stretch.recogniser
        words += stretch.words()
        ears.forget(stretch)
    sha256 = hashlib.sha256(audio).hexdigest()
    return {
        "metadata": metadata(query, request_id, sha256, ears.now),
        "results": {"channels": [{"alternatives": [alternative(query, words)]}]},
    }


async def send(
    request: web.Request, answer: dict[str, Any], headers: dict[str, str], fault: Fault | None
) -> web.StreamResponse:
    """The answer, or what is left of it."""
    body = json.dumps(answer).encode()
    trouble = fault.trouble if fault else None
    if trouble is Trouble.MALFORMED:
        body = b"<html>upstream connect error</html>"
    response = web.StreamResponse(headers={**headers, "Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    if trouble not in {Trouble.STALL_MID, Trouble.CUT, Trouble.CLOSE}:
        await response.write(body)
        return response
    await response.write(body[: len(body) // 2])
    if trouble is Trouble.STALL_MID:
        await until_gone(request)
    break_off(request)
    return response
