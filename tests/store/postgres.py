"""A PostgreSQL server of the tests' own, on a free port, in a folder that goes with it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=50"


def programs() -> Path:
    """The folder of initdb and pg_ctl. Raises RuntimeError that says what to install."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = [Path("/usr/lib/postgresql"), Path("/usr/local/opt"), Path("/opt/homebrew/opt")]
    versions = [path for folder in installed for path in folder.glob("*/bin/initdb")]
    if not versions:
        raise RuntimeError(
            "these tests need PostgreSQL's programs; on Debian and Ubuntu: "
            "sudo apt install postgresql; on macOS: brew install postgresql@17"
        )
    return max(versions, key=lambda path: path.stat().st_mtime).parent


@contextmanager
def running_server() -> Iterator[str]:
    """The URL of a running server, without a database's name."""
    folder = Path(tempfile.mkdtemp(prefix="store-postgres-"))
    user = _unprivileged(folder)
    data, port = folder / "data", _free_port()
    tools = programs()

    def run(program: str, *arguments: str) -> None:
        command = [str(tools / program), "-D", str(data), *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **user)
        if done.returncode:
            log = folder / "log"
            told = log.read_text() if log.exists() else ""
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}{told}")

    try:
        run("initdb", "-U", "agent", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-h 127.0.0.1 -p {port} -k '' {_FAST}"
        run("pg_ctl", "-w", "-t", "60", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://agent@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Whom to run it as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    who = names.get("postgres") or names["nobody"]
    os.chown(folder, who.pw_uid, who.pw_gid)
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
