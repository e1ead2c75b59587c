"""Twilio's voice webhook: an incoming call is answered with TwiML that opens our media stream.

``POST /voice-stream`` and ``POST /api/twilio/voice`` are the same door under two names.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from api.connection import Refused, as_websocket, public_base, requested_url
from api.guard import PublicSide, log_unsigned
from services.carriers.twilio import answer, printable, refuse, signed
from services.tokens import Tokens

log = logging.getLogger(__name__)

PATHS = ("/voice-stream", "/api/twilio/voice")
STREAM_PATH = "/media-stream"
ALL_LINES_BUSY = "All lines are busy. Please try again in a few minutes."

MAX_BODY_BYTES = 65_536
MAX_FIELDS = 1_000

MAX_PARTY_CHARS = 128
"""As much of From and To as is kept: a number, or a SIP address of decent length."""

_CALL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def build(
    settings: PublicSide, tokens: Tokens, full: Callable[[], bool] = lambda: False
) -> APIRouter:
    """The webhook's routes. They raise Refused; see :func:`api.guard.install`.

    While ``full()``, callers are told that all lines are busy.
    """

    async def voice(request: Request) -> Response:
        """Announce the call and answer with TwiML that connects it to the media stream."""
        base = public_base(request, settings.public_url, settings.trusted_proxies)
        form = _fields(await _body(request))
        if settings.twilio_auth_token:
            _check_signature(request, settings.twilio_auth_token, base, form)
        fields = dict(form)
        call_id = fields.get("CallSid", "")
        if not _CALL_ID.fullmatch(call_id):
            message = "Expected a form field CallSid of 1 to 64 letters, digits, '-' and '_'."
            raise Refused(400, "bad_call_sid", message)
        if full():
            log.warning("call %s: refused, all lines busy", call_id)
            return _twiml(refuse(ALL_LINES_BUSY))
        caller = printable(fields.get("From", ""), MAX_PARTY_CHARS)
        called = printable(fields.get("To", ""), MAX_PARTY_CHARS)
        token = tokens.issue(call_id, caller, called, "twilio")
        parameters = {"token": token, "caller": caller, "called": called}
        return _twiml(answer(as_websocket(base) + STREAM_PATH, parameters))

    router = APIRouter()
    for path in PATHS:
        # A redirect to the other spelling would change the URL that Twilio has signed.
        for spelling in (path, path + "/"):
            in_schema = spelling == path
            router.add_api_route(spelling, voice, methods=["POST"], include_in_schema=in_schema)
            router.add_api_route(spelling, _hint, methods=["GET", "HEAD"], include_in_schema=False)
    return router


def _twiml(document: str) -> Response:
    """Twilio reads anything but XML aloud or gives up on it."""
    return Response(document, media_type="text/xml")


async def _hint() -> Response:
    message = (
        "This is a webhook: enter its address in the Twilio console under 'A call comes in', "
        "with HTTP POST."
    )
    raise Refused(405, "post_only", message, {"Allow": "POST"})


async def _body(request: Request) -> bytes:
    """The raw body: a signature covers its fields as they were sent."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                message = f"Expected a body of at most {MAX_BODY_BYTES} bytes."
                raise Refused(413, "body_too_large", message)
    except ClientDisconnect:
        raise Refused(400, "incomplete_body", "The connection was closed mid-body.") from None
    return bytes(body)


def _fields(body: bytes) -> list[tuple[str, str]]:
    """The form's fields in order. Blank values stay: they are part of what is signed."""
    try:
        text = body.decode("utf-8", "replace")
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        message = f"Expected at most {MAX_FIELDS} form fields."
        raise Refused(400, "bad_form", message) from None


def _check_signature(
    request: Request, auth_token: str, base: str, form: list[tuple[str, str]]
) -> None:
    url = requested_url(request, base)
    if not signed(auth_token, request.headers.get("x-twilio-signature"), url, form):
        log_unsigned("voice webhook", url)
        message = "The X-Twilio-Signature header is missing or wrong; the log says more."
        raise Refused(403, "bad_signature", message)
