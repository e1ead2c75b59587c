"""ElevenLabs' multi-context socket as messages: what we send, and what a message says. Pure.

The messages are those of the vendor's own SDK 2.78 (``elevenlabs.types.initialise_context``,
``send_text_multi``, ``keep_context_alive``, ``close_context``, ``close_socket``,
``audio_output_multi``, ``final_output_multi``). Some deployments answer in snake case and spell
``charsDurationsMs``; we read both spellings, and no durations at all: a character lasts until the
next begins.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from services.tts.alignment import Timing
from services.vendors.urls import socket_url

VENDOR = "elevenlabs"
FORMAT = "ulaw_8000"  # the telephone's own: nothing is transcoded
INACTIVITY_S = 180
"""After so long without a message the vendor ends a context: the longest that it takes."""

AT_ONCE = frozenset({"quota_exceeded", "detected_unusual_activity", "invalid_api_key"})
"""Codes after which asking again is in vain."""


@dataclass(frozen=True, slots=True)
class ElevenLabsOptions:
    """Who speaks, and where. ``region``: of telephone numbers without a country code.

    ``settings``: the vendor's ``voice_settings`` (stability, similarity_boost, style,
    use_speaker_boost, speed 0.7 to 1.2); empty: those stored with the voice. ``language``: ISO
    639-1, only for models that know it.
    """

    base_url: str
    key: str = field(repr=False)
    voice: str
    model: str = "eleven_flash_v2_5"
    language: str | None = None
    settings: Mapping[str, float | bool] = field(default_factory=dict)
    region: str = "US"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Something of a context: audio (mu-law 8 kHz), when its characters begin, that it is over."""

    context: str
    audio: bytes = b""
    timing: Timing | None = None
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor's error; it closes the socket after it. ``code``: its own name for it."""

    code: str


def multi_url(options: ElevenLabsOptions) -> str:
    """Where the socket is.

    ``auto_mode`` generates each message at once instead of waiting for the 120 characters of the
    buffer schedule; it wants whole sentences or clauses, and that is what our phrases are.
    ``sync_alignment`` asks for the timing of the characters in every message.
    """
    query = {
        "model_id": options.model,
        "output_format": FORMAT,
        "inactivity_timeout": str(INACTIVITY_S),
        "auto_mode": "true",
        "sync_alignment": "true",
    }
    if options.language:
        query["language_code"] = options.language
    place = f"/v1/text-to-speech/{quote(options.voice, safe='')}/multi-stream-input"
    return f"{socket_url(options.base_url)}{place}?{urlencode(query)}"


def open_context(context: str, settings: Mapping[str, float | bool]) -> str:
    """Settings are refused in any later message of a context."""
    message: dict[str, Any] = {"text": " ", "context_id": context}
    if settings:
        message["voice_settings"] = dict(settings)
    return _json(message)


def add_text(context: str, said: str) -> str:
    """A phrase, to be spoken now. ``flush`` although ``auto_mode`` is on: nothing promises that it
    speaks a clause without a full stop at once. Text ends in one space."""
    return _json({"text": f"{said} ", "context_id": context, "flush": True})


def keep_alive(context: str | None = None) -> str:
    """For the socket, or for a context that is open: naming another one would open it without its
    settings."""
    return _json({"text": ""} if context is None else {"text": "", "context_id": context})


def close_context(context: str) -> str:
    """No more text. What was flushed is still spoken; then the context is final."""
    return _json({"context_id": context, "close_context": True})


_NUMBERS = frozenset({int, float})
_TEXT = frozenset({str})

CLOSE_SOCKET = '{"close_socket":true}'


def parse(raw: bytes | str) -> Chunk | Refused | None:
    """What a message says; None if it says nothing to us (``flush_done``, and what is new).

    Raises ValueError for what is no message of this protocol.
    """
    message = orjson.loads(raw)
    if not isinstance(message, dict):
        raise ValueError("not an object")
    if code := message.get("error"):
        return Refused(code if isinstance(code, str) else str(message.get("code", "error")))
    context = message.get("contextId") or message.get("context_id")
    audio = message.get("audio")
    is_final = bool(message.get("isFinal") or message.get("is_final"))
    if not isinstance(context, str) or not (audio or is_final):
        return None
    if audio is not None and not isinstance(audio, str):
        raise ValueError("audio is no text")
    # Audio that is broken ends the socket: decoded leniently it would be noise in the caller's ear,
    # and left out a hole that nobody knows of. Another voice says these words.
    decoded = binascii.a2b_base64(audio, strict_mode=True) if audio else b""
    return Chunk(context, decoded, _timing(message.get("alignment")), is_final)


def _timing(alignment: Any) -> Timing | None:
    """Characters of the text that was sent (``normalizedAlignment`` holds those of another).

    None if they do not fit: the audio is good all the same. Played, with its words placed by the
    voice's pace, it serves the caller better than a break in mid-sentence. Times are finite:
    JSON knows neither NaN nor infinity, and what is too large for a float is no JSON to orjson.
    """
    if not isinstance(alignment, dict):
        return None
    chars = alignment.get("chars")
    starts = alignment.get("charStartTimesMs", alignment.get("char_start_times_ms"))
    if not isinstance(chars, list) or not isinstance(starts, list) or len(chars) != len(starts):
        return None
    if not (_TEXT.issuperset(map(type, chars)) and _NUMBERS.issuperset(map(type, starts))):
        return None
    if starts and (starts[0] < 0 or starts != sorted(starts)):
        return None
    return Timing(chars, starts)


def detail_status(body: Any) -> str | None:
    """The vendor's code in the body of a refused request."""
    if isinstance(body, bytes | bytearray | str):
        try:
            body = orjson.loads(body)
        except ValueError:
            return None
    detail = body.get("detail") if isinstance(body, dict) else None
    status = detail.get("status") if isinstance(detail, dict) else None
    return status[:64] if isinstance(status, str) else None


def _json(message: dict[str, Any]) -> str:
    return orjson.dumps(message).decode()
