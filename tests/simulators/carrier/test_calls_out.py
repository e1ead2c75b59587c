"""Calls that the server places, with the real SDK's client: what each side is asked."""

from __future__ import annotations

import pytest

from services.carriers import twiml
from services.carriers.twilio_rest import Machine, TwilioError, TwilioRest
from tests.simulators.carrier import Answers, Carrier, Party, Refusal, Text, Trouble, machine
from tests.simulators.carrier.fake_app import CALLER, OURS, PUBLIC, STAFF, App, asked, on_the_line
from tests.simulators.carrier.test_streams import AFTER, STREAM
from tests.simulators.script import ExpectHangUp
from tests.virtual_time import run_virtual

ANSWER, STATUS, AMD = f"{PUBLIC}/voice", f"{PUBLIC}/status", f"{PUBLIC}/amd"


def client(carrier: Carrier) -> TwilioRest:
    return TwilioRest(carrier.account_sid, carrier.auth_token, carrier.rest_url)


def statuses(carrier: Carrier) -> list[str]:
    return [each.form["CallStatus"] for each in carrier.of("status")]


def test_a_call_that_is_answered() -> None:
    async def story() -> None:
        async with on_the_line(App({"/voice": "<Say>Hello.</Say>"})) as carrier:
            carrier.telephone(CALLER, Party(rings_s=6))
            rest = client(carrier)
            sid = await rest.create_call(CALLER, OURS, ANSWER, STATUS, 30)
            await carrier.calls[sid].over()
            await rest.close()
            (request,) = carrier.rest
            assert str(request) == f"POST /2010-04-01/Accounts/{carrier.account_sid}/Calls.json"
            assert request.form == {
                "To": CALLER,
                "From": OURS,
                "Url": ANSWER,
                "Timeout": "30",
                "StatusCallback": STATUS,
                "StatusCallbackEvent": "initiated ringing answered completed",
            }
            assert statuses(carrier) == ["initiated", "ringing", "in-progress", "completed"]
            (voice,) = carrier.of("voice")
            assert voice.form["CallStatus"] == "in-progress"
            assert voice.form["Direction"] == "outbound-api"
            assert voice.at_s == pytest.approx(6)
            assert carrier.errors == []

    run_virtual(story())


@pytest.mark.parametrize(
    ("party", "told"),
    [
        (Party(Answers.BUSY), ["initiated", "busy"]),
        (Party(Answers.RINGS_ON), ["initiated", "ringing", "no-answer"]),
        (Party(Answers.UNREACHABLE), ["initiated", "failed"]),
        (None, ["initiated", "failed"]),
    ],
)
def test_a_call_that_nobody_answers(party: Party | None, told: list[str]) -> None:
    async def story() -> None:
        async with on_the_line(App()) as carrier:
            if party is not None:
                carrier.telephone(CALLER, party)
            rest = client(carrier)
            sid = await rest.create_call(CALLER, OURS, ANSWER, STATUS)
            await carrier.calls[sid].over()
            await rest.close()
            assert statuses(carrier) == told
            assert carrier.of("voice") == []

    run_virtual(story())


@pytest.mark.parametrize(
    ("who", "wish", "verdict", "at_s"),
    [
        (Party(scripts=[[ExpectHangUp(30)]]), "hang_up", "human", 4.0),
        (machine(greeting_s=5), "hang_up", "machine_start", 7.0),
        (machine(greeting_s=5), "leave_message", "machine_end_beep", 7.0),
    ],
)
def test_who_has_answered_is_told_while_the_stream_is_on(
    who: Party, wish: Machine, verdict: str, at_s: float
) -> None:
    async def story() -> None:
        async with on_the_line(App({"/voice": STREAM})) as carrier:
            carrier.telephone(CALLER, who)
            rest = client(carrier)
            sid = await rest.create_call(CALLER, OURS, ANSWER, "", 60, wish, AMD)
            await carrier.sleep(10)
            (amd,) = carrier.of("amd")
            assert (amd.form["AnsweredBy"], amd.form["CallSid"]) == (verdict, sid)
            assert amd.at_s == pytest.approx(at_s)
            assert carrier.of("voice")[0].at_s == pytest.approx(2)
            assert carrier.rest[0].form["AsyncAmd"] == "true"
            await rest.hang_up(sid)
            await carrier.calls[sid].over()
            await rest.hang_up(sid)  # it is over already: no error
            assert carrier.rest[-1].code == 20404
            await rest.close()

    run_virtual(story())


def test_status_callbacks_out_of_order_and_twice() -> None:
    async def story() -> None:
        trouble = Trouble(status_twice=True, status_delay_s={"answered": 20, "ringing": 30})
        app = App({"/voice": "<Say>Hello.</Say>"})
        async with on_the_line(app, trouble=trouble) as carrier:
            carrier.telephone(CALLER, Party())
            rest = client(carrier)
            sid = await rest.create_call(CALLER, OURS, ANSWER, STATUS)
            await carrier.calls[sid].over()
            await rest.close()
            numbers = [each.form["SequenceNumber"] for each in carrier.of("status")]
            assert numbers == ["0", "0", "3", "3", "2", "2", "1", "1"]

    run_virtual(story())


def test_a_live_stream_is_sent_elsewhere() -> None:
    async def story() -> None:
        app = App({"/voice": STREAM + AFTER, "/dialled": "<Say>Back again.</Say>"})
        async with on_the_line(app) as carrier:
            carrier.telephone(STAFF, Party(talks_s=5))
            call = await carrier.call_in(CALLER, OURS)
            await carrier.sleep(3)
            rest = client(carrier)
            document = twiml.dial(STAFF, CALLER, 20, f"{PUBLIC}/dialled")
            await rest.update_call(call.sid, twiml=document)
            await call.over()
            await rest.close()
            assert len(app.sockets[0].events("stop")) == 1
            paths = [each for each in asked(carrier) if each != "POST /stream-status"]
            assert paths == ["POST /voice", "POST /dialled"]
            assert call.heard == ["say: Back again."]
            assert carrier.errors == []

    run_virtual(story())


def test_an_update_needs_a_call_in_progress() -> None:
    async def story() -> None:
        async with on_the_line(App({"/voice": "<Hangup/>"})) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            rest = client(carrier)
            with pytest.raises(TwilioError, match="not in progress") as refused:
                await rest.update_call(call.sid, twiml=twiml.hang_up())
            assert (refused.value.code, refused.value.is_refusal) == (21220, True)
            with pytest.raises(ValueError, match="absolute"):
                await rest.update_call(call.sid, twiml=twiml.redirect("/after"))
            await rest.close()

    run_virtual(story())


def test_a_text_message() -> None:
    async def story() -> None:
        trouble = Trouble(texts_refused={STAFF: 21610})
        async with Carrier(trouble=trouble, numbers={OURS: ""}) as carrier:
            rest = client(carrier)
            sid = await rest.send_text(CALLER, OURS, "See you on Tuesday, 3 & half.")
            with pytest.raises(TwilioError, match="does not want") as stopped:
                await rest.send_text(STAFF, OURS, "Hello.")
            with pytest.raises(TwilioError, match="TWILIO_NUMBER"):
                await rest.send_text(CALLER, STAFF, "Hello.")
            with pytest.raises(TwilioError, match="1600"):
                await rest.send_text(CALLER, OURS, "x" * 1601)
            await rest.close()
            assert carrier.texts == [Text(CALLER, OURS, "See you on Tuesday, 3 & half.", sid)]
            assert stopped.value.code == 21610
            assert STAFF not in str(stopped.value)
            assert [each.code for each in carrier.rest] == [0, 21610, 21606]

    run_virtual(story())


def test_a_create_is_never_repeated() -> None:
    async def story() -> None:
        refusals = [Refusal(503), Refusal(0), Refusal(201, delay_s=30, is_done=True), Refusal(429)]
        async with on_the_line(App(), trouble=Trouble(refusals=list(refusals))) as carrier:
            carrier.telephone(CALLER, Party(Answers.RINGS_ON))
            rest = client(carrier)
            found: list[tuple[int, bool]] = []
            for _ in refusals:
                with pytest.raises(TwilioError) as error:
                    await rest.create_call(CALLER, OURS, ANSWER)
                found.append((error.value.status, error.value.is_refusal))
            await rest.close()
            assert found == [(503, False), (0, False), (0, False), (429, True)]
            assert len(carrier.rest) == 4
            assert len(carrier.calls) == 1  # the third was done, and nobody was told

    run_virtual(story())
