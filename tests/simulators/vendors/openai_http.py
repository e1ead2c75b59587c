"""How the simulated OpenAI answers over HTTP, well or badly: whole bodies and event streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from aiohttp import web

from tests.simulators.vendors.base import Fault, Faults, Trouble, break_off
from tests.simulators.vendors.hangups import until_hangup
from tests.simulators.vendors.openai_answers import Model
from tests.simulators.vendors.openai_checks import Refused, by_status

BROKEN_JSON = '{"id": "chatcmpl-'


async def read_json(request: web.Request) -> Any:
    """The body of a request. Raises Refused if it is not JSON."""
    if request.content_type != "application/json":
        raise Refused("Unsupported content type; use application/json.", status=415)
    try:
        return json.loads(await request.read())
    except ValueError:
        raise Refused("We could not parse the JSON body of your request.") from None


def headers(link: int) -> dict[str, str]:
    """What every good answer has."""
    return {
        "x-request-id": f"req_{link:08}",
        "openai-version": "2020-10-01",
        "openai-processing-ms": "20",
    }


async def whole(
    request: web.Request, link: int, fault: Fault | None, content: Any
) -> web.StreamResponse:
    """An answer in one piece of JSON, unless ``fault`` spoils it."""
    data = json.dumps(content).encode()
    if fault is None:
        return web.Response(body=data, content_type="application/json", headers=headers(link))
    if fault.trouble in {Trouble.MALFORMED, Trouble.CLOSE}:
        return web.Response(body=data[: len(data) // 2], content_type="application/json")
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    answer.content_length = len(data)
    await answer.prepare(request)
    await answer.write(data[: len(data) // 2])
    await break_down(request, fault)
    return answer


async def break_down(request: web.Request, fault: Fault) -> None:
    """In the middle of a body: nothing more comes, or the connection is cut."""
    if fault.trouble is not Trouble.STALL_MID:
        await asyncio.sleep(0)  # let what was written go out first
        break_off(request)
    await until_hangup()


class EventStream:
    """Server-sent events."""

    def __init__(self, request: web.Request, link: int) -> None:
        self.ended = False
        self.answer = web.StreamResponse(
            headers=headers(link) | {"Content-Type": "text/event-stream; charset=utf-8"}
        )
        self.answer.enable_chunked_encoding()
        self._request = request

    async def send(self, data: str, event: str = "") -> None:
        """One event; the first one sends the headers, too."""
        if not self.answer.prepared:
            await self.answer.prepare(self._request)
        name = f"event: {event}\n" if event else ""
        await self.answer.write(f"{name}data: {data}\n\n".encode())

    async def end(self) -> None:
        """No more events."""
        self.ended = True
        await self.answer.write_eof()

    async def strike(self, fault: Fault) -> None:
        """Let a fault happen in the middle; CLOSE: an error takes the place of the rest."""
        if fault.trouble is Trouble.MALFORMED:
            await self.send(BROKEN_JSON)
        elif fault.trouble is Trouble.CLOSE:
            await self.send(json.dumps({"error": by_status(500, fault.reason).error}))
            await self.end()
        else:
            await break_down(self._request, fault)


class House(Protocol):
    """What the endpoints need of their simulator."""

    faults: Faults
    model: Model
    models: frozenset[str]
    sent: dict[int, int]

    def note(self, link: int, what: str, **detail: Any) -> None: ...
    async def strike(self, link: int, fault: Fault, hit: Hit) -> None: ...
    def counted(self) -> AbstractContextManager[None]: ...


Hit = Callable[[Fault], Awaitable[None]]
"""Lets a fault happen in the middle of an answer."""
