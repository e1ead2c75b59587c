"""What the vendors' simulators share: a server on a free port, faults to order, and a log."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Self

from aiohttp import web


class Trouble(Enum):
    """What can go wrong."""

    RESET = "reset"  # the connection breaks before anything was answered
    STATUS = "status"  # an HTTP status instead of an answer (instead of the upgrade, for a socket)
    STALL_FIRST = "stall first"  # nothing comes at all, the connection stays open
    STALL_MID = "stall mid"  # after a part of the answer nothing more comes
    MALFORMED = "malformed"  # something that the protocol does not know, in place of a message
    CUT = "cut"  # the connection breaks in the middle of the answer, without a close
    CLOSE = "close"  # the socket is closed with ``code`` and ``reason`` in the middle


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble. ``status`` is for STATUS; ``code`` and ``reason`` are for CLOSE."""

    trouble: Trouble
    status: int = 500
    code: int = 1011
    reason: str = ""


@dataclass(slots=True)
class Faults:
    """Faults by endpoint, each for a number of requests or connections."""

    _ordered: dict[str, list[tuple[Fault, int]]] = field(default_factory=dict)

    def order(self, endpoint: str, fault: Fault, times: int = 1_000_000) -> None:
        """The next so many requests to (or sockets of) ``endpoint`` meet this fault."""
        self._ordered.setdefault(endpoint, []).append((fault, times))

    def clear(self) -> None:
        """From now on all goes well."""
        self._ordered.clear()

    def take(self, endpoint: str) -> Fault | None:
        """The fault that this request meets, if any."""
        waiting = self._ordered.get(endpoint)
        if not waiting:
            return None
        fault, times = waiting[0]
        if times > 1:
            waiting[0] = fault, times - 1
        else:
            waiting.pop(0)
        return fault


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that the simulator got or did. ``at``: seconds on the loop's clock.

    ``link`` numbers the requests and sockets of a simulator from 1.
    """

    at: float
    link: int
    what: str
    detail: dict[str, Any] = field(default_factory=dict)


class Simulator(ABC):
    """A vendor on a free port. Subclasses add their routes in ``routes`` and note what they get."""

    endpoints: tuple[str, ...] = ()
    """The names under which faults can be ordered."""
    usual_key = ""
    """No two vendors have the same: a key that goes to the wrong one shall not open anything."""

    def __init__(self, *, key: str = "", port: int = 0, keep_log: bool = True) -> None:
        """``key``: the only one that is let in, else the usual one. ``port`` 0: any free one."""
        self.key = key or self.usual_key
        self.faults = Faults()
        self.log: list[Entry] = []
        self.open_sockets = 0
        self.errors: list[str] = []
        """What a client did wrong, in words; a test wants this to stay empty."""
        self._port = port
        self._keep_log = keep_log
        self._links = 0
        self._peers: set[Any] = set()
        self._runner: web.AppRunner | None = None

    @web.middleware
    async def _see_connection(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        self._peers.add(request.transport and request.transport.get_extra_info("peername"))
        return await handler(request)

    @property
    def connections(self) -> int:
        """How many TCP connections have brought requests so far."""
        return len(self._peers)

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._port}"

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """The vendor's endpoints."""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20, middlewares=[self._see_connection])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    # --- for the subclasses -----------------------------------------------------------------------

    def knows(self, key: str) -> bool:
        """Whether this key is let in. To be given another vendor's is an error of the client's."""
        if key == self.key:
            return True
        others = (kind for kind in Simulator.__subclasses__() if not isinstance(self, kind))
        self.errors += [
            f"got the key of {kind.__name__}" for kind in others if kind.usual_key == key
        ]
        return False

    def new_link(self) -> int:
        """The number of a new request or socket."""
        self._links += 1
        return self._links

    def note(self, link: int, what: str, **detail: Any) -> None:
        """Write down what was got or done."""
        if self._keep_log:
            self.log.append(Entry(asyncio.get_running_loop().time(), link, what, detail))

    def entries(self, what: str) -> list[Entry]:
        """What was noted under this name."""
        return [entry for entry in self.log if entry.what == what]

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a socket as open while the block runs."""
        self.open_sockets += 1
        try:
            yield
        finally:
            self.open_sockets -= 1


def break_off(request: web.Request) -> None:
    """Cut the TCP connection, as a crash or a firewall would."""
    if request.transport is not None:
        request.transport.abort()
