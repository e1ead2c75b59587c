"""Calls to live recognisers, for their tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.stt import Transcriber
from services.stt.deepgram import DeepgramOptions, DeepgramTranscriber
from services.vendors import Reports
from services.vendors.breaker import Breaker
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import Caller, on_the_line


def new_breaker(name: str) -> Breaker:
    """One on the loop's clock."""
    return Breaker(name, asyncio.get_running_loop().time)


@asynccontextmanager
async def on_deepgram(
    deepgram: DeepgramSimulator, transcriber: Transcriber, reports: Reports, quiet_ms: int = 0
) -> AsyncIterator[Caller]:
    """A caller who first says nothing for so long; in the end no socket is left."""
    async with on_the_line(transcriber, reports) as caller:
        await caller.pause(quiet_ms)
        yield caller
    await asyncio.sleep(0.01)
    assert deepgram.open_sockets == 0


def deepgram_live(
    deepgram: DeepgramSimulator, breaker: Breaker | None = None, **options: Any
) -> tuple[DeepgramTranscriber, Reports]:
    """The live recogniser of a new call, and where it reports."""
    asked = DeepgramOptions(**({"key": deepgram.key, "base_url": deepgram.url} | options))
    reports = Reports()
    return DeepgramTranscriber(asked, reports, breaker or new_breaker("deepgram")), reports


@asynccontextmanager
async def live_call(
    deepgram: DeepgramSimulator, **options: Any
) -> AsyncIterator[tuple[DeepgramTranscriber, Caller]]:
    """A live recogniser and its caller, for whom all goes well in the end."""
    transcriber, reports = deepgram_live(deepgram, **options)
    async with on_deepgram(deepgram, transcriber, reports, quiet_ms=300) as caller:
        yield transcriber, caller


@asynccontextmanager
async def call(deepgram: DeepgramSimulator, **options: Any) -> AsyncIterator[Caller]:
    """Only the caller of it."""
    async with live_call(deepgram, **options) as (_, caller):
        yield caller
