"""Opening and closing Deepgram's sockets, with the plain ``websockets`` client.

Not with Deepgram's SDK (7.17): it opens its sockets with ``websockets.legacy``, which has no proxy
support and whose time-outs, pings and compression it gives no way to set; a refused upgrade loses
its ``dg-error`` there, and a closed socket its close code, which is all that tells a full account
from a cut line; and each message becomes a pydantic model. What is left of it for a live stream is
a query string and three constant texts.
"""

from __future__ import annotations

import logging
import re
import ssl
from typing import Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from services.stt.deepgram_wire import CLOSE_STREAM
from services.vendors import VendorError, sockets
from services.vendors.keys import check_key

log = logging.getLogger(__name__)

VENDOR = "deepgram"
CLOSE_S = 0.3
"""How long the service is given to close after our goodbye, and then to answer our close."""

_CLOSE_CODE = re.compile(r"\b[A-Z]+-\d{4}\b")
_CODE = re.compile(r"[A-Za-z0-9_-]{3,40}")


async def open_socket(url: str, key: str, tls: ssl.SSLContext | None = None) -> ClientConnection:
    """A socket to ``ws(s)://...``. Raises VendorError. ``tls``: see ``services.vendors.sockets``.

    No pings: dead lines are noticed by answers that stay away, long before a ping would tell.
    """
    check_key(VENDOR, "connect", key)
    headers = {"Authorization": f"Token {key}"}
    return await sockets.open_socket(VENDOR, url, headers, _refusal, tls=tls, close_s=CLOSE_S)


def closed(error: ConnectionClosed) -> VendorError:
    """How the service closed a socket that was still wanted."""
    if error.rcvd is None:
        return VendorError(VENDOR, "listen", "1006")  # RFC 6455: without a close frame
    named = _CLOSE_CODE.search(error.rcvd.reason)
    return VendorError(VENDOR, "listen", named[0] if named else str(error.rcvd.code))


async def close_socket(socket: ClientConnection, goodbye: str) -> None:
    """Say ``goodbye`` and let the service close; else close ourselves. At once if cancelled."""
    try:
        await sockets.part(socket, goodbye, CLOSE_S)
    finally:
        socket.transport.abort()


class Asked(Protocol):
    """What a live socket needs: ``DeepgramOptions`` or ``FluxOptions``."""

    @property
    def url(self) -> str: ...

    @property
    def key(self) -> str: ...


async def check(options: Asked, tls: ssl.SSLContext | None = None) -> None:
    """Open a live socket and close it again: the name is looked up then, TLS was spoken, and a key
    that is refused shows (code ``401``). Raises VendorError. Takes no longer than
    ``sockets.CONNECT_S`` and twice ``CLOSE_S``."""
    socket = await open_socket(options.url, options.key, tls)
    await close_socket(socket, CLOSE_STREAM)


def _refusal(response: Response) -> VendorError:
    """The header ``dg-error`` may be a sentence, and a sentence is no code; and a refused key is
    always ``401``, for the start looks out for it."""
    status, why = response.status_code, response.headers.get("dg-error")
    if why:
        log.warning("%s refused a socket: %d: %.200s", VENDOR, status, why)
    code = why if why and status != 401 and _CODE.fullmatch(why) else str(status)
    return VendorError(VENDOR, "connect", code, at_once=status in {401, 402, 403})
