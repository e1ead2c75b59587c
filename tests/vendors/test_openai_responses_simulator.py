"""The simulated OpenAI, tried with the real SDK: Responses, over HTTP and over a socket."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from websockets.exceptions import ConnectionClosed

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai import OpenAISimulator, ToolCall
from tests.vendors.openai_sdk import ASKED, MODEL, TOOL, with_sdk


def test_responses_stream_text_and_calls_and_continue_by_id() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        tool: Any = TOOL["function"] | {"type": "function", "strict": False}
        stream = await client.responses.create(
            model=MODEL, input="Book me in.", instructions="Be brief.", tools=[tool], stream=True
        )
        events: list[Any] = [event async for event in stream]
        kinds = [event.type for event in events]
        assert kinds[:2] == ["response.created", "response.in_progress"]
        assert kinds[-1] == "response.completed"
        assert [event.sequence_number for event in events] == list(range(len(events)))
        text = [e.delta for e in events if e.type == "response.output_text.delta"]
        assert "".join(text) == "One moment."
        call = events[-1].response.output[1]
        assert (call.name, call.arguments) == ("book", '{"at": "10:30"}')
        answer: Any = {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": "booked",
        }
        name = events[-1].response.id
        done = await client.responses.create(model=MODEL, input=[answer], previous_response_id=name)
        assert done.output_text == "Done."
        assert simulator.errors == []
        for wrong in (
            {"previous_response_id": "resp_x"},
            {"previous_response_id": name},  # the call stays unanswered
            {"input": [answer]},
            {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]},
            {"tools": [TOOL]},
            {"max_output_tokens": 5},
            {"extra_body": {"messages": ASKED}},
        ):
            wanted: dict[str, Any] = {"model": MODEL, "input": "Hi"} | wrong
            with pytest.raises(openai.BadRequestError):
                await client.responses.create(**wanted)

    with_sdk(work, answers=[["One moment.", ToolCall("book", {"at": "10:30"})], "Done."])


async def _kinds_into(kinds: list[str], stream: Any) -> None:
    async for event in stream:
        kinds.append(event.type)


def test_a_stream_of_responses_ends_with_an_error() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        stream = await client.responses.create(model=MODEL, input="Hi", stream=True)
        events: list[Any] = [event async for event in stream]
        assert (events[-1].type, events[-1].code) == ("error", "server_error")

    fault = Fault(Trouble.CLOSE, reason="server_error")
    with_sdk(work, fault=("responses", fault))


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Trouble.STALL_MID, openai.APITimeoutError),
        (Trouble.CUT, openai.APIConnectionError),
        (Trouble.MALFORMED, ValueError),
    ],
)
def test_a_stream_of_responses_breaks(trouble: Trouble, error: type[Exception]) -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        stream = await client.responses.create(model=MODEL, input="Hi", stream=True)
        kinds: list[str] = []
        with pytest.raises(error):
            await _kinds_into(kinds, stream)
        assert "response.output_text.delta" in kinds
        assert "response.completed" not in kinds

    with_sdk(work, fault=("responses", Fault(trouble)))


def test_one_socket_of_responses_answers_again_and_again() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        async def until_done(connection: Any) -> list[Any]:
            events = [await connection.recv()]
            while events[-1].type not in {"response.completed", "error"}:
                events.append(await connection.recv())
            return events

        async with client.responses.connect() as connection:
            await connection.response.create(model=MODEL, input="Be brief.", generate=False)
            warm = await until_done(connection)
            assert warm[-1].response.output == []
            await connection.response.create(
                model=MODEL, input="Hello", previous_response_id=warm[-1].response.id
            )
            events = await until_done(connection)
            deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
            assert "".join(deltas) == "Hello, Be brief."
            await connection.response.create(model=MODEL, input="x", previous_response_id="no")
            refused = (await until_done(connection))[-1]
            assert (refused.type, refused.code) == ("error", "previous_response_not_found")
            simulator.faults.order("responses", Fault(Trouble.CLOSE, code=1011), times=1)
            await connection.response.create(model=MODEL, input="Hello")
            with pytest.raises(ConnectionClosed) as closed:
                await until_done(connection)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1011

    def answer(messages: list[dict[str, Any]]) -> str:
        return ", ".join(message["content"] for message in reversed(messages))

    with_sdk(work, answers=answer)
