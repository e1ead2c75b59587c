"""A streamed chat completion: bytes of server-sent events -> text, tool calls, usage. Pure.

Protocol facts (openai 3.52, ``types.chat.chat_completion_chunk``): each event is one line
``data: {chunk}``, the last is ``data: [DONE]``; the usage comes in a chunk whose ``choices`` are
empty; of a tool call the first fragment has ``id`` and ``name``, later ones only append to
``arguments``. Compatible servers differ in small ways: a whole call in one fragment, no ``id`` or
``index``, thoughts in the text between ``<think>`` and ``</think>``. All of these are understood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

_LONGEST_LINE = 1 << 20
_FIELDS_TO_SKIP = (b":", b"event:", b"id:", b"retry:")
_BEGIN, _END = "<think>", "</think>"


class StreamError(Exception):
    """The stream says that something failed, or cannot be understood. ``code``: the vendor's own,
    or ``malformed``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(slots=True)
class ToolCall:
    """A tool that the model wants to use; ``arguments`` is JSON, if the model got it right."""

    id: str
    name: str
    arguments: str = ""

    def as_message(self) -> dict[str, Any]:
        """As it stands in the assistant's message."""
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": self.id, "type": "function", "function": function}


@dataclass(slots=True)
class Usage:
    """Tokens, as the vendor counts them; ``cached`` are those of the prompt that cost less."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    requests: int = 0

    def add(self, other: Usage) -> None:
        """Count a request's tokens in."""
        self.prompt += other.prompt
        self.cached += other.cached
        self.completion += other.completion
        self.requests += other.requests


class Events:
    """Cuts the bytes of a stream, however they come, into the data of its events.

    Each ``data`` line is an event of its own: no server spreads its JSON over several lines.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data that is complete now. Raises StreamError for what is no event stream."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            raise StreamError("malformed")
        found = []
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                found.append(line[5:].strip())
            elif line and not line.startswith(_FIELDS_TO_SKIP):
                raise StreamError("malformed")
        return found


class Completion:
    """One answer of the model, put together from its chunks."""

    def __init__(self) -> None:
        self.text = ""
        self.calls: list[ToolCall] = []
        self.finish_reason = ""
        self.usage: Usage | None = None
        self.ended = False
        """``[DONE]`` has come: there is nothing more."""
        self._at: dict[int, ToolCall] = {}
        self._thoughts = _Thoughts()

    @property
    def has_begun(self) -> bool:
        """Whether there is something to say or to do."""
        return bool(self.text.strip() or self.calls)

    @property
    def is_whole(self) -> bool:
        """Whether the model came to its end; what may still follow is book-keeping."""
        return bool(self.finish_reason) or self.ended

    def feed(self, data: bytes) -> str:
        """Take one event; the text to say in it. Raises StreamError."""
        if data == b"[DONE]":
            self.ended = True
            return ""
        try:
            chunk = orjson.loads(data)
            if error := chunk.get("error"):
                raise StreamError(_code(error))
            if usage := chunk.get("usage"):
                self.usage = _usage(usage)
            return self._choice(chunk["choices"][0]) if chunk["choices"] else ""
        except (ValueError, TypeError, KeyError, AttributeError):
            raise StreamError("malformed") from None

    def as_message(self) -> dict[str, Any]:
        """The assistant's message, for the next round of a conversation with tools."""
        calls = [call.as_message() for call in self.calls]
        return {"role": "assistant", "content": self.text or None, "tool_calls": calls}

    def _choice(self, choice: dict[str, Any]) -> str:
        delta = choice.get("delta") or {}
        for fragment in delta.get("tool_calls") or ():
            self._fragment(fragment)
        text = self._thoughts.left_out(delta.get("content") or delta.get("refusal") or "")
        self.text += text
        if reason := choice.get("finish_reason"):
            self.finish_reason = str(reason)
            rest = self._thoughts.flush()
            self.text += rest
            text += rest
        return text

    def _fragment(self, fragment: dict[str, Any]) -> None:
        function = fragment.get("function") or {}
        index = int(fragment.get("index") or 0)
        call, name, own_id = self._at.get(index), function.get("name"), fragment.get("id")
        is_new = call is None or (name and call.name and own_id != call.id)
        if call is None or is_new:
            call = ToolCall(own_id or f"call_{len(self.calls) + 1}", "")
            self._at[index] = call
            self.calls.append(call)
        call.name = call.name or str(name or "")
        arguments = function.get("arguments") or ""
        call.arguments += (
            arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode()
        )


class _Thoughts:
    """Leaves out what a model thinks aloud before it answers."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self._over = False

    def left_out(self, text: str) -> str:
        """The part of the text that is no thought, as far as it is certain."""
        if self._over or not text:
            return text
        self._held += text
        if not self._inside:
            begun = self._held.lstrip()
            if _BEGIN.startswith(begun[: len(_BEGIN)]) and len(begun) < len(_BEGIN):
                return ""
            self._inside = begun.startswith(_BEGIN)
        if self._inside:
            _, end, rest = self._held.partition(_END)
            if not end:
                return ""
            self._held = rest.lstrip()
        self._over = bool(self._held)
        self._inside = False
        return self._held

    def flush(self) -> str:
        """What was held back for no reason."""
        rest = "" if self._over or self._inside else self._held
        self._over = True
        return rest


def _usage(usage: dict[str, Any]) -> Usage:
    details = usage.get("prompt_tokens_details") or {}
    return Usage(
        int(usage.get("prompt_tokens") or 0),
        int(details.get("cached_tokens") or 0),
        int(usage.get("completion_tokens") or 0),
        1,
    )


def _code(error: object) -> str:
    if not isinstance(error, dict):
        return "error"
    return str(error.get("code") or error.get("type") or "error")
