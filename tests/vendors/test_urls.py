"""Where a vendor is: what is taken for a base URL, and its sockets' address."""

from __future__ import annotations

import pytest

from services.vendors.urls import base_url, socket_url


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://api.openai.com", "https://api.openai.com"),
        (" http://127.0.0.1:8080/ ", "http://127.0.0.1:8080"),
        ("http://localhost:11434/v1/", "http://localhost:11434/v1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTPS://Api.Example.com//", "HTTPS://Api.Example.com"),
    ],
)
def test_a_base_url_has_no_slash_at_its_end(value: str, expected: str) -> None:
    assert base_url(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *("", "api.openai.com", "localhost:8080", "ws://host", "ftp://host", "https://", "//host"),
        *("http://:8080", "http://host:port", "http://host:99999", "http://host:0"),
        *("http://[::1", "http://a b", "http://a\tb", "http://a\u2100b"),
    ],
)
def test_what_is_no_place_is_refused_with_what_is_expected(value: str) -> None:
    with pytest.raises(ValueError, match="^must be like https://host or http://host:port$"):
        base_url(value)


@pytest.mark.parametrize(
    "value",
    [
        *("https://me@host", "https://me:secret@host", "https://:secret@host", "https://@host"),
        *("https://h?key=secret", "https://h?", "https://h#x", "https://h/v1#"),
    ],
)
def test_secrets_do_not_belong_into_a_url_and_are_not_repeated(value: str) -> None:
    with pytest.raises(ValueError, match="^must hold no user, password") as refused:
        base_url(value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://api.deepgram.com", "wss://api.deepgram.com"),
        ("http://127.0.0.1:8080/proxy", "ws://127.0.0.1:8080/proxy"),
        (base_url("HTTPS://Api.Example.com"), "wss://Api.Example.com"),
    ],
)
def test_the_sockets_are_at_the_same_place(base: str, expected: str) -> None:
    assert socket_url(base) == expected
