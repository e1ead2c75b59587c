"""Webhooks in the course of a call: status callbacks, machine detection, calls that go out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from services.call.effects import Purpose
from services.call.events import CallerHungUp, MachineAnswered
from services.store import CallState
from services.switchboard.progress import SETTLE_S
from tests.exchange import (
    BASE,
    CALLER,
    IN_PROGRESS,
    OURS,
    PERSON,
    Exchange,
    PublicSide,
    ava,
    exchange,
    names,
    stream_of,
)

TO = "+14155550123"
AUTH_TOKEN = "12345"
PATHS = [
    *(f"/webhooks/{name}/CA1" for name in ("after", "rang", "transferred", "whisper", "accept")),
    *(f"/webhooks/{name}/CA1" for name in ("voice", "amd", "status")),
    *("/webhooks/status", "/webhooks/stream-status", "/voice-stream", "/api/twilio/voice"),
]


async def place(line: Exchange, **body: object) -> str:
    """A call goes out; its id. Twilio calls it CA1."""
    answer = await line.order({"to": TO, "purpose": "Remind them.", **body})
    assert answer.status_code == 201, answer.text
    call_id: str = answer.json()["call_id"]
    return call_id


# --- calls that go out ----------------------------------------------------------------------------


async def test_a_call_of_ours_that_is_answered_has_a_stream_of_its_own(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line)
        first = await line.post(f"/webhooks/voice/{call_id}", From=OURS, To=TO)
        url, parameters = stream_of(first)
        assert url == f"wss://agent.example.com/media-stream/{call_id}"
        assert first[1].text == f"{BASE}/webhooks/after/{call_id}"
        again = await line.post(f"/webhooks/voice/{call_id}", From=OURS, To=TO)
        assert stream_of(again) == (url, parameters)
        announced = line.open_stream(again, call_id)
        assert (announced.caller, announced.called) == (TO, OURS)
        assert (announced.opening, announced.purpose) == (Purpose.OUTBOUND, "Remind them.")
        assert (announced.direction, announced.agent) == ("outbound", "ava")
        assert (await line.call(call_id)).answered_at is not None


async def test_the_token_of_a_call_of_ours_opens_no_other_stream(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line)
        _, parameters = stream_of(await line.post(f"/webhooks/voice/{call_id}"))
        token = parameters["token"]
        assert line.tokens.redeem(token, "CA1", "OUTother") is None
        assert line.tokens.redeem(token, call_id, call_id) is None  # Twilio knows it as CA1
        announced = line.tokens.redeem(token, "CA1", call_id)
        assert announced is not None
        assert announced.call_id == call_id


async def test_twilio_may_call_back_before_it_has_answered_us(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        verbs: list[Any] = []

        async def create_call(to: str, from_: str, url: str, **options: object) -> str:
            call_id = url.rpartition("/")[2]
            await line.post(f"/webhooks/status/{call_id}", CallStatus="ringing")
            verbs.extend(await line.post(f"/webhooks/voice/{call_id}"))
            return "CA1"

        line.rest.create_call = create_call  # type: ignore[method-assign]
        call_id = await place(line)
        assert line.open_stream(verbs, call_id).caller == TO
        assert (await line.call(call_id)).sid == "CA1"


async def test_an_answer_under_another_id_is_not_our_call(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line)
        assert names(await line.post(f"/webhooks/voice/{call_id}", CallSid="CA8")) == ["Hangup"]
        await line.ring("CA3")
        assert names(await line.post("/webhooks/voice/CA3", CallSid="CA3")) == ["Hangup"]


async def test_a_call_of_ours_that_is_over_is_not_answered(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line)
        await line.post(f"/webhooks/status/{call_id}", CallStatus="canceled")
        assert names(await line.post(f"/webhooks/voice/{call_id}")) == ["Hangup"]


async def test_a_call_of_ours_that_finds_all_lines_busy_ends(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line)
        line.is_full = True
        assert names(await line.post(f"/webhooks/voice/{call_id}")) == ["Hangup"]
        call = await line.call(call_id)
        assert (call.outcome, call.error) == ("failed", "all lines were busy")


async def test_a_call_of_ours_may_be_put_through(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line)
        line.open_stream(await line.post(f"/webhooks/voice/{call_id}"), call_id)
        await line.wish(call_id, caller=TO)
        line.close_stream("agent: transfer", call_id)
        (dial,) = await line.post(f"/webhooks/after/{call_id}", **IN_PROGRESS)
        assert dial.attrib["callerId"] == OURS
        busy = {"DialCallStatus": "busy", **IN_PROGRESS}
        verbs = await line.post(f"/webhooks/transferred/{call_id}", **busy)
        announced = line.open_stream(verbs, call_id)
        assert (announced.caller, announced.called) == (TO, OURS)
        assert (announced.opening, announced.direction) == (Purpose.NOBODY_THERE, "outbound")


# --- machines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answered_by", "policy", "told"),
    [
        ("human", "leave_message", []),
        ("human", "hang_up", []),
        ("unknown", "leave_message", []),
        ("unknown", "hang_up", []),
        ("machine_end_beep", "leave_message", [MachineAnswered(True)]),
        ("machine_end_silence", "leave_message", [MachineAnswered(True)]),
        ("machine_end_other", "leave_message", [MachineAnswered(True)]),
        ("machine_start", "hang_up", [MachineAnswered(False)]),
        ("machine_end_beep", "hang_up", [MachineAnswered(False)]),
        ("fax", "leave_message", [MachineAnswered(False)]),
        ("fax", "hang_up", [MachineAnswered(False)]),
        ("", "hang_up", []),
        ("a new word of Twilio's", "hang_up", []),
    ],
)
@pytest.mark.parametrize("is_early", [False, True])
async def test_who_has_answered_is_told_to_the_call_once(
    tmp_path: Path, answered_by: str, policy: str, told: list[Any], is_early: bool
) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line, machine=policy)
        assert line.rest.asked[0][1]["machine"] == policy
        verbs = await line.post(f"/webhooks/voice/{call_id}")
        if is_early:  # before the stream is up
            await line.post(f"/webhooks/amd/{call_id}", AnsweredBy=answered_by)
        line.open_stream(verbs, call_id)
        session = line.live.sessions[call_id]
        for _ in range(2):
            await line.post(f"/webhooks/amd/{call_id}", AnsweredBy=answered_by)
        await asyncio.gather(*line.switchboard._tasks)
        assert session.events == told
        assert (await line.call(call_id)).answered_by == answered_by


async def test_the_agents_file_says_what_to_do_with_machines(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(outbound={"machine": "hang_up"})) as line:
        await place(line)
        assert line.rest.asked[0][1]["machine"] == "hang_up"


async def test_a_machine_that_is_known_before_the_answer_is_hung_up_on(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line, machine="hang_up")
        await line.post(f"/webhooks/amd/{call_id}", AnsweredBy="machine_start")
        assert names(await line.post(f"/webhooks/voice/{call_id}")) == ["Hangup"]
        call = await line.call(call_id)
        assert (call.outcome, call.answered_by) == ("no_answer", "machine_start")


# --- status callbacks -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("busy", "busy"),
        ("no-answer", "no_answer"),
        ("failed", "failed"),
        ("canceled", "no_answer"),
        ("completed", "abandoned"),
    ],
)
async def test_a_call_that_nobody_took_has_its_outcome_and_keeps_it(
    tmp_path: Path, status: str, outcome: str
) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line)
        for each in ("initiated", "ringing", status, "ringing", "in-progress", "busy", status):
            path = f"/webhooks/status/{call_id}"
            assert await line.post(path, CallStatus=each, SipResponseCode="487") == []
        call = await line.call(call_id)
        assert (call.state, call.outcome) == (CallState.ENDED, outcome)
        assert call.end_reason == f"carrier: {status}"
        assert call.error == ("" if status == "completed" else "SIP 487")


async def test_a_callback_that_comes_late_puts_nothing_back(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        call_id = await place(line)
        path = f"/webhooks/status/{call_id}"
        await line.post(path, CallStatus="in-progress")
        answered_at = (await line.call(call_id)).answered_at
        assert answered_at is not None
        line.clock.add(seconds=9)
        for late in ("in-progress", "ringing", "initiated", "queued", "", "something new"):
            await line.post(path, CallStatus=late)
        call = await line.call(call_id)
        assert call.answered_at == answered_at
        assert call.state is CallState.RINGING


async def test_the_end_of_a_live_call_is_told_to_it(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        session = line.live.sessions["CA1"]
        await line.post("/webhooks/status", CallStatus="completed")
        assert session.events == [CallerHungUp("completed")]
        assert (await line.call()).state is CallState.RINGING  # its own end is to come


async def test_the_end_of_a_recorded_call_is_told_to_the_recording_path(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        told: list[tuple[str, str]] = []
        line.progress._recorded_over = lambda call_id, reason: told.append((call_id, reason))
        await line.switchboard.admit("CA1", CALLER, OURS)
        await line.store.calls.update("CA1", state=CallState.LIVE)
        await line.post("/webhooks/status", CallStatus="completed")
        assert told == [("CA1", "caller: completed")]


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_transfer_whose_end_is_not_told_is_settled_all_the_same(
    tmp_path: Path, accepted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    async def no_time(seconds: float) -> None:
        waited.append(seconds)

    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish()
        line.close_stream("agent: transfer")
        await line.post("/webhooks/after/CA1")
        if accepted:
            await line.post("/webhooks/accept/CA1", CallSid="CA9", Digits="1")
        monkeypatch.setattr("services.switchboard.progress.asyncio.sleep", no_time)
        await line.post("/webhooks/status", CallStatus="completed")
        await asyncio.gather(*line.progress._tasks)
        assert waited == [SETTLE_S]
        assert await line.state() == ("connected" if accepted else "withdrawn")
        assert (await line.call()).outcome == ("transferred" if accepted else "abandoned")


async def test_callbacks_about_calls_that_nobody_knows_are_taken(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        for path in ("/webhooks/status", "/webhooks/status/OUT1", "/webhooks/amd/OUT1"):
            form = {"CallStatus": "completed", "AnsweredBy": "human"}
            assert await line.post(path, CallSid="CA7", **form) == []
        error = {"StreamEvent": "stream-error", "StreamError": "x"}
        assert await line.post("/webhooks/stream-status", CallSid="CA7", **error) == []


async def test_only_an_error_of_a_stream_is_noted(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await line.ring()
        await line.post("/webhooks/stream-status", StreamEvent="stream-started")
        await line.post("/webhooks/stream-status", StreamEvent="stream-stopped")
        assert (await line.call()).error == ""


# --- every webhook --------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", PATHS)
async def test_only_twilio_is_answered(tmp_path: Path, path: str, slash: str) -> None:
    async with exchange(tmp_path, settings=PublicSide(AUTH_TOKEN)) as line:
        form = {"CallSid": "CA1", "From": CALLER}
        url = f"{BASE}{path}{slash}"
        signature = RequestValidator(AUTH_TOKEN).compute_signature(url, form)
        for headers in ({}, {"X-Twilio-Signature": signature[::-1]}):
            refused = await line.http.post(path + slash, data=form, headers=headers)
            assert refused.status_code == 403
            assert refused.json()["error"]["code"] == "bad_signature"
        assert await line.call() is None
        headers = {"X-Twilio-Signature": signature}
        answer = await line.http.post(path + slash, data=form, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/xml")
        assert (await line.http.get(path + slash)).status_code == 405


@pytest.mark.parametrize("path", PATHS)
async def test_every_webhook_names_its_call(tmp_path: Path, path: str) -> None:
    async with exchange(tmp_path) as line:
        answer = await line.http.post(path, data={"CallStatus": "completed"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_call_sid")


async def test_every_route_was_tried(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        documented = line.app.openapi()["paths"]
        webhooks = {path.replace("{call_id}", "CA1") for path in documented} - {"/make-call"}
        assert webhooks == set(PATHS)


@pytest.mark.parametrize("call_id", ["x" * 65, "..%2f", "a%20b", "%00", "ä"])
async def test_an_address_that_names_no_call_is_refused(tmp_path: Path, call_id: str) -> None:
    async with exchange(tmp_path) as line:
        answer = await line.http.post(f"/webhooks/after/{call_id}", data={"CallSid": "CA1"})
        assert answer.status_code == 404


FIELDS = st.sampled_from(
    ["DialCallStatus", "DialBridged", "CallStatus", "Digits", "AnsweredBy", "StreamEvent"]
)
VALUES = st.sampled_from(
    ["completed", "busy", "no-answer", "true", "false", "1", "2", "in-progress", "machine_start"]
) | st.text(max_size=20)
STEP = st.tuples(st.sampled_from(PATHS), st.dictionaries(FIELDS, VALUES, max_size=4))


@settings(max_examples=25, deadline=None)
@given(st.lists(STEP, min_size=1, max_size=8))
async def test_any_order_of_webhooks_is_answered_and_an_ended_call_stays_ended(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, dict[str, str]]]
) -> None:
    async with exchange(tmp_path_factory.mktemp("calls")) as line:
        ended: Any = None
        for path, fields in steps:
            form = {"CallSid": "CA1", "From": CALLER, "To": OURS, **fields}
            answer: httpx.Response = await line.http.post(
                path,
                content=urlencode(form, errors="replace"),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            assert answer.status_code == 200
            call = await line.call()
            if ended:
                assert (call.state, call.end_reason) == (ended.state, ended.end_reason)
            ended = call if call and call.state is CallState.ENDED else None


async def test_a_person_is_rung_by_the_number_that_was_asked_for(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish(number="+14155550112")
        await line.wish()
        line.close_stream("agent: transfer")
        (dial,) = await line.post("/webhooks/after/CA1")
        assert [number.text for number in dial] == [PERSON]
