"""A language model that does a receptionist's work with function calls, by rules.

It knows what a real one would know: the messages of the request, and the tools that it offers. It
is strict with itself and with the server: a tool that is not offered, or arguments that do not fit
its schema, are an error of the test. What was proposed it knows from the notes in the prompt.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulators.vendors.openai_answers import Reply, ToolCall

_YES = re.compile(r"\b(?:yes|yeah|right|correct|please do|do that|that's fine|sure)\b", re.I)
_NO = re.compile(r"\b(?:no|nope|wrong|not)\b", re.I)
_REFERENCE = re.compile(r"\breference\W+(?:is\W+)?([A-Za-z0-9][A-Za-z0-9-]{2,})", re.I)
_NAME = re.compile(r"\b(?i:my name is|this is|I'm|I am)\s+([A-Z]\w+(?: [A-Z]\w+)?)")
_NUMBER = re.compile(r"\+?\d[\d\s().-]{5,}\d")
_WHEN = re.compile(
    r"\b(?:(?:on |the |this |next |at |in the )*(?:today|tomorrow|day after|next day|day before|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday|morning|afternoon|week|noon|"
    r"half past|quarter (?:to|past)|\d{1,2}(?::\d\d)?|one|two|three|four|five|six|seven|eight|"
    r"nine|ten|eleven|twelve)\b.*)",
    re.I,
)
_AFTER_WHEN = re.compile(
    r"[,.;]?\s*(?:please|my name|this is|for a |if |thanks?|instead)\b.*", re.I
)
_NOTE = re.compile(r"^\(Note, not from the caller:.*?\)\s*", re.S)
_PROPOSED = re.compile(
    r"^[^:]*: (?P<what>.*?)(?:, reference \S+|, which is held for two minutes)?\. "
    r"(?=.*\buse confirm\b)",
    re.S,
)
"""A result that has to be confirmed: what is to be read back."""
_INSTRUCTION = re.compile(
    r"^(?:Ask|Offer|Read|Tell|When the|Say|Use|Do not|If|Give|Their name)\b|\buse \w+_\w+"
)
_READ_BACK = "Is that right?"
_NAME_IS_MISSING = "The name is missing"
_ASK_NAME = "What name shall I put it under?"
_DIGITS = {
    **{"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4"},
    **{"five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9"},
}
_ASKS_OF_MESSAGE = ("what is the message?", "What is your name?", "can we call you on?")
_MESSAGE = "Your message is: “{}”. {}, we will call {}. Is that right?"
_READ_MESSAGE = re.compile(
    r"Your message is: “(?P<message>.*)”\. (?P<name>.*), we will call (?P<number>.*)\. Is that"
)


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the model sees: the caller's words, the agent's before, and what it has done since."""

    system: str
    said: str
    before: str
    everything: Sequence[str]
    used: Sequence[tuple[str, Mapping[str, Any], str]]

    @classmethod
    def of(cls, messages: list[dict[str, Any]]) -> _Moment:
        last = max(n for n, one in enumerate(messages) if one["role"] == "user")
        results = {
            one["tool_call_id"]: one["content"] for one in messages[last:] if one["role"] == "tool"
        }
        used = [
            (call["function"]["name"], json.loads(call["function"]["arguments"]), result)
            for one in messages[last:]
            for call in one.get("tool_calls") or ()
            if (result := results.get(call["id"])) is not None
        ]
        spoken = [one for one in messages[:last] if one["role"] == "assistant"]
        said = [_NOTE.sub("", one["content"]) for one in messages if one["role"] == "user"]
        before = spoken[-1]["content"] or "" if spoken else ""
        return cls(messages[0]["content"], said[-1], before, said, used)

    @property
    def last_tool(self) -> str:
        return self.used[-1][0] if self.used else ""

    @property
    def name(self) -> str:
        """What the caller is called, if they have said so."""
        found = [match[1] for said in self.everything for match in _NAME.finditer(said)]
        return found[-1] if found else ""

    @property
    def when(self) -> str:
        return _when(self.said)

    @property
    def when_before(self) -> str:
        """The last time that the caller has spoken of."""
        return next(filter(None, map(_when, reversed(self.everything))), "")

    @property
    def reference(self) -> str:
        """The last one that the prompt's notes, or a tool of this turn, tell of."""
        told = [self.system, *(result for _, _, result in self.used)]
        found = [match[1] for text in told for match in _REFERENCE.finditer(text)]
        return found[-1] if found else ""

    def says(self, words: str) -> bool:
        return bool(re.search(rf"\b(?:{words})\b", self.said, re.I))


class ReceptionistModel:
    """Books, changes, cancels, takes messages, tells prices and hours, transfers, says goodbye.

    ``services``: name -> words by which callers mean it. ``people``: names that may be asked for.
    """

    def __init__(self, services: Mapping[str, str], people: Sequence[str] = ()) -> None:
        self._services = services
        self._people = people
        self.calls: list[ToolCall] = []
        """All that it has called, in order."""

    def reply(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Reply:
        """See ``ToolModel``."""
        moment = _Moment.of(messages)
        offered = {tool["function"]["name"]: tool["function"]["parameters"] for tool in tools}
        parts = list(self._after_tools(moment) if moment.used else self._answer(moment, offered))
        for part in parts:
            if isinstance(part, ToolCall):
                _check_call(part, offered)
                self.calls.append(part)
        return parts

    # --- after tools --------------------------------------------------------------------------

    def _after_tools(self, moment: _Moment) -> Iterator[str | ToolCall]:
        tool, _, result = moment.used[-1]
        if tool == "find_appointments" and moment.reference:
            wish = {"reference": moment.reference}
            if moment.says("cancel"):
                yield ToolCall("cancel_appointment", wish)
            else:
                yield ToolCall("change_appointment", {**wish, "when": moment.when})
        elif _NAME_IS_MISSING in result:
            yield _ASK_NAME
        elif proposed := _PROPOSED.match(result):
            what = proposed["what"]
            yield f"{what[:1].upper()}{what[1:]}. {_READ_BACK}"
        elif result.startswith("Done"):
            yield f"{_for_caller(result)} Is there anything else?"
        else:
            yield _for_caller(result) or "Please tell me more."

    # --- the caller's words -------------------------------------------------------------------

    def _answer(self, moment: _Moment, offered: Mapping[str, Any]) -> Iterator[str | ToolCall]:
        if _READ_BACK in moment.before:
            yield from self._read_back(moment)
        elif moment.before.endswith(_ASK_NAME) and not moment.when:
            yield self._booking(moment, moment.name or moment.said.strip(" ."))
        elif moment.says("message") or moment.before.endswith(_ASKS_OF_MESSAGE):
            yield from self._message(moment)
        elif moment.says("how much|price|cost|charge"):
            yield self._price(moment)
        elif moment.says("hours|close") or moment.says("you open"):
            yield ToolCall("opening_hours", {"when": moment.when or "today"})
        elif moment.says("bye|goodbye|that's all|nothing else"):
            yield from ("Thank you for calling, goodbye.", ToolCall("end_call", "{}"))
        elif (person := self._wants_person(moment)) is not None:
            yield from self._transfer(person, moment, offered)
        elif moment.says("change|move|reschedule|cancel"):
            yield ToolCall("find_appointments", {"name": "", "number": ""})
        elif moment.says("text me|sms|text message"):
            yield ToolCall("send_sms", {"text": "Your appointment is noted."})
        elif moment.says("book|appointment|free|available|come in") or self._is_booking(moment):
            yield from self._appointment(moment, offered)
        else:
            yield "How can I help you with that?"

    def _read_back(self, moment: _Moment) -> Iterator[str | ToolCall]:
        """The caller answers what was read back to them."""
        taken = _READ_MESSAGE.search(moment.before)
        if taken and _YES.search(moment.said):
            yield ToolCall("take_message", {**taken.groupdict(), "urgent": "no"})
        elif _YES.search(moment.said) and not _NO.search(moment.said):
            yield ToolCall("confirm", {"reference": moment.reference})
        elif moment.when and not taken:
            yield from self._appointment(moment, {"book_appointment": None})
        else:
            yield "Sorry about that. What should it be?"

    def _appointment(self, moment: _Moment, offered: Mapping[str, Any]) -> Iterator[str | ToolCall]:
        service = self._service(moment)
        if "book_appointment" not in offered:
            yield "I cannot make appointments, but I can take a message."
        elif not service:
            yield "Which service would you like?"
        elif not moment.when:
            yield "When would you like to come?"
        elif moment.says("free|available"):
            yield ToolCall("check_availability", {"service": service, "when": moment.when})
        else:
            yield self._booking(moment, moment.name)

    def _booking(self, moment: _Moment, name: str) -> ToolCall:
        wish = {"service": self._service(moment), "when": moment.when_before}
        return ToolCall("book_appointment", {**wish, "name": name, "number": ""})

    def _service(self, moment: _Moment) -> str:
        """The last service that the caller has spoken of."""
        for said in reversed(moment.everything):
            for name, words in self._services.items():
                if re.search(rf"\b(?:{words})\b", said, re.I):
                    return name
        return ""

    def _is_booking(self, moment: _Moment) -> bool:
        """Whether a service is named, or a time for one that was."""
        speaks_of_one = any(moment.says(words) for words in self._services.values())
        return speaks_of_one or bool(moment.when and self._service(moment))

    def _price(self, moment: _Moment) -> str:
        """As the facts of the prompt have it."""
        name = self._service(moment)
        match = re.search(
            rf"^- {re.escape(name)}[^:(\n]*(?:\([^)]*\))?: ([^,\n]+)", moment.system, re.M
        )
        return f"{name} costs {match[1]}." if name and match else "I do not know that."

    def _wants_person(self, moment: _Moment) -> str | None:
        """Who is asked for; "" for anybody."""
        if not moment.says("speak|talk|person|human|somebody|someone|put me through|transfer"):
            return None
        return next((name for name in self._people if moment.says(re.escape(name))), "")

    def _transfer(
        self, person: str, moment: _Moment, offered: Mapping[str, Any]
    ) -> Iterator[str | ToolCall]:
        if "transfer_call" not in offered:
            yield "I cannot put you through, but I can take a message."
            return
        urgency = "high" if moment.says("urgent|emergency|at once") else "normal"
        wish = {"person": person, "reason": moment.said, "urgency": urgency, "name": moment.name}
        yield ToolCall("transfer_call", wish)

    def _message(self, moment: _Moment) -> Iterator[str | ToolCall]:
        """Asks for the message, the name and the number, one after the other."""
        if "what is the message" in moment.before:
            yield "I will put that in the message. What is your name?"
        elif "What is your name" in moment.before:
            yield "For the message, what number can we call you on?"
        elif "what number" in moment.before:
            text, name, number = moment.everything[-3:]
            match = _NUMBER.search(_in_digits(number))
            digits = re.sub(r"\D", "", match[0]) if match else ""
            called = match[1] if (match := _NAME.search(name)) else name.strip(" .")
            yield _MESSAGE.format(text.strip(" ."), called, digits)
        else:
            yield "Of course, what is the message?"


def _when(said: str) -> str:
    match = _WHEN.search(said)
    return _AFTER_WHEN.sub("", match[0]).strip(" .?!,") if match else ""


def _in_digits(said: str) -> str:
    """Numbers that a recogniser has written in words."""
    return re.sub(r"[a-z]+", lambda word: _DIGITS.get(word[0], word[0]), said.lower())


def _for_caller(text: str) -> str:
    """What a tool tells, without what it tells the model to do."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    said = [one for one in sentences if not _INSTRUCTION.search(one)]
    return " ".join(re.sub(r' \(reference "[^"]*"\)', "", one) for one in said)


def _check_call(call: ToolCall, offered: Mapping[str, Any]) -> None:
    """As a server that knows strict schemas would hold a model to them."""
    assert call.name in offered, f"the tool {call.name} is not offered"
    schema, arguments = offered[call.name], json.loads(call.json or "{}")
    assert set(arguments) == set(schema["required"]), f"{call.name}: other arguments than required"
    for name, value in arguments.items():
        wanted = schema["properties"][name]
        assert wanted["type"] == "string", f"{call.name}.{name}: of a type that is not known here"
        assert isinstance(value, str), f"{call.name}.{name} is no text"
        allowed = wanted.get("enum")
        assert allowed is None or value in allowed, f"{call.name}.{name} is none of {allowed}"
