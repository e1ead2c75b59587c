"""The REST interface: all routes that want an API key but ``/make-call``."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter

from api import agents, bookings, calls, messages, stats
from api.agents import Agents
from api.calls import Live, Orders
from api.keys import ApiKeyGuard
from api.stats import Gauges
from services.records.retention import Files
from services.store import Store


def build(
    guard: ApiKeyGuard,
    store: Callable[[], Store],
    fleet: Agents,
    live: Live,
    orders: Orders,
    files: Files,
    gauges: Gauges,
) -> APIRouter:
    """``store`` gives the database, which is opened after this was called."""
    router = APIRouter()
    router.include_router(calls.build(guard, store, live, orders, files))
    router.include_router(bookings.build(guard, store, lambda agent_id: fleet.agents.get(agent_id)))
    router.include_router(messages.build(guard, store))
    router.include_router(agents.build(guard, fleet))
    router.include_router(stats.build(guard, store, gauges))
    return router
