"""The server: builds the app out of its parts. ``python main.py`` serves it."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from types import FrameType

import uvicorn
from fastapi import APIRouter, FastAPI

from api import (
    console,
    document,
    errors,
    health,
    make_call,
    media_stream,
    recorded,
    rest,
    twilio_webhook,
    webhooks,
)
from api.guard import ConsoleGuard
from api.keys import ApiKeyGuard
from api.sockets import ImpatientSockets
from api.stats import Gauges
from services import redaction
from services.announcement import announcement
from services.calls import Calls
from services.engines.wanted import NotConfigured
from services.office import Office
from services.receptionist.agent import AgentFileError
from services.session import CLOSES_WITHIN_S
from services.settings import Settings, SettingsError, load_settings
from services.store import StoreError, prepare

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 65_536
"""The largest message a socket may send us; a 20 ms frame takes about 400 bytes."""

REQUESTS_WITHIN_S = 5
"""How long requests may take to their end when the server stops; calls have their own time."""

_LIBRARIES = {
    **dict.fromkeys(("websockets", "openai", "httpcore", "hpack"), logging.INFO),
    "alembic": logging.WARNING,
}
"""Libraries that tell too much: at DEBUG keys and callers' words, or at each start that all is
well."""


def create_app(settings: Settings) -> FastAPI:
    """The app for these settings. Raises AgentFileError, NotConfigured and SettingsError."""
    office = Office(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        redaction.install()  # the server's handlers are there now
        await office.open()
        print(announcement(settings, office.fleet), flush=True)
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be looked through in every call
        running = asyncio.create_task(office.run(), name="office")
        yield
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        gc.unfreeze()
        await office.close()

    app = FastAPI(
        title=document.TITLE,
        description=document.DESCRIPTION,
        openapi_tags=document.TAGS,
        lifespan=lifespan,
    )
    app.state.calls, app.state.tokens = office.calls, office.tokens
    errors.install(app)
    for router in _routers(settings, office):
        app.include_router(router)
    return app


def _routers(settings: Settings, office: Office) -> Iterator[APIRouter]:
    """The doors: who may come in by which is for each of them to say."""
    fleet, calls, switchboard = office.fleet, office.calls, office.switchboard
    yield health.build(
        calls,
        lambda: fleet.failures,
        lambda: len(fleet.agent_problems),
        lambda: office.store().ping(),
    )
    yield twilio_webhook.build(settings, switchboard)
    yield webhooks.build(settings, switchboard, office.outbound, office.progress)
    download = office.download if office.twilio else None
    yield recorded.build(settings, switchboard, office.recorded, download)
    yield media_stream.build(settings, office.tokens, calls)
    console_guard = ConsoleGuard(
        settings.console_password,
        public_url=settings.public_url,
        trusted_proxies=settings.trusted_proxies,
    )
    yield console.build(console_guard, office.tokens, office.live, fleet)
    api_guard = ApiKeyGuard(settings.api_keys, trusted_proxies=settings.trusted_proxies)
    gauges = Gauges(
        lambda: calls.in_progress,
        office.figures,
        office.pulse,
        lambda: office.records.scribe.backlog,
    )
    yield rest.build(
        api_guard, office.store, office.fleet, office, office.orders, office.files, gauges
    )
    yield make_call.build(api_guard, office.outbound)


def _load() -> Settings:
    settings = load_settings()
    for name, level in _LIBRARIES.items():
        logging.getLogger(name).setLevel(level)
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    )
    return settings


def __getattr__(name: str) -> FastAPI:
    """``app``, made when a server asks for it: importing this module reads no environment."""
    if name != "app":
        raise AttributeError(name)
    return create_app(_load())


def server_config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How this app wants to be served."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        # At DEBUG the socket library would log callers' keys and signatures.
        log_level=max(logging.INFO, logging.getLevelName(settings.log_level)),
        access_log=False,
        proxy_headers=False,  # the guard reads forwarded headers itself, from trusted proxies only
        ws=ImpatientSockets,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,  # base64 audio hardly shrinks
        ws_ping_interval=None,  # 50 messages a second tell more about the line than a ping does
        timeout_graceful_shutdown=REQUESTS_WITHIN_S,
    )


class Server(uvicorn.Server):
    """When it is told to stop it takes no more calls and lets those in progress come to their end;
    then, or when it is told again, it ends them and stops."""

    def __init__(self, config: uvicorn.Config, calls: Calls, drain_s: float) -> None:
        super().__init__(config)
        self._calls = calls
        self._drain_s = drain_s
        self._drained_at = 0.0  # on the loop's clock

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: stop. The second one: now."""
        if self.should_exit and self._drain_s:
            self._drain_s = 0
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Whether to leave the main loop; asked ten times a second."""
        if not await super().on_tick(counter):
            return False
        now = asyncio.get_running_loop().time()
        if not self._calls.closing:
            self._calls.closing = True
            self._drained_at = now
            log.info("stopping: %d calls in progress", self._calls.in_progress)
        is_over = now - self._drained_at >= self._drain_s
        if is_over and self._calls.in_progress:
            self.config.timeout_graceful_shutdown = math.ceil(CLOSES_WITHIN_S)
            self._calls.end_all()
        return is_over or not self._calls.in_progress


def main() -> int:
    """Serve until stopped. Returns the exit code."""
    try:
        settings = _load()
        app = create_app(settings)
        prepare(settings.store_url)
    except (SettingsError, AgentFileError, NotConfigured, StoreError) as error:
        print(f"Cannot start:\n{error}", file=sys.stderr)
        return 2
    config = server_config(app, settings)
    listening = config.bind_socket()  # before anything is announced; a port in use ends here
    with suppress(KeyboardInterrupt):  # Ctrl-C, after an orderly shutdown
        Server(config, app.state.calls, settings.drain_secs).run([listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())
