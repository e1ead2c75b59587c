"""Signatures: vectors that are known to be right, and each trap on the way to them."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.carriers.twilio import signed, without_userinfo

TOKEN = "12345"
STREAM = "wss://agent.example.com/media-stream"


def form(caller: str) -> list[tuple[str, str]]:
    return [
        ("To", "+18005551212"),
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", caller),
        ("Digits", "1234"),
        ("From", caller),
    ]


def sign(text: str, token: str = TOKEN) -> str:
    """The algorithm of https://www.twilio.com/docs/usage/security, over a finished text."""
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


@pytest.mark.parametrize(
    ("url", "caller", "signature"),
    [
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            "+14158675309",
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "https://example.com/myapp.php?foo=1&bar=2",
            "+14158675310",
            "L/OH5YylLD5NRKLltdqwSvS0BnU=",
        ),
        ("https://example.com/myapp", "+12349013030", "NGAgWNhdnsLF8j385frvrQoi9sg="),
    ],
)
def test_known_webhook_signatures(url: str, caller: str, signature: str) -> None:
    assert signed(TOKEN, signature, url, form(caller))
    assert not signed(TOKEN, signature, url, form(caller + "1"))
    assert not signed(TOKEN, signature, url)
    assert not signed("54321", signature, url, form(caller))
    assert not signed(TOKEN, signature, url.replace("https", "http"), form(caller))


@pytest.mark.parametrize(
    "signature", ["6twNsYiuYAS0i62gts1rqaH8MJg=", "/chY2OSm00ILs3g6u8Nxe/2+k8w="]
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_known_handshake_signatures_with_and_without_a_final_slash(
    signature: str, slash: str
) -> None:
    assert signed(TOKEN, signature, STREAM + slash)
    assert not signed(TOKEN, signature, STREAM.replace("wss", "https") + slash)
    assert not signed(TOKEN, signature, STREAM + "x" + slash)


@pytest.mark.parametrize("signature", [None, "", "=", "6twNsYiuYAS0i62gts1rqaH8MJg", "é" * 28])
def test_what_is_no_signature_is_refused(signature: str | None) -> None:
    assert not signed(TOKEN, signature, STREAM)


def test_without_a_token_nothing_is_signed() -> None:
    assert not signed("", sign(STREAM, token=""), STREAM)


def test_the_final_slash_is_found_before_the_query() -> None:
    assert signed(TOKEN, sign("https://a.example/voice/?b=%20c"), "https://a.example/voice?b=%20c")
    assert not signed(TOKEN, sign("https://a.example/voice?b= c"), "https://a.example/voice?b=%20c")


@pytest.mark.parametrize(
    ("as_signed", "as_seen"),
    [
        ("https://a.example/v", "https://a.example:443/v"),
        ("https://a.example:443/v", "https://a.example/v"),
        ("https://a.example/v", "https://a.example:8443/v"),
        ("http://a.example:8000/v", "http://a.example:8000/v"),
        ("wss://a.example:443/v", "wss://a.example/v"),
        ("wss://a.example/v", "wss://a.example:8443/v"),
        ("ws://127.0.0.1:8000/v", "ws://127.0.0.1:8000/v"),
        ("https://a.example/v", "https://user:secret@a.example/v"),
        ("https://a.example:8443/v", "https://user:secret@a.example:8443/v"),
        ("https://a.example/v", "https://user:secret@a.example:8443/v"),
        ("http://[::1]:8000/v", "http://[::1]:8000/v"),
    ],
)
def test_port_and_userinfo(as_signed: str, as_seen: str) -> None:
    assert signed(TOKEN, sign(as_signed), as_seen)


@pytest.mark.parametrize("host", ["a.example:port", "a.example:99999", "[::1", "[x]", ""])
def test_a_url_that_is_none_is_refused(host: str) -> None:
    assert not signed(TOKEN, sign(STREAM), f"wss://{host}/media-stream")


def test_blank_and_repeated_fields_count() -> None:
    url = "https://a.example/v"
    fields = [("b", "2"), ("a", ""), ("b", "1"), ("b", "2")]
    assert signed(TOKEN, sign(url + "ab1b2"), url, fields)
    assert not signed(TOKEN, sign(url + "b1b2"), url, fields)
    assert not signed(TOKEN, sign(url + "ab2"), url, fields)


def test_without_userinfo_touches_nothing_else() -> None:
    assert without_userinfo("https://u:p@h:1/x@y?z=@") == "https://h:1/x@y?z=@"
    assert without_userinfo("https://h/x@y") == "https://h/x@y"


@given(st.text(), st.text(), st.lists(st.tuples(st.text(), st.text()), max_size=4))
def test_no_request_breaks_the_check(
    signature: str, rest: str, fields: list[tuple[str, str]]
) -> None:
    assert not signed(TOKEN, signature, "wss://" + rest, fields)
