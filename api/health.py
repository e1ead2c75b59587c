"""``GET /health``: is the process there, and how busy is it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter

from services.calls import Calls


def build(calls: Calls, failures: Callable[[], Mapping[tuple[str, str], int]] = dict) -> APIRouter:
    """The route for load balancers and container health checks. It tells nothing about callers."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str | int | dict[str, int]]:
        failed = {f"{vendor} {code}": count for (vendor, code), count in failures().items()}
        return {
            "status": "full" if calls.full else "ok",
            "calls": len(calls.live),
            "vendor_failures": failed,
        }

    return router
