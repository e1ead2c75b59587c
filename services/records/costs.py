"""What a call has cost, by the price list of the settings. What runs on this machine costs nothing.

Estimates, not an invoice: the vendors round in ways of their own, and prices change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Protocol


class Prices(Protocol):
    """The price list; see the settings of the same names."""

    @property
    def price_currency(self) -> str: ...
    @property
    def price_call_minute(self) -> float: ...
    @property
    def price_stream_minute(self) -> float: ...
    @property
    def price_stt_minute(self) -> float: ...
    @property
    def price_input_million(self) -> float: ...
    @property
    def price_output_million(self) -> float: ...
    @property
    def price_tts_thousand(self) -> float: ...
    @property
    def price_sms(self) -> float: ...


@dataclass(slots=True)
class Use:
    """What a call has used up.

    ``call_s``: on the carrier's line (0 for the talk page, whose line is free); ``stream_s``: of
    that as a media stream. ``heard_s``: given to a remote recogniser. ``spoken_chars``: spoken by a
    remote voice. ``prompt_tokens`` and ``completion_tokens`` are those of language models, those of
    eager replies that nobody heard included. ``texts`` are those sent during the call, to whomever,
    in the carrier's parts: see :func:`segments`.
    """

    call_s: float = 0.0
    stream_s: float = 0.0
    heard_s: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    spoken_chars: int = 0
    texts: int = 0


_PLAIN_SIGNS = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_DOUBLE_SIGNS = frozenset("^{}\\[~]|€\f")


def segments(text: str) -> int:
    """How many text messages a text is billed as: 160 signs of GSM's alphabet are one, or 70 of any
    other; a longer text is sent in parts of 153 or 67."""
    if all(sign in _PLAIN_SIGNS or sign in _DOUBLE_SIGNS for sign in text):
        size, whole, part = sum(1 + (sign in _DOUBLE_SIGNS) for sign in text), 160, 153
    else:
        size, whole, part = len(text.encode("utf-16-le")) // 2, 70, 67
    return 1 if size <= whole else ceil(size / part)


@dataclass(frozen=True, slots=True)
class Cost:
    """``parts``: what was paid for -> how much; parts that cost nothing are left out."""

    currency: str
    parts: Mapping[str, float]

    @property
    def total(self) -> float:
        return round(sum(self.parts.values()), 6)

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"currency": self.currency, "total": self.total, "parts": dict(self.parts)}


def cost(use: Use, prices: Prices) -> Cost:
    """The cost of a call. Carriers bill minutes that have begun, recognisers seconds."""
    parts = {
        "call": ceil(use.call_s / 60) * prices.price_call_minute,
        "stream": ceil(use.stream_s / 60) * prices.price_stream_minute,
        "recognition": use.heard_s / 60 * prices.price_stt_minute,
        "prompt": use.prompt_tokens / 1e6 * prices.price_input_million,
        "answers": use.completion_tokens / 1e6 * prices.price_output_million,
        "voice": use.spoken_chars / 1e3 * prices.price_tts_thousand,
        "texts": use.texts * prices.price_sms,
    }
    rounded = {name: round(amount, 6) for name, amount in parts.items()}
    return Cost(prices.price_currency, {name: part for name, part in rounded.items() if part})
