"""Twilio: the Media Streams codec and the check of signatures.

Everything here is a plain function of its arguments. The wire format is that of
https://www.twilio.com/docs/voice/media-streams/websocket-messages: JSON text messages, audio as
base64 of raw mu-law at 8000 Hz, counters as decimal strings.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from services.call.events import DigitPressed, MarkPlayed
from services.carriers import (
    BadMessage,
    CarrierMessage,
    MediaReceived,
    StreamConnected,
    StreamStarted,
    StreamStopped,
)
from services.carriers.twiml import MAX_PARAMETER_CHARS
from services.carriers.twiml import answer as answer
from services.carriers.twiml import printable as printable
from services.carriers.twiml import refuse as refuse

FRAME_BYTES = 160
"""20 ms of mu-law at 8000 Hz. Other chunk lengths are legal, but stutter at the start of words."""

MAX_MESSAGE_CHARS = 65_536
"""The longest message that is read at all; a 20 ms frame takes about 400 characters."""

MAX_COUNTER_DIGITS = 10
"""The longest timestamp: no call lasts four months."""

MAX_NAME_CHARS = 128
"""The longest identifier or mark name that is taken seriously."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_COUNTER = re.compile(rf"[0-9]{{1,{MAX_COUNTER_DIGITS}}}").fullmatch
_DIGITS = frozenset("0123456789*#ABCD")
_USERINFO = re.compile(r"^(\w+://)[^/?#]*@")
_WSS_WITHOUT_PORT = re.compile(r"^(wss://[^/?#:]+)(?=[/?#]|$)")


class TwilioCarrier:
    """The codec of one Media Streams socket; see :class:`services.carriers.Carrier`."""

    __slots__ = ("_media_head", "_stream_id")

    def __init__(self) -> None:
        self._stream_id = ""  # empty until ``start``
        self._media_head = ""

    def parse(self, message: str) -> CarrierMessage | None:
        """One text message from Twilio; ``None`` for unknown events and for other tracks.

        Raises BadMessage if it is not JSON, lacks a documented field, belongs to another stream or
        comes in the wrong place: a second ``start``, or anything that needs a stream before it.
        A refused message leaves the codec as it was.
        """
        if len(message) > MAX_MESSAGE_CHARS:
            raise BadMessage(f"expected a message of at most {MAX_MESSAGE_CHARS} characters")
        try:
            body = orjson.loads(message)
        except orjson.JSONDecodeError:
            # ``from None``: orjson's error carries the whole document.
            raise BadMessage("expected JSON") from None
        if not isinstance(body, dict):
            raise BadMessage("expected a JSON object")
        if body.get("event") == "media":  # 50 a second
            if body.get("streamSid") != self._stream_id or not self._stream_id:
                self._belongs(body)
            media = body.get("media")
            return _media(media if type(media) is dict else _object(body, "media"))
        match _text(body, "event"):
            case "mark":
                self._belongs(body)
                return MarkPlayed(_text(_object(body, "mark"), "name"))
            case "dtmf":
                self._belongs(body)
                return DigitPressed(_digit(_object(body, "dtmf")))
            case "connected":
                return StreamConnected()
            case "start":
                return self._start(body)
            case "stop":
                self._belongs(body)
                return StreamStopped()
            case _:
                return None

    def media(self, audio: bytes) -> str:
        """A message that queues ``audio``: mu-law 8000 Hz without a header, whole 20 ms frames.

        Raises ValueError for any other length, RuntimeError before the stream has started.
        """
        if not self._stream_id:
            raise RuntimeError("no stream yet: Twilio names it in `start`")
        if not audio or len(audio) % FRAME_BYTES:
            raise ValueError(
                f"expected whole frames of {FRAME_BYTES} bytes, got {len(audio)} bytes"
            )
        # The only message that is sent 50 times a second; base64 never needs escaping.
        return self._media_head + b2a_base64(audio, newline=False).decode("ascii") + '"}}'

    def mark(self, name: str) -> str:
        """A message that asks for an echo of ``name`` once everything before it has been played."""
        if not name or len(name) > MAX_NAME_CHARS:
            raise ValueError(f"expected a mark name of 1 to {MAX_NAME_CHARS} characters")
        return self._message(
            {"event": "mark", "streamSid": self._stream_id, "mark": {"name": name}}
        )

    def clear(self) -> str:
        """A message that empties Twilio's queue; Twilio then echoes every mark still pending."""
        return self._message({"event": "clear", "streamSid": self._stream_id})

    def _message(self, body: dict[str, Any]) -> str:
        if not self._stream_id:
            raise RuntimeError("no stream yet: Twilio names it in `start`")
        return orjson.dumps(body).decode("utf-8")

    def _start(self, body: dict[str, Any]) -> StreamStarted:
        if self._stream_id:
            raise BadMessage("expected one `start` per stream")
        details = _object(body, "start")
        stream_id = _identifier(details, "streamSid")
        if body.get("streamSid") != stream_id:
            raise BadMessage("expected the same `streamSid` twice in `start`")
        call_id = _identifier(details, "callSid")
        _check_format(_object(details, "mediaFormat"))
        parameters = _parameters(details)
        self._stream_id = stream_id
        # An identifier holds no character that JSON would escape.
        self._media_head = f'{{"event":"media","streamSid":"{stream_id}","media":{{"payload":"'
        return StreamStarted(stream_id, call_id, parameters)

    def _belongs(self, body: dict[str, Any]) -> None:
        if not self._stream_id:
            raise BadMessage("expected `start` first")
        if body.get("streamSid") != self._stream_id:
            raise BadMessage("expected the `streamSid` of this stream")


# --- reading a message ------------------------------------------------------------------------


def _object(parent: dict[str, Any], name: str) -> dict[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise BadMessage(f"expected an object `{name}`")
    return value


def _text(parent: dict[str, Any], name: str) -> str:
    value = parent.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_CHARS:
        raise BadMessage(f"expected `{name}` as a string of 1 to {MAX_NAME_CHARS} characters")
    return value


def _identifier(parent: dict[str, Any], name: str) -> str:
    value = _text(parent, name)
    if not _ID.fullmatch(value):
        raise BadMessage(f"expected letters, digits, `-` and `_` in `{name}`")
    return value


def _digit(dtmf: dict[str, Any]) -> str:
    digit = _text(dtmf, "digit")
    if digit not in _DIGITS:
        raise BadMessage("expected one of 0-9, *, #, A-D as `digit`")
    return digit


def _media(media: dict[str, Any]) -> MediaReceived | None:
    if media.get("track") != "inbound":
        _text(media, "track")
        return None
    timestamp = media.get("timestamp")
    if type(timestamp) is not str or not _COUNTER(timestamp):
        raise BadMessage("expected `timestamp` as a string of digits, in milliseconds")
    try:
        audio = a2b_base64(media["payload"], strict_mode=True)
    except (KeyError, TypeError, ValueError):  # missing, not a string, not base64
        raise BadMessage("expected `payload` as a string of base64") from None
    return MediaReceived(int(timestamp), audio)


def _check_format(media_format: dict[str, Any]) -> None:
    expected = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    if any(media_format.get(name) != value for name, value in expected.items()):
        raise BadMessage("expected `mediaFormat` audio/x-mulaw, 8000 Hz, 1 channel")


def _parameters(details: dict[str, Any]) -> dict[str, str]:
    parameters = details.get("customParameters", {})
    if not isinstance(parameters, dict):
        raise BadMessage("expected an object `customParameters`")
    for name, value in parameters.items():
        if not isinstance(value, str) or len(name) + len(value) > MAX_PARAMETER_CHARS:
            raise BadMessage(
                f"expected `customParameters` of strings, {MAX_PARAMETER_CHARS} characters at most"
            )
    return parameters


# --- signatures -------------------------------------------------------------------------------


def signed(
    auth_token: str, signature: str | None, url: str, form: Sequence[tuple[str, str]] = ()
) -> bool:
    """Whether ``signature`` (the X-Twilio-Signature header) is Twilio's for this request.

    ``url`` is the URL as Twilio was given it: scheme as in the TwiML (``wss`` for a stream), raw
    path, raw query. ``form`` holds every posted field, blank and repeated ones too; a stream's
    handshake has none. Default port and trailing slash may be there or not, as
    https://www.twilio.com/docs/usage/security asks. False, too, without a signature, without a
    token to check it with, and for a URL that is none.
    """
    if not auth_token or not signature:
        return False
    validator = RequestValidator(auth_token)
    fields = ImmutableMultiDict(form)  # its ``getlist`` lets the validator see repeated fields
    try:
        return any(validator.validate(each, fields, signature) for each in _spellings(url))
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def without_userinfo(url: str) -> str:
    """``url`` without ``user:password@``, which Twilio drops before it signs."""
    return _USERINFO.sub(r"\1", url)


def _spellings(url: str) -> Iterator[str]:
    """The ways in which Twilio may have spelled ``url``, on top of those the validator tries."""
    path, question, query = without_userinfo(url).partition("?")
    other = path[:-1] if path.endswith("/") else path + "/"
    for spelling in (path, other):
        yield spelling + question + query
        if _WSS_WITHOUT_PORT.match(spelling):  # the validator takes 80 for the default port of wss
            yield _WSS_WITHOUT_PORT.sub(r"\1:443", spelling) + question + query
