"""``<Dial>``: who is rung, what they hear, and what the action is told."""

from __future__ import annotations

import pytest

from tests.simulators.carrier import Answers, Leg, Party
from tests.simulators.carrier.box import Carrier
from tests.simulators.carrier.fake_app import (
    CALLER,
    OTHER,
    OURS,
    STAFF,
    App,
    Page,
    asked,
    on_the_line,
)
from tests.virtual_time import run_virtual

WARM = (
    f"<Dial action='/dialled' timeout='20' callerId='{OURS}'>"
    f"<Number url='/whisper'>{STAFF}</Number></Dial>"
)
WHISPER = "<Gather numDigits='1' timeout='5' action='/accept'><Say>Press 1.</Say></Gather><Hangup/>"
PAGES: dict[str, Page] = {
    "/voice": WARM,
    "/whisper": WHISPER,
    "/accept": lambda form: "" if form["Digits"] == "1" else "<Hangup/>",
    "/dialled": "<Say>We are back.</Say>",
}


async def warm(carrier: Carrier, staff: Party, caller: Party | None = None) -> Leg:
    carrier.telephone(STAFF, staff)
    call = await carrier.call_in(CALLER, OURS, caller)
    await call.over()
    return call


def told(carrier: Carrier) -> dict[str, str]:
    form = carrier.of("action")[-1].form
    return {name: value for name, value in form.items() if name.startswith("Dial")}


def test_a_warm_transfer_that_is_accepted() -> None:
    async def story() -> None:
        async with on_the_line(App(PAGES)) as carrier:
            call = await warm(carrier, Party(rings_s=4, keys=["1"], talks_s=10))
            (child,) = call.children
            whisper, accept = carrier.requests[1:3]
            assert asked(carrier) == [
                "POST /voice",
                "POST /whisper",
                "POST /accept",
                "POST /dialled",
            ]
            assert whisper.form["CallSid"] == child.sid
            assert whisper.form["ParentCallSid"] == call.sid
            assert whisper.form["Direction"] == "outbound-dial"
            assert (whisper.form["From"], whisper.form["To"]) == (OURS, STAFF)
            assert whisper.at_s == pytest.approx(4)
            assert accept.form["Digits"] == "1"
            assert told(carrier) == {
                "DialCallSid": child.sid,
                "DialCallStatus": "completed",
                "DialBridged": "true",
                "DialCallDuration": "11",
            }
            assert carrier.requests[-1].form["CallStatus"] == "in-progress"
            assert (call.heard, child.heard) == (["say: We are back."], ["say: Press 1."])
            assert carrier.errors == []

    run_virtual(story())


@pytest.mark.parametrize(
    ("staff", "status"),
    [
        (Party(keys=["2"]), "completed"),
        (Party(), "completed"),
        (Party(hangs_up_s=1), "completed"),
        (Party(Answers.BUSY), "busy"),
        (Party(Answers.REFUSES), "busy"),
        (Party(Answers.RINGS_ON), "no-answer"),
        (Party(rings_s=21), "no-answer"),
        (Party(Answers.UNREACHABLE), "failed"),
    ],
    ids=lambda value: str(value.answers.value) if isinstance(value, Party) else value,
)
def test_a_transfer_that_nobody_takes(staff: Party, status: str) -> None:
    async def story() -> None:
        async with on_the_line(App(PAGES)) as carrier:
            call = await warm(carrier, staff)
            facts = told(carrier)
            assert (facts["DialCallStatus"], facts["DialBridged"]) == (status, "false")
            assert ("DialCallDuration" in facts) == (status == "completed")
            assert call.heard == ["say: We are back."]
            assert call.children[0].status == status

    run_virtual(story())


def test_the_caller_hangs_up_while_it_rings() -> None:
    async def story() -> None:
        async with on_the_line(App(PAGES)) as carrier:
            call = await warm(carrier, Party(Answers.RINGS_ON), Party(waits_s=6))
            assert call.children[0].status == "canceled"
            assert told(carrier)["DialCallStatus"] == "canceled"
            assert carrier.requests[-1].form["CallStatus"] == "completed"
            assert (call.heard, call.status) == ([], "completed")
            assert call.duration_s == pytest.approx(6)

    run_virtual(story())


def test_the_caller_hangs_up_on_the_person() -> None:
    async def story() -> None:
        async with on_the_line(App(PAGES)) as carrier:
            call = await warm(carrier, Party(keys=["1"], talks_s=60), Party(talks_s=7))
            assert told(carrier)["DialBridged"] == "true"
            assert call.heard == []
            assert call.ended_by == "the party hangs up"

    run_virtual(story())


def test_several_telephones_ring_at_once() -> None:
    both = f"<Dial answerOnBridge='true' timeout='15'><Number>{STAFF}</Number>"
    both += f"<Number>{OTHER}</Number></Dial><Say>Nobody there.</Say>"

    async def story() -> None:
        async with on_the_line(App({"/voice": both})) as carrier:
            carrier.telephone(STAFF, Party(rings_s=9))
            carrier.telephone(OTHER, Party(rings_s=5, talks_s=3))
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            assert [child.status for child in call.children] == ["canceled", "completed"]
            assert call.answered_s == pytest.approx(5)
            carrier.telephone(OTHER, Party(Answers.BUSY))
            carrier.telephone(STAFF, Party(Answers.RINGS_ON))
            alone = await carrier.call_in(CALLER, OURS)
            await alone.over()
            assert alone.answered_s == pytest.approx(alone.children[0].ended_s)
            assert alone.heard == ["say: Nobody there."]

    run_virtual(story())


def test_the_progress_of_a_dialled_leg_is_told_to_who_asked() -> None:
    dial = (
        "<Dial><Number statusCallback='https://voice.example.com/leg' "
        f"statusCallbackEvent='initiated ringing answered completed'>{STAFF}</Number></Dial>"
    )

    async def story() -> None:
        async with on_the_line(App({"/voice": dial})) as carrier:
            carrier.telephone(STAFF, Party(talks_s=30))
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            legs = carrier.of("status")
            assert [each.form["SequenceNumber"] for each in legs] == ["0", "1", "2", "3"]
            assert [each.form["CallStatus"] for each in legs] == [
                "initiated",
                "ringing",
                "in-progress",
                "completed",
            ]
            assert legs[-1].form["CallDuration"] == "30"

    run_virtual(story())


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        (f"<Dial callerId='+15559999999'>{STAFF}</Dial>", "13214"),
        ("<Dial>0155512345</Dial>", "13224"),
    ],
)
def test_a_number_that_cannot_be_rung(verb: str, code: str) -> None:
    async def story() -> None:
        async with on_the_line(App({"/voice": verb + "<Say>Sorry.</Say>"})) as carrier:
            carrier.telephone(STAFF, Party())
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            assert [error.partition(":")[0] for error in carrier.errors] == [code]
            assert (call.children[0].status, call.heard) == ("failed", ["say: Sorry."])

    run_virtual(story())
