"""``GET /health``: is the process there, and how busy is it? ``GET /ready``: does it take calls?"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Response

from services.calls import Calls


def build(calls: Calls, failures: Callable[[], Mapping[tuple[str, str], int]] = dict) -> APIRouter:
    """The routes for load balancers and container health checks. They tell nothing of callers."""
    router = APIRouter()

    def status() -> str:
        return "stopping" if calls.closing else "full" if calls.full else "ok"

    @router.get("/health")
    async def health() -> dict[str, str | int | dict[str, int]]:
        failed = {f"{vendor} {code}": count for (vendor, code), count in failures().items()}
        eager = calls.eager
        return {
            "status": status(),
            "calls": len(calls.live),
            "vendor_failures": failed,
            "eager_replies": {
                "begun": eager.begun,
                "used": eager.used,
                "wasted_tokens": eager.wasted_tokens,
            },
        }

    @router.get("/ready")
    async def ready(response: Response) -> dict[str, str]:
        """503 while the next call would be refused."""
        response.status_code = 503 if calls.full else 200
        return {"status": status()}

    return router
