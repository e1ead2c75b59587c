"""What a language model may do in a call: its functions, and what it says when it uses one wrongly.

A model's arguments are a stranger's words: they may be no JSON, incomplete, or made up. They are
checked here, and a mistake is answered in words from which the model can learn in the next round.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from services.llm import EndCall
from services.llm.openai_stream import ToolCall
from services.receptionist.abilities import bookable, can_transfer
from services.receptionist.agent import Agent
from services.receptionist.tools import Tool, ToolRequest, ToolResult

_LONGEST = 300
_LONGEST_MESSAGE = 3000
_DIGITS = range(3, 16)
"""The shortest number that somebody may leave, and the longest of E.164."""

NOT_YET = "Not yet: first deal with what became of the other call."
NOT_DONE = ToolResult("failed", "That could not be done.")
END_CALL = "end_call"
Functions = tuple[dict[str, Any], ...]
Values = str | tuple[str, tuple[str, ...]]
"""The description of an argument, perhaps with the values that it may have."""

_WHEN = (
    "The day and time in the caller's own words, like “next Tuesday at half past three” or "
    "“tomorrow morning”; do not work out the date yourself. Or a time that a tool gave you, as it "
    "stands."
)
_NAME = "The caller's name; empty if you do not know it."
_REFERENCE = "The reference that another tool gave you."
_YES_NO = ("yes", "no")
_MAY_BE_UNKNOWN = ("name", "number")
_UNKNOWN = {"null", "none", "n/a", "na", "unknown", "not provided", "not given", "not known"}
_UNKNOWN |= {"empty", "caller", "the caller", "anonymous"}
"""What models write where they should write nothing."""
_OFFSET = re.compile(
    r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(?:Z|[+-]\d\d:?\d\d)$", re.IGNORECASE
)
"""A model that works out a time means the business's clock, whatever zone it writes behind it; the
time is read back to the caller before anything is booked."""


@dataclass(frozen=True, slots=True)
class _Function:
    """A tool as a function: ``needed`` are the arguments that must not be empty."""

    description: str
    arguments: Mapping[str, Values]
    needed: tuple[str, ...] = ()


_FUNCTIONS: dict[str, _Function] = {
    Tool.OPENING_HOURS.value: _Function(
        "The opening hours of a day or a stretch of days that is not among your facts.",
        {"when": _WHEN},
    ),
    Tool.CHECK_AVAILABILITY.value: _Function(
        "Whether a time is free for a service, or which times are.",
        {"service": "The service, by its name.", "when": _WHEN},
        ("service",),
    ),
    Tool.FIND_APPOINTMENTS.value: _Function(
        "The caller's appointments, with their references. Use it before you change or cancel one.",
        {
            "name": "The name under which it was booked; empty if you go by the number.",
            "number": "The number under which it was booked; empty for the caller's own.",
        },
    ),
    Tool.BOOK_APPOINTMENT.value: _Function(
        "Propose an appointment: the time is held for two minutes, but nothing is booked yet. Read "
        "back what it gives, ask whether that is right, and confirm it in the caller's next turn.",
        {
            "service": "The service, by its name.",
            "when": _WHEN,
            "name": _NAME,
            "number": "The number to reach the caller; empty for the one that they call from.",
        },
        ("service", "when"),
    ),
    Tool.CHANGE_APPOINTMENT.value: _Function(
        "Propose another time for an appointment; nothing is changed yet. Read back what it gives, "
        "ask whether that is right, and confirm it in the caller's next turn.",
        {"reference": _REFERENCE, "when": _WHEN},
        ("reference", "when"),
    ),
    Tool.CANCEL_APPOINTMENT.value: _Function(
        "Propose to cancel an appointment; nothing is cancelled yet. Ask whether that is what the "
        "caller wants, and confirm it in their next turn.",
        {"reference": _REFERENCE},
        ("reference",),
    ),
    Tool.CONFIRM.value: _Function(
        "Do what was proposed, after the caller has heard it read back and has agreed. Only then "
        "say that it is done.",
        {"reference": "The reference of what was proposed."},
        ("reference",),
    ),
    Tool.TAKE_MESSAGE.value: _Function(
        "Store a message for the team. Use it once for each message, after the caller has confirmed"
        " the message, the name and the number.",
        {
            "name": "The caller's name; empty if they will not give it.",
            "number": "The number to call back, digits only; empty if they will not give one.",
            "message": "The message in the caller's own words, and for whom it is, if for "
            "somebody.",
            "urgent": ("Whether it cannot wait.", _YES_NO),
        },
        ("message",),
    ),
    Tool.TRANSFER_CALL.value: _Function(
        "Put the caller through to a person. It happens as soon as your answer was spoken.",
        {
            "person": "Whom, by name; empty for whoever is there.",
            "reason": "What it is about, in one short sentence; the person will hear it.",
            "urgency": ("How urgent it is.", ("normal", "high")),
            "name": _NAME,
        },
    ),
    Tool.SEND_SMS.value: _Function(
        "Send a text message to the number that the caller calls from, if they want one.",
        {"text": "The message, at most 300 characters, with all that the caller needs."},
        ("text",),
    ),
    END_CALL: _Function(
        "Hang up. Say goodbye in the same answer. Use it only when the caller is finished.", {}
    ),
}
_BOOKING = (
    *(Tool.CHECK_AVAILABILITY, Tool.FIND_APPOINTMENTS, Tool.BOOK_APPOINTMENT),
    *(Tool.CHANGE_APPOINTMENT, Tool.CANCEL_APPOINTMENT, Tool.CONFIRM),
)


def functions(agent: Agent, *, can_text: bool = False, is_strict: bool = False) -> Functions:
    """The functions that make sense for an agent, as chat completions take them. ``is_strict``:
    the server knows OpenAI's field for exact arguments."""
    return tuple(_described(name, is_strict=is_strict) for name in _names(agent, can_text=can_text))


def _names(agent: Agent, *, can_text: bool) -> Iterator[str]:
    if agent.schedule.is_known:
        yield Tool.OPENING_HOURS.value
    if bookable(agent):
        yield from (tool.value for tool in _BOOKING)
    yield Tool.TAKE_MESSAGE.value
    if can_transfer(agent):
        yield Tool.TRANSFER_CALL.value
    if can_text:
        yield Tool.SEND_SMS.value
    yield END_CALL


def _described(name: str, *, is_strict: bool) -> dict[str, Any]:
    """A function; every argument is required, since exact schemas know no others."""
    told = _FUNCTIONS[name]
    parameters = {
        "type": "object",
        "properties": {one: _schema(values) for one, values in told.arguments.items()},
        "required": list(told.arguments),
        "additionalProperties": False,
    }
    function: dict[str, Any] = {"name": name, "description": told.description}
    function["parameters"] = parameters
    if is_strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _schema(values: Values) -> dict[str, Any]:
    if isinstance(values, str):
        return {"type": "string", "description": values}
    description, allowed = values
    return {"type": "string", "description": description, "enum": list(allowed)}


@dataclass(frozen=True, slots=True)
class Mistake:
    """The model used a tool wrongly; ``text`` tells it how."""

    text: str


def read_call(call: ToolCall, known: Functions, turn: int) -> ToolRequest | EndCall | Mistake:
    """What the model wants to have done, of the functions that it was told of. ``turn``: see
    ``heard.caller_turns``."""
    names = [function["function"]["name"] for function in known]
    if call.name not in names:
        return Mistake(f"Error: there is no such tool. There are {', '.join(names)}.")
    if call.name == END_CALL:
        return EndCall()
    try:
        given = orjson.loads(call.arguments or "{}")
    except ValueError:
        return Mistake("Error: the arguments are no valid JSON. Call the tool again.")
    if not isinstance(given, dict):
        return Mistake("Error: the arguments must be a JSON object. Call the tool again.")
    checked = _checked(_FUNCTIONS[call.name], given)
    if isinstance(checked, Mistake):
        return checked
    return request(Tool(call.name), checked, turn)


def request(tool: Tool, arguments: Mapping[str, str], turn: int) -> ToolRequest:
    """A use of a tool in answer to this turn; in nearly the same words it is the same one."""
    said = (f"{name}={_plain(text)}" for name, text in sorted(arguments.items()))
    return ToolRequest(tool, arguments, turn, f"{turn}:{tool.value}:{';'.join(said)}")


def _checked(function: _Function, given: Mapping[str, object]) -> dict[str, str] | Mistake:
    """The arguments as texts, if they can be used."""
    texts: dict[str, str] = {}
    for name, values in function.arguments.items():
        text = _text(given.get(name))
        if name in _MAY_BE_UNKNOWN and text.casefold().strip(". ") in _UNKNOWN:
            text = ""
        if name == "when":
            text = _OFFSET.sub(r"\1", text)
        if not text and name in function.needed:
            return Mistake(f'Error: "{name}" is missing. Ask the caller if you do not know it.')
        if name == "number":
            digits = re.sub(r"\D", "", text)
            if text and len(digits) not in _DIGITS:
                return Mistake('Error: "number" must be digits. Leave it empty if there is none.')
            text = ("+" if text.lstrip("( ").startswith("+") else "") + digits
        if not isinstance(values, str):
            text = text.casefold()
            if values[1] is _YES_NO:
                text = {"true": "yes", "false": "no"}.get(text, text)
        if not isinstance(values, str) and text not in values[1]:
            if text:
                return Mistake(f'Error: "{name}" must be one of {", ".join(values[1])}.')
            text = "no" if values[1] is _YES_NO else values[1][0]
        texts[name] = text[: _LONGEST_MESSAGE if name == "message" else _LONGEST]
    if "message" in texts:
        texts["complete"] = "yes"
    return texts


def _text(value: object) -> str:
    """A value as text; what is no text, number, or truth counts as missing. One in a list is meant
    by itself."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    is_text = isinstance(value, str | int | float)
    return " ".join(str(value).split()) if is_text else ""


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
