"""The desk and appointments: read-back, what is refused, what is repeated, who may do what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from services.receptionist.agent import Agent
from services.receptionist.books import HOLD_S, BookingState, NewHold
from services.receptionist.desk import ReceptionDesk
from services.receptionist.tools import Tool, ToolRequest
from tests.receptionist.office import AT_HALF_PAST_THREE, CALLER, NEXT_TUESDAY, OTHER, Office

# --- booking --------------------------------------------------------------------------------------


async def test_an_appointment_is_held_read_back_and_booked(office: Office) -> None:
    call = office.call()
    held = await call.book()
    assert held.is_ok
    assert held.facts["service"] == "A check-up"
    assert (held.facts["start"], held.facts["end"]) == (
        AT_HALF_PAST_THREE,
        "2026-11-24T16:00:00-05:00",
    )
    assert "Tuesday, November 24th at 3:30 PM" in held.text
    assert "not booked yet" in held.text
    assert office.states() == ["held"]
    done = await call.confirm(held)
    assert done.is_ok
    assert done.facts["did"] == "booked"
    assert done.facts["start"] == AT_HALF_PAST_THREE
    (booking,) = office.books.appointments.in_state(BookingState.CONFIRMED)
    assert (booking.id, booking.name, booking.number) == (done.facts["id"], "Maria Lopez", CALLER)
    assert call.desk.notes == (
        f"Booked: a check-up, Tuesday, November 24th at 3:30 PM (reference {booking.id}).",
    )


async def test_it_is_not_confirmed_in_the_turn_in_which_it_was_proposed(office: Office) -> None:
    call = office.call()
    held = await call.do(Tool.BOOK_APPOINTMENT, turn=3, service="check-up", when=NEXT_TUESDAY)
    reference = held.facts["reference"]
    early = await call.do(Tool.CONFIRM, turn=3, reference=reference)
    assert early.code == "too_early"
    assert office.states() == ["held"]
    assert (await call.do(Tool.CONFIRM, turn=4, reference=reference)).is_ok


async def test_confirming_again_books_nothing_more(office: Office) -> None:
    call = office.call()
    held = await call.book()
    assert await call.confirm(held) == await call.confirm(held)
    assert office.states() == ["confirmed"]
    await call.desk.close()
    assert len(office.books.texts.sent) == 1


async def test_a_reference_may_be_read_out_or_left_out(office: Office) -> None:
    call = office.call()
    held = await call.book()
    spelled = " - ".join(held.facts["reference"].lower())
    assert (await call.do(Tool.CONFIRM, reference=spelled)).is_ok
    await call.book("wednesday at 9")
    assert (await call.do(Tool.CONFIRM, reference="")).is_ok
    assert (await call.do(Tool.CONFIRM, reference="")).code == "unknown_reference"


async def test_the_same_wish_is_the_same_hold(office: Office) -> None:
    call = office.call()
    first, second = await call.book(), await call.book("tuesday the 24th at 3:30 pm")
    assert first == second
    assert office.states() == ["held"]


async def test_a_new_wish_frees_what_the_one_before_held(office: Office) -> None:
    call = office.call()
    await call.book()
    later = await call.book("tuesday at 3:45 pm")
    assert later.is_ok, "the own hold is not in the way"
    assert office.states() == ["held", "expired"]
    back = await call.book()
    assert back.facts["start"] == AT_HALF_PAST_THREE
    assert (await call.confirm(back)).is_ok
    assert len(office.books.appointments.in_state(BookingState.CONFIRMED)) == 1


async def test_what_is_held_by_the_call_itself_is_free_for_it(office: Office) -> None:
    call = office.call()
    await call.book()
    assert (await call.check(NEXT_TUESDAY)).facts["free"] is True
    assert (await office.call(OTHER).check(NEXT_TUESDAY)).facts["free"] is False


async def test_a_name_that_comes_later_is_in_the_booking(office: Office) -> None:
    call = office.call()
    nameless = await call.book(name="")
    assert "ask for it" in nameless.text
    named = await call.book(name="Maria Lopez")
    done = await call.confirm(named)
    assert office.books.appointments.rows[done.facts["id"]].name == "Maria Lopez"
    assert len(office.books.appointments.in_state(BookingState.CONFIRMED)) == 1


@pytest.mark.parametrize(
    ("number", "kept"),
    [
        ("", CALLER),
        ("this number", CALLER),
        ("my number please", CALLER),
        ("(212) 555-0123", "+12125550123"),
        ("two one two five five five oh one two three", "+12125550123"),
        ("+44 20 7946 0018", "+442079460018"),
    ],
)
async def test_numbers_are_kept_in_one_form(office: Office, number: str, kept: str) -> None:
    held = await office.call().book(number=number)
    assert office.books.appointments.rows[held.facts["reference"]].number == kept


@pytest.mark.parametrize(
    ("caller", "arguments", "code", "why"),
    [
        (CALLER, {"service": "haircut", "when": "tuesday at 3"}, "unknown_service", None),
        (CALLER, {"when": "tuesday at 3"}, "unknown_service", None),
        (CALLER, {"service": "cleaning", "when": ""}, "unclear", "unclear"),
        (CALLER, {"service": "cleaning", "when": "banana"}, "unclear", "unclear"),
        (CALLER, {"service": "cleaning", "when": "february 30th at 9"}, "unclear", "no_such_day"),
        (CALLER, {"service": "cleaning", "when": "tuesday the 25th"}, "unclear", "other_weekday"),
        (CALLER, {"service": "cleaning", "when": "tuesday at 25:00"}, "unclear", "no_such_time"),
        (CALLER, {"service": "cleaning", "when": "last tuesday"}, "past", "past"),
        (CALLER, {"service": "cleaning", "when": "today at 9"}, "past", "past"),
        (CALLER, {"service": "cleaning", "when": "today at 10:30"}, "too_soon", "too_soon"),
        (CALLER, {"service": "cleaning", "when": "june 1st at 9"}, "too_far", "too_far"),
        (CALLER, {"service": "cleaning", "when": "sunday at 9"}, "closed", "closed"),
        (CALLER, {"service": "cleaning", "when": "sunday"}, "closed", "closed"),
        (CALLER, {"service": "cleaning", "when": "thanksgiving at 9"}, "closed", "closed"),
        (CALLER, {"service": "cleaning", "when": "tuesday at 11:30"}, "closed", "closed"),
        (CALLER, {"service": "cleaning", "when": "tuesday at 9:10"}, "off_grid", "off_grid"),
        (CALLER, {"service": "cleaning", "when": "tuesday"}, "no_time", "no_time"),
        (CALLER, {"service": "cleaning", "when": "tuesday at 3", "number": "12"}, "unclear", None),
        ("anonymous", {"service": "cleaning", "when": "tuesday at 3"}, "unclear", "name"),
    ],
)
async def test_what_cannot_be_booked_says_why(
    office: Office, caller: str, arguments: dict[str, str], code: str, why: str | None
) -> None:
    result = await office.call(caller).do(Tool.BOOK_APPOINTMENT, **arguments)
    assert result.code == code
    assert why is None or result.facts["why"] == why
    assert len(result.text) > 20
    assert "reference" not in result.facts
    assert office.books.appointments.rows == {}


async def test_alternatives_are_near_what_was_asked_for(office: Office) -> None:
    await office.booked("tuesday at 3")
    result = await office.call(OTHER).book("tuesday at 3")
    assert result.code == "taken"
    assert result.facts["slots"] == [
        *("2026-11-24T14:15:00-05:00", "2026-11-24T14:30:00-05:00", AT_HALF_PAST_THREE),
    ]
    assert "Tuesday at 2:15 PM, 2:30 PM or 3:30 PM" in result.text


async def test_services_are_known_by_many_words(office: Office) -> None:
    for said, name in [
        ("A check-up", "A check-up"),
        ("checkup", "A check-up"),
        ("I'd like a dental exam", "A check-up"),
        ("teeth whitening", "Teeth whitening"),
        ("to have my teeth cleaned, a cleaning", "A cleaning"),
        ("whitning", "Teeth whitening"),
    ]:
        result = await office.call().check("tuesday at 9", said)
        assert result.facts["service"] == name, said


async def test_a_single_service_need_not_be_named(office: Office, agent: Agent) -> None:
    result = await office.call(services=agent.services[:1]).check("tuesday at 9", "")
    assert result.facts["service"] == "A check-up"


async def test_as_soon_as_possible_is_the_first_free_time(office: Office) -> None:
    held = await office.call().book("as soon as possible")
    assert held.facts["start"] == "2026-11-21T11:00:00-05:00"
    found = await office.call(OTHER).check("the first available appointment")
    assert found.facts["free"] is None
    assert found.facts["slots"][0] == "2026-11-21T11:30:00-05:00"


async def test_around_three_is_three_if_that_is_free(office: Office) -> None:
    held = await office.call().book("tuesday around three")
    assert held.facts["start"] == "2026-11-24T15:00:00-05:00"
    other = await office.call(OTHER).book("tuesday around three")
    assert other.code == "no_time"
    assert other.facts["slots"] == [
        *("2026-11-24T14:15:00-05:00", "2026-11-24T14:30:00-05:00", AT_HALF_PAST_THREE),
    ]


@pytest.mark.parametrize(
    ("when", "free", "slots"),
    [
        ("tuesday at half past three", True, ["24T15:30"]),
        ("tuesday afternoon", None, ["24T13:00", "24T14:45", "24T16:30"]),
        ("tuesday", None, ["24T08:00", "24T11:30", "24T16:30"]),
        ("next week", None, ["23T08:00", "25T08:00", "28T09:00"]),
        ("next week after three", None, ["23T15:00", "24T15:00", "25T15:00"]),
        ("monday or tuesday morning", None, ["23T08:00", "23T11:30", "24T11:30"]),
        ("", None, ["21T11:00", "21T12:00", "23T08:00"]),
    ],
)
async def test_availability(
    office: Office, when: str, free: bool | None, slots: Sequence[str]
) -> None:
    result = await office.call().check(when)
    assert result.is_ok
    assert result.facts["free"] is free
    assert [slot[8:16] for slot in result.facts["slots"]] == slots


async def test_a_time_without_a_day_is_on_the_day_that_was_talked_about(office: Office) -> None:
    call = office.call()
    await call.check("thursday the 3rd of december")
    held = await call.book("at half past two")
    assert held.facts["start"] == "2026-12-03T14:30:00-05:00"


async def test_two_at_once_where_the_business_can(agent: Agent) -> None:
    office = Office(agent, at_once=2)
    assert (await office.call().book()).is_ok
    assert (await office.call(OTHER).book()).is_ok
    assert (await office.call("+15550000000").book()).code == "taken"


@pytest.mark.parametrize("tool", [Tool.BOOK_APPOINTMENT, Tool.CHECK_AVAILABILITY])
async def test_an_agent_without_appointments_offers_a_message(agent: Agent, tool: Tool) -> None:
    for office in (Office(agent, enabled=False), Office(replace(agent, services=()))):
        result = await office.call().do(tool, service="check-up", when=NEXT_TUESDAY)
        assert result.code == "not_offered"
        assert "message" in result.text


# --- two callers ----------------------------------------------------------------------------------


async def test_of_two_callers_one_gets_the_slot_and_the_other_alternatives(office: Office) -> None:
    calls = office.call(), office.call(OTHER)
    results = await asyncio.gather(*(call.book() for call in calls))
    assert sorted(result.code for result in results) == ["ok", "taken"]
    loser = next(result for result in results if not result.is_ok)
    assert loser.facts["slots"]
    assert AT_HALF_PAST_THREE not in loser.facts["slots"]
    assert office.states() == ["held"]


async def test_a_hold_that_expired_is_still_good_if_the_slot_is_free(office: Office) -> None:
    call = office.call()
    held = await call.book()
    office.clock.move(seconds=HOLD_S + 1)
    assert (await call.confirm(held)).is_ok


async def test_a_hold_that_expired_may_be_lost_to_another(office: Office) -> None:
    call, other = office.call(), office.call(OTHER)
    held = await call.book()
    office.clock.move(seconds=HOLD_S + 1)
    assert (await other.confirm(await other.book())).is_ok
    lost = await call.confirm(held)
    assert lost.code == "taken"
    assert len(lost.facts["slots"]) == 3
    assert (await call.confirm(held)).code == "unknown_reference"
    again = await call.book(lost.facts["slots"][0])
    assert (await call.confirm(again)).is_ok


async def test_an_expired_hold_is_held_anew_when_it_is_wished_for_again(office: Office) -> None:
    call = office.call()
    await call.book()
    office.clock.move(seconds=HOLD_S + 1)
    held = await call.book()
    assert office.books.appointments.in_state(BookingState.HELD)
    assert (await call.confirm(held)).is_ok
    assert office.states().count("confirmed") == 1


# --- keys, failures and the end -------------------------------------------------------------------


async def test_a_repeated_key_changes_nothing_and_says_the_same(office: Office) -> None:
    call = office.call()
    request = ToolRequest(
        Tool.BOOK_APPOINTMENT, {"service": "check-up", "when": NEXT_TUESDAY}, 1, "k"
    )
    one, two = await asyncio.gather(call.desk.do(request), call.desk.do(request))
    assert one is two
    assert one is await call.desk.do(request)
    assert office.states() == ["held"]


async def test_each_use_is_recorded_once(office: Office) -> None:
    recorded: list[tuple[Tool, str]] = []
    books = office.books
    desk = ReceptionDesk(
        *(office.agent, "receptionist"),
        appointments=books.appointments,
        messages=books.messages,
        escalations=books.escalations,
        texts=books.texts,
        call_id="CA9",
        caller=CALLER,
        now=office.clock,
        record=lambda request, result: recorded.append((request.tool, result.code)),
    )
    message = ToolRequest(Tool.TAKE_MESSAGE, {"message": "Hello"}, 1, "k")
    await desk.do(message)
    await desk.do(message)
    await desk.do(ToolRequest(Tool.CONFIRM, {"reference": "X"}, 2, "k2"))
    assert recorded == [(Tool.TAKE_MESSAGE, "ok"), (Tool.CONFIRM, "unknown_reference")]


@pytest.mark.parametrize("tool", list(Tool))
async def test_books_that_fail_are_told_and_may_be_tried_again(
    office: Office, tool: Tool, caplog: pytest.LogCaptureFixture
) -> None:
    booking = await office.booked("wednesday at 9")
    call = office.call()
    held = await call.book()
    arguments = {"service": "check-up", "when": "friday at 9", "name": "Bob", "text": "Hi Bob"}
    arguments |= {"message": "Hello", "person": "Maria", "reference": booking.id}
    if tool is Tool.CONFIRM:
        arguments["reference"] = held.facts["reference"]

    async def broken(step: str) -> None:
        raise ConnectionError("secret words of a database")

    async def fine(step: str) -> None:
        return None

    office.books.hook(broken)
    result = await call.do(tool, key="again", **arguments)
    expected = {Tool.OPENING_HOURS: "ok", Tool.SEND_SMS: "not_possible"}
    assert result.code == expected.get(tool, "failed")
    assert "secret" not in caplog.text + result.text
    office.books.hook(fine)
    if result.code == "failed":
        assert "message" in result.text
        assert (await call.do(tool, key="again", **arguments)).is_ok
    await call.desk.close()
    assert "held" not in office.states()


@pytest.mark.parametrize("tool", list(Tool))
@pytest.mark.parametrize("caller", [CALLER, "", "anonymous", "sip:bob@example.com"])
async def test_no_arguments_break_a_tool(office: Office, tool: Tool, caller: str) -> None:
    call = office.call(caller)
    for nonsense in ("", " ", "x" * 5000, "\x00", "٣", "'; DROP TABLE bookings; --", "-1", "{}"):
        names = ("service", "when", "name", "number", "reference", "message", "person", "text")
        result = await call.do(tool, **dict.fromkeys(names, nonsense))
        assert result.code != "failed"
        assert result.text
        bare = await call.do(tool)
        assert bare.code != "failed"
    await call.desk.close()


async def test_the_end_of_the_call_gives_up_what_was_not_confirmed(office: Office) -> None:
    booking = await office.booked("wednesday at 9")
    call = office.call()
    await call.book()
    await call.do(Tool.CHANGE_APPOINTMENT, reference=booking.id, when="wednesday at ten")
    assert len(office.books.appointments.in_state(BookingState.HELD)) == 2
    assert len(call.desk.notes) == 2
    await call.desk.close()
    await call.desk.close()
    assert office.books.appointments.in_state(BookingState.HELD) == []
    assert office.books.appointments.rows[booking.id] == booking
    assert (await office.call(OTHER).book()).is_ok


async def test_a_fake_book_keeps_the_promises_of_a_real_one(office: Office) -> None:
    book, now = office.books.appointments, office.clock.now
    wish = NewHold(
        *("receptionist", "A check-up", now, now + timedelta(hours=1), 1, "Bob", CALLER, "CA1"),
        key="k",
    )
    held = await book.hold(wish)
    assert await book.hold(wish) == held
    assert len(await book.taken("receptionist", now, now + timedelta(minutes=1))) == 1
    assert await book.taken("receptionist", now, now + timedelta(minutes=1), but=held.id) == []
    office.clock.move(seconds=HOLD_S)
    assert await book.taken("receptionist", now, now + timedelta(minutes=1)) == []
    assert (await book.confirm(held.id)).state is BookingState.CONFIRMED
    assert (await book.cancel(held.id)).sequence == 1
    assert (await book.cancel(held.id)).sequence == 1
