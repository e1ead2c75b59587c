"""The Media Streams codec against messages as they come over the wire, and against noise."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.carriers import BadMessage, Carrier, CarrierMessage
from services.carriers.twilio import MAX_MESSAGE_CHARS, TwilioCarrier

WIRE = Path(__file__).parent.parent / "wire" / "twilio"
STREAMS = sorted(WIRE.glob("*.jsonl"))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def text_of(line: dict[str, Any]) -> str:
    return line["text"] if "text" in line else json.dumps(line["message"])


def as_expected(message: CarrierMessage | None) -> dict[str, Any] | None:
    """A message in the words of the wire files."""
    if message is None:
        return None
    shown = {"type": type(message).__name__, **dataclasses.asdict(message)}
    if "audio" in shown:
        audio = shown.pop("audio")
        values = set(audio) or {0}
        assert len(values) == 1
        shown |= {"bytes": len(audio), "each": values.pop()}
    return shown


def started(stream_id: str = "MZ1") -> TwilioCarrier:
    carrier = TwilioCarrier()
    start = {
        "event": "start",
        "streamSid": stream_id,
        "start": {
            "streamSid": stream_id,
            "callSid": "CA1",
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        },
    }
    carrier.parse(json.dumps(start))
    return carrier


@pytest.mark.parametrize("path", STREAMS, ids=lambda path: path.stem)
def test_every_recorded_line_is_read_as_expected(path: Path) -> None:
    carrier = TwilioCarrier()
    for line in lines(path):
        expected = line["expect"]
        if expected is not None and "bad" in expected:
            with pytest.raises(BadMessage) as refusal:
                carrier.parse(text_of(line))
            assert expected["bad"] in str(refusal.value), line["about"]
        else:
            assert as_expected(carrier.parse(text_of(line))) == expected, line["about"]


def test_all_four_streams_are_there() -> None:
    assert [path.stem for path in STREAMS] == ["bad", "before_start", "call", "odd"]


def test_a_refusal_quotes_nothing_of_the_message() -> None:
    with pytest.raises(BadMessage) as refusal:
        started().parse('{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"sesame"}}')
    assert "sesame" not in str(refusal.value)
    with pytest.raises(BadMessage) as refusal:
        TwilioCarrier().parse('{"sesame"')
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__


def test_a_message_of_any_legal_size_is_read_and_a_longer_one_is_not() -> None:
    unknown = '{"event":"x","pad":"%s"}'
    longest = unknown % ("p" * (MAX_MESSAGE_CHARS - len(unknown) + 2))
    assert len(longest) == MAX_MESSAGE_CHARS
    assert TwilioCarrier().parse(longest) is None
    with pytest.raises(BadMessage, match="at most 65536 characters"):
        TwilioCarrier().parse(longest + " ")


# --- what we send -----------------------------------------------------------------------------


def test_media_has_the_documented_fields_and_no_others() -> None:
    audio = bytes(range(256)) * 5
    assert json.loads(started("MZ_a-9").media(audio)) == {
        "event": "media",
        "streamSid": "MZ_a-9",
        "media": {"payload": base64.b64encode(audio).decode()},
    }


def test_mark_and_clear_have_the_documented_fields_and_no_others() -> None:
    carrier = started()
    name = 'turn "3" \\ größe'
    assert json.loads(carrier.mark(name)) == {
        "event": "mark",
        "streamSid": "MZ1",
        "mark": {"name": name},
    }
    assert json.loads(carrier.clear()) == {"event": "clear", "streamSid": "MZ1"}


@pytest.mark.parametrize("length", [0, 1, 159, 161, 240])
def test_media_takes_whole_frames_only(length: int) -> None:
    with pytest.raises(ValueError, match="whole frames of 160 bytes"):
        started().media(b"\xff" * length)


@pytest.mark.parametrize("name", ["", "x" * 129])
def test_a_mark_needs_a_name_that_we_would_take_back(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 128 characters"):
        started().mark(name)


def test_nothing_can_be_sent_before_the_stream_has_a_name() -> None:
    carrier = TwilioCarrier()
    for send in (lambda: carrier.media(b"\xff" * 160), lambda: carrier.mark("1"), carrier.clear):
        with pytest.raises(RuntimeError, match="no stream yet"):
            send()


def test_the_codec_is_a_carrier() -> None:
    carrier: Carrier = started()
    assert carrier.clear()


# --- noise ------------------------------------------------------------------------------------


def assert_harmless(message: str) -> None:
    for carrier in (TwilioCarrier(), started()):
        try:
            parsed = carrier.parse(message)
        except BadMessage:
            continue
        assert parsed is None or isinstance(parsed, get_args(CarrierMessage))


EVENTS = ["connected", "start", "media", "mark", "dtmf", "stop", "other"]
NAMES = ["event", "streamSid", "start", "media", "mark", "dtmf", "stop", "track", "timestamp"]
NAMES += ["payload", "name", "digit", "callSid", "mediaFormat", "customParameters"]
VALUES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    st.sampled_from([*EVENTS, "MZ1", "inbound", "20", "/w==", "CA1"]),
)
ANY_JSON = st.recursive(
    VALUES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=6)
    ),
    max_leaves=20,
)
RECORDED = [text_of(line) for path in STREAMS for line in lines(path)]


@given(st.text())
def test_any_text_is_harmless(message: str) -> None:
    assert_harmless(message)


@given(ANY_JSON)
def test_any_json_is_harmless(value: Any) -> None:
    assert_harmless(json.dumps(value))


@given(st.sampled_from(EVENTS), st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=6))
def test_any_fields_of_a_known_event_are_harmless(event: str, fields: dict[str, Any]) -> None:
    assert_harmless(json.dumps({"streamSid": "MZ1", **fields, "event": event}))


@given(st.sampled_from(RECORDED), st.integers(0, 700), st.integers(0, 30), st.text(max_size=8))
def test_a_damaged_message_is_harmless(message: str, at: int, length: int, patch: str) -> None:
    assert_harmless(message[:at] + patch + message[at + length :])


@given(st.binary(max_size=2000), st.integers(0, 9_999_999_999))
def test_media_of_any_length_comes_through_unchanged(audio: bytes, timestamp_ms: int) -> None:
    media = {
        "track": "inbound",
        "timestamp": str(timestamp_ms),
        "payload": base64.b64encode(audio).decode(),
    }
    parsed = started().parse(json.dumps({"event": "media", "streamSid": "MZ1", "media": media}))
    assert dataclasses.asdict(parsed) == {"timestamp_ms": timestamp_ms, "audio": audio}  # type: ignore[arg-type]
