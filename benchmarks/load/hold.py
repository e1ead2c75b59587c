"""Holds N calls at once on a server and measures them in one window."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.load import meter
from benchmarks.load.caller import Caller
from benchmarks.load.phones import CallFailed, Exchange, Phone
from benchmarks.load.serving import Server
from benchmarks.load.speech import Speech
from benchmarks.load.table import Row
from benchmarks.load.turns import Vendor, added, added_without_vendors

WARM_UP_S = 8.0
"""From the last call's beginning to the window: a turn of each has begun by then."""
SLOWEST_TURN_S = 12.0
STAGGER_S = (0.02, 0.1)
"""Between two calls that come in."""


class Vendors(Protocol):
    """The simulated vendors behind the server."""

    @property
    def sockets(self) -> int:
        """How many are open."""

    def behind(self, opening: bytes) -> Vendor | None:
        """What they did for the answer whose first audio this is; None if it is not theirs."""

    def complaints(self) -> list[str]:
        """What the server did wrong in the vendors' eyes, so far."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a row is measured: so many seconds, and on until there are so many turns."""

    seconds: float
    turns: int
    silence_ms: int
    profile: bool = False


async def hold(
    server: Server, vendors: Vendors | None, calls: int, speech: Speech, plan: Plan
) -> Row:
    """One row of the table."""
    exchange = Exchange(server.url)
    try:
        phones, errors = await _dial(exchange, calls, speech)
        await asyncio.sleep(WARM_UP_S)
        gc.collect()
        gc.freeze()
        if plan.profile:
            server.profile(on=True)
        del exchange.lateness_ms[:]
        begin, cpu, ours = time.monotonic(), meter.cpu_seconds(server.pid), time.process_time()
        waited = meter.waited_seconds(server.pid)
        await _until_measured(phones, begin, plan)
        end = time.monotonic()
        row = Row(
            calls=calls,
            seconds=end - begin,
            cpu_s=meter.cpu_seconds(server.pid) - cpu,
            rss_mb=meter.resident_mb(server.pid),
            waited_s=meter.waited_seconds(server.pid) - waited,
            errors=errors,
            phones_cpu_s=time.process_time() - ours,
            phones_late_ms=list(exchange.lateness_ms),
        )
        if plan.profile:
            server.profile(on=False)
        await exchange.hang_up(phones)
        if not await server.settled():
            row.errors["calls are left on the server"] += 1
    finally:
        await exchange.close()
    _measure(row, phones, vendors, begin, end, plan.silence_ms / 1000)
    row.errors.update(server.complaints())
    return row


async def _dial(exchange: Exchange, calls: int, speech: Speech) -> tuple[list[Phone], Counter[str]]:
    """The calls that came about, one after the other, and why the others did not."""
    phones, errors = [], Counter[str]()
    for number in range(calls):
        dice = random.Random(number)
        try:
            phones.append(await exchange.dial(number, Caller(speech, dice, time.monotonic())))
        except CallFailed as error:
            errors[str(error)] += 1
        await asyncio.sleep(dice.uniform(*STAGGER_S))
    return phones, errors


async def _until_measured(phones: Sequence[Phone], begin: float, plan: Plan) -> None:
    """The whole window, and longer if there are too few turns yet, but not for ever."""
    give_up = begin + plan.seconds + SLOWEST_TURN_S * -(-plan.turns // max(1, len(phones)))
    while (now := time.monotonic()) < give_up:
        if all(phone.closed.is_set() for phone in phones):
            return  # nobody is left who could be answered
        answered = sum(
            turn.heard_at > 0 and turn.asked_at >= begin
            for phone in phones
            for turn in phone.caller.heard.turns
        )
        if now >= begin + plan.seconds and answered >= plan.turns:
            return
        await asyncio.sleep(1)


def _measure(
    row: Row,
    phones: Sequence[Phone],
    vendors: Vendors | None,
    begin: float,
    end: float,
    silence_s: float,
) -> None:
    """Fill in the turns, the holes and the errors of the window."""
    for phone in phones:
        heard = phone.caller.heard
        for turn in heard.turns:
            if not begin <= turn.asked_at <= turn.heard_at <= end:
                continue
            if vendors is None:
                row.added.append(added_without_vendors(turn, silence_s))
            elif vendor := vendors.behind(turn.opening):
                row.added.append(added(turn, vendor, silence_s))
            else:
                row.errors["an answer that the language model and the voice did not give"] += 1
        row.holes += [hole for hole in heard.holes if begin <= hole.at <= end]
        row.errors.update(phone.errors)
        if missed := sum(begin <= at <= end for at in heard.unanswered):
            row.errors["no answer within 10 s"] += missed
    if vendors:
        row.errors.update(vendors.complaints())
