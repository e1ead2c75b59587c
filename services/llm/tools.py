"""What a language model may do in a call: its tools, and what it says when it uses one wrongly.

A model's arguments are a stranger's words: they may be no JSON, incomplete, or made up. They are
checked here, and a mistake is answered in words from which the model can learn in the next round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.llm import EndCall, TakeMessage
from services.llm.openai_stream import ToolCall

_LONGEST_NAME = 200
_LONGEST_MESSAGE = 3000
_DIGITS = range(3, 16)
"""The shortest number that somebody may leave, and the longest of E.164."""

STORED = "Stored; the team will see it. Tell the caller so in one short sentence."
STORED_BEFORE = "This message was stored before; there is no need to store it again."
NOT_YET = "Not yet: first deal with the error of the other call."


def _function(name: str, description: str, /, **texts: str) -> dict[str, Any]:
    properties = {key: {"type": "string", "description": text} for key, text in texts.items()}
    parameters = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    function = {"name": name, "description": description, "parameters": parameters}
    return {"type": "function", "function": function}


TOOLS: tuple[dict[str, Any], ...] = (
    _function(
        "take_message",
        "Store a message for the team. Use it once for each message, after the caller has confirmed"
        " the message, the name and the number.",
        name="The caller's name; empty if they will not give it.",
        number="The number to call back, digits only; empty if they will not give one.",
        message="The message in the caller's own words, and for whom it is, if for somebody.",
    ),
    _function(
        "end_call",
        "Hang up. Say goodbye in the same answer. Use it only when the caller is finished.",
    ),
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """The model used a tool wrongly; ``text`` tells it how."""

    text: str


def read_call(call: ToolCall) -> TakeMessage | EndCall | Mistake:
    """What the model wants to have done."""
    if call.name == "end_call":
        return EndCall()
    if call.name != "take_message":
        return Mistake("Error: there is no such tool.")
    try:
        given = orjson.loads(call.arguments or "{}")
    except ValueError:
        return Mistake("Error: the arguments are no valid JSON. Call the tool again.")
    if not isinstance(given, dict):
        return Mistake("Error: the arguments must be a JSON object. Call the tool again.")
    name, number, message = (_text(given.get(key)) for key in ("name", "number", "message"))
    if not message:
        return Mistake('Error: "message" is missing. Ask the caller for it if you do not know it.')
    digits = re.sub(r"\D", "", number)
    if number and len(digits) not in _DIGITS:
        return Mistake('Error: "number" must be digits. Leave it empty if there is none.')
    plus = "+" if number.lstrip("( ").startswith("+") else ""
    return TakeMessage(name[:_LONGEST_NAME], plus + digits, message[:_LONGEST_MESSAGE])


def _text(value: object) -> str:
    """A value as text; what is neither text nor a number counts as missing."""
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return " ".join(str(value).split()) if is_text else ""


@dataclass(slots=True)
class CallNotes:
    """What was done in a call; shared by all brains that think in it.

    The history holds only what was heard, so a model would not know that it has stored a message
    before the caller interrupted it.
    """

    messages: list[TakeMessage] = field(default_factory=list)

    def has(self, message: TakeMessage) -> bool:
        """Whether this message was taken before, in nearly the same words."""
        return any(_same(message) == _same(one) for one in self.messages)

    def add(self, message: TakeMessage) -> None:
        """A message was taken."""
        if not self.has(message):
            self.messages.append(message)

    @property
    def lines(self) -> Sequence[str]:
        """What was done, for the model."""
        return [
            f"You have already stored this message for the team: {one.message!r}"
            f" (name: {one.name or 'not given'}, number: {one.number or 'not given'})."
            for one in self.messages
        ]


def _same(message: TakeMessage) -> tuple[str, ...]:
    parts = message.name, message.number, message.message
    return tuple(" ".join(re.findall(r"\w+", part.lower())) for part in parts)
