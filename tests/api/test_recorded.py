"""The webhooks of the recording path: what Twilio is told, step by step, on virtual time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI

from api import guard
from api.recorded import PATHS, RecordingPath, routes
from services.audio.mulaw import SILENCE
from services.audio.wav import mulaw, wav
from services.call.events import AfterReply
from services.call.timings import Timings
from services.journal import Journal
from services.recorded import RecordedCall
from services.recorded_calls import GONE_AFTER_S, KEPT_S, RecordedCalls
from services.switchboard.tokens import Announced
from tests.recorded_engine import FakeEngine, FakeWords
from tests.virtual_time import run_virtual

CALL = {"CallSid": "CA1", "From": "+15551234567", "To": "+15558675309"}


class NoSettings:
    twilio_auth_token = ""
    public_url = "https://agent.example.com"
    trusted_proxies = ("127.0.0.1",)


class Line:
    """A caller's line into the app; ``missing`` attempts find no file."""

    def __init__(self, engine: FakeEngine, *words: str, missing: int = 0) -> None:
        self.engine = engine
        self.began: list[str] = []
        self.ended: list[tuple[str, str]] = []
        self.downloads: list[str] = []
        self._missing = missing
        heard = FakeWords(*words)
        clock = asyncio.get_running_loop().time

        def open_call(announced: Announced) -> RecordedCall:
            journal = Journal(announced.call_id, "ava", Timings())
            return RecordedCall(announced.call_id, engine, heard, journal, clock, 600)  # type: ignore[arg-type]

        async def admit(sid: str, caller: str, called: str) -> Announced | str:
            return Announced(sid, caller, called)

        self.calls = RecordedCalls(open_call)
        path = RecordingPath(self.calls, self._download, self)
        app = FastAPI()
        guard.install(app)
        app.include_router(routes(NoSettings(), path, self.calls, admit))
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://x")

    def stream_began(self, call_id: str) -> None:
        self.began.append(call_id)

    def stream_ended(self, call_id: str, reason: str) -> None:
        self.ended.append((call_id, reason))

    async def _download(self, url: str) -> bytes | None:
        self.downloads.append(url)
        self._missing -= 1
        return wav(SILENCE * 100) if self._missing < 0 else None

    async def post(self, path: str, **fields: str) -> str:
        answer = await self.client.post(path, data={**CALL, **fields})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/xml")
        assert set(re.findall(r"https?://[^/]+", answer.text)) <= {"https://agent.example.com"}
        document = answer.text.partition("?>")[2].replace("https://agent.example.com", "")
        return re.sub(r"/webhooks/audio/[0-9a-f]{32}", "AUDIO", document)

    async def record(self, name: str = "RE1", **fields: str) -> str:
        url = f"https://api.twilio.com/{name}"
        given = {"RecordingSid": name, "RecordingUrl": url, "RecordingDuration": "2", **fields}
        return await self.post("/webhooks/recorded/CA1", **given)


def told(story: Callable[[], Awaitable[None]]) -> None:
    run_virtual(story())  # type: ignore[arg-type]


def listening(after: str, prompt: str = "<Play>AUDIO.wav</Play>") -> str:
    return (
        f'<Response>{prompt}<Record action="/webhooks/recorded/CA1" finishOnKey="#"'
        ' maxLength="120" method="POST" playBeep="false"'
        ' recordingStatusCallback="/webhooks/recorded/CA1/ready" timeout="2" />'
        f'<Redirect method="POST">/webhooks/recorded/CA1/silent/{after}</Redirect></Response>'
    )


@pytest.mark.parametrize("path", PATHS)
def test_a_call_from_its_first_line_to_its_last(path: str) -> None:
    async def story() -> None:
        line = Line(FakeEngine("till five", AfterReply.HANG_UP), "open?", "bye")
        assert await line.post(path) == listening("begin")
        assert await line.record("RE1") == listening("RE1")
        assert await line.record("RE2") == (
            "<Response><Play>AUDIO.wav</Play>"
            '<Redirect method="POST">/webhooks/recorded/CA1/over</Redirect></Response>'
        )
        assert await line.post("/webhooks/recorded/CA1/over") == "<Response><Hangup /></Response>"
        assert line.ended == [("CA1", "agent: goodbye")]
        await asyncio.sleep(1)
        assert len(line.calls) == 0
        assert not line.engine.is_running

    told(story)


def test_a_recording_that_is_not_ready_is_asked_for_again() -> None:
    async def story() -> None:
        line = Line(FakeEngine("till five"), "open?", missing=3)
        await line.post("/voice")
        assert await line.record() == listening("RE1")
        assert line.downloads == ["https://api.twilio.com/RE1"] * 4

    told(story)


def test_one_that_takes_long_has_the_caller_wait_and_comes_at_once_when_told_ready() -> None:
    async def story() -> None:
        line = Line(FakeEngine("till five"), "open?", missing=8)
        await line.post("/voice")
        wait = '<Redirect method="POST">/webhooks/recorded/CA1/wait/RE1</Redirect></Response>'
        assert await line.record() == f"<Response><Play>AUDIO.wav</Play>{wait}"
        assert await line.post("/webhooks/recorded/CA1/wait/RE1") == (
            f'<Response><Pause length="1" />{wait}'
        )
        line._missing = 0
        await line.post("/webhooks/recorded/CA1/ready", RecordingSid="RE1")
        began = asyncio.get_running_loop().time()
        assert await line.post("/webhooks/recorded/CA1/wait/RE1") == listening("RE1")
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.5)

    told(story)


def test_one_that_never_becomes_ready_is_apologised_for() -> None:
    async def story() -> None:
        line = Line(FakeEngine(), missing=1000)
        await line.post("/voice")
        answer = await line.record()
        while "/wait/" in answer:
            answer = await line.post("/webhooks/recorded/CA1/wait/RE1")
        assert answer == listening("RE1")
        assert [one.purpose.value for one in line.engine.asked] == ["greeting", "apology"]

    told(story)


def test_a_repeated_webhook_is_answered_the_same_and_asks_nothing_twice() -> None:
    async def story() -> None:
        line = Line(FakeEngine("till five"), "open?")
        assert await line.post("/voice") == await line.post("/voice")
        assert await line.record() == await line.record()
        assert len(line.engine.asked) == 2
        assert len(line.downloads) == 1

    told(story)


def test_silence_is_asked_about_then_the_call_ends() -> None:
    async def story() -> None:
        line = Line(FakeEngine())
        await line.post("/voice")
        answer = await line.post("/webhooks/recorded/CA1/silent/begin")
        assert answer == listening("silence-begin")
        answer = await line.post("/webhooks/recorded/CA1/silent/silence-begin")
        assert answer.endswith(
            '<Redirect method="POST">/webhooks/recorded/CA1/over</Redirect></Response>'
        )

    told(story)


def test_what_was_said_before_the_caller_hung_up_is_still_dealt_with() -> None:
    async def story() -> None:
        line = Line(FakeEngine("taken"), "tell them that I am late")
        await line.post("/voice")
        answer = await line.record(Digits="hangup", CallStatus="completed")
        assert answer == "<Response><Hangup /></Response>"
        await asyncio.sleep(1)
        assert line.ended == [("CA1", "caller: hangup")]
        assert [turn.text for turn in line.engine.finished[0]][-1] == "tell them that I am late"

    told(story)


def test_a_transfer_goes_on_where_streams_go_on() -> None:
    async def story() -> None:
        line = Line(FakeEngine(AfterReply.TRANSFER), "a person please")
        await line.post("/voice")
        assert await line.record() == (
            "<Response><Play>AUDIO.wav</Play>"
            '<Redirect method="POST">/webhooks/after/CA1</Redirect></Response>'
        )
        assert line.ended == []
        line.calls.let_go("CA1")
        assert line.ended == [("CA1", "agent: transfer")]

    told(story)


def test_the_sound_can_be_fetched_by_its_name_and_not_for_ever() -> None:
    async def story() -> None:
        line = Line(FakeEngine("till five"), "open?")
        document = (await line.client.post("/voice", data=CALL)).text
        name = re.findall(r"/webhooks/audio/[0-9a-f]{32}\.wav", document)[0]
        sound = await line.client.get(name)
        assert sound.headers["content-type"] == "audio/wav"
        assert mulaw(sound.content) == SILENCE * 10
        line.calls.end("CA1", "caller: completed")
        await asyncio.sleep(KEPT_S + 1)
        assert (await line.client.get(name)).status_code == 404
        assert (await line.client.post("/webhooks/recorded/CA1", data=CALL)).status_code == 404

    told(story)


def test_a_caller_of_whom_nothing_more_is_heard_has_gone() -> None:
    async def story() -> None:
        line = Line(FakeEngine())
        await line.post("/voice")
        assert len(line.calls) == 1
        await asyncio.sleep(GONE_AFTER_S + 1)
        assert len(line.calls) == 0
        assert len(line.engine.finished) == 1

    told(story)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/webhooks/recorded/CA9", 404, "no_such_call"),
        ("/webhooks/recorded/CA1", 400, "bad_recording"),
        ("/webhooks/recorded/CA1/wait/RE9", 404, "no_such_turn"),
        ("/webhooks/recorded/CA1/wait/%2e%2e", 404, "no_such_call"),
        ("/webhooks/recorded/CA9/over", 404, "no_such_call"),
    ],
)
def test_what_makes_no_sense_is_refused(path: str, status: int, code: str) -> None:
    async def story() -> None:
        line = Line(FakeEngine())
        await line.post("/voice")
        answer = await line.client.post(path, data=CALL)
        assert answer.status_code == status
        assert answer.json()["error"]["code"] == code

    told(story)
