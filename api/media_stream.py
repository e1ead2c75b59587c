"""``WS /media-stream``: let the call's socket in, then ``Session.run`` it.

A call of ours has its id in the path, ``/media-stream/{call_id}``; its token must be that call's.

Twilio and the talk page speak the same protocol here. A socket is accepted at once, since the
carrier counts the seconds; it then has a moment to say ``start`` with a token that a webhook or the
talk page was given. Without one it gets nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from fastapi import APIRouter
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.guard import PublicSide, handshake_allowed
from api.sockets import fast_lane
from services.calls import Calls
from services.carriers import BadMessage, StreamStarted
from services.carriers.twilio import TwilioCarrier
from services.switchboard.connecting import STREAM_PATH
from services.switchboard.tokens import Announced, Tokens

log = logging.getLogger(__name__)

START_WITHIN_S = 10.0
START_WITHIN_MESSAGES = 20

_POLICY_VIOLATION = 1008
_TRY_AGAIN_LATER = 1013
_INTERNAL_ERROR = 1011


class StarletteSocket:
    """Starlette's WebSocket as the session's ``Socket``: a closed one is quiet, not an error."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._lane = fast_lane(websocket)

    async def receive(self) -> str | bytes | None:
        """The next message; None once the peer has gone."""
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text: str | None = message.get("text")
        return text if text is not None else bytes(message.get("bytes") or b"")

    async def deliver(
        self, take: Callable[[str | bytes], None], settle: Callable[[], None]
    ) -> None:
        """Hand each message to ``take`` as it comes; returns once the peer has gone."""
        if self._lane:
            await self._lane.deliver(take, settle)
            return
        while (message := await self.receive()) is not None:
            take(message)
            settle()
            await asyncio.sleep(0)  # a burst of messages must not keep the other calls waiting

    def send_now(self, message: str) -> bool:
        """Send text in the fast lane, if there is one and it is free; whether it was sent."""
        return self._lane is not None and self._lane.send_now(message)

    async def send(self, message: str) -> None:
        """Send text; what a closed socket is sent is lost, as it would be on the line."""
        if self.send_now(message):
            return
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.send_text(message)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, if it is not closed yet."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._websocket.close(code, reason)


class NotWelcome(Exception):
    """The socket did not begin as it must; the text says what was expected."""


def build(settings: PublicSide, tokens: Tokens, calls: Calls) -> APIRouter:
    """The media stream's routes, with and without a final slash: carriers follow no redirects."""

    async def hold(websocket: WebSocket, call_id: str) -> None:
        if not handshake_allowed(websocket, settings, tokens):
            await websocket.close(_POLICY_VIOLATION)  # before accept: HTTP 403
            return
        await websocket.accept()
        socket, carrier = StarletteSocket(websocket), TwilioCarrier()
        try:
            announced = await _start(
                socket, carrier, lambda token, sid: tokens.redeem(token, sid, call_id)
            )
        except NotWelcome as error:
            log.warning("media stream refused: %s", error)
            await socket.close(_POLICY_VIOLATION, str(error))
            return
        try:
            if not await calls.hold(socket, carrier, announced):
                await socket.close(_TRY_AGAIN_LATER, "All lines are busy; try again later.")
        except Exception:
            log.exception("call %s: ended by a bug", announced.call_id)
            await socket.close(_INTERNAL_ERROR, "The call ended by an error of the server.")

    async def media_stream(websocket: WebSocket) -> None:
        await hold(websocket, "")

    async def media_stream_of(websocket: WebSocket) -> None:
        await hold(websocket, websocket.path_params["call_id"])

    router = APIRouter()
    for slash in ("", "/"):
        router.add_api_websocket_route(STREAM_PATH + slash, media_stream)
        router.add_api_websocket_route(STREAM_PATH + "/{call_id}" + slash, media_stream_of)
    return router


async def _start(
    socket: StarletteSocket,
    carrier: TwilioCarrier,
    redeem: Callable[[str, str], Announced | None],
) -> Announced:
    """Read until ``start`` and redeem its token. Raises NotWelcome, with what was expected."""
    try:
        async with asyncio.timeout(START_WITHIN_S):
            for _ in range(START_WITHIN_MESSAGES):
                message = await socket.receive()
                if message is None:
                    raise NotWelcome("closed before start")
                if isinstance(message, bytes):
                    raise NotWelcome("expected text messages, not binary ones")
                started = carrier.parse(message)
                if isinstance(started, StreamStarted):
                    announced = redeem(started.parameters.get("token", ""), started.call_id)
                    if announced is None:
                        raise NotWelcome("the token is missing, used, too old or of another call")
                    return announced
    except BadMessage as error:
        raise NotWelcome(str(error)) from None
    except TimeoutError:
        raise NotWelcome(f"expected start within {START_WITHIN_S:.0f} s") from None
    raise NotWelcome(f"expected start within {START_WITHIN_MESSAGES} messages")
