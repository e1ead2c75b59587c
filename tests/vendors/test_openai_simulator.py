"""The simulated OpenAI, tried with the real SDK: keys, models, chat completions."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai import OpenAISimulator, ToolCall
from tests.vendors.openai_sdk import ASKED, MODEL, TOOL, with_sdk


def test_a_streamed_answer_comes_token_by_token_with_its_usage_in_the_end() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        begin = asyncio.get_running_loop().time()
        stream = await client.chat.completions.create(
            model=MODEL,
            messages=ASKED,
            stream=True,
            stream_options={"include_usage": True, "include_obfuscation": False},
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[0].choices[0].delta.role == "assistant"
        assert not chunks[0].choices[0].delta.content
        texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        assert "".join(texts) == "From nine to five."
        assert chunks[-2].choices[0].finish_reason == "stop"
        assert chunks[-1].choices == []
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == len(texts) - 2
        assert simulator.entries("first token")[0].at - begin == pytest.approx(0.25, abs=0.02)
        done = simulator.entries("done")[0]
        assert done.at - begin == pytest.approx(0.25 + (len(texts) - 3) / 60, abs=0.02)
        assert simulator.entries("request")[0].detail["messages"] == ASKED
        assert simulator.errors == []

    with_sdk(work, answers=["From nine to five."])


def test_tool_calls_come_in_fragments_whose_first_has_the_id_and_the_name() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        stream = await client.chat.completions.create(
            model=MODEL, messages=ASKED, tools=[TOOL], stream=True
        )
        chunks = [chunk async for chunk in stream]
        assert all(chunk.choices for chunk in chunks)  # no usage unless asked for
        calls = [c for chunk in chunks for c in chunk.choices[0].delta.tool_calls or ()]
        assert [(c.index, c.id, c.function and c.function.name) for c in calls if c.id] == [
            (0, "call_00000001", "book"),
            (1, "call_00000002", "book"),
        ]
        for index, arguments in enumerate(('{"at": "10:30", "for": 2}', "{broken")):
            pieces = [c.function.arguments or "" for c in calls if c.function and c.index == index]
            assert "".join(pieces) == arguments
            assert pieces[0] == ""
        assert chunks[-1].choices[0].finish_reason == "tool_calls"
        assert chunks[1].choices[0].delta.content == "One"
        assert chunks[1].obfuscation

        answered: list[Any] = [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "call_00000001",
                        "type": "function",
                        "function": {"name": "book", "arguments": "{}"},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_00000001", "content": "done"},
        ]
        answer = await client.chat.completions.create(
            model=MODEL, messages=ASKED + answered, tools=[TOOL]
        )
        assert answer.choices[0].message.content == "Booked."
        assert simulator.errors == []

    book = ToolCall("book", {"at": "10:30", "for": 2})
    with_sdk(work, answers=[["One moment.", book, ToolCall("book", "{broken")], "Booked."])


def test_answers_may_depend_on_the_messages_and_may_be_cut_short() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        answer = await client.chat.completions.create(
            model=MODEL, messages=ASKED, max_completion_tokens=2
        )
        assert answer.choices[0].message.content == "When are"
        assert answer.choices[0].finish_reason == "length"
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 2

    with_sdk(work, answers=lambda messages: str(messages[-1]["content"]))


CALLED: Any = {
    "role": "assistant",
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "book", "arguments": "{}"}}
    ],
}
STRICT: Any = {"type": "function", "function": TOOL["function"] | {"strict": True}}


@pytest.mark.parametrize(
    ("changed", "status", "param"),
    [
        ({"extra_body": {"max_token": 5}}, 400, "max_token"),
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "caller", "content": "Hi"}]}, 400, "messages[0].role"),
        ({"messages": [{"role": "user", "content": None}]}, 400, "messages[0].content"),
        ({"messages": [{"role": "user", "content": "Hi", "at": 3}]}, 400, "messages[0].at"),
        (
            {"messages": [*ASKED, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]},
            400,
            "messages[1].role",
        ),
        ({"messages": [CALLED, *ASKED]}, 400, "messages[1].role"),
        ({"messages": [CALLED]}, 400, "messages[1].role"),
        ({"model": "gpt-9"}, 404, None),
        ({"model": "gpt-4.1-nano"}, 404, None),
        ({"model": "gpt-4o-mini-tts"}, 404, None),
        ({"max_tokens": 100}, 400, "max_tokens"),
        ({"temperature": 0.3, "reasoning_effort": "low"}, 400, "temperature"),
        ({"temperature": "warm"}, 400, "temperature"),
        ({"model": "gpt-4.1-mini", "reasoning_effort": "none"}, 400, "reasoning_effort"),
        ({"stream_options": {"include_usage": True}}, 400, "stream_options"),
        ({"parallel_tool_calls": False}, 400, "parallel_tool_calls"),
        ({"tools": []}, 400, "tools"),
        ({"tools": [TOOL["function"] | {"type": "function"}]}, 400, "tools[0].description"),
        ({"tools": [STRICT]}, 400, "tools[0].function.parameters"),
    ],
)
def test_a_request_that_the_service_would_not_take_is_refused(
    changed: dict[str, Any], status: int, param: str | None
) -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        wanted: dict[str, Any] = {"model": MODEL, "messages": ASKED} | changed
        with pytest.raises(openai.APIStatusError) as refused:
            await client.chat.completions.create(**wanted)
        assert refused.value.status_code == status
        body: Any = refused.value.body
        assert body["type"] == "invalid_request_error"
        if param != "tools[0].description":
            assert body["param"] == param
        assert len(simulator.errors) == 1

    with_sdk(work)


def test_older_models_and_reasoning_without_effort_take_a_temperature() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        common: Any = {"messages": ASKED, "temperature": 0.3}
        await client.chat.completions.create(model="gpt-4.1-mini", max_tokens=50, **common)
        await client.chat.completions.create(model=MODEL, reasoning_effort="none", **common)

    with_sdk(work)


def test_a_wrong_key_is_refused() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        with pytest.raises(openai.AuthenticationError) as refused:
            await client.models.list()
        assert refused.value.code == "invalid_api_key"

    with_sdk(work, key="wrong")


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, openai.AuthenticationError, "invalid_api_key"),
        (429, openai.RateLimitError, "rate_limit_exceeded"),
        (500, openai.InternalServerError, None),
    ],
)
def test_a_status_comes_in_place_of_an_answer(
    status: int, kind: type[openai.APIStatusError], code: str | None
) -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        with pytest.raises(kind) as failed:
            await _ask(client)
        assert failed.value.code == code
        assert ("retry-after" in failed.value.response.headers) == (status == 429)

    with_sdk(work, fault=("chat", Fault(Trouble.STATUS, status=status)))


async def _ask(client: openai.AsyncOpenAI, texts: list[str] | None = None) -> str:
    texts = texts if texts is not None else []
    stream = await client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
    async with stream:
        async for chunk in stream:
            texts.append(chunk.choices[0].delta.content or "")
    return "".join(texts)


@pytest.mark.parametrize(
    ("trouble", "error", "some"),
    [
        (Trouble.RESET, openai.APIConnectionError, False),
        (Trouble.STALL_FIRST, openai.APITimeoutError, False),
        (Trouble.STALL_MID, openai.APITimeoutError, True),
        (Trouble.CUT, openai.APIConnectionError, True),
        (Trouble.MALFORMED, ValueError, True),
        (Trouble.CLOSE, openai.APIError, True),
    ],
)
def test_a_stream_breaks(trouble: Trouble, error: type[Exception], some: bool) -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        texts: list[str] = []
        with pytest.raises(error):
            await _ask(client, texts)
        whole = "Thank you for calling. We are open from nine to five, Monday to Friday."
        assert whole.startswith("".join(texts))
        assert bool(texts) == some
        assert "".join(texts) != whole
        simulator.faults.clear()
        assert await _ask(client) == whole
        assert simulator.errors == []

    with_sdk(work, fault=("chat", Fault(trouble)))


def test_a_client_that_hangs_up_is_noticed_at_once() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        clock = asyncio.get_running_loop().time
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_ask(client), 0.1)  # before the first token
        left_at = clock()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(_ask(client), 0.3)
        await asyncio.sleep(0.01)
        first, second = simulator.entries("disconnected")
        assert first.detail["tokens"] == 0
        assert first.at == pytest.approx(left_at, abs=0.01)
        assert 0 < second.detail["tokens"] < 6
        assert not simulator.entries("done")

    with_sdk(work)


def test_the_models_are_those_that_still_live() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        names = {model.id async for model in client.models.list()}
        assert {"gpt-4.1-mini", "gpt-5.4-mini", "gpt-transcribe"} <= names
        assert not {"gpt-4.1-nano", "gpt-3.5-turbo"} & names
        assert (await client.models.retrieve(MODEL)).id == MODEL

    with_sdk(work)


def _chunks() -> list[dict[str, Any]]:
    """The lines that are chunks; the SDK's models know neither errors nor the end."""
    path = Path(__file__).parent.parent / "wire" / "openai_chat.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if "choices" in line.get("message", ())]


@pytest.mark.parametrize("line", _chunks(), ids=lambda line: line["about"])
def test_the_wire_lines_say_what_the_sdk_reads_in_them(line: dict[str, Any]) -> None:
    expect = line["expect"] or {}
    chunk = ChatCompletionChunk.model_validate(line["message"])
    if not chunk.choices:
        usage = chunk.usage and [chunk.usage.prompt_tokens, chunk.usage.completion_tokens]
        assert usage == expect.get("usage")
        return
    delta = chunk.choices[0].delta
    assert (delta.content or "") == expect.get("text", "")
    assert (delta.refusal or "") == expect.get("refusal", "")
    assert chunk.choices[0].finish_reason == expect.get("finish")
    calls = [
        [call.index, call.id, call.function and call.function.name, call.function.arguments]
        for call in delta.tool_calls or ()
        if call.function
    ]
    assert calls == expect.get("calls", [])
