"""Appointments moved and cancelled at the desk, and those of other people, which stay theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from services.receptionist.tools import Tool
from tests.receptionist.office import AT_HALF_PAST_THREE, CALLER, NEXT_TUESDAY, OTHER, Office

# --- moving and cancelling ------------------------------------------------------------------------


async def test_an_appointment_is_moved_to_the_next_day(office: Office) -> None:
    booking = await office.booked()
    call = office.call()
    found = await call.do(Tool.FIND_APPOINTMENTS)
    assert [one["reference"] for one in found.facts["bookings"]] == [booking.id]
    moved = await call.do(Tool.CHANGE_APPOINTMENT, reference=booking.id, when="the next day")
    assert moved.is_ok
    assert moved.facts["start"] == "2026-11-25T15:30:00-05:00"
    assert office.books.appointments.rows[booking.id].starts_at == booking.starts_at
    done = await call.confirm(moved)
    assert (done.facts["id"], done.facts["did"]) == (booking.id, "moved")
    assert done.facts["start"] == "2026-11-25T15:30:00-05:00"
    assert office.books.appointments.rows[booking.id].sequence == 1
    assert office.states() == ["confirmed"]
    assert await call.confirm(moved) == done


@pytest.mark.parametrize(
    ("when", "start"),
    [
        ("an hour earlier", "24T14:30"),
        ("at nine", "24T09:00"),
        ("at 3:45", "24T15:45"),
        ("the same time next week", "01T15:30"),
        ("wednesday", "25T15:30"),
        ("wednesday at nine", "25T09:00"),
        ("2026-11-27T09:00:00-05:00", "27T09:00"),
    ],
)
async def test_where_an_appointment_is_moved_to(office: Office, when: str, start: str) -> None:
    booking = await office.booked()
    result = await office.call().do(Tool.CHANGE_APPOINTMENT, reference=booking.id, when=when)
    assert result.facts["start"][8:16] == start


async def test_an_appointment_that_cannot_be_moved_there_stays(office: Office) -> None:
    booking = await office.booked()
    await office.booked("wednesday at 3:30", OTHER)
    call = office.call()
    for when, code in [
        ("wednesday at 3:30", "taken"),
        ("sunday at 9", "closed"),
        ("tuesday at 3:30", "unclear"),
        ("banana", "unclear"),
        ("wednesday morning", "no_time"),
    ]:
        result = await call.do(Tool.CHANGE_APPOINTMENT, reference=booking.id, when=when)
        assert result.code == code, when
    await call.desk.close()
    assert office.books.appointments.rows[booking.id] == booking


async def test_an_appointment_is_cancelled_after_a_yes(office: Office) -> None:
    booking = await office.booked()
    call = office.call()
    proposed = await call.do(Tool.CANCEL_APPOINTMENT, reference=booking.id)
    assert proposed.facts["start"] == AT_HALF_PAST_THREE
    assert office.states() == ["confirmed"]
    done = await call.confirm(proposed)
    assert (done.facts["did"], done.facts["id"]) == ("cancelled", booking.id)
    assert office.states() == ["cancelled"]
    assert await call.confirm(proposed) == done
    assert (await call.do(Tool.CANCEL_APPOINTMENT, reference=booking.id)).code == (
        "unknown_reference"
    )
    assert (await office.call(OTHER).book()).is_ok, "the slot is free again"


async def test_a_booking_of_this_call_can_be_changed_and_cancelled_at_once(office: Office) -> None:
    call = office.call("anonymous")
    done = await call.confirm(await call.book(number="212 555 0123"))
    reference = done.facts["id"]
    moved = await call.do(Tool.CHANGE_APPOINTMENT, reference=reference, when="the next day")
    assert (await call.confirm(moved)).facts["did"] == "moved"
    gone = await call.do(Tool.CANCEL_APPOINTMENT, reference=reference)
    assert (await call.confirm(gone)).facts["did"] == "cancelled"


async def test_what_is_only_held_cannot_be_changed_or_cancelled(office: Office) -> None:
    call = office.call()
    held = await call.book()
    for tool in (Tool.CHANGE_APPOINTMENT, Tool.CANCEL_APPOINTMENT):
        result = await call.do(tool, reference=held.facts["reference"], when="at 4")
        assert result.code == "unknown_reference"
        assert "only proposed" in result.text


async def test_an_appointment_that_has_begun_is_left_alone(office: Office) -> None:
    booking = await office.booked()
    office.clock.now = booking.starts_at + timedelta(minutes=1)
    result = await office.call().do(Tool.CANCEL_APPOINTMENT, reference=booking.id)
    assert result.code == "past"


async def test_a_call_that_comes_back_can_book_the_same_slot_anew(office: Office) -> None:
    first = office.call(call_id="CA1")
    done = await first.confirm(await first.book())
    await first.confirm(await first.do(Tool.CANCEL_APPOINTMENT, reference=done.facts["id"]))
    await first.desk.close()
    back = office.call(call_id="CA1")
    again = await back.confirm(await back.book())
    assert again.facts["did"] == "booked"
    assert sorted(office.states()) == ["cancelled", "confirmed"]
    other = office.call(call_id="CA1")
    assert (await other.book()).code == "theirs"


async def test_who_wishes_for_what_they_have_is_told_so(office: Office) -> None:
    """A call broke off before they heard that it was booked."""
    booking = await office.booked()
    call = office.call()
    for result in (await call.book(), await call.check(NEXT_TUESDAY)):
        assert (result.code, result.facts["why"]) == ("theirs", "theirs")
        assert result.facts["reference"] == booking.id
    assert (await call.book(name="Zoe Zimmer")).code == "taken"
    assert (await office.call("+15550001111").book()).code == "taken"
    assert office.states() == ["confirmed"]


# --- other people's appointments ------------------------------------------------------------------


async def test_nobody_else_finds_changes_or_cancels_an_appointment(office: Office) -> None:
    booking = await office.booked()
    for caller in (OTHER, "anonymous", "", "+266696687"):
        attacker = office.call(caller)
        for arguments in (
            {},
            {"name": "Maria Lopez"},
            {"number": CALLER},
            {"name": "Maria", "number": CALLER},
            {"name": "Lopez", "number": CALLER},
            {"name": "Somebody Else", "number": CALLER},
            {"name": "Maria Lopez", "number": OTHER},
        ):
            found = await attacker.do(Tool.FIND_APPOINTMENTS, **arguments)
            assert not found.facts["bookings"], (caller, arguments)
            assert booking.id not in found.text
            assert "3:30" not in found.text
        for tool in (Tool.CHANGE_APPOINTMENT, Tool.CANCEL_APPOINTMENT, Tool.CONFIRM):
            result = await attacker.do(tool, reference=booking.id, when="the next day")
            assert result.code == "unknown_reference"
            assert "check-up" not in result.text
    assert office.states() == ["confirmed"]


async def test_an_id_that_exists_sounds_like_one_that_does_not(office: Office) -> None:
    booking = await office.booked()
    attacker = office.call(OTHER)
    for tool in (Tool.CHANGE_APPOINTMENT, Tool.CANCEL_APPOINTMENT, Tool.CONFIRM):
        real = await attacker.do(tool, reference=booking.id, when="at 4")
        invented = await attacker.do(tool, reference="ZZZ999", when="at 4")
        assert real == invented


async def test_a_name_and_a_number_that_both_fit_find_it(office: Office) -> None:
    booking = await office.booked()
    call = office.call("anonymous")
    for name in ("maria lopez", "Maria Lopes", "Lopez, Maria"):
        found = await call.do(Tool.FIND_APPOINTMENTS, name=name, number="555 123 4567")
        assert [one["reference"] for one in found.facts["bookings"]] == [booking.id], name
    gone = await call.do(Tool.CANCEL_APPOINTMENT, reference=booking.id)
    assert gone.is_ok


async def test_names_cannot_be_tried_again_and_again(office: Office) -> None:
    await office.booked()
    attacker = office.call(OTHER)
    codes = [
        (await attacker.do(Tool.FIND_APPOINTMENTS, name=name, number=CALLER)).code
        for name in ("Ann Lee", "Bob Lee", "Cid Lee", "Dan Lee", "Maria Lopez")
    ]
    assert codes == ["not_found"] * 4 + ["not_possible"]


async def test_an_appointment_with_another_business_does_not_exist(office: Office) -> None:
    booking = await office.booked()
    rows = office.books.appointments.rows
    rows[booking.id] = replace(booking, agent="another")
    call = office.call()
    assert not (await call.do(Tool.FIND_APPOINTMENTS)).facts["bookings"]
    result = await call.do(Tool.CANCEL_APPOINTMENT, reference=booking.id)
    assert result.code == "unknown_reference"
