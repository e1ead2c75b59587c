"""The business of a scripted call: its real desk over books in memory, and interruptions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta

from services.llm import BrainEvent, UseTool
from services.receptionist.agent import Agent
from services.receptionist.books import Booking, BookingState
from services.receptionist.desk import ReceptionDesk
from tests.llm.scripted_call import AGENT, CALLER, NOW, Call, caller, heard, said
from tests.receptionist.books import Clock, MemoryBooks

ONE_CHAIR = replace(AGENT, booking=replace(AGENT.booking, at_once=1))
Story = Sequence[tuple[str, str]]
"""What the caller says, and a part of the answer."""


class Office:
    """The books, and the calls that come in."""

    def __init__(self, agent: Agent = ONE_CHAIR) -> None:
        self.agent = agent
        self.clock = Clock(NOW)
        self.books = MemoryBooks(self.clock)
        self.calls = 0

    def call(self, number: str = CALLER, greeting: str = "") -> OfficeCall:
        """The next call."""
        self.calls += 1
        desk = ReceptionDesk(
            self.agent,
            "receptionist",
            appointments=self.books.appointments,
            messages=self.books.messages,
            escalations=self.books.escalations,
            texts=self.books.texts,
            call_id=f"CA{self.calls}",
            caller=number,
            now=self.clock,
        )
        return OfficeCall(number, self.agent, desk, greeting)

    def put(self, start: str, service: str = "A cleaning", number: str = "+15550009999") -> Booking:
        """An appointment that is in the book already; ``start`` is local, "2026-11-24 15:30"."""
        begins = datetime.fromisoformat(start).replace(tzinfo=self.agent.business.timezone)
        minutes = {one.name: one.minutes for one in self.agent.services}[service]
        ends = begins + timedelta(minutes=minutes)
        row = Booking(
            f"X{len(self.books.appointments.rows) + 1:03}",
            "receptionist",
            service,
            begins,
            ends,
            BookingState.CONFIRMED,
            "Zoe Zimmer",
            number,
        )
        return self.books.appointments.put(row)

    @property
    def booked(self) -> list[tuple[str, str, str]]:
        """Service, local start and name of all that is booked."""
        zone = self.agent.business.timezone
        return [
            (row.service, f"{row.starts_at.astimezone(zone):%Y-%m-%d %H:%M}", row.name)
            for row in self.books.appointments.in_state(BookingState.CONFIRMED)
        ]


class OfficeCall(Call):
    """A call that can be interrupted anywhere."""

    async def tell(self, *story: tuple[str, str]) -> None:
        """Say one thing after the other, and hear all of each answer."""
        for line, answer in story:
            reply = await self.say(line)
            assert answer in reply, f'"{line}" got "{reply}"'

    async def cut(self, text: str, tools: int, *, begun: bool = False, hears: str = "") -> str:
        """The caller's next turn, whose reply is cancelled at its next tool after so many; with
        ``begun`` the tool does its work all the same. What was said until then."""
        self.turns.append(caller(text))
        events: list[BrainEvent] = []
        async with aclosing(self.brain.respond(1, self.turns)) as items:
            async for event in items:
                if isinstance(event, UseTool) and not tools:
                    if begun:
                        event.begun = True
                        await self.desk.do(event.request)
                    break
                events.append(event)
                if isinstance(event, UseTool):
                    tools -= 1
                    event.begun = True
                    event.result = await self.desk.do(event.request)
        if hears:
            self.turns.append(heard(hears))
        return said(events)


BOOKING: Story = (
    (
        "I'd like to book a cleaning next Tuesday at half past three.",
        "Tuesday, November 24th at 3:30 PM is free. What's your name, please?",
    ),
    ("Anna Miller.", "Thanks, Anna Miller. Is the number you're calling from the best one"),
    (
        "Yes.",
        "So that's a cleaning on Tuesday, November 24th at 3:30 PM for Anna Miller. "
        "Shall I book it?",
    ),
    ("Yes, please.", "Booked. You'll get a text. Anything else?"),
)
BOOKED = ("A cleaning", "2026-11-24 15:30", "Anna Miller")
