"""The messages are Twilio's, and the checks are as strict as Twilio's."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulators import twilio_wire as wire

IDS = wire.StreamIds("AC1", "CA1", "MZ1")
FRAME = base64.b64encode(b"\x55" * 160).decode()


def outbound(**changes: Any) -> str:
    message = {"event": "media", "streamSid": "MZ1", "media": {"payload": FRAME}} | changes
    return json.dumps({name: value for name, value in message.items() if value is not None})


def test_counters_are_strings_and_rates_are_numbers() -> None:
    start = json.loads(wire.start(IDS, {"token": "abc"}))
    assert start["sequenceNumber"] == "1"
    assert start["start"]["mediaFormat"] == {
        "encoding": "audio/x-mulaw",
        "sampleRate": 8000,
        "channels": 1,
    }
    assert start["start"]["customParameters"] == {"token": "abc"}
    assert json.loads(wire.media(IDS, 4, 2, 20, FRAME)) == {
        "event": "media",
        "sequenceNumber": "4",
        "streamSid": "MZ1",
        "media": {"track": "inbound", "chunk": "2", "timestamp": "20", "payload": FRAME},
    }


def test_the_other_messages() -> None:
    assert json.loads(wire.connected()) == {
        "event": "connected",
        "protocol": "Call",
        "version": "1.0.0",
    }
    assert json.loads(wire.dtmf(IDS, 5, "#"))["dtmf"] == {"track": "inbound_track", "digit": "#"}
    assert json.loads(wire.mark(IDS, 9, "a"))["mark"] == {"name": "a"}
    assert json.loads(wire.stop(IDS, 7)) == {
        "event": "stop",
        "sequenceNumber": "7",
        "streamSid": "MZ1",
        "stop": {"accountSid": "AC1", "callSid": "CA1"},
    }


def test_good_messages_pass() -> None:
    assert wire.check(outbound(), "MZ1") == wire.Verdict(wire.Media(b"\x55" * 160))
    mark = outbound(event="mark", media=None, mark={"name": "turn-3"})
    assert wire.check(mark, "MZ1") == wire.Verdict(wire.Mark("turn-3"))
    assert wire.check(outbound(event="clear", media=None), "MZ1") == wire.Verdict(wire.Clear())


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"\x00\x01", "31950"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        (outbound(event="stop"), "unknown event"),
        (outbound(event=["media"]), "unknown event"),
        (outbound(streamSid="MZ2"), "not ours"),
        (outbound(streamSid=None), "fields"),
        (outbound(sequenceNumber="1"), "fields"),
        (outbound(event="clear"), "fields"),
        (outbound(media={"payload": FRAME, "track": "outbound"}), "nothing else"),
        (outbound(media=FRAME), "nothing else"),
        (outbound(media={"payload": "%%%%"}), "not base64"),
        (outbound(media={"payload": "ä"}), "not base64"),
        (outbound(media={"payload": ""}), "empty"),
        (outbound(media={"payload": 5}), "not a string"),
        (outbound(event="mark", media=None, mark={"name": ""}), "empty"),
        (outbound(event="mark", media=None, mark={"name": "a", "id": 1}), "nothing else"),
    ],
)
def test_bad_messages_are_dropped(message: str | bytes, error: str) -> None:
    verdict = wire.check(message, "MZ1")
    assert verdict.message is None
    assert error in verdict.errors[0]


def test_odd_payloads_are_played_but_are_errors() -> None:
    payload = base64.b64encode(b"\xff" * 100).decode()
    verdict = wire.check(outbound(media={"payload": payload}), "MZ1")
    assert verdict.message == wire.Media(b"\xff" * 100)
    assert "100 bytes" in verdict.errors[0]
    header = base64.b64encode(b"RIFF" + b"\xff" * 156).decode()
    assert "WAV header" in wire.check(outbound(media={"payload": header}), "MZ1").errors[0]


@given(st.one_of(st.text(), st.binary(), st.builds(outbound, media=st.text() | st.integers())))
def test_nothing_makes_the_check_fail(message: str | bytes) -> None:
    verdict = wire.check(message, "MZ1")
    assert (verdict.message is None) <= bool(verdict.errors)
