"""The real server, served by uvicorn on a free port in a thread of the test's process."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

import main
from services.settings import load_settings

START_WITHIN_S = 60
SETTLE_WITHIN_S = 10


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a process holds on to: it must be the same after a storm as before it."""

    tasks: int
    files: int
    calls: int


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers on ``url``; its app and loop are within the test's reach."""

    url: str
    app: FastAPI
    loop: asyncio.AbstractEventLoop
    data: Path

    def holdings(self) -> Holdings:
        """The server's tasks, the process's open files and sockets, the live calls."""
        gc.collect()
        counted: list[int] = []
        done = threading.Event()

        def count() -> None:
            counted.append(len(asyncio.all_tasks(self.loop)))
            done.set()

        self.loop.call_soon_threadsafe(count)
        assert done.wait(SETTLE_WITHIN_S), "the server's loop does not turn"
        return Holdings(counted[0], _open_files(), len(self.app.state.calls.live))

    def settle(self, wanted: Callable[[Holdings], bool]) -> Holdings:
        """The holdings once they are as wanted, or what they are when patience ends."""
        give_up = time.monotonic() + SETTLE_WITHIN_S
        while not wanted(holdings := self.holdings()) and time.monotonic() < give_up:
            time.sleep(0.05)
        return holdings

    def journal(self, call_id: str = "") -> list[dict[str, Any]]:
        """The finished journal of a call (without its id: of any): its lines, once the last one is
        written."""
        give_up = time.monotonic() + SETTLE_WITHIN_S
        while time.monotonic() < give_up:
            for path in (self.data / "calls").glob("*.jsonl"):
                lines = path.read_text().splitlines()
                if path.stem.endswith(call_id) and '"note":"closed"' in "".join(lines[-1:]):
                    return [json.loads(line) for line in lines]
            time.sleep(0.02)
        raise AssertionError(f"no finished journal of {call_id or 'any call'}")


def _open_files() -> int:
    """The process's files and sockets, without the database's: its pool keeps what it opens."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    count = 0
    for name in os.listdir(folder):
        with suppress(OSError):  # closed meanwhile, or no link on this system
            if ".db" in Path(os.readlink(f"{folder}/{name}")).name:
                continue
        count += 1
    return count


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serve(data: Path, **overrides: object) -> Iterator[RunningServer]:
    """Serve the app with these settings, and none of the environment, until the block ends."""
    port = free_port()
    blank = {"public_url": "", "twilio_auth_token": "", "console_password": "", "greeting": ""}
    values = {**blank, "business_name": "", "_env_file": None, "host": "127.0.0.1", "port": port}
    settings = load_settings(**{**values, "data_dir": data, "log_level": "WARNING", **overrides})
    app = main.create_app(settings)
    server = uvicorn.Server(main.server_config(app, settings))
    loops: list[asyncio.AbstractEventLoop] = []

    async def run() -> None:
        loops.append(asyncio.get_running_loop())
        await server.serve()

    def work() -> None:
        with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
            runner.run(run())

    thread = threading.Thread(target=work, name="server", daemon=True)
    thread.start()
    give_up = time.monotonic() + START_WITHIN_S
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        assert time.monotonic() < give_up, "the server did not start in time"
        time.sleep(0.02)
    try:
        yield RunningServer(f"http://127.0.0.1:{port}", app, loops[0], data)
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not stop"
