"""The phone in the box calls a small fake server over a real socket."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from tests.simulators.fake_server import (
    LOUD,
    SHORT_WAIT,
    TOKEN,
    Socket,
    converse,
    listen,
    serving,
    speak,
)
from tests.simulators.phone import CallSetup, Phone
from tests.simulators.script import (
    BargeIn,
    ExpectHangUp,
    HangUp,
    HangUpMode,
    PressKeys,
    Say,
    Script,
    SendRaw,
    Wait,
    WaitAgent,
)


async def test_a_whole_call_ended_by_the_server() -> None:
    script: Script = [
        SHORT_WAIT,
        Say("hello"),
        SHORT_WAIT,
        Say("bye"),
        WaitAgent(),
        ExpectHangUp(5),
    ]
    async with serving(converse) as server:
        phone = Phone(CallSetup(server.url), speak=speak, listen=lambda audio: "hum")
        report = await phone.call(script)
    assert report.failure == ""
    assert report.protocol_errors == []
    assert report.ended_by == "server"
    assert len(report.agent_segments) == 3
    assert all(segment.ms == pytest.approx(200, abs=0.2) for segment in report.agent_segments)
    assert [segment.ms for segment in report.caller_segments] == [100.0, 60.0]
    assert len(report.latencies) == 2
    assert min(report.latencies) >= 100  # the agent waits for five frames
    assert report.greeting_ms is not None
    assert report.gaps == []
    assert report.unheard_ms == 0
    assert [(line.speaker, line.text) for line in report.transcript] == [
        ("agent", "hum"),
        ("caller", "hello"),
        ("agent", "hum"),
        ("caller", "bye"),
        ("agent", "hum"),
    ]


async def test_the_wire_is_twilios() -> None:
    script: Script = [Say("hi"), PressKeys("1#"), SendRaw('{"event":"nonsense"}'), Wait(0.1)]
    setup = CallSetup(call_sid="CA7", auth_token=TOKEN)
    async with serving(listen) as server:
        report = await Phone(CallSetup(server.url, call_sid="CA7"), speak=speak).call(script)
        socket = server.sockets[0]
    assert setup.call_sid == report.call_sid
    connected, start, *rest = socket.got
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["start"]["customParameters"] == {"token": "abc"}
    assert start["start"]["callSid"] == "CA7"
    numbered = [start] + [message for message in rest if message["event"] != "nonsense"]
    counters = [message["sequenceNumber"] for message in numbered]
    assert counters == [str(number) for number in range(1, len(numbered) + 1)]
    media = [message["media"] for message in socket.events("media")]
    assert [part["chunk"] for part in media] == [str(n + 1) for n in range(len(media))]
    assert [part["timestamp"] for part in media] == [str(20 * n) for n in range(len(media))]
    payloads = [base64.b64decode(part["payload"]) for part in media]
    assert {len(payload) for payload in payloads} == {160}
    assert payloads.count(LOUD) == 2
    assert payloads.count(b"\xff" * 160) == len(payloads) - 2
    assert [message["dtmf"]["digit"] for message in socket.events("dtmf")] == ["1", "#"]
    assert socket.got[-1]["event"] == "stop"


async def test_barge_in_and_the_echoes_after_a_clear() -> None:
    cleared = asyncio.Event()

    async def agent(socket: Socket) -> None:
        while (message := await socket.read()) is not None:
            if message["event"] == "start":
                socket.sid = message["streamSid"]
                await socket.media(LOUD * 500)
                await socket.mark("a")
                await socket.media(LOUD * 500)
                await socket.mark("b")
            elif message["event"] == "media" and not cleared.is_set():
                if base64.b64decode(message["media"]["payload"]) == LOUD:
                    cleared.set()
                    await socket.send("clear")
            elif message["event"] == "mark" and message["mark"]["name"] == "b":
                await socket.media(LOUD * 10)
                await socket.mark("c")

    script: Script = [BargeIn(100, Say("stop it")), SHORT_WAIT, HangUp()]
    async with serving(agent) as server:
        report = await Phone(CallSetup(server.url), speak=speak).call(script)
        echoes = [message["mark"]["name"] for message in server.sockets[0].events("mark")]
    assert report.ok, report
    assert echoes == ["a", "b", "c"]
    assert len(report.barge_in_stops) == 1
    assert report.barge_in_stops[0] < 5000  # the agent had 20 s to say
    kinds = [event.kind for event in report.events if event.kind in ("clear", "mark-echo")]
    assert kinds == ["clear", "mark-echo", "mark-echo", "mark-echo"]


async def test_protocol_errors_are_seen_and_fail_the_call() -> None:
    async def agent(socket: Socket) -> None:
        while (message := await socket.read()) is not None:
            if message["event"] == "start":
                await socket.raw(bytes=b"\x00\x01")
                await socket.media(LOUD)  # before it knows the streamSid
                socket.sid = message["streamSid"]
                await socket.send("mark", mark={"name": "a"}, sequenceNumber="1")
                await socket.media(LOUD + b"\xff")
                await socket.mark("seen")

    async with serving(agent) as server:
        report = await Phone(CallSetup(server.url)).call([SHORT_WAIT, HangUp()])
    assert not report.ok
    assert [error.split(":")[0] for error in report.protocol_errors] == [
        "31950",
        "31951",
        "31951",
        "a payload of 161 bytes, which is not a multiple of 160",
    ]
    assert sum(event.kind == "protocol-error" for event in report.events) == 4


@pytest.mark.parametrize(
    ("mode", "stopped", "code"),
    [
        (HangUpMode.STOP_AND_CLOSE, True, 1000),
        (HangUpMode.CLOSE, False, 1000),
        (HangUpMode.ABORT, False, None),
    ],
)
async def test_ways_to_hang_up(mode: HangUpMode, stopped: bool, code: int | None) -> None:
    over = asyncio.Event()

    async def agent(socket: Socket) -> None:
        await listen(socket)
        over.set()

    async with serving(agent) as server:
        report = await Phone(CallSetup(server.url)).call([Wait(0.05), HangUp(mode)])
        await over.wait()
        socket = server.sockets[0]
    assert report.ok
    assert report.ended_by == "caller"
    assert (socket.got[-1]["event"] == "stop") == stopped
    assert socket.closed == code if code else socket.closed in (1005, 1006)


async def test_stop_while_the_socket_stays_open() -> None:
    async def agent(socket: Socket) -> None:
        while (message := await socket.read()) is not None:
            if message["event"] == "stop":
                await socket.close()

    async with serving(agent) as server:
        report = await Phone(CallSetup(server.url)).call([HangUp(HangUpMode.STOP_ONLY)])
    assert report.ended_by == "caller"
    assert "closed by the server after stop" in [event.detail for event in report.events]


@pytest.mark.parametrize(
    ("script", "failure"),
    [
        ([WaitAgent(timeout_s=0.1)], "said nothing within 0.1 s"),
        ([BargeIn(100, Say("x"), timeout_s=0.1)], "not audible within 0.1 s"),
        ([ExpectHangUp(0.1)], "did not end the call within 0.1 s"),
    ],
)
async def test_an_agent_that_does_not_do_its_part(script: list[Any], failure: str) -> None:
    async with serving(listen) as server:
        report = await Phone(CallSetup(server.url), speak=speak).call(script)
    assert failure in report.failure
    assert report.ended_by == "caller"
    assert not report.ok


async def test_a_server_that_hangs_up_too_early() -> None:
    async def agent(socket: Socket) -> None:
        await socket.read()
        await socket.close()

    async with serving(agent) as server:
        report = await Phone(CallSetup(server.url), speak=speak).call([Say("hello")])
    assert "the server ended the call during Say" in report.failure
    assert report.ended_by == "server"


async def test_many_phones_at_once() -> None:
    async with serving(converse) as server:
        phones = [Phone(CallSetup(server.url), speak=speak) for _ in range(20)]
        script: Script = [SHORT_WAIT, Say("hello"), SHORT_WAIT, HangUp()]
        reports = await asyncio.gather(*(phone.call(script) for phone in phones))
    assert [report.failure for report in reports] == [""] * 20
    assert len({report.stream_sid for report in reports}) == 20
    assert all(len(report.latencies) == 1 for report in reports)
