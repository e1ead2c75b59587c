"""Asking several models for one reply: who is asked, when, and who wins."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from services.call.effects import Turn
from services.llm import BrainEvent
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker

Items = AsyncGenerator[BrainEvent]


class Model(Protocol):
    """A brain that can also go on where another one broke off."""

    def prepare(self, turns: Sequence[Turn]) -> None:
        """See ``Brain``."""

    def respond(self, reply: int, turns: Sequence[Turn]) -> Items:
        """See ``Brain``."""

    def resume(self, reply: int, turns: Sequence[Turn], said: str) -> Items:
        """Go on with a reply that broke off after ``said``. Giving nothing means: all was said."""


@dataclass(frozen=True, slots=True)
class Link:
    """A model, and the breaker that all calls share for it (one for each endpoint and model)."""

    brain: Model
    breaker: Breaker
    vendor: str = "openai"


@dataclass(slots=True)
class Plan:
    """Who may still be asked for one reply, in order, and what went wrong last."""

    waiting: list[Link]
    reports: Reports
    error: VendorError | None = None
    _asked_again: set[int] = field(default_factory=set)

    def next(self) -> Link | None:
        """The next model whose breaker lets us through."""
        while self.waiting:
            link = self.waiting.pop(0)
            if link.breaker.allows():
                return link
        return None

    def failed(self, link: Link, error: VendorError, *, again: bool = True) -> None:
        """Tell it, once. If asking again may help, the model is asked again after all others."""
        self.error = error
        self.reports.failed(error)
        link.breaker.failed(error)
        if again and not error.at_once and id(link) not in self._asked_again:
            self._asked_again.add(id(link))
            self.waiting.append(link)


@dataclass(eq=False, slots=True)
class Racer:
    """One request: ``first`` waits for the first thing that comes of it, None if nothing does."""

    link: Link
    items: Items
    first: asyncio.Task[BrainEvent | None]


class Race:
    """Requests for one reply. Leaving the context closes whatever is still open."""

    def __init__(self, plan: Plan, hedge_after_s: float, *, hedge_on_itself: bool) -> None:
        self._plan = plan
        self._hedge_after_s = hedge_after_s
        self._hedge_on_itself = hedge_on_itself
        self._all: list[Racer] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for racer in self._all:
            racer.first.cancel()
        await asyncio.gather(*(racer.first for racer in self._all), return_exceptions=True)
        for racer in self._all:
            if racer.first.cancelled():
                racer.link.breaker.unanswered()
            await racer.items.aclose()

    async def winner(
        self,
        ask: Callable[[Model], Items],
        *,
        may_be_empty: bool,
        give_up_at: float = math.inf,
    ) -> Racer | None:
        """The first that gives something; the others are cancelled. None if nobody does, or not
        until ``give_up_at``, in seconds on the loop's clock."""
        loop, plan = asyncio.get_running_loop(), self._plan
        running: list[Racer] = []
        hedge_at = loop.time() + self._hedge_after_s
        while True:
            if not running:
                if loop.time() >= give_up_at or (link := plan.next()) is None:
                    return None
                running.append(self._start(link, ask))
            silent = await _until_one_is_done(running, min(hedge_at, give_up_at))
            if silent:
                if loop.time() >= give_up_at:
                    self._plan.failed(running[0].link, _slow(running[0]), again=False)
                    return None
                hedge_at = math.inf
                if link := plan.next() or (running[0].link if self._hedge_on_itself else None):
                    running.append(self._start(link, ask))
                continue
            for racer in [one for one in running if one.first.done()]:
                error = _error(racer, may_be_empty=may_be_empty)
                if error is None:
                    self._won(racer, running)
                    return racer
                running.remove(racer)
                plan.failed(racer.link, error)

    def hurry(self, hedge_after_s: float) -> None:
        """From now on ask a hedge after this time, if not even earlier."""
        self._hedge_after_s = min(self._hedge_after_s, hedge_after_s)

    def _start(self, link: Link, ask: Callable[[Model], Items]) -> Racer:
        items = ask(link.brain)
        racer = Racer(link, items, asyncio.create_task(_first(items), name="model"))
        self._all.append(racer)
        return racer

    def _won(self, winner: Racer, running: Sequence[Racer]) -> None:
        """Cancel the others. Who began earlier was too slow; that may be a fault of all calls."""
        for racer in running:
            if racer is not winner:
                racer.first.cancel()
        for racer in running[: running.index(winner)]:
            self._plan.failed(racer.link, _slow(racer), again=False)


def _slow(racer: Racer) -> VendorError:
    return VendorError(racer.link.vendor, "first token", "slow")


async def _first(items: Items) -> BrainEvent | None:
    return await anext(items, None)


async def _until_one_is_done(running: Sequence[Racer], silent_at: float) -> bool:
    """Wait for the first of them; True if all were silent until then."""
    now = asyncio.get_running_loop().time()
    timeout = None if silent_at == math.inf else max(0.0, silent_at - now)
    done, _ = await asyncio.wait(
        [racer.first for racer in running], timeout=timeout, return_when=asyncio.FIRST_COMPLETED
    )
    return not done


def _error(racer: Racer, *, may_be_empty: bool) -> VendorError | None:
    """How a request that has come to something failed, if it did."""
    try:
        first = racer.first.result()
    except VendorError as error:
        return error
    is_empty = first is None and not may_be_empty
    return VendorError(racer.link.vendor, "answer", "empty") if is_empty else None
