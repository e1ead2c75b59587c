"""The query parameters of Deepgram's listen endpoints, checked as strictly as they are documented.

Names and values are those of the SDK 7.17 (``deepgram.types.listen_v1*``, ``listen_v2*``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from multidict import MultiMapping

RAW = {"linear16", "linear32", "alaw", "mulaw", "amr-nb", "amr-wb", "g729"}
_ENCODINGS = RAW | {"flac", "opus", "ogg-opus", "speex"}
_FLUX_ENCODINGS = {"linear16", "linear32", "alaw", "mulaw", "opus", "ogg-opus"}
_NOVA3 = {"nova-3", "nova-3-general", "nova-3-medical"}
_NOVA2 = "general meeting finance conversationalai voicemail video medical drivethru automotive"
_MODELS = (
    _NOVA3
    | {"nova-2"}
    | {f"nova-2-{name}" for name in _NOVA2.split()}
    | {"nova", "nova-general", "nova-phonecall", "nova-medical"}
    | {"enhanced", "enhanced-general", "enhanced-meeting", "enhanced-phonecall"}
    | {"enhanced-finance", "base", "meeting", "phonecall", "finance", "conversationalai"}
    | {"voicemail", "video", "custom"}
)
_FLUX_MODELS = {"flux-general-en", "flux-general-multi"}
_KEYTERM_TOKENS = 500
FLUX_LIMITS = {
    "eot_threshold": (0.5, 1.0),
    "eager_eot_threshold": (0.3, 0.9),
    "eot_timeout_ms": (500, 60_000),
}

Check = Callable[[str], bool]


class BadQuery(ValueError):
    """The service would answer 400; the text says why."""


@dataclass(frozen=True, slots=True)
class ListenQuery:
    """What matters of the parameters of ``/v1/listen``."""

    model: str
    encoding: str | None
    sample_rate: int
    endpointing_ms: int | None
    utterance_end_ms: int | None
    interim_results: bool
    vad_events: bool
    multi: bool
    hints: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def has_keyterms(self) -> bool:
        """Whether the model knows key terms."""
        return self.model in _NOVA3


@dataclass(frozen=True, slots=True)
class FluxQuery:
    """What matters of the parameters of ``/v2/listen``."""

    model: str
    encoding: str | None
    sample_rate: int
    eot_threshold: float
    eager_eot_threshold: float | None
    eot_timeout_ms: int
    keyterms: tuple[str, ...]
    hints: tuple[str, ...]
    numerals: bool
    warnings: tuple[str, ...] = ()


def _number(value: object, low: float, high: float) -> bool:
    """Whether this is a number from ``low`` to ``high``."""
    try:
        return low <= float(value) <= high  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _whole(low: int, high: int) -> Check:
    return lambda value: value.isascii() and value.isdigit() and low <= int(value) <= high


def _one_of(values: set[str]) -> Check:
    return lambda value: value in values


def _any(value: str) -> bool:
    return bool(value)


def _language(value: str) -> bool:
    return value == "multi" or bool(re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", value))


def _address(value: str) -> bool:
    return bool(re.match(r"(https?|wss?)://.", value))


_BOOL = _one_of({"true", "false"})
_REDACT = {"true", "false", "pci", "numbers", "aggressive_numbers", "ssn"}
_BOTH: dict[str, Check] = {
    "model": _one_of(_MODELS),
    "encoding": _one_of(_ENCODINGS),
    "sample_rate": _whole(8000, 48000),
    "channels": _whole(1, 20),
    "language": _language,
    "language_hint": _language,
    "callback": _address,
    "callback_method": _one_of({"POST", "GET", "PUT", "DELETE"}),
    "diarize_model": _one_of({"latest", "v1"}),
    "redact": _one_of(_REDACT),
    **dict.fromkeys(("replace", "search", "keyterm", "keywords", "tag", "extra", "version"), _any),
    **dict.fromkeys(
        (
            *("multichannel", "smart_format", "punctuate", "numerals", "dictation"),
            *("profanity_filter", "diarize", "detect_entities", "mip_opt_out"),
        ),
        _BOOL,
    ),
}
_LIVE: dict[str, Check] = _BOTH | {
    "interim_results": _BOOL,
    "vad_events": _BOOL,
    "endpointing": lambda value: value == "false" or _whole(0, 60_000)(value),
    "utterance_end_ms": _whole(1, 60_000),
}
_FILE: dict[str, Check] = _BOTH | {
    **dict.fromkeys(("sentiment", "topics", "intents", "filler_words", "measurements"), _BOOL),
    **dict.fromkeys(("paragraphs", "utterances"), _BOOL),
    "summarize": _one_of({"true", "false", "v2"}),
    "detect_language": _any,
    "custom_topic": _any,
    "custom_topic_mode": _one_of({"extended", "strict"}),
    "custom_intent": _any,
    "custom_intent_mode": _one_of({"extended", "strict"}),
    "utt_split": lambda value: _number(value, 0, 60),
}
_FLUX: dict[str, Check] = {
    "model": _one_of(_FLUX_MODELS),
    "encoding": _one_of(_FLUX_ENCODINGS),
    "sample_rate": _whole(8000, 48000),
    "eager_eot_threshold": lambda value: _number(value, *FLUX_LIMITS["eager_eot_threshold"]),
    "eot_threshold": lambda value: _number(value, *FLUX_LIMITS["eot_threshold"]),
    "eot_timeout_ms": _whole(500, 60_000),
    "keyterm": _any,
    "language_hint": _language,
    "numerals": _BOOL,
    "profanity_filter": _BOOL,
    "redact": _one_of({"numbers", "aggressive_numbers"}),
    "mip_opt_out": _BOOL,
    "tag": _any,
}
_REPEATED = {
    *("keyterm", "keywords", "language_hint", "redact", "replace", "search", "tag", "extra"),
    *("custom_topic", "custom_intent", "detect_language"),
}


def listen_query(query: MultiMapping[str]) -> ListenQuery:
    """The parameters of the socket. Raises BadQuery."""
    _each(query, _LIVE)
    _nova(query)
    interim = query.get("interim_results") == "true"
    if "utterance_end_ms" in query and not interim:
        raise BadQuery("utterance_end_ms needs interim_results=true")
    pause, end = query.get("endpointing", "10"), query.get("utterance_end_ms")
    warnings = _keyterm_warnings(query)
    if end is not None and int(end) < 1000:
        warnings += ("utterance_end_ms below 1000 gives nothing",)
    return ListenQuery(
        model=query["model"],
        encoding=query.get("encoding"),
        sample_rate=int(query.get("sample_rate", 8000)),
        endpointing_ms=None if pause == "false" else int(pause),
        utterance_end_ms=int(end) if end and int(end) >= 1000 else None,
        interim_results=interim,
        vad_events=query.get("vad_events") == "true",
        multi=query.get("language") == "multi",
        hints=tuple(query.getall("language_hint", [])),
        warnings=warnings,
    )


def file_query(query: MultiMapping[str]) -> ListenQuery:
    """The parameters of a file's request. Raises BadQuery."""
    _each(query, _FILE)
    _nova(query)
    return ListenQuery(
        query["model"],
        query.get("encoding"),
        int(query.get("sample_rate", 8000)),
        *(None, None, False, False),
        multi=query.get("language") == "multi",
        hints=tuple(query.getall("language_hint", [])),
        warnings=_keyterm_warnings(query),
    )


def flux_query(query: MultiMapping[str]) -> FluxQuery:
    """The parameters of a Flux socket. Raises BadQuery."""
    _each(query, _FLUX)
    _raw_audio(query)
    if "language_hint" in query and query["model"] != "flux-general-multi":
        raise BadQuery("language_hint needs model=flux-general-multi")
    eager = query.get("eager_eot_threshold")
    return FluxQuery(
        model=query["model"],
        encoding=query.get("encoding"),
        sample_rate=int(query.get("sample_rate", 8000)),
        eot_threshold=float(query.get("eot_threshold", 0.7)),
        eager_eot_threshold=float(eager) if eager else None,
        eot_timeout_ms=int(query.get("eot_timeout_ms", 5000)),
        keyterms=tuple(query.getall("keyterm", [])),
        hints=tuple(query.getall("language_hint", [])),
        numerals=query.get("numerals") == "true",
        warnings=_keyterm_warnings(query),
    )


def flux_changes(query: FluxQuery, message: Mapping[str, Any]) -> FluxQuery:
    """The parameters after a ``Configure``; what it leaves out stays. Raises BadQuery."""
    known = {"type", "thresholds", "keyterms", "language_hints", "numerals"}
    if unknown := set(message) - known:
        raise BadQuery(f"unknown: {', '.join(sorted(unknown))}")
    changes: dict[str, Any] = {}
    for name, value in (message.get("thresholds") or {}).items():
        if name not in FLUX_LIMITS:
            raise BadQuery(f"unknown threshold {name}")
        if value is not None and not _number(value, *FLUX_LIMITS[name]):
            raise BadQuery(f"{name} cannot be {value!r}")
        changes[name] = value
    if (terms := message.get("keyterms")) is not None:
        changes["keyterms"] = (terms,) if isinstance(terms, str) else tuple(terms)
        if too_many_keyterms(changes["keyterms"]):
            raise BadQuery("more than 500 tokens of key terms")
    if (hints := message.get("language_hints")) is not None:
        if query.model != "flux-general-multi":
            raise BadQuery("language_hints need flux-general-multi")
        changes["hints"] = tuple(hints)
    changes["numerals"] = message.get("numerals")
    return replace(query, **{name: value for name, value in changes.items() if value is not None})


def too_many_keyterms(terms: Sequence[str]) -> bool:
    """Whether they have more than 500 tokens. A token is taken to be four characters."""
    return sum(1 + len(term) // 4 for term in terms) > _KEYTERM_TOKENS


def _each(query: MultiMapping[str], checks: Mapping[str, Check]) -> None:
    for name in dict.fromkeys(query):
        if name not in checks:
            raise BadQuery(f"unknown parameter {name}")
        values = query.getall(name)
        if len(values) > 1 and name not in _REPEATED:
            raise BadQuery(f"{name} is given more than once")
        if bad := [value for value in values if not checks[name](value)]:
            raise BadQuery(f"{name} cannot be {bad[0]!r}")
    if "model" not in query:
        raise BadQuery("model is missing")


def _raw_audio(query: MultiMapping[str]) -> None:
    if query.get("encoding") in RAW and "sample_rate" not in query:
        raise BadQuery("encoding needs sample_rate")


def _nova(query: MultiMapping[str]) -> None:
    """What depends on the model and on other parameters, at /v1/listen."""
    _raw_audio(query)
    nova3 = query["model"] in _NOVA3
    if "keyterm" in query and not nova3:
        raise BadQuery("keyterm needs nova-3")
    if "keywords" in query and nova3:
        raise BadQuery("nova-3 knows no keywords; use keyterm")
    if "language_hint" in query and not (nova3 and query.get("language") == "multi"):
        raise BadQuery("language_hint needs nova-3 and language=multi")
    if too_many_keyterms(query.getall("keyterm", [])):
        raise BadQuery("keyterm: more than 500 tokens")


def _keyterm_warnings(query: MultiMapping[str]) -> tuple[str, ...]:
    """What the service takes without a word and does not do: the client means something else."""
    terms = query.getall("keyterm", [])
    return tuple(
        f"keyterm is taken literally: {term!r}"
        for term in terms
        if re.search(r"[,;\n]|:-?\d", term)
    )
