"""How a call that is recorded turn by turn is put together: as a streamed one, but for the ears."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from services.call.briefing import Briefing
from services.call.effects import Effect
from services.call.events import Event
from services.call.timings import Timings
from services.calls import Desks, brief_of, new_call
from services.engines import CallBrief, Engine
from services.journal import Journal, JournalWriter
from services.receptionist.agent import Agent
from services.receptionist.tools import Desk
from services.recorded import RecordedCall
from services.records.records import Records
from services.stt.words import Words
from services.switchboard.tokens import Announced


class Fleet(Protocol):
    """Opens an engine per call; see ``services.fleet``."""

    def agent(self, agent_id: str) -> Agent: ...
    def briefing(self, agent_id: str) -> Briefing: ...
    def open_recorded(
        self, agent_id: str, brief: CallBrief, desk: Desk
    ) -> tuple[Engine, Words]: ...


class RecordedOpening:
    """Opens recorded calls, with the same tools, journal and record as others have."""

    def __init__(
        self, fleet: Fleet, desks: Desks, records: Records, timings: Timings, writer: JournalWriter
    ) -> None:
        self._fleet = fleet
        self._desks = desks
        self._records = records
        self._timings = timings
        self._writer = writer

    def __call__(self, announced: Announced) -> RecordedCall:
        """The call; its record is open, and ended when the call is."""
        agent_id, call_id = announced.agent, announced.call_id
        agent, briefing = self._fleet.agent(agent_id), self._fleet.briefing(agent_id)
        journal = Journal(
            call_id,
            agent.name,
            self._timings,
            self._writer,
            briefing,
            with_words=self._records.with_words,
            path="record",
        )
        call = new_call(announced, agent_id, "record", briefing, journal)
        history = list(announced.earlier)
        record = self._records.open(call, history)
        desk = self._desks.open(agent_id, agent, call_id, announced.caller, record)
        engine, words = self._fleet.open_recorded(agent_id, brief_of(announced, desk), desk)

        def see(now: float, event: Event, effects: Sequence[Effect]) -> None:
            record.see(now, event, effects)

        journal.watch(see)
        return RecordedCall(
            call_id,
            engine,
            words,
            journal,
            asyncio.get_running_loop().time,
            self._timings.max_call_s,
            history=history,
            closed=lambda: self._records.end(record),
        )
