"""The brain on a language model: the real SDK against the simulator, on virtual time; then the
pure parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import openai
import orjson
import pytest

from services.call.effects import Purpose, Speaker, Turn
from services.call.events import VendorStep
from services.llm import BrainEvent, EndCall, TakeMessage
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.llm.openai_stream import Completion, Events, StreamError, Usage
from services.llm.openai_stream import ToolCall as StreamedCall
from services.llm.tools import TOOLS, CallNotes, Mistake, read_call
from services.receptionist.agent import load_agent
from services.receptionist.prompt import Prompt
from services.vendors import Reports, VendorError
from services.vendors.clients import openai_client
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai import OpenAISimulator, ToolCall
from tests.virtual_time import run_virtual

AGENT = load_agent(Path(__file__).parent.parent.parent / "agents" / "receptionist.toml")
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=AGENT.business.timezone)
PROMPT = Prompt(AGENT)
MODEL = "gpt-5.4-mini"
GREETING = Turn(Speaker.AGENT, AGENT.line(Purpose.GREETING))
HOURS = (GREETING, Turn(Speaker.CALLER, "When are you open?"))
ANSWER = "We are open from eight to five. Anything else?"
MESSAGE = {"name": "Bob", "number": "555 867-5309", "message": "My crown came off."}
TAKEN = TakeMessage("Bob", "5558675309", "My crown came off.")


class Call:
    """One brain on a simulator, and what it told."""

    def __init__(self, simulator: OpenAISimulator, client: openai.AsyncOpenAI, **options: Any):
        self.simulator = simulator
        self.steps: list[VendorStep] = []
        self.notes = CallNotes()
        reports = Reports()
        reports.attach(self.steps.append)  # type: ignore[arg-type]
        self.brain = OpenAIBrain(
            client,
            OpenAIOptions(**{"model": MODEL, **options}),
            PROMPT,
            lambda: NOW,
            "+15551234567",
            reports,
            notes=self.notes,
        )

    async def say(self, turns: Sequence[Turn] = HOURS) -> list[BrainEvent]:
        return await _all(self.brain.respond(1, turns))

    async def collect(self, items: list[BrainEvent]) -> None:
        async for item in self.brain.respond(1, HOURS):
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


def text(items: Sequence[BrainEvent]) -> str:
    return "".join(item for item in items if isinstance(item, str))


def now() -> float:
    return asyncio.get_running_loop().time()


async def _all(items: AsyncIterator[BrainEvent]) -> list[BrainEvent]:
    return [item async for item in items]


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
        assert items[0] == TAKEN
        assert text(items) == "Thank you, Bob."
        asked, answered = one.requests[1]["messages"][-2:]
        assert asked["tool_calls"][0]["function"]["name"] == "take_message"
        assert answered["tool_call_id"] == asked["tool_calls"][0]["id"]
        assert answered["content"].startswith("Stored")
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
        spaces = [time for item, time in at if item == " "]
        stored = next(time for item, time in at if str(item).startswith("It"))
        assert spaces
        assert spaces[0] < stored - 0.2


@virtual
async def test_amid_an_answer_silence_is_given_up_earlier() -> None:
    answers = (["One moment.", ToolCall("take_message", MESSAGE)], "It is stored.")
    async with call(answers) as one, aclosing(one.brain.respond(1, HOURS)) as items:
        assert await anext(items) == "One"
        one.simulator.faults.order("chat", Fault(Trouble.STALL_FIRST))
        began = now()
        with pytest.raises(VendorError, match="first byte timeout"):
            await asyncio.wait_for(_all(items), 10)
        assert 2 < now() - began < 2.5


@virtual
async def test_a_message_taken_before_an_interruption_is_told_and_not_taken_twice() -> None:
    answers = (ToolCall("take_message", MESSAGE),) * 2 + ("I have it.",)
    async with call(answers) as one:
        async with aclosing(one.brain.respond(1, HOURS)) as items:
            assert await anext(items) == TAKEN
            reading = asyncio.ensure_future(anext(items))
            await asyncio.sleep(0.1)
            reading.cancel()
            await asyncio.wait({reading})
        one.simulator.model._given = 1
        assert "".join(map(str, await one.say())) == "I have it."
        first, second = one.requests[-2:]
        assert "already stored this message" in first["messages"][0]["content"]
        assert "My crown came off." in first["messages"][0]["content"]
        assert "stored before" in second["messages"][-1]["content"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ('{"name": "Bob", "mess', "no valid JSON"),
        ('["Bob"]', "must be a JSON object"),
        ({"name": "Bob", "number": "", "message": " "}, '"message" is missing'),
        ({"name": "Bob", "number": "soon", "message": "Hi"}, '"number" must be digits'),
    ],
)
def test_wrong_arguments_are_explained_and_put_right(arguments: Any, told: str) -> None:
    async def test() -> None:
        wrong = ToolCall("take_message", arguments)
        async with call((wrong, ToolCall("take_message", MESSAGE), "Done.")) as one:
            items = await one.say()
            assert items[0] == TAKEN
            assert text(items) == "Done."
            assert told in one.requests[1]["messages"][-1]["content"]

    run_virtual(test())


@virtual
async def test_a_model_that_learns_nothing_is_given_up() -> None:
    async with call((ToolCall("fly"),) * 9) as one:
        with pytest.raises(VendorError, match="empty"):
            await one.say()
        assert len(one.requests) == 3


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
        assert items[-2:] == [TAKEN, EndCall()]
    broken = [ToolCall("take_message", "{"), ToolCall("end_call")]
    async with call((broken, ToolCall("take_message", MESSAGE), "Bye.")) as one:
        items = await one.say()
        assert items[0] == TAKEN
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


# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code", "at_once", "after_s"),
    [
        (Fault(Trouble.RESET), "connection lost", False, 0.1),
        (Fault(Trouble.STATUS, 401), "invalid_api_key", True, 0.1),
        (Fault(Trouble.STATUS, 403), "forbidden", True, 0.1),
        (Fault(Trouble.STATUS, 429), "rate_limit_exceeded", False, 0.1),
        (Fault(Trouble.STATUS, 429, reason="insufficient_quota"), "insufficient_quota", True, 0.1),
        (Fault(Trouble.STATUS, 500), "500", False, 0.1),
        (Fault(Trouble.STALL_FIRST), "first byte timeout", True, 4.1),
    ],
)
def test_what_fails_before_the_first_token(
    fault: Fault, code: str, at_once: bool, after_s: float
) -> None:
    async def test() -> None:
        async with call() as one:
            one.simulator.faults.order("chat", fault)
            began = now()
            with pytest.raises(VendorError) as caught:
                await one.say()
            assert (caught.value.code, caught.value.at_once) == (code, at_once)
            assert now() - began < after_s
            assert OpenAISimulator.usual_key not in str(caught.value)
            assert caught.value.__suppress_context__

    run_virtual(test())


@pytest.mark.parametrize(
    ("trouble", "code", "at_once"),
    [
        (Trouble.STALL_MID, "stall", True),
        (Trouble.MALFORMED, "malformed", False),
        (Trouble.CUT, "connection lost", False),
        (Trouble.CLOSE, "server_error", False),
    ],
)
def test_what_fails_in_the_middle(trouble: Trouble, code: str, at_once: bool) -> None:
    async def test() -> None:
        async with call() as one:
            one.simulator.faults.order("chat", Fault(trouble))
            began = now()
            items: list[BrainEvent] = []
            with pytest.raises(VendorError) as caught:
                await one.collect(items)
            assert ANSWER.startswith(text(items))
            assert items
            assert (caught.value.code, caught.value.at_once) == (code, at_once)
            assert now() - began < 3
            await asyncio.sleep(0.1)
            assert not one.simulator.sent  # it is answering nothing any more

    run_virtual(test())


async def answered_with(answer: bytes) -> VendorError:
    """What a server gets us to raise that answers so, whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with openai_client("key", url) as client:
            brain = OpenAIBrain(client, OpenAIOptions(MODEL), PROMPT, lambda: NOW)
            with pytest.raises(VendorError) as caught:
                await _all(brain.respond(1, HOURS))
            return caught.value


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTQ/9 what\r\n\r\n", "malformed"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "malformed"),  # a TLS alert
        (OK + b"no header line\r\n\r\n", "malformed"),
        (OK + b"X: " + b"a" * 20_000 + b"\r\n\r\n", "malformed"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nwhat\r\n", "malformed"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", "malformed"),
        (b"HTTP/1.1 307 X\r\nLocation: ftp://a/b\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b'HTTP/1.1 500 X\r\nContent-Length: 14\r\n\r\n{"error":"hi"}', "500"),
        (b'HTTP/1.1 500 X\r\nContent-Length: 13\r\n\r\n{"error":[1]}', "500"),
        (b"HTTP/1.1 401 X\r\nContent-Length: 2\r\n\r\n[]", "401"),
        (b'HTTP/1.1 500 X\r\nContent-Length: 100\r\n\r\n{"er', "connection lost"),
        (b"", "connection lost"),
    ],
)
def test_whatever_a_server_answers_is_a_failure_of_ours(answer: bytes, code: str) -> None:
    assert run_virtual(answered_with(answer)).code == code


def test_a_caller_whose_words_are_refused_closes_the_model_for_nobody_else() -> None:
    body = b'{"error":{"message":"filtered","code":"content_filter"}}'
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
    answer = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    error = run_virtual(answered_with(answer))
    assert (error.code, error.only_here) == ("content_filter", True)


@virtual
async def test_a_wrong_key_and_a_closed_port_are_no_use_trying_again() -> None:
    async with call(key="wrong") as one:
        with pytest.raises(VendorError, match="invalid_api_key") as caught:
            await one.say()
        assert caught.value.at_once
        url = one.simulator.url
    async with openai_client("k", f"{url}/v1") as client:
        with pytest.raises(VendorError, match="refused") as caught:
            await Call(one.simulator, client).say()
        assert caught.value.at_once


@pytest.mark.parametrize("key", ["test-key\n", "test-k\u00e9y"])
def test_a_key_that_no_header_can_hold_is_a_failure_like_others(key: str) -> None:
    async def test() -> None:
        async with call(key=key) as one:
            with pytest.raises(VendorError, match="bad key") as caught:
                await one.say()
            assert caught.value.at_once

    run_virtual(test())


@virtual
async def test_a_server_that_refuses_tools_is_asked_without_and_remembered() -> None:
    async with call((ANSWER, ANSWER)) as one:
        one.simulator.faults.order("chat", Fault(Trouble.STATUS, 400), 1)
        assert text(await one.say()) == ANSWER
        assert text(await one.say()) == ANSWER
        assert [set(body) & {"tools", "stream_options"} for body in one.requests] == [set()] * 2
        assert len(one.simulator.entries("refused")) == 1
        one.simulator.errors.clear()


@virtual
async def test_signs_of_life_are_no_words() -> None:
    """Comments and empty deltas do not keep an answer waiting for ever."""

    class Response:
        async def aiter_bytes(self) -> Any:
            yield b"data: " + chunk({"content": "We are "}) + b"\n\n"
            for _ in range(20):
                await asyncio.sleep(0.5)
                yield b": ping\n\ndata: " + chunk({"content": ""}) + b"\n\n"

        async def aclose(self) -> None:
            pass

    async def post(messages: Any) -> Any:
        return Response()

    async with call() as one:
        one.brain._post = post
        began = now()
        with pytest.raises(VendorError, match="stall"):
            await one.say()
        assert now() - began == pytest.approx(1.2)


@virtual
async def test_an_answer_of_nothing_is_a_failure() -> None:
    async with call(("",)) as one:
        with pytest.raises(VendorError, match="empty"):
            await one.say()


# --- the stream, byte by byte ---------------------------------------------------------------------


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return orjson.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def test_bytes_may_be_cut_anywhere() -> None:
    stream = 'data: {"a":"é"}\r\n\r\n: ping\n\nevent: x\ndata:{"b":1}\n\ndata: [DONE]\n\n'.encode()
    events = Events()
    found = [data for byte in stream for data in events.feed(bytes([byte]))]
    assert found == ['{"a":"é"}'.encode(), b'{"b":1}', b"[DONE]"] == Events().feed(stream)


@pytest.mark.parametrize("data", [b"<html>\n", b'{"error": "x"}\n', b"x" * (2 << 20)])
def test_what_is_no_event_stream_is_malformed(data: bytes) -> None:
    with pytest.raises(StreamError, match="malformed"):
        Events().feed(data)


@pytest.mark.parametrize("data", [b"{", b"[]", b"7", b"{}", b'{"choices":[7]}', b'{"choices":1}'])
def test_what_is_no_chunk_is_malformed(data: bytes) -> None:
    with pytest.raises(StreamError, match="malformed"):
        Completion().feed(data)


def test_an_error_in_the_stream_has_its_own_code() -> None:
    with pytest.raises(StreamError, match="overloaded"):
        Completion().feed(b'{"error": {"code": "overloaded", "message": "..."}}')


def test_tool_calls_are_put_together_by_index_also_where_servers_are_careless() -> None:
    one = Completion()
    first = {"index": 0, "id": "a", "function": {"name": "take_message", "arguments": ""}}
    one.feed(chunk({"tool_calls": [first]}))
    one.feed(chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"na'}}]}))
    second = {"index": 1, "id": "b", "function": {"name": "end_call", "arguments": "{}"}}
    one.feed(chunk({"tool_calls": [second]}))
    one.feed(chunk({"tool_calls": [{"index": 0, "function": {"arguments": 'me": 1}'}}]}))
    one.feed(chunk({}, "tool_calls"))
    assert one.calls == [
        StreamedCall("a", "take_message", '{"name": 1}'),
        StreamedCall("b", "end_call", "{}"),
    ]
    assert one.is_whole
    careless = Completion()
    for name in ("take_message", "end_call"):  # whole calls, no index, no id, no JSON in a string
        careless.feed(chunk({"tool_calls": [{"function": {"name": name, "arguments": {}}}]}))
    assert [call.name for call in careless.calls] == ["take_message", "end_call"]
    assert len({call.id for call in careless.calls}) == 2


def test_usage_comes_in_a_chunk_without_choices() -> None:
    one = Completion()
    details = {"prompt_tokens": 812, "completion_tokens": 34}
    details["prompt_tokens_details"] = {"cached_tokens": 640}  # type: ignore[assignment]
    assert one.feed(orjson.dumps({"choices": [], "usage": details})) == ""
    assert one.usage == Usage(812, 640, 34, 1)


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        (["<think>\nHm", "m</thi", "nk>\n\nHello", " there"], "Hello there"),
        (["<", "think></think>Hi"], "Hi"),
        (["<b", ">Hi"], "<b>Hi"),
        (["<thi"], "<thi"),
        ([" ", "Hi <think>"], " Hi <think>"),
        (["<think>for ever"], ""),
    ],
)
def test_thoughts_are_not_said(pieces: list[str], said: str) -> None:
    one = Completion()
    texts = [one.feed(chunk({"content": piece})) for piece in pieces]
    texts.append(one.feed(chunk({}, "stop")))
    assert "".join(texts) == one.text == said


# --- tools, by themselves -------------------------------------------------------------------------


def test_the_tools_are_described_in_full() -> None:
    for tool in TOOLS:
        parameters = tool["function"]["parameters"]
        assert parameters["required"] == list(parameters["properties"])
        assert not parameters["additionalProperties"]


def test_a_number_keeps_its_plus_and_loses_its_punctuation() -> None:
    arguments = {"name": " Bob  Lee ", "number": "+1 (555) 867-5309", "message": "Hi\nthere"}
    call = StreamedCall("1", "take_message", orjson.dumps(arguments).decode())
    assert read_call(call) == TakeMessage("Bob Lee", "+15558675309", "Hi there")
    arguments["number"] = 5558675309  # type: ignore[assignment]
    call.arguments = orjson.dumps(arguments).decode()
    assert read_call(call) == TakeMessage("Bob Lee", "5558675309", "Hi there")
    assert isinstance(read_call(StreamedCall("1", "fly", "{}")), Mistake)


def test_the_same_message_in_nearly_the_same_words_is_one() -> None:
    notes = CallNotes()
    notes.add(TAKEN)
    notes.add(TakeMessage("bob", "5558675309", "My crown came off"))
    assert notes.messages == [TAKEN]
    assert not notes.has(TakeMessage("Bob", "5558675309", "And my tooth hurts"))
