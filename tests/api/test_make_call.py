"""``POST /make-call``: who may, what is answered, and what Twilio is asked: at most once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.carriers.twilio_rest import TwilioError
from services.store import CallState, Direction, StoreError
from tests.exchange import BASE, KEY, OURS, Exchange, ava, exchange

TO = "+14155550123"
BODY: dict[str, object] = {"to": TO, "purpose": "Remind them of the check-up at nine."}
REFUSED = TwilioError(21215, 400, "Twilio refused (HTTP 400, code 21215): not allowed", True)
NO_ANSWER = TwilioError(0, 0, "Twilio did not answer in time", False)


def code(answer: Any) -> tuple[int, str]:
    error = answer.json()["error"]
    assert error["message"].endswith(".") or error["code"] == "bad_request", error
    return answer.status_code, error["code"]


async def test_twilio_is_asked_once_for_exactly_this(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        answer = await line.order({**BODY, "to": "+1 (415) 555-0123"})
        assert answer.status_code == 201
        call_id = answer.json()["call_id"]
        assert answer.json() == {"call_id": call_id, "status": "queued"}
        assert call_id.startswith("OUT")
        assert len(call_id) == 35
        request = {
            "to": TO,
            "from_": OURS,
            "url": f"{BASE}/webhooks/voice/{call_id}",
            "status_callback": f"{BASE}/webhooks/status/{call_id}",
            "timeout_s": 60,
            "machine": "leave_message",
            "amd_callback": f"{BASE}/webhooks/amd/{call_id}",
        }
        assert line.rest.asked == [("create", request)]
        call = await line.call(call_id)
        assert (call.direction, call.state) == (Direction.OUTBOUND, CallState.QUEUED)
        assert (call.caller, call.called, call.sid) == (OURS, TO, "CA1")
        assert (call.purpose, call.agent) == (BODY["purpose"], "ava")


async def test_the_call_is_on_record_before_twilio_is_asked(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        seen = []

        async def create_call(to: str, from_: str, url: str, **options: object) -> str:
            seen.append(await line.call(url.rpartition("/")[2]))
            return "CA1"

        line.rest.create_call = create_call  # type: ignore[method-assign]
        await line.order(BODY)
        assert [call.state for call in seen] == [CallState.QUEUED]


@pytest.mark.parametrize("in_header", [True, False])
async def test_a_repeated_key_places_no_second_call(tmp_path: Path, in_header: bool) -> None:
    async with exchange(tmp_path) as line:
        headers = {"Idempotency-Key": "order-7"} if in_header else {}
        body = BODY if in_header else {**BODY, "idempotency_key": "order-7"}
        first = await line.order(body, **headers)
        line.clock.add(hours=12)  # outside the calling hours
        again = await line.order(body, **headers)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert len(line.rest.asked) == 1


async def test_two_requests_at_the_same_moment_place_one_call(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        body = {**BODY, "idempotency_key": "order-7"}
        answers = await asyncio.gather(*(line.order(body) for _ in range(10)))
        assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
        assert len({answer.json()["call_id"] for answer in answers}) == 1
        assert len(line.rest.asked) == 1


@pytest.mark.parametrize(
    "other", [{"to": "+14155550124"}, {"purpose": "Something else."}, {"machine": "hang_up"}]
)
async def test_a_key_is_for_one_call_only(tmp_path: Path, other: dict[str, object]) -> None:
    async with exchange(tmp_path) as line:
        await line.order({**BODY, "idempotency_key": "order-7"})
        reused = await line.order({**BODY, "idempotency_key": "order-7", **other})
        assert code(reused) == (409, "key_reused")
        assert len(line.rest.asked) == 1


async def test_without_a_key_each_request_is_a_call(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        answers = [await line.order(BODY) for _ in range(2)]
        assert len({answer.json()["call_id"] for answer in answers}) == 2


@pytest.mark.parametrize(
    "to", ["911", "4155550123", "+0123456789", "sip:a@b", "+1 415 555 0123 ext 4"]
)
async def test_what_is_no_number_is_not_called(tmp_path: Path, to: str) -> None:
    async with exchange(tmp_path) as line:
        assert code(await line.order({**BODY, "to": to})) == (422, "bad_number")
        assert line.rest.asked == []


async def test_a_number_that_nobody_can_have_is_not_called(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        assert code(await line.order({**BODY, "to": "+1415555"})) == (409, "bad_number")
        assert line.rest.asked == []


@pytest.mark.parametrize("to", [OURS, "+14155550200"])
async def test_an_agent_does_not_call_itself(tmp_path: Path, to: str) -> None:
    async with exchange(tmp_path, ava(numbers=["+14155550200"])) as line:
        assert code(await line.order({**BODY, "to": to})) == (409, "bad_number")


async def test_blocked_numbers_are_not_called_either(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(blocked=["+1415*"])) as line:
        assert code(await line.order(BODY)) == (409, "blocked")


@pytest.mark.parametrize(
    ("hours", "allowed"),
    [
        (7.99, ""),  # Monday 19:59 in New York
        (8, "2026-11-24T09:00:00-05:00"),
        (20.98, "2026-11-24T09:00:00-05:00"),
        (21, ""),
        (4 * 24 + 8, "2026-11-30T09:00:00-05:00"),  # Friday night: Monday
        (5 * 24, "2026-11-30T09:00:00-05:00"),
    ],
)
async def test_calling_hours_are_those_of_the_business(
    tmp_path: Path, hours: float, allowed: str
) -> None:
    async with exchange(tmp_path) as line:
        line.clock.add(hours=hours)
        answer = await line.order(BODY)
        if allowed:
            assert code(answer) == (409, "outside_hours")
            assert allowed in answer.json()["error"]["message"]
            assert line.rest.asked == []
        else:
            assert answer.status_code == 201


async def test_an_agent_may_never_call(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(outbound={"weekdays": []})) as line:
        answer = await line.order(BODY)
        assert code(answer) == (409, "outside_hours")
        assert "at no time" in answer.text


@pytest.mark.parametrize(
    ("part", "value", "missing"),
    [
        ("_rest", None, "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"),
        ("_base", "", "PUBLIC_URL"),
        ("_twilio_number", "", "TWILIO_NUMBER"),
    ],
)
async def test_what_is_missing_is_named(
    tmp_path: Path, part: str, value: object, missing: str
) -> None:
    async with exchange(tmp_path) as line:
        setattr(line.outbound, part, value)
        answer = await line.order(BODY)
        assert code(answer) == (409, "no_account")
        assert answer.json()["error"]["message"] == f"To place calls, set {missing}."


async def test_an_agents_own_number_comes_first(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(from_number="+14155550177")) as line:
        line.outbound._twilio_number = ""
        assert (await line.order(BODY)).status_code == 201
        assert line.rest.asked[0][1]["from_"] == "+14155550177"


async def test_the_agent_is_told_by_its_id_or_by_its_voice(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.agents.agents["bella"] = ava(engines={"voice": "Rachel"})
        by_id = await line.order({**BODY, "agent": "bella"})
        by_voice = await line.order({**BODY, "voice": "Rachel"})
        for answer in (by_id, by_voice):
            assert (await line.call(answer.json()["call_id"])).agent == "bella"
        for wrong in ({"agent": "eve"}, {"voice": "Adam"}, {"agent": "ava", "voice": "Rachel"}):
            answer = await line.order({**BODY, **wrong})
            assert code(answer) == (409, "unknown_agent")
            assert "there are: ava, bella" in answer.text


async def test_when_all_lines_are_busy_nobody_is_called(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.is_full = True
        assert code(await line.order(BODY)) == (503, "lines_busy")
        assert line.rest.asked == []


async def test_what_twilio_refuses_is_said_with_its_code_and_stays_on_record(
    tmp_path: Path,
) -> None:
    async with exchange(tmp_path) as line:
        line.rest.error = REFUSED
        body = {**BODY, "idempotency_key": "order-7"}
        answer = await line.order(body)
        assert code(answer) == (502, "carrier_refused")
        assert "21215" in answer.text
        again = await line.order(body)
        assert (again.status_code, again.json()["status"]) == (200, "ended")
        call = await line.call(again.json()["call_id"])
        assert (call.outcome, call.error) == ("failed", "Twilio 21215")
        assert len(line.rest.asked) == 1


async def test_if_nobody_knows_whether_it_rings_that_is_said_and_nothing_is_tried_again(
    tmp_path: Path,
) -> None:
    async with exchange(tmp_path) as line:
        line.rest.error = NO_ANSWER
        body = {**BODY, "idempotency_key": "order-7"}
        for expected in (201, 200):
            answer = await line.order(body)
            assert (answer.status_code, answer.json()["status"]) == (expected, "unknown")
        assert len(line.rest.asked) == 1
        call_id = answer.json()["call_id"]
        path = f"/webhooks/status/{call_id}"
        await line.post(path, CallSid="CA9", CallStatus="ringing")  # it rings after all
        assert (await line.order(body)).json()["status"] == "ringing"
        call = await line.call(call_id)
        assert (call.sid, call.outcome, call.error) == ("CA9", "", "")


async def test_without_a_database_nobody_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object) -> Any:
        raise StoreError("the disk is full")

    async with exchange(tmp_path) as line:
        monkeypatch.setattr(line.store.calls, "start_outbound", broken)
        assert code(await line.order(BODY)) == (503, "store_unavailable")
        assert line.rest.asked == []


async def test_without_an_api_key_nobody_is_called(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}):
            answer = await line.http.post("/make-call", json=BODY, headers=headers)
            assert code(answer) == (401, "key_required")
        bearer = {"Authorization": f"Bearer {KEY}"}
        assert (await line.http.post("/make-call", json=BODY, headers=bearer)).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"to": TO},
        {"to": TO, "purpose": ""},
        {"to": TO, "purpose": "  "},
        {"to": TO, "purpose": "\x00"},
        {"to": TO, "purpose": "x" * 1001},
        {**BODY, "to": 14155550123},
        {**BODY, "machine": "shout"},
        {**BODY, "unknown": 1},
        {**BODY, "idempotency_key": "a b"},
        {**BODY, "idempotency_key": "x" * 201},
        [BODY],
    ],
)
async def test_what_makes_no_sense_is_refused(tmp_path: Path, body: Any) -> None:
    async with exchange(tmp_path) as line:
        assert code(await line.order(body))[0] == 422
        assert line.rest.asked == []


async def test_two_different_keys_are_one_too_many(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        answer = await line.order({**BODY, "idempotency_key": "a"}, **{"Idempotency-Key": "b"})
        assert code(answer) == (409, "bad_key")


async def test_the_log_holds_no_numbers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with exchange(tmp_path) as line:
        with caplog.at_level("DEBUG", "services"):
            await place(line)
            line.rest.error = REFUSED
            await line.order(BODY)
        assert "placed" in caplog.text
        assert TO not in caplog.text
        assert str(BODY["purpose"]) not in caplog.text


async def place(line: Exchange) -> str:
    answer = await line.order(BODY)
    call_id: str = answer.json()["call_id"]
    return call_id
