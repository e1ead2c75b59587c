"""A switchboard with its routes and a real database; the carrier and the sessions are fakes."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import httpx
from fastapi import FastAPI

from api import guard, make_call, twilio_webhook, webhooks
from api.keys import ApiKeyGuard
from services.call.events import Event
from services.carriers.twilio_rest import TwilioError
from services.receptionist.agent import Agent, parse_agent
from services.receptionist.books import Handling, NewEscalation
from services.store import Store
from services.switchboard.board import Switchboard
from services.switchboard.call_book import CallBook
from services.switchboard.call_orders import CallOrders
from services.switchboard.outbound import Outbound
from services.switchboard.progress import Progress
from services.switchboard.tokens import Announced, Tokens

BASE = "https://agent.example.com"
CALLER, OURS, PERSON = "+14155550100", "+14155550199", "+14155550111"
KEY = "a key of twenty letters"
MONDAY_NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # 12:00 in New York
IN_PROGRESS = {"CallStatus": "in-progress"}


@dataclass
class Clock:
    """An aware time that tests move by hand."""

    now: datetime = MONDAY_NOON

    def __call__(self) -> datetime:
        return self.now

    def add(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class PublicSide:
    twilio_auth_token: str = ""
    public_url: str = BASE
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)


class FakeRest:
    """Twilio's REST interface: keeps what was asked, and refuses when told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, object]]] = []
        self.error: TwilioError | None = None

    async def create_call(self, to: str, from_: str, url: str, **options: object) -> str:
        return self._note("create", {"to": to, "from_": from_, "url": url, **options})

    async def update_call(self, sid: str, *, twiml: str) -> None:
        self._note("update", {"sid": sid, "twiml": twiml})

    async def hang_up(self, sid: str) -> None:
        self._note("hang_up", {"sid": sid})

    async def send_text(self, to: str, from_: str, body: str) -> str:
        return self._note("text", {"to": to, "from_": from_, "body": body})

    def _note(self, what: str, details: Mapping[str, object]) -> str:
        self.asked.append((what, details))
        if self.error:
            raise self.error
        return f"CA{len(self.asked)}"


@dataclass
class FakeSession:
    events: list[Event] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        self.events.append(event)


class FakeLive:
    """The calls that have a stream."""

    def __init__(self) -> None:
        self.sessions: dict[str, FakeSession] = {}

    def session(self, call_id: str) -> FakeSession | None:
        return self.sessions.get(call_id)


class OneAgent:
    """A directory of one agent, ``ava``; tests may add others."""

    def __init__(self, agent: Agent) -> None:
        self.agents = {"ava": agent}

    def for_number(self, called: str) -> tuple[str, Agent]:
        for agent_id, agent in self.agents.items():
            if called in agent.numbers:
                return agent_id, agent
        return "ava", self.agents["ava"]

    def agent(self, agent_id: str) -> Agent:
        return self.agents.get(agent_id, self.agents["ava"])


def ava(**sections: Any) -> Agent:
    """An agent of New York, open on Mondays."""
    business = {"name": "Bright Smile", "timezone": "America/New_York", "country": "US"}
    people = [{"name": "Dr. Lee", "number": PERSON, "aliases": ["the dentist"]}, {"name": "Zoe"}]
    document = {"name": "Ava", "business": business, "hours": {"monday": ["9:00-17:00"]}}
    return parse_agent({**document, "people": people, **sections})


class Exchange:
    """All parts together, and the carrier's end of the line."""

    def __init__(self, store: Store, clock: Clock, agent: Agent, settings: PublicSide) -> None:
        self.store, self.clock = store, clock
        self.agents = OneAgent(agent)
        self.tokens, self.live, self.rest = Tokens(), FakeLive(), FakeRest()
        self.is_full = False
        book = CallBook(lambda: self.store)
        self.switchboard = Switchboard(book, self.agents, self.tokens, clock)
        self.outbound = Outbound(
            lambda: self.store,
            self.agents,
            self.tokens,
            self.live,
            clock,
            rest=self.rest,  # type: ignore[arg-type]
            public_url=BASE,
            twilio_number=OURS,
        )
        self.progress = Progress(book, self.live, clock)
        self.orders = CallOrders(
            book,
            self.agents,
            self.switchboard,
            self.live,
            self.rest,  # type: ignore[arg-type]
            BASE,
        )
        self.switchboard.full = self.outbound.full = lambda: self.is_full
        self.switchboard.outbound_began = self.outbound.stream_began
        self.app = FastAPI()
        guard.install(self.app)
        self.app.include_router(twilio_webhook.build(settings, self.switchboard))
        self.app.include_router(
            webhooks.build(settings, self.switchboard, self.outbound, self.progress)
        )
        self.app.include_router(make_call.build(ApiKeyGuard([KEY]), self.outbound))
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 40000))
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)

    # --- the carrier ------------------------------------------------------------------------------

    async def post(self, path: str, **form: str) -> list[Element]:
        """The verbs of the TwiML that a webhook answers."""
        answer = await self.http.post(path, data={"CallSid": "CA1", **form})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/xml")
        return list(ElementTree.fromstring(answer.content))

    async def ring(self, sid: str = "CA1", caller: str = CALLER, called: str = OURS) -> Any:
        return await self.post("/voice-stream", CallSid=sid, From=caller, To=called)

    def open_stream(self, verbs: list[Element], call_id: str = "CA1") -> Announced:
        """The carrier opens the stream of this TwiML; what its call was announced as."""
        url, parameters = stream_of(verbs)
        assert url.startswith("wss://agent.example.com/media-stream")
        announced = self.tokens.redeem(parameters["token"], "CA1")
        assert announced is not None
        assert announced.call_id == call_id
        self.live.sessions[call_id] = FakeSession()
        self.switchboard.stream_began(call_id)
        return announced

    def close_stream(self, reason: str, call_id: str = "CA1") -> None:
        del self.live.sessions[call_id]
        self.switchboard.stream_ended(call_id, reason)

    async def wish(self, call_id: str = "CA1", **changes: Any) -> None:
        """The receptionist wants to put the caller through."""
        wish = {
            "agent": "ava",
            "call_id": call_id,
            "caller": CALLER,
            "name": "Jane Doe",
            "person": "Dr. Lee",
            "number": PERSON,
            "reason": "a broken tooth",
            "urgency": "high",
            "handling": Handling.WARM,
            "by": "caller",
        }
        await self.switchboard.ask(NewEscalation(**{**wish, **changes}))

    async def state(self) -> str:
        """Of the call's last wish."""
        latest = await self.store.escalations.latest("CA1")
        return latest.state.value if latest else ""

    async def call(self, call_id: str = "CA1") -> Any:
        return await self.store.calls.get(call_id)

    async def order(self, body: Mapping[str, object], **headers: str) -> httpx.Response:
        """Somebody at the business wants a call placed."""
        return await self.http.post("/make-call", json=body, headers={"X-API-Key": KEY, **headers})


_made: list[bytes] = []


async def _empty_database() -> bytes:
    """A database with its tables: to make them takes longer than most tests."""
    if not _made:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "calls.db"
            store = await Store.open(f"sqlite:///{place}")
            await store.close()
            _made.append(place.read_bytes())
    return _made[0]


@asynccontextmanager
async def exchange(
    folder: Path, agent: Agent | None = None, settings: PublicSide | None = None
) -> AsyncIterator[Exchange]:
    """An exchange for one test."""
    clock, place = Clock(), folder / "calls.db"
    if not place.exists():
        place.write_bytes(await _empty_database())
    store = await Store.open(f"sqlite:///{place}", now=clock)
    built = Exchange(store, clock, agent or ava(), settings or PublicSide())
    try:
        yield built
    finally:
        await built.switchboard.close()
        await built.progress.close()
        await built.http.aclose()
        await built.store.close()


# --- reading TwiML --------------------------------------------------------------------------------


def names(verbs: list[Element]) -> list[str]:
    return [verb.tag for verb in verbs]


def stream_of(verbs: list[Element]) -> tuple[str, dict[str, str]]:
    """URL and parameters of TwiML that connects a call to a stream."""
    assert names(verbs) == ["Connect", "Redirect"]
    (stream,) = verbs[0]
    return stream.attrib["url"], {each.attrib["name"]: each.attrib["value"] for each in stream}


def flat(verbs: list[Element]) -> list[tuple[str, dict[str, str], str]]:
    """All elements in order: tag, attributes, text."""
    return [
        (element.tag, dict(element.attrib), (element.text or "").strip())
        for verb in verbs
        for element in verb.iter()
    ]
