"""Starts the server under measurement as a process of its own, and stops it for its figures."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

START_WITHIN_S = 60
STOP_WITHIN_S = 30


@dataclass(slots=True)
class Measured:
    """A running server; ``figures`` are filled in when it has stopped."""

    url: str
    figures: dict[str, float] = field(default_factory=dict)


@contextmanager
def running(*, mock: bool) -> Iterator[Measured]:
    """A server with mock engines or with its embedded ones, until the block ends."""
    port = _free_port()
    server = Measured(f"http://127.0.0.1:{port}")
    with tempfile.TemporaryDirectory() as data:
        engines = "mock" if mock else "embedded"
        command = [sys.executable, "-m", "benchmarks.server", str(port), data, engines]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                _wait_for(server.url, process)
                yield server
                stop = urllib.request.Request(f"{server.url}/benchmark/stop", method="POST")
                urllib.request.urlopen(stop, timeout=5).close()
                printed, _ = process.communicate(timeout=STOP_WITHIN_S)
                server.figures = json.loads(printed.splitlines()[-1])
            finally:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, process: subprocess.Popen[str]) -> None:
    give_up = time.monotonic() + START_WITHIN_S
    while time.monotonic() < give_up and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError("the server did not start")
