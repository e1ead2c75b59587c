"""Calls that go out, on the whole server: people, machines, and telephones that nobody takes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.call.effects import Purpose
from services.llm import EndCall, UseTool
from services.receptionist.tools import Tool, ToolRequest
from services.store import CallState, Direction
from tests.house import CALLEE, KEY, OURS, PERSON, PUBLIC, House, house, story
from tests.simulators.carrier import Answers, Party, Refusal, Trouble, machine
from tests.simulators.script import ExpectHangUp

GOODBYE = ["Goodbye then.", EndCall()]
LISTENS = [ExpectHangUp(60)]
HERE = f"{PUBLIC}/webhooks"


async def stored(line: House, call_id: str) -> Any:
    return await line.store.calls.get(call_id)


async def said(line: House, call_id: str) -> list[str]:
    return [turn.heard for turn in await line.store.calls.turns(call_id)]


@story
async def test_a_person_is_called_and_talked_to(tmp_path: Path) -> None:
    async with house(tmp_path, [GOODBYE]) as line:
        line.carrier.telephone(CALLEE, Party(rings_s=5, scripts=[LISTENS]))
        call_id, leg = await line.make_call()
        await line.say(call_id, "Yes, I will be there.", after_s=12)
        await line.over(leg)
        (placed,) = line.carrier.rest
        assert placed.form == {
            "To": CALLEE,
            "From": OURS,
            "Url": f"{HERE}/voice/{call_id}",
            "Timeout": "60",
            "StatusCallback": f"{HERE}/status/{call_id}",
            "StatusCallbackEvent": "initiated ringing answered completed",
            "MachineDetection": "DetectMessageEnd",
            "AsyncAmd": "true",
            "AsyncAmdStatusCallback": f"{HERE}/amd/{call_id}",
        }
        assert line.told("/voice/") == [
            f'<Response><Connect><Stream statusCallback="{HERE}/stream-status" '
            f'url="wss://voice.example.com/media-stream/{call_id}"><Parameter name="token" />'
            f'<Parameter name="caller" value="{CALLEE}" />'
            f'<Parameter name="called" value="{OURS}" /></Stream></Connect>'
            f'<Redirect method="POST">{HERE}/after/{call_id}</Redirect></Response>'
        ]
        assert sorted(line.asked()) == sorted(
            [f"POST /webhooks/{name}/{call_id}" for name in ("voice", "amd", "after")]
            + [f"POST /webhooks/status/{call_id}"] * 4
        )
        (brief,) = line.fleet.briefs
        assert (brief.caller, brief.called) == (CALLEE, OURS)
        assert (brief.opening, brief.purpose) == (Purpose.OUTBOUND, "Remind them of the check-up.")
        call = await stored(line, call_id)
        assert (call.direction, call.state) == (Direction.OUTBOUND, CallState.ENDED)
        assert (call.outcome, call.answered_by) == ("answered", "human")
        assert (call.sid, call.caller, call.called) == (leg.sid, OURS, CALLEE)
        heard = await said(line, call_id)
        assert heard[0].startswith("Ava here.")
        assert heard[1:] == ["Yes, I will be there.", "Goodbye then."]
        assert line.carrier.errors == []


@story
async def test_a_machine_hears_the_message_after_its_beep(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        line.carrier.telephone(CALLEE, machine())
        call_id, leg = await line.make_call()
        await line.over(leg)
        call = await stored(line, call_id)
        assert (call.outcome, call.answered_by) == ("voicemail", "machine_end_beep")
        assert call.end_reason == "agent: voicemail"
        assert (await said(line, call_id))[-1] == "Please call us back."
        assert leg.ended_by == "the document hangs up"
        assert line.carrier.errors == []


@story
async def test_a_machine_is_hung_up_on_if_that_is_wanted(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        line.carrier.telephone(CALLEE, machine())
        call_id, leg = await line.make_call(machine="hang_up")
        assert line.carrier.rest[0].form["MachineDetection"] == "Enable"
        await line.over(leg)
        call = await stored(line, call_id)
        assert (call.outcome, call.answered_by) == ("no_answer", "machine_start")
        assert call.end_reason == "agent: machine"
        assert "Please call us back." not in await said(line, call_id)
        assert line.carrier.errors == []


@pytest.mark.parametrize(
    ("party", "outcome", "status"),
    [
        (Party(Answers.BUSY), "busy", "busy"),
        (Party(Answers.REFUSES), "busy", "busy"),
        (Party(Answers.RINGS_ON), "no_answer", "no-answer"),
        (Party(Answers.UNREACHABLE), "failed", "failed"),
    ],
    ids=lambda value: value.answers.value if isinstance(value, Party) else value,
)
@pytest.mark.parametrize("late", [False, True], ids=["in order", "late and twice"])
@story
async def test_a_call_that_nobody_takes(
    tmp_path: Path, party: Party, outcome: str, status: str, late: bool
) -> None:
    trouble = Trouble()
    if late:  # the end is told before the beginning
        trouble = Trouble(status_twice=True, status_delay_s={"initiated": 90, "ringing": 80})
    async with house(tmp_path, trouble=trouble) as line:
        line.carrier.telephone(CALLEE, party)
        call_id, leg = await line.make_call()
        await line.over(leg)
        call = await stored(line, call_id)
        assert (call.outcome, call.end_reason) == (outcome, f"carrier: {status}")
        assert call.error.startswith("SIP ")
        assert line.carrier.of("voice") == []
        assert line.carrier.errors == []


@story
async def test_callbacks_out_of_order_change_nothing_of_a_conversation(tmp_path: Path) -> None:
    trouble = Trouble(status_twice=True, status_delay_s={"initiated": 9, "ringing": 30})
    async with house(tmp_path, [GOODBYE], trouble=trouble) as line:
        line.carrier.telephone(CALLEE, Party(scripts=[LISTENS]))
        call_id, leg = await line.make_call()
        await line.say(call_id, "Yes, I will be there.", after_s=12)
        await line.over(leg)
        call = await stored(line, call_id)
        assert (call.state, call.outcome) == (CallState.ENDED, "answered")
        assert line.carrier.errors == []


@story
async def test_who_hangs_up_at_once_is_on_record(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        line.carrier.telephone(CALLEE, Party(hangs_up_s=1.5))
        call_id, leg = await line.make_call()
        await line.over(leg)
        call = await stored(line, call_id)
        assert (call.state, call.outcome) == (CallState.ENDED, "abandoned")


@story
async def test_who_was_called_may_be_put_through(tmp_path: Path) -> None:
    wish = {"person": "Dr. Lee", "reason": "a question", "urgency": "normal", "name": ""}
    tool = ToolRequest(Tool.TRANSFER_CALL, wish, 1, "transfer-1")
    async with house(tmp_path, [[UseTool(tool), "One moment."]]) as line:
        line.carrier.telephone(CALLEE, Party(scripts=[LISTENS]))
        line.carrier.telephone(PERSON, Party(keys=["1"], talks_s=20))
        call_id, leg = await line.make_call()
        await line.say(call_id, "Dr. Lee, please.", after_s=12)
        await line.over(leg)
        (child,) = leg.children
        assert child.from_ == OURS
        assert child.heard == [
            "say: Call from a caller, 4 1 5, 5 5 5, 0 1 2 3. Reason: a question. "
            "Press 1 to take the call."
        ]
        call = await stored(line, call_id)
        assert (call.outcome, await line.state(call_id)) == ("transferred", "connected")
        assert line.carrier.errors == []


@story
async def test_a_call_that_rings_can_be_taken_back(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        line.carrier.telephone(CALLEE, Party(Answers.RINGS_ON))
        call_id, leg = await line.make_call()
        await asyncio.sleep(5)
        await line.orders.hang_up(call_id)
        await line.over(leg)
        assert leg.status in {"completed", "canceled"}
        assert str(line.carrier.rest[1]).endswith(f"/Calls/{leg.sid}.json")
        assert line.carrier.rest[1].form == {"Status": "completed"}
        assert (await stored(line, call_id)).end_reason == "agent: ordered"
        assert line.carrier.errors == []


@pytest.mark.parametrize("is_done", [True, False])
@story
async def test_an_answer_of_twilios_that_is_lost_places_no_second_call(
    tmp_path: Path, is_done: bool
) -> None:
    trouble = Trouble(refusals=[Refusal(0, is_done=is_done)])
    async with house(tmp_path, [GOODBYE], trouble=trouble) as line:
        line.carrier.telephone(CALLEE, Party(scripts=[LISTENS]))
        body = {"to": CALLEE, "purpose": "Remind them.", "idempotency_key": "order-7"}
        headers = {"X-API-Key": KEY}
        first = await line.http.post("/make-call", json=body, headers=headers)
        assert (first.status_code, first.json()["status"]) == (201, "unknown")
        call_id = first.json()["call_id"]
        if is_done:  # it rings all the same, and is our call
            await line.say(call_id, "Yes.", after_s=12)
        await asyncio.sleep(60)
        again = await line.http.post("/make-call", json=body, headers=headers)
        assert again.status_code == 200
        assert again.json()["call_id"] == call_id
        assert again.json()["status"] == ("ended" if is_done else "unknown")
        call = await stored(line, call_id)
        assert call.outcome == ("answered" if is_done else "")
        assert call.error.startswith("unknown: ") != is_done
        assert len([each for each in line.carrier.rest if each.path.endswith("Calls.json")]) == 1


@story
async def test_what_twilio_refuses_is_told(tmp_path: Path) -> None:
    trouble = Trouble(refusals=[Refusal(400, 21215)])
    async with house(tmp_path, trouble=trouble) as line:
        body = {"to": CALLEE, "purpose": "Remind them."}
        answer = await line.http.post("/make-call", json=body, headers={"X-API-Key": KEY})
        assert answer.status_code == 502
        assert answer.json()["error"]["code"] == "carrier_refused"
        assert "21215" in answer.json()["error"]["message"]
