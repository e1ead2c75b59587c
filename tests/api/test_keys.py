"""API keys, health, and what the server says when the database is away."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import errors, health
from api.keys import ApiKeyGuard
from services.records.eager import EagerCount
from services.store import StoreError

KEYS = ("the-first-key-of-two", "the-second-key-of-two")


def app_of(keys: tuple[str, ...] = KEYS, clock: Any = lambda: 0.0) -> FastAPI:
    app = FastAPI()
    errors.install(app)
    guard = ApiKeyGuard(keys, clock=clock)
    router = guard.router(tags=["x"])

    @router.get("/open")
    async def read() -> dict[str, str]:
        return {}

    @router.get("/away")
    async def away() -> dict[str, str]:
        raise StoreError("the database does not answer (words)")

    @router.get("/bug")
    async def bug() -> dict[str, str]:
        raise RuntimeError("words")

    app.include_router(router)
    return app


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("spelling", ["X-API-Key: {}", "Authorization: Bearer {}"])
def test_each_key_opens_in_either_header(key: str, spelling: str) -> None:
    name, _, value = spelling.format(key).partition(": ")
    assert TestClient(app_of()).get("/open", headers={name: value}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": KEYS[0][:-1]},
        {"X-API-Key": f"{KEYS[0]}x"},
        {"Authorization": f"Basic {KEYS[0]}"},
        {"Authorization": KEYS[0]},
        {"Authorization": "Bearer"},
    ],
)
def test_anything_else_does_not(headers: dict[str, str]) -> None:
    answer = TestClient(app_of()).get("/open", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "key_required"


def test_too_many_wrong_keys_have_to_wait_and_the_right_one_does_not() -> None:
    now = [0.0]
    client = TestClient(app_of(clock=lambda: now[0]))
    wrong = [client.get("/open", headers={"X-API-Key": "wrong"}).status_code for _ in range(12)]
    assert wrong == [401] * 10 + [429] * 2
    assert client.get("/open").status_code == 401, "none is not a wrong one"
    assert client.get("/open", headers={"X-API-Key": KEYS[0]}).status_code == 200
    now[0] = 61.0
    assert client.get("/open", headers={"X-API-Key": "wrong"}).status_code == 401


def test_without_keys_it_is_closed_and_says_how_to_open_it() -> None:
    answer = TestClient(app_of(())).get("/open", headers={"X-API-Key": ""})
    assert answer.status_code == 403
    assert "Set API_KEYS" in answer.json()["error"]["message"]


def test_feeds_have_keys_of_their_own() -> None:
    guard = ApiKeyGuard(KEYS)
    keys = guard.feed_keys("one")
    assert len({*keys, *guard.feed_keys("two"), *KEYS}) == 6
    assert all(len(key) == 32 for key in keys)
    assert keys == ApiKeyGuard(KEYS).feed_keys("one")


def test_refusals_have_one_form() -> None:
    client = TestClient(app_of(), raise_server_exceptions=False, headers={"X-API-Key": KEYS[0]})
    codes = {
        path: (answer.status_code, answer.json()["error"]["code"])
        for path in ("/nowhere", "/away", "/bug")
        for answer in [client.get(path)]
    }
    assert codes == {
        "/nowhere": (404, "not_found"),
        "/away": (503, "no_database"),
        "/bug": (500, "internal_error"),
    }
    for path in ("/away", "/bug"):
        assert "words" not in client.get(path).text
    refused = client.post("/open")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET")


# --- health ---------------------------------------------------------------------------------------


def ready(*, full: bool = False, closing: bool = False, away: bool = False) -> tuple[int, str]:
    async def ping() -> None:
        if away:
            raise StoreError("away")

    calls: Any = SimpleNamespace(
        full=full or closing, closing=closing, in_progress=0, eager=EagerCount()
    )
    app = FastAPI()
    app.include_router(health.build(calls, Counter, lambda: 2, ping))
    client = TestClient(app)
    told = client.get("/health").json()
    assert told["agent_problems"] == 2
    assert told["status"] in {"ok", "full", "stopping"}
    answer = client.get("/ready")
    return answer.status_code, answer.json()["status"]


def test_ready_means_that_a_call_would_be_taken_and_put_on_record() -> None:
    assert ready() == (200, "ok")
    assert ready(full=True) == (503, "full")
    assert ready(closing=True) == (503, "stopping")
    assert ready(away=True) == (503, "no_database")
