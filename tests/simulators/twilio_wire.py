"""Twilio Media Streams on the wire: messages to the server built, messages from it checked.

Source: https://www.twilio.com/docs/voice/media-streams/websocket-messages. The counters are JSON
strings, ``sampleRate`` and ``channels`` are numbers. The checks are stricter than Twilio in one
point: a payload that is not made of whole 20 ms frames stutters in the field, so it is an error.
"""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FRAME_BYTES = 160
"""20 ms of mu-law at 8 kHz."""


def new_sid(prefix: str) -> str:
    """A fresh Twilio identifier: two letters and 32 hexadecimal digits."""
    return prefix + uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class StreamIds:
    """The identifiers of one stream."""

    account_sid: str
    call_sid: str
    stream_sid: str = field(default_factory=lambda: new_sid("MZ"))


# --- to the server --------------------------------------------------------------------------------


def connected() -> str:
    """The first message: no ids and no sequence number."""
    return '{"event":"connected","protocol":"Call","version":"1.0.0"}'


def start(ids: StreamIds, parameters: Mapping[str, str], sequence: int = 1) -> str:
    """The second message: the stream's details. There is no From or To in it."""
    details = {
        "accountSid": ids.account_sid,
        "streamSid": ids.stream_sid,
        "callSid": ids.call_sid,
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": dict(parameters),
    }
    message = {
        "event": "start",
        "sequenceNumber": str(sequence),
        "start": details,
        "streamSid": ids.stream_sid,
    }
    return json.dumps(message, separators=(",", ":"))


def media(ids: StreamIds, sequence: int, chunk: int, timestamp_ms: int, payload: str) -> str:
    """Caller audio; ``payload`` is base64 already. Built by hand: it is sent 50 times a second."""
    return (
        f'{{"event":"media","sequenceNumber":"{sequence}","media":{{"track":"inbound",'
        f'"chunk":"{chunk}","timestamp":"{timestamp_ms}","payload":"{payload}"}},'
        f'"streamSid":"{ids.stream_sid}"}}'
    )


def dtmf(ids: StreamIds, sequence: int, digit: str) -> str:
    """A key was pressed. Its track is called ``inbound_track``, unlike that of media."""
    return _numbered(ids, sequence, "dtmf", {"track": "inbound_track", "digit": digit})


def mark(ids: StreamIds, sequence: int, name: str) -> str:
    """The echo of a mark that the server sent."""
    return _numbered(ids, sequence, "mark", {"name": name})


def stop(ids: StreamIds, sequence: int) -> str:
    """The stream is over. Twilio gives no reason."""
    return _numbered(
        ids, sequence, "stop", {"accountSid": ids.account_sid, "callSid": ids.call_sid}
    )


def _numbered(ids: StreamIds, sequence: int, event: str, details: dict[str, str]) -> str:
    message = {
        "event": event,
        "sequenceNumber": str(sequence),
        "streamSid": ids.stream_sid,
        event: details,
    }
    return json.dumps(message, separators=(",", ":"))


# --- from the server ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Media:
    """Agent audio, mu-law 8 kHz."""

    audio: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    """Asks for an echo."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Empties the playback queue."""


ServerMessage = Media | Mark | Clear


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Twilio makes of a message: ``None`` if it drops it, and what is wrong with it."""

    message: ServerMessage | None
    errors: tuple[str, ...] = ()


_FIELDS = {
    "media": {"event", "streamSid", "media"},
    "mark": {"event", "streamSid", "mark"},
    "clear": {"event", "streamSid"},
}


def check(message: str | bytes, stream_sid: str) -> Verdict:
    """Read one message of the server as strictly as Twilio does (warnings 31950 and 31951)."""
    if isinstance(message, bytes):
        return _dropped(f"31950: a binary message of {len(message)} bytes")
    try:
        parsed = json.loads(message)
    except ValueError:
        return _dropped(f"31951: not JSON: {message[:80]!r}")
    if not isinstance(parsed, dict):
        return _dropped(f"31951: not a JSON object: {message[:80]!r}")
    event = parsed.get("event")
    if not isinstance(event, str) or event not in _FIELDS:
        return _dropped(f"31951: unknown event {event!r}")
    if parsed.keys() != _FIELDS[event]:
        return _dropped(f"31951: {event} with the fields {sorted(parsed)}")
    if parsed["streamSid"] != stream_sid:
        return _dropped(f"31951: {event} for the stream {parsed['streamSid']!r}, which is not ours")
    if event == "media":
        return _check_media(parsed["media"])
    if event == "mark":
        return _check_mark(parsed["mark"])
    return Verdict(Clear())


def _check_media(details: Any) -> Verdict:
    if not isinstance(details, dict) or details.keys() != {"payload"}:
        return _dropped("31951: media must hold a payload and nothing else")
    payload = details["payload"]
    if not isinstance(payload, str) or not payload:
        return _dropped("31951: a payload that is empty or not a string")
    try:
        audio = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        return _dropped(f"31951: a payload that is not base64: {payload[:40]!r}")
    if audio.startswith(b"RIFF"):
        return Verdict(Media(audio), ("a payload with a WAV header; it must be raw mu-law",))
    if len(audio) % FRAME_BYTES:
        error = f"a payload of {len(audio)} bytes, which is not a multiple of {FRAME_BYTES}"
        return Verdict(Media(audio), (error,))
    return Verdict(Media(audio))


def _check_mark(details: Any) -> Verdict:
    if not isinstance(details, dict) or details.keys() != {"name"}:
        return _dropped("31951: mark must hold a name and nothing else")
    if not isinstance(details["name"], str) or not details["name"]:
        return _dropped("31951: a mark whose name is empty or not a string")
    return Verdict(Mark(details["name"]))


def _dropped(error: str) -> Verdict:
    return Verdict(None, (error,))
