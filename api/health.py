"""``GET /health``: is the process there, and how busy is it?"""

from __future__ import annotations

from fastapi import APIRouter

from services.calls import Calls


def build(calls: Calls) -> APIRouter:
    """The route for load balancers and container health checks. It tells nothing about callers."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str | int]:
        return {"status": "full" if calls.full else "ok", "calls": len(calls.live)}

    return router
