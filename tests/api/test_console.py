"""The console's routes: who may use them, what they promise, and what they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import console, guard
from api.guard import TALK_COOKIE, ConsoleGuard
from services.live import Sight
from services.receptionist.agent import Agent, Business
from services.switchboard.tokens import Announced, Tokens

AGENT = Agent(name="Ava", business=Business(name="Bright Smile Dental"))
GREETING = (
    "Thanks for calling Bright Smile Dental. This is Ava, the automated receptionist. "
    "How can I help you?"
)
GRACE = Agent(name="Grace", business=Business(name="Cutting Edge"))
ABOUT = {"name": "Ava", "business": "Bright Smile Dental", "greeting": GREETING}
LIVE = "CA" + "0" * 32
LOCAL = ("127.0.0.1", 50_000)
AWAY = ("198.51.100.7", 50_000)


class Directory:
    """Two agents, of whom the first answers all numbers."""

    agents: ClassVar = {"receptionist": AGENT, "salon": GRACE}

    def for_number(self, called: str) -> tuple[str, Agent]:
        return "receptionist", AGENT


class FakeLive:
    """One live call, whose sights are those that the test puts in."""

    def __init__(self) -> None:
        self.typed: list[tuple[str, str]] = []
        self.sights: list[Sight] = []

    def type_text(self, call_id: str, text: str) -> bool:
        self.typed.append((call_id, text))
        return call_id == LIVE

    async def watch(self, call_id: str) -> AsyncIterator[Sight]:
        assert call_id == LIVE
        for sight in self.sights:
            yield sight


class House:
    """The routes with everything that they need, and clients for them."""

    def __init__(self, password: str = "") -> None:
        self.tokens = Tokens()
        self.live = FakeLive()
        self.app = FastAPI()
        guard.install(self.app)
        parts = (ConsoleGuard(password), self.tokens, self.live, Directory())
        self.app.include_router(console.build(*parts))  # type: ignore[arg-type]

    def client(self, peer: tuple[str, int] = LOCAL, scheme: str = "http") -> TestClient:
        return TestClient(
            self.app, base_url=f"{scheme}://localhost", client=peer, follow_redirects=False
        )


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    with house.client() as client:
        yield client


# --- the page -------------------------------------------------------------------------------------


def test_the_front_page_is_the_talk_page(client: TestClient) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/talk")
    page = client.get("/talk")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_the_page_is_served_to_everybody_but_its_calls_are_not(house: House) -> None:
    with house.client(AWAY) as client:
        assert client.get("/talk").status_code == 200
        assert client.get("/static/talk.js").status_code == 200
        for answer in (
            client.get("/console/info"),
            client.post("/console/call", json={}),
            client.post(f"/console/calls/{LIVE}/text", json={"text": "Hello"}),
            client.get(f"/console/calls/{LIVE}/events"),
        ):
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "not_local"
            assert "set-cookie" not in answer.headers
    assert house.live.typed == []


def test_a_stranger_is_refused_before_anything_is_read(house: House) -> None:
    with house.client(AWAY) as client:
        answer = client.post("/console/call", content=b"[" * 100_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_local")


@pytest.mark.parametrize("headers", [{}, {"transfer-encoding": "chunked"}])
def test_a_body_that_is_too_large_is_not_read(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/console/call", content=b"[" * 100_000, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_a_password_opens_the_console_from_anywhere() -> None:
    with House("open sesame").client(AWAY) as client:
        assert client.get("/console/info").status_code == 401
        assert client.get("/console/info", auth=("me", "open sesame")).json() == ABOUT


def test_the_page_may_ask_for_another_agent(house: House, client: TestClient) -> None:
    info = client.get("/console/info", params={"agent": "salon"}).json()
    assert (info["name"], info["business"]) == ("Grace", "Cutting Edge")
    answer = client.post("/console/call", params={"agent": "salon"}, json={})
    assert answer.status_code == 201
    call = answer.json()
    assert call["agent"] == info
    announced = house.tokens.redeem(call["token"], call["callSid"])
    assert announced is not None
    assert announced.agent == "salon"


def test_an_agent_that_there_is_not_is_refused_with_those_that_there_are(
    client: TestClient,
) -> None:
    for answer in (
        client.get("/console/info", params={"agent": "nobody"}),
        client.post("/console/call", params={"agent": "nobody"}, json={}),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no_such_agent")
        assert "receptionist, salon" in answer.json()["error"]["message"]


WEB = Path(console.__file__).parent.parent / "web"


def test_the_page_names_only_files_that_are_served(client: TestClient) -> None:
    named = set(re.findall(r'(?:href|src)="([^"]+)"', client.get("/talk").text))
    assert {"/static/icon.svg", "/static/talk.css", "/static/talk.js"} <= named
    for path in named:
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", sorted(WEB.rglob("*.*")), ids=lambda path: path.name)
def test_the_page_works_offline_and_under_its_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    foreign = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text))
    assert foreign <= {"http://www.w3.org", "https://www.twilio.com"}, "a name and a citation"
    if path.suffix == ".html":
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", ["/talk", "/static/talk.js", "/static/icon.svg", "/console/info"])
def test_answers_carry_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(
        directive.split(" ", 1) for directive in headers["content-security-policy"].split("; ")
    )
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["permissions-policy"].startswith("microphone=(self)")
    assert headers["cache-control"] == "no-cache"


def test_scripts_are_served_as_scripts(client: TestClient) -> None:
    for path in WEB.glob("*.js"):
        answer = client.get(f"/static/{path.name}")
        assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("path", ["nothing.js", "", "%2e%2e/main.py", "..%2fmain.py"])
def test_nothing_else_is_served(client: TestClient, path: str) -> None:
    answer = client.get(f"/static/{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "no_such_file"


# --- calling --------------------------------------------------------------------------------------


def test_a_call_is_announced_with_all_that_the_page_needs(house: House, client: TestClient) -> None:
    answer = client.post("/console/call", json={})
    assert answer.status_code == 201
    call = answer.json()
    call_id, token = call["callSid"], call["token"]
    assert re.fullmatch("CA[0-9a-f]{32}", call_id)
    assert re.fullmatch("MZ[0-9a-f]{32}", call.pop("streamSid"))
    assert call == {
        "callSid": call_id,
        "token": token,
        "parameters": {"token": token, "caller": "client:talk", "called": ""},
        "url": "/media-stream",
        "events": f"/console/calls/{call_id}/events",
        "text": f"/console/calls/{call_id}/text",
        "agent": ABOUT,
    }
    assert house.tokens.redeem(token, call_id) == Announced(
        call_id, "client:talk", "", "talk", "receptionist"
    )


def test_every_call_is_a_new_one(client: TestClient) -> None:
    first, second = (client.post("/console/call", json={}).json() for _ in range(2))
    assert all(first[key] != second[key] for key in ("callSid", "streamSid", "token"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_cookie_goes_to_the_media_stream_only(house: House, scheme: str) -> None:
    with house.client(scheme=scheme) as client:
        answer = client.post("/console/call", json={})
    value, *attributes = answer.headers["set-cookie"].split("; ")
    assert value == f"{TALK_COOKIE}={answer.json()['token']}"
    expected = {"HttpOnly", "Max-Age=60", "Path=/media-stream", "SameSite=strict"}
    assert set(attributes) == expected | ({"Secure"} if scheme == "https" else set())


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_form_of_another_site_places_no_call(client: TestClient, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    answer = client.post("/console/call", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_request")
    assert "set-cookie" not in answer.headers


# --- during a call --------------------------------------------------------------------------------


def test_a_typed_turn_reaches_the_call(house: House, client: TestClient) -> None:
    answer = client.post(f"/console/calls/{LIVE}/text", json={"text": "  Are you open? \n"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert house.live.typed == [(LIVE, "Are you open?")]


def test_a_call_that_is_over_hears_nothing(client: TestClient) -> None:
    answer = client.post("/console/calls/CA1/text", json={"text": "Hello"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "no_such_call"


@pytest.mark.parametrize(
    "body",
    [{}, {"text": ""}, {"text": " \n"}, {"text": "secret" * 100}, {"text": 5}, ["secret"], None],
    ids=str,
)
def test_a_turn_that_is_none_is_refused_without_repeating_it(
    house: House, client: TestClient, body: object
) -> None:
    answer = client.post(f"/console/calls/{LIVE}/text", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_request")
    assert "secret" not in answer.text
    assert house.live.typed == []


def test_the_longest_turn_is_500_characters(house: House, client: TestClient) -> None:
    answer = client.post(f"/console/calls/{LIVE}/text", json={"text": "a" * 500})
    assert answer.status_code == 204


def test_the_events_of_a_call_are_streamed_until_it_ends(house: House, client: TestClient) -> None:
    house.live.sights = [
        {"type": "state", "caller": "quiet", "agent": "speaking"},
        {"type": "caption", "who": "agent", "id": 1, "text": "Grüß\nGott", "final": True},
        {"type": "latency", "ms": {"total": 640.5, "first_mark": None}},
        {"type": "ended", "reason": "goodbye"},
    ]
    answer = client.get(f"/console/calls/{LIVE}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-cache"
    events = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert [json.loads(event) for event in events] == house.live.sights
