"""The call's first step: the signed webhook, and the TwiML that answers it. Pure.

Sources: https://www.twilio.com/docs/usage/security (signature), .../docs/voice/twiml (request,
content types), .../docs/voice/twiml/stream (Stream, Parameter), .../docs/api/errors/11750, 12300.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit, urlunsplit
from xml.etree import ElementTree

_CONTENT_TYPES = {"text/xml", "application/xml", "text/html"}
_STREAM_ATTRIBUTES = {"url", "name", "track", "statusCallback", "statusCallbackMethod"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}  # Twilio never calls there: without TLS is fine
_MAX_BODY = 64 * 1024
_MAX_PARAMETER = 500


def signature(auth_token: str, url: str, form: Mapping[str, str] | None = None) -> str:
    """``X-Twilio-Signature``: base64 of HMAC-SHA1 over the URL and the sorted form fields."""
    text = url + "".join(name + value for name, value in sorted((form or {}).items()))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def signed_url(url: str) -> str:
    """The URL as Twilio signs it: no user, no fragment, and over HTTPS no port."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port is not None and parts.scheme != "https":
        host = f"{host}:{parts.port}"
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def form(account_sid: str, call_sid: str, caller: str, called: str) -> dict[str, str]:
    """What Twilio posts when a call comes in."""
    return {
        "AccountSid": account_sid,
        "ApiVersion": "2010-04-01",
        "CallSid": call_sid,
        "CallStatus": "ringing",
        "CallToken": "",
        "Called": called,
        "CalledCountry": "US",
        "Caller": caller,
        "CallerCountry": "US",
        "Direction": "inbound",
        "From": caller,
        "FromCountry": "US",
        "To": called,
        "ToCountry": "US",
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP answer of the webhook."""

    status: int
    content_type: str
    body: bytes


@dataclass(slots=True)
class Twiml:
    """A ``<Connect><Stream>`` document as Twilio understands it, and what is wrong with it.

    ``stream_url`` is empty if there is nothing to connect to.
    """

    stream_url: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    then: tuple[str, ...] = ()
    errors: list[str] = field(default_factory=list)


def read_twiml(answer: Answer, webhook_url: str) -> Twiml:
    """Read the webhook's answer. A relative Stream url is taken relative to ``webhook_url``."""
    twiml = Twiml()
    if not 200 <= answer.status < 300:
        twiml.errors.append(f"11200: the webhook answered HTTP {answer.status}")
        return twiml
    media_type = answer.content_type.partition(";")[0].strip().lower()
    if media_type not in _CONTENT_TYPES:
        twiml.errors.append(f"12300: TwiML with the content type {answer.content_type!r}")
    if len(answer.body) > _MAX_BODY:
        twiml.errors.append(f"11750: TwiML of {len(answer.body)} bytes; the limit is 64 kB")
    try:
        root = ElementTree.fromstring(answer.body)
    except ElementTree.ParseError as error:
        twiml.errors.append(f"12100: not XML: {error}")
        return twiml
    if root.tag != "Response":
        twiml.errors.append(f"12100: the root element is <{root.tag}>, not <Response>")
        return twiml
    verbs = [child.tag for child in root]
    if verbs.count("Connect") != 1:
        twiml.errors.append(f"no <Connect>, or several, among the verbs {verbs}")
        return twiml
    twiml.then = tuple(verbs[verbs.index("Connect") + 1 :])
    _read_connect(root[verbs.index("Connect")], webhook_url, twiml)
    return twiml


def _read_connect(connect: ElementTree.Element, webhook_url: str, twiml: Twiml) -> None:
    nouns = [child.tag for child in connect]
    if nouns != ["Stream"]:
        twiml.errors.append(f"<Connect> must hold one <Stream>, not {nouns}")
        return
    stream = connect[0]
    for name in sorted(stream.attrib.keys() - _STREAM_ATTRIBUTES):
        twiml.errors.append(f"<Stream> has an unknown attribute {name!r}")
    if stream.get("track", "inbound_track") != "inbound_track":
        twiml.errors.append("a bidirectional <Stream> can only have the inbound track")
    callback = stream.get("statusCallback")
    if callback is not None and urlsplit(callback).scheme not in ("http", "https"):
        twiml.errors.append("statusCallback must be an absolute URL")
    for parameter in stream:
        _read_parameter(parameter, twiml)
    twiml.stream_url = _stream_url(stream.get("url", ""), webhook_url, twiml.errors)


def _read_parameter(parameter: ElementTree.Element, twiml: Twiml) -> None:
    name, value = parameter.get("name"), parameter.get("value")
    if parameter.tag != "Parameter" or not name or value is None:
        twiml.errors.append(f"<Stream> may only hold <Parameter name value>, not <{parameter.tag}>")
        return
    if len(name) + len(value) >= _MAX_PARAMETER:
        length = len(name) + len(value)
        twiml.errors.append(f"<Parameter> {name!r} has {length} characters; 500 is too many")
    if name in twiml.parameters:
        twiml.errors.append(f"<Parameter> {name!r} is given twice")
    twiml.parameters[name] = value


def _stream_url(url: str, webhook_url: str, errors: list[str]) -> str:
    if not url:
        errors.append("31923: <Stream> has no url")
        return ""
    if not urlsplit(url).scheme:
        parts = urlsplit(urljoin(webhook_url, url))
        url = urlunsplit(("wss", parts.netloc, parts.path, parts.query, parts.fragment))
    parts = urlsplit(url)
    here = parts.scheme == "ws" and parts.hostname in _LOOPBACK
    if parts.scheme != "wss" and not here:
        errors.append(f"31910: the Stream url must be wss://, not {parts.scheme}://")
    if not parts.hostname:
        errors.append(f"31923: the Stream url has no host: {url!r}")
        return ""
    if parts.query or parts.fragment:
        errors.append("31920: Twilio drops the query string of a Stream url")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
