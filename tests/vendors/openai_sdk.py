"""How the simulated OpenAI is tried with the real SDK: what its test files share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import openai

from tests.simulators.vendors.base import Fault
from tests.simulators.vendors.openai import OpenAISimulator
from tests.virtual_time import run_virtual

MODEL = "gpt-5.4-mini"
ASKED: list[Any] = [{"role": "user", "content": "When are you open?"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "book", "parameters": {"type": "object", "properties": {}}},
}


def with_sdk(
    work: Callable[[OpenAISimulator, openai.AsyncOpenAI], Awaitable[None]],
    fault: tuple[str, Fault] | None = None,
    key: str = "",
    **options: Any,
) -> None:
    """Run ``work`` on virtual time with the SDK's client."""

    async def run() -> None:
        async with OpenAISimulator(**options) as simulator:
            if fault is not None:
                simulator.faults.order(*fault)
            url = simulator.url + "/v1"
            async with openai.AsyncOpenAI(
                api_key=key or simulator.key, base_url=url, max_retries=0, timeout=5
            ) as client:
                await work(simulator, client)
            await asyncio.sleep(0.1)
            assert simulator.open_sockets == 0
            assert not simulator.sent

    run_virtual(run())
