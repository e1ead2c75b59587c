"""``python -m benchmarks.barge_in``: how fast the agent falls silent when it is interrupted.

A phone calls the real server with its embedded engines and interrupts the greeting with recorded
human speech, at another moment each time. Measured at the phone: from the caller's first voiced
frame to the last audible sample of the agent. An attempt that falls into a pause of the agent's is
made again at another moment.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

import numpy as np

from benchmarks.launch import running
from tests.simulators.phone import CallSetup, Phone
from tests.simulators.script import BargeIn, HangUp, PlayWav, Script, Wait

SPEECH = Path(__file__).parent.parent / "tests/speech/asterisk"
PROMPTS = ("please-try-again", "vm-nobodyavail", "hours", "vm-nonumber", "please-try-call-later")


def script(attempt: int) -> Script:
    """Interrupt the greeting 600 to 2500 ms after it became audible."""
    after_ms = 600 + attempt * 130 % 1900
    wav = PlayWav(SPEECH / f"{PROMPTS[attempt % len(PROMPTS)]}.wav")
    return [BargeIn(after_ms, wav), Wait(0.5), HangUp()]


async def measure(url: str, attempts: int) -> list[float]:
    """The stop time of each interruption, in ms; one call after the other."""
    stops: list[float] = []
    for attempt in range(2 * attempts):
        if len(stops) == attempts:
            break
        report = await Phone(CallSetup(url=url)).call(script(attempt))
        stops += [stop for stop in report.barge_in_stops if stop > 0]
    return stops


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.barge_in", description=__doc__)
    parser.add_argument("--attempts", type=int, default=20)
    options = parser.parse_args()
    with running(mock=False) as server:
        stops = asyncio.run(measure(server.url, options.attempts))
    print(
        f"{len(stops)} interruptions, from the first voiced frame to silence at the phone: "
        f"min {min(stops):.0f}, median {np.median(stops):.0f}, p95 {np.percentile(stops, 95):.0f}, "
        f"max {max(stops):.0f} ms"
    )
    print("all:", " ".join(f"{stop:.0f}" for stop in sorted(stops)))
    return 0 if len(stops) == options.attempts else 1


if __name__ == "__main__":
    sys.exit(main())
