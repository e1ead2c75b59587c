"""Holds N calls at once on a server and measures them in one window."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.load import meter
from benchmarks.load.caller import Caller
from benchmarks.load.phones import CallFailed, Exchange, Phone
from benchmarks.load.serving import Server
from benchmarks.load.speech import Speech
from benchmarks.load.table import Row
from benchmarks.load.turns import Vendor, added, added_without_vendors, match

WARM_UP_S = 8.0
"""From the last call's beginning to the window: a turn of each has begun by then."""
SLOWEST_TURN_S = 12.0
LINK_WITHIN_S = 5.0


class Vendors(Protocol):
    """The simulated vendors behind the server."""

    def links(self) -> int:
        """How many calls have opened the recogniser's socket so far."""

    def times(self, link: int) -> list[Vendor]:
        """What was done for the turns of that call, complete ones only."""

    def complaints(self) -> list[str]:
        """What the server did wrong in the vendors' eyes, so far."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a row is measured: so many seconds, and on until there are so many turns."""

    seconds: float
    turns: int
    silence_ms: int
    profile: bool = False


@dataclass(slots=True)
class _Calls:
    phones: list[tuple[Phone, int]] = field(default_factory=list)  # with the vendors' link
    errors: Counter[str] = field(default_factory=Counter)


async def hold(
    server: Server, vendors: Vendors | None, calls: int, speech: Speech, plan: Plan
) -> Row:
    """One row of the table."""
    exchange = Exchange(server.url)
    try:
        up = await _dial(exchange, vendors, calls, speech)
        await asyncio.sleep(WARM_UP_S)
        gc.collect()
        gc.freeze()
        if plan.profile:
            server.profile(on=True)
        exchange.lateness_ms[:] = exchange.lateness_ms[:0]
        begin, cpu, ours = time.monotonic(), meter.cpu_seconds(server.pid), time.process_time()
        await _until_measured(up, begin, plan)
        end = time.monotonic()
        row = Row(
            calls=calls,
            seconds=end - begin,
            cpu_s=meter.cpu_seconds(server.pid) - cpu,
            rss_mb=meter.resident_mb(server.pid),
            errors=up.errors,
            phones_cpu_s=time.process_time() - ours,
            phones_late_ms=list(exchange.lateness_ms),
        )
        if plan.profile:
            server.profile(on=False)
        await exchange.hang_up([phone for phone, _ in up.phones])
        if not await server.settled():
            row.errors["calls are left on the server"] += 1
    finally:
        await exchange.close()
    _measure(row, up, vendors, begin, end, plan.silence_ms / 1000)
    row.errors.update(server.complaints())
    return row


async def _dial(exchange: Exchange, vendors: Vendors | None, calls: int, speech: Speech) -> _Calls:
    """The calls come one after the other, so that it is known whose vendor's socket is whose."""
    up = _Calls()
    for number in range(calls):
        dice = random.Random(number)
        before = vendors.links() if vendors else 0
        try:
            phone = await exchange.dial(number, Caller(speech, dice, time.monotonic()))
        except CallFailed as error:
            up.errors[str(error)] += 1
            continue
        up.phones.append((phone, before + 1))
        if vendors:
            with suppress(TimeoutError):
                async with asyncio.timeout(LINK_WITHIN_S):
                    while vendors.links() == before:
                        await asyncio.sleep(0.005)
        await asyncio.sleep(dice.uniform(0.01, 0.05))
    return up


async def _until_measured(up: _Calls, begin: float, plan: Plan) -> None:
    """The whole window, and longer if there are too few turns yet, but not for ever."""
    give_up = begin + plan.seconds + SLOWEST_TURN_S * plan.turns
    while (now := time.monotonic()) < give_up:
        answered = sum(
            turn.heard_at > 0 and turn.asked_at >= begin
            for phone, _ in up.phones
            for turn in phone.caller.heard.turns
        )
        if now >= begin + plan.seconds and answered >= plan.turns:
            return
        await asyncio.sleep(1)


def _measure(
    row: Row, up: _Calls, vendors: Vendors | None, begin: float, end: float, silence_s: float
) -> None:
    """Fill in the turns, the holes and the errors of the window."""
    for phone, link in up.phones:
        heard = phone.caller.heard
        inside = [turn for turn in heard.turns if begin <= turn.asked_at and turn.heard_at <= end]
        if vendors is None:
            row.added += [
                added_without_vendors(turn, silence_s) for turn in inside if turn.heard_at
            ]
        else:
            for turn, vendor in match(inside, vendors.times(link)):
                if vendor is None:
                    row.errors["an answer that the language model did not give"] += 1
                else:
                    row.added.append(added(turn, vendor, silence_s))
        row.holes += [hole for hole in heard.holes if begin <= hole.at <= end]
        row.errors.update(phone.errors)
        if missed := sum(begin <= at <= end for at in heard.unanswered):
            row.errors["no answer within 10 s"] += missed
    if vendors:
        row.errors.update(vendors.complaints())
