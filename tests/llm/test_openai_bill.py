"""What an answer has cost is told with its reply; where the server cannot tell, about how much."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing

import pytest

from services.call.events import VendorStep
from services.vendors import VendorError
from tests.llm.openai_call import ANSWER, HOURS, Call, call, virtual
from tests.simulators.vendors.base import Fault, Trouble


def bills(one: Call) -> list[VendorStep]:
    """The steps that have cost something; no other names tokens."""
    found = [step for step in one.steps if step.tokens]
    assert found == [step for step in one.steps if step.step.startswith("usage")]
    return found


def numbers(bill: VendorStep) -> tuple[int, int]:
    """Prompt and answer, where they are an estimate."""
    match = re.fullmatch(r"usage about (\d+)\+(\d+) tokens", bill.step)
    assert match
    prompt, answer = map(int, match.groups())
    assert bill.tokens == prompt + answer
    assert bill.reply == 1
    return prompt, answer


@virtual
async def test_the_bill_of_a_whole_answer_is_the_servers() -> None:
    async with call() as one:
        await one.say()
        (bill,) = bills(one)
        usage = one.brain.usage
        assert bill.step == f"usage {usage.prompt}+{usage.completion} tokens"
        assert (bill.tokens, bill.reply) == (usage.prompt + usage.completion, 1)


@virtual
async def test_a_stream_that_was_cut_off_costs_its_prompt_and_what_had_come() -> None:
    async with call((ANSWER, ANSWER)) as one:
        await one.say()
        exact = one.brain.usage.prompt
        one.steps.clear()
        async with aclosing(one.brain.respond(1, HOURS)) as items:
            said = [await anext(items) for _ in range(4)]
        (bill,) = bills(one)
        prompt, answer = numbers(bill)
        assert 0.8 < prompt / exact < 1.3
        assert answer == -(-len("".join(map(str, said))) // 4)
        assert one.brain.usage.requests == 2
        assert one.brain.usage.prompt == exact  # only what the server has told


@virtual
async def test_a_request_that_was_cut_off_before_its_answer_costs_its_prompt() -> None:
    async with call() as one:
        task = asyncio.ensure_future(one.say())
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait({task})
        (bill,) = bills(one)
        prompt, answer = numbers(bill)
        assert prompt > 1000
        assert answer == 0


@virtual
async def test_a_stream_that_breaks_costs_something_too() -> None:
    async with call() as one:
        one.simulator.faults.order("chat", Fault(Trouble.CUT))
        with pytest.raises(VendorError):
            await one.say()
        (bill,) = bills(one)
        assert numbers(bill)[1] > 0


@virtual
async def test_a_request_that_was_refused_costs_nothing() -> None:
    async with call() as one:
        one.simulator.faults.order("chat", Fault(Trouble.STATUS, status=500))
        with pytest.raises(VendorError):
            await one.say()
        assert bills(one) == []
        assert one.brain.usage.requests == 1
