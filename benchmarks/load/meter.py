"""What a process used: CPU time and memory, from Linux's /proc, or from ps where there is none."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

_CLOCK = "SC_CLK_TCK"
_MB = 2**20
_FILES = 65_536


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all threads; good to 10 ms."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return _ps_time(_ps(pid, "time="))
    fields = stat.read_text().rpartition(")")[2].split()  # a name may hold anything
    return (int(fields[11]) + int(fields[12])) / os.sysconf(_CLOCK)


def waited_seconds(pid: int) -> float:
    """How long its main thread was ready to run, but others had the core; 0 where unknown."""
    schedstat = Path(f"/proc/{pid}/schedstat")
    return int(schedstat.read_text().split()[1]) / 1e9 if schedstat.exists() else 0.0


def resident_mb(pid: int) -> float:
    """Memory that a process has in RAM."""
    statm = Path(f"/proc/{pid}/statm")
    if not statm.exists():
        return int(_ps(pid, "rss=")) / 1024
    return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MB


def open_files(pid: int) -> int | None:
    """Open files and sockets of a process; None where that is not known."""
    folder = Path(f"/proc/{pid}/fd")
    return len(list(folder.iterdir())) if folder.exists() else None


def allow_many_files() -> None:
    """Let this process and its children open as many files and sockets as the system permits."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, _FILES), most))


def pin(pid: int, core: int) -> bool:
    """Keep a process (0: this one) on one core; False where that cannot be done."""
    if not hasattr(os, "sched_setaffinity") or core not in os.sched_getaffinity(0) | {core}:
        return False
    try:
        os.sched_setaffinity(pid, {core})
    except OSError:
        return False
    return True


def _ps(pid: int, column: str) -> str:
    done = subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True)
    return done.stdout.strip()


def _ps_time(text: str) -> float:
    """``[[dd-]hh:]mm:ss[.cc]`` in seconds."""
    days, _, clock = text.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86400 * int(days or 0)
