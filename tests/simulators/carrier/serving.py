"""Serves an ASGI app on the loop that the carrier lives on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn


@asynccontextmanager
async def serving(app: Any, lifespan: bool = False) -> AsyncIterator[str]:
    """The app's address, as long as the block lasts. Works on a virtual loop, too."""
    # The protocol is named so that asyncio sends at once (TCP_NODELAY): a virtual clock would run
    # on by seconds while the kernel waits for more to send.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            lifespan="on" if lifespan else "off",
            log_config=None,
            ws="websockets-sansio",
            ws_ping_interval=None,
            timeout_graceful_shutdown=5,
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]), name="server")
        while lifespan and not server.started and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
