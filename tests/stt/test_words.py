"""Several ways to words: their order, their breakers, and that the first answer counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from services.call.events import VendorFailed, VendorStep
from services.stt.turn_audio import Piece
from services.stt.words import FirstWords, Way
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from tests.stt.caller import tone
from tests.stt.chained import Second
from tests.virtual_time import run_virtual

PIECES = (Piece(tone("one") * 10),)


class Ways:
    """The ways under test, with breakers, and what was reported."""

    def __init__(self, *recognisers: Second, deadline_s: float = 0.8) -> None:
        self.told: list[Any] = []
        self.reports = Reports()
        self.reports.attach(self.told.append)
        self.loop = asyncio.get_running_loop()
        self.breakers = [Breaker(one.name, self.loop.time) for one in recognisers]
        ways = [
            Way(one, breaker, deadline_s)
            for one, breaker in zip(recognisers, self.breakers, strict=True)
        ]
        self.first = FirstWords(ways, self.reports)

    async def ask(self) -> tuple[str, float]:
        """The answer, and how long it took."""
        began = self.loop.time()
        text = await self.first.words(PIECES)
        return text, self.loop.time() - began

    @property
    def failures(self) -> list[tuple[str, str]]:
        return [(e.vendor, e.code) for e in self.told if isinstance(e, VendorFailed)]


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """Run a test on virtual time."""

    def run() -> None:
        run_virtual(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@virtual
async def test_the_first_way_answers_if_it_can() -> None:
    second = Second("b")
    ways = Ways(Second("a"), second)
    assert await ways.ask() == ("one", pytest.approx(0.15))
    assert second.asked == []
    assert [event for event in ways.told if isinstance(event, VendorStep)] == [
        VendorStep("a", "transcribe")
    ]


@virtual
async def test_a_way_that_fails_is_followed_by_the_next_at_once() -> None:
    ways = Ways(Second("a", error="429"), Second("b"))
    assert await ways.ask() == ("one", pytest.approx(0.3))
    assert ways.failures == [("a", "429")]


@virtual
async def test_a_way_that_is_slow_is_joined_by_the_next_and_its_overtaking_counts() -> None:
    slow = Second("a", after_s=0.7)
    ways = Ways(slow, Second("b"))
    assert await ways.ask() == ("one", pytest.approx(0.5))
    assert slow.stopped == 1
    assert ways.failures == [("a", "overtaken")]


@virtual
async def test_a_slow_way_may_still_be_the_first_to_answer() -> None:
    other = Second("b", after_s=0.6)
    ways = Ways(Second("a", after_s=0.5), other)
    assert await ways.ask() == ("one", pytest.approx(0.5))
    assert other.stopped == 1
    assert ways.failures == []


@virtual
async def test_a_way_without_an_answer_has_a_deadline_and_then_its_breaker_opens() -> None:
    ways = Ways(Second("a", after_s=60))
    with pytest.raises(VendorError, match="timeout"):
        await ways.ask()
    assert ways.loop.time() == pytest.approx(0.81)  # and 50 ms for each second of audio
    assert ways.breakers[0].is_open


@virtual
async def test_if_every_breaker_refuses_the_last_way_is_asked_all_the_same() -> None:
    first, last = Second("a"), Second("b")
    ways = Ways(first, last)
    for breaker in ways.breakers:
        breaker.failed(VendorError("a", "transcribe", "401", at_once=True))
    assert await ways.ask() == ("one", pytest.approx(0.15))
    assert (first.asked, last.asked) == ([], ["one"])
    assert not ways.breakers[1].is_open


@virtual
async def test_the_deadline_grows_with_the_audio() -> None:
    ways = Ways(Second("a", after_s=60))
    with pytest.raises(VendorError, match="timeout"):
        await ways.first.words((Piece(bytes(8000 * 10)),))
    assert ways.loop.time() == pytest.approx(1.3)


@virtual
async def test_all_fail() -> None:
    ways = Ways(Second("a", error="429"), Second("b", error="500"))
    with pytest.raises(VendorError) as failed:
        await ways.ask()
    assert failed.value.code == "429, 500"
    assert ways.failures == [("a", "429"), ("b", "500")]


@virtual
async def test_calling_it_off_stops_all() -> None:
    recognisers = [Second("a", after_s=0.7), Second("b", after_s=0.7)]
    ways = Ways(*recognisers)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await ways.ask()
    assert [one.stopped for one in recognisers] == [1, 1]
    assert ways.failures == []


@virtual
async def test_no_audio_needs_no_recogniser() -> None:
    ways = Ways(Second("a"))
    assert await ways.first.words(()) == ""
    assert ways.told == []


@virtual
async def test_guesses_are_worth_it_if_the_first_way_has_nothing_else_to_do() -> None:
    assert Ways(Second("a", idle=True), Second("b")).first.idle
    assert not Ways(Second("a"), Second("b", idle=True)).first.idle
    assert not Ways().first.idle
