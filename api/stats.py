"""``/stats``: how fast and how well calls go, over time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api import fields
from api.call_models import SpreadModel
from api.fields import AgentQuery, SinceQuery, UntilQuery
from api.keys import ApiKeyGuard
from services.records.figures import Figures, Spread
from services.records.pulse import Pulse
from services.records.stats import as_dict, gather
from services.store import CallFilter, Store


class GroupCost(BaseModel):
    """What the calls have cost: an estimate."""

    currency: str | None
    total: float
    per_call: float


class StatsGroup(BaseModel):
    """The figures of some calls: of a path, a day or an agent. Latencies are ms after the caller's
    last voiced frame; `total` is what callers waited."""

    path: str | None
    day: str | None = Field(description="In UTC.")
    agent: str | None
    calls: int
    turns: int
    minutes: float
    latency_ms: dict[str, SpreadModel]
    interruptions: int
    silence_prompts: int
    over_target: int
    talk_to_listen: float | None
    outcomes: dict[str, int]
    cost: GroupCost


class Now(BaseModel):
    """This process: calls in progress, what callers waited in the last hour by path, and how late
    the event loop was in the last ten seconds."""

    calls: int
    wait_ms: dict[str, SpreadModel]
    loop_lag_ms: SpreadModel
    worst_loop_lag_ms: float
    unwritten: int = Field(description="Writes to the record that are still to be done.")
    lost: int = Field(description="Writes that were given up; the journals have them.")


class StatsAnswer(BaseModel):
    """Figures by group. `is_whole` is false if there were too many calls to count: the oldest are
    left out."""

    groups: list[StatsGroup]
    is_whole: bool
    now: Now


class Gauges:
    """What is read of this process."""

    def __init__(
        self,
        active: Callable[[], int],
        figures: Figures,
        pulse: Pulse,
        backlog: Callable[[], tuple[int, int]],
    ) -> None:
        """``active``: calls in progress; ``backlog``: writes that wait, and those given up."""
        self._active = active
        self._figures = figures
        self._pulse = pulse
        self._backlog = backlog

    def read(self) -> Now:
        """As it is now."""
        waiting, lost = self._backlog()
        return Now(
            calls=self._active(),
            wait_ms={path: _spread(each) for path, each in self._figures.waits().items()},
            loop_lag_ms=_spread(self._pulse.lag_ms),
            worst_loop_lag_ms=self._pulse.worst_lag_ms,
            unwritten=waiting,
            lost=lost,
        )


def build(guard: ApiKeyGuard, store: Callable[[], Store], gauges: Gauges) -> APIRouter:
    """The route."""
    router = guard.router(tags=["stats"])

    @router.get("/stats")
    async def stats(
        by: Annotated[
            Literal["path", "day", "agent"],
            Query(description="`day` has a group for each path of a day."),
        ] = "path",
        agent: AgentQuery = None,
        since: SinceQuery = None,
        until: UntilQuery = None,
    ) -> StatsAnswer:
        """Latency, interruptions, outcomes and cost of recorded calls, and how things are now."""
        wanted = CallFilter(
            agent=agent or "",
            since=fields.in_utc(since) if since else None,
            until=fields.in_utc(until) if until else None,
        )
        gathered = await gather(store().calls, wanted, by)
        # Sorting the turns of thousands of calls takes a while: not in the loop of the calls.
        dicts = await asyncio.to_thread(lambda: [as_dict(group) for group in gathered.groups])
        return StatsAnswer(
            groups=[StatsGroup(**each) for each in dicts],
            is_whole=gathered.is_whole,
            now=gauges.read(),
        )

    return router


def _spread(spread: Spread) -> SpreadModel:
    return SpreadModel(count=spread.count, p50=spread.p50, p95=spread.p95)
