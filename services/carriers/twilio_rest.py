"""Twilio's REST interface: what we ask of it, as a small asynchronous client over its SDK.

The SDK builds the requests and reads the answers; the way there is our own, over httpx. Of the two
that the SDK brings, one blocks (a slow Twilio would use up the threads that speech needs, and what
is given up goes on), and the other has no time limit, uses what its aiohttp has deprecated, and
logs at INFO. The region, the edge and the keys are not taken out of the environment, as the SDK
would do by itself.

Nothing is ever repeated but the download of a recording: a repeated create rings twice, and is
billed twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import httpx
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import AsyncHttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from services.carriers.twiml import by_rest

REQUEST_S = 10.0
"""How long Twilio may take to answer one request."""

MAX_TEXT_CHARS = 1600
"""The longest text message."""

MAX_RECORDING_BYTES = 16 * 1024 * 1024
"""About 17 minutes of 16-bit sound at 8 kHz."""

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 2.0
_NO_TIME_LEFT = "Twilio did not answer in time; whether it did what was asked is not known"
_OVER = {404, 20404, 21220}
"""What an update of a call that is over is refused with, as HTTP status or as code."""

_REMEDIES = {
    20003: "the account or its token is wrong; set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN",
    20404: "it does not exist, or does not any more",
    20429: "too many requests at a time; try again in a moment",
    21210: "the calling number is not the account's; set TWILIO_NUMBER to one that is",
    21211: "the number called is no valid number",
    21212: "the calling number is no valid number; set TWILIO_NUMBER",
    21214: "the number called cannot be reached",
    21215: "calls to this country are not allowed; allow them in Twilio's console",
    21217: "the number called is no valid number",
    21219: "a trial account calls verified numbers only",
    21220: "the call is not in progress",
    21408: "text messages to this country are not allowed; allow them in Twilio's console",
    21606: "the number cannot send text messages; set TWILIO_NUMBER to one that can",
    21608: "a trial account writes to verified numbers only",
    21610: "the person does not want text messages from this number",
    21614: "the number cannot receive text messages",
    21617: f"a text message has at most {MAX_TEXT_CHARS} characters",
}
"""Twilio's own sentences hold numbers and addresses, and must not get into a log."""

Machine = Literal["", "hang_up", "leave_message"]
"""What to do if a machine answers; empty: do not try to find out."""

T = TypeVar("T")


class TwilioError(Exception):
    """Twilio did not do what was asked. The text holds no personal data.

    ``code``: Twilio's (https://www.twilio.com/docs/api/errors), or 0. ``status``: of HTTP, or 0 if
    there was no answer. ``is_refusal``: it said no, so nothing was done; otherwise nobody knows.
    """

    def __init__(self, code: int, status: int, message: str, is_refusal: bool) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.is_refusal = is_refusal


class _Way(AsyncHttpClient):  # type: ignore[misc]
    """How the SDK's requests get to Twilio."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.is_async = True  # all that the SDK asks of a transport
        self._http = http

    async def request(
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        auth: Any = None,
        timeout: Any = None,  # noqa: ASYNC109 - the SDK's signature; the client has its own
        allow_redirects: bool = False,
    ) -> Response:
        answer = await self._http.request(
            method, url, params=params, data=data, headers=headers, auth=auth
        )
        return Response(answer.status_code, answer.text, answer.headers)


class TwilioRest:
    """One account. Everything raises TwilioError. ``close`` it at the end."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        base_url: str = "https://api.twilio.com",
        timeout_s: float = REQUEST_S,
    ) -> None:
        self._account = account_sid
        self._token = auth_token
        self._base = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(timeout=timeout_s, trust_env=False)
        # An empty ``environment`` would mean that of the process.
        self._client = Client(
            account_sid,
            auth_token,
            http_client=_Way(self._http),
            environment={"TWILIO_ACCOUNT_SID": account_sid},
        )
        self._client.api.base_url = self._base

    async def create_call(
        self,
        to: str,
        from_: str,
        url: str,
        status_callback: str = "",
        timeout_s: int = 60,
        machine: Machine = "",
        amd_callback: str = "",
    ) -> str:
        """Place a call; returns its sid. The URLs are absolute; ``url`` answers the call.

        It rings ``timeout_s`` long. With ``machine`` Twilio finds out, while the call goes on, who
        has answered, and tells ``amd_callback``: for ``leave_message`` at the end of the machine's
        greeting.
        """
        options: dict[str, object] = {}
        if status_callback:
            events = ["initiated", "ringing", "answered", "completed"]
            options |= {"status_callback": status_callback, "status_callback_event": events}
        if machine:
            detection = "DetectMessageEnd" if machine == "leave_message" else "Enable"
            options |= {"machine_detection": detection, "async_amd": "true"}
            options |= {"async_amd_status_callback": amd_callback}
        calls = self._client.calls
        call = await self._ask(
            calls.create_async(to=to, from_=from_, url=url, timeout=timeout_s, **options)
        )
        return str(call.sid)

    async def update_call(self, sid: str, *, twiml: str) -> None:
        """Have a live call go on with another document; a stream on it gets ``stop``.

        Raises ValueError for a document that cannot go out by REST.
        """
        await self._ask(self._client.calls(sid).update_async(twiml=by_rest(twiml)))

    async def hang_up(self, sid: str) -> None:
        """End a call, ringing or answered. It may be over already."""
        try:
            await self._ask(self._client.calls(sid).update_async(status="completed"))
        except TwilioError as error:
            if not _OVER & {error.status, error.code}:
                raise

    async def send_text(self, to: str, from_: str, body: str) -> str:
        """Send a text message; returns its sid."""
        if len(body) > MAX_TEXT_CHARS:
            raise _error(21617, 400)
        messages = self._client.messages
        message = await self._ask(messages.create_async(to=to, from_=from_, body=body))
        return str(message.sid)

    async def fetch_recording(
        self, url: str, within_s: float = 12.0, max_bytes: int = MAX_RECORDING_BYTES
    ) -> bytes:
        """A recording as a WAV file, of which Twilio posted the address.

        Twilio posts it before the file is there: 404 (and whatever may pass) is tried again, with
        growing pauses, until ``within_s`` are over on the loop's clock.
        """
        place = self._recording_place(url)
        pause_s, last = _FIRST_PAUSE_S, TwilioError(0, 0, _NO_TIME_LEFT, False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    try:
                        return await self._download(place, max_bytes)
                    except TwilioError as error:
                        if error.is_refusal and error.status not in (404, 429):
                            raise
                        last = error
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        raise last

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    # --- asking -------------------------------------------------------------------------------

    async def _ask(self, request: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await request
        except TwilioRestException as error:
            raise _error(error.code, error.status) from None  # its text holds what we sent
        except TwilioServiceException as error:
            raise _error(error.code, error.status) from None
        except (TwilioException, httpx.HTTPError, TimeoutError, ValueError, RuntimeError) as error:
            raise _no_answer(error) from None

    # --- recordings ---------------------------------------------------------------------------

    def _recording_place(self, url: str) -> str:
        """Where the file is. The address comes out of a request's body: our keys go to Twilio only.

        Raises TwilioError (0, 0) for any other place.
        """
        try:
            parts, base = urlsplit(url), urlsplit(self._base)
            ours = (parts.scheme, parts.hostname, parts.port)
            is_base = ours == (base.scheme, base.hostname, base.port)
        except ValueError:
            raise _elsewhere() from None
        is_twilio = (
            parts.scheme == "https"
            and parts.port in (None, 443)
            and re.fullmatch(r"api(\.[a-z0-9-]+){0,2}\.twilio\.com", parts.hostname or "")
        )
        if not (is_base or is_twilio) or "@" in parts.netloc:
            raise _elsewhere()
        path = parts.path
        if not re.search(r"\.\w{3,4}$", path):
            path += ".wav"
        return parts._replace(path=path, fragment="").geturl()

    async def _download(self, place: str, max_bytes: int) -> bytes:
        auth = (self._account, self._token)
        try:
            # httpx keeps the keys to itself where it is sent on to another host.
            async with (
                asyncio.timeout(self._timeout_s),
                self._http.stream("GET", place, auth=auth, follow_redirects=True) as response,
            ):
                if response.status_code != 200:
                    raise _error(0, response.status_code)
                return await _bounded(response.aiter_bytes(65_536), max_bytes)
        except (httpx.HTTPError, TimeoutError, ValueError, RuntimeError) as error:
            raise _no_answer(error) from None


async def _bounded(chunks: AsyncIterator[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            message = f"the recording is longer than {max_bytes} bytes; it is not read"
            raise TwilioError(0, 413, message, True)
    return bytes(body)


def _error(code: int | None, status: int) -> TwilioError:
    """What an answer of Twilio's means."""
    code = code or 0
    if code == status:  # the SDK's stand-in for a body without a code
        code = 0
    known = _REMEDIES.get(code) or _REMEDIES.get(
        {401: 20003, 404: 20404, 429: 20429}.get(status, 0)
    )
    what = f"HTTP {status}, code {code}" if code else f"HTTP {status}"
    if not 400 <= status < 500:
        return TwilioError(code, status, f"Twilio failed ({what})", False)
    more = known or f"see https://www.twilio.com/docs/api/errors/{code or status}"
    return TwilioError(code, status, f"Twilio refused ({what}): {more}", True)


def _no_answer(error: BaseException) -> TwilioError:
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
        return TwilioError(0, 0, "Twilio cannot be reached; check TWILIO_BASE_URL", False)
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return TwilioError(0, 0, _NO_TIME_LEFT, False)
    # RuntimeError: it was closed already, when the server stops
    return TwilioError(0, 0, f"no proper answer from Twilio ({type(error).__name__})", False)


def _elsewhere() -> TwilioError:
    message = "a recording's address must be Twilio's (or TWILIO_BASE_URL's): not asked"
    return TwilioError(0, 0, message, True)
