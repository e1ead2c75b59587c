"""A record of calls in memory, and calls that are held with it on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Unpack

from services.call.briefing import Briefing
from services.call.timings import Timings
from services.calls import Calls
from services.carriers.twilio import TwilioCarrier
from services.engines import CallBrief, Engine
from services.journal import JournalWriter
from services.live import LiveCalls
from services.llm import BrainEvent
from services.receptionist.agent import Agent, Business
from services.receptionist.desk import Record
from services.receptionist.tools import Desk, ToolRequest, ToolResult
from services.recording import TapeWriter
from services.records.figures import Figures
from services.records.record import CallRecord
from services.records.records import Records
from services.store import CallChanges, CallEnd, NewCall, StoredCall, StoredTool, StoredTurn
from services.switchboard.tokens import Announced
from tests.desks import FakeDesk
from tests.phone import FakePhone, engine
from tests.test_session import START

AGENT = Agent(name="Ava", business=Business(name="Bright Smile"))
PRICES = {
    "price_currency": "USD",
    "price_call_minute": 0.01,
    "price_stream_minute": 0.004,
    "price_stt_minute": 0.0077,
    "price_input_million": 1.0,
    "price_output_million": 4.0,
    "price_tts_thousand": 0.05,
    "price_sms": 0.008,
}


@dataclass(slots=True)
class FakeBook:
    """Keeps what it is given; ``failures``: what the next writes raise; ``unfit``: words of turns
    that cannot be kept; ``together``: the numbers of turns, each write's."""

    calls: dict[str, NewCall] = field(default_factory=dict)
    changes: list[CallChanges] = field(default_factory=list)
    turns: dict[int, StoredTurn] = field(default_factory=dict)
    tools: list[StoredTool] = field(default_factory=list)
    ends: list[CallEnd] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    unfit: set[str] = field(default_factory=set)
    together: list[list[int]] = field(default_factory=list)
    tried: int = 0

    async def _write(self) -> None:
        self.tried += 1
        await asyncio.sleep(0.001)
        if self.failures:
            raise self.failures.pop(0)

    async def start(self, call: NewCall) -> bool:
        await self._write()
        return self.calls.setdefault(call.id, call) is call

    async def get(self, call_id: str) -> StoredCall | None:
        journal = self.changes[-1].get("journal") if self.changes else None
        known: Any = SimpleNamespace(
            journal=journal or self.calls[call_id].journal, sid="", answered_at=None
        )
        return known  # type: ignore[no-any-return]

    async def update(self, call_id: str, **changes: Unpack[CallChanges]) -> bool:
        await self._write()
        self.changes.append(changes)
        return True

    async def add_turns(self, turns: Sequence[StoredTurn]) -> int:
        await self._write()
        if {turn.heard for turn in turns} & self.unfit:
            raise ValueError
        self.turns.update({turn.number: turn for turn in turns})
        self.together.append([turn.number for turn in turns])
        return len(turns)

    async def add_tool(self, tool: StoredTool) -> bool:
        await self._write()
        self.tools.append(tool)
        return True

    async def finish(self, call_id: str, end: CallEnd) -> bool:
        await self._write()
        self.ends.append(end)
        return True

    @property
    def said(self) -> list[tuple[str, str]]:
        """Speaker and what was heard, in order."""
        return [(turn.speaker.value, turn.heard) for _, turn in sorted(self.turns.items())]


class RecordingDesk(FakeDesk):
    """Tells the record, as the real desk does."""

    record: Record
    can_text = False

    async def do(self, request: ToolRequest) -> ToolResult:
        result = await super().do(request)
        self.record(request, result)
        return result


class FakeFleet:
    """One agent, whose calls hear these words and give these answers."""

    def __init__(
        self, words: Sequence[str], answers: Sequence[Sequence[BrainEvent]], think_s: float
    ) -> None:
        self.words, self.answers, self._think_s = words, answers, think_s
        self.briefs: list[CallBrief] = []

    def for_number(self, called: str) -> tuple[str, Agent]:
        return "receptionist", AGENT

    def agent(self, agent_id: str) -> Agent:
        return AGENT

    def briefing(self, agent_id: str) -> Briefing:
        return Briefing()

    def open(self, agent_id: str, brief: CallBrief, desk: Desk) -> Engine:
        self.briefs.append(brief)
        return engine(self.words, self.answers, self._think_s, desk)[0]


@dataclass(slots=True)
class FakeLine:
    """Notes when streams begin and end."""

    told: list[tuple[str, ...]] = field(default_factory=list)

    def stream_began(self, call_id: str) -> None:
        self.told.append(("began", call_id))

    def stream_ended(self, call_id: str, reason: str) -> None:
        self.told.append(("ended", call_id, reason))


class Exchange:
    """Everything for calls on virtual time. Use it inside ``run_virtual``."""

    def __init__(
        self,
        folder: Path,
        words: Sequence[str] = (),
        answers: Sequence[Sequence[BrainEvent]] = (),
        *,
        with_words: bool = True,
        target_ms: int = 1500,
        desk: RecordingDesk | None = None,
        timings: Timings | None = None,
        think_s: float = 0.1,
    ) -> None:
        self.book, self.line, self.figures = FakeBook(), FakeLine(), Figures(lambda: 0.0)
        self.fleet = FakeFleet(words, answers, think_s)
        self.desk = desk or RecordingDesk()
        settings: Any = SimpleNamespace(**PRICES, target_ms=target_ms, journal_words=with_words)
        self.records = Records(lambda: self.book, settings, self.figures)
        self.writer, self.tapes = JournalWriter(folder), TapeWriter(folder / "recordings")
        self.live = LiveCalls()
        self.calls = Calls(
            self.fleet,
            self,
            self.line,
            self.records,
            timings or Timings(),
            self.live,
            self.writer,
            self.tapes,
            max_calls=2,
        )
        self._writing = asyncio.create_task(self.records.run())

    def open(
        self, agent_id: str, agent: Agent, call_id: str, caller: str, record: CallRecord
    ) -> RecordingDesk:
        """The desk of a call."""
        self.opened, self.desk.record = record, record.used
        return self.desk

    def ring(self, **announced: Any) -> tuple[FakePhone, asyncio.Task[bool]]:
        """A call comes in."""
        phone, carrier = FakePhone(), TwilioCarrier()
        carrier.parse(START)
        call = Announced(
            **{"call_id": "CA1", "caller": "+15551230000", "called": "+2", **announced}
        )
        return phone, asyncio.create_task(self.calls.hold(phone, carrier, call))

    async def close(self) -> None:
        """All is written."""
        await self.records.close()
        self._writing.cancel()
        await asyncio.gather(self._writing, return_exceptions=True)
        self.writer.close()
        self.tapes.close()
