"""What callers say who do not follow the script: vague, in two minds, angry, or misheard."""

from __future__ import annotations

import pytest

from services.receptionist.tools import Tool
from tests.llm.office import BOOKING, Office, Story
from tests.llm.scripted_call import CALLER

NAME = "What's your name, please?"
AT_TEN = (("Book a check-up for Friday at ten.", "Friday, November 20th at 10 AM is free."),)
READ_BACK = (
    *AT_TEN,
    ("Anna Miller.", "Thanks, Anna Miller."),
    ("Yes.", "So that's a check-up on Friday, November 20th at 10 AM for Anna Miller."),
)


async def told(story: Story, *, put: str = "", booked: str | None = None) -> None:
    """The story, perhaps with an appointment of the caller's; when the last one is then booked."""
    office = Office()
    if put:
        office.put(put, number=CALLER)
    await office.call().tell(*story)
    if booked is not None:
        assert [start for _, start, _ in office.booked] == [booked]


@pytest.mark.parametrize(
    "story",
    [
        [
            ("I need a filling as soon as possible.", "I have today at 11 AM, 1 PM or 2 PM."),
            ("I'll take it.", f"Okay, 11 AM. {NAME}"),
        ],
        [("What's the earliest you can see me for a check-up?", "I have today at 11 AM")],
        [("How soon can I come in for a cleaning?", "I have today at 11 AM")],
        [
            ("Book me a check up.", "When would suit you?"),
            ("Whatever is free.", "I have today at 11 AM, 1 PM or 2 PM."),
            ("Any of them.", f"Okay, 11 AM. {NAME}"),
        ],
        [
            ("Do you have anything tomorrow morning for a cleaning?", "I have tomorrow at 8 AM"),
            ("Not that early.", "I have tomorrow at 1 PM, 2:30 PM or 4:15 PM."),
            ("Anything earlier?", "I have tomorrow at 8 AM"),
        ],
        [
            ("A cleaning on Friday afternoon.", "I have Friday at noon"),
            ("Not that late.", "I have Friday at 8 AM, 10 AM or 11:45 AM."),
        ],
        [
            ("Can I book a cleaning for last Friday?", "That's in the past."),
            ("Oh, sorry, I mean this Friday.", "I have Friday at"),
            ("At ten.", f"Okay, 10:30 AM. {NAME}"),
        ],
        [
            ("I'd like a check-up in August next year.", "we book up to Monday, February 15th."),
            ("Next month.", "I have Tuesday, December 1st at 8 AM"),
        ],
        [
            ("A check-up between two and four on Thursday.", "2 PM, 3 PM or 3:45 PM"),
            ("Three.", "Okay, 3 PM."),
        ],
        [
            ("Tomorrow at ten.", "What would you like to come in for?"),
            ("A check-up.", "Wednesday, November 18th at 10 AM is free."),
        ],
        [
            ("I'd like an appointment.", "What would you like to come in for?"),
            ("Tomorrow.", "Okay. We have a check-up, a cleaning,"),
            ("The cleaning.", "I have tomorrow at"),
        ],
        [("Are you free on Friday?", "What would you like to come in for?")],
        [("Can I see the dentist tomorrow?", "What would you like to come in for?")],
        [
            ("I want a cleaning and a filling on Friday at ten.", "One after the other. First a c"),
            ("The filling.", "Okay, a filling. Friday, November 20th at 10 AM is free."),
        ],
        [("I need two check-ups on Friday.", "I have Friday at")],
    ],
)
async def test_the_way_to_a_time_of_those_who_do_not_care_or_do_not_know(story: Story) -> None:
    await told(story)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Book in appointment for a check up next Tuesday at half past tree.", "24th at 3:30 PM"),
        ("Can I come in to morrow at to thirty for a clean in?", "18th at 2:30 PM is free."),
        ("A check-up on Wendsday at for.", "Wednesday, November 18th at 4 PM is free."),
        ("I'd like a check-up on Friday at 915.", "Friday, November 20th at 9:15 AM is free."),
    ],
)
async def test_slips_of_recognisers(said: str, answer: str) -> None:
    assert answer in await Office().call().say(said)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("It's M I L L E R, Anna Miller.", "Anna Miller"),
        ("Anna Kovalchik, K O W A L C Z Y K.", "Anna Kowalczyk"),
        ("Anna, M-I-L-L-E-R.", "Anna Miller"),
        ("M I L L E R.", "Miller"),
        ("My name is Anna Miller, that's M I L L E R.", "Anna Miller"),
    ],
)
async def test_a_name_that_is_spelled(said: str, name: str) -> None:
    call = Office().call()
    await call.tell(*AT_TEN, (said, f"Thanks, {name}."))


@pytest.mark.parametrize("said", ["At four.", "Thank you.", "Tomorrow."])
async def test_what_is_no_name(said: str) -> None:
    call = Office().call()
    await call.tell(*AT_TEN)
    assert "Thanks" not in await call.say(said)


async def test_thanks_heard_from_noise_are_no_answer_and_no_miss() -> None:
    office = Office()
    call = office.call()
    await call.tell(("I'd like to book a check-up.", "When would suit you?"))
    for _ in range(4):
        assert await call.say("Thank you.") == "When would suit you?"
    await call.tell(*AT_TEN, ("Thank you.", NAME), *READ_BACK[1:], ("Thanks.", "Shall I book it?"))
    assert office.booked == []
    await call.tell(("Yes.", "Booked."))


async def test_silence_in_a_form_asks_again_and_is_no_miss() -> None:
    call = Office().call()
    await call.tell(("I'd like to book a check-up.", "When would suit you?"))
    for _ in range(4):
        assert await call.say("") == "I'm listening. When would suit you?"
    await call.tell(*READ_BACK, ("", "Shall I book it?"), ("yes", "Booked."))


@pytest.mark.parametrize(
    "typed", [["5558675309"], ["415", "555", "2671"], ["four one five", "5552671"]]
)
async def test_a_number_that_is_typed(typed: list[str]) -> None:
    office = Office()
    call = office.call()
    await call.tell(*READ_BACK[:2], ("No.", "What number should we call?"))
    for digits in typed:
        answer = await call.say(digits)
    assert "Shall I book it?" in answer
    await call.tell(("Yes.", "Booked."))
    (booked,) = office.books.appointments.rows.values()
    assert booked.number in ("+15558675309", "+14155552671")


@pytest.mark.parametrize(
    ("said", "answer", "start"),
    [
        ("No, eleven.", "Friday, November 20th at 11 AM", "2026-11-20 11:00"),
        ("Yes, but make it Saturday.", "Saturday, November 21st at 10 AM", "2026-11-21 10:00"),
        ("What day was that?", "Friday, November 20th at 10 AM", "2026-11-20 10:00"),
        ("How long does it take?", "about 30 minutes", "2026-11-20 10:00"),
    ],
)
async def test_a_read_back_is_put_right(said: str, answer: str, start: str) -> None:
    await told((*READ_BACK, (said, answer), ("Yes.", "Booked.")), booked=start)


async def test_no_that_is_right_is_a_yes() -> None:
    office = Office()
    call = office.call()
    await call.tell(*READ_BACK)
    await call.say("No, no, that's right.")
    assert len(office.booked) == 1


async def test_cancelled_and_booked_anew_keeps_the_service() -> None:
    office = Office()
    call = office.call()
    await call.tell(*BOOKING, ("Actually, cancel it.", "Shall I cancel it?"), ("Yes.", "cancelled"))
    assert office.booked == []
    answer = await call.say("And book it for Monday at ten.")
    assert answer.startswith(
        "Okay, a cleaning. So that's a cleaning on Monday, November 23rd at 10 AM for Anna"
    )
    await call.tell(("Yes.", "Booked."))
    await call.tell(("And one for my husband.", "When would suit you?"))
    assert [start for _, start, _ in office.booked] == ["2026-11-23 10:00"]


@pytest.mark.parametrize(
    ("asks", "wish"),
    [
        ("How much is a cleaning?", "Okay, book one for Friday at nine."),
        ("What does a cleaning cost?", "Friday at nine, please."),
        ("How long does a cleaning take?", "Can I have that on Friday at nine?"),
    ],
)
async def test_the_service_that_was_asked_about_is_meant(asks: str, wish: str) -> None:
    await told([(asks, "$110"), (wish, "Okay, a cleaning. Friday, November 20th at 9 AM is free.")])


async def test_a_fee_is_asked_for_and_then_it_is_cancelled() -> None:
    story = (("Is there a fee if I cancel?", "$40"), ("Okay, cancel it.", "Shall I cancel it?"))
    await told((*story, ("Yes.", "is cancelled")), put="2026-11-24 15:30")


@pytest.mark.parametrize(
    "story",
    [
        [
            ("I can't make it on Tuesday, can we do Wednesday instead?", "Wednesday, November 25"),
            ("Yes.", "Done. It's on Wednesday,"),
        ],
        [
            ("Move my appointment to Wednesday.", "to Wednesday, November 25th at 3:30 PM."),
            ("Not that early.", "I have Wednesday, November 25th at 3:45 PM"),
            ("I'll do it.", "3:45 PM. Shall I?"),
        ],
        [
            ("Move my appointment to Wednesday.", "Shall I?"),
            ("No, leave it.", "Okay, I'll leave it as it is."),
        ],
        [("I'm running late, can I move my appointment to four?", "November 24th at 4 PM. Shall")],
        [("I already have an appointment, I want to know the time.", "24th at 3:30 PM.")],
        [("I want to know when Zoe Zimmer's appointment is.", "Tuesday, November 24th at 3:30")],
    ],
)
async def test_changes_in_other_words(story: Story) -> None:
    await told(story, put="2026-11-24 15:30")


async def test_the_appointment_of_somebody_else_stays_theirs() -> None:
    office = Office()
    office.put("2026-11-24 15:30")
    call = office.call()
    await call.tell(
        ("I want to know when Zoe Zimmer's appointment is.", "What name is it under?"),
        ("Zoe Zimmer.", "And the phone number?"),
        ("555 867 5309.", "I can't find an appointment."),
    )
    assert [name for *_, name in office.booked] == ["Zoe Zimmer"]


@pytest.mark.parametrize(
    "said",
    [
        "I've been waiting for two hours and nobody called me back.",
        "Your service is terrible, I want my money back.",
        "I want a refund for my crown.",
        "This is ridiculous.",
    ],
)
async def test_a_complaint_is_taken_and_not_answered_with_a_price(said: str) -> None:
    call = Office().call()
    first = await call.say(said)
    assert first == "I'm sorry to hear that. Shall I take a message for the team?"
    assert await call.say("That is unacceptable, nobody called me.") != first
    await call.tell(("Yes.", "What's your name"), ("Bob Lee.", "Thanks, Bob Lee."))
    await call.tell(("Yes.", "nobody called me"), ("Yes.", "I'll pass that on."))
    assert call.used == [Tool.TAKE_MESSAGE]
    assert call.message is not None
    assert len(said.split()) < 5 or said in call.message["message"]


async def test_who_is_late_leaves_word() -> None:
    call = Office().call()
    await call.tell(
        ("I'm running late for my appointment, about ten minutes.", "Shall I pass that on"),
        ("Yes.", "What's your name"),
        ("Anna Miller.", "Thanks, Anna Miller."),
        ("Yes.", "about ten minutes"),
        ("Yes.", "I'll pass that on."),
    )


async def test_the_same_question_is_not_asked_in_the_same_words_three_times() -> None:
    call = Office().call()
    await call.tell(("A check-up on Friday.", "I have Friday at 8 AM"))
    answers = [await call.say(words) for words in ("purple", "monkey")]
    assert len({*answers}) == 2
    assert "or another day" in answers[-1]
    await call.tell(("At nine.", "Friday, November 20th at 9 AM is free."))
