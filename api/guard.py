"""Who may come in: the doors of the console and of the media stream.

Talking costs the owner money. So what no webhook announced must come from this machine or bring the
password, and what claims to be Twilio must be signed by it.
"""

from __future__ import annotations

import base64
import hmac
import logging
import time
from collections.abc import Callable
from typing import Protocol

from starlette.requests import HTTPConnection

from api.attempts import WrongAttempts
from api.connection import (
    TRUSTED_PROXIES,
    Refused,
    is_local,
    is_own_page,
    networks,
    public_base,
    requested_url,
    sender,
)
from api.errors import install as install
from services.carriers.twilio import signed, without_userinfo
from services.switchboard.tokens import Tokens

log = logging.getLogger(__name__)

TALK_COOKIE = "talk"
"""The cookie in which the talk page carries its token to the handshake."""


class PublicSide(Protocol):
    """What the doors to the outside need of the settings."""

    @property
    def twilio_auth_token(self) -> str:
        """The secret that signatures are checked with; empty: they are not checked."""

    @property
    def public_url(self) -> str:
        """``https://host`` as the outside calls us; empty: each request tells."""

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """Addresses and networks whose X-Forwarded headers are believed."""


# --- the console ------------------------------------------------------------------------------


class ConsoleGuard:
    """A dependency for every route of the console: lets its owner in, refuses everybody else.

    Without a password the console answers to this machine only. With one, everybody brings it by
    HTTP Basic authentication, under any user name; ten wrong ones within a minute lock their sender
    out for the rest of it.
    """

    def __init__(
        self,
        password: str,
        *,
        public_url: str = "",
        trusted_proxies: tuple[str, ...] = TRUSTED_PROXIES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``clock`` gives seconds. Raises ValueError if ``trusted_proxies`` makes no sense."""
        networks(trusted_proxies)
        self._password = password.encode()
        self._public_url = public_url
        self._trusted_proxies = trusted_proxies
        self._wrong = WrongAttempts(clock)

    async def __call__(self, connection: HTTPConnection) -> None:
        """Raise Refused (400, 401, 403 or 429) unless the connection may come in."""
        if self._password:
            self._check_origin(connection)
            self._check_password(connection)
        elif not is_local(connection):
            message = (
                "This page answers only to a browser on the same machine that opened it under "
                "localhost. Set CONSOLE_PASSWORD to open it to others."
            )
            raise Refused(403, "not_local", message)

    def _check_origin(self, connection: HTTPConnection) -> None:
        """A browser sends the password along with whatever another site's page makes it send."""
        if not _changes_something(connection) or "origin" not in connection.headers:
            return
        if not is_own_page(connection, self._public_url, self._trusted_proxies):
            message = "Another site's page made this request. If it is ours, set PUBLIC_URL."
            raise Refused(403, "cross_site", message)

    def _check_password(self, connection: HTTPConnection) -> None:
        who = sender(connection, self._trusted_proxies)
        wait_s = self._wrong.locked_out_s(who)
        if wait_s > 0:
            message = "Too many wrong passwords. Wait a minute and try again."
            raise Refused(429, "too_many_attempts", message, {"Retry-After": str(int(wait_s) + 1)})
        given = _basic_password(connection.headers.get("authorization", ""))
        if given is not None:
            if hmac.compare_digest(given, self._password):
                return
            self._wrong.count(who)
        headers = {"WWW-Authenticate": 'Basic realm="console", charset="UTF-8"'}
        message = "Log in with any user name and the password that CONSOLE_PASSWORD holds."
        raise Refused(401, "password_required", message, headers)


def _changes_something(connection: HTTPConnection) -> bool:
    """An unsafe method, or a WebSocket, which has none and may do anything."""
    return connection.scope.get("method") not in {"GET", "HEAD", "OPTIONS"}


def _basic_password(header: str) -> bytes | None:
    """The password of an Authorization header (RFC 7617); None if there is none in it."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except ValueError:
        return None
    return password if colon else None


# --- the media stream -------------------------------------------------------------------------


def handshake_allowed(connection: HTTPConnection, settings: PublicSide, tokens: Tokens) -> bool:
    """Whether a handshake for the media stream may be accepted; its token is redeemed later.

    With an auth token set, Twilio must have signed it, or it comes from our talk page: its Origin
    is ours and its cookie holds a token that the page was issued. Without one all may connect.
    """
    if not settings.twilio_auth_token:
        return True
    try:
        base = public_base(connection, settings.public_url, settings.trusted_proxies)
        ours = is_own_page(connection, settings.public_url, settings.trusted_proxies)
    except Refused as refusal:
        log.warning("media stream refused: %s", refusal.detail)
        return False
    if ours and tokens.known(connection.cookies.get(TALK_COOKIE, ""), "talk"):
        return True
    # Twilio speaks wss only; that we may be reached in the clear, behind a proxy or in a test,
    # does not change what it signs.
    url = requested_url(connection, f"wss://{base.partition('://')[2]}")
    if signed(settings.twilio_auth_token, connection.headers.get("x-twilio-signature"), url):
        return True
    log_unsigned("media stream", url)
    return False


def log_unsigned(what: str, url: str) -> None:
    """Tell the owner which URL Twilio should have signed; mostly it is the host that is wrong."""
    log.warning(
        "%s refused: X-Twilio-Signature is missing or not that of %r; if that is not the address "
        "that Twilio calls, set PUBLIC_URL",
        what,
        without_userinfo(url).partition("?")[0][:200],
    )
