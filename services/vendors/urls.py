"""Base URLs: one setting says where a vendor is, for its REST interface and for its sockets."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def base_url(value: str) -> str:
    """``http(s)://host[:port][/path]`` without a slash at its end.

    Raises ValueError, in words that say what is expected, for anything else.
    """
    value = value.strip().rstrip("/")
    try:
        parts = urlsplit(value)
        is_place = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_place = False
    if not is_place or parts.scheme not in {"http", "https"} or len(value.split()) > 1:
        raise ValueError("must be like https://host or http://host:port")
    if {"?", "#"} & set(value) or "@" in parts.netloc:
        raise ValueError("must hold no user, password, ? or #")
    return value


def socket_url(base: str) -> str:
    """The same place for a WebSocket: ``ws://`` for ``http://``, ``wss://`` for ``https://``."""
    parts = urlsplit(base)
    return urlunsplit(parts._replace(scheme={"http": "ws", "https": "wss"}[parts.scheme]))
