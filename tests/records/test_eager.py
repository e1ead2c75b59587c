"""Eager replies are counted: per call in its line of the log, for all calls in ``/health``."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import health
from services.call import effects as do
from services.call import events as on
from services.call.effects import Effect, Purpose
from services.call.events import Event, VendorStep
from services.call.timings import Timings
from services.calls import Calls
from services.records.eager import EagerCount, EagerFold
from tests.call_books import Exchange
from tests.virtual_time import run_virtual

EAGER = do.StartReply(2, Purpose.ANSWER, is_eager=True)
NEXT = do.StartReply(3, Purpose.ANSWER, is_eager=True)
PLAIN = do.StartReply(2, Purpose.ANSWER)
NOTHING = on.DeadlinePassed()


def cost(reply: int, tokens: int = 100) -> VendorStep:
    return VendorStep("openai", f"usage {tokens}+0 tokens", reply, tokens)


def counted(*entries: tuple[Event, list[Effect]]) -> EagerCount:
    fold = EagerFold()
    for event, effects in entries:
        fold.feed(event, effects)
    return fold.count


# --- the fold -------------------------------------------------------------------------------------


def test_a_reply_that_was_committed_is_used_whatever_becomes_of_it() -> None:
    begun: tuple[Event, list[Effect]] = (NOTHING, [do.AwaitEnd(600, "a sentence"), EAGER])
    assert counted(begun) == EagerCount(begun=1)
    commit: tuple[Event, list[Effect]] = (NOTHING, [do.CommitTurn("Hi."), do.CommitReply(2)])
    used = EagerCount(begun=1, used=1)
    assert counted(begun, (cost(2), []), commit) == used
    cut_off: tuple[Event, list[Effect]] = (NOTHING, [do.ClearPlayback(), do.CancelReply(2)])
    assert counted(begun, commit, cut_off, (cost(2), [])) == used


def test_what_a_dropped_reply_has_cost_is_wasted_also_if_the_bill_comes_late() -> None:
    drop: list[Effect] = [do.CancelReply(2)]
    wasted = EagerCount(begun=1, dropped=1, wasted_tokens=300)
    assert counted((NOTHING, [EAGER]), (cost(2, 300), []), (NOTHING, drop)) == wasted
    assert counted((NOTHING, [EAGER]), (NOTHING, drop), (cost(2, 300), [])) == wasted
    both = counted((NOTHING, [EAGER]), (cost(2), []), (NOTHING, drop), (cost(2, 200), []))
    assert both == wasted  # two requests: the first model was late, and another was asked


def test_a_reply_may_take_the_place_of_the_one_that_is_dropped() -> None:
    entries: list[tuple[Event, list[Effect]]] = [
        (NOTHING, [EAGER]),
        (NOTHING, [do.CancelReply(2), NEXT]),
        (cost(2, 70), []),
        (cost(3, 90), []),
        (NOTHING, [do.CommitReply(3)]),
    ]
    assert counted(*entries) == EagerCount(begun=2, used=1, dropped=1, wasted_tokens=70)


def test_replies_that_were_never_eager_and_steps_without_a_reply_count_for_nothing() -> None:
    entries: list[tuple[Event, list[Effect]]] = [
        (NOTHING, [PLAIN]),
        (cost(2), []),
        (NOTHING, [do.CancelReply(2)]),
        (cost(2), []),
        (cost(0), []),
        (VendorStep("openai", "first token", 2), []),
    ]
    assert counted(*entries) == EagerCount()


def test_all_calls_have_a_count_of_their_own_in_which_their_numbers_do_not_meet() -> None:
    total = EagerCount()
    one, other = EagerFold(total), EagerFold(total)
    for fold in one, other:
        fold.feed(NOTHING, [EAGER])
    one.feed(NOTHING, [do.CommitReply(2)])
    other.feed(NOTHING, [do.CancelReply(2)])
    one.feed(cost(2, 1), [])
    other.feed(cost(2, 10), [])
    assert one.count == EagerCount(begun=1, used=1)
    assert other.count == EagerCount(begun=1, dropped=1, wasted_tokens=10)
    assert total == EagerCount(begun=2, used=1, dropped=1, wasted_tokens=10)


# --- where they are shown -------------------------------------------------------------------------


async def held(house: Exchange, pause_ms: int) -> None:
    """A call with one turn, in the middle of which the caller pauses for so long."""
    phone, call = house.ring()
    await phone.listen(1000)
    await phone.speak(500)
    if pause_ms:
        await phone.listen(pause_ms)
        emit(house, cost(2, 1500))
        await phone.speak(500)
        emit(house, cost(2, 12))
    await phone.listen(3000)
    phone.hang_up()
    assert await call
    await house.close()


def emit(house: Exchange, event: VendorStep) -> None:
    session = house.live.session("CA1")
    assert session is not None
    session.emit(event)


def house_of(folder: Path, timings: Timings, *words: str) -> Exchange:
    """Calls whose callers say these words, and are told "Yes."."""
    return Exchange(folder, words, [["Yes."]] * 9, with_words=False, timings=timings, think_s=1.0)


def summary(caplog: pytest.LogCaptureFixture) -> str:
    return next(line for line in caplog.messages if "ended" in line)


@pytest.mark.parametrize(
    ("eager", "told"),
    [(2, ", eager replies 1 of 2 used, 1512 tokens wasted"), (0, "")],
)
def test_a_call_tells_of_them_in_its_line_and_health_of_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, eager: int, told: str
) -> None:
    words = "I'd like an appointment.", "For Monday, please."

    async def work() -> Calls:
        house = house_of(tmp_path, Timings(eager_replies=eager), *words)
        await held(house, 420)
        return house.calls

    with caplog.at_level(logging.INFO, "services.calls"):
        calls = run_virtual(work())
    usual = r"call CA1: ended: [\d.]+ s, 1 turns, median response \d+ ms, caller: stop"
    assert re.fullmatch(usual + told, summary(caplog))
    begun = 2 if eager else 0
    assert eager_of(calls) == {
        "begun": begun,
        "used": begun // 2,
        "wasted_tokens": 1512 if eager else 0,
    }


def eager_of(calls: Calls) -> object:
    app = FastAPI()
    app.include_router(health.build(calls))
    with TestClient(app) as client:
        return client.get("/health").json()["eager_replies"]


def test_health_counts_the_calls_in_progress_too(tmp_path: Path) -> None:
    async def work() -> Calls:
        house = house_of(tmp_path, Timings(), "I'd like an appointment.")
        call = asyncio.create_task(held(house, 0))
        await asyncio.sleep(2)
        assert len(house.live) == 1
        assert house.calls.eager.begun == 1
        await call
        return house.calls

    assert eager_of(run_virtual(work())) == {"begun": 1, "used": 1, "wasted_tokens": 0}
