"""A business with its books in memory, and calls to its desk."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.receptionist.agent import Agent
from services.receptionist.agent import Booking as Rules
from services.receptionist.books import Booking, BookingState
from services.receptionist.desk import ReceptionDesk
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from tests.receptionist.books import Clock, MemoryBooks

CALLER = "+15551234567"
OTHER = "+15557654321"
NEXT_TUESDAY = "next Tuesday at half past three"
AT_HALF_PAST_THREE = "2026-11-24T15:30:00-05:00"


class Office:
    """A business with its books, and calls to it. It is Saturday, November 21st, 10 AM."""

    def __init__(self, agent: Agent, **rules: Any) -> None:
        self.agent = replace(agent, booking=Rules(**rules))
        self.clock = Clock(datetime(2026, 11, 21, 10, 0, tzinfo=agent.business.timezone))
        self.books = MemoryBooks(self.clock)
        self.calls = 0

    def call(self, caller: str = CALLER, *, call_id: str = "", **changes: Any) -> Calls:
        """The desk of the next call, or of one that comes back."""
        self.calls += 1
        books = self.books
        desk = ReceptionDesk(
            replace(self.agent, **changes),
            "receptionist",
            appointments=books.appointments,
            messages=books.messages,
            escalations=books.escalations,
            texts=books.texts,
            call_id=call_id or f"CA{self.calls}",
            caller=caller,
            now=self.clock,
        )
        return Calls(desk)

    async def booked(self, when: str = NEXT_TUESDAY, caller: str = CALLER, **more: str) -> Booking:
        """An appointment that was made in an earlier call."""
        call = self.call(caller)
        held = await call.book(when=when, **more)
        done = await call.confirm(held)
        await call.desk.close()
        return self.books.appointments.rows[done.facts["id"]]

    def states(self) -> list[str]:
        rows = self.books.appointments
        return [state.value for state in BookingState for _ in rows.in_state(state)]


class Calls:
    """Uses the tools of one call, each in a new turn of the caller's."""

    def __init__(self, desk: ReceptionDesk) -> None:
        self.desk = desk
        self.turn = 0

    async def do(self, tool: Tool, key: str = "", turn: int = 0, **arguments: str) -> ToolResult:
        self.turn += 1
        turn = turn or self.turn
        return await self.desk.do(ToolRequest(tool, arguments, turn, key or f"{self.turn}"))

    async def book(self, when: str = NEXT_TUESDAY, **more: str) -> ToolResult:
        wanted = {"service": "check-up", "name": "Maria Lopez", **more}
        return await self.do(Tool.BOOK_APPOINTMENT, when=when, **wanted)

    async def check(self, when: str, service: str = "check-up") -> ToolResult:
        return await self.do(Tool.CHECK_AVAILABILITY, when=when, service=service)

    async def confirm(self, proposed: ToolResult) -> ToolResult:
        return await self.do(Tool.CONFIRM, reference=proposed.facts["reference"])
