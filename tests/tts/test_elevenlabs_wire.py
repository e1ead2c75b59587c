"""What is sent on ElevenLabs' socket, and what its messages say."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from elevenlabs.types import (
    CloseContext,
    CloseSocket,
    InitialiseContext,
    KeepContextAlive,
    SendTextMulti,
)

from services.tts import elevenlabs_wire as wire
from services.tts.alignment import Timing

AUDIO = base64.b64encode(b"\x11\x22").decode()
TIMES = {"chars": ["H", "i"], "charStartTimesMs": [0, 93]}


def test_the_socket_is_where_the_base_url_says() -> None:
    options = wire.ElevenLabsOptions("http://127.0.0.1:8080", "secret", "a/b", language="en")
    url = wire.multi_url(options)
    assert url.startswith("ws://127.0.0.1:8080/v1/text-to-speech/a%2Fb/multi-stream-input?")
    for part in ("output_format=ulaw_8000", "inactivity_timeout=180", "auto_mode=true"):
        assert part in url
    assert url.endswith("language_code=en")
    assert "secret" not in repr(options)


def test_our_messages_are_those_of_the_sdk() -> None:
    for message, kind in (
        (wire.open_context("r1", {"stability": 0.4, "speed": 1.1}), InitialiseContext),
        (wire.open_context("r1", {}), InitialiseContext),
        (wire.add_text("r1", "Hello there."), SendTextMulti),
        (wire.keep_alive("r1"), KeepContextAlive),
        (wire.close_context("r1"), CloseContext),
        (wire.CLOSE_SOCKET, CloseSocket),
    ):
        content = json.loads(message)
        known = {field.alias or name for name, field in kind.model_fields.items()}
        assert set(content) <= known
        kind.model_validate(content)


def test_text_ends_in_a_space_and_is_spoken_at_once() -> None:
    content = json.loads(wire.add_text("r1", 'Say "é".'))
    assert content == {"text": 'Say "é". ', "context_id": "r1", "flush": True}


CHUNK = wire.Chunk("r1", b"\x11\x22", Timing(["H", "i"], [0, 93]))
UNTIMED = wire.Chunk("r1", b"\x11\x22")
QUOTA = wire.Refused("quota_exceeded")
SAYS: list[tuple[Any, Any]] = [
    ({"audio": AUDIO, "contextId": "r1", "alignment": {**TIMES, "charDurationsMs": [9, 9]}}, CHUNK),
    ({"audio": AUDIO, "context_id": "r1", "alignment": {**TIMES, "charsDurationsMs": []}}, CHUNK),
    ({"audio": AUDIO, "contextId": "r1", "alignment": None}, UNTIMED),
    ({"audio": AUDIO, "contextId": "r1", "alignment": {"chars": ["a"]}}, UNTIMED),
    ({"isFinal": True, "contextId": "r1"}, wire.Chunk("r1", is_final=True)),
    ({"is_final": True, "context_id": "r1", "audio": None}, wire.Chunk("r1", is_final=True)),
    ({"type": "flush_done", "contextId": "r1"}, None),
    ({"audio": AUDIO}, None),
    ({"something": "new"}, None),
    ({"message": "Too bad", "error": "quota_exceeded", "code": 1008}, QUOTA),
    ({"message": "Too bad", "error": True, "code": 1008}, wire.Refused("1008")),
]  # fmt: skip


@pytest.mark.parametrize(("message", "says"), SAYS)
def test_what_a_message_says(message: Any, says: Any) -> None:
    assert wire.parse(json.dumps(message).encode()) == says


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"7", b'{"audio":"a","contextId":"r1"}', b'{"audio":7,"contextId":"r"}'],
)
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        wire.parse(raw)
