"""The whole server against the carrier in a box, on virtual time: only the brain is scripted.

Callers do not speak here: what they "say" is typed into the live call, so no recogniser is needed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
from fastapi import APIRouter

import main
from api import media_stream
from services.engines import CallBrief, Engine
from services.engines.cascade import CascadeEngine
from services.fleet import Fleet
from services.live import LiveCalls
from services.llm import BrainEvent
from services.office import Office
from services.receptionist.tools import Desk
from services.store import Store, StoredCall
from services.stt.turn_audio import Piece
from services.stt.words import Words
from services.switchboard.call_orders import CallOrders
from tests.engines import chosen
from tests.phone import FakeBrain
from tests.simulators import webhook
from tests.simulators.carrier import Carrier, Leg, Party, Trouble, serving
from tests.virtual_time import run_virtual

PUBLIC = "https://voice.example.com"
CALLER, OURS, PERSON, CALLEE = "+14155550100", "+14155550199", "+14155550111", "+14155550123"
KEY = "a key of twenty letters"
SETTLES_S = 1.0

AGENT = f"""
name = "Ava"
[business]
name = "Bright Smile"
country = "US"
[[people]]
name = "Dr. Lee"
number = "{PERSON}"
[outbound]
hours = ["0:00-24:00"]
weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
[lines]
greeting = "Hello."
transfer = "One moment."
nobody_there = "Nobody there. A message?"
outbound = "Ava here."
voicemail = "Please call us back."
goodbye = "Goodbye."
"""

Answer = Sequence[BrainEvent | Exception]


class HeardWords:
    """Hears in recordings what the test wants, one after another."""

    name, idle = "words", False

    def __init__(self, texts: list[str | Exception]) -> None:
        self._texts = texts

    async def words(self, pieces: Sequence[Piece]) -> str:
        text = self._texts.pop(0)
        if isinstance(text, Exception):
            raise text
        return text


class ScriptedFleet(Fleet):
    """The real engines, with a brain that says what the test wants."""

    answers: Sequence[Answer] = ()
    think_s = 0.1

    def open(self, agent_id: str, brief: CallBrief, desk: Desk) -> CascadeEngine:
        return self._scripted(super().open(agent_id, brief, desk), brief)

    def open_recorded(self, agent_id: str, brief: CallBrief, desk: Desk) -> tuple[Engine, Words]:
        engine, _ = super().open_recorded(agent_id, brief, desk)
        assert isinstance(engine, CascadeEngine)
        return self._scripted(engine, brief), HeardWords(self.heard)

    def _scripted(self, engine: CascadeEngine, brief: CallBrief) -> CascadeEngine:
        done = sum(len(brain.asked) for brain in self.brains)
        self.brains.append(FakeBrain(self.answers[done:], think_s=self.think_s))
        engine._brain = self.brains[-1]
        self.briefs.append(brief)
        return engine

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brains: list[FakeBrain] = []
        self.briefs: list[CallBrief] = []
        self.heard: list[str | Exception] = []


@dataclass
class Answered:
    """An ASGI app that notes what the app in it answers: (path, TwiML), in order."""

    app: Any
    documents: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def noted(message: Any) -> None:
            if message["type"] == "http.response.body":
                self.documents.append((scope["path"], message["body"].decode(errors="replace")))
            await send(message)

        await self.app(scope, receive, noted if scope["type"] == "http" else send)


@dataclass
class House:
    """The server's parts, and the carrier at its door."""

    carrier: Carrier
    store: Store
    live: LiveCalls
    fleet: ScriptedFleet
    orders: CallOrders
    http: httpx.AsyncClient
    answered: Answered
    office: Office

    async def say(self, call_id: str, words: str, after_s: float = 3.0) -> None:
        """The caller says something after so many seconds."""
        await asyncio.sleep(after_s)
        assert self.live.type_text(call_id, words)

    async def say_nothing(self, for_s: float = 0.5) -> None:
        """Time goes by."""
        await asyncio.sleep(for_s)

    async def recorded(self, party: Party, caller: str = CALLER, sid: str = "") -> Leg:
        """Somebody calls by the recording path, and the carrier tells when it is over."""
        self.carrier.voice, self.carrier.status_callback = "/voice", "/webhooks/status"
        return await self.carrier.call_in(caller, OURS, party, sid=sid)

    async def record(self, call_id: str) -> StoredCall:
        """What is on record."""
        call = await self.store.calls.get(call_id)
        assert call is not None
        return call

    async def said(self, call_id: str) -> list[str]:
        """The turns that are on record: ``agent: Hello.``"""
        turns = await self.store.calls.turns(call_id)
        return [f"{turn.speaker.value}: {turn.heard}" for turn in turns]

    async def get(self, path: str) -> Any:
        """What the REST interface answers."""
        answer = await self.http.get(path, headers={"X-API-Key": KEY})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, **body: object) -> httpx.Response:
        """Order something of the REST interface."""
        return await self.http.post(path, json=body or None, headers={"X-API-Key": KEY})

    async def webhook(self, path: str, form: Mapping[str, str], token: str = "") -> httpx.Response:
        """A webhook that the carrier did not post: replayed, or signed with another token."""
        url = PUBLIC + path
        signature = webhook.signature(token or self.carrier.auth_token, url, dict(form))
        headers = {"X-Twilio-Signature": signature}
        return await self.http.post(path, data=dict(form), headers=headers)

    async def make_call(self, **body: object) -> tuple[str, Leg]:
        """Have CALLEE called; our id of the call, and the leg."""
        wanted = {"to": CALLEE, "purpose": "Remind them of the check-up.", **body}
        answer = await self.http.post("/make-call", json=wanted, headers={"X-API-Key": KEY})
        assert answer.status_code == 201, answer.text
        call_id: str = answer.json()["call_id"]
        stored = await self.store.calls.get(call_id)
        assert stored is not None
        return call_id, self.carrier.calls[stored.sid]

    async def over(self, leg: Leg) -> None:
        """Until the call is over and on record."""
        await leg.over()
        await asyncio.sleep(SETTLES_S)

    async def state(self, call_id: str) -> str:
        latest = await self.store.escalations.latest(call_id)
        return latest.state.value if latest else ""

    def asked(self) -> list[str]:
        """All that the carrier asked about calls, in order; callbacks about streams left out."""
        return [str(each) for each in self.carrier.requests if each.kind != "stream-status"]

    def told(self, name: str) -> list[str]:
        """The TwiML that webhooks of this name answered, without tokens, one string each."""
        found = [body for path, body in self.answered.documents if name in path]
        bare = (body.partition("?>")[2].strip() for body in found)
        return [re.sub(r'name="token" value="[^"]*"', 'name="token"', body) for body in bare]


def _no_door(*parts: object) -> APIRouter:
    """Media streams have nowhere to go."""
    return APIRouter()


def story(work: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test on virtual time, database included."""

    @wraps(work)
    def run(*args: Any, **kwargs: Any) -> None:
        run_virtual(work(*args, **kwargs))

    return run


@asynccontextmanager
async def house(
    folder: Path,
    answers: Sequence[Answer] = (),
    *,
    agent: str = AGENT,
    heard: Sequence[str | Exception] = (),
    carrier: Carrier | None = None,
    trouble: Trouble | None = None,
    with_streams: bool = True,
    with_words: bool = True,
    with_account: bool = True,
) -> AsyncIterator[House]:
    """The server with one agent, as main wires it. ``heard``: the words of recordings, in order.
    With the ``carrier`` and the folder of another house it is that one, started anew."""
    (folder / "ava.toml").write_text(agent)
    async with AsyncExitStack() as stack:
        if carrier is None:
            carrier = Carrier(trouble=trouble, numbers={OURS: ""})
            await stack.enter_async_context(carrier)
        settings = chosen.settings(
            use_mock_streaming=True,
            journal_words=with_words,
            data_dir=folder,
            agent_file=folder / "ava.toml",
            public_url=PUBLIC,
            trusted_proxies=("127.0.0.1",),
            twilio_account_sid=carrier.account_sid if with_account else "",
            twilio_auth_token=carrier.auth_token,
            twilio_base_url=carrier.rest_url,
            twilio_number=OURS,
            api_keys=(KEY,),
        )
        with patch("services.office.Fleet", ScriptedFleet):
            office = Office(settings)
        fleet = office.fleet
        assert isinstance(fleet, ScriptedFleet)
        fleet.answers, fleet.heard = answers, list(heard)
        with patch("main.Office", lambda settings: office):
            streams = media_stream.build if with_streams else _no_door
            with patch("main.media_stream.build", streams):
                app = main.create_app(settings)
        stack.enter_context(patch("main.gc"))  # it takes longer than most tests
        answered = Answered(app)
        url = await stack.enter_async_context(serving(answered, lifespan=True))
        carrier.serves(
            url,
            public_url=PUBLIC,
            voice=carrier.voice,
            fallback=carrier.fallback,
            status_callback=carrier.status_callback,
        )
        http = httpx.AsyncClient(base_url=url)
        stack.push_async_callback(http.aclose)
        yield House(
            carrier, office.store(), office.live, fleet, office.orders, http, answered, office
        )
