"""A socket of the simulated Responses: many answers, one warm connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from tests.simulators.vendors.base import Fault, Trouble, break_off
from tests.simulators.vendors.openai_checks import Refused, by_status
from tests.simulators.vendors.openai_http import BROKEN_JSON, Hit

Send = Callable[[dict[str, Any]], Awaitable[None]]


class Maker(Protocol):
    """Makes the answers."""

    def take_fault(self) -> Fault | None: ...
    def note(self, link: int, what: str, **detail: Any) -> None: ...
    async def strike(self, link: int, fault: Fault, hit: Hit) -> None: ...
    async def create(
        self, link: int, body: dict[str, Any], name: str, send: Send, fault: Fault | None, hit: Hit
    ) -> None: ...


class Lanes:
    """One socket: answers to one ``stream_id`` come one after the other."""

    def __init__(
        self,
        responses: Maker,
        request: web.Request,
        socket: web.WebSocketResponse,
        link: int,
        fault: Fault | None,
    ) -> None:
        self._responses = responses
        self._request = request
        self._socket = socket
        self._link = link
        self._fault = fault
        self._asked = 0
        self._muted = False
        self._ending: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._lanes: dict[str | None, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Until the client or an ordered fault ends it."""
        reading = asyncio.create_task(self._read())
        try:
            either: set[asyncio.Future[Any]] = {reading, self._ending}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = [reading, *self._lanes.values()]
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                raise result
        if self._ending.done():
            code, reason = self._ending.result()
            await self._socket.close(code=code, message=reason.encode())

    async def _read(self) -> None:
        async for message in self._socket:
            try:
                event = json.loads(message.data) if message.type is WSMsgType.TEXT else None
            except ValueError:
                event = None
            if not isinstance(event, dict) or event.get("type") != "response.create":
                error = Refused("Only response.create is understood.", code="invalid_event")
                await self._send_error(error, None)
                continue
            lane = event.get("stream_id")
            before = self._lanes.get(lane)
            self._lanes[lane] = asyncio.create_task(self._answer(event, lane, before))

    async def _answer(
        self, body: dict[str, Any], lane: str | None, before: asyncio.Task[None] | None
    ) -> None:
        if before is not None:
            await before
        fault = self._fault or self._responses.take_fault()
        self._fault = None
        self._asked += 1

        async def send(event: dict[str, Any]) -> None:
            await self._send(event | ({"stream_id": lane} if lane is not None else {}))

        try:
            if fault is not None and fault.trouble is Trouble.STATUS:
                raise by_status(fault.status, fault.reason)
            if fault is not None and fault.trouble in {Trouble.STALL_FIRST, Trouble.RESET}:
                await self._responses.strike(self._link, fault, self._hit)
                fault = None
            name = f"resp_{self._link:04}_{self._asked:04}"
            await self._responses.create(self._link, body, name, send, fault, self._hit)
        except Refused as refused:
            self._responses.note(self._link, "refused", status=refused.status, **refused.error)
            await self._send_error(refused, lane)

    async def _hit(self, fault: Fault) -> None:
        if fault.trouble is Trouble.MALFORMED:
            await self._socket.send_str(BROKEN_JSON)
            return
        self._muted = True
        if fault.trouble is Trouble.CLOSE and fault.code != 1006:
            self._ending.set_result((fault.code, fault.reason))
        elif fault.trouble not in {Trouble.STALL_MID, Trouble.STALL_FIRST}:
            break_off(self._request)

    async def _send(self, event: dict[str, Any]) -> None:
        if not self._muted and not self._socket.closed:
            await self._socket.send_str(json.dumps(event))

    async def _send_error(self, refused: Refused, lane: str | None) -> None:
        event: dict[str, Any] = {"type": "error", "status": refused.status, "sequence_number": 0}
        event |= {name: refused.error[name] for name in ("code", "message", "param")}
        event["error"] = refused.error
        await self._send(event | ({"stream_id": lane} if lane is not None else {}))
