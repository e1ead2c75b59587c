"""Responses of the simulated OpenAI, over HTTP and over a socket."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.simulators.vendors import openai_models
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai_answers import Token
from tests.simulators.vendors.openai_checks import (
    COMMON,
    Check,
    Refused,
    array,
    by_status,
    check_model,
    check_parameters,
    check_reasoning,
    flag,
    integer,
    mapping,
    one_of,
    text,
)
from tests.simulators.vendors.openai_events import Answer
from tests.simulators.vendors.openai_http import EventStream, Hit, House, read_json, whole
from tests.simulators.vendors.openai_items import check_calls, check_item, check_tools
from tests.simulators.vendors.openai_lanes import Lanes

_PARAMETERS: dict[str, Check] = COMMON | {
    "input": lambda value: isinstance(value, str | list),
    "instructions": text,
    "previous_response_id": text,
    "max_output_tokens": integer(16),
    "reasoning": mapping,
    "text": mapping,
    "truncation": one_of("auto", "disabled"),
    "include": array,
    "max_tool_calls": integer(),
}
_SOCKET_ONLY: dict[str, Check] = {"type": text, "generate": flag, "stream_id": text}
_MOST_KEPT = 1000

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Responses:
    """``/v1/responses``: POST for one answer, GET for a socket."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stored: dict[str, list[dict[str, Any]]] = {}
        """What was said up to each answer, for ``previous_response_id``."""

    async def answer(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse:
        """One answer over HTTP. Raises Refused."""
        body = await read_json(request)
        messages = self._check(body, _PARAMETERS)
        self._note(link, body, messages)
        answer = Answer(body, f"resp_{link:08}")
        tokens = self._house.model.answer(messages, body.get("max_output_tokens"))
        if not body.get("stream"):
            await self._house.model.all_at_once(tokens)
            self._house.note(link, "done", tokens=len(tokens))
            for _ in answer.rest(tokens):
                pass
            self._store(answer, messages)
            return await whole(request, link, fault, answer.response)
        stream = EventStream(request, link)

        async def send(event: dict[str, Any]) -> None:
            if not stream.ended:
                await stream.send(json.dumps(event), event["type"])

        async def hit(fault: Fault) -> None:
            if fault.trouble is Trouble.CLOSE:
                await send(answer.error(by_status(500, fault.reason)))
                await stream.end()
            else:
                await stream.strike(fault)

        await self._stream(link, answer, tokens, send, fault, hit)
        if not stream.ended:
            self._store(answer, messages)
            await stream.end()
        return stream.answer

    async def serve(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse:
        """A socket for many answers."""
        socket = web.WebSocketResponse(compress=False, max_msg_size=16 * 2**20)
        await socket.prepare(request)
        self._house.note(link, "connected")
        with self._house.counted():
            lanes = Lanes(self, request, socket, link, fault)
            try:
                await lanes.serve()
            finally:
                self._house.note(link, "closed", code=socket.close_code or 1006)
        return socket

    async def create(
        self, link: int, body: dict[str, Any], name: str, send: Send, fault: Fault | None, hit: Hit
    ) -> None:
        """An answer over a socket. Raises Refused."""
        messages = self._check(body, _PARAMETERS | _SOCKET_ONLY)
        self._note(link, body, messages)
        answer = Answer(body, name)
        options = body.get("prompt_cache_options") or {}
        if body.get("generate") is False or options.get("prewarm"):
            tokens = []
        else:
            tokens = self._house.model.answer(messages, body.get("max_output_tokens"))
        await self._stream(link, answer, tokens, send, fault, hit)
        self._store(answer, messages)

    def take_fault(self) -> Fault | None:
        """The fault that the next answer over a socket meets."""
        return self._house.faults.take("responses")

    def note(self, link: int, what: str, **detail: Any) -> None:
        """Write it down."""
        self._house.note(link, what, **detail)

    async def strike(self, link: int, fault: Fault, hit: Hit) -> None:
        """Let a fault happen."""
        await self._house.strike(link, fault, hit)

    async def _stream(
        self,
        link: int,
        answer: Answer,
        tokens: list[Token],
        send: Send,
        fault: Fault | None,
        hit: Hit,
    ) -> None:
        for event in answer.begin():
            await send(event)
        pace = self._house.model.pace()
        for index, token in enumerate(tokens):
            await pace.until(index)
            if index == 0:
                self._house.note(link, "first token")
            if fault is not None and index == len(tokens) // 2 > 0:
                await self._house.strike(link, fault, hit)
                fault = None
            for event in answer.token(token):
                await send(event)
            self._house.sent[link] = index + 1
        if fault is not None:
            await self._house.strike(link, fault, hit)
        for event in answer.rest([]):
            await send(event)
        self._house.note(link, "done", tokens=len(tokens))

    def _note(self, link: int, body: dict[str, Any], messages: list[dict[str, Any]]) -> None:
        self._house.note(link, "request", model=body["model"], messages=messages, body=body)

    def _store(self, answer: Answer, messages: list[dict[str, Any]]) -> None:
        self._stored[answer.name] = messages + answer.output
        while len(self._stored) > _MOST_KEPT:
            del self._stored[next(iter(self._stored))]

    def _check(self, body: Any, known: dict[str, Check]) -> list[dict[str, Any]]:
        """The whole conversation that the model is asked to go on with. Raises Refused."""
        check_parameters(body, known, ("model",))
        check_model(body["model"], openai_models.chats(self._house.models))
        check_reasoning(body, (body.get("reasoning") or {}).get("effort"))
        for name in body.get("stream_options") or ():
            if name != "include_obfuscation":
                param = f"stream_options.{name}"
                raise Refused(f"Unknown parameter: '{param}'.", param=param)
        check_tools(body)
        previous = body.get("previous_response_id")
        if previous is not None and previous not in self._stored:
            raise Refused(
                f"Previous response with id '{previous}' not found.",
                param="previous_response_id",
                code="previous_response_not_found",
            )
        given = body.get("input")
        if given is None and body.get("generate") is not False:
            raise Refused("Missing required parameter: 'input'.", param="input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given or []
        for index, item in enumerate(items):
            check_item(item, f"input[{index}]")
        conversation = [*self._stored.get(previous or "", ()), *items]
        check_calls(conversation)
        if instructions := body.get("instructions"):
            return [{"role": "system", "content": instructions}, *conversation]
        return conversation
