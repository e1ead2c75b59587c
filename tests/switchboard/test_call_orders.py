"""What somebody at the business orders: a transfer or the end of a call."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from services.call.events import HangUpOrdered, TransferOrdered
from services.carriers.twilio_rest import TwilioError
from services.store import CallState
from services.switchboard.call_orders import NoSuchCall, NotPossible
from tests.exchange import BASE, CALLER, OURS, PERSON, Exchange, ava, exchange, flat, names

REFUSED = TwilioError(21220, 400, "Twilio refused (HTTP 400, code 21220)", True)


async def refusal(order: Any) -> str:
    with pytest.raises(NotPossible) as caught:
        await order
    assert str(caught.value).endswith(".")
    return caught.value.code


async def recorded(line: Exchange) -> None:
    """A call that is held turn by turn: it has no stream."""
    await line.switchboard.admit("CA1", CALLER, OURS)
    await line.store.calls.update("CA1", state=CallState.LIVE)


@pytest.mark.parametrize(
    ("to", "person", "number"),
    [
        ("Dr. Lee", "Dr. Lee", PERSON),
        (" the DENTIST ", "Dr. Lee", PERSON),
        ("+1 (415) 555-0112", "+14155550112", "+14155550112"),
    ],
)
async def test_a_streamed_call_is_told_and_then_asks_what_is_next(
    tmp_path: Path, to: str, person: str, number: str
) -> None:
    async with exchange(tmp_path, ava(transfers={"handling": "cold"})) as line:
        line.open_stream(await line.ring())
        assert await line.orders.transfer("CA1", to) == person
        assert line.live.sessions["CA1"].events == [TransferOrdered()]
        line.close_stream("agent: transfer")
        verbs = await line.post("/webhooks/after/CA1")
        assert flat(verbs)[1] == ("Number", {}, number)
        assert line.rest.asked == []
        assert await refusal(line.orders.transfer("CA1", to)) == "already_transferred"


async def test_a_call_without_a_stream_is_put_through_by_rest(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await recorded(line)
        await line.orders.transfer("CA1", "Dr. Lee")
        ((what, details),) = line.rest.asked
        assert (what, details["sid"]) == ("update", "CA1")
        (dial,) = ElementTree.fromstring(str(details["twiml"]))
        assert dial.attrib["action"] == f"{BASE}/webhooks/transferred/CA1"
        assert await line.state() == "dialling"


async def test_what_twilio_refuses_is_said(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await recorded(line)
        line.rest.error = REFUSED
        assert await refusal(line.orders.transfer("CA1", "Dr. Lee")) == "carrier_refused"
        assert (await line.call()).state is CallState.LIVE
        assert await refusal(line.orders.hang_up("CA1")) == "carrier_refused"


@pytest.mark.parametrize("to", ["Zoe", "nobody", "", "911", "5550112"])
async def test_who_has_no_number_cannot_be_rung(tmp_path: Path, to: str) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        with pytest.raises(NotPossible, match=r"or one of: Dr\. Lee\.$") as caught:
            await line.orders.transfer("CA1", to)
        assert caught.value.code == "bad_person"
        assert await line.state() == ""


async def test_a_call_that_is_not_answered_cannot_be_put_through(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await line.ring()
        assert await refusal(line.orders.transfer("CA1", "Dr. Lee")) == "not_answered"


async def test_without_an_account_only_streams_can_be_told(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.orders._rest = None
        line.orders._base = ""
        await recorded(line)
        assert await refusal(line.orders.transfer("CA1", "Dr. Lee")) == "no_account"
        assert await refusal(line.orders.hang_up("CA1")) == "no_account"
        line.open_stream(await line.ring("CA1"))
        await line.orders.transfer("CA1", "Dr. Lee")
        await line.orders.hang_up("CA1")
        assert line.live.sessions["CA1"].events == [TransferOrdered(), HangUpOrdered()]


async def test_calls_that_are_over_or_unknown_take_no_orders(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(blocked=[CALLER])) as line:
        await line.ring()
        for call_id in ("CA1", "CA7", ""):
            with pytest.raises(NoSuchCall):
                await line.orders.transfer(call_id, "Dr. Lee")
            with pytest.raises(NoSuchCall):
                await line.orders.hang_up(call_id)


async def test_a_call_that_rings_out_there_is_hung_up_by_rest(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        placed = await line.order({"to": "+14155550123", "purpose": "Remind them."})
        call_id = placed.json()["call_id"]
        await line.orders.hang_up(call_id)
        assert line.rest.asked[1:] == [("hang_up", {"sid": "CA1"})]
        call = await line.call(call_id)
        assert (call.end_reason, call.outcome) == ("agent: ordered", "no_answer")
        assert names(await line.post(f"/webhooks/voice/{call_id}")) == ["Hangup"]


async def test_a_call_of_which_nobody_knows_whether_it_rings_cannot_be_hung_up(
    tmp_path: Path,
) -> None:
    async with exchange(tmp_path) as line:
        line.rest.error = TwilioError(0, 0, "no answer in time", False)
        placed = await line.order({"to": "+14155550123", "purpose": "Remind them."})
        call_id = placed.json()["call_id"]
        assert await refusal(line.orders.hang_up(call_id)) == "not_answered"


async def test_a_call_that_is_being_put_through_is_hung_up_by_rest(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish()
        line.close_stream("agent: transfer")
        await line.post("/webhooks/after/CA1")
        await line.orders.hang_up("CA1")
        assert line.rest.asked == [("hang_up", {"sid": "CA1"})]
        assert (await line.call()).end_reason == "agent: ordered"
        assert await line.state() == "withdrawn"
