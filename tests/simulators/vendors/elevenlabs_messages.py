"""What the simulated ElevenLabs refuses: queries, messages, settings, bodies of requests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CLOSE_CODE = 1008
"""The code with which the service closes a socket after an error."""

SOCKET_MODELS = {
    "eleven_turbo_v2",
    "eleven_turbo_v2_5",
    "eleven_flash_v2",
    "eleven_flash_v2_5",
    "eleven_multilingual_v2",
}
REST_MODELS = SOCKET_MODELS | {"eleven_v3", "eleven_v4", "eleven_v4_turbo"}
LONGEST_TEXT = {"eleven_flash_v2_5": 40_000, "eleven_flash_v2": 30_000, "eleven_v3": 3_000}

ERRORS = {
    "input_timeout_exceeded": "No new text input within the timeout of {} seconds.",
    "max_active_conversations": "Maximum simultaneous contexts per WebSocket connection exceeded"
    " (5)",
    "quota_exceeded": "This request exceeds your quota.",
    "detected_unusual_activity": "Unusual activity detected. Free Tier usage disabled.",
}
"""The codes that have been seen on sockets, and their sentences."""

STATUS_DETAILS = {
    400: ("invalid_request", "The request is not valid."),
    401: ("invalid_api_key", "Invalid API key"),
    404: ("not_found", "There is no such thing."),
    429: ("too_many_concurrent_requests", "Too many concurrent requests."),
    500: ("internal_server_error", "Something went wrong on our side."),
    503: ("system_busy", "The system is experiencing heavy traffic."),
}

_SOCKET_QUERY = {
    "model_id",
    "language_code",
    "output_format",
    "inactivity_timeout",
    "auto_mode",
    "sync_alignment",
    "enable_ssml_parsing",
    "apply_text_normalization",
    "enable_logging",
    "seed",
}
_FLAGS = {"auto_mode", "sync_alignment", "enable_ssml_parsing", "enable_logging"}
_FIRST_ONLY = {
    "voice_settings",
    "generation_config",
    "pronunciation_dictionary_locators",
    "xi_api_key",
    "xi-api-key",
    "authorization",
}
_MULTI_KEYS = {"text", "context_id", "flush", "close_context", "close_socket"} | _FIRST_ONLY
_SINGLE_KEYS = {"text", "flush", "try_trigger_generation"} | _FIRST_ONLY
_BODY = {
    "text",
    "model_id",
    "language_code",
    "voice_settings",
    "seed",
    "previous_text",
    "next_text",
    "previous_request_ids",
    "next_request_ids",
    "pronunciation_dictionary_locators",
    "apply_text_normalization",
    "use_pvc_as_ivc",
    "audio_effects",
}
_OUTPUT = "ulaw_8000"


def refused_query(query: Mapping[str, str], *, multi: bool) -> str | None:
    """What is wrong with the query of a socket."""
    for name, value in query.items():
        if name not in _SOCKET_QUERY:
            return f"unknown query parameter {name}"
        if name in _FLAGS and value not in {"true", "false"}:
            return f"{name} must be true or false"
    if query.get("apply_text_normalization", "auto") not in {"auto", "on", "off"}:
        return "apply_text_normalization must be auto, on or off"
    timeout = query.get("inactivity_timeout", "20")
    if not timeout.isdigit() or not 1 <= int(timeout) <= 180:
        return "inactivity_timeout must be 1 to 180"
    model = query.get("model_id", "eleven_multilingual_v2")
    if model not in SOCKET_MODELS:
        where = "multi-stream-input" if multi else "stream-input"
        return f"model_id {model} does not exist or is not available for {where}"
    return _refused_output(query)


def refused_body(query: Mapping[str, str], body: Any) -> tuple[str, str] | None:
    """What is wrong with a request for a REST stream: the code and a sentence."""
    for name in query:
        if name not in {"output_format", "optimize_streaming_latency", "enable_logging"}:
            return "invalid_request", f"unknown query parameter {name}"
    if query.get("optimize_streaming_latency", "0") not in {"0", "1", "2", "3", "4"}:
        return "invalid_request", "optimize_streaming_latency must be 0 to 4"
    if sentence := _refused_output(query):
        return "invalid_output_format", sentence
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        return "invalid_request", "text is missing"
    if unknown := set(body) - _BODY:
        return "invalid_request", f"unknown field {sorted(unknown)[0]}"
    if not body["text"].strip():
        return "input_text_empty", "text is empty"
    model = body.get("model_id", "eleven_multilingual_v2")
    if model not in REST_MODELS:
        return "model_not_found", f"model_id {model} does not exist"
    if len(body["text"]) > LONGEST_TEXT.get(model, 10_000):
        return "max_character_limit_exceeded", "text is too long"
    if model.startswith("eleven_v3") and ("previous_text" in body or "next_text" in body):
        return "unsupported_model", "previous_text and next_text are not supported by this model"
    for name in ("previous_request_ids", "next_request_ids"):
        if len(body.get(name) or []) > 3:
            return "invalid_request", f"{name}: at most 3"
    if sentence := _refused_settings(body.get("voice_settings")):
        return "invalid_voice_settings", sentence
    return None


def read_message(text: str, *, multi: bool) -> dict[str, Any]:
    """A client's message. Raises ValueError, in words, if the service would not take it."""
    try:
        message = json.loads(text)
    except ValueError:
        raise ValueError("not JSON") from None
    if not isinstance(message, dict):
        raise ValueError("not an object")
    if unknown := set(message) - (_MULTI_KEYS if multi else _SINGLE_KEYS):
        raise ValueError(f"unknown field {sorted(unknown)[0]}")
    for name, kind in (("text", str), ("context_id", str)):
        if name in message and not isinstance(message[name], kind):
            raise ValueError(f"{name} must be a string")
    for name in ("flush", "close_context", "close_socket", "try_trigger_generation"):
        if message.get(name) is not None and not isinstance(message[name], bool):
            raise ValueError(f"{name} must be true or false")
    commands = {"close_socket", "close_context", "flush"} if multi else set()
    if "text" not in message and not any(message.get(name) for name in commands):
        raise ValueError("text is missing")
    sentence = _refused_settings(message.get("voice_settings")) or _refused_schedule(
        message.get("generation_config")
    )
    if sentence:
        raise ValueError(sentence)
    return message


def first_only(message: dict[str, Any]) -> dict[str, Any]:
    """The part of a message that only the first one of a context may have."""
    return {name: value for name, value in message.items() if name in _FIRST_ONLY}


def error_message(code: str, sentence: str) -> str:
    """What the service sends before it closes a socket."""
    return json.dumps({"message": sentence, "error": code, "code": CLOSE_CODE})


def _refused_output(query: Mapping[str, str]) -> str | None:
    output = query.get("output_format", "mp3_44100_128")
    return None if output == _OUTPUT else f"this simulator speaks {_OUTPUT}, not {output}"


def _refused_settings(settings: Any) -> str | None:
    if settings is None:
        return None
    if not isinstance(settings, dict):
        return "voice_settings must be an object"
    for name, value in settings.items():
        if name == "use_speaker_boost":
            good = isinstance(value, bool)
        elif name in {"stability", "similarity_boost", "style", "speed"}:
            low, high = (0.7, 1.2) if name == "speed" else (0, 1)
            good = type(value) in {int, float} and low <= value <= high
        else:
            return f"unknown voice setting {name}"
        if value is not None and not good:
            return f"voice setting {name} is out of range"
    return None


def _refused_schedule(config: Any) -> str | None:
    if config is None:
        return None
    if not isinstance(config, dict) or set(config) - {"chunk_length_schedule"}:
        return "generation_config may hold chunk_length_schedule only"
    schedule = config.get("chunk_length_schedule") or []
    if not all(type(item) is int and 50 <= item <= 500 for item in schedule):
        return "chunk_length_schedule: items must be 50 to 500"
    return None
