"""What the OpenAI SDK and its transport raise, as VendorError. Pure.

The transport is the SDK's own on aiohttp. It tells a lost connection as a connect timeout; what
aiohttp itself said is one ``__cause__`` further down; and what is no HTTP at all it does not
translate: that is aiohttp's own ``ClientResponseError`` [openai 3.52, ``_vendor.httpx_aiohttp``].
"""

from __future__ import annotations

import aiohttp
import httpx2
import openai

from services.vendors import VendorError

VENDOR = "openai"
_HOST = "api.openai.com"
_REFUSED_FOR_GOOD = {401, 403, 404}
FILTERED = frozenset({"content_filter", "content_policy_violation"})
"""Codes of what is said of one call's words [Azure answers with a 400, OpenAI ends the stream]."""


def is_openai_host(host: str | None) -> bool:
    """Whether it is OpenAI itself (also ``eu.api.openai.com``), and not a server like it."""
    return host is not None and (host == _HOST or host.endswith(f".{_HOST}"))


def vendor_error(
    step: str, error: openai.APIError | httpx2.HTTPError | aiohttp.ClientError, too_late: str
) -> VendorError:
    """The error to raise ``from None``. ``too_late``: the code if an answer took too long."""
    if isinstance(error, openai.APIStatusError):
        code = error.code or str(error.status_code)
        for_good = error.status_code in _REFUSED_FOR_GOOD or code == "insufficient_quota"
        return VendorError(VENDOR, step, code, at_once=for_good, only_here=code in FILTERED)
    code = _transport_code(error, too_late)
    return VendorError(VENDOR, step, code, at_once=code in {"refused", "connect timeout", too_late})


def _transport_code(error: Exception, too_late: str) -> str:
    """A connection that was not made, was lost, or kept us waiting."""
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    deeper = cause.__cause__ if cause is not None else None
    if isinstance(deeper, aiohttp.ClientConnectorError):
        return "refused"
    if isinstance(deeper, aiohttp.ConnectionTimeoutError):
        return "connect timeout"
    if isinstance(deeper, aiohttp.ServerTimeoutError):
        return too_late
    if isinstance(deeper, aiohttp.ClientConnectionError):
        return "connection lost"
    if isinstance(cause, httpx2.ConnectTimeout):
        return "connect timeout"
    if isinstance(cause, httpx2.ConnectError):
        return "refused"
    if isinstance(cause, httpx2.PoolTimeout):
        return "no free connection"
    if isinstance(cause, httpx2.TimeoutException) or isinstance(error, openai.APITimeoutError):
        return too_late
    if isinstance(cause, httpx2.NetworkError | httpx2.RemoteProtocolError):
        return "connection lost"
    return "malformed"
