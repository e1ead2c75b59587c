"""The streamed calls of this process: how one is put together, and what is told of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from statistics import median
from typing import Protocol

from services.call.briefing import Briefing
from services.call.conversation import Conversation
from services.call.effects import Effect, HangUp
from services.call.events import CallerHungUp, CallStarted, Event
from services.call.timings import Timings
from services.carriers import Carrier
from services.engines import CallBrief, Engine
from services.journal import Journal, JournalWriter
from services.live import LiveCalls
from services.receptionist.agent import Agent, Path_
from services.receptionist.tools import Desk
from services.recording import Tape, TapeWriter
from services.records.eager import EagerCount
from services.records.record import CallRecord
from services.records.records import Records
from services.records.tally import Tally
from services.session import Session, Socket
from services.store import Direction, NewCall
from services.switchboard.tokens import Announced

log = logging.getLogger(__name__)


class Fleet(Protocol):
    """Opens an engine per call; see ``services.fleet``."""

    def for_number(self, called: str) -> tuple[str, Agent]: ...
    def agent(self, agent_id: str) -> Agent: ...
    def briefing(self, agent_id: str) -> Briefing: ...
    def open(self, agent_id: str, brief: CallBrief, desk: Desk) -> Engine: ...


class CallDesk(Desk, Protocol):
    """A desk that knows its caller."""

    @property
    def can_text(self) -> bool: ...


class Desks(Protocol):
    """Opens a desk per call; see ``services.desks``."""

    def open(
        self, agent_id: str, agent: Agent, call_id: str, caller: str, record: CallRecord
    ) -> CallDesk: ...


class Line(Protocol):
    """Who owns the line when the stream is over; see ``services.switchboard.board``."""

    def stream_began(self, call_id: str) -> None: ...
    def stream_ended(self, call_id: str, reason: str) -> None: ...


class Calls:
    """Holds calls. Everything in it is shared by all of them."""

    def __init__(
        self,
        fleet: Fleet,
        desks: Desks,
        line: Line,
        records: Records,
        timings: Timings,
        live: LiveCalls,
        writer: JournalWriter,
        tapes: TapeWriter,
        *,
        max_calls: int,
    ) -> None:
        self.live = live
        self._fleet = fleet
        self._desks = desks
        self._line = line
        self._records = records
        self._timings = timings
        self._writer = writer
        self._tapes = tapes
        self._max_calls = max_calls
        self.others: Callable[[], int] = lambda: 0
        """How many calls are held in other ways: they take up room, too."""
        self.closing = False
        """Whether the server is about to stop: calls in progress go on, others are refused."""

    @property
    def eager(self) -> EagerCount:
        """Eager replies of all calls since the start, those in progress included."""
        return self._records.eager

    @property
    def full(self) -> bool:
        """Whether one more call would be one too many."""
        return self.closing or self.in_progress >= self._max_calls

    @property
    def in_progress(self) -> int:
        """How many calls there are, however they are held."""
        return len(self.live) + self.others()

    def end_all(self) -> None:
        """End the calls in progress, in order: their sockets and journals are closed."""
        self.live.end_all("server stops")

    async def hold(self, socket: Socket, carrier: Carrier, announced: Announced) -> bool:
        """Hold a call until it is over; False if there is no room for it."""
        if self.full:
            why = "the server stops" if self.closing else f"all {self._max_calls} lines busy"
            log.warning("call %s: refused, %s", announced.call_id, why)
            return False
        call_id, opening = announced.call_id, announced.opening
        agent_id, agent = self._agent(announced)
        briefing = self._fleet.briefing(agent_id)
        conversation = Conversation(self._timings, briefing)
        journal = self._journal(call_id, agent.name, briefing)
        record = self._records.open(
            new_call(announced, agent_id, "stream", briefing, journal),
            conversation.history,
            is_paid=announced.origin != "talk",
        )
        log.info("call %s: started (%s)", call_id, announced.origin)
        started = CallStarted(announced.caller, announced.called, opening, announced.earlier)
        try:
            engine = self._engine(announced, agent_id, agent, record)
            tape = self._tape(journal, record) if agent.recording.enabled else None
            session = Session(call_id, socket, carrier, engine, conversation, journal, tape)
            with self.live.enter(session) as show:

                def see(now: float, event: Event, effects: Sequence[Effect]) -> None:
                    show(now, event, effects, record.see(now, event, effects))
                    if type(event) is CallStarted:
                        self._line.stream_began(call_id)
                    if _is_over(event, effects):
                        self._ended(call_id, record)

                session.journal.watch(see)
                await session.run(started)
        finally:
            log.info("call %s: ended: %s", call_id, _in_short(record.tally))
            self._records.end(record)
            if record.tally.reason == "crash":  # any other end was told when it came
                self._ended(call_id, record)
        return True

    def _journal(self, call_id: str, agent: str, briefing: Briefing) -> Journal:
        with_words = self._records.with_words
        timings, writer = self._timings, self._writer
        return Journal(call_id, agent, timings, writer, briefing, with_words=with_words)

    def _tape(self, journal: Journal, record: CallRecord) -> Tape:
        """Where the call is recorded; on record before there is a sound of it."""
        name = journal.name.removesuffix(".jsonl") + ".wav"
        record.recorded_in(name)
        return self._tapes.open(name)

    def _engine(
        self, announced: Announced, agent_id: str, agent: Agent, record: CallRecord
    ) -> Engine:
        """The engine, with the desk at which its tools work."""
        call_id, caller = announced.call_id, announced.caller
        desk = self._desks.open(agent_id, agent, call_id, caller, record)
        brief = brief_of(announced, desk)
        return self._fleet.open(agent_id, brief, desk)

    def _agent(self, announced: Announced) -> tuple[str, Agent]:
        """Whom the call was announced for, or who answers its number."""
        if announced.agent:
            return announced.agent, self._fleet.agent(announced.agent)
        return self._fleet.for_number(announced.called)

    def _ended(self, call_id: str, record: CallRecord) -> None:
        reason = record.tally.reason
        if reason != "caller: superseded":
            self._line.stream_ended(call_id, reason)


def brief_of(announced: Announced, desk: CallDesk) -> CallBrief:
    """What an engine is told of a call."""
    return CallBrief(
        announced.call_id,
        announced.caller,
        announced.called,
        announced.purpose,
        announced.opening,
        desk.can_text,
    )


def _is_over(event: Event, effects: Sequence[Effect]) -> bool:
    if type(event) is CallerHungUp:
        return True
    return bool(effects) and isinstance(effects[-1], HangUp)


def new_call(
    announced: Announced, agent_id: str, path: Path_, briefing: Briefing, journal: Journal
) -> NewCall:
    """The call as it goes on record."""
    is_outbound = announced.direction == "outbound"
    numbers = announced.caller, announced.called  # the other party's, ours
    caller, called = reversed(numbers) if is_outbound else numbers
    return NewCall(
        announced.call_id,
        agent_id,
        Direction(announced.direction),
        path,
        caller,
        called,
        announced.carrier_id,
        purpose=announced.purpose,
        language=briefing.language,
        journal=journal.name,
    )


def _in_short(tally: Tally) -> str:
    """A call's one line in the log. Holds no words."""
    waits = tally.figures.waits_ms
    wait = f"{median(waits):.0f} ms" if waits else "-"
    line = f"{tally.seconds:.1f} s, {len(waits)} turns, median response {wait}, {tally.reason}"
    eager = tally.eager.count
    if eager.begun:
        line += f", eager replies {eager.used} of {eager.begun} used"
        line += f", {eager.wasted_tokens} tokens wasted"
    return line
