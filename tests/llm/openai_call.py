"""A brain on a language model, for tests: the real SDK against the simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import openai
import orjson

from services.call.effects import Purpose, Speaker, Turn
from services.call.events import VendorStep
from services.llm import BrainEvent, UseTool
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.llm.tools import request
from services.receptionist.agent import load_agent
from services.receptionist.prompt import Prompt
from services.receptionist.tools import Tool, ToolRequest
from services.vendors import Reports
from services.vendors.clients import openai_client
from tests.desks import FakeDesk
from tests.simulators.vendors.openai import OpenAISimulator
from tests.virtual_time import run_virtual

AGENT = load_agent(Path(__file__).parent.parent.parent / "agents" / "receptionist.toml")
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=AGENT.business.timezone)
PROMPT = Prompt(AGENT)
MODEL = "gpt-5.4-mini"
GREETING = Turn(Speaker.AGENT, AGENT.line(Purpose.GREETING))
HOURS = (GREETING, Turn(Speaker.CALLER, "When are you open?"))
ANSWER = "We are open from eight to five. Anything else?"
MESSAGE = {
    "name": "Bob",
    "number": "555 867-5309",
    "message": "My crown came off.",
    "urgent": "no",
}
TAKEN = request(Tool.TAKE_MESSAGE, MESSAGE | {"number": "5558675309", "complete": "yes"}, 1)


class Call:
    """One brain on a simulator, and what it told."""

    def __init__(self, simulator: OpenAISimulator, client: openai.AsyncOpenAI, **options: Any):
        self.simulator = simulator
        self.steps: list[VendorStep] = []
        self.desk = FakeDesk()
        reports = Reports()
        reports.attach(self.steps.append)  # type: ignore[arg-type]
        self.brain = OpenAIBrain(
            client,
            OpenAIOptions(**{"model": MODEL, **options}),
            PROMPT,
            lambda: NOW,
            "+15551234567",
            reports,
            notes=lambda: self.desk.notes,
        )

    async def say(self, turns: Sequence[Turn] = HOURS) -> list[BrainEvent]:
        items: list[BrainEvent] = []
        await self.collect(items, turns)
        return items

    async def collect(self, items: list[BrainEvent], turns: Sequence[Turn] = HOURS) -> None:
        """The answer, whose tools are performed by the desk."""
        async for item in self.brain.respond(1, turns):
            if isinstance(item, UseTool):
                item.result = await self.desk.do(item.request)
            items.append(item)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [entry.detail["body"] for entry in self.simulator.entries("request")]


@asynccontextmanager
async def call(
    answers: Any = (ANSWER,), *, key: str = OpenAISimulator.usual_key, **options: Any
) -> Any:
    async with OpenAISimulator(answers=answers) as simulator:
        url = f"{simulator.url}/v1"
        async with openai_client(key, url) as client:
            yield Call(simulator, client, **options)
        assert not simulator.errors


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Any:
    """The test runs on a loop whose clock jumps."""

    def run(**arguments: Any) -> None:
        run_virtual(test(**arguments))

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


def uses(items: Sequence[BrainEvent]) -> list[ToolRequest]:
    """The tools that an answer uses."""
    return [item.request for item in items if isinstance(item, UseTool)]


def text(items: Sequence[BrainEvent]) -> str:
    return "".join(item for item in items if isinstance(item, str))


def now() -> float:
    return asyncio.get_running_loop().time()


async def all_of(items: AsyncIterator[BrainEvent]) -> list[BrainEvent]:
    return [item async for item in items]


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return orjson.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
