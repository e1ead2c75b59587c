"""Who may use the REST interface: whoever brings one of ``API_KEYS``.

The key comes in the header ``X-API-Key``, or as ``Authorization: Bearer``. Without a key set the
interface is closed. Build a router with :meth:`ApiKeyGuard.router`, so that its routes ask for the
key before they read anything, and say so in the OpenAPI document.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from api.attempts import WrongAttempts
from api.connection import TRUSTED_PROXIES, Refused, networks, sender
from api.errors import GUARDED, errors, guarded_route

_BY_HEADER = APIKeyHeader(
    name="X-API-Key", auto_error=False, scheme_name="ApiKey", description="One of API_KEYS."
)
_BY_BEARER = HTTPBearer(auto_error=False, scheme_name="Bearer", description="One of API_KEYS.")


async def _schemes(
    by_header: Annotated[str | None, Security(_BY_HEADER)],
    by_bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BY_BEARER)],
) -> None:
    """For the OpenAPI document; the guard has looked at the headers already."""


class ApiKeyGuard:
    """Lets in who brings a key. After ten wrong ones within a minute their sender is told to wait
    for the rest of it; a right one opens all the same, or else anybody behind the same address
    could lock its owner out. Keys are too long to be guessed."""

    def __init__(
        self,
        keys: Sequence[str],
        *,
        trusted_proxies: tuple[str, ...] = TRUSTED_PROXIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` gives seconds. Raises ValueError if ``trusted_proxies`` makes no sense."""
        networks(trusted_proxies)
        self._keys = tuple(key.encode() for key in keys)
        self._trusted_proxies = trusted_proxies
        self._wrong = WrongAttempts(clock)

    async def __call__(self, connection: HTTPConnection) -> None:
        """Raise Refused (401, 403 or 429) unless the connection may come in."""
        self._check(connection, _given(connection), self._keys)

    def router(self, *, tags: Sequence[str], prefix: str = "") -> APIRouter:
        """A router behind this guard; all its routes tell how they may refuse."""
        return APIRouter(
            prefix=prefix,
            tags=list(tags),
            route_class=guarded_route(self._of_request),
            dependencies=[Depends(_schemes)],
            responses=errors(*GUARDED),
        )

    async def _of_request(self, request: Request) -> None:
        await self(request)

    # --- calendar feeds ---------------------------------------------------------------------------

    def feed_keys(self, agent: str) -> list[str]:
        """The keys of an agent's calendar feed, one for each API key: 32 hexadecimal digits that
        open nothing else."""
        return [_feed_key(key, agent).decode() for key in self._keys]

    def check_feed(self, connection: HTTPConnection, agent: str, key: str) -> None:
        """Raise Refused unless ``key`` (or a header with an API key) opens the agent's feed."""
        if key:
            feed_keys = tuple(_feed_key(each, agent) for each in self._keys)
            self._check(connection, key.encode(), feed_keys)
        else:
            self._check(connection, _given(connection), self._keys)

    # --- both -------------------------------------------------------------------------------------

    def _check(
        self, connection: HTTPConnection, given: bytes | None, keys: tuple[bytes, ...]
    ) -> None:
        if not keys:
            message = "The REST interface is closed. Set API_KEYS to open it, and bring one of them"
            raise Refused(403, "no_api_keys", f"{message} in the header X-API-Key.")
        if given is not None:
            # All are compared: how long it takes tells nothing about which one was nearly right.
            if any([hmac.compare_digest(given, key) for key in keys]):
                return
            self._count_wrong(sender(connection, self._trusted_proxies))
        message = "Bring one of API_KEYS in the header X-API-Key, or as Authorization: Bearer."
        raise Refused(401, "key_required", message, {"WWW-Authenticate": "Bearer"})

    def _count_wrong(self, who: str) -> None:
        """One more wrong key. Raises Refused if there were too many."""
        wait_s = self._wrong.locked_out_s(who)
        if wait_s > 0:
            message = "Too many wrong keys. Wait a minute and try again."
            raise Refused(429, "too_many_attempts", message, {"Retry-After": str(int(wait_s) + 1)})
        self._wrong.count(who)


def _feed_key(key: bytes, agent: str) -> bytes:
    return (
        hmac.digest(key, f"calendar feed of {agent}".encode(), hashlib.sha256)[:16].hex().encode()
    )


def _given(connection: HTTPConnection) -> bytes | None:
    """The key that a connection brings; None if it brings none."""
    if key := connection.headers.get("x-api-key"):
        return key.encode("latin-1")
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    return key.strip().encode("latin-1") if scheme.lower() == "bearer" and key.strip() else None
