"""``<Connect><Stream>`` within a call: what comes after it, and what takes it away."""

from __future__ import annotations

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.simulators.carrier import Carrier, Party, machine
from tests.simulators.carrier.fake_app import CALLER, OURS, App, asked, on_the_line
from tests.simulators.fake_server import LOUD, Socket, listen
from tests.simulators.script import ExpectHangUp, HangUp, Say, Wait
from tests.virtual_time import run_virtual

STREAM = (
    "<Connect><Stream url='wss://voice.example.com/media-stream' "
    "statusCallback='https://voice.example.com/stream-status'>"
    "<Parameter name='token' value='abc'/></Stream></Connect>"
)
AFTER = "<Redirect method='POST'>/after</Redirect>"


async def greet_and_leave(socket: Socket) -> None:
    """Says half a second and closes the socket once it was played."""
    while (message := await socket.read()) is not None:
        if message["event"] == "start":
            socket.sid = message["streamSid"]
            await socket.media(LOUD * 25)
            await socket.mark("greeting")
        if message["event"] == "mark":
            await socket.close()
            return


def events(carrier: Carrier) -> list[str]:
    return [each.form["StreamEvent"] for each in carrier.of("stream-status")]


def test_when_the_server_closes_the_stream_the_next_verb_follows() -> None:
    async def story() -> None:
        pages = {"/voice": STREAM + AFTER, "/after": "<Hangup/>"}
        app = App(pages, agent=greet_and_leave)
        async with on_the_line(app) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            await carrier.over()
            paths = [each for each in asked(carrier) if each != "POST /stream-status"]
            assert paths == ["POST /voice", "POST /after"]
            assert events(carrier) == ["stream-started", "stream-stopped"]
            start = app.sockets[0].events("start")[0]["start"]
            assert start["customParameters"] == {"token": "abc"}
            assert start["callSid"] == call.sid
            assert app.sockets[0].events("stop") == []
            (run,) = call.streams[0].playback.runs
            assert bytes(run.audio) == LOUD * 25
            signature = app.headers[1]["x-twilio-signature"]
            check = RequestValidator(carrier.auth_token).validate
            assert check("wss://voice.example.com/media-stream", {}, signature)
            assert carrier.errors == []

    run_virtual(story())


def test_a_hang_up_ends_the_stream_and_nothing_follows() -> None:
    async def story() -> None:
        app = App({"/voice": STREAM + AFTER})
        async with on_the_line(app) as carrier:
            party = Party(scripts=[[Wait(1), Say("Hello."), HangUp()]])
            call = await carrier.call_in(CALLER, OURS, party)
            await call.over()
            assert len(app.sockets[0].events("stop")) == 1
            assert "POST /after" not in asked(carrier)
            assert (call.status, call.ended_by) == ("completed", "the party hangs up")
            assert call.failures == []
            heard = [each for each in app.sockets[0].events("media")]
            assert len(heard) > 60

    run_virtual(story())


@pytest.mark.parametrize("refused", [True, False])
def test_a_stream_that_cannot_be_opened_goes_on_with_the_next_verb(refused: bool) -> None:
    async def story() -> None:
        app = App({"/voice": STREAM + AFTER, "/after": "<Say>Sorry.</Say>"}, socket_refused=True)
        if not refused:
            app.pages = {**app.pages, "/voice": STREAM.replace("wss:", "http:") + AFTER}
        async with on_the_line(app) as carrier:
            call = await carrier.call_in(CALLER, OURS)
            await call.over()
            await carrier.over()
            assert call.heard == ["say: Sorry."]
            code = "31920" if refused else "31910"
            assert carrier.errors[0].startswith(code)
            assert events(carrier)[-1] == "stream-error"

    run_virtual(story())


def test_a_second_stream_has_a_second_script() -> None:
    async def story() -> None:
        pages = {"/voice": STREAM + AFTER, "/after": STREAM}
        app = App(pages, agent=greet_and_leave)
        async with on_the_line(app) as carrier:
            party = Party(scripts=[[ExpectHangUp(30)], [Wait(0.2), HangUp()]])
            call = await carrier.call_in(CALLER, OURS, party)
            await call.over()
            first, second = app.sockets
            assert first.got[1]["streamSid"] != second.got[1]["streamSid"]
            assert (len(first.events("stop")), len(second.events("stop"))) == (0, 1)

    run_virtual(story())


def test_a_script_that_goes_wrong_is_on_record() -> None:
    async def story() -> None:
        app = App({"/voice": STREAM + "<Say>Bye.</Say>"}, agent=greet_and_leave)
        async with on_the_line(app) as carrier:
            party = Party(scripts=[[Wait(60)], [HangUp()]])
            call = await carrier.call_in(CALLER, OURS, party)
            await call.over()
            assert call.failures == ["the server ended the call during Wait(seconds=60)"]
            assert call.heard == ["say: Bye."]

    run_virtual(story())


def test_what_breaks_the_protocol_is_an_error() -> None:
    async def rude(socket: Socket) -> None:
        while (message := await socket.read()) is not None:
            if message["event"] == "start":
                socket.sid = message["streamSid"]
                await socket.raw(bytes=b"\x00" * 160)
                await socket.send("media", media={"payload": "AAAA", "track": "outbound"})

    async def story() -> None:
        async with on_the_line(App({"/voice": STREAM}, agent=rude)) as carrier:
            call = await carrier.call_in(CALLER, OURS, Party(scripts=[[Wait(1)]]))
            await call.over()
            assert [error.partition(":")[0] for error in carrier.errors] == ["31950", "31951"]

    run_virtual(story())


def test_a_machine_speaks_beeps_and_listens() -> None:
    async def story() -> None:
        app = App({"/voice": STREAM}, agent=listen)
        async with on_the_line(app) as carrier:
            call = await carrier.call_in(CALLER, OURS, machine("Hello.", listens_s=3))
            await call.over()
            spoken = call.streams[0].record.spoken
            assert [each.clip.text for each in spoken] == ["Hello.", "(beep)"]
            assert len(spoken[1].clip.audio) == 4000

    run_virtual(story())
