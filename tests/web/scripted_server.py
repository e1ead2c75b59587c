"""A server whose other side is the test: the real console routes, a scripted ``/media-stream``.

It runs in a thread of its own. The test reads what the page sent, in order, and says what the
agent does next. The stream is strict: any message that a carrier would not send so is an error.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from api import console, guard
from api.guard import ConsoleGuard
from services.live import Sight
from services.receptionist.agent import Agent, Business
from services.switchboard.tokens import Tokens

PATIENCE_S = 15.0

AGENT = Agent(name="Ava", business=Business(name="Bright Smile Dental"))


class StrictStream:
    """Checks the messages of one stream, as a carrier must send them, and keeps them in order."""

    def __init__(self, redeem: Callable[[str, str], object]) -> None:
        self.messages: list[dict[str, Any]] = []
        self._redeem = redeem
        self._sequence = 0
        self._frames = 0
        self.stream_sid = ""

    def take(self, text: str) -> None:
        """Check the next message. Raises AssertionError if a carrier would not send it so."""
        message = json.loads(text)
        check = getattr(self, f"_check_{message['event']}")
        if message["event"] != "connected":
            self._sequence += 1
            assert message.pop("sequenceNumber") == str(self._sequence)
        if self._sequence > 1:
            assert message.pop("streamSid") == self.stream_sid
        check(message)
        self.messages.append(message)

    def _check_connected(self, message: dict[str, Any]) -> None:
        assert not self.messages
        assert message == {"event": "connected", "protocol": "Call", "version": "1.0.0"}

    def _check_start(self, message: dict[str, Any]) -> None:
        assert len(self.messages) == 1, "start follows connected, once"
        self.stream_sid = message["streamSid"]
        start = message["start"]
        assert set(message) == {"event", "streamSid", "start"}
        assert set(start) == {
            *("accountSid", "streamSid", "callSid", "tracks", "mediaFormat", "customParameters")
        }
        assert start["streamSid"] == self.stream_sid
        assert re.fullmatch("MZ[0-9a-f]{32}", self.stream_sid)
        assert re.fullmatch("CA[0-9a-f]{32}", start["callSid"])
        assert re.fullmatch("AC[0-9a-f]{32}", start["accountSid"])
        assert start["tracks"] == ["inbound"]
        expected = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
        assert start["mediaFormat"] == expected
        assert self._redeem(start["customParameters"]["token"], start["callSid"])

    def _check_media(self, message: dict[str, Any]) -> None:
        payload = base64.b64decode(message["media"].pop("payload"), validate=True)
        assert len(payload) == 160
        at = str(20 * self._frames)
        self._frames += 1
        expected = {"track": "inbound", "chunk": str(self._frames), "timestamp": at}
        assert message == {"event": "media", "media": expected}
        message["audio"] = payload

    def _check_dtmf(self, message: dict[str, Any]) -> None:
        assert set(message["dtmf"]) == {"track", "digit"}
        assert message["dtmf"]["track"] == "inbound_track"

    def _check_mark(self, message: dict[str, Any]) -> None:
        assert set(message["mark"]) == {"name"}

    def _check_stop(self, message: dict[str, Any]) -> None:
        assert set(message["stop"]) == {"accountSid", "callSid"}


@dataclass
class ScriptedCall:
    """One call of the page. The test's side of it; safe to use from the test's thread."""

    loop: asyncio.AbstractEventLoop
    stream: StrictStream
    websocket: WebSocket
    changed: threading.Condition
    cookies: dict[str, str]
    problems: list[BaseException] = field(default_factory=list)
    closed: bool = False

    @property
    def call_id(self) -> str:
        """The call's id."""
        return str(self.stream.messages[1]["start"]["callSid"])

    def wait_for(self, what: str, ready: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Wait until the messages so far satisfy ``ready``; fail at once if one broke the rules."""

        def done() -> bool:
            return bool(self.problems) or ready(self.stream.messages)

        with self.changed:
            in_time = self.changed.wait_for(done, PATIENCE_S)
        if self.problems:
            raise AssertionError("the page broke the protocol") from self.problems[0]
        assert in_time, f"waited in vain for {what}"

    def wait_for_frames(self, count: int) -> None:
        """Wait for ``count`` more frames of the page's microphone."""
        target = len(self.frames()) + count
        self.wait_for(f"{count} frames", lambda _: len(self.frames()) >= target)

    def wait_for_mark(self, name: str) -> None:
        """Wait for the echo of a mark."""
        self.wait_for(f"mark {name}", lambda _: name in self.marks())

    def frames(self) -> list[bytes]:
        """The page's audio so far."""
        return [m["audio"] for m in list(self.stream.messages) if m["event"] == "media"]

    def marks(self) -> list[str]:
        """The marks echoed so far, in order."""
        return [m["mark"]["name"] for m in list(self.stream.messages) if m["event"] == "mark"]

    def frames_before_mark(self, name: str) -> int:
        """How many frames had come when this mark was echoed: the sound card's own clock."""
        messages = list(self.stream.messages)
        place = next(
            i for i, m in enumerate(messages) if m["event"] == "mark" and m["mark"]["name"] == name
        )
        return sum(m["event"] == "media" for m in messages[:place])

    def digits(self) -> str:
        """The keys pressed so far."""
        return "".join(m["dtmf"]["digit"] for m in self.stream.messages if m["event"] == "dtmf")

    def send(self, event: str, **body: object) -> None:
        """Send one message of the server's kind."""
        message = {"event": event, "streamSid": self.stream.stream_sid, **body}
        self._on_loop(self.websocket.send_text(json.dumps(message)))

    def send_audio(self, audio: bytes) -> None:
        """Send mu-law in frames, all at once."""
        for at in range(0, len(audio), 160):
            payload = base64.b64encode(audio[at : at + 160]).decode()
            self.send("media", media={"payload": payload})

    def send_mark(self, name: str) -> None:
        """Ask for an echo."""
        self.send("mark", mark={"name": name})

    def hang_up(self) -> None:
        """Close the socket from the server's side."""
        self._on_loop(self.websocket.close())

    def _on_loop(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)


class ScriptedLive:
    """Stands in for ``services.live.LiveCalls``."""

    def __init__(self) -> None:
        self.typed: list[tuple[str, str]] = []
        self.live: set[str] = set()
        self._sights: dict[str, asyncio.Queue[Sight]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def type_text(self, call_id: str, text: str) -> bool:
        """Note a typed turn; False if the call is not live."""
        if call_id not in self.live:
            return False
        self.typed.append((call_id, text))
        return True

    async def watch(self, call_id: str) -> AsyncIterator[Sight]:
        """What the test shows of the call."""
        self._loop = asyncio.get_running_loop()
        queue = self._sights.setdefault(call_id, asyncio.Queue())
        while True:
            sight = await queue.get()
            yield sight
            if sight["type"] == "ended":
                return

    def show(self, call_id: str, sight: Sight) -> None:
        """Show something of the call on the page, from the test's thread."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._sights[call_id].put_nowait, sight)


class Directory:
    """The only agent."""

    agents: ClassVar = {"receptionist": AGENT}

    def for_number(self, called: str) -> tuple[str, Agent]:
        return "receptionist", AGENT


class ScriptedServer:
    """The app, and the calls that came in."""

    def __init__(self, password: str = "") -> None:
        self.live = ScriptedLive()
        self.calls: list[ScriptedCall] = []
        self.url = ""
        self._changed = threading.Condition()
        self._tokens = Tokens()
        self.app = FastAPI()
        guard.install(self.app)
        console_guard = ConsoleGuard(password)
        parts = (console_guard, self._tokens, self.live, Directory())
        self.app.include_router(console.build(*parts))  # type: ignore[arg-type]
        self.app.add_api_websocket_route("/media-stream", self._media_stream)

    def wait_for_call(self, earlier: int) -> ScriptedCall:
        """The call after ``earlier`` others, once the page has opened its stream."""
        with self._changed:
            started = self._changed.wait_for(lambda: len(self.calls) > earlier, PATIENCE_S)
        assert started, "the page opened no stream"
        return self.calls[earlier]

    async def _media_stream(self, websocket: WebSocket) -> None:
        await websocket.accept()
        stream = StrictStream(self._tokens.redeem)
        loop = asyncio.get_running_loop()
        call = ScriptedCall(loop, stream, websocket, self._changed, dict(websocket.cookies))
        try:
            while True:
                stream.take(await websocket.receive_text())
                with self._changed:
                    if stream.messages[-1]["event"] == "start":
                        self.calls.append(call)
                        self.live.live.add(call.call_id)
                    self._changed.notify_all()
        except WebSocketDisconnect:
            call.closed = True
        except Exception as problem:
            call.problems.append(problem)
            if call not in self.calls:
                self.calls.append(call)
        with self._changed:
            self._changed.notify_all()

    @contextmanager
    def serve(self) -> Iterator[ScriptedServer]:
        """Serve on a free port of this machine while the context lives."""
        config = uvicorn.Config(
            self.app,
            port=0,
            log_level="warning",
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        server = _Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            assert server.listening.wait(PATIENCE_S), "the server did not start"
            port = server.servers[0].sockets[0].getsockname()[1]
            self.url = f"http://localhost:{port}"
            yield self
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)


class _Server(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()
