"""The receptionist behind the simulated OpenAI: whole talks by function calls."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from services.call.effects import Speaker, Turn
from services.call.events import AfterReply
from services.llm import EndCall, UseTool
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.llm.tools import functions
from services.receptionist.agent import Agent
from services.receptionist.books import BookingState
from services.receptionist.desk import ReceptionDesk
from services.receptionist.prompt import Prompt
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from services.vendors.clients import openai_client
from tests.llm.openai_call import AGENT, GREETING, MODEL, NOW, virtual
from tests.receptionist.books import Clock, MemoryBooks
from tests.simulators.vendors.openai import OpenAISimulator
from tests.simulators.vendors.receptionist_model import ReceptionistModel

SERVICES = {"A check-up": "check-up|checkup", "A crown": "crown"}
RESULTS = {
    Tool.BOOK_APPOINTMENT: "Held for two minutes, not booked yet: a check-up on Tuesday at half "
    "past three, reference B7K2. Read the service, the day and the time back and ask whether that "
    'is right. When the caller says yes, use confirm with reference "B7K2".',
    Tool.CHANGE_APPOINTMENT: "Not moved yet: a check-up from Tuesday to Wednesday, which is held "
    "for two minutes. Read the new day and time back and ask whether that is right. When the "
    'caller says yes, use confirm with reference "B7K3".',
    Tool.CANCEL_APPOINTMENT: "Not cancelled yet: a check-up on Wednesday. Ask whether it should "
    'really be cancelled. When the caller says yes, use confirm with reference "B7K4".',
    Tool.FIND_APPOINTMENTS: 'Coming appointments: a check-up on Tuesday (reference "A1B2").',
    Tool.CHECK_AVAILABILITY: "Tuesday at nine is free for a check-up. Nothing is booked yet: if "
    "the caller wants it, use book_appointment.",
    Tool.CONFIRM: "Done: a check-up is booked for Tuesday. Tell the caller, with day and time.",
    Tool.OPENING_HOURS: "We open at eight on Monday.",
}


class NotedDesk:
    """Does everything, and notes its references as the real one does."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    async def do(self, request: ToolRequest) -> ToolResult:
        text = RESULTS.get(request.tool, "Done.")
        if found := re.search(r'confirm with reference "(\w+)"', text):
            self.notes.append(f"Proposed, but not booked: a check-up (reference {found[1]}).")
        if request.tool is Tool.TRANSFER_CALL:
            return ToolResult("ok", text, then=AfterReply.TRANSFER)
        return ToolResult("ok", text)


class Talk:
    """A caller on a line with the model."""

    desk: NotedDesk | ReceptionDesk

    def __init__(self, brain: OpenAIBrain, model: ReceptionistModel) -> None:
        self._brain = brain
        self.desk = NotedDesk()
        self.done: list[ToolRequest] = []
        self.model = model
        self.turns = [GREETING]
        self.ended = False

    async def say(self, words: str) -> str:
        self.turns.append(Turn(Speaker.CALLER, words))
        answer = ""
        async for item in self._brain.respond(1, tuple(self.turns)):
            if isinstance(item, UseTool):
                item.result = await self.desk.do(item.request)
                self.done.append(item.request)
            elif isinstance(item, EndCall):
                self.ended = True
            else:
                answer += str(item)
        self.turns.append(Turn(Speaker.AGENT, answer))
        return answer

    @property
    def used(self) -> list[tuple[str, Mapping[str, str]]]:
        return [(request.tool.value, request.arguments) for request in self.done]


@asynccontextmanager
async def talk(agent: Agent = AGENT, people: Sequence[str] = ("Maria",)) -> AsyncIterator[Talk]:
    model, talks = ReceptionistModel(SERVICES, people), list[Talk]()
    async with OpenAISimulator(answers=model) as simulator:
        async with openai_client(simulator.key, f"{simulator.url}/v1") as client:
            brain = OpenAIBrain(
                client,
                OpenAIOptions(MODEL),
                Prompt(agent),
                lambda: NOW,
                "+15551234567",
                can_text=True,
                notes=lambda: talks[0].desk.notes,
            )
            talks.append(Talk(brain, model))
            yield talks[0]
        assert not simulator.errors


def real_desk() -> tuple[ReceptionDesk, MemoryBooks]:
    """A desk and its books."""
    books = MemoryBooks(Clock(NOW))
    return books.desk(AGENT), books


@virtual
async def test_it_books_reads_back_and_confirms_in_the_next_turn() -> None:
    async with talk() as one:
        said = await one.say("Hi, my name is Bob Lee, I'd like a check-up.")
        assert said == "When would you like to come?"
        said = await one.say("Next Tuesday at half past three, please.")
        assert said == "A check-up on Tuesday at half past three. Is that right?"
        said = await one.say("Yes, that's right.")
        assert said == "Done: a check-up is booked for Tuesday. Is there anything else?"
        wish = {"service": "A check-up", "name": "Bob Lee", "number": ""}
        assert one.used == [
            ("book_appointment", {**wish, "when": "Next Tuesday at half past three"}),
            ("confirm", {"reference": "B7K2"}),
        ]
        booked, confirmed = one.done
        assert booked.turn < confirmed.turn


@virtual
async def test_it_changes_and_cancels_what_it_has_found() -> None:
    async with talk() as one:
        await one.say("Can I move my appointment to the next day?")
        await one.say("Yes please do.")
        await one.say("I want to cancel it.")
        await one.say("Yes.")
        assert [tool for tool, _ in one.used] == [
            *("find_appointments", "change_appointment", "confirm"),
            *("find_appointments", "cancel_appointment", "confirm"),
        ]
        assert one.used[1][1] == {"reference": "A1B2", "when": "the next day"}
        assert [wish["reference"] for _, wish in one.used[2::3]] == ["B7K3", "B7K4"]


@virtual
async def test_it_tells_prices_times_and_hours() -> None:
    async with talk() as one:
        assert await one.say("How much is a crown?") == "A crown costs from $950."
        said = await one.say("Is a check-up free on Tuesday at nine?")
        assert said == "Tuesday at nine is free for a check-up."
        assert await one.say("When do you open on Monday?") == "We open at eight on Monday."
        assert one.used[-1] == ("opening_hours", {"when": "on Monday"})


@virtual
async def test_it_takes_a_message_once_it_was_read_back() -> None:
    async with talk() as one:
        for words in ("Can I leave a message?", "My crown came off.", "My name is Bob."):
            await one.say(words)
        said = await one.say("It is 555 867 5309.")
        assert "Your message is: “My crown came off”" in said
        assert one.used == []
        await one.say("Yes.")
        ((tool, left),) = one.used
        assert (tool, left["message"], left["name"]) == ("take_message", "My crown came off", "Bob")
        assert left["number"] == "5558675309"


@virtual
async def test_it_puts_callers_through_texts_them_and_says_goodbye() -> None:
    async with talk() as one:
        await one.say("Please text me that.")
        await one.say("It is urgent, can I speak to Maria?")
        await one.say("Bye.")
        assert [tool for tool, _ in one.used] == ["send_sms", "transfer_call"]
        assert (one.used[1][1]["person"], one.used[1][1]["urgency"]) == ("Maria", "high")
        assert one.ended


@virtual
async def test_it_does_not_do_what_it_is_not_offered() -> None:
    limited = replace(AGENT, people=(), owner_phone="", services=())
    async with talk(limited) as one:
        assert "cannot make appointments" in await one.say("I'd like to book a check-up tomorrow.")
        assert "cannot put you through" in await one.say("Can I talk to a person?")
        assert one.model.calls == []


@virtual
async def test_with_the_real_desk_the_appointment_is_in_the_book() -> None:
    async with talk() as one:
        one.desk, books = real_desk()
        said = await one.say("I am Bob Lee, a check-up next Tuesday at half past three, please.")
        assert said == "A check-up on Tuesday, November 24th at 3:30 PM. Is that right?"
        assert books.appointments.in_state(BookingState.CONFIRMED) == []
        assert "is booked for Tuesday" in await one.say("Yes.")
        await one.say("Could you move it to the next day?")
        assert "is moved to Wednesday" in await one.say("Yes please.")
        (booked,) = books.appointments.in_state(BookingState.CONFIRMED)
        assert (booked.name, booked.starts_at.isoformat()) == (
            "Bob Lee",
            "2026-11-25T20:30:00+00:00",
        )
        await one.desk.close()


@virtual
async def test_it_asks_for_a_name_and_for_digits_in_words() -> None:
    async with talk() as one:
        one.desk, books = real_desk()
        said = await one.say("I'd like to book a checkup next Tuesday at half past three.")
        assert said == "What name shall I put it under?"
        said = await one.say("My name is Anna Miller.")
        assert said == "A check-up on Tuesday, November 24th at 3:30 PM. Is that right?"
        assert books.appointments.in_state(BookingState.CONFIRMED) == []
        assert "is booked for Tuesday" in await one.say("Yeah.")
        (booked,) = books.appointments.in_state(BookingState.CONFIRMED)
        assert booked.name == "Anna Miller"
        assert books.appointments.in_state(BookingState.HELD) == []
        for words in ("I'd like to leave a message.", "I will be late.", "Anna Miller."):
            await one.say(words)
        said = await one.say("Four one five five five five zero one zero one.")
        assert "we will call 4155550101" in said
        await one.desk.close()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("Is that right? (with no reference)", ""),
        ("Can I cancel my appointment?", "the tool find_appointments is not offered"),
    ],
)
def test_it_is_strict_with_itself(said: str, why: str) -> None:
    tools: list[dict[str, Any]] = list(functions(replace(AGENT, services=())))
    messages = [{"role": "system", "content": ""}, {"role": "user", "content": said}]
    model = ReceptionistModel(SERVICES)
    if not why:
        assert model.reply(messages, tools) == ["How can I help you with that?"]
        return
    with pytest.raises(AssertionError, match=why):
        model.reply(messages, tools)
