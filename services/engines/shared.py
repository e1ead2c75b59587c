"""What all calls of this process share: clients, breakers, workers, the count of failures."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from services.audio.workers import Workers
from services.tts.line_store import AT_A_TIME
from services.vendors import Reports
from services.vendors.breaker import Breaker
from services.vendors.clients import Clients, Warmth

T = TypeVar("T")


class Shared:
    """One for the process. Close it at the end."""

    def __init__(self, speech_workers: int) -> None:
        self.workers = Workers(speech_workers)
        self.clients = Clients()
        self.warmth = Warmth(self.clients)
        self.failures: Counter[tuple[str, str]] = Counter()
        """(vendor, code) -> how often it has failed."""
        self._breakers: dict[str, Breaker] = {}
        self._models: dict[str, Any] = {}

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """One for all sockets: each takes a megabyte."""
        return ssl.create_default_context()

    def tls_of(self, base_url: str) -> ssl.SSLContext | None:
        """What a socket to this place needs of it."""
        return self.tls if base_url.startswith("https:") else None

    def breaker(self, name: str) -> Breaker:
        """The breaker of this name; it is always the same one."""
        if name not in self._breakers:
            self._breakers[name] = Breaker(name, lambda: asyncio.get_running_loop().time())
        return self._breakers[name]

    def rendering(self, way: str) -> asyncio.Semaphore:
        """The places of all agents for what they have rendered ahead and is in no hurry."""
        return self.once(f"rendering {way}", lambda: asyncio.Semaphore(AT_A_TIME))

    def reports(self) -> Reports:
        """The reports of a new call."""
        return Reports(self.failures)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Something that all agents share, such as a model, made when it is first asked for. What
        ``make`` raises is raised."""
        if name not in self._models:
            self._models[name] = make()
        model: T = self._models[name]
        return model

    async def close(self) -> None:
        """Close the clients and stop the workers."""
        await self.clients.close()
        self.workers.close()
