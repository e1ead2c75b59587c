"""``python -m benchmarks.load``: what this server adds, and what a call costs, under load."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import pstats
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.load import meter, speech
from benchmarks.load.hold import Plan, Vendors, hold
from benchmarks.load.serving import Server, serving
from benchmarks.load.soak import soak
from benchmarks.load.table import HEAD, Row

TURN_SILENCE_MS = 550
SETTINGS = {
    "TURN_SILENCE_MS": str(TURN_SILENCE_MS),
    "EAGER_REPLIES": "0",  # what is begun ahead would hide what the server adds
    "GREETING": "Hello, how can I help you?",
    "MAX_CALLS": "10000",
    "MAX_CONVO_SECS": "14400",
    "IDLE_SECS": "120",
}
SERVER_CORE, PHONES_CORE = 0, 1
SHOWN = 25


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--calls", default="1,10,30,60,100,200", help="calls at once, row by row")
    parser.add_argument("--seconds", type=float, default=60, help="least length of a row's window")
    parser.add_argument("--turns", type=int, default=55, help="least number of turns of a row")
    parser.add_argument("--quick", action="store_true", help="10 s and 5 turns a row")
    parser.add_argument("--mock", action="store_true", help="mock engines, no vendors")
    parser.add_argument(
        "--pin",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="the server on core 0, vendors and phones on core 1",
    )
    parser.add_argument("--soak", type=int, metavar="CALLS", help="short calls that come and go")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="profile the server's loop")
    options = parser.parse_args()
    if options.profile:
        options.profile = options.profile.absolute()
    if options.quick:
        options.seconds, options.turns = 10, 5
    return options


@asynccontextmanager
async def _server(options: argparse.Namespace) -> AsyncIterator[tuple[Server, Vendors | None]]:
    """A fresh server, and the vendors that it talks to unless its engines are mocks."""
    core = SERVER_CORE if options.pin else None
    if options.mock:
        environment = SETTINGS | {"USE_MOCK_STREAMING": "true"}
        async with serving(environment, core=core, profile=options.profile) as server:
            yield server, None
        return
    from benchmarks.load.vendors import vendors

    async with (
        vendors() as (behind, environment),
        serving(SETTINGS | environment, core=core, profile=options.profile) as server,
    ):
        yield server, behind


async def _table(options: argparse.Namespace, said: speech.Speech) -> int:
    alone: Row | None = None
    row: Row | None = None
    failed = 0
    for number in options.calls.split(","):
        calls = int(number)
        plan = Plan(
            seconds=options.seconds,
            turns=options.turns,
            silence_ms=TURN_SILENCE_MS + said.noticed_after_ms,
            profile=options.profile is not None,
        )
        async with _server(options) as (server, behind):
            if row is None:
                print("\n".join([*server.engines(), "", HEAD]), flush=True)
            row = await hold(server, behind, calls, said, plan)
        alone = row if calls == 1 else alone
        print(row.text(alone), flush=True)
        failed += row.errors.total()
        if options.profile:
            pstats.Stats(str(options.profile)).sort_stats("tottime").print_stats(SHOWN)
    return 1 if failed else 0


async def _soak(options: argparse.Namespace, said: speech.Speech) -> int:
    async with _server(options) as (server, behind):
        errors = await soak(server, behind, options.soak, said)
    for what, count in errors.most_common():
        print(f"{count} x {what}")
    return 1 if errors else 0


def main() -> int:
    """The command line; returns the exit code."""
    options = _options()
    meter.allow_many_files()
    if options.pin and not meter.pin(0, PHONES_CORE):
        options.pin = False
    said = speech.load()
    pinned = "server on core 0, the rest on core 1" if options.pin else "not pinned to cores"
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, {pinned}, Python "
        f"{platform.python_version()}\n"
        f"Callers say {20 * len(said.payloads)} ms of a recording that ends in a loud frame (rms "
        f"{said.last_frame_rms} of 32768). The server's detector notices the end after "
        f"{said.noticed_after_ms} ms ({said.noticed_alike} % of tries);\n"
        f"that and the turn's {TURN_SILENCE_MS} ms of silence are not counted as added, nor is "
        f"what the vendors take:\n"
        f"the model's time is that to the end of its first clause. Nothing is begun ahead "
        f"(EAGER_REPLIES=0), no TLS.\n"
    )
    work = _soak if options.soak else _table
    if sys.platform == "win32":
        return asyncio.run(work(options, said))
    import uvloop

    return uvloop.run(work(options, said))


if __name__ == "__main__":
    sys.exit(main())
