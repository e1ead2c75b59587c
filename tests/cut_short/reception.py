"""The whole office on virtual time, with a telephone at its door and a caller with a plan.

The caller types what she says (no recogniser is needed for that) and speaks only to interrupt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from sqlalchemy import delete

from services.call.conversation import Agent, Caller, Phase
from services.call.effects import Turn
from services.call.events import CallerTyped, Event, TranscriptFinal
from services.carriers.twilio import TwilioCarrier
from services.engines import CallBrief
from services.engines.brains import Brains, make_brains
from services.engines.cascade import CascadeEngine
from services.fleet import Fleet
from services.journal import Journal
from services.office import Office
from services.receptionist.tools import Desk
from services.session import Session
from services.store import Store
from services.store.database import Database
from services.store.tables import metadata
from services.stt import Emit
from services.switchboard.tokens import Announced
from tests.cut_short.caller import NUMBER, OURS, next_words
from tests.engines import chosen
from tests.phone import FakePhone, FakeSegmenter
from tests.test_session import START
from tests.virtual_time import VirtualLoop

AGENT = """
name = "Ava"
[business]
name = "Bright Smile"
country = "US"
timezone = "America/New_York"
[hours]
monday = ["8:00-18:00"]
tuesday = ["8:00-18:00"]
wednesday = ["8:00-18:00"]
thursday = ["8:00-18:00"]
friday = ["8:00-18:00"]
[[services]]
name = "A check-up"
price = "$85"
minutes = 30
aliases = ["checkup", "check up"]
[[people]]
name = "Dr. Lee"
number = "+14155550111"
[booking]
at_once = 1
[lines]
greeting = "Hello."
"""
MARK_EVERY_MS = 1000
PAUSE_S = 0.5
"""How long the caller waits before she speaks."""
DATABASE_S = 0.1
MOST_TURNS = 25
SETTLES_S = 30.0
"""After the call: what waits to see whether the carrier asks again has waited then."""
Step = Callable[[int], None]
T = TypeVar("T")


class SlowDatabase(Database):
    """Much may happen before a transaction, and between its commit and the news of it."""

    async def _to_its_end(self, running: Coroutine[Any, Any, T]) -> T:
        async def work() -> T:
            await asyncio.sleep(DATABASE_S)
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loop._jumping.threads += 1  # a server answers in its own time
            try:
                done = await running
            finally:
                loop._jumping.threads -= 1
            await asyncio.sleep(DATABASE_S)
            return done

        return await super()._to_its_end(work())


class Ears:
    """A recogniser that hears what the test says."""

    batch_frames = 1

    def __init__(self) -> None:
        self.words = ""

    async def run(self, emit: Emit) -> None:
        self._emit = emit

    def hear(self, audio: bytes) -> None: ...

    def speech_started(self, utterance: int, voiced_ms: int) -> None: ...

    def speech_stopped(self, utterance: int) -> None:
        final = TranscriptFinal(utterance, utterance, self.words)
        asyncio.get_running_loop().call_later(0.05, self._emit, final)

    def turn_committed(self) -> None: ...


class ScriptedFleet(Fleet):
    """The real engines but for ears and voice, which are mocks; the brain is the real script."""

    brains: Brains | None = None

    def open(self, agent_id: str, brief: CallBrief, desk: Desk) -> CascadeEngine:
        if self.brains is None:
            settings = chosen.settings(llm="scripted", faq_ahead=False)
            self.brains = make_brains(settings, self.agent(agent_id), self._shared)
        engine = super().open(agent_id, brief, desk)
        assert isinstance(engine, CascadeEngine)
        engine._segmenter, engine._transcriber = FakeSegmenter(), Ears()
        engine._brain = self.brains.open(brief, engine._work, engine._reports)
        return engine


class Line:
    """One call, from the caller's end."""

    def __init__(self, call_id: str, plan: Sequence[str], at: Step) -> None:
        self.call_id = call_id
        self.plan = plan
        self.phone = FakePhone()
        self.entries: list[tuple[float, Event, list[Any]]] = []
        self.session: Session | None = None
        self._speaking: asyncio.Task[None] | None = None
        self._at = at

    @property
    def turns(self) -> list[Turn]:
        """What was said and heard."""
        return self.session.conversation.history if self.session else []

    def see(self, now: float, event: Event, effects: list[Any]) -> None:
        self.entries.append((now, event, effects))
        self._at(len(self.entries))

    def hang_up(self) -> None:
        """As carriers tell it."""
        self.phone.hang_up()

    def drop(self) -> None:
        """The socket closes without a word."""
        self.phone.incoming.put_nowait(None)

    def interrupt(self, words: str, ms: int) -> None:
        """Say something aloud now, whatever the agent says."""
        self._speaking = asyncio.create_task(self._speak(words, ms))

    async def _speak(self, words: str, ms: int) -> None:
        await asyncio.sleep(0)  # the first entry comes before we have the session
        assert self.session
        self.session._engine._transcriber.words = words  # type: ignore[attr-defined]
        await self.phone.speak(ms)
        await self.phone.listen(300)

    async def talk(self) -> None:
        """Say one thing after the other, each when the agent has spoken, until the plan is done."""
        for _ in range(MOST_TURNS):
            await self._my_turn()
            if self.is_over:
                return
            assert self.session
            self.session.emit(CallerTyped(next_words(self.plan, self.turns)))
        said = "\n".join(f"{turn.speaker.value}: {turn.text}" for turn in self.turns)
        raise AssertionError(f"the caller gets nowhere:\n{said}")

    @property
    def is_over(self) -> bool:
        return self.session is not None and self.session.conversation.phase is Phase.ENDED

    async def _my_turn(self) -> None:
        """Until the agent has been silent for a moment."""
        silent_s = 0.0
        while silent_s < PAUSE_S and not self.is_over:
            if self._speaking:
                await self._speaking
                self._speaking = None
            await asyncio.sleep(0.1)
            silent_s = silent_s + 0.1 if self._is_mine else 0.0

    @property
    def _is_mine(self) -> bool:
        if self.session is None or not self.turns:
            return False
        state = self.session.conversation
        return state.agent is Agent.IDLE and state.caller is Caller.QUIET


class Reception:
    """The office, and calls that come in."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._watching: dict[str, Line] = {}
        make = office.calls._journal

        def watched(call_id: str, *others: Any) -> Journal:
            journal = make(call_id, *others)
            if line := self._watching.get(call_id):
                journal.watch(line.see)
            return journal

        office.calls._journal = watched  # type: ignore[method-assign, assignment]

    @property
    def store(self) -> Store:
        return self.office.store()

    async def call(
        self,
        call_id: str,
        plan: Sequence[str],
        at: Callable[[Line, int], None] = lambda line, step: None,
        announced: Announced | None = None,
    ) -> Line:
        """A call to its end. ``at(line, step)`` is told of each entry of its journal."""
        line = Line(call_id, plan, lambda step: at(line, step))
        self._watching[call_id] = line
        carrier = TwilioCarrier()
        carrier.parse(START)
        announced = announced or Announced(call_id, NUMBER, OURS)
        holding = asyncio.create_task(self.office.calls.hold(line.phone, carrier, announced))
        await asyncio.sleep(0)
        line.session = self.office.live.session(call_id)
        try:
            await line.talk()
            await asyncio.wait_for(asyncio.shield(holding), SETTLES_S)
        finally:
            line.phone.incoming.put_nowait(None)
            await holding
            del self._watching[call_id]
        await self.settle()
        return line

    async def settle(self) -> None:
        """Until all that a call has left to do is done."""
        await asyncio.sleep(SETTLES_S)
        await self.office.records.scribe.drain(3600)

    async def clear(self) -> None:
        """Forget everything: the next call is the first one."""

        def work(db: Any) -> None:
            for table in reversed(metadata.sorted_tables):
                db.execute(delete(table))

        await self.store._db.write(work)


def _agent_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "ava.toml"
    file.write_text(AGENT)
    return file


@asynccontextmanager
async def reception(folder: Path, database_url: str = "") -> AsyncIterator[Reception]:
    """The office with one agent, open."""
    file = _agent_file(folder)
    settings = chosen.settings(
        use_mock_streaming=True,
        data_dir=folder,
        agent_file=str(file),
        database_url=database_url,
        journal_words=True,
    )
    with patch("services.office.Fleet", ScriptedFleet):
        office = Office(settings)
    office.calls._timings = replace(settings.timings, mark_every_ms=MARK_EVERY_MS)
    office.pulse.run = asyncio.Event().wait  # type: ignore[method-assign, assignment]
    with patch("services.store.Database", SlowDatabase):
        await office.open()
    running = asyncio.create_task(office.run(), name="office")
    await asyncio.sleep(0.1)  # its tasks have begun
    try:
        yield Reception(office)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await office.close()
