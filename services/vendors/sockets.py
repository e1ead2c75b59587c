"""Opening a vendor's WebSocket, and sending on it, with the plain ``websockets`` client.

No redirect is followed: the library would send the vendor's own key header to whatever host it is
sent to (it drops ``Authorization`` only). No pings: dead lines are noticed by answers that stay
away, long before a ping would tell.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
)
from websockets.http11 import Response
from websockets.protocol import State

from services.vendors import VendorError

CONNECT_S = 1.5
_MAX_MESSAGE = 16 * 2**20  # bytes: the audio of a long message exceeds the library's 1 MiB


async def open_socket(
    vendor: str,
    url: str,
    headers: Mapping[str, str],
    refusal: Callable[[Response], VendorError],
    *,
    tls: ssl.SSLContext | None = None,
    close_s: float = 1.0,
    ping_s: float | None = None,
) -> ClientConnection:
    """A socket to ``ws(s)://...``. Raises VendorError.

    ``refusal``: what an HTTP answer other than an upgrade means. ``tls``: one for the whole
    process, as loading the root certificates takes tens of milliseconds; None: the library makes
    one for this socket. ``ping_s``: how often to ask whether the line is alive; None: never.
    """

    def failed(code: str, *, at_once: bool = False) -> VendorError:
        return VendorError(vendor, "connect", code, at_once=at_once)

    try:
        async with asyncio.timeout(CONNECT_S):
            return await _Connect(
                url,
                additional_headers=headers,
                compression=None,  # mu-law, or base64 of it: nothing to be gained but work
                ssl=(tls or True) if url.startswith("wss:") else None,
                proxy=None if _is_loopback(url) else True,
                open_timeout=None,
                ping_interval=ping_s,
                close_timeout=close_s,
                max_size=_MAX_MESSAGE,
            )
    except TimeoutError:
        raise failed("connect timeout", at_once=True) from None
    except InvalidStatus as error:
        raise refusal(error.response) from None
    except ConnectionRefusedError:
        raise failed("refused", at_once=True) from None
    except (InvalidURI, ValueError):  # a name that is none: "a..b", a label of 64 letters
        raise failed("bad url", at_once=True) from None
    except (OSError, EOFError, InvalidHandshake) as error:
        raise failed(_kind(error)) from None


async def part(socket: ClientConnection, goodbye: str, within_s: float) -> None:
    """Say ``goodbye`` and let the vendor close within this time; else close ourselves."""
    # Not asyncio.timeout: in early 3.11 it cancels a task that was cancelled before.
    with suppress(TimeoutError, ConnectionClosed):
        await asyncio.wait_for(_take_leave(socket, goodbye), within_s)
    await socket.close()


async def _take_leave(socket: ClientConnection, goodbye: str) -> None:
    await socket.send(goodbye)
    while (
        True
    ):  # the last words, which nobody waits for, would keep the close frame from being seen
        await socket.recv(decode=False)


async def send(socket: ClientConnection, message: str | bytes) -> None:
    """``socket.send(message)``, by a short way while nothing is in it."""
    if not send_now(socket, message):
        await socket.send(message)


def send_now(socket: ClientConnection, message: str | bytes) -> bool:
    """Send a message without waiting; False if that cannot be done, and nothing was sent.

    The library makes contexts for each message, that close the line in an orderly manner if it
    fails and wait until there is room. They do nothing if, as nearly always, the socket is open (no
    close frame has come or gone), no message is being sent in fragments (this one would come
    between them), and the transport takes data: it is not closing, and holds less than its limit.
    Nothing else runs between these questions and the write, and pings and close frames are written
    whole as well. In all other cases the library is asked: it waits for room, and raises
    ConnectionClosed once the line is down. A message may overrun the limit; the next one waits.
    """
    protocol = socket.protocol
    if (
        protocol.state is not State.OPEN
        or socket.send_in_progress is not None
        or socket.paused
        or socket.transport.is_closing()
    ):
        return False
    if isinstance(message, str):
        protocol.send_text(message.encode())
    else:
        protocol.send_binary(message)
    socket.send_data()
    return True


class _Connect(connect):
    """Follows no redirect."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _kind(error: Exception) -> str:
    if isinstance(error, InvalidMessage):  # no HTTP, or nothing at all
        return "reset" if isinstance(error.__cause__, OSError | EOFError) else "malformed"
    if isinstance(error, InvalidHandshake):
        return "malformed"
    return "reset" if isinstance(error, ConnectionError | EOFError) else type(error).__name__
