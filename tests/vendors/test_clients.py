"""The vendors' HTTP clients: one for each place and key, kept warm, and what that finds out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from services.vendors import VendorError
from services.vendors.clients import KEEP_ALIVE_S, WARM_AGAIN_S, WARM_EVERY_S, Clients, Warmth
from tests.server import free_port
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.openai import OpenAISimulator
from tests.virtual_time import run_virtual

ASKED: dict[str, Any] = {
    "model": "gpt-5.4-mini",
    "messages": [{"role": "user", "content": "When are you open?"}],
}
PAUSE_S = 70.0
"""Between two turns of a patient caller; the simulators keep their connections for 75 s."""


@contextmanager
def pools_on_the_loops_clock() -> Iterator[None]:
    """How long a connection was idle is measured on the loop's own clock, too."""
    clock = asyncio.get_running_loop().time
    with (
        patch("aiohttp.connector.monotonic", clock),
        patch("httpcore._async.http11.time", SimpleNamespace(monotonic=clock)),
    ):
        yield


@asynccontextmanager
async def clients() -> AsyncIterator[Clients]:
    made = Clients()
    try:
        yield made
    finally:
        await made.close()


def with_openai(
    work: Callable[[OpenAISimulator, Clients], Awaitable[None]], **options: Any
) -> None:
    """Run ``work`` on virtual time with a vendor and the clients of a process."""

    async def run() -> None:
        with pools_on_the_loops_clock():
            async with OpenAISimulator(**options) as vendor, clients() as made:
                await work(vendor, made)

    run_virtual(run())


# --- one client, one connection -------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/v1"])
def test_a_place_without_a_path_is_taken_as_the_one_at_v1(path: str) -> None:
    async def work(vendor: OpenAISimulator, made: Clients) -> None:
        client = made.openai(vendor.key, vendor.url + path)
        await client.chat.completions.create(**ASKED)
        assert vendor.errors == []
        assert str(client.base_url) == f"{vendor.url}/v1/"

    with_openai(work)


def test_another_path_is_left_as_it_is() -> None:
    async def run() -> None:
        async with clients() as made:
            client = made.openai("key", "http://127.0.0.1:1/openai/v2")
            assert str(client.base_url) == "http://127.0.0.1:1/openai/v2/"

    run_virtual(run())


def test_all_calls_share_a_client_but_not_with_another_key_or_place() -> None:
    async def run() -> None:
        async with clients() as made:
            first = made.openai("key", "http://127.0.0.1:1")
            assert made.openai("key", "http://127.0.0.1:1") is first
            assert made.openai("other", "http://127.0.0.1:1") is not first
            assert made.openai("key", "http://127.0.0.1:2") is not first
            voice = made.elevenlabs("key", "http://127.0.0.1:1")
            assert made.elevenlabs("key", "http://127.0.0.1:1") is voice
            assert made.elevenlabs("other", "http://127.0.0.1:1") is not voice

    run_virtual(run())


def test_after_a_long_pause_the_next_turn_finds_its_connection_open() -> None:
    async def work(vendor: OpenAISimulator, made: Clients) -> None:
        client = made.openai(vendor.key, vendor.url)
        for _ in range(3):
            await client.chat.completions.create(**ASKED)
            await asyncio.sleep(PAUSE_S)
        assert vendor.connections == 1
        await asyncio.sleep(KEEP_ALIVE_S)
        await client.chat.completions.create(**ASKED)
        assert vendor.connections == 2

    with_openai(work)


def test_the_voices_connection_is_open_after_a_long_pause_too() -> None:
    async def run() -> None:
        with pools_on_the_loops_clock():
            async with ElevenLabsSimulator() as vendor, clients() as made:
                client = made.elevenlabs(vendor.key, vendor.url)
                for _ in range(3):
                    speech = client.text_to_speech.stream(
                        voice_id="sarah",
                        text="We are open.",
                        model_id="eleven_flash_v2_5",
                        output_format="ulaw_8000",
                    )
                    assert b"".join([part async for part in speech])
                    await asyncio.sleep(PAUSE_S)
                assert vendor.connections == 1
                assert vendor.errors == []

    run_virtual(run())


def test_a_warm_connection_is_the_one_that_the_first_turn_takes() -> None:
    async def work(vendor: OpenAISimulator, made: Clients) -> None:
        client = made.openai(vendor.key, vendor.url)
        assert await made.warm() == []
        await asyncio.sleep(30)
        await client.chat.completions.create(**ASKED)
        assert vendor.connections == 1

    with_openai(work)


def test_after_the_end_nothing_is_open() -> None:
    async def run() -> None:
        async with OpenAISimulator() as vendor, ElevenLabsSimulator() as voice:
            before = asyncio.all_tasks()
            made = Clients()
            client, speaker = made.openai(vendor.key, vendor.url), made.elevenlabs("key", voice.url)
            await made.warm()
            await made.close()
            await asyncio.sleep(0.1)
            assert client.is_closed()
            assert speaker._client_wrapper.httpx_client.httpx_client.is_closed
            assert asyncio.all_tasks() == before

    run_virtual(run())


# --- what warming finds out -----------------------------------------------------------------------


def told(problems: list[VendorError]) -> list[tuple[str, bool]]:
    return [(str(problem), problem.at_once) for problem in problems]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (None, []),
        (Fault(Trouble.STATUS, 404), []),  # not every server lists its models
        (Fault(Trouble.STATUS, 500), []),
        (Fault(Trouble.STATUS, 429), []),
        (Fault(Trouble.MALFORMED), []),  # nobody reads what there is
        (Fault(Trouble.STATUS, 401), [("openai: warm: 401", True)]),
        (Fault(Trouble.STATUS, 403), [("openai: warm: 403", True)]),
        (Fault(Trouble.RESET), [("openai: warm: unreachable", True)]),
        (Fault(Trouble.STALL_FIRST), [("openai: warm: unreachable", True)]),
        (Fault(Trouble.STALL_MID), [("openai: warm: unreachable", True)]),
        (Fault(Trouble.CUT), [("openai: warm: unreachable", True)]),
    ],
    ids=lambda value: f"{value.trouble.value} {value.status}" if isinstance(value, Fault) else None,
)
def test_warming_tells_what_a_call_would_run_into_and_no_more(
    fault: Fault | None, expected: list[tuple[str, bool]]
) -> None:
    async def work(vendor: OpenAISimulator, made: Clients) -> None:
        if fault:
            vendor.faults.order("models", fault)
        made.openai(vendor.key, vendor.url)
        begun = asyncio.get_running_loop().time()
        assert told(await made.warm()) == expected
        assert asyncio.get_running_loop().time() - begun <= 3.0

    with_openai(work)


def test_a_refused_key_and_a_place_where_nobody_is_are_both_told() -> None:
    async def work(vendor: OpenAISimulator, made: Clients) -> None:
        made.openai("another key", vendor.url)
        made.openai(vendor.key, f"http://127.0.0.1:{free_port()}")
        made.openai(vendor.key, vendor.url)
        problems = await made.warm()
        assert [problem.code for problem in problems] == ["401", "unreachable"]
        assert "another key" not in "".join(map(str, problems))

    with_openai(work)


def test_a_key_that_no_header_can_hold_is_told_and_stops_nothing() -> None:
    async def work(vendor: OpenAISimulator, made: Clients) -> None:
        made.openai("sk\u2013a key out of a word processor", vendor.url)
        (problem,) = await made.warm()
        assert "word processor" not in str(problem)

    with_openai(work)


# --- warmth ---------------------------------------------------------------------------------------


class Counting(Clients):
    """Takes a second to warm, and notes when it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.warmed_at: list[float] = []

    async def warm(self) -> list[VendorError]:
        self.warmed_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(1.0)
        return []


def warmed(wants: dict[float, int], until: float) -> list[float]:
    """When a process warms its clients that is asked to so often at these times."""

    async def run() -> list[float]:
        counting = Counting()
        warmth = Warmth(counting)
        running = asyncio.create_task(warmth.run())
        for at, times in wants.items():
            for _ in range(times):
                asyncio.get_running_loop().call_at(at, warmth.want)
        await asyncio.sleep(until)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return counting.warmed_at

    times: list[float] = run_virtual(run())
    return times


def test_the_clients_are_kept_warm_all_the_time() -> None:
    pause = WARM_EVERY_S + 1 + WARM_AGAIN_S  # a warming takes a second
    assert warmed({}, 200) == [WARM_EVERY_S, WARM_EVERY_S + pause, WARM_EVERY_S + 2 * pause]


def test_many_wants_at_a_time_are_one_and_those_during_a_warming_are_one_more() -> None:
    assert warmed({5: 100}, 30) == [5]
    assert warmed({5: 1, 5.2: 50, 5.4: 50}, 30) == [5, 6 + WARM_AGAIN_S]
