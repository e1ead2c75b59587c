"""TwiML: the documents with which a webhook tells Twilio what happens next on a call.

Every function returns one whole document. URLs that Twilio requests may be relative to the webhook
that answers (``/webhooks/after/x``), except where it says *absolute*; a document that goes out by
REST has no such webhook, see :func:`by_rest`. A URL or number that Twilio could not take raises
ValueError: it is ours, and wrong. Words are a caller's or a model's, and never raise: what XML
cannot carry is left out of them, and what is too long is cut off.

Source: https://www.twilio.com/docs/voice/twiml and the pages of its verbs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit
from xml.etree import ElementTree

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]

MAX_DOCUMENT_BYTES = 64 * 1024
"""Twilio gives up on a longer answer (11750)."""

MAX_REST_CHARS = 4000
"""The longest document that an update of a call may carry."""

MAX_SAY_CHARS = 3000
"""The longest text of one ``<Say>``: what Twilio's voices take at a time."""

MAX_PARAMETER_CHARS = 499
"""Name and value of one ``<Parameter>`` together must stay below 500 characters."""

MAX_PARALLEL_NUMBERS = 10
"""So many telephones ring at once at most."""

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_KEYS = re.compile(r"[0-9*#]*")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Say:
    """Words in Twilio's own voice. ``language`` is a tag that it knows, like ``de-DE``."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Play:
    """A sound that Twilio fetches: a WAV file or an MP3."""

    url: str


Prompt = Say | Play


# --- the stream -------------------------------------------------------------------------------


def stream(
    url: str, parameters: Mapping[str, str], after_url: str = "", status_callback: str = ""
) -> str:
    """Connects the call to a media stream; once we close it, ``after_url`` says what is next.

    ``url``: ``wss://``, without a query string (Twilio drops it). ``parameters`` come back in
    ``start.customParameters``. Without an ``after_url`` the call ends with the stream.
    ``status_callback``: absolute; told of the stream's begin, end and errors.
    """
    if urlsplit(url).scheme not in ("wss", "ws") or not urlsplit(url).hostname:
        raise ValueError("expected wss://host/path as the stream's address")
    if "?" in url or "#" in url:
        raise ValueError("expected a stream's address without ? and #: Twilio drops them")
    response = VoiceResponse()
    extra = {"status_callback": _absolute(status_callback)} if status_callback else {}
    noun = response.connect().stream(url=url, **extra)
    for name, value in parameters.items():
        noun.parameter(name=name, value=printable(value, MAX_PARAMETER_CHARS - len(name)))
    _then(response, after_url)
    return _document(response)


def answer(stream_url: str, parameters: Mapping[str, str]) -> str:
    """Connects the call to ``stream_url`` and hangs up once the stream is over."""
    return stream(stream_url, parameters)


# --- other people -----------------------------------------------------------------------------


def dial(
    number: str,
    caller_id: str,
    ring_secs: int,
    action: str,
    whisper_url: str = "",
    status_callback: str = "",
) -> str:
    """Rings one person for ``ring_secs`` (5 to 600); ``action`` is told how it went and says what
    is next. ``whisper_url`` is played to the person before the two are connected.

    ``caller_id``: the caller's number or one of ours; left out unless it is a number in full.
    """
    response = VoiceResponse()
    _dial(response, (number,), caller_id, ring_secs, action, whisper_url, status_callback)
    return _document(response)


def ring(
    numbers: Sequence[str], secs: int, action: str, caller_id: str = "", whisper_url: str = ""
) -> str:
    """Rings up to ten people at once, before the call is answered: the caller hears it ring.
    Whoever is first gets the call."""
    if not 1 <= len(numbers) <= MAX_PARALLEL_NUMBERS:
        raise ValueError(f"expected 1 to {MAX_PARALLEL_NUMBERS} numbers to ring")
    response = VoiceResponse()
    _dial(response, numbers, caller_id, secs, action, whisper_url, answer_on_bridge=True)
    return _document(response)


def whisper(summary: str, accept_url: str, timeout: int, language: str = "") -> str:
    """What a person hears before a caller is put through: the summary, and to press a key.

    ``summary`` is a whole text, the request for a key included. ``accept_url`` gets ``Digits``;
    without a key within ``timeout`` seconds the person is hung up on.
    """
    response = VoiceResponse()
    gather = response.gather(num_digits=1, timeout=timeout, action=_url(accept_url), method="POST")
    _prompt(gather, Say(summary, language))
    response.hangup()
    return _document(response)


# --- without a stream -------------------------------------------------------------------------


def record(
    action: str,
    *,
    prompts: Sequence[Prompt] = (),
    max_secs: int = 60,
    silence_secs: int = 3,
    finish_keys: str = "",
    beep: bool = False,
    fallback_url: str = "",
    status_callback: str = "",
) -> str:
    """Plays the prompts and records what the caller says then; ``action`` gets its address.

    It ends after ``max_secs``, after ``silence_secs`` of silence, or with one of ``finish_keys``.
    If nothing was said Twilio skips ``action`` and goes on to ``fallback_url``, or hangs up.
    """
    if not _KEYS.fullmatch(finish_keys):
        raise ValueError("expected keys out of 0123456789*#")
    response = VoiceResponse()
    for each in prompts:
        _prompt(response, each)
    extra = {"recording_status_callback": _url(status_callback)} if status_callback else {}
    response.record(
        action=_url(action),
        method="POST",
        max_length=max_secs,
        timeout=silence_secs,
        finish_on_key=finish_keys,
        play_beep=beep,
        **extra,
    )
    _then(response, fallback_url)
    return _document(response)


def speak(prompts: Sequence[Prompt], then: str = "") -> str:
    """Plays the prompts, then goes on at the URL ``then``, or hangs up."""
    response = VoiceResponse()
    for each in prompts:
        _prompt(response, each)
    _then(response, then)
    return _document(response)


def play(url: str, then: str = "") -> str:
    """Plays a sound, then goes on at the URL ``then``, or hangs up."""
    return speak([Play(url)], then)


def say(text: str, then: str = "", language: str = "") -> str:
    """Says a text in Twilio's own voice, then goes on at the URL ``then``, or hangs up."""
    return speak([Say(text, language)], then)


def refuse(sentence: str) -> str:
    """Says ``sentence`` in Twilio's own voice and hangs up."""
    return say(sentence[:1000])


def pause(secs: int, then: str) -> str:
    """Is silent for ``secs``, then goes on at the URL ``then``: to ask again later."""
    response = VoiceResponse()
    response.pause(length=secs)
    _then(response, then)
    return _document(response)


def redirect(url: str) -> str:
    """Goes on at ``url``."""
    response = VoiceResponse()
    _then(response, url)
    return _document(response)


def hang_up() -> str:
    """Ends the call."""
    response = VoiceResponse()
    response.hangup()
    return _document(response)


def reject(reason: Literal["rejected", "busy"] = "rejected") -> str:
    """Refuses a call that was not answered yet; it costs nothing."""
    response = VoiceResponse()
    response.reject(reason=reason)
    return _document(response)


def nothing() -> str:
    """An empty document: answers a callback that steers nothing."""
    return _document(VoiceResponse())


# --- how documents travel ---------------------------------------------------------------------


def by_rest(document: str) -> str:
    """The document, if it can go out by REST. Raises ValueError if it is too long for that, or
    holds a relative URL: there is no webhook that it could be relative to."""
    if len(document) > MAX_REST_CHARS:
        raise ValueError(
            f"expected a document of at most {MAX_REST_CHARS} characters, not {len(document)}"
        )
    for element in ElementTree.fromstring(document).iter():
        urls = [element.get("action"), element.get("url"), element.get("statusCallback")]
        urls += [element.get("recordingStatusCallback")]
        if element.tag in ("Redirect", "Play"):
            urls.append(element.text)
        for url in urls:
            if url and not urlsplit(url).scheme:
                raise ValueError(f"expected absolute URLs: <{element.tag}> has {url!r}")
    return document


def printable(text: str, limit: int) -> str:
    """The first ``limit`` printable characters of ``text``: XML cannot carry the others."""
    return "".join(filter(str.isprintable, text))[:limit]


# --- parts ------------------------------------------------------------------------------------


def _dial(
    response: Any,
    numbers: Sequence[str],
    caller_id: str,
    ring_secs: int,
    action: str,
    whisper_url: str,
    status_callback: str = "",
    answer_on_bridge: bool = False,
) -> None:
    attributes: dict[str, object] = {"timeout": min(max(ring_secs, 5), 600), "method": "POST"}
    if _NUMBER.fullmatch(caller_id):  # not "anonymous", which ends as `failed` (13214)
        attributes["caller_id"] = caller_id
    if answer_on_bridge:
        attributes["answer_on_bridge"] = True
    verb = response.dial(action=_url(action), **attributes)
    noun: dict[str, object] = {}
    if whisper_url:
        noun |= {"url": _url(whisper_url), "method": "POST"}
    if status_callback:
        noun |= {
            "status_callback": _absolute(status_callback),
            "status_callback_event": "initiated ringing answered completed",
        }
    for number in numbers:
        if not _NUMBER.fullmatch(number):
            raise ValueError("expected numbers with their country, like +15551234567")
        verb.number(number, **noun)


def _prompt(parent: Any, prompt: Prompt) -> None:
    match prompt:
        case Say(text, language):
            words = printable(_SPACE.sub(" ", text).strip(), MAX_SAY_CHARS)
            if words:
                parent.say(words, **({"language": language} if language else {}))
        case Play(url):
            parent.play(_url(url))


def _then(response: Any, url: str) -> None:
    if url:
        response.redirect(_url(url), method="POST")
    else:
        response.hangup()


def _url(url: str) -> str:
    """A URL that Twilio requests. Raises ValueError."""
    parts = urlsplit(url)
    relative = not parts.scheme and not parts.netloc and url.startswith("/")
    if not relative and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("expected https://host/path, or /path for the host that answers")
    if "_" in (parts.hostname or ""):
        raise ValueError("expected a host without an underscore: Twilio refuses it")
    return url


def _absolute(url: str) -> str:
    if not urlsplit(url).scheme:
        raise ValueError("expected an absolute URL: https://host/path")
    return _url(url)


def _document(response: Any) -> str:
    document = str(response)
    if len(document.encode()) > MAX_DOCUMENT_BYTES:
        raise ValueError(f"expected TwiML of at most {MAX_DOCUMENT_BYTES} bytes")
    return document
