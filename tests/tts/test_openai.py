"""OpenAI's speech through its SDK, against the simulator, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from openai import AsyncOpenAI

from services.audio.mulaw import decode_samples
from services.tts.chain import VoiceChain
from services.tts.openai import OpenAISpeech, OpenAIVoice, _Telephone
from services.vendors import VendorError
from services.vendors.clients import openai_client
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.legible import text_of, tones
from tests.simulators.vendors.openai import OpenAISimulator
from tests.tts.caller import (
    BAD_KEYS,
    TEN,
    Caller,
    Spelling,
    Told,
    breaker,
    interrupt,
    phrases,
)
from tests.virtual_time import run_virtual

MODEL = "gpt-4o-mini-tts"


@asynccontextmanager
async def speech(vendor: OpenAISimulator, told: Told | None = None) -> AsyncIterator[OpenAIVoice]:
    async with openai_client(vendor.key, f"{vendor.url}/v1") as client:
        yield OpenAIVoice(client, OpenAISpeech(MODEL), told.reports if told else None)


def on_a_call(
    test: Callable[[OpenAISimulator, OpenAIVoice, Told], Awaitable[None]], **given: Any
) -> None:
    async def main() -> None:
        async with OpenAISimulator(**given) as vendor:
            told = Told()
            async with speech(vendor, told) as voice:
                await test(vendor, voice, told)
            assert vendor.errors == []

    run_virtual(main())


def test_phrases_are_spoken_one_after_the_other() -> None:
    async def test(vendor: OpenAISimulator, voice: OpenAIVoice, told: Told) -> None:
        caller = Caller()
        await voice.speak(3, phrases(TEN), caller.say)
        caller.check_got(TEN)
        assert told.steps == [("request", 3), ("first audio", 3)] * 10
        assert told.failures == []

    on_a_call(test)


def test_a_line_is_rendered_whole() -> None:
    async def test(vendor: OpenAISimulator, voice: OpenAIVoice, told: Told) -> None:
        assert text_of(await voice.render(TEN[0])) == TEN[0]

    on_a_call(test)


FAULTS = [
    (Fault(Trouble.STATUS, status=401), "invalid_api_key", True),
    (Fault(Trouble.STATUS, status=429), "rate_limit_exceeded", False),
    (Fault(Trouble.STATUS, status=500), "500", False),
    (Fault(Trouble.STALL_FIRST), "first audio timeout", True),
    (Fault(Trouble.STALL_MID), "stall", True),
    (Fault(Trouble.MALFORMED), "malformed", False),
    (Fault(Trouble.RESET), "connection lost", False),
    (Fault(Trouble.CUT), "connection lost", False),
]


@pytest.mark.parametrize(("fault", "code", "at_once"), FAULTS, ids=lambda value: str(value)[:40])
def test_a_phrase_that_breaks_off_is_said_whole_by_the_next_voice(
    fault: Fault, code: str, at_once: bool
) -> None:
    async def test(vendor: OpenAISimulator, voice: OpenAIVoice, told: Told) -> None:
        vendor.faults.order("speech", fault)
        with pytest.raises(VendorError) as caught:
            await voice.render(TEN[0])
        assert (caught.value.code, caught.value.at_once) == (code, at_once)
        vendor.faults.clear()
        caller = Caller()

        async def two_then_trouble() -> AsyncIterator[str]:
            for number, phrase in enumerate(TEN):
                if number == 2:
                    vendor.faults.order("speech", fault)
                yield phrase
                await asyncio.sleep(2)

        chain = VoiceChain([(voice, breaker()), (Spelling(), breaker())], told.reports)
        await chain.speak(1, two_then_trouble(), caller.say)
        caller.check_got(TEN)
        assert told.failures == [f"openai {code}"]

    on_a_call(test)


def test_a_barge_in_ends_the_request() -> None:
    async def test(vendor: OpenAISimulator, voice: OpenAIVoice, told: Told) -> None:
        caller = Caller()
        speaking = asyncio.create_task(voice.speak(1, phrases(TEN), caller.say))
        await asyncio.sleep(0.3)
        await interrupt(speaking)
        had = len(caller.parts)
        await asyncio.sleep(2)
        assert len(caller.parts) == had

    on_a_call(test)


def test_a_vendor_that_is_not_there() -> None:
    async def main() -> None:
        async with OpenAISimulator() as vendor:
            pass
        async with speech(vendor) as voice:
            with pytest.raises(VendorError) as caught:
                await voice.render("Hello.")
            assert caught.value.code == "refused"
            assert caught.value.at_once

    run_virtual(main())


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_no_header_can_hold_is_a_failure_like_others(key: str) -> None:
    async def main() -> None:
        async with OpenAISimulator() as vendor:
            vendor.key = key
            async with speech(vendor) as voice:
                with pytest.raises(VendorError) as caught:
                    await voice.render("Hello.")
                assert (caught.value.step, caught.value.code) == ("request", "bad key")
                assert caught.value.at_once
                assert vendor.log == []

    run_virtual(main())


@pytest.mark.parametrize("size", [1, 7, 960, 4801])
def test_it_does_not_matter_where_the_stream_is_cut(size: int) -> None:
    pcm = tones("Hello.")
    telephone = _Telephone()
    cut = b"".join(telephone.hear(pcm[at : at + size]) for at in range(0, len(pcm), size))
    cut += telephone.finish()
    other = _Telephone()
    whole = other.hear(pcm) + other.finish()
    assert len(cut) == len(whole)
    difference = np.abs(decode_samples(cut) - decode_samples(whole))
    assert difference.max() < 0.03, "the resampler dithers: a step of mu-law at most"
    assert text_of(cut) == "Hello."
    assert abs(len(cut) - len(pcm) / 6) <= 2


def test_what_a_telephone_cannot_carry_is_filtered_out() -> None:
    time = np.arange(24_000) / 24_000
    loudest = []
    for hz in (1000, 6000):
        wave = (16_000 * np.sin(2 * np.pi * hz * time)).astype("<i2").tobytes()
        telephone = _Telephone()
        heard = decode_samples(telephone.hear(wave) + telephone.finish())
        loudest.append(float(np.abs(heard[1000:-1000]).max()))
    assert loudest[0] > 0.45
    assert loudest[1] < 0.01


def test_lines_are_kept_by_all_that_their_sound_depends_on() -> None:
    client = AsyncOpenAI(api_key="secret")
    options = [
        OpenAISpeech(MODEL),
        OpenAISpeech("tts-1"),
        OpenAISpeech(MODEL, "cedar"),
        OpenAISpeech(MODEL, instructions="Warm."),
    ]
    assert len({OpenAIVoice(client, each).name for each in options}) == 4
