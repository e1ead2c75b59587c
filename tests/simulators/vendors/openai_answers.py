"""What the simulated models say, and how fast: shared by chat completions and Responses."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

DEFAULT_ANSWER = "Thank you for calling. We are open from nine to five, Monday to Friday."

_TOKEN = re.compile(r"\s*\S{1,6}|\s+")


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model calls a tool. ``arguments``: JSON, or what becomes JSON."""

    name: str
    arguments: str | dict[str, Any] = ""

    @property
    def json(self) -> str:
        """The arguments as they go over the wire."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


Reply = str | ToolCall | Sequence[str | ToolCall]
"""What a model says: text, tool calls, or text before tool calls."""


@runtime_checkable
class ToolModel(Protocol):
    """A model that looks at the tools that it is offered, as well as at the messages."""

    def reply(self, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Reply:
        """What it says, and which tools it calls."""


Answers = Callable[[list[dict[str, Any]]], Reply] | Sequence[Reply] | ToolModel | None
"""A function of the messages, or a model that knows tools as well; or one reply for each request,
in order; else a standing answer."""


@dataclass(frozen=True, slots=True)
class Token:
    """The least that a model streams. ``call``: which tool call it belongs to, -1 for text.

    The first token of a call has its id and name and no text.
    """

    text: str
    call: int = -1
    call_id: str = ""
    name: str = ""


class Pace:
    """When each token of a reply is due."""

    def __init__(self, first_s: float, each_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._begin = self._loop.time() + first_s
        self._each_s = each_s

    async def until(self, number: int) -> None:
        """Wait for token ``number`` (from 0) to be due."""
        wait = self._begin + number * self._each_s - self._loop.time()
        if wait > 0:
            await asyncio.sleep(wait)


class Model:
    """Gives the answers, at its speed."""

    def __init__(self, answers: Answers, first_token_ms: float, tokens_per_s: float) -> None:
        self.first_token_ms = first_token_ms
        self.tokens_per_s = tokens_per_s
        self.answers = answers
        self._given = 0
        self._calls = 0

    def answer(
        self,
        messages: list[dict[str, Any]],
        longest: int | None,
        tools: list[dict[str, Any]] | None = None,
    ) -> list[Token]:
        """The tokens of the next reply, at most ``longest``."""
        reply: Reply = DEFAULT_ANSWER
        if isinstance(self.answers, ToolModel):
            reply = self.answers.reply(messages, tools or [])
        elif callable(self.answers):
            reply = self.answers(messages)
        elif self.answers is not None and self._given < len(self.answers):
            reply = self.answers[self._given]
            self._given += 1
        parts = [reply] if isinstance(reply, str | ToolCall) else list(reply)
        tokens: list[Token] = []
        for part in parts:
            if isinstance(part, str):
                tokens += [Token(text) for text in _TOKEN.findall(part)]
                continue
            self._calls += 1
            call = max((token.call for token in tokens), default=-1) + 1
            tokens.append(Token("", call, f"call_{self._calls:08}", part.name))
            tokens += [Token(text, call) for text in re.findall(r"(?s).{1,8}", part.json)]
        return tokens if longest is None else tokens[:longest]

    def pace(self) -> Pace:
        """For a reply that begins now."""
        return Pace(self.first_token_ms / 1000, 1 / self.tokens_per_s)

    async def all_at_once(self, tokens: list[Token]) -> None:
        """Wait as long as the tokens take."""
        await asyncio.sleep(self.first_token_ms / 1000 + len(tokens) / self.tokens_per_s)


def text_in(tokens: list[Token]) -> str:
    """The text of an answer."""
    return "".join(token.text for token in tokens if token.call < 0)


def calls_in(tokens: list[Token]) -> list[tuple[str, str, str]]:
    """The tool calls of an answer: id, name, arguments."""
    calls = [token for token in tokens if token.name]
    return [
        (call.call_id, call.name, "".join(t.text for t in tokens if t.call == call.call))
        for call in calls
    ]


def count(value: Any) -> int:
    """About how many tokens something has."""
    return len(json.dumps(value)) // 4 + 1
