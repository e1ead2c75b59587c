"""What all calls of this process share: clients, breakers, workers, the count of failures."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import cached_property

from services.audio.workers import Workers
from services.vendors import Reports
from services.vendors.breaker import Breaker
from services.vendors.clients import Clients


class Shared:
    """One for the process. Close it at the end."""

    def __init__(self, speech_workers: int) -> None:
        self.workers = Workers(speech_workers)
        self.clients = Clients()
        self.failures: Counter[tuple[str, str]] = Counter()
        """(vendor, code) -> how often it has failed."""
        self._breakers: dict[str, Breaker] = {}
        self._closing: list[Callable[[], Awaitable[None]]] = []

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

    def reports(self) -> Reports:
        """The reports of a new call."""
        return Reports(self.failures)

    def closing(self, close: Callable[[], Awaitable[None]]) -> None:
        """Something else to be closed at the end."""
        self._closing.append(close)

    async def close(self) -> None:
        """Close the clients and stop the workers."""
        for close in self._closing:
            await close()
        await self.clients.close()
        self.workers.close()
