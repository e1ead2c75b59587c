"""Which way a call takes: blocked callers, telephones that ring first, and the two paths."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.receptionist.agent import Agent, parse_agent
from services.switchboard.routing import (
    Record,
    Reject,
    RingFirst,
    Route,
    Stream,
    is_blocked,
    path,
    route,
    share,
)

MONDAY_NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 12:00 in New York
SUNDAY = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
CALLER, OURS = "+14155550100", "+14155550199"


def agent(**sections: Any) -> Agent:
    business = {"name": "B", "timezone": "America/New_York"}
    hours = {"monday": ["9:00-17:00"]}
    return parse_agent({"name": "Ava", "business": business, "hours": hours, **sections})


def way(now: datetime = MONDAY_NOON, caller: str = CALLER, **sections: Any) -> Route:
    return route(agent(**sections), caller, OURS, now, "CA1")


def test_by_default_a_call_is_streamed() -> None:
    assert way() == Stream("rule")
    assert way(routing={"path": "record"}) == Record("rule")


@pytest.mark.parametrize(
    ("blocked", "number", "expected"),
    [
        (["+14155550100"], "+14155550100", True),
        (["+14155550100"], "+1 (415) 555-0100", True),
        (["+14155550100"], "+141555501001", False),
        (["+1415*"], "+14155550100", True),
        (["+1415*"], "+1416", False),
        (["anonymous"], "anonymous", True),
        (["anonymous"], "Anonymous", True),
        (["anonymous"], "Restricted", True),
        (["anonymous"], "", True),
        (["anonymous"], "+266696687", True),
        (["anonymous"], "+14155550100", False),
        (["+2666*"], "+266696687", False),
        (["+1415*"], "client:talk", False),
        ([], "anonymous", False),
    ],
)
def test_blocked_callers(blocked: list[str], number: str, expected: bool) -> None:
    assert is_blocked(tuple(blocked), number) is expected
    assert isinstance(way(caller=number, blocked=blocked), Reject) is expected


def test_who_is_blocked_rings_nowhere() -> None:
    ring = {"secs": 20, "numbers": ["+14155550111"]}
    assert way(blocked=[CALLER], ring_first=ring) == Reject()


def test_the_staffs_telephones_ring_first_while_the_business_is_open() -> None:
    ring = {"secs": 15, "numbers": ["+14155550111", "+14155550112"]}
    expected = RingFirst(("+14155550111", "+14155550112"), 15, Stream("rule"))
    assert way(ring_first=ring) == expected
    assert way(SUNDAY, ring_first=ring) == Stream("rule")
    assert way(SUNDAY, ring_first={**ring, "open_hours_only": False}) == expected
    assert way(ring_first={**ring, "secs": 0}) == Stream("rule")
    assert way(ring_first={**ring, "numbers": []}) == Stream("rule")


def test_a_business_whose_hours_are_not_known_is_open() -> None:
    ring = {"secs": 15, "numbers": ["+14155550111"]}
    assert isinstance(way(SUNDAY, ring_first=ring, hours={}), RingFirst)
    assert way(SUNDAY, hours={}, routing={"outside_hours": "record"}) == Stream("rule")


def test_a_telephone_that_calls_does_not_ring_itself() -> None:
    ring = {"secs": 15, "numbers": [CALLER, "+14155550112"]}
    assert way(ring_first=ring) == RingFirst(("+14155550112",), 15, Stream("rule"))
    assert way(ring_first={**ring, "numbers": [CALLER]}) == Stream("rule")


def test_after_ringing_in_vain_the_call_takes_its_own_path() -> None:
    ring = {"secs": 15, "numbers": ["+14155550112"]}
    ringing = way(ring_first=ring, routing={"record_numbers": [CALLER]})
    assert isinstance(ringing, RingFirst)
    assert ringing.otherwise == Record("number")


def test_the_first_rule_that_applies_decides() -> None:
    everything = {
        "path": "record",
        "outside_hours": "record",
        "record_share": 100,
        "record_numbers": [CALLER],
        "stream_numbers": [CALLER],
    }
    assert way(SUNDAY, routing=everything) == Stream("number")
    del everything["stream_numbers"]
    assert way(SUNDAY, routing=everything) == Record("number")
    del everything["record_numbers"]
    assert way(SUNDAY, routing=everything) == Record("outside hours")
    assert way(routing=everything) == Record("share")
    assert way(SUNDAY, routing={"outside_hours": "stream", "record_share": 100}) == Stream(
        "outside hours"
    )


def test_our_own_number_may_choose_the_path() -> None:
    assert way(routing={"record_numbers": [OURS]}) == Record("number")


def test_a_share_of_the_calls_is_recorded() -> None:
    quarter = agent(routing={"record_share": 25})
    ids = [f"CA{n:032x}" for n in range(4000)]
    paths = [path(quarter, CALLER, OURS, MONDAY_NOON, call_id) for call_id in ids]
    assert 0.22 < paths.count(Record("share")) / len(paths) < 0.28
    assert paths == [path(quarter, CALLER, OURS, SUNDAY, call_id) for call_id in ids]


@given(st.text(max_size=64))
def test_a_calls_place_is_between_0_and_99_and_stays(call_id: str) -> None:
    assert share(call_id) == share(call_id)
    assert 0 <= share(call_id) < 100
