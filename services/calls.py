"""The calls of this process: what they share, how one is put together, and what is logged of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

from services.call.briefing import Briefing
from services.call.conversation import Conversation
from services.call.effects import Effect, HangUp, KeepMessage
from services.call.events import CallerHungUp, CallStarted, Event
from services.call.timings import Timings
from services.carriers import Carrier
from services.eager import EagerCount, EagerFold
from services.engines import Engine
from services.journal import Journal, JournalWriter
from services.latency import LatencyFold
from services.live import LiveCalls
from services.session import Session, Socket
from services.tokens import Announced

log = logging.getLogger(__name__)


class Engines(Protocol):
    """Opens an engine per call; what is expensive is shared."""

    agent_name: str
    briefing: Briefing

    def open(self, caller: str) -> Engine:
        """The engine of one call. ``caller``: the caller's number, or what the carrier gave."""


KeepMessageOf = Callable[[str, str, KeepMessage], None]
"""``keep(call_id, caller, message)`` stores a message; it may block."""


@dataclass(slots=True)
class _Summary:
    """A fold over a call's journal for its one line in the log. Holds no words."""

    eager: EagerFold
    latency: LatencyFold = field(default_factory=LatencyFold)
    waits_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    reason: str = "crash"

    def see(self, now: float, event: Event, effects: list[Effect]) -> None:
        self.seconds = now
        self.eager.feed(event, effects)
        turn = self.latency.feed(now, event, effects)
        if turn and turn.total is not None:
            self.waits_ms.append(turn.total)
        if isinstance(event, CallerHungUp):
            self.reason = f"caller: {event.reason}"
        for effect in effects:
            if isinstance(effect, HangUp):
                self.reason = f"agent: {effect.reason}"

    def __str__(self) -> str:
        wait = f"{median(self.waits_ms):.0f} ms" if self.waits_ms else "-"
        turns = len(self.waits_ms)
        line = f"{self.seconds:.1f} s, {turns} turns, median response {wait}, {self.reason}"
        eager = self.eager.count
        if eager.begun:
            line += f", eager replies {eager.used} of {eager.begun} used"
            line += f", {eager.wasted_tokens} tokens wasted"
        return line


class Calls:
    """Holds calls. Everything in it is shared by all of them."""

    def __init__(
        self,
        engines: Engines,
        timings: Timings,
        live: LiveCalls,
        writer: JournalWriter,
        keep_message: KeepMessageOf,
        *,
        max_calls: int,
        with_words: bool,
    ) -> None:
        self.live = live
        self._engines = engines
        self._timings = timings
        self._writer = writer
        self._keep_message = keep_message
        self._max_calls = max_calls
        self._with_words = with_words
        self.closing = False
        """Whether the server is about to stop: calls in progress go on, others are refused."""
        self.eager = EagerCount()
        """Of all calls since the start, those in progress included."""

    @property
    def full(self) -> bool:
        """Whether one more call would be one too many."""
        return self.closing or len(self.live) >= self._max_calls

    def end_all(self) -> None:
        """End the calls in progress, in order: their sockets and journals are closed."""
        self.live.end_all("server stops")

    async def hold(self, socket: Socket, carrier: Carrier, announced: Announced) -> bool:
        """Hold a call until it is over; False if there is no room for it."""
        if self.full:
            why = "the server stops" if self.closing else f"all {self._max_calls} lines busy"
            log.warning("call %s: refused, %s", announced.call_id, why)
            return False
        call_id, caller = announced.call_id, announced.caller
        session = Session(
            call_id,
            socket,
            carrier,
            self._engines.open(caller),
            Conversation(self._timings, self._engines.briefing),
            self._journal(call_id),
            lambda message: self._keep_message(call_id, caller, message),
        )
        summary = _Summary(EagerFold(self.eager))
        session.journal.watch(summary.see)
        log.info("call %s: started (%s)", call_id, announced.origin)
        try:
            with self.live.enter(session):
                await session.run(CallStarted(caller, announced.called))
        finally:
            log.info("call %s: ended: %s", call_id, summary)
        return True

    def _journal(self, call_id: str) -> Journal:
        return Journal(
            call_id,
            self._engines.agent_name,
            self._timings,
            self._writer,
            self._engines.briefing,
            with_words=self._with_words,
        )
