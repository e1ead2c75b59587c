"""Opening and closing Deepgram's sockets, with the plain ``websockets`` client.

Not with Deepgram's SDK (7.17): it opens its sockets with ``websockets.legacy``, which has no proxy
support and whose time-outs, pings and compression it gives no way to set; a refused upgrade loses
its ``dg-error`` there, and a closed socket its close code, which is all that tells a full account
from a cut line; and each message becomes a pydantic model. What is left of it for a live stream is
a query string and three constant texts.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from contextlib import suppress
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus

from services.stt.deepgram_wire import CLOSE_STREAM
from services.stt.keys import check_key
from services.vendors import VendorError

log = logging.getLogger(__name__)

VENDOR = "deepgram"
CONNECT_S = 1.5
CLOSE_S = 0.3
"""How long the service is given to close after our goodbye, and then to answer our close."""

_CLOSE_CODE = re.compile(r"\b[A-Z]+-\d{4}\b")
_CODE = re.compile(r"[A-Za-z0-9_-]{3,40}")


async def open_socket(url: str, key: str, tls: ssl.SSLContext | None = None) -> ClientConnection:
    """A socket to ``ws(s)://...``. Raises VendorError.

    ``tls``: one for the whole process, as loading the root certificates takes tens of
    milliseconds; None: the library makes one for this socket.

    No pings: dead lines are noticed by answers that stay away, long before a ping would tell.
    """
    check_key(VENDOR, "connect", key)
    try:
        async with asyncio.timeout(CONNECT_S):
            return await connect(
                url,
                additional_headers={"Authorization": f"Token {key}"},
                ssl=(tls or True) if url.startswith("wss:") else None,
                compression=None,
                proxy=None if _is_loopback(url) else True,
                open_timeout=None,
                ping_interval=None,
                close_timeout=CLOSE_S,
            )
    except TimeoutError:
        raise VendorError(VENDOR, "connect", "connect timeout", at_once=True) from None
    except InvalidStatus as error:
        raise _refusal(error.response.status_code, error.response.headers.get("dg-error")) from None
    except ConnectionRefusedError:
        raise VendorError(VENDOR, "connect", "refused", at_once=True) from None
    except (OSError, EOFError, InvalidHandshake) as error:
        raise VendorError(VENDOR, "connect", _kind(error)) from None


def closed(error: ConnectionClosed) -> VendorError:
    """How the service closed a socket that was still wanted."""
    if error.rcvd is None:
        return VendorError(VENDOR, "listen", "1006")  # RFC 6455: without a close frame
    named = _CLOSE_CODE.search(error.rcvd.reason)
    return VendorError(VENDOR, "listen", named[0] if named else str(error.rcvd.code))


async def close_socket(socket: ClientConnection, goodbye: str) -> None:
    """Say ``goodbye`` and let the service close; else close ourselves. At once if cancelled."""
    try:
        with suppress(TimeoutError, ConnectionClosed):
            async with asyncio.timeout(CLOSE_S):
                await socket.send(goodbye)
                while True:
                    await socket.recv(decode=False)  # the last words, which nobody waits for
        await socket.close()
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
    that is refused shows (code ``401``). Raises VendorError. Takes no longer than ``CONNECT_S`` and
    twice ``CLOSE_S``."""
    socket = await open_socket(options.url, options.key, tls)
    await close_socket(socket, CLOSE_STREAM)


def _refusal(status: int, why: str | None) -> VendorError:
    """``why``: the header ``dg-error``. It may be a sentence, and a sentence is no code; and a
    refused key is always ``401``, for the start looks out for it."""
    if why:
        log.warning("%s refused a socket: %d: %.200s", VENDOR, status, why)
    code = why if why and status != 401 and _CODE.fullmatch(why) else str(status)
    return VendorError(VENDOR, "connect", code, at_once=status in {401, 402, 403})


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _kind(error: Exception) -> str:
    if isinstance(error, InvalidMessage):  # no HTTP, or nothing at all
        return "reset" if isinstance(error.__cause__, OSError | EOFError) else "malformed"
    return "reset" if isinstance(error, ConnectionError | EOFError) else type(error).__name__
