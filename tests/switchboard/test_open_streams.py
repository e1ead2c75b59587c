"""How a stream ended, for whoever asks a moment before or after."""

from __future__ import annotations

import asyncio

from services.call.effects import Speaker, Turn
from services.switchboard.open_streams import ENDS_WITHIN_S, KEPT_S, OpenStreams
from tests.house import story


@story
async def test_the_first_reason_counts_and_is_told_at_once() -> None:
    streams = OpenStreams()
    streams.began("CA1")
    streams.ended("CA1", "agent: transfer")
    streams.ended("CA1", "caller: closed")
    assert await streams.reason("CA1") == "agent: transfer"


@story
async def test_who_asks_early_waits_for_a_moment_only() -> None:
    streams, loop = OpenStreams(), asyncio.get_running_loop()
    streams.began("CA1")
    loop.call_later(1.0, streams.ended, "CA1", "agent: goodbye")
    assert await streams.reason("CA1") == "agent: goodbye"
    assert loop.time() == 1.0
    streams.began("CA2")
    assert await streams.reason("CA2") == ""
    assert loop.time() == 1.0 + ENDS_WITHIN_S
    assert await streams.reason("CA3") == ""
    assert not streams.was_held("CA3")


@story
async def test_an_end_without_a_beginning_is_an_end() -> None:
    streams = OpenStreams()
    streams.ended("CA1", "agent: transfer")
    assert await streams.reason("CA1") == "agent: transfer"
    assert streams.was_held("CA1")


@story
async def test_the_next_stream_of_a_call_starts_afresh() -> None:
    streams = OpenStreams()
    streams.began("CA1")
    streams.next_is_due("CA1")  # it goes on: it is no history
    assert streams.was_held("CA1")
    said = (Turn(Speaker.CALLER, "Hello?"),)
    streams.ended("CA1", "agent: transfer", said)
    streams.next_is_due("CA1")
    assert not streams.was_held("CA1")
    assert await streams.reason("CA1") == ""
    assert streams.turns("CA1") == said
    streams.began("CA1")
    await asyncio.sleep(KEPT_S + 1)
    assert streams.was_held("CA1")  # the first one's end does not end it


@story
async def test_nothing_is_kept_for_ever() -> None:
    streams = OpenStreams()
    for number in range(100):
        streams.began(f"CA{number}")
        streams.ended(f"CA{number}", "caller: stop")
    assert len(streams) == 100
    await asyncio.sleep(KEPT_S + 1)
    assert len(streams) == 0
