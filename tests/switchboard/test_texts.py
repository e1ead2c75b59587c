"""Text messages: each at most once, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.carriers.twilio_rest import TwilioError
from services.store import Store, TextState
from services.switchboard.texts import CarrierTexts
from tests.exchange import CALLER, OURS, FakeRest, ava


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path}/calls.db")
    yield store
    await store.close()


def texts(store: Store, rest: FakeRest | None, number: str = OURS) -> CarrierTexts:
    return CarrierTexts(store.texts, rest, number)  # type: ignore[arg-type]


async def test_a_text_is_sent_once_for_each_call_and_key(store: Store) -> None:
    rest = FakeRest()
    office = texts(store, rest)
    sent = await asyncio.gather(*(office.send("CA1", CALLER, " Hello ", "k") for _ in range(5)))
    assert all(sent)
    assert rest.asked == [("text", {"to": CALLER, "from_": OURS, "body": "Hello"})]
    assert await office.send("CA1", CALLER, "Hello", "other")
    assert await office.send("CA2", CALLER, "Hello", "k")
    assert len(rest.asked) == 3
    kept = await store.texts.get("CA1", "k")
    assert kept is not None
    assert (kept.state, kept.sid) == (TextState.SENT, "CA1")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (TwilioError(21610, 400, "does not want them", True), TextState.FAILED),
        (TwilioError(0, 0, "no answer in time", False), TextState.UNKNOWN),
    ],
)
async def test_what_was_not_sent_is_not_tried_again(
    store: Store, error: TwilioError, state: TextState, caplog: pytest.LogCaptureFixture
) -> None:
    rest = FakeRest()
    rest.error = error
    office = texts(store, rest)
    for _ in range(2):
        assert not await office.send("CA1", CALLER, "Hello", "k")
    assert len(rest.asked) == 1
    kept = await store.texts.get("CA1", "k")
    assert kept is not None
    assert kept.state is state
    assert CALLER not in caplog.text
    assert "Hello" not in caplog.text


async def test_a_long_text_is_cut(store: Store) -> None:
    rest = FakeRest()
    await texts(store, rest).send("CA1", CALLER, "x" * 2000, "k")
    body = str(rest.asked[0][1]["body"])
    assert len(body) == 1600
    assert body.endswith("…")


@pytest.mark.parametrize(("to", "text"), [("anonymous", "Hi"), ("", "Hi"), (CALLER, " ")])
async def test_what_cannot_be_sent_is_not(store: Store, to: str, text: str) -> None:
    rest = FakeRest()
    assert not await texts(store, rest).send("CA1", to, text, "k")
    assert rest.asked == []


async def test_without_an_account_or_a_number_nothing_is_possible(store: Store) -> None:
    for office in (texts(store, None), texts(store, FakeRest(), "")):
        assert not office.is_possible
        assert not await office.send("CA1", CALLER, "Hi", "k")
    assert texts(store, FakeRest()).is_possible


async def test_an_agents_own_number_comes_first(store: Store) -> None:
    rest = FakeRest()
    for agent in (ava(from_number="+14155550177"), ava()):
        office = CarrierTexts.of(agent, store.texts, rest, OURS)  # type: ignore[arg-type]
        await office.send("CA1", CALLER, "Hi", agent.from_number or "none")
    assert [details["from_"] for _, details in rest.asked] == ["+14155550177", OURS]
