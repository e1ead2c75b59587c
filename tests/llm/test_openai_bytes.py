"""The stream of a language model, byte by byte. Pure."""

from __future__ import annotations

import orjson
import pytest

from services.llm.openai_stream import Completion, Events, StreamError, Usage
from services.llm.openai_stream import ToolCall as StreamedCall
from tests.llm.openai_call import chunk


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
