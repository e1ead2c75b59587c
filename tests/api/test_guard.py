"""Who may come in: local or not, with a password or not, signed or not."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection
from twilio.request_validator import RequestValidator

from api import guard
from api.connection import Refused, is_local, networks, public_base, requested_url, sender
from api.guard import ConsoleGuard, handshake_allowed
from services.switchboard.tokens import Tokens

TRUSTED = ("127.0.0.1", "::1")
HERE = {"host": "localhost:8000"}


def connection(
    headers: dict[str, str],
    *,
    peer: str | None = "127.0.0.1",
    scheme: str = "http",
    path: str = "/",
    kind: str = "http",
) -> HTTPConnection:
    return HTTPConnection(
        {
            "type": kind,
            "scheme": scheme,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [
                (name.encode(), value.encode("latin-1")) for name, value in headers.items()
            ],
            "client": None if peer is None else (peer, 40000),
        }
    )


# --- local ------------------------------------------------------------------------------------


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "[::1]"],
)
def test_this_machine_is_local(peer: str, host: str) -> None:
    assert is_local(connection({"host": host}, peer=peer))
    assert is_local(connection({"host": host, "origin": f"http://{host}"}, peer=peer))


@pytest.mark.parametrize(
    "peer", ["192.168.1.2", "::ffff:192.168.1.2", "fe80::1", "0.0.0.0", "localhost", "", None]
)
def test_other_machines_and_unix_sockets_are_not_local(peer: str | None) -> None:
    assert not is_local(connection(HERE, peer=peer))


@pytest.mark.parametrize(
    "header",
    [
        *("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-port"),
        *("forwarded", "x-real-ip", "via", "cf-connecting-ip", "cf-ray", "ngrok-trace-id"),
        *("tailscale-user-login", "true-client-ip", "x-client-ip", "x-original-host", "cdn-loop"),
    ],
)
def test_what_a_proxy_has_touched_is_not_local(header: str) -> None:
    assert not is_local(connection(HERE | {header: "x"}))
    assert not is_local(connection(HERE | {header: ""}))


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:8000", "localhost.evil.example", "192.168.1.2:8000"),
        *(
            "0.0.0.0",
            "localhost:8000@evil.example",
            "localhost, evil.example",
            "[::1",
            "2130706433",
        ),
    ],
)
def test_a_foreign_name_for_this_machine_is_not_local(host: str) -> None:
    assert not is_local(connection({"host": host}))
    assert not is_local(connection({"host": host, "origin": f"http://{host}"}))


@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "https://evil.example", "http://localhost:3000", "null", ""),
        *("http://127.0.0.1:8000", "file://localhost:8000", "localhost:8000"),
        *("chrome-extension://localhost:8000", "http://localhost:8000.evil.example"),
    ],
)
def test_another_sites_page_is_not_local(origin: str) -> None:
    assert not is_local(connection(HERE | {"origin": origin}))


def test_default_ports_may_be_left_out() -> None:
    assert is_local(connection({"host": "localhost:80", "origin": "http://localhost"}))


# --- names and addresses ----------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "base"), [("http", "http"), ("wss", "https"), ("ws", "http")])
def test_the_base_has_a_web_scheme(scheme: str, base: str) -> None:
    request = connection({"host": "h.example:8000"}, scheme=scheme)
    assert public_base(request, "", TRUSTED) == f"{base}://h.example:8000"


def test_each_forwarded_header_counts_by_itself() -> None:
    request = connection({"host": "h.example", "x-forwarded-proto": "HTTPS"})
    assert public_base(request, "", TRUSTED) == "https://h.example"
    request = connection({"host": "h.example", "x-forwarded-host": " a.example:8443 , b"})
    assert public_base(request, "", TRUSTED) == "http://a.example:8443"


def test_a_unix_socket_is_no_trusted_proxy() -> None:
    request = connection({"host": "h.example", "x-forwarded-host": "a.example"}, peer=None)
    assert public_base(request, "", TRUSTED) == "http://h.example"


def test_a_forwarded_host_that_is_none_is_refused() -> None:
    request = connection({"host": "h.example", "x-forwarded-host": "a b"})
    with pytest.raises(Refused) as refusal:
        public_base(request, "", TRUSTED)
    assert (refusal.value.status_code, refusal.value.code) == (400, "bad_host")


def test_the_requested_url_is_not_decoded() -> None:
    request = connection({}, path="/a%20b/%C3%A9")
    request.scope["query_string"] = b"x=%7e+"
    assert requested_url(request, "https://h") == "https://h/a%20b/%C3%A9?x=%7e+"


def test_a_proxy_that_cannot_be_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="nginx"):
        networks(("nginx",))
    with pytest.raises(ValueError, match="nginx"):
        ConsoleGuard("", trusted_proxies=("nginx",))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "counted"),
    [
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "8.8.8.8, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "8.8.8.8, nonsense", "127.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "", "198.51.100.7"),
    ],
)
def test_the_sender_is_whom_the_nearest_proxy_saw(
    peer: str, forwarded_for: str, counted: str
) -> None:
    request = connection({"x-forwarded-for": forwarded_for}, peer=peer)
    assert sender(request, TRUSTED) == counted


# --- the console ------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def console(console_guard: ConsoleGuard, peer: str = "127.0.0.1") -> httpx.AsyncClient:
    router = APIRouter(dependencies=[Depends(console_guard)])

    @router.api_route("/page", methods=["GET", "POST"])
    async def page() -> str:
        return "welcome"

    app = FastAPI()
    guard.install(app)
    app.include_router(router)
    transport = httpx.ASGITransport(app, client=(peer, 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8000")


def refusal_of(response: httpx.Response) -> tuple[int, str]:
    body = response.json()
    assert set(body["error"]) == {"code", "message"}
    return response.status_code, body["error"]["code"]


def basic(password: str, user: str = "anyone") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def test_without_a_password_this_machine_may_come_in() -> None:
    async with console(ConsoleGuard("")) as http:
        assert (await http.get("/page")).json() == "welcome"
        assert (await http.post("/page")).status_code == 200


async def test_without_a_password_nobody_else_may_come_in_and_is_told_what_to_do() -> None:
    async with console(ConsoleGuard(""), peer="192.168.1.2") as http:
        response = await http.get("/page")
        assert refusal_of(response) == (403, "not_local")
        assert "CONSOLE_PASSWORD" in response.text
        assert refusal_of(await http.get("/page", headers=basic("")))[0] == 403
    async with console(ConsoleGuard("")) as http:
        tunnelled = await http.get("/page", headers={"X-Forwarded-For": "203.0.113.9"})
        assert refusal_of(tunnelled) == (403, "not_local")
        forged = await http.post("/page", headers={"Origin": "https://evil.example"})
        assert refusal_of(forged) == (403, "not_local")


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.168.1.2"])
async def test_with_a_password_everybody_needs_it(peer: str) -> None:
    async with console(ConsoleGuard("pässwort:1"), peer) as http:
        response = await http.get("/page")
        assert refusal_of(response) == (401, "password_required")
        assert response.headers["www-authenticate"].startswith('Basic realm="')
        assert (await http.get("/page", headers=basic("pässwort:1"))).json() == "welcome"
        assert (await http.get("/page", headers=basic("pässwort:1", user=""))).status_code == 200
        assert refusal_of(await http.get("/page", headers=basic("pässwort:")))[0] == 401


@pytest.mark.parametrize(
    "header", ["", "Basic", "Basic !!!", "Bearer c2VjcmV0", "Basic c2VjcmV0", "Basic é", "\tBasic"]
)
async def test_what_is_no_password_is_asked_for_and_not_counted(header: str) -> None:
    async with console(ConsoleGuard("secret")) as http:
        for _ in range(11):
            raw = {"Authorization": header.encode("latin-1")}
            assert refusal_of(await http.get("/page", headers=raw))[0] == 401


async def test_wrong_passwords_lock_their_sender_out_for_a_minute() -> None:
    clock = Clock()
    console_guard = ConsoleGuard("secret", clock=clock)
    async with console(console_guard, "198.51.100.7") as http:
        for n in range(10):
            assert refusal_of(await http.get("/page", headers=basic(f"guess {n}")))[0] == 401
        response = await http.get("/page", headers=basic("secret"))
        assert refusal_of(response) == (429, "too_many_attempts")
        assert response.headers["retry-after"] == "61"
        async with console(console_guard, "198.51.100.8") as neighbour:
            assert (await neighbour.get("/page", headers=basic("secret"))).status_code == 200
        clock.now += 59.5
        response = await http.get("/page", headers=basic("secret"))
        assert response.headers["retry-after"] == "1"
        clock.now += 0.5
        assert (await http.get("/page", headers=basic("secret"))).status_code == 200


async def test_wrong_passwords_are_forgotten_after_a_minute() -> None:
    clock = Clock()
    async with console(ConsoleGuard("secret", clock=clock)) as http:
        for _ in range(30):
            assert refusal_of(await http.get("/page", headers=basic("wrong")))[0] == 401
            clock.now += 6.1


async def test_behind_a_proxy_one_guesser_does_not_lock_the_others_out() -> None:
    async with console(ConsoleGuard("secret", clock=Clock())) as http:
        guesser, owner = {"X-Forwarded-For": "203.0.113.9"}, {"X-Forwarded-For": "203.0.113.10"}
        for _ in range(10):
            await http.get("/page", headers=basic("wrong") | guesser)
        assert refusal_of(await http.get("/page", headers=basic("secret") | guesser))[0] == 429
        assert (await http.get("/page", headers=basic("secret") | owner)).status_code == 200


async def test_guessers_from_everywhere_cost_bounded_memory() -> None:
    console_guard = ConsoleGuard("secret", clock=Clock())
    wrong = basic("wrong")["Authorization"]
    for n in range(3000):
        guesser = connection({"authorization": wrong}, peer=f"203.{n >> 8}.113.{n & 255}")
        with pytest.raises(Refused):
            await console_guard(guesser)
    assert len(console_guard._wrong._counts) == 1024


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8000", 200),
        ("https://agent.example.com", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
async def test_a_password_does_not_open_the_door_to_another_sites_page(
    origin: str, status: int
) -> None:
    console_guard = ConsoleGuard("secret", public_url="https://agent.example.com")
    async with console(console_guard) as http:
        headers = basic("secret") | {"Origin": origin}
        assert (await http.post("/page", headers=headers)).status_code == status
        assert (await http.get("/page", headers=headers)).status_code == 200


async def test_behind_a_trusted_proxy_its_host_is_ours() -> None:
    headers = basic("secret") | {"Origin": "https://abc.ngrok.app"}
    forwarded = {"X-Forwarded-Host": "abc.ngrok.app", "X-Forwarded-Proto": "https"}
    async with console(ConsoleGuard("secret")) as http:
        assert (await http.post("/page", headers=headers | forwarded)).status_code == 200
        assert refusal_of(await http.post("/page", headers=headers)) == (403, "cross_site")


async def test_a_websocket_is_refused_before_it_is_accepted() -> None:
    app = FastAPI()
    guard.install(app)

    @app.websocket("/events", dependencies=[Depends(ConsoleGuard(""))])
    async def events(websocket: WebSocket) -> None:
        raise AssertionError("let in")

    sent: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    stranger = connection(HERE, peer="192.168.1.2", scheme="ws", path="/events", kind="websocket")
    await app(stranger.scope, receive, send)
    assert sent == ["websocket.close"]


async def test_without_install_a_refusal_still_has_its_status() -> None:
    app = FastAPI()

    @app.get("/page")
    async def page(request: Request, _: Annotated[None, Depends(ConsoleGuard(""))]) -> str:
        return "welcome"

    transport = httpx.ASGITransport(app, client=("192.168.1.2", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        assert (await http.get("/page")).status_code == 403


# --- the media stream -------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    twilio_auth_token: str = "12345"
    public_url: str = ""
    trusted_proxies: tuple[str, ...] = TRUSTED


def handshake(headers: dict[str, str], **kwargs: Any) -> HTTPConnection:
    kwargs = {"scheme": "ws", "path": "/media-stream", "kind": "websocket", **kwargs}
    return connection({"host": "localhost:8000"} | headers, **kwargs)


def signature(url: str) -> dict[str, str]:
    return {"x-twilio-signature": RequestValidator("12345").compute_signature(url, {})}


PUBLIC = Settings(public_url="https://agent.example.com")


def test_without_an_auth_token_every_handshake_is_accepted() -> None:
    settings = Settings(twilio_auth_token="")
    assert handshake_allowed(handshake({}, peer="192.168.1.2"), settings, Tokens())


@pytest.mark.parametrize("known", ["6twNsYiuYAS0i62gts1rqaH8MJg=", "/chY2OSm00ILs3g6u8Nxe/2+k8w="])
@pytest.mark.parametrize("path", ["/media-stream", "/media-stream/"])
def test_a_signed_handshake_is_accepted_with_and_without_a_final_slash(
    known: str, path: str
) -> None:
    stream = handshake({"x-twilio-signature": known}, path=path, peer="192.168.1.2")
    assert handshake_allowed(stream, PUBLIC, Tokens())


def test_behind_a_trusted_proxy_the_stream_is_signed_as_wss() -> None:
    headers = {
        **signature("wss://abc.ngrok.app/media-stream"),
        "x-forwarded-proto": "https",
        "x-forwarded-host": "abc.ngrok.app",
    }
    assert handshake_allowed(handshake(headers), Settings(), Tokens())
    assert not handshake_allowed(handshake(headers, peer="192.168.1.2"), Settings(), Tokens())


def test_without_a_proxy_the_stream_is_signed_as_wss_all_the_same() -> None:
    headers = signature("wss://localhost:8000/media-stream")
    assert handshake_allowed(handshake(headers), Settings(), Tokens())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-twilio-signature": ""},
        {"x-twilio-signature": "é" * 28},
        signature("https://agent.example.com/media-stream"),
        signature("wss://agent.example.com/other"),
        {"cookie": "talk="},
        {"cookie": "talk=guess", "origin": "http://localhost:8000"},
    ],
)
def test_an_unsigned_handshake_is_refused_and_the_log_says_what_was_expected(
    headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    assert not handshake_allowed(handshake(headers), PUBLIC, Tokens())
    [record] = caplog.records
    assert "'wss://agent.example.com/media-stream'" in record.getMessage()
    assert "12345" not in record.getMessage()


def test_a_handshake_without_a_host_is_refused() -> None:
    assert not handshake_allowed(handshake({"host": ""}), Settings(), Tokens())


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:8000", True),
        ("https://agent.example.com", True),
        ("https://evil.example", False),
        ("", False),
        (None, False),
    ],
)
def test_the_talk_page_comes_in_by_its_cookie_from_its_own_origin_only(
    origin: str | None, allowed: bool
) -> None:
    tokens = Tokens()
    cookie = {"cookie": f"a=b; talk={tokens.issue('1', '', '', 'talk')}"}
    headers = cookie if origin is None else cookie | {"origin": origin}
    assert handshake_allowed(handshake(headers), PUBLIC, tokens) is allowed
    assert tokens.unused == 1


def test_the_cookie_is_no_good_once_its_token_is_used_or_if_it_was_not_the_talk_pages() -> None:
    tokens = Tokens()
    page = {"origin": "http://localhost:8000"}
    token = tokens.issue("1", "", "", "talk")
    tokens.redeem(token, "1")
    assert not handshake_allowed(handshake(page | {"cookie": f"talk={token}"}), PUBLIC, tokens)
    token = tokens.issue("CA1", "", "", "twilio")
    assert not handshake_allowed(handshake(page | {"cookie": f"talk={token}"}), PUBLIC, tokens)


# --- noise ------------------------------------------------------------------------------------

LATIN = st.text(st.characters(max_codepoint=255), max_size=40)
HEADER_NAMES = ["host", "origin", "cookie", "authorization", "x-forwarded-proto"]
HEADER_NAMES += ["x-forwarded-host", "x-forwarded-for", "x-twilio-signature"]


@given(st.dictionaries(st.sampled_from(HEADER_NAMES), LATIN), st.text(max_size=20))
async def test_no_headers_let_a_stranger_in(headers: dict[str, str], peer: str) -> None:
    stranger = connection(headers, peer="203.0.113." + peer, kind="websocket", scheme="ws")
    decide: list[Callable[[], bool]] = [
        lambda: is_local(stranger),
        lambda: handshake_allowed(stranger, PUBLIC, Tokens()),
        lambda: handshake_allowed(stranger, Settings(), Tokens()),
    ]
    assert not any(decision() for decision in decide)
    for password in ("", "secret"):
        with pytest.raises(Refused):
            await ConsoleGuard(password)(stranger)
