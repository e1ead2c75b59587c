"""The brain on a language model: answers, tools, cancelling; on virtual time."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import openai
import pytest

from services.call.effects import Speaker, Turn
from services.call.events import AfterReply
from services.llm import EndCall, UseTool
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.receptionist.tools import Tool, ToolResult
from services.vendors import VendorError
from tests.desks import FakeDesk
from tests.llm.openai_call import (
    AGENT,
    ANSWER,
    GREETING,
    HOURS,
    MESSAGE,
    MODEL,
    NOW,
    PROMPT,
    TAKEN,
    all_of,
    call,
    now,
    text,
    uses,
    virtual,
)
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai import ToolCall
from tests.virtual_time import run_virtual

# --- answers --------------------------------------------------------------------------------------


@virtual
async def test_the_answer_is_streamed_token_by_token() -> None:
    async with call() as one:
        began, at = now(), []
        async for item in one.brain.respond(1, HOURS):
            at.append((now() - began, item))
        assert text([item for _, item in at]) == ANSWER
        assert 0.24 < at[0][0] < 0.28
        assert at[-1][0] > at[0][0] + 0.1


@virtual
async def test_a_request_made_ahead_is_the_one_that_is_sent() -> None:
    async with call((ANSWER, ANSWER)) as one:
        one.brain.prepare(HOURS[:1])
        one.brain.prepare(HOURS)
        made = one.brain._requests.make
        one.brain._requests.make = lambda body: pytest.fail("made again")  # type: ignore
        assert text(await one.say()) == ANSWER
        one.brain._requests.make = made
        assert text(await one.say()) == ANSWER
        assert one.requests[0] == one.requests[1]


@virtual
async def test_a_request_made_ahead_for_other_turns_is_not_sent() -> None:
    async with call() as one:
        one.brain.prepare((*HOURS[:1], Turn(Speaker.CALLER, "When are")))
        assert text(await one.say()) == ANSWER
        assert [body["messages"][-1]["content"] for body in one.requests] == [HOURS[-1].text]


@virtual
async def test_preparing_with_a_key_that_cannot_be_sent_harms_nothing() -> None:
    async with call(key="test-key\n") as one:
        one.brain.prepare(HOURS)
        with pytest.raises(VendorError, match="bad key"):
            await one.say()


@virtual
async def test_each_step_and_the_bill_are_told() -> None:
    async with call() as one:
        await one.say()
        steps = [step.step for step in one.steps]
        prompt, completion = one.brain.usage.prompt, one.brain.usage.completion
        assert steps[:2] == [f"request {MODEL}", "first token"]
        assert set(steps[2:]) == {"done", f"usage {prompt}+{completion} tokens"}
        assert {(step.vendor, step.reply) for step in one.steps} == {("openai", 1)}
        assert prompt > 1000
        assert completion > 5
        await one.say()
        assert one.brain.usage.requests == 2
        assert one.brain.usage.prompt == 2 * prompt


@virtual
async def test_the_history_is_what_was_heard_in_turns() -> None:
    turns = [
        GREETING,
        Turn(Speaker.CALLER, "Hi."),
        Turn(Speaker.CALLER, "Are you open?"),
        Turn(Speaker.AGENT, "Yes, until"),
        Turn(Speaker.AGENT, "Are you still there?"),
        Turn(Speaker.CALLER, "Yes."),
    ]
    async with call() as one:
        await one.say(turns)
        system, *messages = one.requests[0]["messages"]
        assert system["role"] == "system"
        assert system["content"].startswith("You are Ava")
        assert "The caller's number is +15551234567." in system["content"]
        assert [message["role"] for message in messages] == ["user", "assistant"] * 2 + ["user"]
        assert [message["content"] for message in messages[1:]] == [
            GREETING.text,
            "Hi. Are you open?",
            "Yes, until Are you still there?",
            "Yes.",
        ]


@virtual
async def test_a_caller_who_said_nothing_is_answered_too() -> None:
    async with call() as one:
        assert text(await one.say([])) == ANSWER
        assert one.requests[0]["messages"][-1]["role"] == "user"


@virtual
async def test_a_request_holds_only_what_every_server_knows_and_what_was_wished_for() -> None:
    usual = {"model", "stream", "stream_options", "max_completion_tokens", "tools", "messages"}
    async with call() as one:
        await one.say()
        assert set(one.requests[0]) == usual
        assert one.requests[0]["stream_options"] == {"include_usage": True}
    wishes = {"reasoning_effort": "none", "temperature": 0.3, "prompt_cache_key": "ava"}
    async with call(**wishes, extra={"verbosity": "low"}) as one:
        await one.say()
        assert set(one.requests[0]) == usual | set(wishes) | {"verbosity"}


def test_padding_is_refused_where_it_is_known() -> None:
    client = openai.AsyncOpenAI(api_key="k")
    brain = OpenAIBrain(client, OpenAIOptions(MODEL), PROMPT, lambda: NOW)
    assert brain._fields["stream_options"]["include_obfuscation"] is False


@virtual
async def test_the_connection_is_used_again() -> None:
    async with call((ANSWER, ANSWER)) as one:
        await one.say()
        await one.say()
        assert one.simulator.connections == 1


# --- tools ----------------------------------------------------------------------------------------


@virtual
async def test_a_message_is_taken_and_the_text_about_it_comes_from_a_second_request() -> None:
    answers = (ToolCall("take_message", MESSAGE), "Thank you, Bob.")
    async with call(answers) as one:
        items = await one.say()
        assert uses(items) == [TAKEN]
        assert text(items) == "Thank you, Bob."
        asked, answered = one.requests[1]["messages"][-2:]
        assert asked["tool_calls"][0]["function"]["name"] == "take_message"
        assert answered["tool_call_id"] == asked["tool_calls"][0]["id"]
        assert answered["content"] == "Done."
        assert one.brain.usage.requests == 2


@virtual
async def test_texts_of_two_rounds_do_not_run_together() -> None:
    answers = (["One moment.", ToolCall("take_message", MESSAGE)], "It is stored.")
    async with call(answers) as one:
        assert text(await one.say()) == "One moment. It is stored."


@virtual
async def test_what_is_said_before_a_tool_is_whole_while_the_tools_answer_is_awaited() -> None:
    answers = (["One moment.", ToolCall("take_message", MESSAGE)], "It is stored.")
    async with call(answers) as one:
        at = [(item, now()) async for item in one.brain.respond(1, HOURS)]
        kinds = [type(item) for item, _ in at if item == " " or isinstance(item, UseTool)]
        stored = next(time for item, time in at if str(item).startswith("It"))
        assert kinds == [str, UseTool]
        assert at[2][1] < stored - 0.2


@virtual
async def test_amid_an_answer_silence_is_given_up_earlier() -> None:
    answers = (["One moment.", ToolCall("take_message", MESSAGE)], "It is stored.")
    async with call(answers) as one, aclosing(one.brain.respond(1, HOURS)) as items:
        assert await anext(items) == "One"
        one.simulator.faults.order("chat", Fault(Trouble.STALL_FIRST))
        began = now()
        with pytest.raises(VendorError, match="first byte timeout"):
            await asyncio.wait_for(all_of(items), 10)
        assert 2 < now() - began < 2.5


@virtual
async def test_what_was_done_before_an_interruption_is_told_and_has_the_same_key() -> None:
    answers = (ToolCall("take_message", MESSAGE),) * 2 + ("I have it.",)
    async with call(answers) as one:
        async with aclosing(one.brain.respond(1, HOURS)) as items:
            use = await anext(items)
            use.result = await one.desk.do(use.request)
            reading = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0.1)
            reading.cancel()
            await asyncio.wait({reading})
        one.simulator.model._given = 1
        again = await one.say()
        assert text(again) == "I have it."
        assert [wish.key for wish in uses(again)] == [use.request.key]
        assert one.desk.done == [TAKEN]
        assert "You have used take_message." in one.requests[-2]["messages"][0]["content"]


@virtual
async def test_tools_follow_one_another_until_there_is_something_to_say() -> None:
    look = ToolCall("check_availability", {"service": "A check-up", "when": "tomorrow"})
    book = {"service": "A check-up", "when": "tomorrow at nine", "name": "Bob", "number": ""}
    answers = (ToolCall("find_appointments", {"name": "Bob", "number": ""}), look)
    answers += (ToolCall("book_appointment", book), "Tomorrow at nine, is that right?")
    async with call(answers) as one:
        items = await one.say()
        wanted = [Tool.FIND_APPOINTMENTS, Tool.CHECK_AVAILABILITY, Tool.BOOK_APPOINTMENT]
        assert [wish.tool for wish in uses(items)] == wanted
        assert dict(uses(items)[-1].arguments) == book
        assert {wish.turn for wish in uses(items)} == {1}
        assert text(items) == "Tomorrow at nine, is that right?"


@virtual
async def test_a_caller_who_is_let_go_is_not_talked_to_any_more() -> None:
    put = ToolCall("transfer_call", {"person": "Maria", "reason": "", "urgency": "", "name": ""})
    async with call((["One moment.", put], "Never asked for.")) as one:
        transfers = ToolResult("ok", "Say so.", then=AfterReply.TRANSFER)
        one.desk = FakeDesk(results={Tool.TRANSFER_CALL: transfers})
        items = await one.say()
        assert text(items) == "One moment. "
        assert uses(items)[0].arguments["urgency"] == "normal"
        assert len(one.requests) == 1


@virtual
async def test_a_call_does_not_end_with_something_left_undone() -> None:
    both = ["Bye!", ToolCall("take_message", MESSAGE), ToolCall("end_call")]
    async with call((both, "That did not work, I am sorry.")) as one:
        one.desk = FakeDesk(results={Tool.TAKE_MESSAGE: ToolResult("failed", "It went wrong.")})
        items = await one.say()
        assert EndCall() not in items
        told = [message["content"] for message in one.requests[1]["messages"][-2:]]
        assert told[0] == "It went wrong."
        assert "Not yet" in told[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"name": "Bob", "mess', "no valid JSON"),
        ('["Bob"]', "must be a JSON object"),
        ({"name": "Bob", "number": "", "message": " "}, '"message" is missing'),
        ({"name": "Bob", "number": "soon", "message": "Hi"}, '"number" must be digits'),
        ({"message": "Hi", "urgent": "very"}, '"urgent" must be one of yes, no'),
    ],
)
def test_wrong_arguments_are_explained_and_put_right(arguments: Any, told: str) -> None:
    async def test() -> None:
        wrong = ToolCall("take_message", arguments)
        async with call((wrong, ToolCall("take_message", MESSAGE), "Done.")) as one:
            items = await one.say()
            assert uses(items) == [TAKEN]
            assert text(items) == "Done."
            assert told in one.requests[1]["messages"][-1]["content"]

    run_virtual(test())


@virtual
async def test_a_model_that_learns_nothing_is_given_up() -> None:
    async with call((ToolCall("fly"),) * 9) as one:
        with pytest.raises(VendorError, match="empty"):
            await one.say()
        assert len(one.requests) == 5


@virtual
async def test_the_end_of_the_call_has_the_models_goodbye_or_else_the_agents() -> None:
    async with call((["Bye, Bob!", ToolCall("end_call")],)) as one:
        items = await one.say()
        assert text(items) == "Bye, Bob!"
        assert items[-1] == EndCall()
    async with call((ToolCall("end_call", "{}"),)) as one:
        assert await one.say() == [AGENT.goodbye, EndCall()]
        assert len(one.requests) == 1


@virtual
async def test_a_message_and_the_end_of_the_call_in_one_answer() -> None:
    both = ["Thanks, bye!", ToolCall("take_message", MESSAGE), ToolCall("end_call")]
    async with call((both,)) as one:
        items = await one.say()
        assert (uses(items), items[-1]) == ([TAKEN], EndCall())
    broken = [ToolCall("take_message", "{"), ToolCall("end_call")]
    async with call((broken, ToolCall("take_message", MESSAGE), "Bye.")) as one:
        items = await one.say()
        assert uses(items) == [TAKEN]
        assert EndCall() not in items
        assert [m["role"] for m in one.requests[1]["messages"][-3:]] == [
            "assistant",
            "tool",
            "tool",
        ]


# --- going on where another one broke off ---------------------------------------------------------


@virtual
async def test_it_goes_on_after_what_was_said() -> None:
    async with call(("to Friday.",)) as one:
        items = [item async for item in one.brain.resume(1, HOURS, "We are open Monday ")]
        assert text(items) == "to Friday."
        said, wish = one.requests[0]["messages"][-2:]
        assert said == {"role": "assistant", "content": "We are open Monday "}
        assert "Repeat nothing" in wish["content"]


# --- cancelling -----------------------------------------------------------------------------------


@virtual
async def test_cancelling_closes_the_stream_at_once() -> None:
    for seconds in (0.1, 0.3):  # before the first token, and after it
        async with call() as one:
            task = asyncio.ensure_future(one.say())
            await asyncio.sleep(seconds)
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled()
            cancelled_at = now()
            await asyncio.sleep(0.2)
            gone = one.simulator.entries("disconnected")
            assert [entry.at - cancelled_at < 0.06 for entry in gone] == [True]


@virtual
async def test_closing_the_generator_closes_the_stream_at_once() -> None:
    async with call() as one:
        async with aclosing(one.brain.respond(1, HOURS)) as items:
            await anext(items)
        closed_at = now()
        await asyncio.sleep(0.2)
        gone = one.simulator.entries("disconnected")
        assert [entry.at - closed_at < 0.06 for entry in gone] == [True]
