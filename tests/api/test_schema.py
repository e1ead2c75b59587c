"""The OpenAPI document of the whole server is true, and without a key nobody gets an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

import main
from api.attempts import WrongAttempts
from services import live
from services.settings import load_settings
from services.store import Store
from tests.api.fuzzed import fuzz
from tests.api.rest import KEY, a_busy_day, house
from tests.server import serve

Headers = dict[str, str | bytes]
EXAMPLES = 7
"""For each operation and way of making them, and so many chains of requests; what schemathesis
tries by rule comes on top, and is most of it."""

OPEN = {
    *("/", "/talk", "/static/{path:path}", "/health", "/ready"),
    *("/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"),
}
"""Routes for everybody; ``/console`` has a guard of its own, webhooks are signed."""
WEBHOOKS = ("/webhooks/", "/voice", "/api/twilio/")
OTHER_GUARDS = ("/console/", *WEBHOOKS)
SOUND = "/webhooks/audio/{name}.wav"
"""Its names are secret, and known to Twilio only."""


def settings_of() -> dict[str, object]:
    agent_file = Path(main.__file__).parent / "agents" / "receptionist.toml"
    return {"use_mock_streaming": True, "api_keys": (KEY,), "agent_file": agent_file}


def test_schemathesis_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All phases and all checks over the real server. Wrong keys are among them: who tries so many
    has to wait, so here nobody has; nor is a call that nobody announced waited for."""
    monkeypatch.setattr(WrongAttempts, "LIMIT", 1_000_000)
    monkeypatch.setattr(live, "START_WITHIN_S", 0.1)

    async def fill() -> None:
        store = await Store.open(f"sqlite:///{tmp_path / 'receptionist.db'}")
        await a_busy_day(store)
        await store.close()

    asyncio.run(fill())
    with serve(tmp_path, **settings_of()) as server:
        found = fuzz(server.url, KEY, EXAMPLES)
        document = server.app.openapi()
    assert found.failures == {}
    assert found.cases > 700
    assert {200, 204, 401, 404, 405, 409, 422} <= set(found.statuses)
    documented = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert found.operations == documented


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of each route that an API key opens."""
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        if path in OPEN or path.startswith(OTHER_GUARDS):
            continue
        if isinstance(route.original_route, APIRoute):
            for method in sorted(route.methods or ()):
                filled = path.replace("{number}", "+15551234567")
                yield method, filled.replace("{", "").replace("}", "")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "wrong"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {KEY}"},
        {"X-API-Key": KEY.upper()},
        {"X-API-Key": "ключ".encode()},
    ],
)
def test_every_guarded_route_of_the_server_refuses_without_a_key(
    tmp_path: Path, headers: Headers
) -> None:
    settings = load_settings(_env_file=None, data_dir=tmp_path, **settings_of())
    app = main.create_app(settings)
    client = TestClient(app)  # it need not even have started
    refused = [ask(client, method, path, headers) for method, path in routes(app)]
    assert len(refused) >= 20
    assert set(refused) <= {401, 429}
    assert 401 in refused


def test_nothing_is_open_that_is_not_meant_to_be(tmp_path: Path) -> None:
    """All routes that there are, whoever guards them: a new one cannot be forgotten."""
    locks = {"twilio_auth_token": "a-token", "console_password": "a-password"}
    settings = load_settings(_env_file=None, data_dir=tmp_path, **locks, **settings_of())
    app = main.create_app(settings)
    client = TestClient(app, raise_server_exceptions=False)
    refused = 0
    for route in iter_route_contexts(app.routes):
        path = route.path or ""
        if path in OPEN or not isinstance(route.original_route, APIRoute):
            continue
        for method in route.methods or ():
            answer = client.request(method, path.replace("{", "").replace("}", ""))
            is_hint = answer.status_code == 405 and path.startswith(WEBHOOKS)
            is_secret = answer.status_code == 404 and path == SOUND
            assert is_hint or is_secret or answer.status_code in (401, 403), (method, path)
            refused += answer.status_code in (401, 403)
    assert refused > 50


def test_the_document_is_worth_reading(tmp_path: Path) -> None:
    settings = load_settings(_env_file=None, data_dir=tmp_path, **settings_of())
    document = main.create_app(settings).openapi()
    assert "X-API-Key" in document["info"]["description"]
    told = {tag["name"] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["description"].rstrip()[-1] in ".?", (method, path)
            assert set(operation["tags"]) <= told, (method, path)
            is_ours = not path.startswith((*WEBHOOKS, "/console", "/health", "/ready"))
            has_lock = operation.get("security") == [{"ApiKey": []}, {"Bearer": []}]
            assert has_lock is (is_ours and not path.endswith("calendar.ics")), (method, path)
            for field in operation.get("parameters", ()):
                assert field["schema"], (method, path, field["name"])


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": ""}, {"X-API-Key": KEY}])
def test_without_keys_set_every_route_is_closed(tmp_path: Path, headers: dict[str, str]) -> None:
    home = house(tmp_path, keys=())
    with home.client({}) as client:
        for method, path in routes(home.app):
            answer = client.request(method, path, headers=headers)
            assert answer.status_code == 403, path
            assert answer.json()["error"]["code"] == "no_api_keys"
            assert "API_KEYS" in answer.json()["error"]["message"]


def ask(client: TestClient, method: str, path: str, headers: Headers) -> int:
    """The status of an answer that must be a refusal in our form."""
    answer = client.request(method, path, headers=_encoded(headers))
    assert set(answer.json()["error"]) == {"code", "message"}, path
    return answer.status_code


def _encoded(headers: Headers) -> dict[bytes, bytes]:
    return {
        name.encode(): value if isinstance(value, bytes) else value.encode()
        for name, value in headers.items()
    }


def test_all_refusals_are_documented_in_one_form(tmp_path: Path) -> None:
    document = house(tmp_path).app.openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                if int(status) >= 400 and status != "409":
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema["$ref"].endswith("/ErrorAnswer"), (path, method, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert set(document["components"]["securitySchemes"]) == {"ApiKey", "Bearer"}
