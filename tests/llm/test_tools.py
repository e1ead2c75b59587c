"""The functions of a language model, by themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from services.llm import EndCall
from services.llm.openai_stream import ToolCall
from services.llm.tools import Mistake, functions, read_call
from services.receptionist.agent import Agent, Booking, Business
from services.receptionist.tools import Tool, ToolRequest
from tests.llm.openai_call import AGENT, MESSAGE, TAKEN
from tests.simulators.vendors.openai_checks import Refused, check_function

ALL = functions(AGENT, can_text=True)
BARE = Agent("Ava", Business("Acme"))
BOOKING = {"check_availability", "find_appointments", "book_appointment"}
BOOKING |= {"change_appointment", "cancel_appointment", "confirm"}


def names(agent: Agent, **options: bool) -> set[str]:
    return {tool["function"]["name"] for tool in functions(agent, **options)}


def read(name: str, arguments: Any) -> ToolRequest | EndCall | Mistake:
    text = arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
    return read_call(ToolCall("1", name, text), ALL, 1)


def test_every_tool_is_a_function_that_openai_takes_also_in_its_strict_way() -> None:
    assert names(AGENT, can_text=True) == {tool.value for tool in Tool} | {"end_call"}
    for tool in functions(AGENT, can_text=True, is_strict=True):
        check_function(tool["function"], "tools[0].function")
        assert tool["function"]["strict"]
        described = tool["function"]["parameters"]["properties"].values()
        assert all(one["description"] for one in described)
    with pytest.raises(Refused):
        check_function({**ALL[0]["function"], "strict": True, "parameters": {}}, "x")
    assert all("strict" not in tool["function"] for tool in ALL)


def test_an_agent_has_only_the_functions_that_make_sense_for_it() -> None:
    assert names(BARE) == {"take_message", "end_call"}
    assert names(BARE, can_text=True) == {"take_message", "end_call", "send_sms"}
    assert names(replace(BARE, owner_phone="+15550100")) >= {"transfer_call"}
    assert names(AGENT) >= BOOKING
    assert not names(replace(AGENT, booking=Booking(enabled=False))) & BOOKING
    lengthless = tuple(replace(service, minutes=0) for service in AGENT.services)
    assert not names(replace(AGENT, services=lengthless)) & BOOKING


def test_arguments_become_texts() -> None:
    arguments = {"name": " Bob  Lee ", "number": 15558675309, "message": "Hi\nthere"}
    taken = read("take_message", {**arguments, "urgent": True})
    assert isinstance(taken, ToolRequest)
    assert taken.arguments == {
        "name": "Bob Lee",
        "number": "15558675309",
        "message": "Hi there",
        "urgent": "yes",
        "complete": "yes",
    }
    plus = read("take_message", {**arguments, "number": "+1 (555) 867-5309"})
    assert isinstance(plus, ToolRequest)
    assert (plus.arguments["number"], plus.arguments["urgent"]) == ("+15558675309", "no")


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("fly", {}, "no such tool. There are opening_hours, check_availability"),
        ("confirm", {}, '"reference" is missing'),
        ("confirm", {"reference": None}, '"reference" is missing'),
        ("confirm", {"reference": ["A1", "A2"]}, '"reference" is missing'),
        ("book_appointment", {"service": "A check-up"}, '"when" is missing'),
        ("transfer_call", {"urgency": "extreme"}, '"urgency" must be one of normal, high'),
        ("find_appointments", {"number": "my own"}, '"number" must be digits'),
        ("confirm", "{", "no valid JSON"),
        ("confirm", '"A1"', "must be a JSON object"),
    ],
)
def test_what_cannot_be_done_is_explained(name: str, arguments: Any, told: str) -> None:
    mistake = read(name, arguments)
    assert isinstance(mistake, Mistake)
    assert told in mistake.text


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"when": "2026-11-24T15:30:00Z"}, {"when": "2026-11-24T15:30:00"}),
        ({"when": "2026-11-24 15:30z"}, {"when": "2026-11-24 15:30"}),
        ({"when": "2026-11-24T15:30:00.000+00:00"}, {"when": "2026-11-24T15:30:00.000"}),
        ({"when": "2026-07-24T15:30-0500"}, {"when": "2026-07-24T15:30"}),
        ({"when": "next Tuesday at 3"}, {"when": "next Tuesday at 3"}),
        ({"name": None, "number": None}, {"name": "", "number": ""}),
        ({"name": "Unknown", "number": "N/A"}, {"name": "", "number": ""}),
        ({"name": ["Bob"], "number": [15558675309]}, {"name": "Bob", "number": "15558675309"}),
        ({"number": 1.5558675309e10}, {"number": "15558675309"}),
        ({"service": ["A crown"], "lane": 7}, {"service": "A crown"}),
    ],
)
def test_what_models_write_beside_the_schema(given: dict[str, Any], taken: dict[str, str]) -> None:
    usual = {"service": "A check-up", "when": "tomorrow at ten", "name": "Bob", "number": ""}
    wish = read("book_appointment", {**usual, **given})
    assert isinstance(wish, ToolRequest)
    assert wish.arguments == {**usual, **taken}


@pytest.mark.parametrize(
    ("said", "meant"), [("High", "high"), ("NORMAL", "normal"), ("", "normal")]
)
def test_case_does_not_matter_in_a_choice(said: str, meant: str) -> None:
    wish = read("transfer_call", {"urgency": said})
    assert isinstance(wish, ToolRequest)
    assert wish.arguments["urgency"] == meant
    message = read("take_message", {**MESSAGE, "urgent": "True"})
    assert isinstance(message, ToolRequest)
    assert message.arguments["urgent"] == "yes"


def test_a_function_that_was_not_offered_cannot_be_used() -> None:
    wish = read_call(ToolCall("1", "confirm", '{"reference": "A1"}'), functions(BARE), 1)
    assert isinstance(wish, Mistake)
    assert "There are take_message, end_call." in wish.text


def test_the_same_in_nearly_the_same_words_has_one_key_within_a_turn() -> None:
    same = {**MESSAGE, "name": "bob", "number": "5558675309", "message": "my crown came off"}
    again = read("take_message", same)
    assert isinstance(again, ToolRequest)
    assert again.key == TAKEN.key
    later = read_call(ToolCall("1", "take_message", orjson.dumps(same).decode()), ALL, 2)
    other = read("take_message", {**MESSAGE, "message": "And my tooth hurts"})
    assert isinstance(later, ToolRequest)
    assert isinstance(other, ToolRequest)
    assert len({again.key, later.key, other.key}) == 3
    assert (again.turn, later.turn) == (1, 2)


def test_the_end_of_a_call_needs_no_arguments() -> None:
    assert read("end_call", "") == EndCall()
