"""The scripted brain changes, cancels and tells appointments at the real desk: whole talks."""

from __future__ import annotations

import pytest

from services.receptionist.tools import Tool
from tests.llm.office import BOOKING, Office, Story
from tests.llm.scripted_call import CALLER

TUESDAY = "2026-11-24 15:30"
TO_WEDNESDAY = "So I'd move your cleaning to Wednesday, November 25th at 3:30 PM. Shall I?"


def with_one() -> Office:
    office = Office()
    office.put(TUESDAY, number=CALLER)
    return office


def starts(office: Office) -> list[str]:
    return sorted(start for _, start, _ in office.booked)


@pytest.mark.parametrize(
    ("line", "answer", "start"),
    [
        ("Can I move my appointment to the next day?", TO_WEDNESDAY, "2026-11-25 15:30"),
        ("move my cleaning to Wednesday at the same time", TO_WEDNESDAY, "2026-11-25 15:30"),
        ("Could we change my appointment to four?", "November 24th at 4 PM.", "2026-11-24 16:00"),
        (
            "I need to reschedule my appointment from Tuesday to Wednesday at ten",
            "Wednesday, November 25th at 10 AM",
            "2026-11-25 10:00",
        ),
    ],
)
async def test_a_change_that_says_all(line: str, answer: str, start: str) -> None:
    office = with_one()
    call = office.call()
    await call.tell((line, answer))
    assert starts(office) == [TUESDAY]
    await call.tell(("Yes please.", "Done. It's on "))
    assert starts(office) == [start]


async def test_what_was_just_booked_can_be_moved_and_cancelled() -> None:
    office = Office()
    call = office.call()
    await call.tell(*BOOKING, ("Can I move it to the next day?", TO_WEDNESDAY))
    assert Tool.FIND_APPOINTMENTS not in call.used, "it is known which one is meant"
    await call.tell(("yes", "Done. It's on Wednesday, November 25th at 3:30 PM now."))
    assert starts(office) == ["2026-11-25 15:30"]
    await call.tell(
        ("When is my appointment?", "Your cleaning is on Wednesday, November 25th at 3:30 PM."),
        ("cancel it please", "So that's your cleaning on Wednesday"),
        ("yes, cancel it", "Your cleaning is cancelled."),
        ("when is my appointment", "Your cleaning is cancelled, and I can't find another one"),
    )
    assert office.booked == []


async def test_the_new_time_is_asked_for() -> None:
    office = with_one()
    call = office.call()
    await call.tell(
        ("I have to re schedule", "Your cleaning is on Tuesday, November 24th at 3:30 PM. When"),
        ("um", "I'm listening."),
        ("purple", "Sorry, I didn't get the day and the time."),
        ("Wednesday at nine", "So I'd move your cleaning to Wednesday, November 25th at 9 AM."),
        ("no, make it ten", "Okay. So I'd move your cleaning to Wednesday, November 25th at 10"),
        ("yes", "Done."),
    )
    assert starts(office) == ["2026-11-25 10:00"]


async def test_a_new_time_that_is_taken_leads_to_others() -> None:
    office = with_one()
    office.put("2026-11-25 15:30")
    call = office.call()
    answer = await call.say("Can you move my appointment to Wednesday at the same time?")
    assert answer.startswith("That's taken. I could offer Wednesday, November 25th at ")
    await call.tell(("the second one", "So I'd move your cleaning to Wednesday"), ("yes", "Done."))
    assert TUESDAY not in starts(office)


async def test_one_of_several() -> None:
    office = with_one()
    office.put("2026-11-26 10:00", "A check-up", CALLER)
    office.put("2026-11-27 10:00", "A filling", CALLER)
    call = office.call()
    await call.tell(
        (
            "Cancel my appointment",
            "You have a cleaning on Tuesday, November 24th at 3:30 PM, a check-up on Thursday, "
            "November 26th at 10 AM and a filling on Friday, November 27th at 10 AM. Which one?",
        ),
        ("the check up", "So that's your check-up on Thursday"),
        ("yes", "Your check-up is cancelled."),
        ("I'd also like to cancel my appointment on Friday", "So that's your filling on Friday"),
        ("no", "Okay, your filling stays on Friday, November 27th at 10 AM."),
        (
            "do I have an appointment",
            "You have a cleaning on Tuesday, November 24th at 3:30 PM and",
        ),
    )
    assert starts(office) == [TUESDAY, "2026-11-27 10:00"]


async def test_another_number_needs_the_name_and_the_number() -> None:
    office = Office()
    office.put(TUESDAY, number="+15552223333")
    call = office.call()
    await call.tell(
        ("I want to cancel my appointment", "I can't find one under your number. What name"),
        ("Zoe Zimmer", "Thanks, Zoe Zimmer. And the phone number?"),
        ("555 222 3333", "So that's your cleaning on Tuesday, November 24th at 3:30 PM."),
        ("yes", "Your cleaning is cancelled."),
    )
    assert office.booked == []


async def test_a_wrong_name_finds_nothing() -> None:
    office = Office()
    office.put(TUESDAY, number="+15552223333")
    call = office.call("anonymous")
    await call.tell(
        ("when is my appointment", "Sure. What name is it under?"),
        ("Bob Miller", "And the phone number?"),
        ("555 222 3333", "I'm sorry, I can't find an appointment. Shall I take a message"),
        ("no", "All right."),
    )


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("no", "When would suit you instead?"),
        ("never mind", "Okay, I'll leave it as it is."),
        ("no, cancel my appointment", "So that's your cleaning on Tuesday"),
        ("what's your address", "We're at 120 Market Street, Springfield. Now, back to your"),
        ("bye", "I'll leave it as it is, then."),
        ("talk to Maria", "One moment, I'll put you through."),
        ("purple", "Sorry, yes or no?"),
    ],
)
async def test_what_is_said_instead_of_yes(line: str, answer: str) -> None:
    office = with_one()
    call = office.call()
    story: Story = [("move my appointment to the next day", TO_WEDNESDAY)]
    await call.tell(*story)
    assert answer in await call.say(line)
    assert starts(office) == [TUESDAY]


async def test_a_proposal_that_somebody_else_took_meanwhile() -> None:
    office = with_one()
    call = office.call()
    await call.tell(("move my appointment to the next day", TO_WEDNESDAY))
    office.clock.move(minutes=10)
    office.put("2026-11-25 15:30")
    answer = await call.say("yes")
    assert answer.startswith("That's taken. I could offer")
    assert TUESDAY in starts(office)
