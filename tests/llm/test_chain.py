"""Several models behind one brain: hedges, failures, seams; on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from services.call.effects import Purpose, Speaker, Turn
from services.call.events import VendorEvent, VendorFailed, VendorStep
from services.llm import Brain, BrainEvent, EndCall, UseTool
from services.llm.chain import BrainChain
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.llm.race import Link
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import load_agent
from services.receptionist.prompt import Prompt
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from services.vendors.clients import openai_client
from tests.desks import OK, FakeDesk, message, wish
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai import OpenAISimulator
from tests.virtual_time import run_virtual

AGENT = load_agent(Path(__file__).parent.parent.parent / "agents" / "receptionist.toml")
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=AGENT.business.timezone)
GREETING = Turn(Speaker.AGENT, AGENT.line(Purpose.GREETING))
TURNS = (GREETING, Turn(Speaker.CALLER, "When are you open?"))
TAKEN = message("Hi", "Bob", "")

Step = float | BrainEvent | VendorError
"""Seconds of silence, an item, or a failure."""


class Fake:
    """Does the given steps, one list for each time it is asked; notes what it was asked."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        self._scripts = list(scripts)
        self.asked: list[str | None] = []
        """What had been said before, None for a fresh answer."""
        self.open = 0
        self.results: list[ToolResult | None] = []
        """What it was told of the tools that it used."""
        self.prepared: list[tuple[Turn, ...]] = []

    def prepare(self, turns: Sequence[Turn]) -> None:
        self.prepared.append(tuple(turns))

    def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        self.asked.append(None)
        return self._do(self._scripts.pop(0))

    def resume(self, reply: int, turns: Sequence[Turn], said: str) -> AsyncGenerator[BrainEvent]:
        self.asked.append(said)
        return self._do(self._scripts.pop(0))

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        return TAKEN

    async def _do(self, script: Sequence[Step]) -> AsyncGenerator[BrainEvent]:
        self.open += 1
        try:
            for step in script:
                if isinstance(step, float):
                    await asyncio.sleep(step)
                elif isinstance(step, VendorError):
                    raise step
                elif isinstance(step, UseTool):
                    use = UseTool(step.request)
                    yield use
                    self.results.append(use.result)
                else:
                    yield step
        finally:
            self.open -= 1


def now() -> float:
    return asyncio.get_running_loop().time()


def error(code: str = "500", *, at_once: bool = False) -> VendorError:
    return VendorError("openai", "stream", code, at_once=at_once)


class Chain:
    """A chain of fakes, and what became of it."""

    def __init__(self, *models: Fake, last: Brain | None = None, **options: Any) -> None:
        self.events: list[VendorEvent] = []
        self.models = models
        self.breakers = [Breaker(f"model {n}", now) for n in range(len(models))]
        reports = Reports()
        reports.attach(self.events.append)
        links = [Link(*pair) for pair in zip(models, self.breakers, strict=True)]
        self.desk = FakeDesk()
        self.last = last or Fake(["script"])
        self.brain = BrainChain(links, self.last, reports, **options)

    async def say(self) -> str:
        return text(await self.items())

    async def items(self) -> list[BrainEvent]:
        """The answer, whose tools are performed by the desk."""
        items: list[BrainEvent] = []
        async for item in self.brain.respond(1, TURNS):
            if isinstance(item, UseTool):
                item.result = await self.desk.do(item.request)
            items.append(item)
        return items

    @property
    def failures(self) -> list[str]:
        return [event.code for event in self.events if isinstance(event, VendorFailed)]

    @property
    def steps(self) -> list[str]:
        return [event.step for event in self.events if isinstance(event, VendorStep)]

    @property
    def open(self) -> int:
        return sum(model.open for model in self.models)


def text(items: Sequence[BrainEvent]) -> str:
    return "".join(item for item in items if isinstance(item, str))


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    def run() -> None:
        run_virtual(test())

    run.__name__ = test.__name__
    return run


# --- who answers ----------------------------------------------------------------------------------


@virtual
async def test_the_first_model_answers_and_nobody_else_is_asked() -> None:
    chain = Chain(Fake([1.1, "Hello ", 3.0, "there."]), Fake())
    assert await chain.say() == "Hello there."
    assert (chain.models[1].asked, chain.failures) == ([], [])


@virtual
async def test_only_the_model_that_will_be_asked_prepares_itself() -> None:
    chain = Chain(Fake(), Fake())
    chain.brain.prepare(TURNS)
    assert [model.prepared for model in chain.models] == [[tuple(TURNS)], []]
    chain.breakers[0].failed(VendorError("openai", "request", "refused", at_once=True))
    chain.brain.prepare(TURNS)
    assert [model.prepared for model in chain.models] == [[tuple(TURNS)], [tuple(TURNS)]]


@virtual
async def test_after_a_silence_a_hedge_is_asked_and_the_first_to_speak_wins() -> None:
    chain = Chain(Fake([60.0, "late"]), Fake([0.3, "Hello."]))
    assert await chain.say() == "Hello."
    assert now() == pytest.approx(1.5)
    assert chain.open == 0
    assert chain.failures == ["slow"]


@virtual
async def test_the_loser_is_cancelled_when_the_winner_begins_not_when_it_ends() -> None:
    chain = Chain(Fake([60.0]), Fake([0.3, "Hello ", 5.0, "there."]))
    async with aclosing(chain.brain.respond(1, TURNS)) as items:
        assert await anext(items) == "Hello "
        await asyncio.sleep(0)
        assert [model.open for model in chain.models] == [0, 1]


@virtual
async def test_the_first_model_may_win_after_the_hedge_began() -> None:
    chain = Chain(Fake([1.4, "Hello."]), Fake([0.3, "no"]))
    assert await chain.say() == "Hello."
    assert (chain.failures, chain.open) == ([], 0)


@virtual
async def test_a_model_without_a_second_is_its_own_hedge() -> None:
    chain = Chain(Fake([60.0], [0.2, "Hello."]))
    assert await chain.say() == "Hello."
    assert now() == pytest.approx(1.4)
    alone = Chain(Fake([2.0, "Hello."]), hedge_on_itself=False)
    assert await alone.say() == "Hello."
    assert alone.models[0].asked == [None]


@virtual
async def test_a_model_that_fails_is_followed_by_the_next_at_once() -> None:
    chain = Chain(Fake([0.1, error("429")]), Fake([0.2, "Hello."]))
    assert await chain.say() == "Hello."
    assert now() == pytest.approx(0.3)
    assert chain.failures == ["429"]


@virtual
async def test_without_a_second_a_lost_connection_is_tried_once_more() -> None:
    chain = Chain(Fake([error("connection lost")], ["Hello."]))
    assert await chain.say() == "Hello."
    hopeless = Chain(Fake([error("401", at_once=True)]))
    assert await hopeless.say() == "script"
    assert hopeless.models[0].asked == [None]


@virtual
async def test_when_all_fail_the_script_answers_and_each_failure_was_told_once() -> None:
    chain = Chain(Fake([error("a")], [error("c")]), Fake([error("b")], [error("d")]))
    assert await chain.say() == "script"
    assert chain.failures == ["a", "b", "c", "d"]
    assert chain.steps == ["answer"]


@virtual
async def test_a_model_that_gives_nothing_has_failed() -> None:
    chain = Chain(Fake([0.1]), Fake(["Hello."]))
    assert await chain.say() == "Hello."
    assert chain.failures == ["empty"]


@virtual
async def test_both_silent_for_good_the_script_answers() -> None:
    stalls = error("first byte timeout", at_once=True)
    chain = Chain(Fake([4.0, stalls]), Fake([4.0, stalls]))
    assert await chain.say() == "script"
    assert now() == pytest.approx(5.2)


@virtual
async def test_the_next_caller_does_not_wait_for_a_model_that_has_just_stalled() -> None:
    chain = Chain(Fake([60.0], [60.0], [60.0], ["back"]), Fake(*[[0.1, "Hello."]] * 4))
    for _ in range(3):
        assert await chain.say() == "Hello."
    began = now()
    assert await chain.say() == "Hello."
    assert now() - began == pytest.approx(0.1)
    await asyncio.sleep(10)
    assert await chain.say() == "back"
    assert not chain.breakers[0].is_open


# --- going on in the middle -----------------------------------------------------------------------


@virtual
async def test_an_answer_that_breaks_off_is_finished_by_the_other_model() -> None:
    first = Fake(["We are ", "open Mon", error("cut")])
    chain = Chain(first, Fake(["open Monday to ", "Friday."]))
    assert await chain.say() == "We are open Monday to Friday."
    assert chain.models[1].asked == ["We are open "]  # half a word is no word
    assert (chain.failures, chain.open) == (["cut"], 0)


@virtual
async def test_the_same_model_goes_on_if_it_is_the_only_one_and_may_be_asked() -> None:
    chain = Chain(Fake(["We are ", error("cut")], ["open."]))
    assert await chain.say() == "We are open."
    stalled = Chain(Fake(["We are ", error("stall", at_once=True)]))
    with pytest.raises(VendorError, match="stall"):
        await stalled.say()
    assert stalled.failures == ["stall"]


@virtual
async def test_a_last_word_that_ends_its_sentence_is_said() -> None:
    chain = Chain(Fake(["We are open.", error("cut")]), Fake(["We are open. Anything else?"]))
    assert await chain.say() == "We are open. Anything else?"
    assert chain.models[1].asked == ["We are open."]


@virtual
async def test_nothing_more_to_say_is_an_end_and_no_failure() -> None:
    for rest in ([], ["."], ["We are open."]):
        chain = Chain(Fake(["We are open. ", error("cut")]), Fake(rest))
        assert await chain.say() == "We are open. "
        assert chain.failures == ["cut"]


@virtual
async def test_nobody_can_go_on() -> None:
    chain = Chain(Fake(["We ", error("a")], [error("c")]), Fake(["are ", error("b")], [error("d")]))
    items: list[BrainEvent] = []
    with pytest.raises(VendorError):
        await _collect(chain, items)
    assert text(items) == "We are "
    assert chain.failures == ["a", "b", "c", "d"]
    assert chain.open == 0


@virtual
async def test_who_goes_on_has_little_time_and_gets_company_early() -> None:
    stall = error("stall", at_once=True)
    chain = Chain(Fake(["We ", stall]), Fake([60.0], [60.0]))
    with pytest.raises(VendorError, match="slow"):
        await chain.say()
    assert now() == pytest.approx(1.5)
    assert (chain.failures, chain.open) == (["stall", "slow"], 0)
    assert chain.models[1].asked == ["We ", "We "]


@virtual
async def test_who_goes_on_is_overtaken_by_its_hedge() -> None:
    stall = error("stall", at_once=True)
    chain = Chain(Fake(["We ", stall]), Fake([60.0]), Fake([0.2, "are."]))
    assert await chain.say() == "We are."
    assert now() == pytest.approx(0.8)


async def _collect(chain: Chain, items: list[BrainEvent]) -> None:
    async for item in chain.brain.respond(1, TURNS):
        items.append(item)


@virtual
async def test_what_was_done_is_not_done_again_by_the_model_that_follows() -> None:
    use, again = UseTool(TAKEN), UseTool(message("Hi there", "Bob", ""))
    second = Fake([again, "Thank ", "you.", EndCall()])
    chain = Chain(Fake([use, error("cut")]), second)
    assert [type(item) for item in await chain.items()] == [UseTool, str, str, EndCall]
    assert chain.desk.done == [TAKEN]
    assert second.results == [OK], "it is told what the first one was told"
    script = Chain(Fake([use, error("x", at_once=True)]), last=Fake([again, "Okay."]))
    assert text(await script.items()) == "Okay."
    assert script.desk.done == [TAKEN]


@virtual
async def test_but_what_changes_nothing_is_and_so_is_what_the_first_one_had_not_done() -> None:
    look, book = (UseTool(wish(tool)) for tool in (Tool.CHECK_AVAILABILITY, Tool.BOOK_APPOINTMENT))
    chain = Chain(Fake([look, error("cut")]), Fake([look, book, book, "Held."]))
    assert text(await chain.items()) == "Held."
    tools = [request.tool for request in chain.desk.asked]
    assert tools == [look.request.tool] * 2 + [book.request.tool] * 2


@virtual
async def test_a_tool_of_the_loser_is_not_used() -> None:
    chain = Chain(Fake([1.6, UseTool(TAKEN), "no"]), Fake([0.3, "Hello."]))
    assert await chain.say() == "Hello."
    assert chain.desk.asked == []


@virtual
async def test_a_tool_decides_the_race_and_slow_ones_are_waited_for() -> None:
    chain = Chain(Fake([1.6, "no"]), Fake([0.3, UseTool(TAKEN), "Thank you."]))
    chain.desk.takes_s = 5.0
    assert await chain.say() == "Thank you."
    assert now() == pytest.approx(1.2 + 0.3 + 5.0)
    assert chain.models[0].open == 0


# --- cancelling -----------------------------------------------------------------------------------


@virtual
async def test_an_interruption_leaves_nothing_open() -> None:
    for seconds in (0.5, 1.3, 1.8):  # one asked, two asked, one won
        chain = Chain(Fake([60.0]), Fake([0.3, "Hello ", 60.0]))
        task = asyncio.ensure_future(chain.say())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        assert chain.open == 0
        assert len(asyncio.all_tasks()) == 1


@virtual
async def test_an_interrupted_answer_is_no_failure() -> None:
    chain = Chain(Fake(["Hello ", 60.0]))
    async with aclosing(chain.brain.respond(1, TURNS)) as items:
        assert await anext(items) == "Hello "
    assert (chain.failures, chain.open) == ([], 0)
    assert chain.breakers[0].allows()


@virtual
async def test_what_is_unfinished_is_known_only_to_a_script_that_led_the_whole_call() -> None:
    chain = Chain(Fake([error("401", at_once=True)]))
    await chain.say()
    assert chain.brain.unfinished(TURNS) == TAKEN
    chain = Chain(Fake(["Hello."]))
    await chain.say()
    assert chain.brain.unfinished(TURNS) is None


# --- the real SDK against the simulator -----------------------------------------------------------

ANSWER = "We are open from Monday to Friday, from eight in the morning until five. Anything else?"
FAULTS = [
    Fault(Trouble.RESET),
    *(Fault(Trouble.STATUS, status) for status in (401, 403, 429, 500, 503)),
    *(Fault(trouble) for trouble in (Trouble.STALL_FIRST, Trouble.STALL_MID)),
    *(Fault(trouble) for trouble in (Trouble.MALFORMED, Trouble.CUT, Trouble.CLOSE)),
]


def whole_or_rest(messages: list[dict[str, Any]]) -> str:
    """Answers; asked to go on, repeats a few words, as models do."""
    if messages[-2]["role"] == "assistant" and "Go on exactly" in messages[-1]["content"]:
        begin = messages[-2]["content"].rstrip().rfind(" ", 0, -8) + 1
        return ANSWER[begin:]
    return ANSWER


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: f"{one.trouble.value} {one.status}")
@pytest.mark.parametrize("has_second", [True, False])
def test_whatever_happens_once_the_caller_gets_the_whole_answer(
    fault: Fault, has_second: bool
) -> None:
    """One request fails, the next ones are well: an answer in time, in full, nothing twice."""

    async def test() -> None:
        async with OpenAISimulator(answers=whole_or_rest) as simulator:
            simulator.faults.order("chat", fault, times=1)
            url = f"{simulator.url}/v1"
            async with openai_client(simulator.key, url) as client:
                reports, events = Reports(), []
                reports.attach(events.append)
                names = ["gpt-5.4-mini", "gpt-5.4"][: 1 + has_second]
                prompt = Prompt(AGENT)
                links = [
                    Link(
                        OpenAIBrain(
                            client, OpenAIOptions(name), prompt, lambda: NOW, reports=reports
                        ),
                        Breaker(name, now),
                    )
                    for name in names
                ]
                script = ScriptedBrain(AGENT, lambda: NOW, "")
                chain = BrainChain(links, script, reports)
                items, began = [], now()
                first_at = None
                stalls_alone = not has_second and fault.trouble is Trouble.STALL_MID
                try:
                    async for item in chain.respond(1, TURNS):
                        first_at = first_at or now() - began
                        items.append(item)
                    assert not stalls_alone
                except VendorError:
                    assert stalls_alone  # the shell apologises
                    assert ANSWER.startswith(text(items))
                refused = fault.status in {401, 403} and fault.trouble is Trouble.STATUS
                if not stalls_alone and not (refused and not has_second):
                    assert text(items) == ANSWER
                assert first_at is not None
                assert first_at < 1.6
                codes = [event.code for event in events if isinstance(event, VendorFailed)]
                assert len(codes) == 1
                await asyncio.sleep(0.1)
                assert not simulator.sent
            assert not simulator.errors

    run_virtual(test())
