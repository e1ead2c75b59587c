"""Signatures as Twilio's own library checks them, and TwiML read as strictly as Twilio reads it."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.simulators import webhook
from tests.simulators.webhook import Answer, read_twiml, signed_url

HOOK = "https://voice.example.com/voice-stream"
GOOD = (
    '<Response><Connect><Stream url="wss://voice.example.com/media-stream">'
    '<Parameter name="token" value="abc"/></Stream></Connect><Hangup/></Response>'
)


def answer(body: str, content_type: str = "text/xml; charset=utf-8", status: int = 200) -> Answer:
    return Answer(status, content_type, body.encode())


@pytest.mark.parametrize("url", [HOOK, HOOK + "?lang=en&x=%20y"])
def test_twilios_library_accepts_the_signature(url: str) -> None:
    form = webhook.form("AC1", "CA1", "+15550100001", "+15550100002") | {"Extra": "ä b", "A": ""}
    assert RequestValidator("secret").validate(url, form, webhook.signature("secret", url, form))
    assert not RequestValidator("other").validate(url, form, webhook.signature("secret", url, form))
    socket = "wss://voice.example.com/media-stream"
    assert RequestValidator("secret").validate(socket, {}, webhook.signature("secret", socket))


@pytest.mark.parametrize(
    ("url", "signed"),
    [
        ("https://user:pw@host.example:8443/a?b=c#rc=2", "https://host.example/a?b=c"),
        ("http://host.example:8000/a", "http://host.example:8000/a"),
        ("http://[::1]:8000/a", "http://[::1]:8000/a"),
    ],
)
def test_what_is_signed_of_a_url(url: str, signed: str) -> None:
    assert signed_url(url) == signed


def test_good_twiml() -> None:
    twiml = read_twiml(answer(GOOD), HOOK)
    assert twiml.errors == []
    assert twiml.stream_url == "wss://voice.example.com/media-stream"
    assert twiml.parameters == {"token": "abc"}
    assert twiml.then == ("Hangup",)


def test_a_relative_stream_url_is_taken_from_the_webhooks_host() -> None:
    twiml = read_twiml(answer(GOOD.replace("wss://voice.example.com", "")), HOOK)
    assert (twiml.stream_url, twiml.errors) == ("wss://voice.example.com/media-stream", [])


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (answer(GOOD, "application/json"), "12300"),
        (answer(GOOD, "text/plain"), "12300"),
        (answer(GOOD, ""), "12300"),
        (answer(GOOD.replace("wss:", "ws:")), "31910"),
        (answer(GOOD.replace("media-stream", "media-stream?token=1")), "31920"),
        (answer(GOOD.replace('"abc"', f'"{"x" * 495}"')), "500"),
        (answer(GOOD.replace("<Stream ", '<Stream track="both_tracks" ')), "inbound"),
        (answer(GOOD.replace("<Stream ", '<Stream colour="red" ')), "colour"),
        (answer(GOOD.replace("<Stream ", '<Stream statusCallback="/cb" ')), "absolute"),
        (answer(GOOD.replace(' value="abc"', "")), "Parameter"),
        (answer(GOOD.replace("</Str", '<Parameter name="token" value="1"/></Str')), "twice"),
        (answer(GOOD + " " * 65536), "11750"),
    ],
)  # fmt: skip
def test_what_twilio_would_complain_about(given: Answer, error: str) -> None:
    twiml = read_twiml(given, HOOK)
    assert error in twiml.errors[0]
    assert twiml.stream_url


@pytest.mark.parametrize(
    "given",
    [
        answer(GOOD, status=403),
        answer("not xml"),
        answer("<Stream/>"),
        answer("<Response><Say>Hello</Say></Response>"),
        answer("<Response><Connect/></Response>"),
        answer('<Response><Start><Stream url="wss://h/p"/></Start></Response>'),
        answer("<Response><Connect><Stream/></Connect></Response>"),
        answer('<Response><Connect><Stream url="wss:///p"/></Connect></Response>'),
    ],
)
def test_no_stream_to_connect_to(given: Answer) -> None:
    twiml = read_twiml(given, HOOK)
    assert twiml.errors
    assert not twiml.stream_url


def test_this_machine_may_do_without_tls() -> None:
    twiml = read_twiml(answer(GOOD.replace("wss://voice.example.com", "ws://127.0.0.1:8000")), HOOK)
    assert (twiml.stream_url, twiml.errors) == ("ws://127.0.0.1:8000/media-stream", [])


def test_499_characters_of_parameter_are_fine() -> None:
    assert not read_twiml(answer(GOOD.replace('"abc"', f'"{"x" * 494}"')), HOOK).errors
