"""What is sent on ElevenLabs' socket, and what its messages say."""

from __future__ import annotations

import base64
import json
from pathlib import Path
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
WIRE = Path(__file__).parent.parent / "wire" / "elevenlabs.jsonl"
LINES = [json.loads(line) for line in WIRE.read_text().splitlines()]


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


# --- recorded lines -------------------------------------------------------------------------------


def recorded(kind: str | None) -> pytest.MarkDecorator:
    """The recorded lines of which this is expected; None: nothing is."""
    found = [line for line in LINES if kind in (line["expect"] or {None})]
    assert found
    return pytest.mark.parametrize("line", found, ids=lambda line: line["about"])


def parsed(line: dict[str, Any]) -> Any:
    return wire.parse(line.get("text") or json.dumps(line["message"]))


def test_every_recorded_line_is_of_one_kind() -> None:
    for line in LINES:
        expect = line["expect"] or {"nothing": None}
        assert len({"context", "error", "bad", "nothing"} & set(expect)) == 1, line["about"]


@recorded("context")
def test_what_is_of_a_context_holds_its_audio_its_times_and_its_end(line: dict[str, Any]) -> None:
    expect = line["expect"]
    said = parsed(line)
    if expect["context"] is None or not (expect.get("bytes") or expect.get("final")):
        assert said is None, "of the socket that we do not use, or empty"
        return
    assert (said.context, len(said.audio)) == (expect["context"], expect.get("bytes", 0))
    assert said.audio == base64.b64decode(line["message"]["audio"] or "" if said.audio else "")
    assert said.is_final == expect.get("final", False)
    has_timing = "starts" in expect and expect.get("timed", True)
    assert said.timing == (Timing(list(expect["text"]), expect["starts"]) if has_timing else None)


@recorded("error")
def test_an_error_is_told_by_the_vendors_own_name_for_it(line: dict[str, Any]) -> None:
    assert parsed(line) == wire.Refused(line["expect"]["error"])


@recorded("bad")
def test_a_line_that_is_not_the_protocol_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        parsed(line)


@recorded(None)
def test_a_line_that_says_nothing_to_us_is_passed_over(line: dict[str, Any]) -> None:
    assert parsed(line) is None


# --- details --------------------------------------------------------------------------------------

CHUNK = wire.Chunk("r1", b"\x11\x22", Timing(["H", "i"], [0, 93]))
UNTIMED = wire.Chunk("r1", b"\x11\x22")
QUOTA = wire.Refused("quota_exceeded")
SAYS: list[tuple[Any, Any]] = [
    ({"audio": AUDIO, "contextId": "r1", "alignment": {**TIMES, "charDurationsMs": [9, 9]}}, CHUNK),
    ({"audio": AUDIO, "context_id": "r1", "alignment": {**TIMES, "charsDurationsMs": []}}, CHUNK),
    ({"audio": AUDIO, "contextId": "r1", "alignment": None}, UNTIMED),
    ({"audio": AUDIO, "contextId": "r1", "alignment": {"chars": ["a"]}}, UNTIMED),
    ({"audio": AUDIO, "contextId": "r1", "alignment": {**TIMES, "charStartTimesMs": ["0", "1"]}},
     UNTIMED),
    ({"audio": AUDIO, "contextId": "r1", "alignment": {**TIMES, "chars": ["H", None]}}, UNTIMED),
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
