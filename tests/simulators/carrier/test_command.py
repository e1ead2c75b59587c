"""The carrier on the command line, in real time."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulators.carrier import __main__ as command
from tests.simulators.carrier import serving
from tests.simulators.carrier.fake_app import STAFF, App
from tests.simulators.carrier.parties import Answers, Party
from tests.simulators.carrier.test_streams import AFTER, STREAM, greet_and_leave
from tests.simulators.script import ExpectHangUp, HangUp, Say, WaitAgent


async def test_a_call_with_a_transfer(capsys: pytest.CaptureFixture[str]) -> None:
    pages = {
        "/voice-stream": STREAM + AFTER,
        "/after": f"<Dial action='/done'><Number url='/whisper'>{STAFF}</Number></Dial>",
        "/whisper": "<Gather numDigits='1' action='/accept'><Say>Press 1.</Say></Gather><Hangup/>",
    }
    app = App(pages, agent=greet_and_leave)
    async with serving(app) as url:
        options = ["--url", url, "--public-url", "https://voice.example.com", "--rest-port", "0"]
        options += ["--hum", "--no-listen", "--speed", "50"]
        options += ["--telephone", f"{STAFF} rings=3 keys=1 talks=20"]
        code = await asyncio.to_thread(command.main, [*options, "wait-agent", "expect-hangup"])
    out = capsys.readouterr().out
    assert code == 0, out
    assert "TWILIO_BASE_URL=http://127.0.0.1:" in out
    assert f"is connected to {STAFF}" in out
    assert "action: POST /done -> 200" in out
    assert "2 legs, 7 requests to the server, 0 from it, 0 text messages" in out


async def test_what_is_wrong_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(App({"/voice-stream": "<Speak/>"})) as url:
        options = ["--url", url, "--rest-port", "0", "--hum", "--no-listen"]
        assert await asyncio.to_thread(command.main, [*options, "wait-agent"]) == 1
    assert "ERROR 12200: <Speak> is no verb" in capsys.readouterr().out
    assert await asyncio.to_thread(command.main, ["--telephone", "anna"]) == 3
    assert "must begin with a number" in capsys.readouterr().err
    assert await asyncio.to_thread(command.main, ["shout"]) == 3


@pytest.mark.parametrize(
    ("text", "party"),
    [
        (f"{STAFF}", Party(scripts=[[WaitAgent(timeout_s=60)]])),
        (f"{STAFF} busy", Party(Answers.BUSY, scripts=[[WaitAgent(timeout_s=60)]])),
        (
            f"{STAFF} rings=4 keys=1,2 talks=9 : say Yes.; expect-hangup; hangup",
            Party(
                rings_s=4.0,
                keys=("1", "2"),
                talks_s=9.0,
                scripts=[[Say("Yes."), ExpectHangUp(), HangUp()]],
            ),
        ),
    ],
)
def test_a_telephone_in_words(text: str, party: Party) -> None:
    assert command.telephone(text) == (STAFF, party)


@pytest.mark.parametrize("text", ["", "anna", f"{STAFF} sings", f"{STAFF} rings=long"])
def test_a_telephone_that_makes_no_sense(text: str) -> None:
    with pytest.raises(command.BadTelephone):
        command.telephone(text)
