"""``python -m benchmarks --calls 20``: what N calls at once cost one process.

Each call is a phone of ``tests/simulators`` that speaks and listens in turns over the real webhook
and socket. Times on a shared machine are noise; compare medians and CPU time of the same machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from statistics import median

from benchmarks.launch import running
from tests.simulators.phone import CallSetup, Phone
from tests.simulators.report import Report
from tests.simulators.script import PlayWav, Script, Wait, WaitAgent

SPEECH = PlayWav(Path(__file__).parent.parent / "tests/speech/asterisk/please-try-call-later.wav")
STAGGER_S = 0.05
"""Calls do not begin in the same instant, as they do not in life."""


def script(seconds: float) -> Script:
    """Turns of a call that lasts about so long: a caller's sentence, then the agent's answer."""
    turns = max(1, round(seconds / 8))
    return [WaitAgent(), *[step for _ in range(turns) for step in (SPEECH, WaitAgent(), Wait(0.5))]]


async def load(url: str, calls: int, seconds: float) -> list[Report]:
    """Hold so many calls at once and return their reports."""

    async def one(number: int) -> Report:
        await asyncio.sleep(number * STAGGER_S)
        return await Phone(CallSetup(url=url)).call(script(seconds))

    return await asyncio.gather(*(one(number) for number in range(calls)))


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--calls", type=int, default=20, help="calls at once (default 20)")
    parser.add_argument("--seconds", type=float, default=30, help="about how long each lasts")
    parser.add_argument("--embedded", action="store_true", help="embedded engines, not mock ones")
    options = parser.parse_args()
    with running(mock=not options.embedded) as server:
        reports = asyncio.run(load(server.url, options.calls, options.seconds))
    figures = server.figures
    waits = [turn.ms for report in reports for turn in report.turns]
    gaps = sum(len(report.gaps) for report in reports)
    errors = sum(len(report.protocol_errors) for report in reports)
    print(
        f"{options.calls} calls, {'embedded' if options.embedded else 'mock'} engines: "
        f"{figures['cpu_ms_per_call_second']:.2f} ms CPU per call-second, "
        f"event-loop lag p50 {figures['lag_ms_p50']:.2f} p95 {figures['lag_ms_p95']:.2f} "
        f"p99 {figures['lag_ms_p99']:.2f} max {figures['lag_ms_max']:.1f} ms, "
        f"response median {median(waits or [0]):.0f} ms, gaps {gaps}, "
        f"protocol errors {errors}, peak memory {figures['peak_rss_mb']:.0f} MB, "
        f"{figures['call_seconds']:.0f} call-seconds"
    )
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
