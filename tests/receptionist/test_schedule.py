"""Spans, holidays, and the changes of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.receptionist.calendar.schedule import Holiday, HolidayDays, OpenSpan, Schedule

NEW_YORK = ZoneInfo("America/New_York")


def schedule(*spans: str, holidays: tuple[Holiday, ...] = ()) -> Schedule:
    """The same spans every day."""
    day = tuple(OpenSpan.parse(span) for span in spans)
    return Schedule(NEW_YORK, (day,) * 7, holidays)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("9:00-17:30", 540, 1050),
        ("9am-5:30pm", 540, 1050),
        ("9 to 17", 540, 1020),
        ("12am - 12pm", 0, 720),
        ("18:00–02:00", 1080, 1560),
        ("0:00-24:00", 0, 1440),
    ],
)
def test_spans_are_read(text: str, start: int, end: int) -> None:
    assert OpenSpan.parse(text) == OpenSpan(start, end)


@pytest.mark.parametrize(
    "text", ["", "9", "9-9", "24:00-2:00", "9:60-10", "13pm-14pm", "x-y", "9-5"]
)
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        OpenSpan.parse(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("2026-12-24", date(2026, 12, 24), date(2027, 12, 24)),
        ("12-25", date(2031, 12, 25), date(2031, 12, 26)),
        ("12-24 to 01-02", date(2027, 1, 1), date(2027, 1, 3)),
        ("2026-12-24 to 2027-01-02", date(2027, 1, 2), date(2027, 12, 24)),
        ("02-29", date(2028, 2, 29), date(2027, 3, 1)),
    ],
)
def test_holidays(text: str, inside: date, outside: date) -> None:
    days = HolidayDays.parse(text)
    assert days.includes(inside)
    assert not days.includes(outside)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-02-30", "13-01", "12-24 to 2026-01-01", "1-2-3-4"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        HolidayDays.parse(text)


def test_a_night_belongs_to_the_day_before() -> None:
    bar = schedule("18:00-02:00")
    assert bar.closing(datetime(2026, 11, 18, 1, 0, tzinfo=NEW_YORK)) == datetime(
        2026, 11, 18, 2, 0, tzinfo=NEW_YORK
    )
    assert bar.closing(datetime(2026, 11, 18, 2, 0, tzinfo=NEW_YORK)) is None
    assert bar.opening(datetime(2026, 11, 18, 3, 0, tzinfo=NEW_YORK)) == datetime(
        2026, 11, 18, 18, 0, tzinfo=NEW_YORK
    )


@pytest.mark.parametrize(
    ("utc", "is_open"),
    [
        (datetime(2026, 11, 1, 5, 15, tzinfo=UTC), True),  # 1:15, the first time
        (datetime(2026, 11, 1, 6, 15, tzinfo=UTC), False),  # 1:15 again, an hour later
        (datetime(2026, 11, 1, 13, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 1, 14, 0, tzinfo=UTC), True),  # 9:00 of the winter
        (datetime(2026, 3, 8, 12, 59, tzinfo=UTC), False),
        (datetime(2026, 3, 8, 13, 0, tzinfo=UTC), True),  # 9:00 of the summer
    ],
)
def test_the_clocks_change(utc: datetime, is_open: bool) -> None:
    assert bool(schedule("9:00-17:00", "22:00-01:30").closing(utc)) is is_open


def test_a_holiday_has_hours_of_its_own() -> None:
    eve = Holiday("Eve", (HolidayDays.parse("12-24"),), (OpenSpan.parse("8-12"),))
    christmas = Holiday("Christmas", (HolidayDays.parse("12-25"),))
    shop = schedule("9:00-17:00", holidays=(eve, christmas))
    at_one = datetime(2026, 12, 24, 13, 0, tzinfo=NEW_YORK)
    assert shop.closing(at_one) is None
    assert shop.opening(at_one) == datetime(2026, 12, 26, 9, 0, tzinfo=NEW_YORK)
    assert shop.next_day_of(christmas, date(2026, 12, 26)) == date(2027, 12, 25)


def test_always_open_and_never_open() -> None:
    now = datetime(2026, 11, 18, 1, 0, tzinfo=NEW_YORK)
    closing = schedule("0:00-24:00").closing(now)
    assert closing is not None
    assert (closing - now).days > 30
    assert schedule().opening(now) is None
