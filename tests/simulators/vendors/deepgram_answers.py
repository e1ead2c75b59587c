"""Deepgram's v1 messages, live and of files: facts 1.4, ``deepgram.listen.v1.types``."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from tests.simulators.vendors.deepgram_ears import Word
from tests.simulators.vendors.deepgram_query import ListenQuery

_MODEL_UUID = "9f2a3c61-6e4d-4a7b-8b35-0d3d3a1c7e58"
_CONFIDENCE = 0.98


def results(
    query: ListenQuery,
    request_id: str,
    words: Sequence[Word],
    start: float,
    end: float,
    *,
    is_final: bool = False,
    speech_final: bool = False,
    from_finalize: bool = False,
) -> dict[str, Any]:
    """``Results`` for the audio from ``start`` to ``end`` (seconds)."""
    return {
        "type": "Results",
        "channel_index": [0, 1],
        "duration": round(end - start, 6),
        "start": round(start, 6),
        "is_final": is_final,
        "speech_final": speech_final,
        "channel": {"alternatives": [alternative(query, words)]},
        "metadata": {
            "request_id": request_id,
            "model_info": _model_info(query.model),
            "model_uuid": _MODEL_UUID,
        },
        "from_finalize": from_finalize,
    }


def alternative(query: ListenQuery, words: Sequence[Word]) -> dict[str, Any]:
    """What was said."""
    said: dict[str, Any] = {
        "transcript": " ".join(word.text for word in words),
        "confidence": _CONFIDENCE if words else 0.0,
        "words": [_word(word) for word in words],
    }
    if query.multi:
        said["languages"] = ["en"] if words else []
        said["languages_hinted"] = list(query.hints)
    return said


def metadata(query: ListenQuery, request_id: str, sha256: str, duration: float) -> dict[str, Any]:
    """About the whole stream or file; ``duration`` in seconds."""
    return {
        "transaction_key": "deprecated",
        "request_id": request_id,
        "sha256": sha256,
        "created": _now(),
        "duration": duration,
        "channels": 1,
        "models": [_MODEL_UUID],
        "model_info": {_MODEL_UUID: _model_info(query.model)},
    }


def _word(word: Word) -> dict[str, Any]:
    """A word as Deepgram writes it: bare, and with its capitals and marks."""
    return {
        "word": word.text.strip(".,!?;:").lower() or word.text,
        "start": word.start,
        "end": word.end,
        "confidence": _CONFIDENCE,
        "punctuated_word": word.text,
    }


def _model_info(model: str) -> dict[str, str]:
    """What results say about the model."""
    arch = "-".join(model.split("-")[:2])
    kind = model.removeprefix(arch).lstrip("-") or "general"
    return {"name": f"{kind}-{arch}", "version": "2026-08-01.0", "arch": arch}


def _now() -> str:
    """Now, as Deepgram writes it."""
    now = datetime.datetime.now(tz=datetime.UTC)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
