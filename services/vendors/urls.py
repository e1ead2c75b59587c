"""Base URLs: one setting says where a vendor is, for its REST interface and for its sockets."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def base_url(value: str) -> str:
    """``http(s)://host[:port][/path]`` without a slash at its end.

    Raises ValueError, in words that say what is expected, for anything else.
    """
    value = value.strip().rstrip("/")
    parts = urlsplit(value)
    try:
        port_is_number = parts.port is None or parts.port > 0
    except ValueError:
        port_is_number = False
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_number:
        raise ValueError("must be like https://host or http://host:port")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("must hold no user, password, ? or #")
    return value


def socket_url(base: str) -> str:
    """The same place for a WebSocket: ``ws://`` for ``http://``, ``wss://`` for ``https://``."""
    parts = urlsplit(base)
    return urlunsplit(parts._replace(scheme={"http": "ws", "https": "wss"}[parts.scheme]))
