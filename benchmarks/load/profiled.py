"""``main.py`` under a profile that signals begin (SIGUSR1) and end (SIGUSR2).

A signal's handler runs in the main thread, which is the event loop's, so that is what is profiled.
Started by the benchmark with the file to write to.
"""

from __future__ import annotations

import cProfile
import signal
import sys
from types import FrameType

import main


def run(path: str) -> int:
    """Serve; write the profile to ``path`` when it ends."""
    profile = cProfile.Profile()

    def begin(number: int, frame: FrameType | None) -> None:
        profile.enable()

    def end(number: int, frame: FrameType | None) -> None:
        profile.disable()
        profile.dump_stats(path)

    signal.signal(signal.SIGUSR1, begin)
    signal.signal(signal.SIGUSR2, end)
    return main.main()


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
