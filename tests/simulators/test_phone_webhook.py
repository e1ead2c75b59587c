"""Before a call begins: the webhook and the handshake, signed, repeated, refused."""

from __future__ import annotations

from typing import Any

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.simulators.fake_server import (
    TOKEN,
    listen,
    serving,
)
from tests.simulators.phone import CallSetup, Phone, Refused, Signing, Unreachable


async def test_webhook_and_handshake_are_signed() -> None:
    setup: dict[str, Any] = {"public_url": "https://voice.example.com", "auth_token": TOKEN}
    async with serving(listen) as server:
        phone = Phone(CallSetup(server.url, webhook_posts=2, **setup))
        await phone.call([])
        wrong: dict[str, Any] = {"sign_webhook": Signing.WRONG, "sign_socket": Signing.NONE}
        await Phone(CallSetup(server.url, **setup, **wrong)).call([])
    check = RequestValidator(TOKEN).validate
    hook = "https://voice.example.com/voice-stream"
    (first, form), (again, same_form), (forged, other_form) = server.requests
    assert check(hook, form, first["x-twilio-signature"])
    assert (again["x-twilio-signature"], same_form) == (first["x-twilio-signature"], form)
    assert form["CallSid"] == phone.setup.call_sid
    assert not check(hook, other_form, forged["x-twilio-signature"])
    stream = "wss://voice.example.com/media-stream"
    assert check(stream, {}, server.handshakes[0]["x-twilio-signature"])
    assert "x-twilio-signature" not in server.handshakes[1]


async def test_refusals() -> None:
    async with serving(listen, status=403) as server:
        with pytest.raises(Refused, match="403") as refused:
            await Phone(CallSetup(server.url)).call([])
        assert refused.value.status == 403
    async with serving(listen, socket_refused=True) as server:
        with pytest.raises(Refused, match="media-stream answered HTTP 403") as refused:
            await Phone(CallSetup(server.url)).call([])
        assert refused.value.status == 403
    with pytest.raises(Unreachable, match="no answer"):
        await Phone(CallSetup(server.url)).call([])


async def test_twiml_that_twilio_would_not_accept_is_a_protocol_error() -> None:
    async with serving(listen, content_type="application/json") as server:
        report = await Phone(CallSetup(server.url)).call([])
    assert report.protocol_errors == ["12300: TwiML with the content type 'application/json'"]
