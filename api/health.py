"""``GET /health``: is the process there, and how busy is it? ``GET /ready``: does it take calls?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from services.calls import Calls
from services.store import StoreError

PING_WITHIN_S = 2.0

Status = Literal["ok", "full", "stopping", "no_database"]


class EagerReplies(BaseModel):
    """Replies that were begun before the caller's turn was certain to be over."""

    begun: int
    used: int
    wasted_tokens: int


class Health(BaseModel):
    """How the process is doing, without a word about callers."""

    status: Literal["ok", "full", "stopping"]
    calls: int = Field(description="In progress.")
    vendor_failures: dict[str, int] = Field(description="Vendor and code -> how often.")
    agent_problems: int = Field(description="Agent files that cannot be used; see GET /agents.")
    eager_replies: EagerReplies


class Ready(BaseModel):
    """Whether the next call would be taken."""

    status: Status


async def _no_ping() -> None:
    """There is no database to ask."""


def build(
    calls: Calls,
    failures: Callable[[], Mapping[tuple[str, str], int]] = dict,
    agent_problems: Callable[[], int] = int,
    ping: Callable[[], Awaitable[None]] = _no_ping,
) -> APIRouter:
    """The routes for load balancers and container health checks. They tell nothing of callers.
    ``ping`` asks the database, and raises StoreError if it does not answer."""
    router = APIRouter(tags=["health"])

    def status() -> Literal["ok", "full", "stopping"]:
        return "stopping" if calls.closing else "full" if calls.full else "ok"

    @router.get("/health")
    async def health() -> Health:
        """Whether the process is there, and how busy it is."""
        eager = calls.eager
        return Health(
            status=status(),
            calls=calls.in_progress,
            vendor_failures={
                f"{vendor} {code}": count for (vendor, code), count in failures().items()
            },
            agent_problems=agent_problems(),
            eager_replies=EagerReplies(
                begun=eager.begun, used=eager.used, wasted_tokens=eager.wasted_tokens
            ),
        )

    @router.get("/ready", responses={503: {"model": Ready, "description": "Not at the moment."}})
    async def ready(response: Response) -> Ready:
        """503 while the next call would be refused, or could not be put on record."""
        state: Status = status()
        if state == "ok" and not await _answers(ping):
            state = "no_database"
        response.status_code = 200 if state == "ok" else 503
        return Ready(status=state)

    return router


async def _answers(ping: Callable[[], Awaitable[None]]) -> bool:
    try:
        async with asyncio.timeout(PING_WITHIN_S):
            await ping()
    except (StoreError, TimeoutError):
        return False
    return True
