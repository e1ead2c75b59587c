"""The server under load: ``python main.py`` in a process of its own, with none of our settings."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from benchmarks.launch import START_WITHIN_S, STOP_WITHIN_S
from benchmarks.load import meter
from services.settings import Settings
from tests.server import free_port

ROOT = Path(__file__).parent.parent.parent
SETTLE_WITHIN_S = 20.0

_ENGINES = ("  Ears ", "  Brain ", "  Voice ")
_COMPLAINT = re.compile(r"\b(WARNING|ERROR|CRITICAL) .*")
_CALL = re.compile(r"\bCA[0-9a-f]{32}\b")


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers on ``url``."""

    url: str
    pid: int
    log: Path

    def engines(self) -> list[str]:
        """What it says runs in it."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line.strip() for line in lines if line.startswith(_ENGINES)]

    def complaints(self) -> list[str]:
        """What it logged that is worse than news."""
        lines = self.log.read_text(errors="replace").splitlines()
        found = (_COMPLAINT.search(line) for line in lines)
        return [_CALL.sub("CA...", match.group()) for match in found if match]

    def profile(self, on: bool) -> None:
        """Begin or end the profile; only for a server that was started with one."""
        os.kill(self.pid, signal.SIGUSR1 if on else signal.SIGUSR2)

    async def settled(self) -> bool:
        """Whether all calls are gone within a while."""
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(int(SETTLE_WITHIN_S * 5)):
                with suppress(httpx.TransportError):
                    health = await client.get(self.url + "/health")
                    if health.json()["calls"] == 0:
                        return True
                await asyncio.sleep(0.2)
        return False


@asynccontextmanager
async def serving(
    environment: Mapping[str, str], *, core: int | None, profile: Path | None = None
) -> AsyncIterator[Server]:
    """A server with these settings, kept on one core if one is given, until the block ends."""
    port = free_port()
    program = [str(ROOT / "main.py")]
    if profile:
        program = ["-m", "benchmarks.load.profiled", str(profile)]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        settings = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": folder} | dict(environment)
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *program,
                cwd=folder,  # no .env there
                env=_bare_environment() | settings,
                stdout=output,
                stderr=output,
            )
        if core is not None:
            meter.pin(process.pid, core)
        server = Server(f"http://127.0.0.1:{port}", process.pid, log)
        try:
            await _answers(server, process)
            yield server
        finally:
            died = process.returncode is not None
            await _stop(process)
            if died:
                print(f"The server ended by itself:\n{log.read_text(errors='replace')[-2000:]}")


def _bare_environment() -> dict[str, str]:
    """Ours without anything that the server would read as a setting."""
    settings = Settings.model_fields.keys()
    ours = {name: value for name, value in os.environ.items() if name.lower() not in settings}
    agent = ROOT / Settings.model_fields["agents_dir"].default / "receptionist.toml"
    return ours | {"PYTHONPATH": str(ROOT), "AGENT_FILE": str(agent), "LOG_LEVEL": "WARNING"}


async def _answers(server: Server, process: asyncio.subprocess.Process) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(START_WITHIN_S * 10):
            if process.returncode is not None:
                break
            try:
                if (await client.get(server.url + "/health")).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise RuntimeError("the server did not start")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
