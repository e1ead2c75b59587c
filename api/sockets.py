"""How uvicorn keeps our WebSockets."""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

ABORT_AFTER_S = 15.0
"""How long a socket may take to close once its call is over."""


class ImpatientSockets(WebSocketsSansIOProtocol):
    """uvicorn's own protocol, but a peer that has stopped reading cannot keep its socket open:
    after an orderly close has had its time, the connection is cut."""

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(ABORT_AFTER_S, self.transport.abort)
