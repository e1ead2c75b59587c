"""``/calls``: what is told of calls, what can be ordered, and what is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.api.rest import HEADERS, LIVE, PAST, House, a_busy_day, house


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path, fill=a_busy_day)


@pytest.fixture
def client(home: House) -> Iterator[TestClient]:
    with home.client() as client:
        yield client


def test_the_list_has_active_and_past_calls_newest_first(client: TestClient) -> None:
    page = client.get("/calls").json()
    assert {call["id"] for call in page["items"]} == {LIVE, PAST}
    assert page["next"] is None
    past = next(call for call in page["items"] if call["id"] == PAST)
    assert past["state"] == "ended"
    assert past["outcome"] == "booked"
    assert past["cost"] == {"currency": "USD", "total": 0.25, "parts": {"call": 0.25}}
    assert past["has_recording"] is True


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"active": "true"}, {LIVE}),
        ({"active": "false"}, {PAST}),
        ({"path": "record"}, {PAST}),
        ({"state": "live"}, {LIVE}),
        ({"outcome": "booked"}, {PAST}),
        ({"direction": "outbound"}, set()),
        ({"agent": "receptionist"}, {LIVE, PAST}),
        ({"agent": "nobody"}, set()),
        ({"number": "+15551234567"}, {LIVE, PAST}),
        ({"number": "15557654321"}, {LIVE, PAST}),
        ({"number": "+15550000000"}, set()),
        ({"since": "2026-11-23T13:00:00+01:00"}, {LIVE, PAST}),
        ({"since": "2026-11-23T13:00:01+01:00"}, set()),
        ({"until": "2026-11-23T12:00:00Z"}, set()),
        ({"until": "0001-01-01T00:00:00+23:59"}, set()),
        ({"since": "9999-12-31T23:59:59-23:59"}, set()),
    ],
)
def test_filters(client: TestClient, query: dict[str, str], expected: set[str]) -> None:
    answer = client.get("/calls", params=query)
    assert answer.status_code == 200
    assert {call["id"] for call in answer.json()["items"]} == expected


def test_pages_follow_one_another(client: TestClient) -> None:
    first = client.get("/calls", params={"limit": 1}).json()
    second = client.get("/calls", params={"limit": 1, "cursor": first["next"]}).json()
    ids = [call["id"] for call in first["items"] + second["items"]]
    assert sorted(ids) == [LIVE, PAST]
    assert second["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "many"},
        {"state": "gone"},
        {"active": "1"},
        {"since": "1700000000"},
        {"since": "yesterday"},
        {"number": "Anna"},
        {"agent": "../secret"},
        {"agent": "a\x00b"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_without_being_repeated(
    client: TestClient, query: dict[str, str]
) -> None:
    answer = client.get("/calls", params=query)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "bad_request"
    assert next(iter(query)) in error["message"]
    assert next(iter(query.values())) not in error["message"].replace("201", "") or query == {
        "limit": "0"
    }


def test_a_cursor_that_no_page_gave_is_refused(client: TestClient) -> None:
    answer = client.get("/calls", params={"cursor": "bm90aGluZw"})
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "no_such_page"


def test_a_call_with_everything(client: TestClient) -> None:
    call = client.get(f"/calls/{PAST}").json()
    assert [turn["speaker"] for turn in call["turns"]] == ["agent", "caller", "agent"]
    assert call["turns"][2]["unheard"] == "suits you?"
    assert call["turns"][2]["latency_ms"] == {"total": 640}
    assert call["tools"][0]["tool"] == "book_appointment"
    assert call["escalations"][0]["person"] == "Dr. Reed"
    assert call["figures"]["latency_ms"]["total"] == {"count": 2, "p50": 600.0, "p95": 900.0}
    assert call["figures"]["eager"] == {"begun": 2, "used": 1}
    assert call["live"] is None


def test_a_live_call_tells_what_both_are_doing(client: TestClient) -> None:
    live = client.get(f"/calls/{LIVE}").json()["live"]
    assert live == {"caller": "quiet", "agent": "speaking"}


@pytest.mark.parametrize("path", ["", "/journal", "/recording"])
def test_a_call_that_is_not_there(client: TestClient, path: str) -> None:
    answer = client.get(f"/calls/CA0{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "no_such_call"


def test_all_journals_of_a_call_are_given(home: House, client: TestClient) -> None:
    assert client.get(f"/calls/{PAST}/journal").json()["error"]["code"] == "no_journal"
    (home.data / "calls" / "one.jsonl").write_text('{"journal":1}\n')
    (home.data / "calls" / "two.jsonl").write_text('{"journal":2}\n')
    answer = client.get(f"/calls/{PAST}/journal")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.text == '{"journal":1}\n{"journal":2}\n'
    assert answer.headers["cache-control"] == "no-store"


def test_the_recording_is_given(home: House, client: TestClient) -> None:
    assert client.get(f"/calls/{PAST}/recording").json()["error"]["code"] == "no_recording"
    (home.data / "recordings" / "past.wav").write_bytes(b"RIFF....WAVE")
    answer = client.get(f"/calls/{PAST}/recording")
    assert answer.content == b"RIFF....WAVE"
    assert answer.headers["content-type"] == "audio/wav"


def test_a_live_call_is_hung_up(home: House, client: TestClient) -> None:
    answer = client.post(f"/calls/{LIVE}/hangup")
    assert answer.status_code == 202
    assert home.orders.given == [("hang_up", LIVE)]
    assert client.post(f"/calls/{PAST}/hangup").status_code == 404


@pytest.mark.parametrize(
    ("to", "status", "ordered"),
    [
        ({"person": "Dr. Reed"}, 202, "Dr. Reed"),
        ({"number": "+15550001111"}, 202, "+15550001111"),
        ({"person": "Nobody"}, 409, ""),
        ({"number": "0151 23"}, 422, ""),
        ({"person": ""}, 422, ""),
        ({"person": "a\x00b"}, 422, ""),
        ({"person": "Dr. Reed", "number": "+15550001111"}, 422, ""),
        ({}, 422, ""),
    ],
)
def test_a_live_call_is_put_through(
    home: House, client: TestClient, to: dict[str, str], status: int, ordered: str
) -> None:
    answer = client.post(f"/calls/{LIVE}/transfer", json=to)
    assert answer.status_code == status
    assert home.orders.given == ([("transfer", LIVE, ordered)] if ordered else [])


def test_a_call_that_is_over_is_deleted_with_its_files(home: House, client: TestClient) -> None:
    assert client.delete(f"/calls/{LIVE}").json()["error"]["code"] == "call_is_active"
    journal = home.data / "calls" / "one.jsonl"
    journal.write_text("{}\n")
    erased = client.delete(f"/calls/{PAST}").json()
    assert (erased["calls"], erased["files"]) == (1, 1)
    assert not journal.exists()
    assert client.get(f"/calls/{PAST}").status_code == 404
    assert client.delete(f"/calls/{PAST}").status_code == 404


def test_all_that_is_known_of_a_number_is_deleted(home: House, client: TestClient) -> None:
    erased = client.delete("/callers/+15551234567").json()
    assert (erased["calls"], erased["active"]) == (1, 1)  # one goes on
    assert erased["messages"] == 2
    assert erased["upcoming"] == 3
    assert [call["id"] for call in client.get("/calls").json()["items"]] == [LIVE]
    assert client.get("/messages").json()["items"] == []


def test_a_body_that_is_no_json_is_refused_in_the_same_form(client: TestClient) -> None:
    headers = {**HEADERS, "Content-Type": "application/json"}
    answer = client.post(f"/calls/{LIVE}/transfer", content=b'{"person": "x', headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "bad_request"
    assert "person" not in answer.json()["error"]["message"]


def test_a_long_body_is_refused_unread(client: TestClient) -> None:
    answer = client.post(f"/calls/{LIVE}/transfer", content=b"x" * 70_000)
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"
