"""Each simulated vendor has a key of its own, and tells when it is given another's."""

from __future__ import annotations

import itertools

import httpx
import pytest

from tests.simulators.vendors.base import Simulator
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.openai import OpenAISimulator
from tests.virtual_time import run_virtual

DOORS: dict[type[Simulator], tuple[tuple[str, str, str, str], ...]] = {
    DeepgramSimulator: (
        ("POST", "/v1/listen", "Authorization", "Token "),
        ("GET", "/v1/listen", "Authorization", "Token "),
        ("GET", "/v2/listen", "Authorization", "Token "),
    ),
    OpenAISimulator: tuple(
        (method, f"/v1/{path}", "Authorization", "Bearer ")
        for method, path in [
            ("GET", "models"),
            ("POST", "chat/completions"),
            ("POST", "responses"),
            ("GET", "responses"),
            ("POST", "audio/speech"),
            ("POST", "audio/transcriptions"),
        ]
    ),
    ElevenLabsSimulator: tuple(
        (method, f"/v1/text-to-speech/voice/{path}", "xi-api-key", "")
        for method, path in [
            ("POST", "stream"),
            ("GET", "stream-input"),
            ("GET", "multi-stream-input"),
        ]
    ),
}
"""The method, path and header of each endpoint, and what stands before the key."""


@pytest.mark.parametrize(
    ("vendor", "other"),
    list(itertools.permutations(DOORS, 2)),
    ids=lambda kind: kind.__name__,
)
def test_the_key_of_another_vendor_opens_no_door_and_is_told(
    vendor: type[Simulator], other: type[Simulator]
) -> None:
    async def main() -> None:
        async with vendor() as simulator, httpx.AsyncClient(trust_env=False) as client:
            for method, path, header, before in DOORS[vendor]:
                simulator.errors.clear()
                response = await client.request(
                    method, simulator.url + path, headers={header: before + other.usual_key}
                )
                assert response.status_code == 401
                assert f"got the key of {other.__name__}" in simulator.errors

    run_virtual(main())


@pytest.mark.parametrize("vendor", DOORS, ids=lambda kind: kind.__name__)
def test_the_vendors_own_key_opens_each_door(vendor: type[Simulator]) -> None:
    async def main() -> None:
        async with vendor() as simulator, httpx.AsyncClient(trust_env=False) as client:
            for method, path, header, before in DOORS[vendor]:
                response = await client.request(
                    method, simulator.url + path, headers={header: before + simulator.key}
                )
                assert response.status_code != 401  # what it asks for is wrong, but not who asks
            assert not [error for error in simulator.errors if "key" in error]

    run_virtual(main())
