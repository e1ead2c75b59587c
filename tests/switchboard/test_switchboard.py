"""What the carrier hears next: calls that come in, streams that end, people who are rung."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from services.call.effects import Purpose, Speaker, Turn
from services.receptionist.books import Handling
from services.store import CallEnd, CallState, StoredTurn, StoreError
from services.switchboard.board import NO_STREAM
from services.switchboard.connecting import ALL_LINES_BUSY
from services.switchboard.routing import ANONYMOUS
from services.switchboard.tokens import Announced
from tests.exchange import (
    BASE,
    CALLER,
    IN_PROGRESS,
    OURS,
    PERSON,
    Exchange,
    ava,
    exchange,
    flat,
    names,
    stream_of,
)

RING = {"secs": 15, "numbers": [PERSON, "+14155550112"]}
NOBODY = [
    {"DialCallStatus": "no-answer"},
    {"DialCallStatus": "busy"},
    {"DialCallStatus": "failed"},
    {"DialCallStatus": "canceled"},
    {"DialCallStatus": "completed", "DialBridged": "false"},
]


# --- a call comes in ------------------------------------------------------------------------------


async def test_a_streamed_call_is_on_record_and_asks_what_is_next(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        verbs = await line.ring()
        url, parameters = stream_of(verbs)
        assert url == "wss://agent.example.com/media-stream"
        assert (parameters["caller"], parameters["called"]) == (CALLER, OURS)
        assert verbs[1].text == f"{BASE}/webhooks/after/CA1"
        assert verbs[1].attrib == {"method": "POST"}
        assert verbs[0][0].attrib["statusCallback"] == f"{BASE}/webhooks/stream-status"
        call = await line.call()
        assert (call.agent, call.caller, call.called, call.sid) == ("ava", CALLER, OURS, "CA1")
        assert (call.state, call.path) == (CallState.RINGING, "stream")


async def test_a_repeated_webhook_hears_the_same_again(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        first = flat(await line.ring())
        line.is_full = True  # this very call may be the one that fills the lines
        line.clock.add(hours=8)
        assert flat(await line.ring()) == first


async def test_each_number_has_its_agent(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.agents.agents["bella"] = ava(numbers=["+14155550200"])
        announced = line.open_stream(await line.ring(called="+14155550200"))
        assert announced.agent == "bella"
        assert (await line.call()).agent == "bella"


async def test_blocked_callers_hear_a_busy_line_and_stay_on_record(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(blocked=[CALLER, "anonymous"])) as line:
        for _ in range(2):
            assert flat(await line.ring()) == [("Reject", {"reason": "busy"}, "")]
        assert names(await line.ring("CA2", caller=sorted(ANONYMOUS)[-1])) == ["Reject"]
        call = await line.call()
        assert (call.state, call.end_reason) == (CallState.ENDED, "refused: blocked")
        assert call.outcome == "blocked"


async def test_when_all_lines_are_busy_the_caller_is_told_whoever_could_ring(
    tmp_path: Path,
) -> None:
    async with exchange(tmp_path, ava(ring_first=RING)) as line:
        line.is_full = True
        for _ in range(2):
            assert flat(await line.ring()) == [("Say", {}, ALL_LINES_BUSY), ("Hangup", {}, "")]
        assert (await line.call()).outcome == "busy"
        assert line.tokens.unused == 0


async def test_a_database_that_fails_costs_no_caller_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*args: object) -> Any:
        raise StoreError("the disk is full")

    async with exchange(tmp_path) as line:
        monkeypatch.setattr(line.store.calls, "get", broken)
        monkeypatch.setattr(line.store.calls, "start", broken)
        assert line.open_stream(await line.ring()).caller == CALLER
        assert "the database failed: the disk is full" in caplog.text
        assert CALLER not in caplog.text


# --- the staff's telephones ring first ------------------------------------------------------------


async def test_the_staff_is_rung_first(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(ring_first=RING)) as line:
        attributes = {
            "action": f"{BASE}/webhooks/rang/CA1",
            "answerOnBridge": "true",
            "callerId": CALLER,
            "method": "POST",
            "timeout": "15",
        }
        expected = [("Dial", attributes, ""), ("Number", {}, PERSON)]
        assert flat(await line.ring()) == [*expected, ("Number", {}, "+14155550112")]


async def test_a_call_that_the_staff_took_is_theirs(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(ring_first=RING)) as line:
        await line.ring()
        took = {"DialCallStatus": "completed", "DialBridged": "true", "CallStatus": "completed"}
        for _ in range(2):
            assert names(await line.post("/webhooks/rang/CA1", **took)) == ["Hangup"]
        call = await line.call()
        assert (call.outcome, call.end_reason) == ("transferred", "staff: answered")


@pytest.mark.parametrize("dialled", NOBODY)
async def test_what_the_staff_does_not_take_the_agent_does(
    tmp_path: Path, dialled: dict[str, str]
) -> None:
    async with exchange(tmp_path, ava(ring_first=RING)) as line:
        await line.ring()
        first = await line.post("/webhooks/rang/CA1", **dialled, **IN_PROGRESS)
        assert flat(await line.post("/webhooks/rang/CA1", **dialled, **IN_PROGRESS)) == flat(first)
        announced = line.open_stream(first)
        assert (announced.caller, announced.opening) == (CALLER, Purpose.GREETING)


async def test_a_caller_who_gives_up_while_the_staff_is_rung_is_on_record(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(ring_first=RING)) as line:
        await line.ring()
        gone = {"DialCallStatus": "no-answer", "CallStatus": "completed"}
        assert names(await line.post("/webhooks/rang/CA1", **gone)) == ["Hangup"]
        assert (await line.call()).outcome == "abandoned"


async def test_after_ringing_in_vain_all_lines_may_be_busy(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(ring_first=RING)) as line:
        await line.ring()
        line.is_full = True
        verbs = await line.post("/webhooks/rang/CA1", DialCallStatus="busy", **IN_PROGRESS)
        assert names(verbs) == ["Say", "Hangup"]
        assert (await line.call()).outcome == "busy"


# --- the recording path ---------------------------------------------------------------------------


class RecordingPath:
    """Stands in for the recording path: notes the calls that it is given."""

    def __init__(self, line: Exchange) -> None:
        self.calls: list[Announced] = []
        line.switchboard.record_twiml = self

    async def __call__(self, base: str, call: Announced) -> str:
        self.calls.append(call)
        return "<Response><Record/></Response>"


async def test_a_call_is_recorded_if_the_rules_say_so(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(routing={"path": "record"})) as line:
        recording = RecordingPath(line)
        assert names(await line.ring()) == ["Record"]
        assert recording.calls == [Announced("CA1", CALLER, OURS, agent="ava")]
        assert (await line.call()).path == "record"
        line.switchboard.stream_ended("CA1", "agent: transfer")
        await line.wish()
        assert names(await line.post("/webhooks/after/CA1")) == ["Dial"]
        busy = {"DialCallStatus": "busy", **IN_PROGRESS}
        assert names(await line.post("/webhooks/transferred/CA1", **busy)) == ["Record"]
        assert recording.calls[1].opening is Purpose.NOBODY_THERE


async def test_without_a_recording_path_such_a_call_is_streamed(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(routing={"path": "record"})) as line:
        assert line.open_stream(await line.ring()).caller == CALLER


async def test_a_call_is_admitted_to_the_recording_path_or_refused(tmp_path: Path) -> None:
    async with exchange(tmp_path, ava(blocked=["+1900*"], ring_first=RING)) as line:
        for _ in range(2):
            admitted = await line.switchboard.admit("CA1", CALLER, OURS)
            assert admitted == Announced("CA1", CALLER, OURS, agent="ava")
        assert (await line.call()).path == "record"
        assert "<Reject" in str(await line.switchboard.admit("CA2", "+19005550100", OURS))
        line.is_full = True
        assert ALL_LINES_BUSY in str(await line.switchboard.admit("CA3", CALLER, OURS))


async def test_a_stream_that_never_came_up_gives_way_to_the_recording_path(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        recording = RecordingPath(line)
        await line.ring()
        error = {"StreamEvent": "stream-error", "StreamError": "31920 handshake"}
        assert await line.post("/webhooks/stream-status", **error) == []
        for _ in range(2):
            assert names(await line.post("/webhooks/after/CA1", **IN_PROGRESS)) == ["Record"]
        assert recording.calls == [Announced("CA1", CALLER, OURS, agent="ava")] * 2
        call = await line.call()
        assert (call.path, call.error) == ("record", "media stream: 31920 handshake")


async def test_without_a_recording_path_the_caller_is_told_that_something_is_wrong(
    tmp_path: Path,
) -> None:
    async with exchange(tmp_path) as line:
        await line.ring()
        assert flat(await line.post("/webhooks/after/CA1"))[0] == ("Say", {}, NO_STREAM)
        call = await line.call()
        assert (call.outcome, call.error) == ("failed", "the media stream did not come up")


async def test_a_stream_that_we_refused_was_no_failure(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        recording = RecordingPath(line)
        await line.ring()
        line.is_full = True
        assert flat(await line.post("/webhooks/after/CA1"))[0] == ("Say", {}, ALL_LINES_BUSY)
        assert recording.calls == []


# --- a stream ends --------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["agent: goodbye", "agent: time_limit", "caller: stop"])
async def test_after_the_goodbye_the_call_ends(tmp_path: Path, reason: str) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        line.close_stream(reason)
        for _ in range(2):
            assert names(await line.post("/webhooks/after/CA1")) == ["Hangup"]


async def test_the_carrier_may_ask_before_we_know_of_the_end(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish()
        asked = asyncio.create_task(line.post("/webhooks/after/CA1"))
        await asyncio.sleep(0.05)
        assert not asked.done()
        line.close_stream("agent: transfer")
        assert names(await asked) == ["Dial"]


async def test_nobody_is_put_through_after_a_goodbye(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish()  # said, and taken back: the caller interrupted
        line.close_stream("agent: goodbye")
        assert names(await line.post("/webhooks/after/CA1")) == ["Hangup"]
        assert await line.state() == "withdrawn"


async def test_a_call_that_nobody_knows_is_hung_up(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        for name in ("after", "rang", "transferred", "whisper", "accept", "voice"):
            assert names(await line.post(f"/webhooks/{name}/CA7")) == ["Hangup"]


async def test_a_call_whose_stream_broke_down_goes_on_in_another_one_once(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.store.calls.add_turn(StoredTurn("CA1", 1, Speaker.CALLER, "Hello?"))
        await line.store.calls.finish("CA1", CallEnd("crash"))
        line.close_stream("crash")
        announced = line.open_stream(await line.post("/webhooks/after/CA1"))
        assert announced.opening is Purpose.APOLOGY
        assert announced.earlier == (Turn(Speaker.CALLER, "Hello?"),)
        line.close_stream("crash")
        assert flat(await line.post("/webhooks/after/CA1"))[0] == ("Say", {}, NO_STREAM)


async def test_a_call_goes_on_after_the_server_was_started_anew(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.store.calls.update("CA1", state=CallState.LIVE)
        await line.store.calls.add_turn(StoredTurn("CA1", 1, Speaker.CALLER, "Hello?"))
    async with exchange(tmp_path) as line:
        assert await line.store.close_crashed() == 1
        announced = line.open_stream(await line.post("/webhooks/after/CA1"))
        assert announced.opening is Purpose.APOLOGY
        assert announced.earlier == (Turn(Speaker.CALLER, "Hello?"),)


# --- a person is rung -----------------------------------------------------------------------------


async def put_through(line: Exchange, handling: Handling = Handling.WARM) -> Any:
    line.open_stream(await line.ring())
    await line.wish(handling=handling)
    line.close_stream("agent: transfer")
    return await line.post("/webhooks/after/CA1", **IN_PROGRESS)


@pytest.mark.parametrize("handling", Handling)
async def test_a_person_is_rung_with_the_callers_number(tmp_path: Path, handling: Handling) -> None:
    async with exchange(tmp_path, ava(transfers={"ring_secs": 25})) as line:
        verbs = await put_through(line, handling)
        dial = {
            "action": f"{BASE}/webhooks/transferred/CA1",
            "callerId": CALLER,
            "method": "POST",
            "timeout": "25",
        }
        whisper = {"url": f"{BASE}/webhooks/whisper/CA1", "method": "POST"}
        number = whisper if handling is Handling.WARM else {}
        assert flat(verbs) == [("Dial", dial, ""), ("Number", number, PERSON)]
        assert flat(await line.post("/webhooks/after/CA1")) == flat(verbs)
        assert await line.state() == "dialling"
        assert (await line.call()).state is CallState.TRANSFERRED


async def test_the_person_hears_who_calls_and_accepts_with_a_key(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await put_through(line)
        verbs = await line.post("/webhooks/whisper/CA1", CallSid="CA9", ParentCallSid="CA1")
        gather = {
            "action": f"{BASE}/webhooks/accept/CA1",
            "method": "POST",
            "numDigits": "1",
            "timeout": "10",
        }
        said = (
            "Urgent call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0. Reason: a broken tooth. "
            "Press 1 to take the call."
        )
        expected = [("Gather", gather, ""), ("Say", {}, said), ("Hangup", {}, "")]
        assert flat(verbs) == expected
        for _ in range(2):
            assert await line.post("/webhooks/accept/CA1", CallSid="CA9", Digits="1") == []
        assert await line.state() == "accepted"
        took = {"DialCallStatus": "completed", "DialBridged": "true", "CallStatus": "completed"}
        for _ in range(2):
            assert names(await line.post("/webhooks/transferred/CA1", **took)) == ["Hangup"]
        assert await line.state() == "connected"
        call = await line.call()
        assert (call.outcome, call.end_reason) == ("transferred", "agent: transfer")


async def test_a_cold_transfer_needs_no_key(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await put_through(line, Handling.COLD)
        took = {"DialCallStatus": "completed", "DialBridged": "true", **IN_PROGRESS}
        assert names(await line.post("/webhooks/transferred/CA1", **took)) == ["Hangup"]
        assert await line.state() == "connected"


@pytest.mark.parametrize("digits", ["2", "", "*"])
async def test_any_other_key_refuses_and_the_caller_comes_back(tmp_path: Path, digits: str) -> None:
    async with exchange(tmp_path) as line:
        await put_through(line)
        await line.store.calls.add_turn(StoredTurn("CA1", 1, Speaker.CALLER, "Dr. Lee, please."))
        for _ in range(2):
            assert names(await line.post("/webhooks/accept/CA1", Digits=digits)) == ["Hangup"]
        assert await line.state() == "refused"
        refused = {"DialCallStatus": "completed", "DialBridged": "false", **IN_PROGRESS}
        first = await line.post("/webhooks/transferred/CA1", **refused)
        assert flat(await line.post("/webhooks/transferred/CA1", **refused)) == flat(first)
        announced = line.open_stream(first)
        assert announced.opening is Purpose.NOBODY_THERE
        assert announced.earlier == (Turn(Speaker.CALLER, "Dr. Lee, please."),)
        assert (announced.agent, announced.caller, announced.called) == ("ava", CALLER, OURS)
        assert await line.state() == "refused"


async def test_a_machine_that_picks_up_does_not_press_a_key(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await put_through(line)
        await line.post("/webhooks/whisper/CA1", CallSid="CA9")
        ended = {"DialCallStatus": "completed", "DialBridged": "true", **IN_PROGRESS}
        announced = line.open_stream(await line.post("/webhooks/transferred/CA1", **ended))
        assert announced.opening is Purpose.NOBODY_THERE
        assert await line.state() == "unanswered"


@pytest.mark.parametrize("handling", Handling)
@pytest.mark.parametrize("dialled", NOBODY)
async def test_if_nobody_takes_it_the_caller_comes_back(
    tmp_path: Path, dialled: dict[str, str], handling: Handling
) -> None:
    async with exchange(tmp_path) as line:
        await put_through(line, handling)
        verbs = await line.post("/webhooks/transferred/CA1", **dialled, **IN_PROGRESS)
        assert line.open_stream(verbs).opening is Purpose.NOBODY_THERE
        expected = "failed" if dialled["DialCallStatus"] == "failed" else "unanswered"
        assert await line.state() == expected
        line.close_stream("agent: goodbye")
        assert names(await line.post("/webhooks/after/CA1")) == ["Hangup"]


async def test_a_caller_who_came_back_may_be_put_through_again(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await put_through(line)
        busy = {"DialCallStatus": "busy", **IN_PROGRESS}
        line.open_stream(await line.post("/webhooks/transferred/CA1", **busy))
        await line.wish(number="+14155550112", handling=Handling.COLD)
        line.close_stream("agent: transfer")
        verbs = await line.post("/webhooks/after/CA1")
        assert flat(verbs)[1] == ("Number", {}, "+14155550112")
        states = [wish.state.value for wish in await line.store.escalations.of_call("CA1")]
        assert states == ["unanswered", "dialling"]


async def test_a_second_stream_that_does_not_come_up_gives_way_to_the_recording_path(
    tmp_path: Path,
) -> None:
    async with exchange(tmp_path) as line:
        recording = RecordingPath(line)
        await put_through(line)
        stream_of(await line.post("/webhooks/transferred/CA1", DialCallStatus="busy"))
        assert names(await line.post("/webhooks/after/CA1")) == ["Record"]
        assert recording.calls[0].opening is Purpose.NOBODY_THERE


async def test_a_caller_who_hangs_up_while_it_rings_is_on_record(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        await put_through(line)
        await line.post("/webhooks/whisper/CA1", CallSid="CA9")
        gone = {"DialCallStatus": "canceled", "CallStatus": "completed"}
        for _ in range(2):
            assert names(await line.post("/webhooks/transferred/CA1", **gone)) == ["Hangup"]
        assert await line.state() == "withdrawn"
        call = await line.call()
        assert (call.state, call.outcome) == (CallState.ENDED, "abandoned")
        too_late = await line.post("/webhooks/accept/CA1", CallSid="CA9", Digits="1")
        assert flat(too_late)[0] == ("Say", {}, "The caller has hung up. Goodbye.")
        assert names(await line.post("/webhooks/whisper/CA1", CallSid="CA9")) == ["Hangup"]


async def test_a_caller_who_hangs_up_before_it_rings_is_put_through_to_nobody(
    tmp_path: Path,
) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish()
        line.close_stream("caller: stop")
        await asyncio.gather(*line.switchboard._tasks)
        assert await line.state() == "withdrawn"


async def test_a_lost_socket_is_no_hang_up(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish()
        line.close_stream("caller: closed")
        assert names(await line.post("/webhooks/after/CA1")) == ["Dial"]


async def test_a_number_that_is_none_brings_the_caller_back(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish(number="911")
        line.close_stream("agent: transfer")
        announced = line.open_stream(await line.post("/webhooks/after/CA1"))
        assert announced.opening is Purpose.NOBODY_THERE
        assert await line.state() == "failed"


async def test_a_transfer_goes_on_after_the_server_was_started_anew(tmp_path: Path) -> None:
    async with exchange(tmp_path) as line:
        line.open_stream(await line.ring())
        await line.wish()
    async with exchange(tmp_path) as line:
        await line.store.close_crashed()
        assert names(await line.post("/webhooks/after/CA1")) == ["Dial"]
    async with exchange(tmp_path) as line:
        await line.store.close_crashed()
        assert names(await line.post("/webhooks/whisper/CA1")) == ["Gather", "Hangup"]
        assert await line.post("/webhooks/accept/CA1", Digits="1") == []
    async with exchange(tmp_path) as line:
        await line.store.close_crashed()
        took = {"DialCallStatus": "completed", "DialBridged": "true"}
        assert names(await line.post("/webhooks/transferred/CA1", **took)) == ["Hangup"]
        assert await line.state() == "connected"
        assert (await line.call()).outcome == "transferred"
