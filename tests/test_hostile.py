"""Sockets that mean harm, or are broken: each is refused or ignored, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.server import Holdings, RunningServer, serve
from tests.simulators import twilio_wire as wire
from tests.simulators.phone import CallSetup, Phone, Refused, Signing
from tests.simulators.webhook import Twiml

AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
POLICY_VIOLATION, TOO_BIG = 1008, 1009


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data: Path = tmp_path_factory.mktemp("hostile")
    with serve(data, use_mock_streaming=True, twilio_auth_token=AUTH_TOKEN) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_is_left_behind(server: RunningServer) -> Iterator[None]:
    before = server.holdings()
    yield

    def settled(now: Holdings) -> bool:
        return now.tasks <= before.tasks and now.files <= before.files and now.calls == 0

    after = server.settle(settled)
    assert settled(after), f"{before} became {after}"
    assert httpx.get(f"{server.url}/health").json()["calls"] == 0


def phone(server: RunningServer, **setup: object) -> Phone:
    return Phone(CallSetup(url=server.url, auth_token=AUTH_TOKEN, **setup))  # type: ignore[arg-type]


@asynccontextmanager
async def announced(caller: Phone) -> AsyncIterator[tuple[ClientConnection, Twiml]]:
    """An open socket of a call that the webhook announced; nothing was said on it yet."""
    twiml = await caller.ring()
    async with caller.socket(twiml) as socket:
        yield socket, twiml


async def start(socket: ClientConnection, caller: Phone, twiml: Twiml) -> None:
    await socket.send(wire.connected())
    await socket.send(wire.start(caller.ids, twiml.parameters))


async def greeted(socket: ClientConnection) -> None:
    """Return when the agent's audio comes: the call is live."""
    async with asyncio.timeout(5):
        while json.loads(await socket.recv())["event"] != "media":
            pass


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """The code and reason with which the server closes."""
    async with asyncio.timeout(15):
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    return socket.close_code or 0, socket.close_reason or ""


def garbage(count: int) -> list[str | bytes]:
    """Messages that no carrier sends: broken JSON, wrong shapes and types, binary, huge numbers."""
    chance = random.Random(1)
    good = '{"event":"media","sequenceNumber":"4","streamSid":"MZ","media":{"track":"inbound",'
    good += '"chunk":"2","timestamp":"20","payload":"//8="}}'
    made: list[str | bytes] = [
        *("", "{", "null", "[]", "1e999", '"text"', '{"event":1}', '{"event":"media"}'),
        *(b"", b"\x00\x01", good.replace("20", "99999999999999"), good.replace("//8=", "!!!")),
        '{"event":"mark","streamSid":"MZ","mark":{}}',
        '{"event":"dtmf","streamSid":"MZ","dtmf":{"digit":"12"}}',
        '{"event":"start","start":null}',
        "[" * 5000,
    ]
    while len(made) < count:
        at, junk = chance.randrange(len(good)), chance.choice('{}[]",:\\u0000x9-')
        made.append(good[:at] + junk + good[at + chance.randrange(3) :])
    return made[:count]


async def test_five_hundred_broken_messages_do_not_disturb_a_call(server: RunningServer) -> None:
    caller = phone(server)
    async with announced(caller) as (socket, twiml):
        await start(socket, caller, twiml)
        for message in garbage(500):
            await socket.send(message)
        await greeted(socket)
        await socket.send(wire.stop(caller.ids, 2))
        assert await closed(socket) == (1000, "")
    closing = server.journal(caller.ids.call_sid)[-1]
    assert closing["bad_messages"] > 100


@pytest.mark.parametrize(
    "message", [*garbage(16), wire.connected()], ids=lambda text: repr(text)[:40]
)
async def test_a_broken_message_before_start_ends_the_socket(
    server: RunningServer, message: str | bytes
) -> None:
    async with announced(phone(server)) as (socket, _):
        for _ in range(20):
            try:
                await socket.send(message)
            except ConnectionClosed:
                break
        code, reason = await closed(socket)
        assert code == POLICY_VIOLATION
        assert reason


async def test_media_before_start_is_refused(server: RunningServer) -> None:
    caller = phone(server)
    async with announced(caller) as (socket, _):
        await socket.send(wire.connected())
        await socket.send('{"event":"media","streamSid":"MZ1","media":{"payload":"//8="}}')
        assert (await closed(socket))[0] == POLICY_VIOLATION


async def test_a_huge_message_is_refused_and_ends_the_call(server: RunningServer) -> None:
    caller = phone(server)
    async with announced(caller) as (socket, twiml):
        await start(socket, caller, twiml)
        await greeted(socket)
        await socket.send("x" * 70_000)
        assert (await closed(socket))[0] == TOO_BIG


async def test_a_second_start_is_ignored(server: RunningServer) -> None:
    caller = phone(server)
    async with announced(caller) as (socket, twiml):
        await start(socket, caller, twiml)
        await greeted(socket)
        await start(socket, caller, twiml)
        await socket.send(wire.stop(caller.ids, 3))
        assert await closed(socket) == (1000, "")
    assert server.journal(caller.ids.call_sid)[-1]["bad_messages"] == 1


async def test_a_close_without_stop_ends_the_call(server: RunningServer) -> None:
    caller = phone(server)
    async with announced(caller) as (socket, twiml):
        await start(socket, caller, twiml)
        await greeted(socket)
    last = server.journal(caller.ids.call_sid)[-2]
    assert last["event"] == {"type": "CallerHungUp", "reason": "closed"}


async def test_a_tcp_reset_ends_the_call(server: RunningServer) -> None:
    caller = phone(server)
    async with announced(caller) as (socket, twiml):
        await start(socket, caller, twiml)
        await greeted(socket)
        socket.transport.abort()
    assert server.journal(caller.ids.call_sid)[-2]["event"]["type"] == "CallerHungUp"


async def test_a_socket_that_says_nothing_is_let_go(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.media_stream.START_WITHIN_S", 0.2)
    async with announced(phone(server)) as (socket, _):
        code, reason = await closed(socket)
        assert (code, reason) == (POLICY_VIOLATION, "expected start within 0 s")


@pytest.mark.parametrize("signing", [Signing.WRONG, Signing.NONE])
async def test_an_unsigned_webhook_is_refused(server: RunningServer, signing: Signing) -> None:
    with pytest.raises(Refused) as refusal:
        await phone(server, sign_webhook=signing).ring()
    assert refusal.value.status == 403


@pytest.mark.parametrize("signing", [Signing.WRONG, Signing.NONE])
async def test_an_unsigned_handshake_is_refused(server: RunningServer, signing: Signing) -> None:
    with pytest.raises(Refused) as refusal:
        async with announced(phone(server, sign_socket=signing)):
            pass
    assert refusal.value.status == 403


async def test_a_token_is_good_once(server: RunningServer) -> None:
    caller = phone(server)
    async with announced(caller) as (first, twiml):
        await start(first, caller, twiml)
        await greeted(first)
        async with caller.socket(twiml) as second:
            await start(second, caller, twiml)
            assert (await closed(second))[0] == POLICY_VIOLATION


async def test_a_token_of_another_call_is_refused(server: RunningServer) -> None:
    other = await phone(server).ring()
    caller = phone(server)
    async with announced(caller) as (socket, _):
        await start(socket, caller, other)
        assert (await closed(socket))[0] == POLICY_VIOLATION


async def test_a_socket_that_nobody_announced_is_refused(server: RunningServer) -> None:
    caller = phone(server)
    twiml = await caller.ring()
    async with caller.socket(twiml) as socket:
        await socket.send(wire.connected())
        await socket.send(wire.start(caller.ids, {}))
        assert (await closed(socket))[0] == POLICY_VIOLATION


async def test_an_old_token_is_refused(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = phone(server)
    async with announced(caller) as (socket, twiml):
        a_minute_later = time.monotonic() + 61
        monkeypatch.setattr(server.app.state.tokens, "_clock", lambda: a_minute_later)
        await start(socket, caller, twiml)
        assert (await closed(socket))[0] == POLICY_VIOLATION


async def test_a_second_stream_of_a_call_ends_the_first(server: RunningServer) -> None:
    caller = phone(server)
    async with announced(caller) as (first, twiml):
        await start(first, caller, twiml)
        await greeted(first)
        again = await caller.ring()
        assert again.parameters["token"] != twiml.parameters["token"]
        async with caller.socket(again) as second:
            await start(second, caller, again)
            assert await closed(first) == (1000, "")
            await greeted(second)


async def test_a_repeated_webhook_gets_the_same_call_again(server: RunningServer) -> None:
    caller = phone(server)
    first, again = await caller.ring(), await caller.ring()
    assert first.parameters == again.parameters
