"""Transfers on the whole server: what Twilio asks, what it is told, and what is on record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.effects import Purpose
from services.llm import EndCall, UseTool
from services.receptionist.books import Handling, NewEscalation
from services.receptionist.tools import Tool, ToolRequest
from services.store import CallState
from services.switchboard.transfers import MAX_WORDS, summary
from tests.house import AGENT, CALLER, OURS, PERSON, PUBLIC, House, house, story
from tests.simulators.carrier import Answers, Leg, Party, Trouble
from tests.simulators.script import ExpectHangUp

COLD = AGENT + '\n[transfers]\nhandling = "cold"\n'
WISH = {
    "person": "Dr. Lee",
    "reason": "a broken tooth",
    "urgency": "high",
    "name": "Jane Doe",
}
GOODBYE = ["Goodbye then.", EndCall()]
LISTENS = [ExpectHangUp(60)]


def put_through() -> list[Any]:
    """A fresh answer: what the tool gave is kept in it."""
    tool = ToolRequest(Tool.TRANSFER_CALL, WISH, 1, "transfer-1")
    return [UseTool(tool), "One moment, please."]


async def call_in(line: House, person: Party, caller: Party | None = None) -> Leg:
    """Somebody calls and wants Dr. Lee; until the agent has let go of the line."""
    line.carrier.telephone(PERSON, person)
    leg = await line.carrier.call_in(CALLER, OURS, caller or Party(scripts=[LISTENS, LISTENS]))
    await line.say(leg.sid, "Dr. Lee, please.")
    return leg


async def outcome(line: House, leg: Leg) -> tuple[str, str]:
    call = await line.store.calls.get(leg.sid)
    assert call is not None
    assert call.state is CallState.ENDED
    return call.outcome, await line.state(leg.sid)


async def summary_of(line: House, leg: Leg) -> str:
    """The summary of a call."""
    call = await line.store.calls.get(leg.sid)
    assert call is not None
    return call.summary


def paths(leg: Leg, *names: str) -> list[str]:
    return ["POST /voice-stream", *(f"POST /webhooks/{name}/{leg.sid}" for name in names)]


@story
async def test_a_warm_transfer_that_is_accepted(tmp_path: Path) -> None:
    async with house(tmp_path, [put_through()]) as line:
        leg = await call_in(line, Party(rings_s=4, keys=["1"], talks_s=20))
        await line.over(leg)
        assert line.asked() == paths(leg, "after", "whisper", "accept", "transferred")
        (child,) = leg.children
        assert (child.from_, child.to) == (CALLER, PERSON)
        assert child.heard == [
            "say: Urgent call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0. Reason: a broken tooth. "
            "Press 1 to take the call."
        ]
        assert line.carrier.of("action")[-1].form["DialBridged"] == "true"
        assert await outcome(line, leg) == ("transferred", "connected")
        assert (await summary_of(line, leg)).endswith("Put through to Dr. Lee.")
        assert len(leg.streams) == 1
        assert line.carrier.rest == []
        assert line.carrier.errors == []


@story
async def test_a_cold_transfer(tmp_path: Path) -> None:
    async with house(tmp_path, [put_through()], agent=COLD) as line:
        leg = await call_in(line, Party(rings_s=4, talks_s=20))
        await line.over(leg)
        assert line.asked() == paths(leg, "after", "transferred")
        assert leg.children[0].heard == []
        assert leg.children[0].duration_s == pytest.approx(20, abs=1)
        assert await outcome(line, leg) == ("transferred", "connected")
        assert line.carrier.errors == []


@pytest.mark.parametrize(
    ("person", "asked", "state"),
    [
        (Party(keys=["2"]), ["whisper", "accept"], "refused"),
        (Party(), ["whisper"], "unanswered"),
        (Party(hangs_up_s=1), ["whisper"], "unanswered"),
        (Party(Answers.RINGS_ON), [], "unanswered"),
        (Party(Answers.BUSY), [], "unanswered"),
        (Party(Answers.REFUSES), [], "unanswered"),
        (Party(Answers.UNREACHABLE), [], "failed"),
    ],
    ids=["refused", "no key", "hangs up", "unanswered", "busy", "declined", "unreachable"],
)
@story
async def test_if_nobody_takes_it_the_caller_comes_back(
    tmp_path: Path, person: Party, asked: list[str], state: str
) -> None:
    async with house(tmp_path, [put_through(), GOODBYE]) as line:
        leg = await call_in(line, person)
        while len(leg.streams) < 2:
            await line.say_nothing()
        await line.say(leg.sid, "No, thank you.")
        await line.over(leg)
        assert line.asked() == paths(leg, "after", *asked, "transferred", "after")
        assert [brief.opening for brief in line.fleet.briefs] == [
            Purpose.GREETING,
            Purpose.NOBODY_THERE,
        ]
        # The second brain knows what was said before.
        assert line.fleet.brains[1].asked == [
            (
                "Hello.",
                "Dr. Lee, please.",
                "One moment, please.",
                "Nobody there. A message?",
                "No, thank you.",
            )
        ]
        result = await outcome(line, leg)
        assert result == ("answered", state)
        assert (await summary_of(line, leg)).endswith("Open: Dr. Lee could not be reached.")
        assert line.carrier.errors == []


@story
async def test_a_caller_comes_back_to_an_agent_that_remembers_though_no_words_are_kept(
    tmp_path: Path,
) -> None:
    async with house(tmp_path, [put_through(), GOODBYE], with_words=False) as line:
        leg = await call_in(line, Party(Answers.BUSY))
        while len(leg.streams) < 2:
            await line.say_nothing()
        await line.say(leg.sid, "No, thank you.")
        await line.over(leg)
        assert line.fleet.brains[1].asked[0][1] == "Dr. Lee, please."
        assert {turn.heard for turn in await line.store.calls.turns(leg.sid)} == {""}


@pytest.mark.parametrize("agent", [AGENT, COLD], ids=["warm", "cold"])
@story
async def test_the_caller_hangs_up_while_it_rings(tmp_path: Path, agent: str) -> None:
    async with house(tmp_path, [put_through()], agent=agent) as line:
        leg = await call_in(line, Party(Answers.RINGS_ON), Party(scripts=[LISTENS], waits_s=6))
        await line.over(leg)
        assert line.asked() == paths(leg, "after", "transferred")
        (told,) = [each for each in line.carrier.requests if "transferred" in each.path]
        assert (told.form["CallStatus"], told.form["DialCallStatus"]) == ("completed", "canceled")
        assert await outcome(line, leg) == ("abandoned", "withdrawn")
        assert (await summary_of(line, leg)).endswith("Open: hung up before Dr. Lee was reached.")


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (Party(keys=["1", "1"], talks_s=20), ("transferred", "connected")),
        (Party(Answers.BUSY), ("answered", "unanswered")),
    ],
    ids=["accepted", "busy"],
)
@story
async def test_webhooks_that_come_twice_change_nothing(
    tmp_path: Path, person: Party, expected: tuple[str, str]
) -> None:
    trouble = Trouble(webhooks_twice=True, status_twice=True)
    async with house(tmp_path, [put_through(), GOODBYE], trouble=trouble) as line:
        leg = await call_in(line, person)
        if expected[0] == "answered":
            while len(leg.streams) < 2:
                await line.say_nothing()
            await line.say(leg.sid, "No, thank you.")
        await line.over(leg)
        assert await outcome(line, leg) == expected
        assert len(await line.store.escalations.of_call(leg.sid)) == 1
        assert len(leg.children) == 1
        assert line.carrier.errors == []


@story
async def test_a_transfer_that_the_business_orders(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        line.carrier.telephone(PERSON, Party(keys=["1"], talks_s=20))
        leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS]))
        await line.say_nothing(3)
        assert await line.orders.transfer(leg.sid, "Dr. Lee") == "Dr. Lee"
        await line.over(leg)
        assert line.asked() == paths(leg, "after", "whisper", "accept", "transferred")
        assert await outcome(line, leg) == ("transferred", "connected")
        turns = await line.store.calls.turns(leg.sid)
        assert [turn.heard for turn in turns] == ["Hello.", "One moment."]
        assert line.carrier.rest == []
        assert line.carrier.errors == []


@story
async def test_a_hang_up_that_the_business_orders(tmp_path: Path) -> None:
    async with house(tmp_path) as line:
        leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS]))
        await line.say_nothing(3)
        await line.orders.hang_up(leg.sid)
        await line.over(leg)
        assert line.asked() == paths(leg, "after")
        call = await line.store.calls.get(leg.sid)
        assert call is not None
        assert call.end_reason == "agent: ordered"
        assert line.carrier.errors == []


@pytest.mark.parametrize("answers", [Answers.PICKS_UP, Answers.RINGS_ON])
@story
async def test_the_staff_is_rung_first(tmp_path: Path, answers: Answers) -> None:
    ring = f'\n[ring_first]\nsecs = 10\nnumbers = ["{PERSON}"]\nopen_hours_only = false\n'
    async with house(tmp_path, [GOODBYE], agent=AGENT + ring) as line:
        line.carrier.telephone(PERSON, Party(answers, talks_s=20))
        leg = await line.carrier.call_in(CALLER, OURS, Party(scripts=[LISTENS]))
        if answers is Answers.RINGS_ON:
            while not leg.streams:
                await line.say_nothing()
            await line.say(leg.sid, "Thank you.")
        await line.over(leg)
        taken = answers is Answers.PICKS_UP
        assert line.asked() == paths(leg, "rang", *([] if taken else ["after"]))
        call = await line.store.calls.get(leg.sid)
        assert call is not None
        assert call.outcome == ("transferred" if taken else "answered")
        assert line.carrier.errors == []


@story
async def test_without_a_stream_and_an_account_the_caller_is_told(tmp_path: Path) -> None:
    async with house(tmp_path, with_streams=False, with_account=False) as line:
        leg = await line.carrier.call_in(CALLER, OURS)
        await line.over(leg)
        assert line.asked() == paths(leg, "after")
        assert leg.heard == [
            "say: I'm sorry, we have a technical problem. Please call again in a few minutes."
        ]
        call = await line.store.calls.get(leg.sid)
        assert call is not None
        assert call.outcome == "failed"
        assert call.error == "media stream: 31920: handshake failed"


@story
async def test_twilio_is_told_exactly_this(tmp_path: Path) -> None:
    async with house(tmp_path, [put_through(), GOODBYE]) as line:
        leg = await call_in(line, Party(keys=["2"]))
        while len(leg.streams) < 2:
            await line.say_nothing()
        await line.say(leg.sid, "No, thank you.")
        await line.over(leg)
        here = f"{PUBLIC}/webhooks"
        stream = (
            '<Response><Connect><Stream statusCallback="'
            f'{here}/stream-status" url="wss://voice.example.com/media-stream">'
            f'<Parameter name="token" /><Parameter name="caller" value="{CALLER}" />'
            f'<Parameter name="called" value="{OURS}" /></Stream></Connect>'
            f'<Redirect method="POST">{here}/after/{leg.sid}</Redirect></Response>'
        )
        assert line.told("voice-stream") == [stream]
        assert line.told("after") == [
            f'<Response><Dial action="{here}/transferred/{leg.sid}" callerId="{CALLER}" '
            f'method="POST" timeout="20"><Number method="POST" '
            f'url="{here}/whisper/{leg.sid}">{PERSON}</Number></Dial></Response>',
            "<Response><Hangup /></Response>",
        ]
        assert line.told("whisper") == [
            f'<Response><Gather action="{here}/accept/{leg.sid}" method="POST" numDigits="1" '
            'timeout="10"><Say>Urgent call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0. Reason: a broken '
            "tooth. Press 1 to take the call.</Say></Gather><Hangup /></Response>"
        ]
        assert line.told("accept") == ["<Response><Hangup /></Response>"]
        assert line.told("transferred") == [stream]


# --- what the person hears ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "Call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0. Reason: a broken tooth."),
        ({"name": ""}, "Call from a caller, 4 1 5, 5 5 5, 0 1 0 0. Reason: a broken tooth."),
        ({"reason": " "}, "Call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0."),
        ({"reason": "It hurts!"}, "Call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0. Reason: It hurts."),
        (
            {"reason": "Can I talk to a person, please?"},
            "Call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0.",
        ),
        ({"reason": "Dr. Lee, please!"}, "Call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0."),
        (
            {"reason": "My tooth hurts. Can I talk to somebody?"},
            "Call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0. Reason: My tooth hurts.",
        ),
        ({"caller": "anonymous", "reason": ""}, "Call from Jane Doe, number withheld."),
        (
            {"caller": "+442079460000", "reason": ""},
            "Call from Jane Doe, plus 4 4, 2 0, 7 9 4 6, 0 0 0 0.",
        ),
        (
            {"urgency": "high", "reason": ""},
            "Urgent call from Jane Doe, 4 1 5, 5 5 5, 0 1 0 0.",
        ),
    ],
)
def test_the_summary_is_one_line(changes: dict[str, str], expected: str) -> None:
    assert summary(wish(**changes), "US") == expected


@given(name=st.text(), reason=st.text(), urgency=st.sampled_from(["high", "normal"]))
def test_a_summary_has_at_most_twenty_words(name: str, reason: str, urgency: str) -> None:
    said = summary(wish(name=name, reason=reason, urgency=urgency), "US")
    assert said.endswith(".")
    spoken = said.replace("4 1 5, 5 5 5, 0 1 0 0", "")
    assert len(spoken.split()) <= MAX_WORDS + 1  # the full stop that is left of the number


def wish(**changes: str) -> NewEscalation:
    usual = {"name": "Jane Doe", "caller": CALLER, "reason": "a broken tooth", "urgency": "normal"}
    return NewEscalation(
        agent="ava",
        call_id="CA1",
        person="Dr. Lee",
        number=PERSON,
        handling=Handling.WARM,
        by="caller",
        **{**usual, **changes},
    )
