"""The simulated OpenAI, tried with the real SDK."""

from __future__ import annotations

import asyncio
import io
import json
import wave
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from websockets.exceptions import ConnectionClosed

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.legible import tones
from tests.simulators.vendors.openai import OpenAISimulator, ToolCall
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
    key: str = "test-key",
    **options: Any,
) -> None:
    """Run ``work`` on virtual time with the SDK's client."""

    async def run() -> None:
        async with OpenAISimulator(**options) as simulator:
            if fault is not None:
                simulator.faults.order(*fault)
            url = simulator.url + "/v1"
            async with openai.AsyncOpenAI(
                api_key=key, base_url=url, max_retries=0, timeout=5
            ) as client:
                await work(simulator, client)
            await asyncio.sleep(0.1)
            assert simulator.open_sockets == 0
            assert not simulator.sent

    run_virtual(run())


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


def test_speech_is_pcm_that_can_be_read_back() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        begin = asyncio.get_running_loop().time()
        async with client.audio.speech.with_streaming_response.create(
            model="gpt-4o-mini-tts", voice="marin", input="We are open.", response_format="pcm"
        ) as answer:
            pcm = b"".join([part async for part in answer.iter_bytes(960)])
        assert simulator.entries("first audio")[0].at - begin == pytest.approx(0.12, abs=0.02)
        assert len(pcm) == len("We are open.") * 60 * 48
        assert pcm == tones("We are open.")
        with pytest.raises(openai.BadRequestError):
            await client.audio.speech.create(model="tts-1", voice="marin", input="Hi")
        with pytest.raises(openai.BadRequestError):
            await client.audio.speech.create(
                model="tts-1", voice="marin", input="x" * 4097, response_format="pcm"
            )

    with_sdk(work)


@pytest.mark.parametrize("trouble", [Trouble.STALL_MID, Trouble.CUT])
def test_speech_breaks_in_the_middle(trouble: Trouble) -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        got: list[bytes] = []

        async def speak() -> None:
            async with client.audio.speech.with_streaming_response.create(
                model="tts-1", voice="marin", input="Yes.", response_format="pcm"
            ) as answer:
                async for part in answer.iter_bytes():
                    got.append(part)

        with pytest.raises(httpx2.TransportError):  # the SDK lets it out as it is
            await speak()
        assert 0 < len(b"".join(got)) < len("Yes.") * 60 * 48

    with_sdk(work, fault=("speech", Fault(trouble)))


def _wav(seconds: float = 0.5) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(bytes(int(seconds * 16000)))
    return file.getvalue()


def test_transcription_takes_a_wav_file_whole_or_streamed() -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        heard = await client.audio.transcriptions.create(
            model="gpt-transcribe",
            file=("turn.wav", _wav()),
            extra_body={"keywords": ["Zoë"]},
        )
        assert heard.text == "Hello there."
        assert simulator.entries("request")[0].detail["seconds"] == 0.5
        stream = await client.audio.transcriptions.create(
            model="gpt-4o-mini-transcribe", file=("turn.wav", _wav()), stream=True
        )
        events: list[Any] = [event async for event in stream]
        assert [event.type for event in events][-2:] == [
            "transcript.text.delta",
            "transcript.text.done",
        ]
        assert events[-1].text == "Good bye."
        assert simulator.errors == []

    with_sdk(work, transcripts=["Hello there.", "Good bye."])


@pytest.mark.parametrize(
    "changed",
    [
        {"file": ("turn.ulaw", b"\xff" * 8000)},
        {"file": ("turn.wav", b"\xff" * 8000)},
        {"file": ("turn.wav", _wav(0.05))},
        {"model": "gpt-4o-transcribe", "response_format": "verbose_json"},
        {"model": "whisper-1", "extra_body": {"keywords": ["x"]}},
        {"extra_body": {"vad": "on"}},
    ],
)
def test_transcription_refuses_what_the_service_refuses(changed: dict[str, Any]) -> None:
    async def work(simulator: OpenAISimulator, client: openai.AsyncOpenAI) -> None:
        wanted: dict[str, Any] = {"model": "gpt-transcribe", "file": ("turn.wav", _wav())}
        with pytest.raises(openai.BadRequestError):
            await client.audio.transcriptions.create(**wanted | changed)
        assert len(simulator.errors) == 1

    with_sdk(work)


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


def _wire() -> list[dict[str, Any]]:
    path = Path(__file__).parent.parent / "wire" / "openai_chat.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("line", _wire(), ids=lambda line: line["about"])
def test_the_wire_lines_say_what_the_sdk_reads_in_them(line: dict[str, Any]) -> None:
    message, expect = line.get("message"), line["expect"] or {}
    if message is None or "error" in message:
        return
    chunk = ChatCompletionChunk.model_validate(message)
    if not chunk.choices:
        usage = chunk.usage and [chunk.usage.prompt_tokens, chunk.usage.completion_tokens]
        assert usage == expect.get("usage")
        return
    delta = chunk.choices[0].delta
    assert (delta.content or "") == expect.get("text", "")
    assert chunk.choices[0].finish_reason == expect.get("finish")
    calls = [
        [call.index, call.id, call.function and call.function.name, call.function.arguments]
        for call in delta.tool_calls or ()
        if call.function
    ]
    assert calls == expect.get("calls", [])
