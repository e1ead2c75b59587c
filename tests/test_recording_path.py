"""The recording path on the whole server, against the carrier in a box: what Twilio asks and is
told, what the caller hears, and what is on record."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.call.effects import Purpose
from services.llm import EndCall, UseTool
from services.receptionist.tools import Tool, ToolRequest
from services.store import CallState
from services.switchboard.routing import share
from services.vendors import VendorError
from tests.house import (
    AGENT,
    CALLEE,
    CALLER,
    OURS,
    PERSON,
    PUBLIC,
    House,
    house,
    story,
)
from tests.simulators.carrier import Answers, Leg, Party, Refusal, Trouble, Words
from tests.simulators.carrier.voices import hum
from tests.simulators.script import ExpectHangUp

GOODBYE = ["Goodbye then.", EndCall()]
GOODBYE_END = "agent: goodbye"
LISTENS = [ExpectHangUp(60)]
LATE = {"name": "Jane", "number": "", "message": "I am late", "urgent": "no", "complete": "yes"}


def keep_message() -> list[Any]:
    """A fresh answer: what the tool gave is kept in it."""
    return [UseTool(ToolRequest(Tool.TAKE_MESSAGE, LATE, 1, "message-1")), "I will tell them."]


def put_through() -> list[Any]:
    wish = {"person": "Dr. Lee", "reason": "Is my crown ready?", "urgency": "normal", "name": ""}
    return [UseTool(ToolRequest(Tool.TRANSFER_CALL, wish, 1, "transfer-1")), "One moment, please."]


def requests(line: House, leg: Leg) -> list[str]:
    """What the carrier asked: sounds and the call's id by other names."""
    short = (re.sub(r"/webhooks/audio/[0-9a-f]{32}", "SOUND", each) for each in line.asked())
    return [each.replace(f"/webhooks/recorded/{leg.sid}", "TURN") for each in short]


def documents(line: House) -> list[str]:
    """The TwiML that it was told, in order."""
    sounds = (
        re.sub(rf"{PUBLIC}/webhooks/audio/[0-9a-f]{{32}}", "SOUND", body) for body in _told(line)
    )
    return [body for body in sounds if body != "<Response />"]


def _told(line: House) -> list[str]:
    return [
        body.partition("?>")[2].strip()
        for path, body in line.answered.documents
        if "<Response" in body and not path.startswith("/webhooks/status")
    ]


def listening(leg: Leg, after: str, prompt: str = "<Play>SOUND.wav</Play>") -> str:
    here = f"{PUBLIC}/webhooks/recorded/{leg.sid}"
    return (
        f'<Response>{prompt}<Record action="{here}" finishOnKey="#" maxLength="120" method="POST" '
        f'playBeep="false" recordingStatusCallback="{here}/ready" timeout="2" />'
        f'<Redirect method="POST">{here}/silent/{after}</Redirect></Response>'
    )


@story
async def test_a_call_from_the_greeting_to_the_goodbye(tmp_path: Path) -> None:
    """Recordings are not ready at first."""
    said = ["Are you open?", "Tell them that I am late.", "Goodbye."]
    answers = [["Till five."], keep_message(), GOODBYE]
    trouble = Trouble(not_ready=8)
    async with house(tmp_path, answers, heard=said, trouble=trouble) as line:
        leg = await line.recorded(Party(says=said))
        await line.over(leg)
        assert requests(line, leg) == [
            *("POST /voice", "GET SOUND.wav"),
            *("POST TURN", "POST TURN/ready", "GET SOUND.wav") * 3,
            *("POST TURN/over", "POST /webhooks/status"),
        ]
        first, second, third = line.carrier.recordings.kept
        here = f"{PUBLIC}/webhooks/recorded/{leg.sid}"
        assert documents(line) == [
            listening(leg, "begin"),
            listening(leg, first),
            listening(leg, second),
            "<Response><Play>SOUND.wav</Play>"
            f'<Redirect method="POST">{here}/over</Redirect></Response>',
            "<Response><Hangup /></Response>",
        ]
        tries = [(each.path.rpartition("/")[2], each.status) for each in line.carrier.rest]
        assert list(dict.fromkeys(tries)) == [
            (f"{sid}.wav", status) for sid in (first, second, third) for status in (404, 200)
        ]
        assert len(leg.sounds) == 4
        assert await line.said(leg.sid) == [
            *("agent: Hello.", "caller: Are you open?", "agent: Till five."),
            *("caller: Tell them that I am late.", "agent: I will tell them.", "caller: Goodbye."),
            "agent: Goodbye then.",
        ]
        call = await line.record(leg.sid)
        assert (call.path, call.state, call.end_reason) == ("record", CallState.ENDED, GOODBYE_END)
        assert (call.outcome, call.caller, call.called) == ("message", CALLER, OURS)
        assert call.cost["total"] > 0
        (message,) = (await line.store.messages.list()).items
        assert message.text == "I am late"
        (tool,) = await line.store.calls.tools(leg.sid)
        assert (tool.tool, tool.code) == ("take_message", "ok")
        assert line.carrier.errors == leg.failures == []


@story
async def test_the_first_answer_is_as_late_as_its_stages_say(tmp_path: Path) -> None:
    """From the end of the caller's speech to the first audio that is fetched: 2 s of silence, the
    file, the words, the brain's 0.1 s."""
    trouble = Trouble(not_ready=2)
    async with house(
        tmp_path, [["Till five."], GOODBYE], heard=["open?", "bye"], trouble=trouble
    ) as line:
        leg = await line.recorded(Party(says=["Are you open?", "Goodbye."]))
        await line.over(leg)
        (first, last) = (
            turn.latencies for turn in await line.store.calls.turns(leg.sid) if turn.latencies
        )
        for turn in (first, last):
            assert turn["transcript"] == pytest.approx(2800, abs=200)  # two pauses: 0.3 and 0.5 s
            assert turn["end_of_turn"] == turn["transcript"]
            assert turn["first_token"] == pytest.approx(2900, abs=200)
            assert turn["total"] == turn["first_frame"] >= turn["first_audio"]
        figures = (await line.get(f"/calls/{leg.sid}"))["figures"]
        assert figures["turns"] == 2


@story
async def test_a_key_ends_a_recording_without_silence(tmp_path: Path) -> None:
    async with house(tmp_path, [["Till five."], GOODBYE], heard=["open?", "bye"]) as line:
        leg = await line.recorded(Party(says=[Words("Are you open?", "#"), "Goodbye."]))
        await line.over(leg)
        first, *_ = (t.latencies for t in await line.store.calls.turns(leg.sid) if t.latencies)
        assert first["transcript"] == pytest.approx(0, abs=200)


@story
async def test_an_answer_that_takes_long_is_bridged(tmp_path: Path) -> None:
    async with house(tmp_path, [["Till five."], GOODBYE], heard=["open?", "bye"]) as line:
        line.fleet.think_s = 9.0
        leg = await line.recorded(Party(says=["Are you open?", "Goodbye."]))
        await line.over(leg)
        wait = next(iter(line.carrier.recordings.kept))
        assert requests(line, leg)[2:7] == [
            *("POST TURN", "POST TURN/ready", "GET SOUND.wav", f"POST TURN/wait/{wait}"),
            "GET SOUND.wav",
        ]
        here = f"{PUBLIC}/webhooks/recorded/{leg.sid}"
        assert documents(line)[1] == (
            "<Response><Play>SOUND.wav</Play>"
            f'<Redirect method="POST">{here}/wait/{wait}</Redirect></Response>'
        )
        assert documents(line)[2] == listening(leg, wait)
        first, *_ = (t.latencies for t in await line.store.calls.turns(leg.sid) if t.latencies)
        assert first["total"] == pytest.approx(9000, abs=200)  # 2 s, then 7 s until the bridge
        assert line.carrier.errors == []


@story
async def test_a_recording_that_is_late_is_bridged_too(tmp_path: Path) -> None:
    trouble = Trouble(not_ready=20)
    async with house(tmp_path, [GOODBYE], heard=["bye"], trouble=trouble) as line:
        line.carrier.recordings.announce = _never  # type: ignore[method-assign]
        leg = await line.recorded(Party(says=["Goodbye."]))
        await line.over(leg)
        (turn,) = (t.latencies for t in await line.store.calls.turns(leg.sid) if t.latencies)
        assert turn["total"] == pytest.approx(9000, abs=200)
        assert turn["transcript"] > 9000
        assert (await line.record(leg.sid)).end_reason == GOODBYE_END
        assert line.carrier.errors == []


async def _never(*told: object) -> None:
    """The carrier does not tell that the file is there."""


@pytest.mark.parametrize(
    ("words", "line_said"),
    [("", "repair"), (VendorError("words", "transcribe", "500"), "apology")],
)
@story
async def test_what_has_no_words_is_asked_for_again(
    tmp_path: Path, words: str | Exception, line_said: str
) -> None:
    async with house(tmp_path, [GOODBYE], heard=[words, "Goodbye."]) as line:
        leg = await line.recorded(Party(says=["(noise)", "Goodbye."]))
        await line.over(leg)
        told = line.fleet.agent("ava").line(Purpose(line_said))
        assert await line.said(leg.sid) == [
            *("agent: Hello.", f"agent: {told}", "caller: Goodbye.", "agent: Goodbye then."),
        ]
        assert line.carrier.errors == []


@story
async def test_an_empty_recording_is_asked_about_and_then_ends_the_call(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        leg = await line.recorded(Party(says=["", ""]))
        await line.over(leg)
        assert requests(line, leg) == [
            *("POST /voice", "GET SOUND.wav", "POST TURN/silent/begin", "GET SOUND.wav"),
            *("POST TURN/silent/silence-begin", "GET SOUND.wav", "POST TURN/over"),
            "POST /webhooks/status",
        ]
        call = await line.record(leg.sid)
        assert (call.outcome, call.figures["silence_prompts"]) == ("abandoned", 1)
        assert line.carrier.errors == []


# --- transfers ------------------------------------------------------------------------------------


@story
async def test_a_caller_is_put_through(tmp_path: Path) -> None:
    async with house(tmp_path, [put_through()], heard=["Dr. Lee, please."]) as line:
        line.carrier.telephone(PERSON, Party(keys=["1"], talks_s=20))
        leg = await line.recorded(Party(says=["Dr. Lee, please."]))
        await line.over(leg)
        assert requests(line, leg)[5:] == [
            *(f"POST /webhooks/after/{leg.sid}", f"POST /webhooks/whisper/{leg.sid}"),
            *(f"POST /webhooks/accept/{leg.sid}", f"POST /webhooks/transferred/{leg.sid}"),
            "POST /webhooks/status",
        ]
        (child,) = leg.children
        assert child.heard == [
            "say: Call from a caller, 4 1 5, 5 5 5, 0 1 0 0. Reason: Is my crown ready. "
            "Press 1 to take the call."
        ]
        call = await line.record(leg.sid)
        assert (call.outcome, await line.state(leg.sid)) == ("transferred", "connected")
        assert line.carrier.errors == []


@pytest.mark.parametrize("with_words", [True, False], ids=["words", "no words kept"])
@story
async def test_nobody_takes_it_and_the_caller_comes_back_twice(
    tmp_path: Path, with_words: bool
) -> None:
    said = ["Dr. Lee, please.", "Try again, please.", "Goodbye."]
    answers = [put_through(), put_through(), GOODBYE]
    async with house(tmp_path, answers, heard=said, with_words=with_words) as line:
        line.carrier.telephone(PERSON, Party(Answers.BUSY))
        leg = await line.recorded(Party(says=said))
        await line.over(leg)
        back = "Nobody there. A message?"
        through = "One moment, please."
        assert [brain.asked[-1] for brain in line.fleet.brains] == [
            ("Hello.", said[0]),
            ("Hello.", said[0], through, back, said[1]),
            ("Hello.", said[0], through, back, said[1], through, back, said[2]),
        ]
        call = await line.record(leg.sid)
        assert (call.path, call.outcome) == ("record", "answered")
        wishes = await line.store.escalations.of_call(leg.sid)
        assert [each.state.value for each in wishes] == ["unanswered", "unanswered"]
        assert call.figures["turns"] == 3
        assert len(line.office.recorded) == 0
        assert line.carrier.errors == []


@story
async def test_an_anonymous_caller_is_put_through_under_our_number(tmp_path: Path) -> None:
    for caller in ("anonymous", "+266696687"):
        folder = tmp_path / caller
        folder.mkdir()
        async with house(folder, [put_through()], heard=["Dr. Lee, please."]) as line:
            line.carrier.telephone(PERSON, Party(keys=["1"], talks_s=5))
            leg = await line.recorded(Party(says=["Dr. Lee, please."]), caller)
            await line.over(leg)
            (child,) = leg.children
            assert child.from_ == OURS
            assert "a caller, number withheld. Reason: Is my crown ready. Press 1" in child.heard[0]
            assert (await line.record(leg.sid)).outcome == "transferred"
            assert line.carrier.errors == []


# --- the caller hangs up --------------------------------------------------------------------------


@pytest.mark.parametrize("status_first", [False, True])
@story
async def test_a_message_is_kept_though_its_caller_hangs_up_while_leaving_it(
    tmp_path: Path, status_first: bool
) -> None:
    """Nor does it matter which of the two webhooks comes first, and that the file takes a while."""
    trouble = Trouble(not_ready=6)
    said = "message: I am late"
    async with house(tmp_path, [["Anything else?"]], heard=[said], trouble=trouble) as line:
        leg = await line.recorded(Party(says=[Words(said, then_hangs_up=True)]))
        if status_first:
            await asyncio.sleep(2)
            told = {"CallSid": leg.sid, "CallStatus": "completed"}
            assert (await line.webhook("/webhooks/status", told)).status_code == 200
        await line.over(leg)
        await asyncio.sleep(20)
        (message,) = (await line.store.messages.list()).items
        assert message.text == said
        assert not message.complete
        call = await line.record(leg.sid)
        assert (call.state, call.end_reason) == (CallState.ENDED, "caller: hangup")
        assert await line.said(leg.sid) == ["agent: Hello.", f"caller: {said}"]
        assert line.carrier.errors == []


@story
async def test_of_an_answer_that_is_cut_off_the_record_has_what_was_heard(tmp_path: Path) -> None:
    answer = "We are open from nine till five on all days but Sunday and Monday."
    async with house(tmp_path, [[answer]], heard=["open?"]) as line:
        leg = await line.recorded(Party(says=["Are you open?"]))
        while len(leg.sounds) < 2:
            await line.say_nothing(0.05)
        await asyncio.sleep(len(leg.sounds[1]) / 8000 / 2)
        assert (await line.get(f"/calls/{leg.sid}"))["live"] == {
            "caller": "quiet",
            "agent": "speaking",
        }
        leg.hang_up()
        await line.over(leg)
        await asyncio.sleep(5)
        call = await line.record(leg.sid)
        assert (call.state, call.end_reason) == (CallState.ENDED, "caller: completed")
        *_, last = await line.store.calls.turns(leg.sid)
        assert answer == f"{last.heard} {last.unheard}"
        assert last.heard.startswith("We are open")
        assert last.interrupted
        assert (call.figures["turns"], call.figures["interruptions"]) == (1, 0)


# --- which way a call takes -----------------------------------------------------------------------

DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("record_share = 50", ""),
        ("record_share = 100", "record"),
        (f'record_numbers = ["{CALLER}"]', "record"),
        (f'record_numbers = ["{OURS}"]\nstream_numbers = ["{CALLER}"]', "stream"),
        ('path = "record"', "record"),
        ('outside_hours = "record"', "record"),
        ('path = "record"\noutside_hours = "stream"', "stream"),
    ],
)
@story
async def test_the_agents_file_says_which_way(tmp_path: Path, rule: str, path: str) -> None:
    another_day = DAYS[(datetime.now(UTC).weekday() + 3) % 7]
    closed = f'[hours]\n{another_day} = ["9:00-17:00"]\n' if "hours" in rule else ""
    agent = f"{AGENT}\n[routing]\n{rule}\n{closed}"
    async with house(tmp_path, agent=agent) as line:
        legs = [
            await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS], hangs_up_s=5))
            for _ in range(8 if not path else 1)
        ]
        for leg in legs:
            await line.over(leg)
            expected = path or ("record" if share(leg.sid) < 50 else "stream")
            assert (await line.record(leg.sid)).path == expected
            assert bool(leg.streams) == (expected == "stream")
        assert line.carrier.errors == []


@story
async def test_a_stream_that_does_not_come_up_leaves_the_caller_with_the_agent(
    tmp_path: Path,
) -> None:
    async with house(
        tmp_path, [["Till five."], GOODBYE], heard=["open?", "bye"], with_streams=False
    ) as line:
        line.carrier.status_callback = "/webhooks/status"
        leg = await line.carrier.call_in(CALLER, OURS, Party(says=["Are you open?", "Goodbye."]))
        await line.over(leg)
        assert requests(line, leg)[:3] == [
            *("POST /voice-stream", f"POST /webhooks/after/{leg.sid}", "GET SOUND.wav")
        ]
        assert len(leg.sounds) == 3
        call = await line.record(leg.sid)
        assert (call.path, call.outcome) == ("record", "answered")
        assert "media stream" in call.error  # and mostly why: the carrier tells beside
        assert [each for each in line.carrier.errors if not each.startswith("31920")] == []


@story
async def test_without_an_account_nobody_is_recorded_in_vain(tmp_path: Path) -> None:
    agent = f'{AGENT}\n[routing]\npath = "record"\n'
    async with house(tmp_path, [GOODBYE, GOODBYE], agent=agent, with_account=False) as line:
        for door in ("/voice", "/voice-stream"):
            line.carrier.voice = door
            leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS]))
            await line.say(leg.sid, "Goodbye.")
            await line.over(leg)
            call = await line.record(leg.sid)
            assert (call.path, call.outcome) == ("stream", "answered")
        assert line.carrier.errors == []


# --- trouble --------------------------------------------------------------------------------------


@story
async def test_webhooks_that_come_twice_change_nothing(tmp_path: Path) -> None:
    """All of them, the second answer counts."""
    said = ["Are you open?", "Dr. Lee, please.", "Goodbye."]
    answers = [["Till five."], put_through(), GOODBYE]
    async with house(tmp_path, answers, heard=said, with_streams=False) as line:
        twice(line)
        line.carrier.status_callback = "/webhooks/status"
        line.carrier.telephone(PERSON, Party(Answers.BUSY))
        leg = await line.carrier.call_in(CALLER, OURS, Party(says=said))
        await line.over(leg)
        assert await line.said(leg.sid) == [
            *("agent: Hello.", "caller: Are you open?", "agent: Till five."),
            *("caller: Dr. Lee, please.", "agent: One moment, please."),
            *("agent: Nobody there. A message?", "caller: Goodbye.", "agent: Goodbye then."),
        ]
        assert len(line.fleet.brains) == 2
        call = await line.record(leg.sid)
        assert (call.outcome, call.end_reason) == ("answered", GOODBYE_END)
        assert [each for each in line.carrier.errors if not each.startswith("31920")] == []


def twice(line: House) -> None:
    """Have the carrier post every webhook twice."""
    document = line.carrier.web.document

    async def again(call_sid: str, fetch: Any, form: dict[str, str]) -> Any:
        await document(call_sid, fetch, form)
        return await document(call_sid, fetch, form)

    line.carrier.web.document = again  # type: ignore[method-assign]


@story
async def test_webhooks_of_a_call_that_is_over_change_nothing(tmp_path: Path) -> None:
    """Replayed at once and much later, and such as never came."""
    async with house(tmp_path, [["Till five."], GOODBYE], heard=["open?", "bye"]) as line:
        leg = await line.recorded(Party(says=["Are you open?", "Goodbye."]))
        await line.over(leg)
        known, turns = await line.record(leg.sid), await line.said(leg.sid)
        here, replays = f"/webhooks/recorded/{leg.sid}", list(line.carrier.requests)
        new = {
            "CallSid": leg.sid,
            "RecordingSid": "RE1",
            "RecordingUrl": "https://api.twilio.com/x",
        }
        for after_s in (0, 100):
            await asyncio.sleep(after_s)
            for each in replays:
                if each.method == "POST":
                    assert (await line.webhook(each.path, each.form)).status_code == 200
            for path in (here, f"{here}/silent/RE1", f"{here}/wait/RE9", f"{here}/over"):
                answer = await line.webhook(path, new)
                assert "<Response><Hangup /></Response>" in answer.text
            await asyncio.sleep(10)
        assert await line.record(leg.sid) == known
        assert await line.said(leg.sid) == turns
        assert len(line.office.recorded) == 0
        assert len(line.fleet.brains) == 1


@pytest.mark.parametrize("turn", ["recorded", "silent", "wait"])
@story
async def test_a_call_goes_on_when_the_server_was_started_anew(tmp_path: Path, turn: str) -> None:
    said = ["Are you open?", "Goodbye."]
    async with house(tmp_path, [["Till five."]], heard=said[:1]) as line:
        carrier = line.carrier
        sid = "CA" + "5" * 32
        begin = {"CallSid": sid, "From": CALLER, "To": OURS, "CallStatus": "in-progress"}
        assert (await line.webhook("/voice", begin)).status_code == 200
        kept = carrier.recordings.add(sid, hum(said[0]))
        first = {**begin, "RecordingSid": kept.sid, "RecordingUrl": carrier.recordings.url(kept)}
        here = f"/webhooks/recorded/{sid}"
        assert (await line.webhook(here, first)).status_code == 200
        await asyncio.sleep(5)
        async with house(tmp_path, [GOODBYE], heard=said[1:], carrier=carrier) as again:
            assert (await again.record(sid)).end_reason == "crash"
            kept = carrier.recordings.add(sid, hum(said[1]))
            next_ = {
                **begin,
                "RecordingSid": kept.sid,
                "RecordingUrl": carrier.recordings.url(kept),
            }
            path = {"recorded": here, "silent": f"{here}/silent/RE1", "wait": f"{here}/wait/RE1"}
            answer = await again.webhook(path[turn], next_)
            assert answer.status_code == 200
            assert "<Play>" in answer.text
            if turn != "recorded":
                assert "<Record" in answer.text
                answer = await again.webhook(here, next_)
            assert "/over</Redirect>" in answer.text
            assert "Hangup" in (await again.webhook(f"{here}/over", begin)).text
            await asyncio.sleep(2)
            assert (await again.said(sid))[:2] == ["agent: Hello.", "caller: Are you open?"]
            assert (await again.said(sid))[-2:] == ["caller: Goodbye.", "agent: Goodbye then."]
            assert (await again.record(sid)).end_reason == GOODBYE_END


# --- what the business orders ---------------------------------------------------------------------


@story
async def test_a_recorded_call_in_progress_can_be_seen_and_hung_up(tmp_path: Path) -> None:
    async with house(tmp_path, [["Till five."]], heard=["open?"]) as line:
        leg = await line.recorded(Party(says=["Are you open?", "x" * 1000]))
        await asyncio.sleep(8)
        (seen,) = (await line.get("/calls?active=true"))["items"]
        assert (seen["id"], seen["path"], seen["state"]) == (leg.sid, "record", "live")
        detail = await line.get(f"/calls/{leg.sid}")
        assert detail["live"] == {"caller": "quiet", "agent": "idle"}
        assert [turn["heard"] for turn in detail["turns"]] == ["Hello.", "open?"]
        assert (await line.http.get("/health")).json()["calls"] == 1
        assert (await line.get("/stats"))["now"]["calls"] == 1
        assert (await line.post(f"/calls/{leg.sid}/hangup")).status_code == 202
        await line.over(leg)
        assert leg.ended_by == "by REST"
        call = await line.record(leg.sid)
        assert (call.state, call.end_reason) == (CallState.ENDED, "agent: ordered")
        assert await line.said(leg.sid) == ["agent: Hello.", "caller: open?", "agent: Till five."]
        assert (await line.post(f"/calls/{leg.sid}/hangup")).status_code == 404


@pytest.mark.parametrize("answers", [Answers.PICKS_UP, Answers.BUSY])
@story
async def test_a_recorded_call_can_be_put_through_by_order(
    tmp_path: Path, answers: Answers
) -> None:
    async with house(tmp_path, [["Till five."], GOODBYE], heard=["open?", "bye"]) as line:
        line.carrier.telephone(PERSON, Party(answers, keys=["1"], talks_s=400))
        leg = await line.recorded(Party(says=["Are you open?", "x" * 500, "Goodbye."]))
        await asyncio.sleep(8)
        ordered = await line.post(f"/calls/{leg.sid}/transfer", person="Dr. Lee")
        assert (ordered.status_code, ordered.json()["to"]) == (202, "Dr. Lee")
        again = await line.post(f"/calls/{leg.sid}/transfer", number=CALLEE)
        assert (again.status_code, again.json()["error"]["code"]) == (409, "already_transferred")
        if answers is Answers.PICKS_UP:  # they talk for longer than a caller could be silent
            await asyncio.sleep(300)
            assert (await line.record(leg.sid)).state is CallState.TRANSFERRED
        await leg.over(1000)
        await asyncio.sleep(5)
        call = await line.record(leg.sid)
        taken = answers is Answers.PICKS_UP
        assert call.outcome == ("transferred" if taken else "answered")
        assert await line.state(leg.sid) == ("connected" if taken else "unanswered")
        back = [] if taken else ["agent: Nobody there. A message?", "caller: bye"]
        assert (await line.said(leg.sid))[3:5] == back
        assert line.carrier.errors == []


@story
async def test_a_transfer_that_the_carrier_refuses_leaves_the_call_as_it_was(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, [GOODBYE], heard=["bye"]) as line:
        leg = await line.recorded(Party(says=["Well, " * 20 + "goodbye."]))
        await asyncio.sleep(3)
        line.carrier.trouble.refusals.append(Refusal(400, 21220))
        ordered = await line.post(f"/calls/{leg.sid}/transfer", person="Dr. Lee")
        assert (ordered.status_code, await line.state(leg.sid)) == (502, "failed")
        assert (await line.record(leg.sid)).state is CallState.LIVE
        await line.over(leg)
        assert (await line.record(leg.sid)).end_reason == GOODBYE_END
