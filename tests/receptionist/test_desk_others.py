"""The desk besides appointments: hours, messages, transfers, and texts to owner and caller."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from services.call.events import AfterReply
from services.receptionist.agent import Agent, Person, Transfers
from services.receptionist.books import Handling
from services.receptionist.tools import Tool
from tests.receptionist.office import CALLER, NEXT_TUESDAY, Office
from tests.virtual_time import run_virtual

OWNER = "+15558675300"
MARIA = Person("Maria", "+15558675310", ("Dr. Gomez",))
JAMES = Person("James", "+15558675311")
CAROL = Person("Carol")


@pytest.fixture
def office(agent: Agent) -> Office:
    people = (MARIA, JAMES, CAROL)
    return Office(replace(agent, owner_phone=OWNER, people=people, transfers=Transfers()))


# --- opening hours --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "answer"),
    [
        ("", "We're open Monday to Thursday"),
        ("on Sunday", "closed on Sundays"),
        ("tomorrow", "closed tomorrow"),
        ("christmas eve", "open on Christmas Eve from 8 AM to noon"),
        ("2026-11-26", "closed on Thursday, November 26th"),
        ("the 26th", "closed on Thursday, November 26th"),
        ("next Tuesday", "from 8 AM to noon and from 1 to 5 PM"),
    ],
)
async def test_opening_hours(office: Office, when: str, answer: str) -> None:
    result = await office.call().do(Tool.OPENING_HOURS, when=when)
    assert result.is_ok
    assert answer.lower() in result.text.lower()


# --- messages -------------------------------------------------------------------------------------


async def test_a_message_is_kept_and_the_owner_is_told(office: Office) -> None:
    call = office.call()
    result = await call.do(
        Tool.TAKE_MESSAGE,
        name="Bob Lee",
        number="555 123 4567",
        message="Please call me back about my crown.",
    )
    assert result.is_ok
    assert "5 5 5, 1 2 3, 4 5 6 7" in result.text
    (kept,) = office.books.messages.kept
    assert (kept.name, kept.number, kept.urgent, kept.complete) == ("Bob Lee", CALLER, False, True)
    await call.desk.close()
    assert office.books.texts.sent == [
        (
            OWNER,
            "Bright Smile Dental: Message from Bob Lee, +15551234567: "
            "Please call me back about my crown.",
        )
    ]
    assert call.desk.notes == ("A message from Bob Lee was taken and will be passed on.",)


async def test_an_urgent_message_says_so(office: Office) -> None:
    call = office.call("anonymous")
    await call.do(Tool.TAKE_MESSAGE, message="I'm bleeding", urgent="yes")
    await call.desk.close()
    assert office.books.messages.kept[0].urgent
    assert office.books.texts.sent[0][1] == (
        "Bright Smile Dental: URGENT message from a caller, no number: I'm bleeding"
    )


async def test_the_same_message_is_kept_once(office: Office) -> None:
    call = office.call()
    for _ in range(2):
        assert (await call.do(Tool.TAKE_MESSAGE, message="Hello")).is_ok
    await call.desk.close()
    assert len(office.books.messages.kept) == len(office.books.texts.sent) == 1


async def test_what_a_hang_up_cut_off_is_kept_as_such(office: Office) -> None:
    call = office.call()
    await call.do(Tool.TAKE_MESSAGE, message="Please tell Maria", complete="no")
    await call.do(Tool.TAKE_MESSAGE, name="Bob", complete="no")
    await call.desk.close()
    assert [kept.complete for kept in office.books.messages.kept] == [False, False]
    assert "cut off by the end of the call" in office.books.texts.sent[0][1]
    assert len(office.books.texts.sent) == 2


@pytest.mark.parametrize("arguments", [{}, {"name": "Bob"}, {"complete": "no"}, {"message": "  "}])
async def test_nothing_is_no_message(office: Office, arguments: dict[str, str]) -> None:
    result = await office.call().do(Tool.TAKE_MESSAGE, **arguments)
    assert result.code == "unclear"
    assert office.books.messages.kept == []


# --- transfers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "goes_to"),
    [
        ("Maria", MARIA),
        ("maria please", MARIA),
        ("Mario", MARIA),
        ("doctor Gomez", MARIA),
        ("James", JAMES),
        ("", MARIA),
        ("somebody", MARIA),
        ("Doctor Strange", MARIA),
    ],
)
async def test_who_is_called(office: Office, person: str, goes_to: Person) -> None:
    result = await office.call().do(Tool.TRANSFER_CALL, person=person, reason="a crown", name="Bob")
    assert result.is_ok
    assert result.then is AfterReply.TRANSFER
    assert result.facts["person"] == goes_to.name
    (wish,) = office.books.escalations.asked
    assert (wish.person, wish.number) == (goes_to.name, goes_to.number)
    assert (wish.name, wish.reason, wish.urgency, wish.by) == ("Bob", "a crown", "normal", "caller")
    assert (wish.handling, wish.caller) == (Handling.WARM, CALLER)


@pytest.mark.parametrize(
    ("changes", "caller", "goes_to"),
    [
        ({"transfers": Transfers(to="James", handling="cold")}, CALLER, "James"),
        ({"transfers": Transfers(to="Carol")}, CALLER, "Maria"),
        ({"people": (CAROL,)}, CALLER, "the owner"),
        ({}, MARIA.number, "James"),
    ],
)
async def test_who_takes_calls_for_nobody_in_particular(
    office: Office, changes: dict[str, Any], caller: str, goes_to: str
) -> None:
    result = await office.call(caller, **changes).do(Tool.TRANSFER_CALL)
    assert result.facts["person"] == goes_to


@pytest.mark.parametrize(
    ("changes", "person"),
    [({}, "Carol"), ({"people": (), "owner_phone": ""}, ""), ({"people": ()}, "")],
)
async def test_nobody_is_there(office: Office, changes: dict[str, Any], person: str) -> None:
    caller = OWNER if changes else CALLER
    result = await office.call(caller, **changes).do(Tool.TRANSFER_CALL, person=person)
    assert (result.code, result.facts["why"]) == ("nobody", "nobody")
    assert "message" in result.text
    assert result.then is AfterReply.LISTEN
    assert office.books.escalations.asked == []


async def test_the_owner_is_told_of_a_transfer_once(office: Office) -> None:
    call = office.call()
    for _ in range(2):
        await call.do(Tool.TRANSFER_CALL, name="Bob", reason="Pain", urgency="high", by="rule")
    await call.desk.close()
    assert office.books.texts.sent == [
        (
            OWNER,
            "Bright Smile Dental: Urgent call from Bob, +15551234567, put through to Maria. "
            "Reason: Pain.",
        )
    ]


async def test_after_hours_callers_are_put_through_only_if_that_is_wanted(office: Office) -> None:
    office.clock.move(hours=10)
    only_open = Transfers(open_hours_only=True)
    assert (await office.call().do(Tool.TRANSFER_CALL)).is_ok
    refused = await office.call(transfers=only_open).do(Tool.TRANSFER_CALL)
    assert refused.code == "closed"
    assert "open again on Monday at 8 AM" in refused.text
    emergency = await office.call(transfers=only_open).do(Tool.TRANSFER_CALL, by="emergency")
    assert emergency.is_ok
    assert office.books.escalations.asked[-1].by == "emergency"


# --- texts to the caller --------------------------------------------------------------------------


async def test_a_text_goes_to_the_caller_only(office: Office) -> None:
    call = office.call()
    result = await call.do(Tool.SEND_SMS, text="120 Market Street", number="+19005550000", to="+1")
    assert result.is_ok
    assert office.books.texts.sent == [(CALLER, "120 Market Street")]


@pytest.mark.parametrize("caller", ["", "anonymous", "+442079460018", "+18005550123", "+266696687"])
async def test_who_cannot_be_texted_is_told_instead(office: Office, caller: str) -> None:
    result = await office.call(caller).do(Tool.SEND_SMS, text="120 Market Street")
    assert result.code == "not_possible"
    assert office.books.texts.sent == []


async def test_texts_that_are_refused_or_too_many(office: Office) -> None:
    call = office.call()
    office.books.texts.accepts = False
    assert (await call.do(Tool.SEND_SMS, text="Hi")).code == "not_possible"
    office.books.texts.accepts = True
    codes = [(await call.do(Tool.SEND_SMS, text="Hi")).code for _ in range(3)]
    assert codes == ["ok", "ok", "not_possible"]
    assert (await call.do(Tool.SEND_SMS, text=" ")).code == "unclear"


async def test_what_was_booked_moved_and_cancelled_is_texted_to_the_caller(office: Office) -> None:
    call = office.call()
    booked = await call.confirm(await call.book(NEXT_TUESDAY))
    reference = booked.facts["id"]
    await call.confirm(
        await call.do(Tool.CHANGE_APPOINTMENT, reference=reference, when="the next day")
    )
    gone = await call.confirm(await call.do(Tool.CANCEL_APPOINTMENT, reference=reference))
    assert gone.facts["texted"] is True
    await call.desk.close()
    to_change = " To change it, call (555) 867-5309."
    assert office.books.texts.sent == [
        (
            CALLER,
            "Bright Smile Dental: your check-up is booked for Tuesday, November 24th at 3:30 PM."
            + to_change,
        ),
        (
            CALLER,
            "Bright Smile Dental: your check-up was moved to Wednesday, November 25th at 3:30 PM."
            + to_change,
        ),
        (
            CALLER,
            "Bright Smile Dental: your check-up was cancelled: Wednesday, November 25th at "
            "3:30 PM.",
        ),
    ]


@pytest.mark.parametrize("reason", ["switched off", "no account", "withheld"])
async def test_no_text_is_promised_that_cannot_be_sent(agent: Agent, reason: str) -> None:
    office = Office(agent, text_confirmation=reason != "switched off")
    office.books.texts.is_possible = reason != "no account"
    call = office.call("anonymous" if reason == "withheld" else CALLER)
    done = await call.confirm(await call.book())
    assert done.facts["texted"] is False
    assert "text" not in done.text
    await call.desk.close()
    assert office.books.texts.sent == []


def test_a_text_that_hangs_delays_neither_the_reply_nor_the_end_for_long(agent: Agent) -> None:
    async def story() -> None:
        office = Office(agent)
        call = office.call()

        async def slow(step: str) -> None:
            await asyncio.sleep(60 if step == "send" else 0)

        office.books.hook(slow)
        loop = asyncio.get_running_loop()
        assert (await call.confirm(await call.book())).is_ok
        assert loop.time() == 0
        await call.desk.close()
        assert loop.time() == 5
        assert office.books.texts.sent == []

    run_virtual(story())
