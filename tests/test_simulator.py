"""The phone in the box calls a small fake server over a real socket."""

from __future__ import annotations

import asyncio
import base64
import json
import socket as tcp
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
import uvicorn
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.simulators import __main__ as command
from tests.simulators.line import LineConditions
from tests.simulators.mulaw import encode
from tests.simulators.phone import CallSetup, Phone, Refused, Signing, Unreachable
from tests.simulators.script import (
    BargeIn,
    ExpectHangUp,
    HangUp,
    HangUpMode,
    PlayWav,
    PressKeys,
    Say,
    Script,
    SendRaw,
    Wait,
    WaitAgent,
)

TOKEN = "an-auth-token"
LOUD = b"\x10" * 160
SHORT_WAIT = WaitAgent(silence_ms=60, timeout_s=5)


def speak(text: str) -> bytes:
    """A voice that hums 20 ms for each letter."""
    return LOUD * len(text)


@dataclass
class Socket:
    """The fake server's end of one media stream."""

    receive: Callable[[], Awaitable[Any]]
    transmit: Callable[[Any], Awaitable[None]]
    got: list[dict[str, Any]] = field(default_factory=list)
    closed: int = 0
    sid: str = ""

    async def read(self) -> dict[str, Any] | None:
        """The next message, parsed; None once the phone is gone."""
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            self.closed = message["code"]
            return None
        parsed: dict[str, Any] = json.loads(message["text"])
        self.got.append(parsed)
        return parsed

    async def raw(self, **message: Any) -> None:
        await self.transmit({"type": "websocket.send", **message})

    async def send(self, event: str, **details: Any) -> None:
        await self.raw(text=json.dumps({"event": event, "streamSid": self.sid, **details}))

    async def media(self, audio: bytes) -> None:
        await self.send("media", media={"payload": base64.b64encode(audio).decode()})

    async def mark(self, name: str) -> None:
        await self.send("mark", mark={"name": name})

    async def close(self) -> None:
        await self.transmit({"type": "websocket.close", "code": 1000})

    def events(self, name: str) -> list[dict[str, Any]]:
        return [message for message in self.got if message["event"] == name]


Agent = Callable[[Socket], Awaitable[None]]


@dataclass
class FakeServer:
    """An ASGI app: a webhook that answers with TwiML and a socket that ``agent`` speaks on."""

    agent: Agent
    url: str = ""
    status: int = 200
    content_type: str = "text/xml"
    socket_refused: bool = False
    requests: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)
    handshakes: list[dict[str, str]] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if scope["type"] == "http":
            body = (await receive())["body"].decode()
            self.requests.append((headers, dict(parse_qsl(body, keep_blank_values=True))))
            start = [(b"content-type", self.content_type.encode())]
            await send({"type": "http.response.start", "status": self.status, "headers": start})
            await send({"type": "http.response.body", "body": self.twiml().encode()})
            return
        assert (await receive())["type"] == "websocket.connect"
        self.handshakes.append(headers)
        if self.socket_refused:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        socket = Socket(receive, send)
        self.sockets.append(socket)
        await self.agent(socket)

    def twiml(self) -> str:
        return (
            '<Response><Connect><Stream url="wss://voice.example.com/media-stream">'
            '<Parameter name="token" value="abc"/></Stream></Connect></Response>'
        )


@asynccontextmanager
async def serving(agent: Agent, **settings: Any) -> AsyncIterator[FakeServer]:
    app = FakeServer(agent, **settings)
    with tcp.create_server(("127.0.0.1", 0)) as listener:
        app.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(app, lifespan="off", log_level="error", ws="websockets-sansio")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield app
        finally:
            server.should_exit = True
            await task


async def listen(socket: Socket) -> None:
    """An agent that never says anything."""
    while await socket.read() is not None:
        pass


async def converse(socket: Socket) -> None:
    """Greets, answers each thing said after 100 ms of silence, hangs up after its second answer."""
    quiet = answers = 0
    loud = base64.b64encode(LOUD).decode()
    while (message := await socket.read()) is not None:
        if message["event"] == "start":
            socket.sid = message["streamSid"]
            await socket.media(LOUD * 10)
            await socket.mark("greeting")
        elif message["event"] == "media" and message["media"]["payload"] == loud:
            quiet = 1
        elif message["event"] == "media" and quiet:
            quiet += 1
            if quiet > 5:
                quiet, answers = 0, answers + 1
                await socket.media(LOUD * 10)
                await socket.mark(f"answer-{answers}")
        elif message["event"] == "mark" and message["mark"]["name"] == "answer-2":
            await socket.close()
            return


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


async def test_a_bad_line() -> None:
    line = LineConditions(duplicate=1.0, dtx=True, packet_bytes=400, snr_db=30.0)
    async with serving(listen) as server:
        report = await Phone(CallSetup(server.url), speak=speak, line=line).call(
            [Wait(0.1), Say("hello hello"), Wait(0.1)]
        )
        media = [message["media"] for message in server.sockets[0].events("media")]
    assert report.ok
    assert media[0::2] == media[1::2]  # each one came twice
    assert {len(base64.b64decode(part["payload"])) for part in media} == {400}
    assert int(media[0]["timestamp"]) >= 100  # nothing was sent of the silence
    assert len(media) == 2 * 5  # 220 ms in packets of 50
    assert len(set(report.audio[0][:400].tolist())) > 10  # the noise is in the recording


async def test_overtaken_messages_keep_their_numbers() -> None:
    async with serving(listen) as server:
        line = LineConditions(reorder=0.5, seed=1)
        await Phone(CallSetup(server.url), line=line).call([Wait(0.4)])
        chunks = [int(message["media"]["chunk"]) for message in server.sockets[0].events("media")]
    assert chunks != sorted(chunks)
    assert len(set(chunks)) == len(chunks)


async def test_many_phones_at_once() -> None:
    async with serving(converse) as server:
        phones = [Phone(CallSetup(server.url), speak=speak) for _ in range(20)]
        script: Script = [SHORT_WAIT, Say("hello"), SHORT_WAIT, HangUp()]
        reports = await asyncio.gather(*(phone.call(script) for phone in phones))
    assert [report.failure for report in reports] == [""] * 20
    assert len({report.stream_sid for report in reports}) == 20
    assert all(len(report.latencies) == 1 for report in reports)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (24000, 1), (44100, 2)])
async def test_wav_files_of_any_kind(tmp_path: Path, rate: int, channels: int) -> None:
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(rate // 4) / rate)
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(tone.astype("<i2"), channels).tobytes())
    async with serving(listen) as server:
        report = await Phone(CallSetup(server.url)).call([PlayWav(tmp_path / "tone.wav")])
    assert [round(segment.ms) for segment in report.caller_segments] == [250]
    assert np.abs(report.audio[0]).max() == pytest.approx(8000, rel=0.05)
    assert len(encode(report.audio[0])) == len(report.audio[0])


async def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(converse) as server:
        options = ["--url", server.url, "--no-listen", "--out", str(tmp_path / "out")]
        words = ["--script", "wait-agent silence=50; dtmf 1; hangup"]
        code = await asyncio.to_thread(command.main, [*options, *words])
        failed = await asyncio.to_thread(
            command.main, [*options, "wait-agent", "expect-hangup", "0.1"]
        )
    assert code == 0
    assert failed == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "call.wav",
        "timeline.json",
        "timeline.txt",
        "transcript.txt",
    }
    assert "greeting" in capsys.readouterr().out
    assert await asyncio.to_thread(command.main, [*options, *words]) == 2
    assert "no answer from" in capsys.readouterr().err
    assert await asyncio.to_thread(command.main, [*options, "--script", "shout"]) == 3
