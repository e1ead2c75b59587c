"""The events of one answer of the simulated Responses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.simulators.vendors.openai_answers import Token, count
from tests.simulators.vendors.openai_checks import Refused

_PADDING = "aXq3fGm0Zr8tLw5Kp1Vd"


class Answer:
    """Grows token by token. ``output``: its finished items."""

    def __init__(self, body: dict[str, Any], name: str) -> None:
        self.name = name
        self.output: list[dict[str, Any]] = []
        options = body.get("stream_options") or {}
        self._obfuscation = options.get("include_obfuscation", True)
        self._body = body
        self._number = -1
        self._tokens = 0
        self._item: dict[str, Any] | None = None
        self._call = -1
        self.response: dict[str, Any] = {
            "id": name,
            "object": "response",
            "created_at": 1795219200,
            "status": "in_progress",
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "model": body["model"],
            "output": [],
            "parallel_tool_calls": body.get("parallel_tool_calls", True),
            "previous_response_id": body.get("previous_response_id"),
            "service_tier": "default",
            "store": body.get("store", True),
            "temperature": body.get("temperature", 1.0),
            "tool_choice": body.get("tool_choice", "auto"),
            "tools": body.get("tools", []),
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": None,
            "metadata": {},
        }

    def begin(self) -> Iterator[dict[str, Any]]:
        """What comes at once."""
        yield self._event("response.created", response=dict(self.response))
        yield self._event("response.in_progress", response=dict(self.response))

    def token(self, token: Token) -> Iterator[dict[str, Any]]:
        """A token, with what opens and closes its item."""
        self._tokens += 1
        if self._item is None or token.call != self._call or token.name:
            yield from self._close_item()
            yield from self._open_item(token)
        assert self._item is not None
        if token.name:
            return
        place = {"item_id": self._item["id"], "output_index": len(self.output)}
        if self._obfuscation:
            place["obfuscation"] = _PADDING[: max(1, len(_PADDING) - len(token.text))]
        if token.call >= 0:
            self._item["arguments"] += token.text
            kind = "response.function_call_arguments.delta"
            yield self._event(kind, delta=token.text, **place)
        else:
            self._item["content"][0]["text"] += token.text
            kind = "response.output_text.delta"
            yield self._event(kind, delta=token.text, content_index=0, logprobs=[], **place)

    def rest(self, tokens: list[Token]) -> Iterator[dict[str, Any]]:
        """The remaining tokens and the end."""
        for token in tokens:
            yield from self.token(token)
        yield from self._close_item()
        short = self._tokens == self._body.get("max_output_tokens")
        self.response["status"] = "incomplete" if short else "completed"
        if short:
            self.response["incomplete_details"] = {"reason": "max_output_tokens"}
        self.response["output"] = self.output
        asked = count(self._body.get("input"))
        self.response["usage"] = {
            "input_tokens": asked,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": self._tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked + self._tokens,
        }
        yield self._event(f"response.{self.response['status']}", response=self.response)

    def error(self, refused: Refused) -> dict[str, Any]:
        """An error in place of the rest."""
        fields = {name: refused.error[name] for name in ("code", "message", "param")}
        return self._event("error", **fields)

    def _open_item(self, token: Token) -> Iterator[dict[str, Any]]:
        index = len(self.output)
        self._call = token.call
        item: dict[str, Any] = {"id": f"item_{self.name}_{index}", "status": "in_progress"}
        if token.call >= 0:
            item |= {"type": "function_call", "call_id": token.call_id, "name": token.name}
            item["arguments"] = ""
        else:
            item |= {"type": "message", "role": "assistant", "content": []}
        self._item = item
        added = item | ({"content": []} if token.call < 0 else {})
        yield self._event("response.output_item.added", output_index=index, item=added)
        if token.call < 0:
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            place = {"item_id": item["id"], "output_index": index, "content_index": 0}
            yield self._event("response.content_part.added", part=dict(part), **place)
            item["content"] = [part]

    def _close_item(self) -> Iterator[dict[str, Any]]:
        item = self._item
        if item is None:
            return
        place: dict[str, Any] = {"item_id": item["id"], "output_index": len(self.output)}
        if item["type"] == "function_call":
            whole = {"arguments": item["arguments"], "name": item["name"]}
            yield self._event("response.function_call_arguments.done", **whole, **place)
        else:
            part = item["content"][0]
            place["content_index"] = 0
            whole = {"text": part["text"], "logprobs": []}
            yield self._event("response.output_text.done", **whole, **place)
            yield self._event("response.content_part.done", part=part, **place)
        item["status"] = "completed"
        index = len(self.output)
        yield self._event("response.output_item.done", output_index=index, item=item)
        self.output.append(item)
        self._item = None

    def _event(self, kind: str, **fields: Any) -> dict[str, Any]:
        self._number += 1
        return {"type": kind, "sequence_number": self._number} | fields
