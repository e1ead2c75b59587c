"""What a connection tells about itself: who is at its other end, and by which name it reached us.

The TCP peer is a fact, headers are claims, and only a trusted proxy's claims are taken for facts.
So uvicorn has to run with ``proxy_headers=False``: its own proxy middleware would replace the peer
and the scheme by what the headers claim.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from fastapi import HTTPException
from starlette.requests import HTTPConnection

from services.carriers.twilio import without_userinfo

TRUSTED_PROXIES = ("127.0.0.1", "::1")
"""Where a tunnel's agent (ngrok, cloudflared) connects from when it runs beside the server."""

Address = IPv4Address | IPv6Address

_HOST = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]{0,252}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?", re.IGNORECASE
)
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_FORWARDED = (
    *("x-forwarded", "forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "via"),
    *("true-client-ip", "x-original-", "x-envoy-", "x-amzn-", "x-azure-", "x-arr-", "x-proxy"),
    *("cf-", "cdn-loop", "fly-", "fastly-", "ngrok-", "tailscale-"),
)
"""Header names that begin like this were written by a proxy or a tunnel."""


class Refused(HTTPException):
    """A request that is not let in: a short code for programs, a sentence for people."""

    def __init__(
        self, status: int, code: str, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, message, headers)
        self.code = code


# --- our own names ----------------------------------------------------------------------------


def public_base(
    connection: HTTPConnection, public_url: str, trusted_proxies: tuple[str, ...]
) -> str:
    """Scheme and host under which the outside reaches us, like ``https://host``; no final slash.

    ``public_url`` if it is set; else what a trusted proxy (the TCP peer) says in X-Forwarded-Proto
    and X-Forwarded-Host, the first of a list; else the Host header. Raises Refused (400) if the
    host is none.
    """
    if public_url:
        return public_url.rstrip("/")
    scheme = _SCHEMES.get(connection.scope.get("scheme", ""), "http")
    host = connection.headers.get("host", "")
    if from_trusted_proxy(connection, trusted_proxies):
        scheme = _SCHEMES.get(_first(connection, "x-forwarded-proto").lower(), scheme)
        host = _first(connection, "x-forwarded-host") or host
    if not _HOST.fullmatch(host):
        raise Refused(400, "bad_host", "Expected a host name in the Host header.")
    return f"{scheme}://{host}"


def requested_url(connection: HTTPConnection, base: str) -> str:
    """The URL that was asked for at ``base``, as signed: nothing in it is decoded."""
    path: bytes = connection.scope.get("raw_path") or connection.scope["path"].encode()
    query: bytes = connection.scope.get("query_string", b"")
    return base + (path + b"?" + query if query else path).decode("latin-1")


def as_websocket(url: str) -> str:
    """``http://...`` as ``ws://...``, ``https://...`` as ``wss://...``."""
    return "ws" + url.removeprefix("http")


# --- who is asking ----------------------------------------------------------------------------


def is_local(connection: HTTPConnection) -> bool:
    """Whether the request was made on this machine, for this machine, by nobody else's page.

    The TCP peer is this machine and no proxy or tunnel left a header; the Host names this machine
    (a foreign name that resolves to it would be DNS rebinding); the Origin, if there is one, is
    the Host (any other would be a cross-site request).
    """
    peer = peer_address(connection)
    host = connection.headers.get("host", "")
    return (
        peer is not None
        and peer.is_loopback
        and not any(name.startswith(_FORWARDED) for name in connection.headers)
        and _names_this_machine(host)
        and ("origin" not in connection.headers or _origin_is(connection, host))
    )


def is_own_page(
    connection: HTTPConnection, public_url: str, trusted_proxies: tuple[str, ...]
) -> bool:
    """Whether a page that we served made the request, under whichever of our names.

    False without an Origin header. Raises Refused like :func:`public_base`.
    """
    base = public_base(connection, public_url, trusted_proxies)
    public_host = without_userinfo(base).partition("://")[2].partition("/")[0]
    return _origin_is(connection, public_host, connection.headers.get("host", ""))


def sender(connection: HTTPConnection, trusted_proxies: tuple[str, ...]) -> str:
    """Whom to count something against: an IPv4 address, or the /64 network of an IPv6 address."""
    address = peer_address(connection)
    if from_trusted_proxy(connection, trusted_proxies):
        # The last entry is the proxy's own; those before it are what the sender claims.
        hops = ",".join(connection.headers.getlist("x-forwarded-for"))
        address = _address(hops.rpartition(",")[2].strip()) or address
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)


def peer_address(connection: HTTPConnection) -> Address | None:
    """The address at the other end of the TCP connection; None for a Unix socket."""
    return _address(connection.client.host) if connection.client else None


def from_trusted_proxy(connection: HTTPConnection, trusted_proxies: tuple[str, ...]) -> bool:
    """Whether the TCP peer is one of ``trusted_proxies``."""
    peer = peer_address(connection)
    return peer is not None and any(peer in network for network in networks(trusted_proxies))


@lru_cache(maxsize=8)
def networks(entries: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks in CIDR notation. Raises ValueError for anything else."""
    return tuple(ip_network(entry, strict=False) for entry in entries)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers as ::ffff:a.b.c.d.
    return getattr(address, "ipv4_mapped", None) or address


def _first(connection: HTTPConnection, header: str) -> str:
    return connection.headers.get(header, "").partition(",")[0].strip()


def _names_this_machine(host: str) -> bool:
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = match["name"].strip("[]").lower()
    address = _address(name)
    return name == "localhost" or (address is not None and address.is_loopback)


def _origin_is(connection: HTTPConnection, *hosts: str) -> bool:
    """Whether the Origin header is that of a page served by one of ``hosts`` (``name[:port]``)."""
    scheme, _, origin = connection.headers.get("origin", "").partition("://")
    return scheme in {"http", "https"} and _plain(origin) in {_plain(host) for host in hosts}


def _plain(host: str) -> str:
    return host.lower().removesuffix(":80").removesuffix(":443")
