"""Free times: on ordinary days, when the clocks change, over midnight, and between appointments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.receptionist.agent import Booking
from services.receptionist.calendar.schedule import Holiday, HolidayDays, OpenSpan, Schedule
from services.receptionist.calendar.slots import Diary, spread

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=NEW_YORK)
TUESDAY = date(2026, 11, 24)
DENTIST = Schedule(NEW_YORK, ((OpenSpan(480, 720), OpenSpan(780, 1020)),) * 5 + ((), ()))
RULES = Booking(every_minutes=30)
HOUR = timedelta(hours=1)


def diary(
    schedule: Schedule = DENTIST,
    rules: Booking = RULES,
    minutes: int = 30,
    taken: tuple[tuple[datetime, datetime], ...] = (),
    now: datetime = NOW,
) -> Diary:
    return Diary(schedule, rules, minutes, taken, now)


def at(hour: int, minute: int = 0, day: date = TUESDAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=NEW_YORK).astimezone(UTC)


def walls(starts: list[datetime], zone: ZoneInfo = NEW_YORK) -> list[str]:
    return [f"{start.astimezone(zone):%H:%M}" for start in starts]


def test_a_day_of_a_dentist() -> None:
    free = walls(diary().free(TUESDAY))
    assert free[:2] + free[-2:] == ["08:00", "08:30", "16:00", "16:30"]
    assert "11:30" in free
    assert "12:00" not in free
    assert len(free) == 16


def test_a_long_service_does_not_reach_into_the_lunch_break() -> None:
    free = walls(diary(minutes=90).free(TUESDAY))
    assert "10:30" in free
    assert "11:00" not in free
    assert free[-1] == "15:30"


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (at(15, 30), ""),
        (at(15, 20), "off_grid"),
        (at(12, 0), "closed"),
        (at(16, 45), "closed"),
        (at(15, 0, date(2026, 11, 28)), "closed"),
        (at(15, 0, date(2026, 11, 20)), "past"),
        (at(10, 30, date(2026, 11, 21)), "too_soon"),
        (at(15, 0, date(2027, 5, 4)), "too_far"),
        (at(10, 0), "taken"),
        (at(9, 30), ""),
        (at(10, 30), ""),
    ],
)
def test_why_not(start: datetime, why: str) -> None:
    assert diary(taken=((at(10), at(10, 30)),)).why_not(start) == why


def test_a_taken_stretch_takes_all_starts_that_would_overlap_it() -> None:
    busy = diary(minutes=60, taken=((at(10), at(11)),))
    free = walls(busy.free(TUESDAY))
    assert not {"09:30", "10:00", "10:30"} & set(free)
    assert {"09:00", "11:00"} <= set(free)


def test_two_at_once_are_full_only_where_two_meet() -> None:
    rules = Booking(every_minutes=30, at_once=2)
    taken = ((at(9), at(10)), (at(10), at(11)), (at(10, 30), at(11)))
    free = walls(diary(rules=rules, minutes=60, taken=taken).free(TUESDAY))
    assert "09:00" in free
    assert "09:30" in free
    assert "10:00" not in free
    assert "11:00" in free


def test_the_last_day_that_can_be_booked_is_whole() -> None:
    rules = Booking(every_minutes=30, days_ahead=3)
    assert diary(rules=rules).why_not(at(16, 30)) == ""
    assert diary(rules=rules).why_not(at(8, 0, date(2026, 11, 25))) == "too_far"


def test_a_holiday_has_its_own_hours() -> None:
    day = (HolidayDays.parse("2026-11-24"),)
    short = Schedule(NEW_YORK, DENTIST.week, (Holiday("Eve", day, (OpenSpan(540, 600),)),))
    assert walls(diary(short).free(TUESDAY)) == ["09:00", "09:30"]
    closed = Schedule(NEW_YORK, DENTIST.week, (Holiday("Closed", day),))
    assert diary(closed).free(TUESDAY) == []
    assert diary(closed).why_not(at(9)) == "closed"


def test_the_nearest_are_of_the_same_day_then_of_the_next_ones() -> None:
    full = diary(taken=((at(15), at(16)),))
    assert walls(full.nearest(at(15, 30))) == ["16:00", "14:30", "16:30"]
    only_nine = diary(taken=((at(8), at(9)), (at(9, 30), at(17))))
    found = [start.astimezone(NEW_YORK) for start in only_nine.nearest(at(15, 30))]
    assert [f"{start:%m-%d %H:%M}" for start in found] == [
        "11-24 09:00",
        "11-25 15:30",
        "11-26 15:30",
    ]


def test_there_may_be_none_at_all() -> None:
    assert diary(Schedule(NEW_YORK)).nearest(at(9)) == []
    assert diary(minutes=300).nearest(at(9)) == []


ALL_DAY = Schedule(NEW_YORK, ((OpenSpan(0, 1440),),) * 7)


def test_the_skipped_hour_has_no_starts() -> None:
    spring = diary(ALL_DAY, now=datetime(2027, 3, 10, tzinfo=NEW_YORK))
    free = walls(spring.free(date(2027, 3, 14)))
    assert len(free) == 46
    assert "02:00" not in free
    assert "02:30" not in free
    assert free[3:5] == ["01:30", "03:00"]


def test_the_repeated_hour_is_offered_once() -> None:
    autumn = diary(ALL_DAY, now=datetime(2026, 10, 30, tzinfo=NEW_YORK))
    starts = autumn.free(date(2026, 11, 1))
    assert len(starts) == 48
    assert starts[4] - starts[3] == timedelta(minutes=90)
    second = datetime(2026, 11, 1, 1, 30, tzinfo=NEW_YORK, fold=1)
    assert autumn.why_not(second) == "off_grid"


def test_a_night_over_a_change_of_the_clocks_is_as_long_as_it_is() -> None:
    bar = Schedule(NEW_YORK, ((OpenSpan(22 * 60, 28 * 60),),) * 7)
    spring = diary(bar, minutes=60, now=datetime(2027, 3, 10, tzinfo=NEW_YORK))
    assert walls(spring.free(date(2027, 3, 13))) == [
        *("22:00", "22:30", "23:00", "23:30", "00:00", "00:30", "01:00", "01:30", "03:00"),
    ]


def test_over_midnight_from_span_to_span() -> None:
    joined = Schedule(NEW_YORK, ((OpenSpan(0, 60), OpenSpan(1380, 1440)),) * 7)
    assert walls(diary(joined, minutes=90).free(TUESDAY)) == ["23:00", "23:30"]


def test_by_minutes_of_the_day() -> None:
    assert walls(diary().free_at(TUESDAY, 720, 840)) == ["13:00", "13:30"]
    bar = Schedule(NEW_YORK, ((OpenSpan(18 * 60, 26 * 60),),) * 7)
    assert walls(diary(bar).free_at(TUESDAY, 1440, 1560)) == ["00:00", "00:30", "01:00", "01:30"]


def test_a_few_out_of_many() -> None:
    starts = [NOW + HOUR * count for count in range(9)]
    assert spread(starts) == [starts[0], starts[4], starts[8]]
    assert spread(starts[:2]) == starts[:2]
    assert spread([]) == []


ZONES = [
    *("America/New_York", "Europe/London", "Australia/Lord_Howe", "America/St_Johns"),
    *("Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca", "America/Santiago", "UTC"),
]


@st.composite
def weeks(draw: st.DrawFn) -> tuple[tuple[OpenSpan, ...], ...]:
    days = []
    for _ in range(7):
        marks = sorted(draw(st.lists(st.integers(0, 360), max_size=4, unique=True)))
        pairs = zip(marks[::2], marks[1::2], strict=False)
        days.append(tuple(OpenSpan(begin * 5, end * 5) for begin, end in pairs))
    return tuple(days)


@settings(max_examples=80, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    week=weeks(),
    every=st.sampled_from([15, 20, 45, 60, 240]),
    minutes=st.integers(5, 400),
    at_once=st.integers(1, 3),
    first=st.integers(0, 364),
    busy=st.lists(st.tuples(st.integers(0, 600), st.integers(1, 60)), max_size=8),
)
def test_what_is_free_is_open_on_the_clock_and_not_taken(
    zone: str,
    week: tuple[tuple[OpenSpan, ...], ...],
    every: int,
    minutes: int,
    at_once: int,
    first: int,
    busy: list[tuple[int, int]],
) -> None:
    schedule = Schedule(ZoneInfo(zone), week)
    now = datetime(2026, 3, 1, 7, 3, tzinfo=UTC) + timedelta(days=first)
    taken = tuple(
        (now + timedelta(minutes=5 * begin), now + timedelta(minutes=5 * (begin + length)))
        for begin, length in busy
    )
    rules = Booking(every_minutes=every, notice_minutes=30, days_ahead=2, at_once=at_once)
    book = Diary(schedule, rules, minutes, taken, now)
    today = schedule.local(now).date()
    for ahead in range(4):
        day = today + timedelta(days=ahead)
        starts = book.free(day)
        assert starts == sorted(set(starts))
        for start in starts:
            end = start + timedelta(minutes=minutes)
            wall = schedule.local(start)
            assert start.tzinfo is UTC
            assert wall.astimezone(UTC) == start, "the wall clock shows this time"
            assert wall.fold == 0
            assert start >= now + timedelta(minutes=30)
            assert (wall.date() - today).days <= 2
            closing = schedule.closing(start)
            assert closing is not None
            assert closing >= end
            for moment in (start, *(begin for begin, _ in taken if start <= begin < end)):
                assert sum(begin <= moment < stop for begin, stop in taken) < at_once
        assert all(book.why_not(start) == "" for start in spread(starts))
        nearest = book.nearest(schedule.moment(day, 720))
        assert len(nearest) == len(set(nearest)) <= 3
        assert all(book.why_not(start) == "" for start in nearest)
