"""``/bookings``, the calendar feeds, ``/messages`` and ``/agents``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient

from tests.api.rest import KEY, TUESDAY_AT_10, House, a_busy_day, house


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path, fill=a_busy_day)


@pytest.fixture
def client(home: House) -> Iterator[TestClient]:
    with home.client() as client:
        yield client


def listed(client: TestClient, **query: str) -> list[dict[str, Any]]:
    answer = client.get("/bookings", params=query)
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


# --- bookings -------------------------------------------------------------------------------------


def test_bookings_are_listed_soonest_first(client: TestClient) -> None:
    found = listed(client)
    assert [each["starts_at"] for each in found] == [
        "2026-11-24T10:00:00Z",
        "2026-11-24T12:00:00Z",
        "2026-11-25T10:00:00Z",
    ]
    assert found[0]["name"] == "Anna Bell"
    assert client.get(f"/bookings/{found[0]['id']}").json() == found[0]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"state": "cancelled"}, 0),
        ({"state": "held"}, 0),
        ({"number": "+15551234567"}, 3),
        ({"number": "+15550000000"}, 0),
        ({"name": "bell"}, 3),
        ({"name": "reed"}, 0),
        ({"name": "%"}, 0),
        ({"since": "2026-11-25T00:00:00Z"}, 1),
        ({"until": "2026-11-25T00:00:00Z"}, 2),
        ({"agent": "other"}, 0),
        ({"limit": "2"}, 2),
    ],
)
def test_booking_filters(client: TestClient, query: dict[str, str], count: int) -> None:
    assert len(listed(client, **query)) == count


def test_a_booking_is_moved_and_keeps_its_id(client: TestClient) -> None:
    booking = listed(client)[0]
    answer = client.patch(
        f"/bookings/{booking['id']}", json={"starts_at": "2026-11-24T16:00:00+02:00"}
    )
    assert answer.status_code == 200
    moved = answer.json()
    assert (moved["id"], moved["starts_at"]) == (booking["id"], "2026-11-24T14:00:00Z")
    assert moved["ends_at"] == "2026-11-24T15:00:00Z"
    assert moved["sequence"] > booking["sequence"]


@pytest.mark.parametrize(
    ("start", "code", "has_alternatives"),
    [
        ("2026-11-24T12:30:00Z", "taken", True),
        ("2026-11-24T16:30:00Z", "closed", True),
        ("2026-11-26T10:00:00Z", "closed", True),
        ("2026-11-24T14:07:00Z", "off_grid", True),
        ("2026-11-23T11:00:00Z", "past", False),
        ("0001-01-01T00:00:00+14:00", "past", False),
        ("9999-12-31T23:59:59-14:00", "too_far", False),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_others_that_can(
    client: TestClient, start: str, code: str, has_alternatives: bool
) -> None:
    booking = listed(client)[0]
    answer = client.patch(f"/bookings/{booking['id']}", json={"starts_at": start})
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == code
    alternatives = answer.json()["alternatives"]
    assert bool(alternatives) is has_alternatives
    assert client.get(f"/bookings/{booking['id']}").json() == booking
    for other in alternatives[:1]:
        moved = client.patch(f"/bookings/{booking['id']}", json={"starts_at": other})
        assert moved.json()["starts_at"] == other


def test_its_own_time_does_not_stand_in_its_way(client: TestClient) -> None:
    booking = listed(client)[0]
    answer = client.patch(f"/bookings/{booking['id']}", json={"starts_at": "2026-11-24T10:30:00Z"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"starts_at": "2026-11-24T10:30:00"},
        {"starts_at": 1_800_000_000},
        {"starts_at": "tomorrow"},
        {"starts_at": None},
        {"starts_at": "2026-11-24T10:30:00Z", "state": "cancelled"},
    ],
)
def test_a_change_that_makes_no_sense_is_refused(client: TestClient, change: Any) -> None:
    booking = listed(client)[0]
    assert client.patch(f"/bookings/{booking['id']}", json=change).status_code == 422


def test_a_booking_is_cancelled_once(client: TestClient) -> None:
    booking = listed(client)[0]
    for _ in range(2):
        assert client.delete(f"/bookings/{booking['id']}").json()["state"] == "cancelled"
    assert client.get(f"/bookings/{booking['id']}").status_code == 404
    assert [each["id"] for each in listed(client, state="cancelled")] == [booking["id"]]
    new_time = {"starts_at": "2026-11-24T14:00:00Z"}
    assert client.patch(f"/bookings/{booking['id']}", json=new_time).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_booking_that_is_not_there(client: TestClient, method: str) -> None:
    body = {"starts_at": "2026-11-24T14:00:00Z"} if method == "PATCH" else None
    answer = client.request(method, "/bookings/ZZZZZZ", json=body)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "no_such_booking"


# --- calendar feeds -------------------------------------------------------------------------------


def test_a_calendar_program_needs_no_header(home: House, client: TestClient) -> None:
    (address,) = client.get("/agents/receptionist").json()["calendar"]
    assert KEY not in address
    with TestClient(home.app) as calendar:
        answer = calendar.get(address)
        assert answer.headers["content-type"].startswith("text/calendar")
        assert answer.text.startswith("BEGIN:VCALENDAR")
        assert answer.text.count("BEGIN:VEVENT") == 3
        key = urlsplit(address).query
        assert calendar.get(f"/calls?{key}").status_code == 401, "it opens nothing else"
        assert calendar.get(f"/agents/other/calendar.ics?{key}").status_code == 401


@pytest.mark.parametrize("query", ["", f"?key={'0' * 32}"])
def test_without_its_key_a_feed_is_closed(home: House, client: TestClient, query: str) -> None:
    with TestClient(home.app) as calendar:
        assert calendar.get(f"/agents/receptionist/calendar.ics{query}").status_code == 401


def test_an_api_key_opens_the_feed_of_an_agent_that_is_there(client: TestClient) -> None:
    assert client.get("/agents/receptionist/calendar.ics").status_code == 200
    assert client.get("/agents/other/calendar.ics").json()["error"]["code"] == "no_such_agent"


# --- messages -------------------------------------------------------------------------------------


def test_messages_are_listed_marked_and_deleted(client: TestClient) -> None:
    first, second = client.get("/messages").json()["items"]
    assert first["text"].startswith("Please call back")
    done = client.patch(f"/messages/{first['id']}", json={"done": True}).json()
    assert done["done_at"] is not None
    open_ones = client.get("/messages", params={"done": "false"}).json()["items"]
    assert [each["id"] for each in open_ones] == [second["id"]]
    undone = client.patch(f"/messages/{first['id']}", json={"done": False}).json()
    assert undone["done_at"] is None
    assert client.delete(f"/messages/{first['id']}").status_code == 204
    for method in ("GET", "DELETE"):
        answer = client.request(method, f"/messages/{first['id']}")
        assert answer.json()["error"]["code"] == "no_such_message"
    assert client.patch(f"/messages/{second['id']}", json={"done": "yes"}).status_code == 422


def test_messages_have_pages(client: TestClient) -> None:
    first = client.get("/messages", params={"limit": "1"}).json()
    rest = client.get("/messages", params={"limit": "1", "cursor": first["next"]}).json()
    assert first["items"][0]["id"] != rest["items"][0]["id"]
    assert rest["next"] is None


# --- agents ---------------------------------------------------------------------------------------


def test_agents_and_what_is_wrong_with_their_files(client: TestClient) -> None:
    agents = client.get("/agents").json()
    (agent,) = agents["items"]
    assert (agent["id"], agent["name"], agent["business"]) == (
        "receptionist",
        "Ava",
        "Bright Smile",
    )
    assert agent["problems"] == ["receptionist.toml: line 3, hours: expected a list"]
    assert agents["problems"] == ["other.toml: is missing"]


def test_one_agent(client: TestClient) -> None:
    agent = client.get("/agents/receptionist").json()
    assert agent["services"] == [{"name": "Cleaning", "price": "$90", "minutes": 60}]
    assert agent["people"] == ["Dr. Reed"]
    assert client.get("/agents/other").status_code == 404


def test_a_file_s_text_is_checked(client: TestClient) -> None:
    good = {"toml": 'name = "Ava"\n[business]\nname = "Bright Smile"\n'}
    assert client.post("/agents/validate", json=good).json() == {"valid": True, "problems": []}
    bad = {"toml": 'name = "Ava"\n[business]\nname = "B"\nfone = "1"\n'}
    answer = client.post("/agents/validate", json=bad).json()
    assert answer["valid"] is False
    assert "line 4" in answer["problems"][0]
    assert client.post("/agents/validate", json={"toml": "\x00"}).json()["valid"] is False


# --- stats ----------------------------------------------------------------------------------------


def test_stats_by_path(client: TestClient) -> None:
    stats = client.get("/stats").json()
    record = next(group for group in stats["groups"] if group["path"] == "record")
    assert record["latency_ms"]["total"] == {"count": 2, "p50": 600.0, "p95": 900.0}
    assert record["cost"] == {"currency": "USD", "total": 0.25, "per_call": 0.25}
    assert record["outcomes"] == {"booked": 1}
    assert stats["is_whole"] is True
    assert stats["now"]["calls"] == 1
    late = (TUESDAY_AT_10 + timedelta(days=1)).isoformat()
    assert client.get("/stats", params={"since": late, "by": "day"}).json()["groups"] == []
