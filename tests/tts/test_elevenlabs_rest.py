"""ElevenLabs' REST stream through the vendor's SDK, against the simulator, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from elevenlabs.client import AsyncElevenLabs

from services.tts.elevenlabs_rest import ElevenLabsRest
from services.tts.elevenlabs_wire import ElevenLabsOptions
from services.vendors import VendorError
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.legible import text_of
from tests.tts.caller import BAD_KEYS, TEN, Caller, Told, interrupt, phrases
from tests.virtual_time import run_virtual


@asynccontextmanager
async def rest(vendor: ElevenLabsSimulator, told: Told | None = None) -> AsyncIterator[Any]:
    async with httpx.AsyncClient(limits=httpx.Limits(keepalive_expiry=120)) as http:
        client = AsyncElevenLabs(api_key=vendor.key, base_url=vendor.url, httpx_client=http)
        options = ElevenLabsOptions(vendor.url, vendor.key, "sarah", settings={"speed": 1.1})
        yield ElevenLabsRest(client, options, told.reports if told else None)


def on_a_call(
    test: Callable[[ElevenLabsSimulator, ElevenLabsRest, Told], Awaitable[None]], **given: Any
) -> None:
    async def main() -> None:
        async with ElevenLabsSimulator(**given) as vendor:
            told = Told()
            async with rest(vendor, told) as voice:
                await test(vendor, voice, told)
            await asyncio.sleep(0.01)
            assert vendor.requests_now == 0
            assert vendor.errors == []

    run_virtual(main())


def test_ten_phrases_are_spoken_one_after_the_other_without_a_gap() -> None:
    async def test(vendor: ElevenLabsSimulator, voice: ElevenLabsRest, told: Told) -> None:
        caller = Caller()
        await voice.speak(3, phrases(TEN), caller.say)
        caller.check_got(TEN)
        assert caller.silence_ms() == 0
        assert caller.parts[0][0] <= 0.120 + 0.250 + 0.05
        assert told.steps == [("request", 3), ("first audio", 3)] * 10
        asked = vendor.entries("request")
        assert asked[0].detail["query"]["output_format"] == "ulaw_8000"
        assert "previous_text" not in asked[0].detail["body"]
        assert asked[2].detail["body"]["previous_text"] == " ".join(TEN[:2])
        assert asked[2].detail["body"]["voice_settings"] == {"speed": 1.1}

    on_a_call(test)


def test_a_slow_vendor_is_heard_before_the_phrase_is_complete() -> None:
    async def test(vendor: ElevenLabsSimulator, voice: ElevenLabsRest, told: Told) -> None:
        for _ in range(20):
            await voice.render(TEN[2])  # the pace is learnt
        began = asyncio.get_running_loop().time()
        caller = Caller()
        await voice.speak(1, phrases(TEN[:3]), caller.say)
        assert caller.parts[0][0] - began <= 0.120 + 0.250 + 0.4
        caller.check_got(TEN[:3])

    on_a_call(test, speed=1.2)


def test_the_first_bytes_are_not_held_back_by_the_sdk() -> None:
    async def test(vendor: ElevenLabsSimulator, voice: ElevenLabsRest, told: Told) -> None:
        assert text_of(await voice.render("Yes.")) == "Yes."
        assert asyncio.get_running_loop().time() < 0.2

    on_a_call(test, chunk_ms=60)


def test_a_barge_in_ends_the_request() -> None:
    async def test(vendor: ElevenLabsSimulator, voice: ElevenLabsRest, told: Told) -> None:
        caller = Caller()
        speaking = asyncio.create_task(voice.speak(1, phrases(TEN), caller.say))
        await asyncio.sleep(0.5)
        await interrupt(speaking)
        await asyncio.sleep(0.01)
        assert vendor.requests_now == 0
        await voice.speak(2, phrases(TEN[:1]), caller.say)

    on_a_call(test, speed=1)


@pytest.mark.parametrize(
    "wait_s", [0.001, 0.01, 0.05, 0.5], ids=["connect", "headers", "wait", "audio"]
)
def test_a_barge_in_and_the_end_of_the_call_at_once_end_the_request(wait_s: float) -> None:
    """Closing takes turns of the loop, and the second cancellation may come in any of them."""

    async def test(vendor: ElevenLabsSimulator, voice: ElevenLabsRest, told: Told) -> None:
        tasks = len(asyncio.all_tasks())
        for turns in range(8):
            speaking = asyncio.create_task(voice.speak(1, phrases(TEN), Caller().say))
            await asyncio.sleep(wait_s)
            await interrupt(speaking, again_after=turns)
            await asyncio.sleep(0.01)
            assert vendor.requests_now == 0
            http: Any = voice._client._client_wrapper.httpx_client.httpx_client
            assert all(connection.is_idle() for connection in http._transport._pool.connections)
            assert len(asyncio.all_tasks()) <= tasks

    on_a_call(test, speed=1)


FAULTS = [
    (Fault(Trouble.STATUS, status=401), "invalid_api_key", True),
    (Fault(Trouble.STATUS, status=429), "too_many_concurrent_requests", False),
    (Fault(Trouble.STATUS, status=500), "internal_server_error", False),
    (Fault(Trouble.STATUS, status=401, reason="quota_exceeded"), "quota_exceeded", True),
    (Fault(Trouble.STALL_FIRST), "first audio timeout", True),
    (Fault(Trouble.STALL_MID), "stall", True),
    (Fault(Trouble.MALFORMED), "malformed", False),
    (Fault(Trouble.RESET), "cut", False),
    (Fault(Trouble.CUT), "cut", False),
]


@pytest.mark.parametrize(("fault", "code", "at_once"), FAULTS, ids=lambda value: str(value)[:40])
def test_a_phrase_that_breaks_off_was_not_said(fault: Fault, code: str, at_once: bool) -> None:
    async def test(vendor: ElevenLabsSimulator, voice: ElevenLabsRest, told: Told) -> None:
        caller = Caller()

        async def one_then_trouble() -> AsyncIterator[str]:
            yield TEN[0]
            vendor.faults.order("stream", fault, 1)
            yield TEN[1]

        with pytest.raises(VendorError) as caught:
            await voice.speak(1, one_then_trouble(), caller.say)
        assert caught.value.code == code
        assert caught.value.at_once == at_once
        caller.check_got(TEN[:1])
        assert told.failures == []
        await voice.speak(2, phrases(TEN[1:]), caller.say)
        caller.check_got(TEN)

    on_a_call(test)


def test_a_vendor_that_is_not_there() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            pass
        async with rest(vendor) as voice:
            with pytest.raises(VendorError) as caught:
                await voice.render("Hello.")
            assert caught.value.code == "refused"
            assert caught.value.at_once

    run_virtual(main())


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_no_header_can_hold_is_a_failure_like_others(key: str) -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            vendor.key = key
            async with rest(vendor) as voice:
                with pytest.raises(VendorError) as caught:
                    await voice.render("Hello.")
                assert (caught.value.code, caught.value.at_once) == ("bad key", True)

    run_virtual(main())


def test_lines_are_kept_by_all_that_their_sound_depends_on() -> None:
    def name(**given: Any) -> str:
        options = ElevenLabsOptions("http://x", "secret", "sarah", **given)
        return ElevenLabsRest(AsyncElevenLabs(api_key="secret"), options).name

    names = [
        name(),
        name(model="eleven_turbo_v2_5"),
        name(language="de"),
        name(settings={"speed": 1.1}),
        name(settings={"speed": 1.0}),
    ]
    assert len(set(names)) == len(names)
    assert not any("secret" in each for each in names)
