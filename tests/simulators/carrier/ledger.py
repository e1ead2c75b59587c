"""What went to and fro, in order, for exact assertions. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(slots=True)
class Request:
    """One HTTP request, by the carrier or to it.

    ``kind``: ``voice``, ``action``, ``redirect``, ``whisper``, ``fallback``, ``status``,
    ``stream-status``, ``recording-status``, ``amd``, ``play``; of those to the carrier ``rest``.
    ``form``: its fields; a repeated one's values are joined by blanks. ``status``: of HTTP, 0 as
    long as there is no answer. ``code``: Twilio's error code, of a refused REST request.
    """

    at_s: float
    kind: str
    method: str
    path: str
    form: dict[str, str]
    status: int = 0
    code: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text message that was sent."""

    to: str
    from_: str
    body: str
    sid: str


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the log: when, on which call, and what."""

    at_s: float
    call_sid: str
    text: str


def joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A form's fields; a repeated one's values are joined by blanks."""
    fields: dict[str, str] = {}
    for name, value in pairs:
        fields[name] = f"{fields[name]} {value}" if name in fields else value
    return fields


def of(requests: Iterable[Request], *kinds: str) -> Iterator[Request]:
    """The requests of these kinds."""
    return (request for request in requests if request.kind in kinds)
