"""Chat completions of the simulated OpenAI: what a request may be, and the chunks of an answer."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from tests.simulators.vendors.openai_answers import Token, calls_in, count, text_in
from tests.simulators.vendors.openai_checks import (
    COMMON,
    EFFORTS,
    Check,
    Refused,
    array,
    check_choice,
    check_function,
    check_model,
    check_parameters,
    check_reasoning,
    flag,
    integer,
    mapping,
    number,
    one_of,
    text,
)

_PARAMETERS: dict[str, Check] = COMMON | {
    "messages": array,
    "max_completion_tokens": integer(),
    "max_tokens": integer(),
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "n": lambda value: type(value) is int and value == 1,  # more: not simulated
    "stop": lambda value: isinstance(value, str) or (isinstance(value, list) and len(value) <= 4),
    "seed": lambda value: type(value) is int,
    "reasoning_effort": one_of(*EFFORTS),
    "verbosity": one_of("low", "medium", "high"),
    "response_format": mapping,
    "logprobs": flag,
    "top_logprobs": integer(0),
    "logit_bias": mapping,
    "moderation": mapping,
    "modalities": lambda value: value == ["text"],  # audio: not simulated
    "prediction": mapping,
    "web_search_options": mapping,
}
_ROLES: dict[str, set[str]] = {
    "developer": {"role", "content", "name"},
    "system": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "tool_calls", "audio", "function_call"},
    "tool": {"role", "content", "tool_call_id"},
}
_PADDING = "aXq3fGm0Zr8tLw5Kp1Vd"


def check(body: Any, among: Collection[str]) -> None:
    """Raises Refused if OpenAI would not take this request."""
    check_parameters(body, _PARAMETERS, ("messages", "model"))
    check_model(body["model"], among)
    check_reasoning(body, body.get("reasoning_effort"))
    options = body.get("stream_options")
    if options is not None:
        if not body.get("stream"):
            raise Refused(
                "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
                param="stream_options",
            )
        for name, value in options.items():
            if name not in {"include_usage", "include_obfuscation"} or not flag(value):
                param = f"stream_options.{name}"
                raise Refused(f"Unknown parameter: '{param}'.", param=param)
    _check_tools(body)
    _check_messages(body["messages"])


def _check_tools(body: dict[str, Any]) -> None:
    names = set()
    if body.get("tools") == []:
        raise Refused("[] is too short - 'tools'", param="tools", code="empty_array")
    for index, tool in enumerate(body.get("tools") or ()):
        where = f"tools[{index}]"
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise Refused(
                f"Invalid value for '{where}.type'.", param=f"{where}.type", code="invalid_value"
            )
        if unknown := set(tool) - {"type", "function"}:
            name = f"{where}.{sorted(unknown)[0]}"
            raise Refused(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        check_function(tool.get("function"), f"{where}.function")
        names.add(tool["function"]["name"])
    choice = body.get("tool_choice")
    function = choice.get("function") if isinstance(choice, dict) else None
    check_choice(body, names, function.get("name") if isinstance(function, dict) else None)


def _check_messages(messages: list[Any]) -> None:
    if not messages:
        raise Refused("[] is too short - 'messages'", param="messages", code="empty_array")
    waiting: list[str] = []
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        _check_message(message, where)
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise Refused(
                    "Invalid parameter: messages with role 'tool' must be a response to a"
                    " preceding message with 'tool_calls'.",
                    param=f"{where}.role",
                )
            waiting.remove(message["tool_call_id"])
            continue
        _check_answered(waiting, where)
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
    _check_answered(waiting, f"messages[{len(messages)}]")


def _check_answered(waiting: list[str], where: str) -> None:
    if waiting:
        raise Refused(
            "An assistant message with 'tool_calls' must be followed by tool messages responding"
            " to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(waiting),
            param=f"{where}.role",
        )


def _check_message(message: Any, where: str) -> None:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise Refused(
            f"Invalid value for '{where}.role'.", param=f"{where}.role", code="invalid_value"
        )
    role = message["role"]
    if unknown := set(message) - _ROLES[role]:
        name = f"{where}.{sorted(unknown)[0]}"
        raise Refused(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
    content = message.get("content")
    if isinstance(content, list):
        good = bool(content) and all(_is_part(part) for part in content)
    else:
        good = isinstance(content, str) or (content is None and bool(message.get("tool_calls")))
    if not good:
        raise Refused(
            f"Invalid value for '{where}.content': expected a string.",
            param=f"{where}.content",
            code="invalid_type",
        )
    if role == "tool" and not isinstance(message.get("tool_call_id"), str):
        raise Refused(
            f"Missing parameter 'tool_call_id': '{where}'.", param=f"{where}.tool_call_id"
        )
    calls = message.get("tool_calls")
    if calls is not None and not (isinstance(calls, list) and calls and all(map(_is_call, calls))):
        raise Refused(f"Invalid value for '{where}.tool_calls'.", param=f"{where}.tool_calls")


def _is_part(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and text(part.get("text"))


def _is_call(call: Any) -> bool:
    return (
        isinstance(call, dict)
        and set(call) == {"id", "type", "function"}
        and text(call["id"])
        and call["type"] == "function"
        and isinstance(call["function"], dict)
        and set(call["function"]) == {"name", "arguments"}
        and all(map(text, call["function"].values()))
    )


class Chunks:
    """The chunks of one streamed answer, as JSON."""

    def __init__(self, body: dict[str, Any], link: int) -> None:
        options = body.get("stream_options") or {}
        self._body = body
        self._usage = bool(options.get("include_usage"))
        self._obfuscation = options.get("include_obfuscation", True)
        self._head = {
            "id": f"chatcmpl-{link:08}",
            "object": "chat.completion.chunk",
            "created": 1795219200,
            "model": body["model"],
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
        }
        self._calls = 0

    def role(self) -> str:
        """The first chunk, which has no text yet."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def token(self, token: Token) -> str:
        """A piece of text or of a tool call."""
        if token.call < 0:
            return self._chunk({"content": token.text})
        call: dict[str, Any] = {"index": token.call}
        if token.name:
            call |= {"id": token.call_id, "type": "function"}
            call["function"] = {"name": token.name, "arguments": ""}
        else:
            call["function"] = {"arguments": token.text}
        return self._chunk({"tool_calls": [call]})

    def end(self, tokens: list[Token]) -> list[str]:
        """The chunk with the reason of the end, and the one with the usage if it was asked for."""
        chunks = [self._chunk({}, finish_reason(self._body, tokens))]
        if self._usage:
            usage = usage_of(self._body, tokens)
            chunks.append(json.dumps(self._head | {"choices": [], "usage": usage}))
        return chunks

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        chunk: dict[str, Any] = self._head | {"choices": [choice]}
        if self._usage:
            chunk["usage"] = None
        if self._obfuscation:
            size = len(delta.get("content") or "")
            chunk["obfuscation"] = _PADDING[: max(1, len(_PADDING) - size)]
        return json.dumps(chunk)


def finish_reason(body: dict[str, Any], tokens: list[Token]) -> str:
    """Why the answer ended."""
    if len(tokens) == longest(body):
        return "length"
    return "tool_calls" if calls_in(tokens) else "stop"


def longest(body: dict[str, Any]) -> int | None:
    """How many tokens the client wants at most."""
    most: int | None = body.get("max_completion_tokens") or body.get("max_tokens")
    return most


def usage_of(body: dict[str, Any], tokens: list[Token]) -> dict[str, Any]:
    """The bill."""
    prompt = count(body["messages"]) + (count(body["tools"]) if body.get("tools") else 0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": len(tokens),
        "total_tokens": prompt + len(tokens),
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def completion(body: dict[str, Any], tokens: list[Token], link: int) -> dict[str, Any]:
    """An answer that is not streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": text_in(tokens) or None}
    message["refusal"] = None
    if calls := calls_in(tokens):
        message["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id_, name, arguments in calls
        ]
    choice = {"index": 0, "message": message, "logprobs": None}
    return {
        "id": f"chatcmpl-{link:08}",
        "object": "chat.completion",
        "created": 1795219200,
        "model": body["model"],
        "choices": [choice | {"finish_reason": finish_reason(body, tokens)}],
        "usage": usage_of(body, tokens),
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }
