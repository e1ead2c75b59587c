"""schemathesis over a running app: every phase, every check, a fixed seed."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import schemathesis
import uvicorn
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

SEED = 20_261_121
START_WITHIN_S = 30


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The app on a free port, in a thread of its own; its address."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", proxy_headers=False))
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True
    )
    thread.start()
    give_up = time.monotonic() + START_WITHIN_S
    while not server.started:
        assert thread.is_alive(), "the app did not start"
        assert time.monotonic() < give_up, "the app did not start in time"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


@dataclass(slots=True)
class Found:
    """What was tried, and what was found. ``statuses``: operation -> how often which status."""

    cases: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


def fuzz(url: str, key: str, max_examples: int, *, without: str = "") -> Found:
    """Fuzz all operations of the app at ``url`` but those whose path matches ``without``."""
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "headers": {"X-API-Key": key},
            "continue-on-failure": True,
            "generation": {"max-examples": max_examples, "database": "none"},
            "phases": {"stateful": {"generation": {"max-examples": max_examples}}},
        }
    )
    loaded = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    schema = loaded.exclude(path_regex=without) if without else loaded
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _take(event, found)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.failures[f"error {len(found.failures)}"] = str(event)
    return found


def _take(event: events.ScenarioFinished, found: Found) -> None:
    recorder = event.recorder
    found.cases += len(recorder.cases)
    for case_id, node in recorder.cases.items():
        found.operations.add(node.value.operation.label)
        interaction = recorder.interactions.get(case_id)
        response = interaction.response if interaction else None
        if response is not None:
            found.statuses[response.status_code] += 1
        for check in recorder.checks.get(case_id, []):
            if check.failure_info is not None:
                what = f"{node.value.operation.label}: {check.name}"
                failure = check.failure_info.failure
                found.failures.setdefault(what, f"{failure.title}: {failure.message}"[:600])
