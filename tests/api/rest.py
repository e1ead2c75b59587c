"""The REST interface over a real database, with the carrier's part faked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from api import agents, bookings, calls, errors, messages, stats
from api.keys import ApiKeyGuard
from services.call.effects import Speaker
from services.receptionist.agent import Agent, parse_agent
from services.receptionist.books import Handling, NewEscalation, NewHold, NewMessage
from services.records.figures import Figures
from services.records.pulse import Pulse
from services.records.retention import Files
from services.store import CallEnd, NewCall, Store, StoredTool, StoredTurn
from services.switchboard.call_orders import NoSuchCall, NotPossible

KEY = "a-key-of-thirty-two-characters-x"
HEADERS = {"X-API-Key": KEY}
LIVE, PAST = "CA" + "1" * 32, "CA" + "2" * 32
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday; the house's clock stands still there."""
TUESDAY_AT_10 = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)

AGENT = parse_agent(
    {
        "name": "Ava",
        "business": {"name": "Bright Smile", "timezone": "UTC"},
        "hours": {day: ["9:00-17:00"] for day in ("monday", "tuesday", "wednesday")},
        "services": [{"name": "Cleaning", "minutes": 60, "price": "$90"}],
        "people": [{"name": "Dr. Reed", "number": "+15550001111"}],
    }
)


@dataclass(slots=True)
class FakeOrders:
    """Takes orders for the live call."""

    given: list[tuple[str, ...]] = field(default_factory=list)

    async def transfer(self, call_id: str, to: str) -> str:
        if call_id != LIVE:
            raise NoSuchCall("The call is over.")
        if to == "Nobody":
            raise NotPossible("bad_person", "Expected one of: Dr. Reed.")
        self.given.append(("transfer", call_id, to))
        return to

    async def hang_up(self, call_id: str) -> None:
        if call_id != LIVE:
            raise NoSuchCall("The call is over.")
        self.given.append(("hang_up", call_id))


class FakeLive:
    """One live call."""

    def state(self, call_id: str) -> tuple[str, str] | None:
        return ("quiet", "speaking") if call_id == LIVE else None


@dataclass(slots=True)
class FakeAgents:
    """One good agent, and a file that is not."""

    agents: Mapping[str, Agent] = field(default_factory=lambda: {"receptionist": AGENT})
    file_problems: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {
            "receptionist": ["receptionist.toml: line 3, hours: expected a list"],
            "other": ["other.toml: is missing"],
        }
    )


@dataclass(slots=True)
class House:
    """The app, and what it works with."""

    app: FastAPI
    data: Path
    orders: FakeOrders
    stores: list[Store]

    @property
    def store(self) -> Store:
        return self.stores[0]

    @contextmanager
    def client(self, headers: Mapping[str, str] = HEADERS) -> Iterator[TestClient]:
        with TestClient(self.app, headers=dict(headers)) as client:
            yield client


def house(
    data: Path,
    keys: tuple[str, ...] = (KEY,),
    fill: Callable[[Store], Any] | None = None,
) -> House:
    """A house whose database is in ``data``; ``fill`` puts something into it."""
    stores: list[Store] = []
    orders, files = FakeOrders(), Files(data)

    def now() -> datetime:
        return NOON

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stores.append(await Store.open(f"sqlite:///{data / 'test.db'}", now))
        if fill:
            await fill(stores[0])
        yield
        await stores.pop().close()

    app = FastAPI(title="REST", lifespan=lifespan)
    errors.install(app)
    guard, figures = ApiKeyGuard(keys), Figures()
    gauges = stats.Gauges(lambda: 1, figures, Pulse(lambda: 1, figures), lambda: (0, 0))

    def store() -> Store:
        return stores[0]

    fleet = FakeAgents()
    app.include_router(calls.build(guard, store, FakeLive(), orders, files))
    app.include_router(bookings.build(guard, store, fleet.agents.get, now))
    app.include_router(messages.build(guard, store))
    app.include_router(agents.build(guard, fleet))
    app.include_router(stats.build(guard, store, gauges))
    for folder in (files.journals, files.recordings):
        folder.mkdir(parents=True, exist_ok=True)
    return House(app, data, orders, stores)


async def a_busy_day(store: Store) -> None:
    """Two calls, one of them over, three bookings and two messages."""
    for call_id, path in ((PAST, "record"), (LIVE, "stream")):
        await store.calls.start(
            NewCall(
                call_id,
                "receptionist",
                path=path,  # type: ignore[arg-type]
                caller="+15551234567",
                called="+15557654321",
                sid=call_id,
                language="en",
                journal="one.jsonl,two.jsonl" if call_id == PAST else "",
            )
        )
        await store.calls.add_turn(StoredTurn(call_id, 1, Speaker.AGENT, "Hello!", at_ms=20))
        await store.calls.add_turn(
            StoredTurn(call_id, 2, Speaker.CALLER, "A cleaning, please.", at_ms=2000)
        )
        await store.calls.add_turn(
            StoredTurn(call_id, 3, Speaker.AGENT, "When", "suits you?", 3000, True, {"total": 640})
        )
    tool = StoredTool(PAST, "k1", "book_appointment", {"service": "Cleaning"}, "ok", "Held.", 9, 12)
    await store.calls.add_tool(tool)
    await store.escalations.add(
        NewEscalation(
            *("receptionist", PAST, "+15551234567", "Anna", "Dr. Reed", "+15550001111"),
            *("pain", "high", Handling.WARM, "caller"),
        )
    )
    await store.calls.update(PAST, recording="past.wav")
    await store.calls.finish(
        PAST,
        CallEnd(
            "caller: stop",
            NOON + timedelta(minutes=3),
            "booked",
            "book",
            "neutral",
            summary="Anna wanted to book an appointment.",
            cost={"currency": "USD", "total": 0.25, "parts": {"call": 0.25}},
            figures={
                "turns": 2,
                "seconds": 180.0,
                "interruptions": 1,
                "latency_ms": {"total": {"count": 2, "p50": 600.0, "p95": 900.0}},
                "latencies": [{"total": 600.0}, {"total": 900.0}],
                "eager": {"begun": 2, "used": 1},
            },
        ),
    )
    for number in range(2):
        await store.messages.add(
            NewMessage(
                *("receptionist", f"{PAST[:-1]}{number}", "+15551234567", "Anna", "+15551234567"),
                f"Please call back, number {number}.",
            )
        )
    for hours in (0, 2, 24):
        await booked(store, TUESDAY_AT_10 + timedelta(hours=hours))


async def booked(store: Store, start: datetime) -> str:
    """A confirmed cleaning; its id."""
    hold = await store.appointments.hold(
        NewHold(
            *("receptionist", "Cleaning", start, start + timedelta(hours=1), 1),
            *("Anna Bell", "+15551234567", PAST, f"key-{start.isoformat()}"),
        )
    )
    return (await store.appointments.confirm(hold.id)).id


def in_loop(work: Any) -> Any:
    """Run a coroutine to its end."""
    return asyncio.run(work)
