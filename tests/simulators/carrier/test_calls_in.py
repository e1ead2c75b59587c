"""Calls that come in: what is asked of the server, and what the caller hears."""

from __future__ import annotations

import asyncio

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.simulators.carrier import Party, Trouble, Words
from tests.simulators.carrier.fake_app import (
    CALLER,
    OURS,
    PUBLIC,
    App,
    Form,
    Page,
    asked,
    on_the_line,
)
from tests.simulators.carrier.voices import hum, read_wav, recording, seconds
from tests.virtual_time import run_virtual


def test_a_call_is_answered_and_hung_up() -> None:
    async def story() -> None:
        app = App({"/voice": "<Say>Good morning.</Say><Pause length='3'/><Hangup/>"})
        async with on_the_line(app) as carrier:
            carrier.status_callback = "/status"
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            assert asked(carrier) == ["POST /voice", "POST /status"]
            first, last = carrier.requests
            assert first.form["CallStatus"] == "ringing"
            assert (first.form["From"], first.form["To"]) == (CALLER, OURS)
            assert first.form["Direction"] == "inbound"
            assert first.form["CallToken"] == ""  # blank fields are signed, too
            assert last.form["CallStatus"] == "completed"
            assert last.form["CallDuration"] == "4"
            assert last.form["Duration"] == "1"
            assert last.form["SequenceNumber"] == "0"
            assert call.heard == ["say: Good morning."]
            assert call.status == "completed"
            assert carrier.errors == []
            check = RequestValidator(carrier.auth_token).validate
            signature = app.headers[0]["x-twilio-signature"]
            assert check(f"{PUBLIC}/voice", first.form, signature)

    run_virtual(story())


def test_keys_go_to_the_action_and_no_keys_to_the_next_verb() -> None:
    def pressed(form: Form) -> str:
        return f"<Say>You pressed {form['Digits']}.</Say>"

    gather = "<Gather numDigits='2' action='/keys?a=1'><Say>Two digits.</Say></Gather>"
    pages: dict[str, Page] = {"/voice": gather + "<Say>Nothing then.</Say>", "/keys": pressed}

    async def story() -> None:
        async with on_the_line(App(pages)) as carrier:
            one = await carrier.call_in(CALLER, OURS, Party(keys=["42"]))
            await one.over()
            two = await carrier.call_in(CALLER, OURS)
            await two.over()
            assert one.heard == ["say: Two digits.", "say: You pressed 42."]
            assert two.heard == ["say: Two digits.", "say: Nothing then."]
            assert asked(carrier) == ["POST /voice", "POST /keys?a=1", "POST /voice"]
            assert carrier.errors == []

    run_virtual(story())


RECORD = (
    "<Record action='/said' maxLength='30' timeout='3' finishOnKey='#'"
    " recordingStatusCallback='/kept'/><Say>I heard nothing.</Say>"
)


def test_a_message_is_recorded_and_its_file_comes_late() -> None:
    async def story() -> None:
        pages = {"/voice": RECORD, "/said": "<Say>Thank you.</Say>"}
        async with on_the_line(App(pages), trouble=Trouble(not_ready=2)) as carrier:
            call = await carrier.call_in(CALLER, OURS, Party(says=["Call me back."]))
            await call.over()
            await carrier.over()
            (action,) = carrier.of("action")
            assert call.heard == ["say: Thank you."]
            assert action.form["CallStatus"] == "in-progress"
            assert action.form["RecordingDuration"] == "1"
            assert "Digits" not in action.form
            sid = action.form["RecordingSid"]
            assert action.form["RecordingUrl"].endswith(f"/Recordings/{sid}")
            (kept,) = carrier.of("recording-status")
            assert kept.form["RecordingUrl"] == action.form["RecordingUrl"]
            assert carrier.recordings.kept[sid].audio == hum("Call me back.")
            assert carrier.errors == []

    run_virtual(story())


@pytest.mark.parametrize(
    ("words", "paths", "digits"),
    [
        (Words("Hello.", then_key="#"), ["POST /voice", "POST /said"], "#"),
        (Words("Hello.", then_hangs_up=True), ["POST /voice", "POST /said"], "hangup"),
        (Words(""), ["POST /voice"], None),
        (Words("", then_hangs_up=True), ["POST /voice"], None),
    ],
)
def test_how_a_recording_ends(words: Words, paths: list[str], digits: str | None) -> None:
    async def story() -> None:
        pages = {"/voice": RECORD.replace(" recordingStatusCallback='/kept'", "")}
        async with on_the_line(App(pages)) as carrier:
            call = await carrier.call_in(CALLER, OURS, Party(says=[words]))
            await call.over()
            assert asked(carrier) == paths
            assert [each.form.get("Digits") for each in carrier.of("action")] == (
                [digits] if digits else []
            )
            if digits == "hangup":
                assert carrier.requests[-1].form["CallStatus"] == "completed"

    run_virtual(story())


def test_sounds_are_fetched_and_checked() -> None:
    good = recording(hum("ten letters"))
    files = {
        "/good.wav": ("audio/x-wav", good),
        "/bad.wav": ("audio/x-wav", good[:24] + b"\x80\x3e\x00\x00" + good[28:]),
        "/page": ("text/html", b"<html/>"),
    }
    play = "<Play>/good.wav</Play><Play>/bad.wav</Play><Play>/page</Play><Play>/gone</Play>"

    async def story() -> None:
        app = App({"/voice": play + "<Say>Bye.</Say>"}, files, statuses={"/gone": 404})
        async with on_the_line(app) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            assert call.heard == ["play: /good.wav", "say: Bye."]
            assert call.sounds == [hum("ten letters")]
            assert call.duration_s == pytest.approx(seconds(hum("ten letters")) + 4 / 15)
            assert [error.partition(":")[0] for error in carrier.errors] == [
                "13520",
                "12300",
                "13520",
                "11200",
            ]

    run_virtual(story())
    assert read_wav(good) == hum("ten letters")


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
def test_a_rejected_call_was_never_answered(reason: str, status: str) -> None:
    async def story() -> None:
        async with on_the_line(App({"/voice": f"<Reject reason='{reason}'/>"})) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            assert (call.status, call.answered_s) == (status, None)

    run_virtual(story())


def test_the_caller_may_hang_up_at_any_time() -> None:
    async def story() -> None:
        app = App({"/voice": "<Pause length='60'/>"})
        async with on_the_line(app) as carrier:
            early = await carrier.call_in(CALLER, OURS, Party(hangs_up_s=5))
            await early.over()
            app.pages = {"/voice": "<Say>Hello.</Say><Pause length='60'/>"}
            late = await carrier.call_in(CALLER, OURS, Party(hangs_up_s=5))
            await late.over()
            assert (early.status, late.status) == ("no-answer", "completed")
            assert late.ended_s is not None
            assert late.duration_s == pytest.approx(5, abs=0.1)

    run_virtual(story())


def test_webhooks_come_twice_and_a_redirect_goes_elsewhere() -> None:
    async def story() -> None:
        pages = {"/voice": "<Redirect>/next?x=y</Redirect>", "/next": "<Say>Here.</Say>"}
        trouble = Trouble(webhooks_twice=True)
        async with on_the_line(App(pages), trouble=trouble) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            assert asked(carrier) == ["POST /voice", "POST /voice", "POST /next?x=y"]
            assert carrier.requests[0].form == carrier.requests[1].form
            assert call.requests == carrier.requests

    run_virtual(story())


def test_a_webhook_that_fails_or_is_late_has_a_fallback() -> None:
    async def story() -> None:
        app = App({"/spare": "<Say>Sorry.</Say>"}, statuses={"/voice": 500})
        async with on_the_line(app) as carrier:
            carrier.fallback = "/spare"
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            assert asked(carrier) == ["POST /voice", "POST /spare"]
            assert carrier.requests[1].form["ErrorCode"] == "11200"
            assert carrier.requests[1].form["ErrorUrl"] == f"{PUBLIC}/voice"
            assert call.heard == ["say: Sorry."]
            app.statuses, app.delays = {}, {"/voice": 20.0}
            late = await carrier.call_in(CALLER, OURS)
            await late.over()
            assert carrier.errors[-1] == "11205: no answer within 15 s (/voice)"
            assert late.heard == ["say: Sorry."]
            carrier.fallback = ""
            lost = await carrier.call_in(CALLER, OURS)
            await lost.over()
            assert lost.heard == ["say: an application error has occurred"]

    run_virtual(story())


def test_a_document_may_be_asked_for_by_get() -> None:
    async def story() -> None:
        pages = {"/voice": "<Redirect method='GET'>/next?x=y</Redirect>", "/next": "<Hangup/>"}
        app = App(pages)
        async with on_the_line(app) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            request = carrier.requests[1]
            assert request.method == "GET"
            assert request.path.startswith("/next?x=y&AccountSid=")
            check = RequestValidator(carrier.auth_token).validate
            assert check(PUBLIC + request.path, {}, app.headers[1]["x-twilio-signature"])
            assert carrier.errors == []

    run_virtual(story())


def test_what_was_said_before_the_line_went_dead_is_kept() -> None:
    async def story() -> None:
        async with on_the_line(App({"/voice": RECORD})) as carrier:
            party = Party(says=[b"\x10" * 80_000], hangs_up_s=4.5)
            call = await carrier.call_in(CALLER, OURS, party)
            await call.over()
            (kept,) = carrier.recordings.kept.values()
            assert len(kept.audio) == pytest.approx(4 * 8000, abs=160)  # the beep takes the rest
            assert carrier.of("action")[0].form["Digits"] == "hangup"

    run_virtual(story())


async def test_in_real_time_with_speed() -> None:
    loop = asyncio.get_running_loop()
    async with on_the_line(App({"/voice": "<Pause length='20'/>"}), speed=100) as carrier:
        began = loop.time()
        call = await carrier.call_in(CALLER, OURS)
        await call.over()
        assert 0.2 <= loop.time() - began < 5
        assert call.status == "completed"


def test_a_call_that_goes_round_in_circles_is_ended() -> None:
    async def story() -> None:
        async with on_the_line(App({"/voice": "<Redirect>/voice</Redirect>"})) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            assert carrier.errors == ["the call asked for 200 documents"]

    run_virtual(story())


def test_another_host_is_never_asked() -> None:
    async def story() -> None:
        pages = {"/voice": "<Redirect>https://elsewhere.example.com/next</Redirect>"}
        async with on_the_line(App(pages)) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            (error,) = carrier.errors
            assert error.startswith("11210: no such host")

    run_virtual(story())
