"""Webhooks that are replayed, forged, late and out of order, on the whole server."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.llm import EndCall, UseTool
from services.receptionist.calendar.schedule import WEEKDAYS
from services.receptionist.tools import Tool, ToolRequest
from services.store import CallState
from services.switchboard.outbound import next_allowed
from tests.exchange import ava
from tests.house import (
    CALLEE,
    CALLER,
    KEY,
    OURS,
    PERSON,
    House,
    house,
    story,
)
from tests.simulators.carrier import Answers, Party, Trouble, machine
from tests.simulators.script import ExpectHangUp

LISTENS = [ExpectHangUp(60)]
GOODBYE = ["Goodbye then.", EndCall()]
NAMES = ("after", "rang", "transferred", "whisper", "accept", "voice", "amd", "status")
FORM = {
    "CallStatus": "completed",
    "DialCallStatus": "completed",
    "DialBridged": "true",
    "AnsweredBy": "machine_start",
    "Digits": "1",
    "From": CALLER,
    "To": OURS,
}


def put_through() -> list[Any]:
    wish = {"person": "Dr. Lee", "reason": "a tooth", "urgency": "normal", "name": "Jane"}
    return [UseTool(ToolRequest(Tool.TRANSFER_CALL, wish, 1, "transfer-1")), "One moment."]


async def known(line: House, call_id: str) -> tuple[Any, ...]:
    """All that is on record of a call."""
    calls = line.store.calls
    return (
        await calls.get(call_id),
        await calls.turns(call_id),
        await calls.tools(call_id),
        await line.store.escalations.of_call(call_id),
    )


@story
async def test_replayed_webhooks_change_nothing_and_no_number_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    trouble = Trouble(status_twice=True)
    async with house(tmp_path, [put_through()], trouble=trouble) as line:
        line.carrier.status_callback = "/webhooks/status"
        line.carrier.telephone(PERSON, Party(keys=["1"], talks_s=20))
        leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS]))
        await line.say(leg.sid, "Dr. Lee, please.")
        await line.over(leg)
        before, legs = await known(line, leg.sid), len(line.carrier.calls)
        for each in [*line.carrier.requests, *reversed(line.carrier.requests)]:
            assert (await line.webhook(each.path, each.form)).status_code == 200
        await asyncio.sleep(100)
        assert await known(line, leg.sid) == before
        assert len(line.carrier.calls) == legs
        assert line.carrier.rest == []
    said = "\n".join(record.getMessage() for record in caplog.records if _ours(record))
    assert re.findall(r"\+?\d{7,}", re.sub(r"\b(CA|OUT)[0-9a-f]{32}", "", said)) == []


def _ours(record: logging.LogRecord) -> bool:
    return record.name.startswith(("services", "api", "main"))


@story
async def test_unsigned_webhooks_change_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, [GOODBYE]) as line:
        leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS]))
        await asyncio.sleep(3)
        before = await known(line, leg.sid)
        paths = [f"/webhooks/{name}/{leg.sid}" for name in NAMES]
        paths += [f"/webhooks/recorded/{leg.sid}{tail}" for tail in ("", "/over", "/silent/x")]
        paths += ["/webhooks/status", "/webhooks/stream-status", "/voice", "/voice-stream"]
        form = {**FORM, "CallSid": leg.sid, "RecordingSid": "RE1", "RecordingUrl": "https://x.y/z"}
        for path in paths:
            for posted in (
                await line.webhook(path, form, token="another"),
                await line.http.post(path, data=form),
            ):
                assert posted.status_code == 403
                assert posted.json()["error"]["code"] == "bad_signature"
        assert await known(line, leg.sid) == before
        await line.say(leg.sid, "Goodbye.")
        await line.over(leg)
        assert (await line.record(leg.sid)).outcome == "answered"
        assert line.carrier.errors == []


@story
async def test_webhooks_of_calls_that_never_were_leave_nothing(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        for call_id in ("CA" + "9" * 32, "OUT" + "9" * 32, "x"):
            form = {**FORM, "CallSid": call_id}
            for name in NAMES:
                answer = await line.webhook(f"/webhooks/{name}/{call_id}", form)
                assert answer.status_code == 200
                assert "<Dial" not in answer.text
                assert "<Stream" not in answer.text
            answer = await line.webhook(f"/webhooks/recorded/{call_id}", form)
            assert answer.status_code == 404
        assert (await line.store.calls.list()).items == []


@story
async def test_callbacks_about_another_call_change_nothing(tmp_path: Path) -> None:
    """The address names one call, the form another."""
    async with house(tmp_path, [GOODBYE]) as line:
        line.carrier.telephone(CALLEE, Party(scripts=[LISTENS]))
        call_id, leg = await line.make_call()
        await asyncio.sleep(12)
        for status in ("completed", "failed", "busy"):
            form = {**FORM, "CallSid": "CA" + "9" * 32, "CallStatus": status}
            await line.webhook(f"/webhooks/status/{call_id}", form)
        await line.say(call_id, "Yes.")
        await line.over(leg)
        assert (await line.record(call_id)).outcome == "answered"


@story
async def test_a_state_never_goes_back(tmp_path: Path) -> None:
    order = list(CallState)
    async with house(tmp_path, [put_through()]) as line:
        line.carrier.telephone(CALLEE, Party(scripts=[LISTENS]))
        line.carrier.telephone(PERSON, Party(keys=["1"], talks_s=20))
        call_id, leg = await line.make_call()
        seen: list[CallState] = []

        async def nag() -> None:
            while not seen or seen[-1] is not CallState.ENDED:
                for status in ("queued", "initiated", "ringing", "in-progress"):
                    form = {"CallSid": leg.sid, "CallStatus": status}
                    await line.webhook(f"/webhooks/status/{call_id}", form)
                    seen.append((await line.record(call_id)).state)
                await asyncio.sleep(1)

        nagging = asyncio.create_task(nag())
        await line.say(call_id, "Dr. Lee, please.", after_s=12)
        await line.over(leg)
        await nagging
        assert [order.index(state) for state in seen] == sorted(map(order.index, seen))
        assert {CallState.LIVE, CallState.TRANSFERRED, CallState.ENDED} <= set(seen)


@story
async def test_a_key_that_is_pressed_after_the_caller_has_gone(tmp_path: Path) -> None:
    async with house(tmp_path, [put_through()]) as line:
        line.carrier.telephone(PERSON, Party(rings_s=3))
        leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS], waits_s=6))
        await line.say(leg.sid, "Dr. Lee, please.")
        await line.over(leg)
        pressed = {"CallSid": leg.children[0].sid, "Digits": "1"}
        answer = await line.webhook(f"/webhooks/accept/{leg.sid}", pressed)
        assert "The caller has hung up. Goodbye." in answer.text
        assert (await line.record(leg.sid)).outcome == "abandoned"
        assert await line.state(leg.sid) == "withdrawn"


@story
async def test_two_orders_at_once_ring_one_person(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        line.carrier.telephone(PERSON, Party(keys=["1"], talks_s=20))
        line.carrier.telephone(CALLEE, Party(keys=["1"], talks_s=20))
        leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS]))
        await asyncio.sleep(3)
        url = f"/calls/{leg.sid}/transfer"
        both = line.post(url, person="Dr. Lee"), line.post(url, number=CALLEE)
        ordered = await asyncio.gather(*both)
        assert {each.status_code for each in ordered} <= {202, 409}
        await asyncio.sleep(3)
        late = await line.post(url, person="Dr. Lee")
        assert (late.status_code, late.json()["error"]["code"]) == (409, "already_transferred")
        await line.over(leg)
        assert len(leg.children) == 1
        states = [each.state.value for each in await line.store.escalations.of_call(leg.sid)]
        assert states.count("connected") == 1
        assert set(states) <= {"connected", "withdrawn"}
        assert line.carrier.errors == []


@pytest.mark.parametrize("first", ["human", "machine_start"])
@story
async def test_the_first_word_about_who_answered_counts(tmp_path: Path, first: str) -> None:
    """Contradicted, repeated, and told again when all is over."""
    async with house(tmp_path, [GOODBYE]) as line:
        party = machine() if first != "human" else Party(scripts=[LISTENS])
        line.carrier.telephone(CALLEE, party)
        call_id, leg = await line.make_call(machine="hang_up")
        await asyncio.sleep(9)
        for verdict in ("human", "machine_start", "machine_end_beep", "fax", "unknown", ""):
            form = {"CallSid": leg.sid, "AnsweredBy": verdict}
            await line.webhook(f"/webhooks/amd/{call_id}", form)
        if first == "human":
            await line.say(call_id, "Yes.")
        await line.over(leg)
        await line.webhook(f"/webhooks/amd/{call_id}", {"CallSid": leg.sid, "AnsweredBy": "fax"})
        call = await line.record(call_id)
        assert call.answered_by == first
        assert call.outcome == ("answered" if first == "human" else "no_answer")


@story
async def test_twenty_requests_with_one_key_place_one_call(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        line.carrier.telephone(CALLEE, Party(Answers.RINGS_ON))
        body = {"to": CALLEE, "purpose": "Remind them.", "idempotency_key": "order-7"}
        headers = {"X-API-Key": KEY}
        answers = await asyncio.gather(
            *(line.http.post("/make-call", json=body, headers=headers) for _ in range(20))
        )
        assert sorted(each.status_code for each in answers) == [200] * 19 + [201]
        assert len({each.json()["call_id"] for each in answers}) == 1
        assert len(line.carrier.rest) == len(line.carrier.calls) == 1
        for changed in ({"purpose": "Something else."}, {"to": PERSON}, {"machine": "hang_up"}):
            reused = await line.http.post("/make-call", json=body | changed, headers=headers)
            assert (reused.status_code, reused.json()["error"]["code"]) == (409, "key_reused")
        assert len(line.carrier.rest) == 1


@pytest.mark.parametrize("answers", [Answers.PICKS_UP, Answers.BUSY])
@story
async def test_a_transfer_outlives_the_server(tmp_path: Path, answers: Answers) -> None:
    """It is started anew while the telephone rings."""
    async with house(tmp_path, [put_through()]) as line:
        line.carrier.telephone(PERSON, Party(answers, rings_s=15, keys=["1"], talks_s=20))
        leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS, LISTENS]))
        await line.say(leg.sid, "Dr. Lee, please.")
        while not leg.children:
            await line.say_nothing(0.1)
        async with house(tmp_path, [GOODBYE], carrier=line.carrier) as again:
            if answers is Answers.BUSY:
                while len(leg.streams) < 2:
                    await line.say_nothing()
                await again.say(leg.sid, "Goodbye.")
            await again.over(leg)
            taken = answers is Answers.PICKS_UP
            call = await again.record(leg.sid)
            assert call.state is CallState.ENDED
            assert call.end_reason == ("agent: transfer" if taken else "agent: goodbye")
            assert await again.state(leg.sid) == ("connected" if taken else "unanswered")
            assert line.carrier.errors == []


# --- calling hours when the clocks are changed ----------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("day", [datetime(2026, 3, 29), datetime(2026, 10, 25)])
def test_calling_hours_are_those_of_the_clock_on_the_wall(day: datetime) -> None:
    """On the days on which an hour is missing, or comes twice."""
    rules = {"hours": ["9:00-17:00"], "weekdays": list(WEEKDAYS)}
    business = {"name": "B", "timezone": "Europe/Berlin", "country": "DE"}
    agent = ava(business=business, outbound=rules, hours={})
    moment = day.replace(tzinfo=BERLIN).astimezone(UTC) - timedelta(days=1)
    for _ in range(3 * 24 * 4):
        local = moment.astimezone(BERLIN)
        refusal = next_allowed(agent, moment)
        assert bool(refusal) == (not 9 <= local.hour < 17), local
        if refusal and local.hour < 9:
            assert local.replace(hour=9, minute=0, fold=0).isoformat() in refusal
        moment += timedelta(minutes=15)
