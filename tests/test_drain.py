"""A server that is told to stop takes no more calls; those in progress come to their end."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import aiohttp
import pytest

import main
from services.engines.cascade import CascadeEngine
from services.session import FINISH_WITHIN_S
from services.settings import load_settings
from tests.virtual_time import run_virtual

DRAIN_S = 30


class Running:
    """The real server on the test's loop, and somebody who calls it."""

    def __init__(self, folder: Path, http: aiohttp.ClientSession, drain_s: float) -> None:
        settings = load_settings(
            _env_file=None,
            host="127.0.0.1",
            public_url="",
            twilio_auth_token="",
            use_mock_streaming=True,
            data_dir=folder,
            idle_secs=120,
            log_level="WARNING",
        )
        self._http = http
        self._folder = folder
        self.app = main.create_app(settings)
        config = main.server_config(self.app, settings)
        config.port = 0
        self.listening = config.bind_socket()
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.server = main.Server(config, self.app.state.calls, drain_s)
        self.stopped_at = 0.0
        self.is_up = asyncio.Event()
        self._sockets: list[aiohttp.ClientWebSocketResponse] = []

    async def serve(self) -> None:
        """Without the process's signals."""
        startup = self.server.startup

        async def start_up(sockets: Any) -> None:
            await startup(sockets)
            self.is_up.set()

        self.server.startup = start_up  # type: ignore[method-assign, assignment]
        await self.server._serve([self.listening])
        self.stopped_at = asyncio.get_running_loop().time()

    def tell_to_stop(self, sig: signal.Signals = signal.SIGTERM) -> float:
        """The time at which it was told."""
        self.server.handle_exit(sig, None)
        return asyncio.get_running_loop().time()

    async def get(self, path: str) -> tuple[int, Any]:
        async with self._http.get(self.url + path) as answer:
            return answer.status, await answer.json()

    async def webhook(self, call_id: str) -> str:
        form = {"CallSid": call_id, "From": "+1", "To": "+2"}
        async with self._http.post(f"{self.url}/voice-stream", data=form) as answer:
            assert answer.status == 200
            return await answer.text()

    async def call(self, call_id: str) -> aiohttp.ClientWebSocketResponse:
        """A call in progress."""
        (token,) = re.findall(r'name="token" value="([^"]+)"', await self.webhook(call_id))
        socket = await self._http.ws_connect(f"{self.url}/media-stream")
        self._sockets.append(socket)
        start = {
            "streamSid": "MZ1",
            "callSid": call_id,
            "tracks": ["inbound"],
            "customParameters": {"token": token},
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        }
        await socket.send_json({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        await socket.send_json(
            {"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": start}
        )
        assert (await socket.receive_json())["event"] == "media"
        return socket

    def end_of(self, call_id: str) -> tuple[str, str]:
        """Why the call's caller is gone, and how its journal was closed."""
        (path,) = (self._folder / "calls").glob(f"*{call_id}.jsonl")
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        gone = [line["event"] for line in lines if "event" in line]
        assert lines[-1]["note"] == "closed"
        reasons = [event["reason"] for event in gone if event["type"] == "CallerHungUp"]
        return reasons[0], lines[-1]["reason"]


@asynccontextmanager
async def running(folder: Path, drain_s: float) -> AsyncIterator[Running]:
    connector = aiohttp.TCPConnector(force_close=True)  # the server closes idle ones by itself
    async with aiohttp.ClientSession(connector=connector) as http:
        here = Running(folder, http, drain_s)
        serving = asyncio.create_task(here.serve())
        await here.is_up.wait()
        try:
            yield here
            await serving
        finally:
            serving.cancel()
            await asyncio.wait({serving})
            for listener in here.server.servers:
                listener.close()


def with_server(
    folder: Path, work: Callable[[Running], Awaitable[None]], drain_s: float = DRAIN_S
) -> Running:
    async def run() -> Running:
        async with running(folder, drain_s) as here:
            await work(here)
        return here

    ended: Running = run_virtual(run())
    return ended


def test_a_call_in_progress_comes_to_its_end_while_others_are_refused(tmp_path: Path) -> None:
    hung_up_at = 0.0

    async def work(here: Running) -> None:
        nonlocal hung_up_at
        assert await here.get("/ready") == (200, {"status": "ok"})
        socket = await here.call("CA1")
        here.tell_to_stop()
        await asyncio.sleep(10)
        assert await here.get("/ready") == (503, {"status": "stopping"})
        assert (await here.get("/health"))[1]["calls"] == 1
        refusal = await here.webhook("CA2")
        assert "<Say>" in refusal
        assert "<Stream" not in refusal
        assert not socket.closed
        await socket.send_json({"event": "stop", "sequenceNumber": "2", "streamSid": "MZ1"})
        hung_up_at = asyncio.get_running_loop().time()

    ended = with_server(tmp_path, work)
    assert ended.stopped_at <= hung_up_at + 1
    assert ended.end_of("CA1") == ("stop", "end")


def test_a_call_that_goes_on_too_long_is_ended_in_order(tmp_path: Path) -> None:
    told_at = 0.0

    async def work(here: Running) -> None:
        nonlocal told_at
        await here.call("CA1")
        told_at = here.tell_to_stop()

    ended = with_server(tmp_path, work)
    assert DRAIN_S <= ended.stopped_at - told_at <= DRAIN_S + 1
    assert ended.end_of("CA1") == ("server stops", "end")


@pytest.mark.parametrize("again", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_the_calls_at_once_and_in_order(
    tmp_path: Path, again: signal.Signals
) -> None:
    told_at = 0.0

    async def work(here: Running) -> None:
        nonlocal told_at
        await here.call("CA1")
        here.tell_to_stop()
        await asyncio.sleep(5)
        told_at = here.tell_to_stop(again)

    ended = with_server(tmp_path, work)
    assert ended.stopped_at - told_at <= 1
    assert ended.end_of("CA1") == ("server stops", "end")


def test_without_patience_calls_are_ended_at_the_first_signal(tmp_path: Path) -> None:
    told_at = 0.0

    async def work(here: Running) -> None:
        nonlocal told_at
        await here.call("CA1")
        told_at = here.tell_to_stop()

    ended = with_server(tmp_path, work, drain_s=0)
    assert ended.stopped_at - told_at <= 1
    assert ended.end_of("CA1") == ("server stops", "end")


def test_a_tool_that_is_at_work_when_a_call_is_ended_comes_to_its_end(tmp_path: Path) -> None:
    finished: list[str] = []

    async def finish(_: CascadeEngine, turns: object) -> None:
        await asyncio.sleep(FINISH_WITHIN_S - 1)
        finished.append("all")

    async def work(here: Running) -> None:
        await here.call("CA1")
        here.tell_to_stop()

    with patch.object(CascadeEngine, "finish", finish):
        ended = with_server(tmp_path, work, drain_s=0)
    assert finished == ["all"]
    assert ended.end_of("CA1") == ("server stops", "end")


def test_half_a_request_does_not_keep_a_server_without_calls(tmp_path: Path) -> None:
    async def work() -> None:
        async with running(tmp_path, DRAIN_S) as here:
            port = here.listening.getsockname()[1]
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            head = b"POST /voice-stream HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
            writer.write(head + b"CallSid=")
            await asyncio.sleep(1)
            told_at = here.tell_to_stop()
        assert here.stopped_at - told_at <= main.REQUESTS_WITHIN_S + 0.5
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    run_virtual(work())


def test_a_server_without_calls_stops_at_once(tmp_path: Path) -> None:
    told_at = 0.0

    async def work(here: Running) -> None:
        nonlocal told_at
        told_at = here.tell_to_stop()

    assert with_server(tmp_path, work).stopped_at - told_at <= 1
