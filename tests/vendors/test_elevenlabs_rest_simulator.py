"""The simulated ElevenLabs' REST stream, tried with the real SDK."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from elevenlabs import AsyncElevenLabs
from elevenlabs.core.api_error import ApiError

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.legible import text_of
from tests.virtual_time import run_virtual

SENTENCE = "We are open from nine to five on weekdays. "


def with_sdk(
    work: Callable[[ElevenLabsSimulator, AsyncElevenLabs], Awaitable[None]], **options: Any
) -> None:
    """Run ``work`` on virtual time with the SDK's client."""

    async def run() -> None:
        async with ElevenLabsSimulator(**options) as simulator, httpx.AsyncClient() as http:
            await work(
                simulator,
                AsyncElevenLabs(
                    api_key=simulator.key, base_url=simulator.url, httpx_client=http, timeout=3
                ),
            )
            assert simulator.requests_now == 0

    run_virtual(run())


async def _rest(client: AsyncElevenLabs, text: str = SENTENCE, **options: Any) -> list[bytes]:
    stream = client.text_to_speech.stream(
        voice_id="voice",
        text=text,
        output_format=options.pop("output_format", "ulaw_8000"),
        model_id=options.pop("model_id", "eleven_flash_v2_5"),
        request_options={"chunk_size": 160},
        **options,
    )
    return [part async for part in stream]


def test_the_sdk_streams_speech_over_rest() -> None:
    async def work(simulator: ElevenLabsSimulator, client: AsyncElevenLabs) -> None:
        audio = b"".join(await _rest(client, optimize_streaming_latency=1))
        assert text_of(audio) == SENTENCE
        assert len(audio) == len(SENTENCE) * 480
        assert simulator.entries("done")[0].detail["audio_ms"] == len(audio) // 8

    with_sdk(work)


def test_the_rest_stream_refuses_what_the_service_refuses() -> None:
    async def work(simulator: ElevenLabsSimulator, client: AsyncElevenLabs) -> None:
        for options, code in (
            ({"text": " "}, "input_text_empty"),
            ({"model_id": "eleven_v9"}, "model_not_found"),
            ({"output_format": "mp3_44100_128"}, "invalid_output_format"),
            ({"text": "x" * 40_001}, "max_character_limit_exceeded"),
            ({"model_id": "eleven_v3", "previous_text": "Hi."}, "unsupported_model"),
        ):
            with pytest.raises(ApiError) as refused:
                await _rest(client, **options)
            assert refused.value.status_code == 400
            assert refused.value.body["detail"]["status"] == code
        assert len(simulator.errors) == 5

    with_sdk(work)


@pytest.mark.parametrize("status", [401, 429, 500])
def test_the_rest_stream_fails_with_a_status(status: int) -> None:
    async def work(simulator: ElevenLabsSimulator, client: AsyncElevenLabs) -> None:
        simulator.faults.order("stream", Fault(Trouble.STATUS, status=status), times=1)
        with pytest.raises(ApiError) as refused:
            await _rest(client)
        assert refused.value.status_code == status
        assert refused.value.body["detail"]["status"]
        assert text_of(b"".join(await _rest(client))) == SENTENCE

    with_sdk(work)


@pytest.mark.parametrize(
    "trouble", [Trouble.RESET, Trouble.STALL_FIRST, Trouble.STALL_MID, Trouble.CUT]
)
def test_the_rest_stream_breaks(trouble: Trouble) -> None:
    async def work(simulator: ElevenLabsSimulator, client: AsyncElevenLabs) -> None:
        simulator.faults.order("stream", Fault(trouble), times=1)
        with pytest.raises(httpx.TransportError):
            await _rest(client, text="Yes. ")
        assert text_of(b"".join(await _rest(client))) == SENTENCE

    with_sdk(work)
