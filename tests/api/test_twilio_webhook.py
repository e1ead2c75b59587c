"""The voice webhook: signed or not, behind a proxy or not, and whatever the form holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from api import guard, twilio_webhook
from services.switchboard.board import Switchboard
from services.switchboard.call_book import CallBook
from services.switchboard.tokens import Announced, Tokens
from tests.exchange import Clock, OneAgent, ava

AUTH_TOKEN = "12345"
CALL = {"CallSid": "CA1", "From": "+14155550100", "To": "+14155550199", "CallerName": ""}
LOCAL, STRANGER = "127.0.0.1", "198.51.100.7"


@dataclass(frozen=True)
class Settings:
    twilio_auth_token: str = ""
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "10.0.0.0/8")


class BlankBook(CallBook):
    """A record of calls that nobody keeps."""

    def __init__(self) -> None:
        super().__init__(lambda: None)  # type: ignore[arg-type, return-value]

    async def get(self, call_id: str) -> None:
        return None

    async def start(self, call: object) -> None: ...

    async def finish(self, *end: object) -> None: ...


def routes(
    settings: Settings | None = None,
    tokens: Tokens | None = None,
    full: Callable[[], bool] = lambda: False,
) -> APIRouter:
    switchboard = Switchboard(BlankBook(), OneAgent(ava()), tokens or Tokens(), Clock())
    switchboard.full = full
    return twilio_webhook.build(settings or Settings(), switchboard)


def client(
    settings: Settings | None = None,
    tokens: Tokens | None = None,
    *,
    peer: str = LOCAL,
    full: Callable[[], bool] = lambda: False,
) -> httpx.AsyncClient:
    app = FastAPI()
    guard.install(app)
    app.include_router(routes(settings, tokens, full))
    transport = httpx.ASGITransport(app, client=(peer, 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://agent.example.com")


def signature(url: str, form: dict[str, str] | None = None) -> dict[str, str]:
    computed = RequestValidator(AUTH_TOKEN).compute_signature(url, form or CALL)
    return {"X-Twilio-Signature": computed}


def stream_of(response: httpx.Response) -> tuple[str, dict[str, str]]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/xml")
    document = ElementTree.fromstring(response.content)
    assert [verb.tag for verb in document] == ["Connect", "Redirect"]
    stream = document.find("Connect/Stream")
    assert stream is not None
    return stream.attrib["url"], {each.attrib["name"]: each.attrib["value"] for each in stream}


def refusal_of(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["message"].endswith(".")
    return response.status_code, body["error"]["code"]


# --- the answer -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/voice-stream", "/api/twilio/voice", "/voice-stream/"])
async def test_a_call_is_answered_with_a_stream_and_a_token_for_it(path: str) -> None:
    tokens = Tokens()
    async with client(tokens=tokens) as http:
        url, parameters = stream_of(await http.post(path, data=CALL))
    assert url == "ws://agent.example.com/media-stream"
    assert parameters.keys() == {"token", "caller", "called"}
    assert (parameters["caller"], parameters["called"]) == (CALL["From"], CALL["To"])
    announced = Announced("CA1", CALL["From"], CALL["To"], agent="ava")
    assert tokens.redeem(parameters["token"], "CA1") == announced


async def test_a_repeated_webhook_gets_the_same_answer_until_its_token_is_used() -> None:
    tokens = Tokens()
    async with client(tokens=tokens) as http:
        first = await http.post("/voice-stream", data=CALL)
        again = await http.post("/voice-stream", data=CALL)
        assert first.content == again.content
        token = stream_of(first)[1]["token"]
        assert tokens.redeem(token, "CA1") is not None
        fresh = stream_of(await http.post("/voice-stream", data=CALL))[1]["token"]
    assert fresh != token
    assert tokens.redeem(fresh, "CA1") is not None


async def test_two_calls_get_two_tokens() -> None:
    async with client() as http:
        one = stream_of(await http.post("/voice-stream", data=CALL))
        two = stream_of(await http.post("/voice-stream", data={**CALL, "CallSid": "CA2"}))
    assert one[1]["token"] != two[1]["token"]


@pytest.mark.parametrize(
    ("caller", "kept"),
    [
        ("anonymous", "anonymous"),
        ("", ""),
        ("client:alice&bob", "client:alice&bob"),
        ("sip:ä<b>@example.com", "sip:ä<b>@example.com"),
        ("电话 ☎", "电话 ☎"),
        ("+1415\r\n\x00\x1b[2J", "+1415[2J"),
        ("x" * 10_000, "x" * 128),
    ],
)
async def test_odd_callers_are_callers_all_the_same(caller: str, kept: str) -> None:
    tokens = Tokens()
    async with client(tokens=tokens) as http:
        _, parameters = stream_of(await http.post("/voice-stream", data={**CALL, "From": caller}))
    assert parameters["caller"] == kept
    announced = tokens.redeem(parameters["token"], "CA1")
    assert announced is not None
    assert announced.caller == kept


async def test_from_and_to_may_be_missing() -> None:
    async with client() as http:
        _, parameters = stream_of(await http.post("/voice-stream", data={"CallSid": "CA1"}))
    assert (parameters["caller"], parameters["called"]) == ("", "")


async def test_when_all_lines_are_busy_the_caller_is_told() -> None:
    tokens = Tokens()
    async with client(tokens=tokens, full=lambda: True) as http:
        response = await http.post("/voice-stream", data=CALL)
    assert response.status_code == 200
    assert [verb.tag for verb in ElementTree.fromstring(response.content)] == ["Say", "Hangup"]
    assert tokens.unused == 0


# --- wrong input ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call_sid", [None, "", "CA 1", "CA1\n", "x" * 65, "../../etc", "Ä", "<script>"]
)
async def test_a_call_needs_an_identifier(call_sid: str | None) -> None:
    form = {"From": "+1415"} if call_sid is None else {"CallSid": call_sid}
    async with client() as http:
        response = await http.post("/voice-stream", data=form)
    assert refusal_of(response) == (400, "bad_call_sid")
    assert "CallSid" in response.text


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe\x00", b"%%%&=&==", b'{"CallSid":"CA1"}'])
async def test_what_is_no_form_is_refused(body: bytes) -> None:
    async with client() as http:
        assert refusal_of(await http.post("/voice-stream", content=body))[0] == 400


async def test_a_body_may_have_64_kib_and_no_more() -> None:
    head = b"CallSid=CA1&x="
    async with client() as http:
        largest = head + b"x" * (65_536 - len(head))
        stream_of(await http.post("/voice-stream", content=largest))
        response = await http.post("/voice-stream", content=largest + b"x")
        assert refusal_of(response) == (413, "body_too_large")


async def test_a_body_is_not_read_beyond_the_limit() -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 10_000_000:
            sent += 16_384
            yield b"x" * 16_384

    receive_chunks = endless()
    messages: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": await anext(receive_chunks), "more_body": True}

    async def send(message: Any) -> None:
        messages.append(message)

    app = FastAPI()
    guard.install(app)
    app.include_router(routes())
    await app(scope(), receive, send)
    assert messages[0]["status"] == 413
    assert sent <= 5 * 16_384


async def test_a_client_that_leaves_mid_body_is_no_error_of_ours() -> None:
    messages: list[Any] = []
    incoming: Iterator[Any] = iter(
        [
            {"type": "http.request", "body": b"CallSid=C", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )

    async def receive() -> Any:
        return next(incoming)

    async def send(message: Any) -> None:
        messages.append(message)

    app = FastAPI()
    guard.install(app)
    app.include_router(routes())
    await app(scope(), receive, send)
    assert messages[0]["status"] == 400


def scope() -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/voice-stream",
        "raw_path": b"/voice-stream",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"agent.example.com")],
        "client": (LOCAL, 40000),
        "server": ("127.0.0.1", 8000),
    }


async def test_too_many_fields_are_refused() -> None:
    async with client() as http:
        response = await http.post("/voice-stream", content="&".join(["a=1"] * 1001))
    assert refusal_of(response) == (400, "bad_form")


@pytest.mark.parametrize("path", ["/voice-stream", "/api/twilio/voice/"])
async def test_a_browser_is_told_what_the_address_is_for(path: str) -> None:
    async with client() as http:
        response = await http.get(path)
    assert refusal_of(response) == (405, "post_only")
    assert response.headers["allow"] == "POST"
    assert "Twilio console" in response.text


@pytest.mark.parametrize("host", ["", "a b", "evil.example/x", "a,b", "user@host", "[::1"])
async def test_a_host_that_is_none_is_refused(host: str) -> None:
    async with client() as http:
        response = await http.post("/voice-stream", data=CALL, headers={"Host": host})
    assert refusal_of(response) == (400, "bad_host")


# --- signatures -------------------------------------------------------------------------------

PUBLIC = Settings(AUTH_TOKEN, public_url="https://agent.example.com")


async def test_a_signed_call_is_answered() -> None:
    headers = signature("https://agent.example.com/voice-stream")
    async with client(PUBLIC, peer=STRANGER) as http:
        url, _ = stream_of(await http.post("/voice-stream", data=CALL, headers=headers))
    assert url == "wss://agent.example.com/media-stream"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Twilio-Signature": ""},
        {"X-Twilio-Signature": "é" * 28},
        signature("https://agent.example.com/voice-stream", {**CALL, "From": "+1"}),
        signature("http://agent.example.com/voice-stream"),
        signature("https://other.example.com/voice-stream"),
        signature("https://agent.example.com/api/twilio/voice"),
    ],
)
async def test_a_call_that_is_not_signed_gets_nothing(
    headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    tokens = Tokens()
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    async with client(PUBLIC, tokens) as http:
        response = await http.post("/voice-stream?secret=1", data=CALL, headers=raw)
    assert refusal_of(response) == (403, "bad_signature")
    assert tokens.unused == 0
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "'https://agent.example.com/voice-stream'" in record.getMessage()
    for private in (AUTH_TOKEN, "secret", CALL["From"], *filter(None, headers.values())):
        assert private not in record.getMessage()


async def test_the_signature_covers_blank_repeated_and_unknown_fields() -> None:
    body = "CallSid=CA1&Blank=&New=2&New=1&New=2&From=%2B1%20415"
    text = "https://agent.example.com/voice-stream" + "Blank" + "CallSidCA1" + "From+1 415"
    headers = {
        "X-Twilio-Signature": RequestValidator(AUTH_TOKEN).compute_signature(
            text + "New1" + "New2", {}
        )
    }
    async with client(PUBLIC) as http:
        stream_of(await http.post("/voice-stream", content=body, headers=headers))


async def test_path_and_query_are_checked_as_they_were_sent() -> None:
    target = "/voice-stream?a=%7e%2F+b&c"
    headers = signature("https://agent.example.com" + target)
    async with client(PUBLIC) as http:
        stream_of(await http.post(target, data=CALL, headers=headers))


@pytest.mark.parametrize("signed_path", ["/voice-stream", "/voice-stream/"])
@pytest.mark.parametrize("path", ["/voice-stream", "/voice-stream/"])
async def test_a_final_slash_may_be_there_or_not(path: str, signed_path: str) -> None:
    headers = signature("https://agent.example.com" + signed_path)
    async with client(PUBLIC) as http:
        stream_of(await http.post(path, data=CALL, headers=headers))


@pytest.mark.parametrize("peer", [LOCAL, "10.1.2.3", "::ffff:10.1.2.3"])
async def test_behind_a_trusted_proxy_its_word_counts(peer: str) -> None:
    headers = {
        **signature("https://abc.ngrok.app/voice-stream"),
        "X-Forwarded-Proto": "https, http",
        "X-Forwarded-Host": "abc.ngrok.app, inner",
    }
    async with client(Settings(AUTH_TOKEN), peer=peer) as http:
        url, _ = stream_of(await http.post("/voice-stream", data=CALL, headers=headers))
    assert url == "wss://abc.ngrok.app/media-stream"


@pytest.mark.parametrize("peer", [STRANGER, "::ffff:198.51.100.7", "not an address"])
async def test_forwarded_headers_of_anybody_else_are_ignored(peer: str) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    async with client(Settings(AUTH_TOKEN), peer=peer) as http:
        headers = forwarded | signature("https://evil.example/voice-stream")
        response = await http.post("/voice-stream", data=CALL, headers=headers)
        assert refusal_of(response) == (403, "bad_signature")
        headers = forwarded | signature("http://agent.example.com/voice-stream")
        url, _ = stream_of(await http.post("/voice-stream", data=CALL, headers=headers))
    assert url == "ws://agent.example.com/media-stream"


async def test_the_public_url_outranks_every_header() -> None:
    settings = Settings(AUTH_TOKEN, public_url="https://agent.example.com:8443/base/")
    headers = {
        **signature("https://agent.example.com/base/voice-stream"),
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "inner",
        "Host": "inner:8000",
    }
    async with client(settings) as http:
        url, _ = stream_of(await http.post("/voice-stream", data=CALL, headers=headers))
    assert url == "wss://agent.example.com:8443/base/media-stream"


async def test_a_proxy_that_says_nonsense_about_the_scheme_is_not_believed() -> None:
    headers = {"X-Forwarded-Proto": "javascript"}
    async with client() as http:
        url, _ = stream_of(await http.post("/voice-stream", data=CALL, headers=headers))
    assert url == "ws://agent.example.com/media-stream"


# --- noise ------------------------------------------------------------------------------------


FIELD_NAMES = st.sampled_from(["CallSid", "From", "To"]) | st.text(max_size=8)
FORMS = st.lists(st.tuples(FIELD_NAMES, st.just("CA1") | st.text(max_size=40)), max_size=6)


def encoded(form: Iterable[tuple[str, str]]) -> str:
    return urlencode(list(form), quote_via=quote, errors="replace")


@given(FORMS)
async def test_any_form_is_answered_or_refused(form: list[tuple[str, str]]) -> None:
    async with client() as http:
        response = await http.post("/voice-stream", content=encoded(form))
    if response.status_code == 200:
        assert stream_of(response)[1].keys() == {"token", "caller", "called"}
    else:
        assert refusal_of(response) == (400, "bad_call_sid")


@given(st.binary(max_size=200), st.text(max_size=40))
async def test_any_body_and_signature_are_refused(body: bytes, signed: str) -> None:
    headers = {"X-Twilio-Signature": signed.encode("utf-8", "replace")}
    async with client(PUBLIC) as http:
        response = await http.post("/voice-stream", content=body, headers=headers)
    assert refusal_of(response) == (403, "bad_signature")
