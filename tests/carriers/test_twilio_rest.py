"""Twilio's REST client: recordings, refusals, and what it takes from nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from services.carriers.twilio_rest import TwilioError, TwilioRest
from tests.simulators.carrier import Carrier, Party, Refusal, Trouble
from tests.simulators.carrier.recordings import Recording
from tests.simulators.carrier.voices import hum, recording
from tests.virtual_time import run_virtual

CALLER, OURS = "+15550100001", "+15550100002"
SOUND = hum("Call me back.")


@asynccontextmanager
async def recorded(trouble: Trouble | None = None) -> AsyncIterator[tuple[Carrier, Recording]]:
    async with Carrier(trouble=trouble) as carrier:
        yield carrier, carrier.recordings.add("CA1", SOUND)


def client(carrier: Carrier, timeout_s: float = 10.0) -> TwilioRest:
    return TwilioRest(carrier.account_sid, carrier.auth_token, carrier.rest_url, timeout_s)


def test_a_recording_that_is_not_there_yet_is_asked_for_again() -> None:
    async def story() -> None:
        async with recorded(Trouble(not_ready=3)) as (carrier, kept):
            rest = client(carrier)
            file = await rest.fetch_recording(carrier.recordings.url(kept))
            await rest.close()
            assert file == recording(SOUND)
            assert [each.status for each in carrier.rest] == [404, 404, 404, 200]
            assert carrier.rest[0].path.endswith(f"/{kept.sid}.wav")
            moments = [each.at_s for each in carrier.rest]
            assert moments == pytest.approx([0, 0.25, 0.75, 1.75], abs=0.05)

    run_virtual(story())


def test_a_recording_that_never_comes_is_given_up() -> None:
    async def story() -> None:
        async with recorded(Trouble(not_ready=99)) as (carrier, kept):
            rest = client(carrier)
            began = asyncio.get_running_loop().time()
            with pytest.raises(TwilioError, match="does not exist") as error:
                await rest.fetch_recording(carrier.recordings.url(kept), within_s=5)
            await rest.close()
            assert asyncio.get_running_loop().time() - began == pytest.approx(5, abs=0.05)
            assert error.value.status == 404
            assert len(carrier.rest) == 5

    run_virtual(story())


async def test_a_recording_that_is_too_long_is_not_read() -> None:
    async with recorded() as (carrier, kept):
        rest = client(carrier)
        with pytest.raises(TwilioError, match="longer than 1000 bytes"):
            await rest.fetch_recording(carrier.recordings.url(kept), max_bytes=1000)
        await rest.close()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example.com/2010-04-01/Accounts/AC1/Recordings/RE1",
        "https://api.twilio.com.evil.example.com/RE1",
        "https://evil.example.com/api.twilio.com",
        "https://api.twilio.com@evil.example.com/RE1",
        "https://user:word@api.twilio.com/RE1",
        "http://api.twilio.com/RE1",
        "https://api.twilio.com:8443/RE1",
        "https://[half/RE1",
        "https://api.twilio.com:port/RE1",
        "http://127.0.0.1:1/RE1",
        "file:///etc/passwd",
        "",
    ],
)
async def test_keys_go_to_twilio_only(url: str) -> None:
    async with Carrier() as carrier:
        rest = client(carrier)
        with pytest.raises(TwilioError, match="must be Twilio's") as error:
            await rest.fetch_recording(url)
        await rest.close()
        assert error.value.is_refusal
        assert carrier.rest == []


async def test_the_keys_stay_behind_when_it_is_sent_on() -> None:
    seen: list[tuple[str, str]] = []

    async def file(request: web.Request) -> web.StreamResponse:
        seen.append((request.host, request.headers.get("Authorization", "")))
        if request.path == "/RE1.wav":
            elsewhere = request.url.with_host("localhost").with_path("/bucket.wav")
            raise web.HTTPFound(elsewhere)
        return web.Response(body=recording(SOUND))

    app = web.Application()
    app.router.add_get("/{name}", file)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    rest = TwilioRest("AC1", "token", base)
    try:
        assert await rest.fetch_recording(f"{base}/RE1") == recording(SOUND)
    finally:
        await rest.close()
        await runner.cleanup()
    assert [bool(keys) for _, keys in seen] == [True, False]


async def test_the_environment_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"REGION": "ie1", "EDGE": "dublin", "AUTH_TOKEN": "another"}.items():
        monkeypatch.setenv(f"TWILIO_{name}", value)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with Carrier() as carrier:
        rest = client(carrier)
        await rest.send_text(CALLER, OURS, "Hello.")
        await rest.close()
        assert [text.body for text in carrier.texts] == ["Hello."]


@pytest.mark.parametrize(
    ("refusal", "code", "status", "is_refusal"),
    [
        (Refusal(401, 20003), 20003, 401, True),
        (Refusal(429, 20429), 20429, 429, True),
        (Refusal(400, 21219, f"The number {CALLER} is not verified"), 21219, 400, True),
        (Refusal(400, 12345, f"About {CALLER}"), 12345, 400, True),
        (Refusal(400), 0, 400, True),
        (Refusal(500), 0, 500, False),
        (Refusal(503, 20503), 20503, 503, False),
        (Refusal(0), 0, 0, False),
        (Refusal(200, delay_s=60), 0, 0, False),
    ],
)
def test_a_refusal_is_told_from_what_nobody_knows(
    refusal: Refusal, code: int, status: int, is_refusal: bool
) -> None:
    async def story() -> None:
        async with Carrier(trouble=Trouble(refusals=[refusal])) as carrier:
            rest = client(carrier)
            with pytest.raises(TwilioError) as caught:
                await rest.create_call(CALLER, OURS, "https://h.example/voice")
            await rest.close()
            error = caught.value
            assert (error.code, error.status, error.is_refusal) == (code, status, is_refusal)
            assert CALLER not in f"{error} {error!r}"
            assert error.__cause__ is None
            assert error.__suppress_context__
            assert len(carrier.rest) == 1

    run_virtual(story())


async def test_nobody_there() -> None:
    rest = TwilioRest("AC1", "token", "http://127.0.0.1:1")
    with pytest.raises(TwilioError, match="TWILIO_BASE_URL") as error:
        await rest.send_text(CALLER, OURS, "Hello.")
    await rest.close()
    assert not error.value.is_refusal
    with pytest.raises(TwilioError, match="RuntimeError"):  # the server stops
        await rest.hang_up("CA1")


def test_hanging_up_a_call_that_rings() -> None:
    async def story() -> None:
        async with Carrier() as carrier:
            carrier.telephone(CALLER, Party(rings_s=30))
            rest = client(carrier)
            sid = await rest.create_call(CALLER, OURS, "https://h.example/voice")
            await rest.hang_up(sid)
            await rest.close()
            await carrier.calls[sid].over()
            assert carrier.calls[sid].status == "canceled"

    run_virtual(story())


async def test_only_a_call_that_is_over_may_be_hung_up_in_vain() -> None:
    async with Carrier(trouble=Trouble(refusals=[Refusal(503), None])) as carrier:
        rest = client(carrier)
        with pytest.raises(TwilioError, match="HTTP 503"):
            await rest.hang_up("CA1")
        await rest.hang_up("CA1")
        await rest.close()
        assert [each.form for each in carrier.rest] == [{"Status": "completed"}] * 2
