"""The simulated OpenAI, tried with the real SDK: speech and transcription."""

from __future__ import annotations

import asyncio
import io
import wave
from typing import Any

import httpx2
import openai
import pytest

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.legible import tones
from tests.simulators.vendors.openai import OpenAISimulator
from tests.vendors.openai_sdk import with_sdk


def test_speech_is_pcm_that_can_be_read_back() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        begin = asyncio.get_running_loop().time()
        async with client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", voice="marin", input="We are open.", response_format="pcm"
        ) as answer:
            pcm = b"".join([part async for part in answer.iter_bytes(960)])
        assert simulator.entries("first audio")[0].at - begin == pytest.approx(0.12, abs=0.02)
        assert len(pcm) == len("We are open.") * 60 * 48
        assert pcm == tones("We are open.")
        with pytest.raises(openai.BadRequestError):
            await client.audio.speech.create(model="tts-1", voice="marin", input="Hi")
        with pytest.raises(openai.BadRequestError):
            await client.audio.speech.create(
                model="tts-1", voice="marin", input="x" * 4097, response_format="pcm"
            )

    with_sdk(work)


@pytest.mark.parametrize("trouble", [Trouble.STALL_MID, Trouble.CUT])
def test_speech_breaks_in_the_middle(trouble: Trouble) -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        got: list[bytes] = []

        async def speak() -> None:
            async with client.audio.speech.with_streaming_response.create(
                model="tts-1", voice="marin", input="Yes.", response_format="pcm"
            ) as answer:
                async for part in answer.iter_bytes():
                    got.append(part)

        with pytest.raises(httpx2.TransportError):  # the SDK lets it out as it is
            await speak()
        assert 0 < len(b"".join(got)) < len("Yes.") * 60 * 48

    with_sdk(work, fault=("speech", Fault(trouble)))


def _wav(seconds: float = 0.5) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(int(seconds * 16000)))
    return file.getvalue()


def test_transcription_takes_a_wav_file_whole_or_streamed() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        heard = await client.audio.transcriptions.create(
            model="gpt-transcribe",
            file=("turn.wav", _wav()),
            extra_body={"keywords": ["Zoë"]},
        )
        assert heard.text == "Hello there."
        assert simulator.entries("request")[0].detail["seconds"] == 0.5
        stream = await client.audio.transcriptions.create(
            model="gpt-4o-mini-transcribe", file=("turn.wav", _wav()), stream=True
        )
        events: list[Any] = [event async for event in stream]
        assert [event.type for event in events][-2:] == [
            "transcript.text.delta",
            "transcript.text.done",
        ]
        assert events[-1].text == "Good bye."
        assert simulator.errors == []

    with_sdk(work, transcripts=["Hello there.", "Good bye."])


@pytest.mark.parametrize(
    "changed",
    [
        {"file": ("turn.ulaw", b"\xff" * 8000)},
        {"file": ("turn.wav", b"\xff" * 8000)},
        {"file": ("turn.wav", _wav(0.05))},
        {"model": "gpt-4o-transcribe", "response_format": "verbose_json"},
        {"model": "whisper-1", "extra_body": {"keywords": ["x"]}},
        {"extra_body": {"vad": "on"}},
    ],
)
def test_transcription_refuses_what_the_service_refuses(changed: dict[str, Any]) -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        wanted: dict[str, Any] = {"model": "gpt-transcribe", "file": ("turn.wav", _wav())}
        with pytest.raises(openai.BadRequestError):
            await client.audio.transcriptions.create(**wanted | changed)
        assert len(simulator.errors) == 1

    with_sdk(work)
