"""The scripted brain books appointments at the real desk: whole talks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.call.words.readiness import Expectation
from services.llm import Asks
from services.receptionist.books import BookingState
from services.receptionist.tools import Tool
from tests.llm.office import BOOKED, BOOKING, Office, OfficeCall, Story
from tests.llm.scripted_call import AGENT, CALLER

AT_CONFIRM = BOOKING[:3]


async def told(*stories: Story, number: str = CALLER, office: Office | None = None) -> OfficeCall:
    call = (office or Office()).call(number)
    for story in stories:
        await call.tell(*story)
    return call


async def test_a_booking_from_beginning_to_end() -> None:
    office = Office()
    await told(BOOKING, office=office)
    assert office.booked == [BOOKED]
    (row,) = office.books.appointments.in_state(BookingState.CONFIRMED)
    assert row.number == CALLER


async def test_nothing_is_booked_before_the_yes() -> None:
    office = Office()
    await told(AT_CONFIRM, office=office)
    assert office.booked == []


@pytest.mark.parametrize(
    "story",
    [
        [
            ("Can I make an appointment?", "What would you like to come in for?"),
            ("A cleaning.", "When would suit you?"),
            ("At half past three.", "3:30 PM"),
        ],
        [
            ("Hi, I want to re schedule, no, to book in appointment", ""),
            ("never mind", ""),
            ("book a check up", "When would suit you?"),
            ("next Tuesday at half past 3", "3:30 PM is free."),
        ],
        [
            ("I need a clean in", "When would suit you?"),
            ("November 24th", "Which one?"),
            ("the last one", "What's your name, please?"),
        ],
        [
            ("Do you have anything free next Tuesday?", "What would you like to come in for?"),
            ("A check-up", "I have Tuesday, November 24th at 8 AM"),
            ("half past three", "Tuesday, November 24th at 3:30 PM is free."),
        ],
        [
            ("Is next Tuesday at 3:30 available for a filling?", "is free. Would you like it?"),
            ("Yes please", "What's your name, please?"),
        ],
        [
            ("book a dog", "What would you like to come in for?"),
            ("a dog", "We have a check-up, a cleaning, a filling, teeth whitening or a crown."),
            ("whitening", "When would suit you?"),
        ],
        [
            ("A filling on Sunday at ten, please.", "We're closed then. I could offer Monday at"),
            ("None of those.", "Okay. When would suit you?"),
            ("yesterday", "That's in the past."),
            ("February 30th", "There's no such day."),
            ("in three years", "When would suit you?"),
            ("today at ten past ten", "That's too soon."),
        ],
    ],
)
async def test_the_way_to_a_time(story: Story) -> None:
    await told(story)


async def test_all_in_one_sentence() -> None:
    office = Office()
    call = office.call()
    answer = await call.say(
        "My name is Anna Miller, my number is 555 222 3333, and I'd like to book a cleaning "
        "next Tuesday at half past three."
    )
    assert answer.startswith("So that's a cleaning on Tuesday, November 24th at 3:30 PM for Anna")
    assert call.used == [Tool.BOOK_APPOINTMENT]
    await call.tell(("Yes.", "Booked."))
    assert office.booked == [BOOKED]


async def test_a_time_that_is_taken_leads_to_others() -> None:
    office = Office()
    office.put("2026-11-24 15:30")
    call = office.call()
    answer = await call.say("Book a cleaning next Tuesday at half past three please")
    assert answer.startswith("That's taken. I could offer Tuesday, November 24th at ")
    assert answer.endswith(" Which one?")
    await call.tell(("The first one.", "Okay, 2:30 PM. What's your name, please?"), *BOOKING[1:2])
    await call.tell(("yes", "Shall I book it?"), ("yes", "Booked."))
    assert len(office.booked) == 2


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_time_that_somebody_else_takes_meanwhile(at: int) -> None:
    """After it was free, before it is held; the hold protects it from then on."""
    office = Office()
    call = office.call()
    await call.tell(*BOOKING[:at])
    if at < 3:
        office.put("2026-11-24 15:30")
        for line, _ in BOOKING[at:3]:
            answer = await call.say(line)
        assert "That's taken. I could offer" in answer
        await call.tell(
            ("neither", "When would suit you?"), ("next Wednesday at nine", "Shall I book")
        )
        await call.tell(("yes", "Booked."))
        assert ("A cleaning", "2026-11-25 09:00", "Anna Miller") in office.booked
    else:
        await call.tell(BOOKING[3])
        assert office.booked == [BOOKED]


async def test_a_hold_that_expired_is_still_good_if_nobody_else_came() -> None:
    office = Office()
    call = await told(AT_CONFIRM, office=office)
    office.clock.move(minutes=10)
    await call.tell(("yes", "Booked."))
    assert office.booked == [BOOKED]


async def test_a_hold_that_expired_and_was_taken_leads_to_others() -> None:
    office = Office()
    call = await told(AT_CONFIRM, office=office)
    office.clock.move(minutes=10)
    office.put("2026-11-24 15:30")
    answer = await call.say("yes")
    assert answer.startswith("That's taken. I could offer")
    await call.tell(("the second one", "Shall I book it?"), ("yes", "Booked."))
    assert len(office.booked) == 2


@pytest.mark.parametrize(
    ("lines", "booked"),
    [
        (["No, make it four.", "yes"], ("A cleaning", "2026-11-24 16:00", "Anna Miller")),
        (["Yes but at four please", "yes"], ("A cleaning", "2026-11-24 16:00", "Anna Miller")),
        (["No, Wednesday.", "yes"], ("A cleaning", "2026-11-25 15:30", "Anna Miller")),
        (["no", "the day", "Wednesday", "yes"], ("A cleaning", "2026-11-25 15:30", "Anna Miller")),
        (["no", "the name", "Hannah", "yes"], ("A cleaning", "2026-11-24 15:30", "Hannah")),
        (
            ["No, my name is Hannah Lee.", "yes"],
            ("A cleaning", "2026-11-24 15:30", "Hannah Lee"),
        ),
        (["no, a check-up", "yes"], ("A check-up", "2026-11-24 15:30", "Anna Miller")),
        (["what?", "yes"], BOOKED),
        (["How much is it?", "yes"], BOOKED),
        (["Are you open on Saturday?", "book it"], BOOKED),
        (["hold on", "Yes."], BOOKED),
        (["hello?", "yeah"], BOOKED),
        (["purple", "yes, Tuesday at half past three"], BOOKED),
        (["yes, thanks, bye"], BOOKED),
    ],
)
async def test_what_is_said_to_the_read_back(
    lines: list[str], booked: tuple[str, str, str]
) -> None:
    office = Office()
    call = await told(AT_CONFIRM, office=office)
    for line in lines:
        await call.say(line)
    assert office.booked == [booked]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("never mind", "Okay, I won't book it. Anything else?"),
        ("no thank you", "Okay, I won't book it. Anything else?"),
        ("cancel the appointment", "Okay, I won't book it. Anything else?"),
        ("bye", "Nothing is booked, then. Thanks for calling"),
        ("can I talk to a person", "One moment, I'll put you through."),
        ("I'd rather leave a message", "Sure, I can take a message. What's the message?"),
    ],
)
async def test_leaving_a_booking(line: str, answer: str) -> None:
    office = Office()
    call = await told(AT_CONFIRM, office=office)
    await call.tell((line, answer))
    await call.say("yes")
    assert office.booked == []


async def test_a_question_in_the_middle_is_answered_and_the_booking_goes_on() -> None:
    await told(
        BOOKING[:1],
        [
            (
                "Do you take insurance?",
                "we file the claim for you. Now, back to your appointment. What's your name",
            )
        ],
        BOOKING[1:],
    )


async def test_a_withheld_number_is_asked_for() -> None:
    office = Office()
    call = office.call("anonymous")
    await call.tell(*BOOKING[:1], ("Anna Miller", "What number should we call?"))
    await call.tell(("five five five", "Go on."), ("222 3333", "Shall I book it?"))
    await call.tell(("yes", "Booked. Anything else?"))
    assert office.booked == [BOOKED]


async def test_a_booking_needs_a_name_or_a_number() -> None:
    call = Office().call("anonymous")
    await call.tell(*BOOKING[:1], ("no", "What number should we call?"))
    await call.tell(("I'd rather not", "I need a name or a number for that. What's your name"))
    await call.tell(("Anna", "What number"), ("no", "for Anna. Shall I book it?"))


async def test_who_is_never_understood_gets_a_person() -> None:
    call = Office().call()
    await call.tell(
        ("book an appointment", "What would you like to come in for?"),
        ("purple", "Sorry, I didn't get that. We have a check-up"),
        ("monkey", "Which one?"),
        ("dishwasher", "One moment, I'll put you through."),
    )


async def test_a_book_that_fails_leads_to_a_message() -> None:
    office = Office()
    call = office.call()
    await call.tell(*BOOKING[:2])

    async def broken(step: str) -> None:
        raise OSError

    office.books.appointments.on_step = broken
    answer = await call.say("yes")
    assert "can't get at the appointment book just now. Shall I take a message" in answer
    await call.tell(("yes", "Your message is: a cleaning, Tuesday, November 24th at 3:30 PM."))
    await call.say("yes")
    assert call.message is not None
    assert call.message["message"].startswith("Appointment request: a cleaning, Tuesday")


async def test_what_each_question_of_a_booking_asks_for() -> None:
    call, asked = Office().call("anonymous"), []
    for line in ("book an appointment", "a cleaning", "next Tuesday", "the first", "Anna", "555"):
        await call.say(line)
        asked += [event.what for event in call.events if isinstance(event, Asks)]
    await call.say("222 3333")
    asked += [event.what for event in call.events if isinstance(event, Asks)]
    when, number = Expectation.WHEN, Expectation.NUMBER
    name, phone = Expectation.NAME, Expectation.PHONE
    assert asked == [Expectation.FREE, when, when, name, phone, number, Expectation.YES_NO]


async def test_without_bookings_the_wish_becomes_a_message() -> None:
    agent = replace(AGENT, booking=replace(AGENT.booking, enabled=False))
    call = Office(agent).call()
    await call.tell(("book a cleaning", "I can't book or change appointments."))
    assert call.used == []
