"""Reads what Twilio posts: a form of bounded size, signed with our auth token, about one call."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect

from api.connection import Refused, public_base, requested_url
from api.errors import errors_beside_xml
from api.guard import PublicSide, log_unsigned
from services.carriers.twilio import printable, signed

MAX_BODY_BYTES = 65_536
MAX_FIELDS = 1_000

MAX_PARTY_CHARS = 128
"""As much of From and To as is kept: a number, or a SIP address of decent length."""

ID = r"[A-Za-z0-9_-]{1,64}"
_CALL_ID = re.compile(ID)


def _form(also: Mapping[str, str]) -> dict[str, object]:
    """What is said of a webhook's form in the OpenAPI document: the fields without which it cannot
    be answered. Twilio's own pages tell of the rest."""
    patterns = {"CallSid": ID, **also}
    schema = {
        "type": "object",
        "properties": {
            name: {"type": "string", "pattern": f"^{pattern}$"}
            for name, pattern in patterns.items()
        },
        "required": list(patterns),
    }
    return {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": schema}},
    }


@dataclass(frozen=True, slots=True)
class Posted:
    """What Twilio posted, and the address (``https://host``) under which it reached us."""

    base: str
    fields: Mapping[str, str]

    @property
    def sid(self) -> str:
        """Twilio's id of the call; empty if the form names none that could be one."""
        sid = self.fields.get("CallSid", "")
        return sid if _CALL_ID.fullmatch(sid) else ""

    @property
    def caller(self) -> str:
        return printable(self.fields.get("From", ""), MAX_PARTY_CHARS)

    @property
    def called(self) -> str:
        return printable(self.fields.get("To", ""), MAX_PARTY_CHARS)

    def text(self, name: str, limit: int = 64) -> str:
        """A field, as far as it can be printed."""
        return printable(self.fields.get(name, ""), limit)

    def number(self, name: str) -> int | None:
        """A field that is a number of up to nine digits; None for anything else."""
        value = self.fields.get(name, "")
        return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else None


async def read(request: Request, settings: PublicSide, *, what: str = "webhook") -> Posted:
    """The form of a webhook that names a call. Raises Refused (400, 403, 413)."""
    base = public_base(request, settings.public_url, settings.trusted_proxies)
    form = _fields(await _body(request))
    if settings.twilio_auth_token:
        _check_signature(request, settings.twilio_auth_token, base, form, what)
    posted = Posted(base, dict(form))
    if not posted.sid:
        message = "Expected a form field CallSid of 1 to 64 letters, digits, '-' and '_'."
        raise Refused(400, "bad_call_sid", message)
    return posted


def our_id(call_id: str) -> str:
    """A call's id out of a webhook's path. Raises Refused (404) if it can be none."""
    if not _CALL_ID.fullmatch(call_id):
        raise Refused(404, "no_such_call", "The address names no call of this server.")
    return call_id


class TwimlResponse(Response):
    """Twilio reads anything but XML aloud or gives up on it."""

    media_type = "text/xml"


def twiml(document: str) -> Response:
    """The answer to a webhook."""
    return TwimlResponse(document)


def add_webhook(
    router: APIRouter,
    paths: Sequence[str],
    endpoint: Callable[..., Awaitable[Response]],
    *,
    needs: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """A webhook, with and without a final slash: a redirect to the other spelling would change the
    URL that Twilio has signed. ``needs``: fields of the form that it cannot do without, besides
    CallSid, and the patterns that they match."""
    summary = (endpoint.__doc__ or "").partition("\n")[0].rstrip(".")
    for path in paths:
        for spelling in (path, path + "/"):
            router.add_api_route(
                spelling,
                endpoint,
                methods=["POST"],
                summary=summary,
                include_in_schema=spelling == path,
                response_class=TwimlResponse,
                responses=errors_beside_xml(400, 403, 404, 413),
                openapi_extra={"requestBody": _form(needs)},
            )
            router.add_api_route(spelling, _hint, methods=["GET", "HEAD"], include_in_schema=False)


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
    request: Request, auth_token: str, base: str, form: list[tuple[str, str]], what: str
) -> None:
    url = requested_url(request, base)
    if not signed(auth_token, request.headers.get("x-twilio-signature"), url, form):
        log_unsigned(what, url)
        message = "The X-Twilio-Signature header is missing or wrong; the log says more."
        raise Refused(403, "bad_signature", message)
