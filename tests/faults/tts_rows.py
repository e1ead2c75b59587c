"""What can go wrong at those who speak."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.trials import Row, Trial, down, elevenlabs, openai, order, refusal, trial
from tests.faults.world import Kind, World
from tests.simulators.vendors.base import Fault, Simulator, Trouble

_WHOLE = {"refused", "401", "stall, not connected", "stall before first byte", "cut mid-sentence"}
_Refused = tuple[tuple[int, str, str], ...]
"""Status, reason, what is told of it."""
_ELEVENLABS: _Refused = (
    (400, "voice_not_found", "voice_not_found"),
    (401, "", "invalid_api_key"),
    (401, "quota_exceeded", "quota_exceeded"),
    (404, "", "not_found"),
    (429, "", "too_many_concurrent_requests"),
    (500, "", "internal_server_error"),
    (503, "", "system_busy"),
)
_OPENAI: _Refused = (
    (400, "", "400"),
    (401, "", "invalid_api_key"),
    (404, "", "model_not_found"),
    (429, "", "rate_limit_exceeded"),
    (429, "insufficient_quota", "insufficient_quota"),
    (500, "", "500"),
)
_ENDS = (
    (1008, "quota_exceeded"),
    (1008, "max_active_conversations"),
    (1008, "input_timeout_exceeded"),
    (1008, "detected_unusual_activity"),
    (1011, ""),
    (1000, ""),
)


def _socket_row() -> Row:
    def opening(name: str, codes: str, fault: Fault) -> Trial:
        return trial(
            name,
            codes,
            order(elevenlabs, fault, "connect"),
            moment="end",
            cuts=True,
            everywhere=order(elevenlabs, fault, "connect", "stream"),
            is_whole=name in _WHOLE,
        )

    def speaking(name: str, codes: str, fault: Fault) -> Trial:
        everywhere = None
        if fault.trouble is not Trouble.CLOSE:
            everywhere = order(elevenlabs, fault, "context", "stream")
        return trial(name, codes, order(elevenlabs, fault, "context"), everywhere=everywhere)

    trials = [
        trial("refused", "refused", down(elevenlabs), moment="end", is_down=True, is_whole=True),
        opening("reset", "reset|cut", Fault(Trouble.RESET)),
        *(opening(*refusal(status, reason, told)) for status, reason, told in _ELEVENLABS),
        opening(
            "stall, not connected",
            "connect timeout|first audio timeout",
            Fault(Trouble.STALL_FIRST),
        ),
        speaking("stall, connected", "first audio timeout", Fault(Trouble.STALL_FIRST)),
        speaking("stall mid-stream", "stall", Fault(Trouble.STALL_MID)),
        speaking("malformed", "malformed", Fault(Trouble.MALFORMED)),
        speaking("cut mid-sentence", "1006|cut", Fault(Trouble.CUT)),
    ]
    for code, reason in _ENDS:
        fault = Fault(Trouble.CLOSE, code=code, reason=reason)
        trials.append(speaking(f"closed {code} {reason}".strip(), reason or str(code), fault))
    return Row("elevenlabs socket", "tts", Kind(), elevenlabs, tuple(trials))


def _by_phrase(
    simulator: Callable[[World], Simulator], endpoint: str, refused: _Refused, lost: str
) -> tuple[Trial, ...]:
    """The trials of a voice that takes a request for each phrase. ``lost``: what is told of a
    connection that is."""

    def speech(name: str, codes: str, fault: Fault) -> Trial:
        return trial(name, codes, order(simulator, fault, endpoint), is_whole=name in _WHOLE)

    return (
        trial("refused", "refused", down(simulator), is_down=True, is_whole=True),
        speech("reset", lost, Fault(Trouble.RESET)),
        *(speech(*refusal(status, reason, told)) for status, reason, told in refused),
        speech("stall before first byte", "first audio timeout", Fault(Trouble.STALL_FIRST)),
        speech("stall mid-stream", "stall", Fault(Trouble.STALL_MID)),
        speech("malformed", "malformed", Fault(Trouble.MALFORMED)),
        speech("cut mid-sentence", lost, Fault(Trouble.CUT)),
    )


ROWS = (
    _socket_row(),
    Row(
        "elevenlabs REST",
        "tts",
        Kind(has_socket_voice=False),
        elevenlabs,
        _by_phrase(elevenlabs, "stream", _ELEVENLABS, "cut"),
    ),
    Row(
        "openai speech",
        "tts",
        Kind(tts="openai"),
        openai,
        _by_phrase(openai, "speech", _OPENAI, "connection lost"),
    ),
)
