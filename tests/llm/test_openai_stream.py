"""OpenAI's streamed chat completions: what our parser makes of each line on the wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.llm.openai_stream import Completion, Events, StreamError, ToolCall, Usage

LINES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parent.parent / "wire" / "openai_chat.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
]
BY_NAME = {line["about"]: line for line in LINES}
FAILING = {line["about"] for line in LINES if {"error", "bad"} & set(line["expect"] or {})}


def data(about: str) -> bytes:
    """What such an event holds."""
    line = BY_NAME[about]
    return (line["text"] if "text" in line else json.dumps(line["message"])).encode()


def completion(*abouts: str) -> Completion:
    """What these events make together."""
    whole = Completion()
    for about in abouts:
        whole.feed(data(about))
    return whole


@pytest.mark.parametrize("about", [about for about in BY_NAME if about not in FAILING])
def test_each_line_gives_what_it_says(about: str) -> None:
    expect, parsed = BY_NAME[about]["expect"] or {}, Completion()
    said = expect.get("text", "") + expect.get("refusal", "")  # a caller must hear a refusal, too
    assert parsed.feed(data(about)) == said
    assert parsed.text == said
    assert parsed.finish_reason == expect.get("finish", "")
    assert parsed.ended == expect.get("done", False)
    assert parsed.is_whole == bool({"finish", "done"} & set(expect))
    assert parsed.has_begun == bool({"text", "refusal", "calls"} & set(expect))
    assert parsed.calls == [
        ToolCall(own_id or f"call_{number}", name or "", arguments)
        for number, (_, own_id, name, arguments) in enumerate(expect.get("calls", ()), 1)
    ]
    counted = parsed.usage and [parsed.usage.prompt, parsed.usage.completion]
    assert counted == expect.get("usage")


@pytest.mark.parametrize("about", sorted(FAILING))
def test_what_failed_at_the_vendor_keeps_the_vendors_code(about: str) -> None:
    with pytest.raises(StreamError) as raised:
        Completion().feed(data(about))
    assert raised.value.code == BY_NAME[about]["expect"].get("error", "malformed")


def test_the_lines_of_an_answer_make_its_text() -> None:
    whole = completion(
        "the first chunk: the role, no text",
        "text",
        "text that begins with a space",
        "a compatible server sends the last text together with the end",
        "a chunk about something else, without choices",
        "usage: no choices",
        "the end of the stream",
    )
    assert (whole.text, whole.finish_reason, whole.ended) == ("We are open soon.", "stop", True)
    assert whole.usage == Usage(prompt=31, cached=0, completion=7, requests=1)
    assert whole.as_message() == {
        "role": "assistant",
        "content": "We are open soon.",
        "tool_calls": [],
    }


def test_the_pieces_of_tool_calls_come_together() -> None:
    whole = completion(
        "a call begins: id and name",
        "a piece of its arguments",
        "two calls in one chunk",
        "the end: tool_calls",
    )
    assert whole.calls == [
        ToolCall("call_1", "book", '{"at":1}'),
        ToolCall("call_2", "note", "{}"),
    ]
    assert whole.as_message()["content"] is None


def test_a_call_that_comes_whole_is_not_added_to_another() -> None:
    whole_call = "a compatible server sends a whole call at once, with content null"
    whole = completion("a call begins: id and name", "a piece of its arguments", whole_call)
    assert whole.calls == [
        ToolCall("call_1", "book", '{"at":'),
        ToolCall("call_3", "book", '{"at": 9}'),
    ]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1 << 20])
@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_stream_may_be_cut_anywhere(size: int, newline: bytes) -> None:
    sent = [data(about) for about in BY_NAME]
    frame = b": a comment", b"event: message", b"id: 1", b"retry: 3"
    stream = b"".join(newline.join([*frame, b"data: " + one, b"", b""]) for one in sent)
    events = Events()
    got = [one for at in range(0, len(stream), size) for one in events.feed(stream[at : at + size])]
    assert got == sent


@pytest.mark.parametrize("stream", [b"<html>upstream error</html>\n", b"data: " + b"x" * (2 << 20)])
def test_what_is_no_event_stream_is_malformed(stream: bytes) -> None:
    with pytest.raises(StreamError, match="malformed"):
        Events().feed(stream)


@pytest.mark.parametrize("message", ["{}", '{"choices": [1]}', '{"choices": 3}', "[]", "null", ""])
def test_what_is_no_chunk_is_malformed(message: str) -> None:
    with pytest.raises(StreamError, match="malformed"):
        Completion().feed(message.encode())


def test_thoughts_before_an_answer_are_not_said() -> None:
    parsed = Completion()
    pieces = ["<th", "ink>They want ", "hours.</thi", "nk>\n\nWe are", " open."]
    said = [
        parsed.feed(json.dumps({"choices": [{"delta": {"content": one}}]}).encode())
        for one in pieces
    ]
    assert said == ["", "", "", "We are", " open."]
    assert parsed.text == "We are open."
