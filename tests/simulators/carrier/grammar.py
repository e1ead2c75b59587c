"""What TwiML may hold: the verbs, their attributes and what may stand in them. Pure tables.

Source: https://www.twilio.com/docs/voice/twiml and the pages of the verbs there. What is left out
is either not documented or not played here, and so an error: a document that needs it would not
have been tried.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Check = Callable[[str], str]
"""Takes an attribute's value; returns what was expected instead, or nothing."""


def number(low: int, high: int) -> Check:
    """A whole number within these bounds."""

    def check(value: str) -> str:
        if re.fullmatch(r"\d{1,9}", value) and low <= int(value) <= high:
            return ""
        return f"a number from {low} to {high}"

    return check


def one_of(*values: str) -> Check:
    """One of a few words."""
    return lambda value: "" if value in values else f"one of {', '.join(values)}"


def words_of(*values: str) -> Check:
    """Several of a few words, with blanks between them."""

    def check(value: str) -> str:
        if value.split() and set(value.split()) <= set(values):
            return ""
        return f"some of {', '.join(values)}"

    return check


def any_text(value: str) -> str:
    """Anything at all."""
    return ""


def keys(value: str) -> str:
    """Keys of a telephone, or none."""
    return "" if re.fullmatch(r"[0-9*#]*", value) else "keys out of 0123456789*#"


def digits(value: str) -> str:
    """Keys to be dialled, with pauses."""
    return "" if re.fullmatch(r"[0-9*#wW]{1,32}", value) else "digits and w"


def url(value: str) -> str:
    """Absolute, or relative to the document's own address."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        return "a URL"
    if not value or re.search(r"\s", value) or parts.scheme not in ("", "http", "https"):
        return "an http(s) URL"
    if parts.scheme and not host:
        return "a URL with a host"
    return "a host without an underscore" if "_" in host else ""


def absolute_url(value: str) -> str:
    """A URL with its host."""
    return url(value) or ("" if urlsplit(value).scheme else "an absolute URL")


def stream_url(value: str) -> str:
    """Checked by ``tests.simulators.webhook`` when it is connected."""
    return "" if value else "a URL"


@dataclass(frozen=True, slots=True)
class Element:
    """``attributes`` with their checks; ``required`` ones; ``children`` by name; ``text``: the
    check of the text within, None if there may be none."""

    attributes: Mapping[str, Check] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    children: frozenset[str] = frozenset()
    text: Check | None = None


_METHOD = one_of("GET", "POST")
_BOOLEAN = one_of("true", "false")
_EVENTS = words_of("initiated", "ringing", "answered", "completed")
_ACTION = {"action": url, "method": _METHOD}
_STATUS = {"statusCallback": absolute_url, "statusCallbackMethod": _METHOD}
_RECORDING_STATUS = {
    "recordingStatusCallback": url,
    "recordingStatusCallbackMethod": _METHOD,
    "recordingStatusCallbackEvent": words_of("in-progress", "completed", "absent"),
}


def _words(value: str) -> str:
    return "" if 0 < len(value.strip()) <= 4096 else "1 to 4096 characters of text"


ELEMENTS: dict[str, Element] = {
    "Say": Element({"voice": any_text, "language": any_text, "loop": number(0, 1000)}, text=_words),
    "Play": Element({"loop": number(0, 1000), "digits": digits}, text=any_text),
    "Pause": Element({"length": number(0, 3600)}),
    "Gather": Element(
        {
            **_ACTION,
            "input": words_of("dtmf", "speech"),
            "timeout": number(0, 600),
            "speechTimeout": any_text,
            "speechModel": any_text,
            "hints": any_text,
            "language": any_text,
            "numDigits": number(1, 100),
            "finishOnKey": keys,
            "actionOnEmptyResult": _BOOLEAN,
            "bargeIn": _BOOLEAN,
            "profanityFilter": _BOOLEAN,
            "enhanced": _BOOLEAN,
        },
        children=frozenset({"Say", "Play", "Pause"}),
    ),
    "Record": Element(
        {
            **_ACTION,
            **_RECORDING_STATUS,
            "timeout": number(0, 600),
            "finishOnKey": keys,
            "maxLength": number(1, 14_400),
            "playBeep": _BOOLEAN,
            "trim": one_of("trim-silence", "do-not-trim"),
        }
    ),
    "Dial": Element(
        {
            **_ACTION,
            "timeout": number(1, 600),
            "timeLimit": number(1, 14_400),
            "callerId": any_text,
            "hangupOnStar": _BOOLEAN,
            "answerOnBridge": _BOOLEAN,
            "ringTone": any_text,
        },
        children=frozenset({"Number"}),
        text=any_text,
    ),
    "Number": Element(
        {**_STATUS, "statusCallbackEvent": _EVENTS, "url": url, "method": _METHOD},
        text=any_text,
    ),
    "Connect": Element({}, children=frozenset({"Stream"})),
    "Stream": Element(
        {
            **_STATUS,
            "url": stream_url,
            "name": any_text,
            "track": one_of("inbound_track"),
        },
        required=frozenset({"url"}),
        children=frozenset({"Parameter"}),
    ),
    "Parameter": Element(
        {"name": any_text, "value": any_text}, required=frozenset({"name", "value"})
    ),
    "Redirect": Element({"method": _METHOD}, text=url),
    "Hangup": Element(),
    "Reject": Element({"reason": one_of("rejected", "busy")}),
}

VERBS = frozenset(ELEMENTS) - {"Number", "Stream", "Parameter"}
"""What may stand in a ``<Response>``."""

FINAL = frozenset({"Redirect", "Hangup", "Reject"})
"""Nothing after these is ever performed."""
