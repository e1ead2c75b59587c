"""The server under measurement: the real app with mock engines, plus a probe that samples itself.

Started by ``benchmarks``; it prints its figures as one JSON line when it is stopped.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import uvicorn
from fastapi import FastAPI, Request

import main
from services.settings import load_settings

SAMPLE_S = 0.1


class Probe:
    """Samples the event loop's lag and the process's CPU time while calls are live."""

    def __init__(self) -> None:
        self.lags_ms: list[float] = []
        self.call_seconds = 0.0
        self.cpu_seconds = 0.0

    async def run(self, app: FastAPI) -> None:
        """Sample until cancelled. CPU time counts only while at least one call is live."""
        loop = asyncio.get_running_loop()
        before, cpu = loop.time(), time.process_time()
        while True:
            await asyncio.sleep(SAMPLE_S)
            now, used = loop.time(), time.process_time()
            live = len(app.state.calls.live)
            if live:
                self.lags_ms.append((now - before - SAMPLE_S) * 1000)
                self.call_seconds += live * (now - before)
                self.cpu_seconds += used - cpu
            before, cpu = now, used

    def figures(self) -> dict[str, float]:
        """What was sampled; resident memory is the process's peak."""
        lags = np.array(self.lags_ms or [0.0])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "cpu_ms_per_call_second": 1000 * self.cpu_seconds / max(self.call_seconds, 1e-9),
            "call_seconds": self.call_seconds,
            "lag_ms_p50": float(np.percentile(lags, 50)),
            "lag_ms_p95": float(np.percentile(lags, 95)),
            "lag_ms_p99": float(np.percentile(lags, 99)),
            "lag_ms_max": float(lags.max()),
            "peak_rss_mb": peak / (1024 * 1024 if sys.platform == "darwin" else 1024),
        }


def serve(port: int, data_dir: Path, mock: bool) -> None:
    """Serve until a request to ``/benchmark/stop``, then print the figures."""
    settings = load_settings(
        host="127.0.0.1",
        port=port,
        data_dir=data_dir,
        use_mock_streaming=mock,
        max_calls=10_000,
        log_level="WARNING",
        twilio_auth_token="",
        public_url="",
        _env_file=None,
    )
    app, probe = main.create_app(settings), Probe()
    server = uvicorn.Server(main.server_config(app, settings))

    @app.post("/benchmark/stop")
    async def stop(request: Request) -> None:
        server.should_exit = True

    async def run() -> None:
        sampler = asyncio.create_task(probe.run(app))
        await server.serve()
        sampler.cancel()

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(run())
    print(json.dumps(probe.figures()), flush=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "mock")
