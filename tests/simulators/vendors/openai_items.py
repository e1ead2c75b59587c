"""What the simulated Responses refuses in the items of a conversation and in its tools."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tests.simulators.vendors.openai_checks import Refused, check_choice, check_function, text

_PARTS = {"user": "input_text", "system": "input_text", "developer": "input_text"}


def check_tools(body: dict[str, Any]) -> None:
    names = set()
    for index, tool in enumerate(body.get("tools") or ()):
        where = f"tools[{index}]"
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise Refused(f"Invalid value for '{where}.type'.", param=f"{where}.type")
        check_function(tool, where)
        names.add(tool["name"])
    choice = body.get("tool_choice")
    check_choice(body, names, choice.get("name") if isinstance(choice, dict) else None)


def check_item(item: Any, where: str) -> None:
    if not isinstance(item, dict):
        raise Refused(f"Invalid type for '{where}'.", param=where, code="invalid_type")
    kind = item.get("type", "message")
    if kind == "message":
        role, content = item.get("role"), item.get("content")
        if role not in {*_PARTS, "assistant"}:
            raise Refused(f"Invalid value for '{where}.role'.", param=f"{where}.role")
        wanted = _PARTS.get(role, "output_text")
        good = isinstance(content, str) or (
            isinstance(content, list)
            and all(isinstance(part, dict) and part.get("type") == wanted for part in content)
        )
        allowed = {"type", "role", "content", "id", "status", "phase"}
    elif kind == "function_call":
        good = all(text(item.get(name)) for name in ("call_id", "name", "arguments"))
        allowed = {"type", "call_id", "name", "arguments", "id", "status"}
    elif kind == "function_call_output":
        good = text(item.get("call_id")) and isinstance(item.get("output"), str | list)
        allowed = {"type", "call_id", "output", "id", "status"}
    else:
        raise Refused(f"Invalid value for '{where}.type'.", param=f"{where}.type")
    if not good:
        raise Refused(f"Invalid value for '{where}'.", param=where, code="invalid_value")
    if unknown := set(item) - allowed:
        name = f"{where}.{sorted(unknown)[0]}"
        raise Refused(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def check_calls(conversation: Collection[dict[str, Any]]) -> None:
    called = [i["call_id"] for i in conversation if i.get("type") == "function_call"]
    answered = [i["call_id"] for i in conversation if i.get("type") == "function_call_output"]
    for call_id in answered:
        if call_id not in called:
            raise Refused(
                f"No tool call found for function call output with call_id {call_id}.",
                param="input",
            )
    for call_id in called:
        if call_id not in answered:
            raise Refused(f"No tool output found for function call {call_id}.", param="input")
