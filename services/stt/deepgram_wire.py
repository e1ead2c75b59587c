"""The messages of Deepgram's two live interfaces, parsed; and their queries. Pure.

v1 (``/v1/listen``): ``Results`` with stretches of text, interim or final. Times are seconds of the
audio sent on this socket. Source: deepgram-sdk 7.17, ``listen.v1.types``.

Flux (``/v2/listen``): ``TurnInfo`` with the whole turn so far and what became of the turn. Source:
deepgram-sdk 7.17, ``listen.v2.types``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlencode

import orjson

from services.audio.mulaw import RATE_HZ

FINALIZE = '{"type":"Finalize"}'
KEEP_ALIVE = '{"type":"KeepAlive"}'
CLOSE_STREAM = '{"type":"CloseStream"}'
FORCE_END_TURN = '{"type":"ForceEndTurn"}'

MAX_KEYTERM_TOKENS = 500
"""Deepgram refuses more (for all key terms together)."""

QueryValue = str | int | float | bool | Sequence[str]


class Malformed(ValueError):
    """A message that is not what the protocol says."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word. ``begin`` and ``end``: bytes of the audio sent on this socket."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Results:
    """The text of the audio from ``begin`` to ``end`` (bytes of what was sent on this socket).

    ``is_final``: it will not change. ``at_pause``: it reaches up to a pause, which Deepgram found
    itself or which ``Finalize`` told it.
    """

    begin: int
    end: int
    text: str
    is_final: bool
    at_pause: bool
    raw_words: Sequence[Mapping[str, Any]]

    def words(self) -> list[Word]:
        """The text word by word; as one long word if nothing finer is known."""
        try:
            return [
                Word(
                    _bytes(word["start"]),
                    _bytes(word["end"]),
                    str(word.get("punctuated_word") or word["word"]),
                )
                for word in self.raw_words
            ]
        except (AttributeError, KeyError, TypeError, ValueError):
            return [Word(self.begin, self.end, self.text)]


class TurnEvent(Enum):
    """What Flux says of a turn."""

    START = "StartOfTurn"
    UPDATE = "Update"
    EAGER_END = "EagerEndOfTurn"
    RESUMED = "TurnResumed"
    END = "EndOfTurn"


@dataclass(frozen=True, slots=True)
class TurnInfo:
    """A turn of the caller, as far as it is known: ``text`` holds what was said from ``begin`` to
    ``end`` (bytes of the audio sent on this socket)."""

    event: TurnEvent
    begin: int
    end: int
    text: str
    raw_words: Sequence[Mapping[str, Any]]

    def text_after(self, place: int) -> str:
        """What was said after this place; all or nothing if the words have no times."""
        if place <= self.begin:
            return self.text
        try:
            said = [
                str(word["word"])
                for word in self.raw_words
                if _bytes(word["start"]) + _bytes(word["end"]) > 2 * place
            ]
        except (AttributeError, KeyError, TypeError, ValueError):
            return self.text if place < (self.begin + self.end) // 2 else ""
        return " ".join(said)


@dataclass(frozen=True, slots=True)
class Problem:
    """The service complains. ``fatal``: this socket will give no more words."""

    code: str
    fatal: bool


@dataclass(frozen=True, slots=True)
class Other:
    """A message that changes nothing for us: ``Metadata``, ``Connected``, or one not known yet."""

    kind: str


def parse(message: bytes | str) -> Results | Problem | Other:
    """A message of ``/v1/listen``. Raises Malformed."""
    body = _load(message)
    kind = body.get("type")
    if kind == "Results":
        return _results(body)
    if kind == "Error":
        return Problem(str(body.get("variant") or body.get("code") or "Error"), fatal=False)
    return Other(str(kind))


def parse_flux(message: bytes | str) -> TurnInfo | Problem | Other:
    """A message of ``/v2/listen``. Raises Malformed."""
    body = _load(message)
    kind = body.get("type")
    if kind == "TurnInfo":
        return _turn_info(body)
    if kind == "Error":
        return Problem(str(body.get("code") or "Error"), fatal=True)
    if kind in {"Warning", "ConfigureFailure"}:
        return Problem(str(body.get("code") or kind), fatal=False)
    return Other(str(kind))


def query(values: Mapping[str, QueryValue | None]) -> str:
    """As Deepgram wants it: ``true`` and ``false``, lists as repeated names, nothing for None."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if value is None:
            continue
        several = [value] if isinstance(value, str | int | float) else value
        for item in several:
            text = str(item).lower() if isinstance(item, bool) else str(item)
            pairs.append((name, text))
    return urlencode(pairs)


def limited(keyterms: Sequence[str]) -> tuple[str, ...]:
    """As many of the key terms as Deepgram takes for certain, each once.

    Its tokens are its own secret; a token of English has about three letters or more.
    """
    kept: list[str] = []
    left = MAX_KEYTERM_TOKENS
    for term in dict.fromkeys(" ".join(term.split()) for term in keyterms):
        left -= sum(1 + len(word) // 3 for word in term.split())
        if left < 0:
            break
        if term:
            kept.append(term)
    return tuple(kept)


def _load(message: bytes | str) -> dict[str, Any]:
    try:
        body = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise Malformed("not JSON") from None
    if not isinstance(body, dict):
        raise Malformed("not an object")
    return body


def _results(body: dict[str, Any]) -> Results:
    try:
        best = body["channel"]["alternatives"][0]
        begin = _bytes(body["start"])
        return Results(
            begin,
            begin + _bytes(body["duration"]),
            best["transcript"].strip(),
            bool(body["is_final"]),
            bool(body.get("speech_final") or body.get("from_finalize")),
            best.get("words") or (),
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise Malformed("Results") from None


def _turn_info(body: dict[str, Any]) -> TurnInfo | Other:
    try:
        event = TurnEvent(body["event"])
    except KeyError:
        raise Malformed("TurnInfo") from None
    except ValueError:
        return Other(f"TurnInfo {str(body['event'])[:40]}")
    try:
        return TurnInfo(
            event,
            _bytes(body["audio_window_start"]),
            _bytes(body["audio_window_end"]),
            body["transcript"].strip(),
            body.get("words") or (),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Malformed("TurnInfo") from None


def _bytes(seconds: Any) -> int:
    return round(float(seconds) * RATE_HZ)
