"""Short calls come and go; the server's memory must not follow them."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

from benchmarks.load import meter
from benchmarks.load.caller import Caller
from benchmarks.load.hold import Vendors
from benchmarks.load.phones import CallFailed, Exchange
from benchmarks.load.serving import Server
from benchmarks.load.speech import Speech

AT_ONCE = 25
GROUP = 50
CALL_S = 6.5
"""Long enough for the greeting, a sentence and the beginning of an answer, which is cut off."""


async def soak(server: Server, vendors: Vendors | None, calls: int, speech: Speech) -> Counter[str]:
    """Make so many calls, 25 at a time, and print the memory after each 50; returns the errors."""
    exchange, errors = Exchange(server.url), Counter[str]()
    places = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with places:
            caller = Caller(speech, random.Random(number), time.monotonic())
            await asyncio.sleep(number % AT_ONCE * 0.05)
            try:
                phone = await exchange.dial(number, caller)
            except CallFailed as error:
                errors[str(error)] += 1
                return
            await asyncio.sleep(CALL_S)
            await exchange.hang_up([phone])
            errors.update(phone.errors)
            if not caller.heard.turns or not caller.heard.turns[0].heard_at:
                errors["a call without an answer"] += 1

    try:
        for done in range(0, calls, GROUP):
            group = range(done, min(calls, done + GROUP))
            await asyncio.gather(*(one(number) for number in group))
            if not await server.settled():
                errors["calls are left on the server"] += 1
            print(
                f"after {group.stop:4} calls: {meter.resident_mb(server.pid):6.1f} MB, "
                f"{meter.open_files(server.pid)} open files, "
                f"{vendors.sockets if vendors else 0} vendors' sockets",
                flush=True,
            )
    finally:
        await exchange.close()
    errors.update(server.complaints())
    if vendors:
        errors.update(vendors.complaints())
    return errors
