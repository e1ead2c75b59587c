"""When the sockets of many calls are read: one after the other, in rounds."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Protocol
from weakref import WeakKeyDictionary

log = logging.getLogger(__name__)

FEW_CALLS = 4
"""Up to so many calls are read the moment something comes."""
ROUND_S = 0.019
"""So often more calls are read, one after the other: a little less than a frame lasts."""
MANY_CALLS = 16
LONG_ROUND_S = 0.057
"""So often even more calls are read: three frames at a time cost little more than one. An
interruption is noticed 20 ms later then, on average; the end of a turn is not, for both lengths
drift against the frames' 20 ms, also when timers are a little late: every second or two each call
is read the moment its audio comes, and that tells how late it is read otherwise (see
``services.audio.arrivals``)."""


class Lane(Protocol):
    """A media socket; see ``api.sockets``."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def transport(self) -> asyncio.Transport: ...
    def begin_rounds(self) -> None: ...
    def end_rounds(self) -> None: ...
    def look(self) -> bool: ...
    def settle(self) -> None: ...


class Rounds:
    """When sockets are read. A few calls are read the moment something comes. Many calls are read
    in rounds, whatever has come: a processor that does the same thing for one call after the other
    needs a fraction of the time that it needs when it is woken for each of them and finds nothing
    in its caches."""

    def __init__(self) -> None:
        self._lanes: dict[Lane, None] = {}  # in order
        self._next: asyncio.TimerHandle | None = None

    def enter(self, lane: Lane) -> None:
        """A call more."""
        self._lanes[lane] = None
        if len(self._lanes) > FEW_CALLS:
            for each in self._lanes:
                if _can_look(each):
                    each.begin_rounds()
            if self._next is None:
                self._next = lane.loop.call_later(self._round_s, self._go_round, lane.loop)

    def leave(self, lane: Lane) -> None:
        """A call less."""
        del self._lanes[lane]
        lane.end_rounds()
        if self._next and len(self._lanes) <= FEW_CALLS:
            self._next.cancel()
            self._next = None
            for each in self._lanes:
                each.end_rounds()

    @property
    def _round_s(self) -> float:
        return LONG_ROUND_S if len(self._lanes) > MANY_CALLS else ROUND_S

    def _go_round(self, loop: asyncio.AbstractEventLoop) -> None:
        self._next = loop.call_later(self._round_s, self._go_round, loop)
        heard = []
        for lane in self._lanes:
            try:
                if lane.look():
                    heard.append(lane)
            except Exception:  # a bug; the others in this round have done nothing
                log.exception("a socket is cut off: its messages cannot be read")
                lane.transport.abort()
        for lane in heard:
            lane.settle()


def _can_look(lane: Lane) -> bool:
    """Whether the connection's bytes can be read by ourselves: not those of TLS, nor those that
    Windows has begun to read already."""
    transport = lane.transport
    return (
        os.name == "posix"
        and transport.get_extra_info("socket") is not None
        and transport.get_extra_info("ssl_object") is None
    )


_all_rounds: WeakKeyDictionary[asyncio.AbstractEventLoop, Rounds] = WeakKeyDictionary()


def rounds_of(loop: asyncio.AbstractEventLoop) -> Rounds:
    """The rounds of a loop, which all its sockets share."""
    if loop not in _all_rounds:
        _all_rounds[loop] = Rounds()
    return _all_rounds[loop]
