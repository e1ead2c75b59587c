"""The tools of a language model, by themselves."""

from __future__ import annotations

import orjson

from services.llm import TakeMessage
from services.llm.openai_stream import ToolCall as StreamedCall
from services.llm.tools import TOOLS, CallNotes, Mistake, read_call
from tests.llm.openai_call import (
    TAKEN,
)


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
