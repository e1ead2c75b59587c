"""What can be tried of the vendors when the server starts, and what to tell people if it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from services.engines.shared import Shared
from services.vendors import VendorError

_KEY_REFUSED = {"401", "403", "invalid_api_key", "missing_permissions", "INVALID_AUTH", "bad key"}
_NO_CREDIT = {"402", "quota_exceeded", "insufficient_quota", "ASR_PAYMENT_REQUIRED"}
_UNKNOWN = {"404", "model_not_found", "voice_not_found"}
_UNREACHABLE = {"refused", "connect timeout", "unreachable", "cut", "reset", "gaierror"}


@dataclass(frozen=True, slots=True)
class Check:
    """Something to be tried. ``run`` raises VendorError; the rest is what people know it by."""

    run: Callable[[], Awaitable[None]]
    place: str
    """Who and where: ``OpenAI (https://api.openai.com)``."""
    key: str
    """The name of the setting that holds the key."""
    asked_for: str
    """The settings of what may be unknown there: ``OPENAI_MODEL=gpt-5.4-mini``."""


def openai_check(
    shared: Shared,
    key: str,
    url: str,
    model: str,
    setting: str,
    key_setting: str = "OPENAI_API_KEY",
) -> Check:
    """Whether a place takes the key and knows the model. ``setting``: what names the model."""
    return Check(
        lambda: shared.clients.check(key, url, model),
        f"OpenAI ({url})",
        key_setting,
        f"{setting}={model}",
    )


async def troubles(checks: Iterable[Check], within_s: float) -> list[str]:
    """Try all of them at once. What is wrong, in plain words, each thing once."""
    found = await asyncio.gather(*(_trouble(check, within_s) for check in checks))
    return [trouble for trouble in dict.fromkeys(found) if trouble]


async def _trouble(check: Check, within_s: float) -> str:
    try:
        async with asyncio.timeout(within_s):
            await check.run()
    except TimeoutError:
        return f"{check.place} does not answer"
    except VendorError as error:
        return _in_words(check, error.code)
    return ""


def _in_words(check: Check, code: str) -> str:
    if code in _KEY_REFUSED:
        return f"{check.key} was refused ({code})"
    if code in _NO_CREDIT:
        return f"the account of {check.key} has no credit left ({code})"
    if code in _UNKNOWN:
        return f"{check.asked_for} is not known ({code})"
    if code in _UNREACHABLE:
        return f"{check.place} cannot be reached ({code})"
    return f"{check.place} failed ({code}), asked for {check.asked_for}"
