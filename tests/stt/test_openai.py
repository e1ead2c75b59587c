"""OpenAI's transcription through its real SDK, against the simulator."""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI

from services.audio.mulaw import encode_pcm
from services.audio.wav import wav
from services.stt.openai import OpenAITranscription, OpenAIWords
from services.stt.utterances import UtteranceTranscriber
from services.stt.words import FirstWords, Way
from services.vendors import Reports, VendorError
from services.vendors.clients import openai_client
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai import OpenAISimulator
from tests.stt.caller import (
    BAD_KEYS,
    PIECES,
    check_trouble,
    fault_id,
    hears,
    on_the_line,
    tone,
)
from tests.stt.chained import Second
from tests.stt.live import new_breaker
from tests.virtual_time import run_virtual

# The simulator's web server leaves an upload's temporary file to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:.*:pytest.PytestUnraisableExceptionWarning")


def heard(file: bytes) -> str:
    """The words in a WAV file."""
    with wave.open(io.BytesIO(file)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 8000)
        return hears(encode_pcm(sound.readframes(sound.getnframes())))


@asynccontextmanager
async def openai_at(simulator: OpenAISimulator, key: str = "") -> AsyncIterator[AsyncOpenAI]:
    async with openai_client(key or simulator.key, f"{simulator.url}/v1") as client:
        yield client.with_options(timeout=2)


def simulated(**options: Any) -> OpenAISimulator:
    return OpenAISimulator(transcripts=heard, **options)


def test_the_turn_is_sent_as_one_wav_file() -> None:
    async def main() -> None:
        async with simulated() as simulator, openai_at(simulator) as client:
            options = OpenAITranscription(language="en-US", keywords=("Hibari", "Anna"))
            assert await OpenAIWords(client, options).words(PIECES) == "one two"
            request = simulator.entries("request")[0].detail
            assert request["model"] == "gpt-transcribe"
            assert request["language"] == "en"
            assert request["seconds"] == pytest.approx(0.4)
            assert "keywords" in request
            assert simulator.errors == []

    run_virtual(main())


def test_any_language_and_older_models_are_asked_for_without_what_they_do_not_know() -> None:
    async def main() -> None:
        async with simulated() as simulator, openai_at(simulator) as client:
            options = OpenAITranscription("gpt-4o-mini-transcribe", "multi", ("Hibari",))
            assert await OpenAIWords(client, options).words(PIECES) == "one two"
            request = simulator.entries("request")[0].detail
            assert "language" not in request
            assert "keywords" not in request
            assert simulator.errors == []

    run_virtual(main())


def test_the_wav_file_is_well_formed() -> None:
    with wave.open(io.BytesIO(wav(tone("one")))) as sound:
        assert sound.getnframes() == 160
        assert encode_pcm(sound.readframes(160)) == tone("one")


@pytest.mark.parametrize(
    ("fault", "code", "at_once"),
    [
        (Fault(Trouble.STATUS, 401), "invalid_api_key", True),
        (Fault(Trouble.STATUS, 429), "rate_limit_exceeded", False),
        (Fault(Trouble.STATUS, 500), "500", False),
        (Fault(Trouble.RESET), "connection lost", False),
        (Fault(Trouble.CUT), "connection lost", False),
        (Fault(Trouble.STALL_FIRST), "timeout", True),
        (Fault(Trouble.STALL_MID), "timeout", True),
        (Fault(Trouble.MALFORMED), "malformed", False),
    ],
    ids=fault_id,
)
def test_each_trouble_has_its_code_and_is_not_tried_again(
    fault: Fault, code: str, at_once: bool
) -> None:
    async def main() -> None:
        async with simulated() as simulator, openai_at(simulator) as client:
            simulator.faults.order("transcriptions", fault, times=1)
            words = OpenAIWords(client, OpenAITranscription())
            await check_trouble(words, code, at_once=at_once)

    run_virtual(main())


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_no_header_can_hold_is_not_sent(key: str) -> None:
    async def main() -> None:
        async with simulated() as simulator, openai_at(simulator, key) as client:
            words = OpenAIWords(client, OpenAITranscription())
            with pytest.raises(VendorError, match="openai: transcribe: bad key") as failed:
                await words.words(PIECES)
            assert failed.value.at_once
            assert simulator.connections == 0

    run_virtual(main())


def test_as_first_recogniser_it_hears_whole_turns_and_another_carries_on_if_it_fails() -> None:
    async def main() -> None:
        async with simulated() as simulator, openai_at(simulator) as client:
            reports = Reports()
            openai = OpenAIWords(client, OpenAITranscription())
            ways = [
                Way(openai, new_breaker("openai"), deadline_s=1.2, patience_s=1.2),
                Way(Second("moonshine", idle=True), new_breaker("moonshine")),
            ]
            transcriber = UtteranceTranscriber(FirstWords(ways, reports))
            async with on_the_line(transcriber, reports) as caller:
                await caller.say("one", "two", pause_ms=700)
                await caller.say("three", pause_ms=700)
                assert caller.finals == [(1, 1, "one two"), (1, 2, "one two three")]
                assert caller.answered_in(1) < 0.35
                caller.commit()
                simulator.faults.order("transcriptions", Fault(Trouble.STALL_FIRST))
                await caller.say("four", pause_ms=1800)
                assert caller.commit() == "four"
                assert caller.answered_in(3) < 1.5
                await caller.say("five")
                assert caller.commit() == "five"
                assert caller.answered_in(4) < 0.2  # the breaker knows
                assert caller.failures == [("openai", "transcribe", "timeout")]
                assert caller.interims == []
            assert simulator.errors == []

    run_virtual(main())
