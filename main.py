"""The server: builds the app out of its parts. ``python main.py`` serves it."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import FrameType

import uvicorn
from fastapi import FastAPI

from api import console, guard, health, media_stream, twilio_webhook
from api.guard import ConsoleGuard
from api.sockets import ImpatientSockets
from services.calls import Calls
from services.engines.choice import Engines
from services.engines.wanted import NotConfigured
from services.journal import JournalWriter
from services.live import LiveCalls
from services.receptionist.agent import AgentFileError, load_agent
from services.receptionist.messages import MessageBook
from services.settings import Settings, SettingsError, load_settings
from services.tokens import Tokens

log = logging.getLogger(__name__)

EVERYWHERE = {"127.0.0.1", "::1", "0.0.0.0", "::"}
"""Addresses behind which this machine's browser finds us as localhost."""
MAX_MESSAGE_BYTES = 65_536
"""The largest message a socket may send us; a 20 ms frame takes about 400 bytes."""


def create_app(settings: Settings) -> FastAPI:
    """The app for these settings. Raises AgentFileError if the agent's file cannot be used."""
    agent = load_agent(settings.agent_file).with_overrides(
        greeting=settings.greeting, business_name=settings.business_name
    )
    engines = Engines(settings, agent)
    live, tokens = LiveCalls(), Tokens()
    _make_data_dir(settings.data_dir)
    writer = JournalWriter(settings.data_dir / "calls")
    messages = MessageBook(settings.data_dir / "messages.jsonl")
    calls = Calls(
        engines,
        settings.timings,
        live,
        writer,
        messages.keep,
        max_calls=settings.max_calls,
        with_words=settings.journal_words,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await engines.warm()
        print(announcement(settings, agent.business.name, engines), flush=True)
        gc.collect()
        gc.freeze()  # what lives as long as the process need not be looked through in every call
        warmth = asyncio.create_task(engines.run(), name="warmth")
        yield
        warmth.cancel()
        await asyncio.gather(warmth, return_exceptions=True)
        gc.unfreeze()
        await engines.close()
        writer.close()

    app = FastAPI(title="Voice agent server", lifespan=lifespan)
    app.state.calls, app.state.tokens = calls, tokens
    guard.install(app)
    app.include_router(health.build(calls, lambda: engines.failures))
    app.include_router(twilio_webhook.build(settings, tokens, lambda: calls.full))
    app.include_router(media_stream.build(settings, tokens, calls))
    console_guard = ConsoleGuard(
        settings.console_password,
        public_url=settings.public_url,
        trusted_proxies=settings.trusted_proxies,
    )
    app.include_router(console.build(console_guard, tokens, live, agent))
    return app


def _make_data_dir(folder: Path) -> None:
    """Raises SettingsError if nothing can be kept there: better now than in the first call."""
    try:
        (folder / "calls").mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder / "calls"):
            pass
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {folder} cannot be used: {error.strerror}") from None


def announcement(settings: Settings, business: str, engines: Engines) -> str:
    """What the server says of itself when it listens."""
    host = "localhost" if settings.host in EVERYWHERE else settings.host
    here = f"http://{host}:{settings.port}"
    webhook = f"{settings.public_url or 'https://YOUR-PUBLIC-HOST'}/voice-stream"
    lines = [
        "",
        f"{business} is answering calls.",
        f"  Talk page  {here}/",
        f"  Twilio     {webhook}",
        "             (the number's webhook for 'A call comes in', HTTP POST)",
        *(f"  {part:<10} {choice}" for part, choice in engines.report),
    ]
    if engines.problems:
        lines += ["  Trouble:", *(f"    - {error}" for error in engines.problems)]
    if missing := _missing(settings):
        lines += ["  Missing for production:", *(f"    - {item}" for item in missing)]
    return "\n".join([*lines, ""])


def _missing(settings: Settings) -> list[str]:
    missing = []
    if not settings.public_url:
        missing.append("PUBLIC_URL: the https:// address under which Twilio reaches this server")
    if not settings.twilio_auth_token:
        missing.append("TWILIO_AUTH_TOKEN: without it anybody can call the webhook")
    if not settings.console_password:
        missing.append("CONSOLE_PASSWORD: without it the talk page works on this machine only")
    return missing


def _load() -> Settings:
    settings = load_settings()
    logging.getLogger("websockets").setLevel(logging.INFO)  # see server_config
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
        timeout_graceful_shutdown=5,
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
            log.info("stopping: %d calls in progress", len(self._calls.live))
        is_over = now - self._drained_at >= self._drain_s
        if is_over:
            self._calls.end_all()
        return is_over or not self._calls.live


def main() -> int:
    """Serve until stopped. Returns the exit code."""
    try:
        settings = _load()
        app = create_app(settings)
    except (SettingsError, AgentFileError, NotConfigured) as error:
        print(f"Cannot start:\n{error}", file=sys.stderr)
        return 2
    config = server_config(app, settings)
    listening = config.bind_socket()  # before anything is announced; a port in use ends here
    with suppress(KeyboardInterrupt):  # Ctrl-C, after an orderly shutdown
        Server(config, app.state.calls, settings.drain_secs).run([listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())
