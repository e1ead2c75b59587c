"""Questions about opening hours and what is answered: one table per moment."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.receptionist.agent import Agent
from services.receptionist.calendar.schedule import OpenSpan, Schedule
from services.receptionist.calendar.times import AskedTime, asked_time, clock
from services.receptionist.hours import answer_hours
from services.receptionist.understanding.words import normalise

TUESDAY_AT_TEN = (2026, 11, 17, 10, 0)
TUESDAY_AT_LUNCH = (2026, 11, 17, 12, 30)
EVE_OF_THANKSGIVING = (2026, 11, 25, 18, 0)
SUNDAY = (2026, 11, 22, 9, 0)
LONG_DAY = "from 8 AM to noon and from 1 to 5 PM"


@pytest.mark.parametrize(
    ("now", "question", "answer"),
    [
        (TUESDAY_AT_TEN, "Hours?", "Monday to Thursday from 8 AM to 5 PM, Friday until 2 PM, and"),
        (
            TUESDAY_AT_TEN,
            "Hours?",
            "Sunday. We're closed on Thanksgiving, Thursday the 26th.",
        ),
        (
            TUESDAY_AT_TEN,
            "What are your ours?",
            "for lunch Monday to Thursday from noon to 1, and all day Sunday.",
        ),
        (
            TUESDAY_AT_TEN,
            "Are you open now?",
            "Yes, we're open now, until noon, and again from 1 to 5 PM.",
        ),
        (TUESDAY_AT_TEN, "are you closed", "We're open now"),
        (TUESDAY_AT_TEN, "hi, um, are you open on Sunday?", "No, we're closed on Sundays."),
        (TUESDAY_AT_TEN, "When are you open?", "We're open Monday to Thursday"),
        (TUESDAY_AT_TEN, "are you open next week", "We're open Monday to Thursday"),
        (TUESDAY_AT_TEN, "are you open late", "We close at 5 PM today."),
        (TUESDAY_AT_TEN, "what about Saturday", "We're open on Saturdays from 9 AM to 1 PM."),
        (TUESDAY_AT_TEN, "open to-morrow?", f"Yes, we're open tomorrow {LONG_DAY}."),
        (TUESDAY_AT_TEN, "Are you open today?", f"Yes, we're open today {LONG_DAY}."),
        (
            TUESDAY_AT_TEN,
            "this weekend?",
            "We're open on Saturday, November 21st from 9 AM to 1 PM. ",
        ),
        (
            TUESDAY_AT_TEN,
            "What time do you close?",
            "We close at 5 PM today. We also close for lunch",
        ),
        (TUESDAY_AT_TEN, "how late are you open tonight", "We close at 5 PM today."),
        (TUESDAY_AT_TEN, "when do you close on Friday", "We're open on Fridays from 8 AM to 2 PM."),
        (TUESDAY_AT_TEN, "when do you open next?", "After that we open tomorrow at 8 AM."),
        (TUESDAY_AT_TEN, "What time do you open in the morning?", "We open tomorrow at 8 AM."),
        (TUESDAY_AT_TEN, "How early do you open?", "We open tomorrow at 8 AM."),
        (TUESDAY_AT_TEN, "do you have evening hours", "We close at 5 PM today."),
        (TUESDAY_AT_TEN, "are you open on Christmas Day", "No, we're closed on Christmas Day."),
        (TUESDAY_AT_TEN, "christmas?", "We're closed on Christmas Day."),
        (TUESDAY_AT_TEN, "Christmas Eve", "We're open on Christmas Eve from 8 AM to noon."),
        (TUESDAY_AT_TEN, "new year's", "We're closed on New Year's Day."),
        (TUESDAY_AT_TEN, "the 4th of July?", "We're closed on Independence Day."),
        (TUESDAY_AT_TEN, "labor day", "Those are our usual Monday hours."),
        (TUESDAY_AT_TEN, "Easter?", "I don't have our hours for Easter yet. We're open Monday"),
        (
            TUESDAY_AT_TEN,
            "holidays?",
            "We're closed on Thanksgiving, Christmas Day, New Year's Day and",
        ),
        (
            TUESDAY_AT_TEN,
            "on December 24th?",
            "on Thursday, December 24th from 8 AM to noon, because",
        ),
        (
            TUESDAY_AT_TEN,
            "the twenty fifth of december",
            "closed on Friday, December 25th, because",
        ),
        (TUESDAY_AT_TEN, "do you close for lunch", "We close for lunch, from noon to 1 PM."),
        (
            TUESDAY_AT_TEN,
            "open Friday at 6 p.m.?",
            "No, not at 6 PM. We're open on Fridays from 8 AM",
        ),
        (TUESDAY_AT_TEN, "open Saturday at noon?", "Yes, on Saturdays we're open until 1 PM."),
        (TUESDAY_AT_TEN, "are you open until five", "Yes, today we're open until 5 PM."),
        (TUESDAY_AT_TEN, "are you open after 5", "No, not at 5 PM."),
        (TUESDAY_AT_TEN, "next Friday", "We're open on Friday, November 27th from 8 AM to 2 PM."),
        (
            TUESDAY_AT_TEN,
            "weekdays?",
            "Monday to Thursday from 8 AM to 5 PM, and Friday until 2 PM. We close for lunch",
        ),
        (TUESDAY_AT_TEN, "day after tomorrow", f"open on Thursday, November 19th {LONG_DAY}."),
        (
            TUESDAY_AT_TEN,
            "Friday and Sunday?",
            "We're open on Fridays from 8 AM to 2 PM. We're closed",
        ),
        (
            TUESDAY_AT_LUNCH,
            "Are you open?",
            "No, we're closed right now. We open again today at 1 PM.",
        ),
        (TUESDAY_AT_LUNCH, "What time do you close?", "We close at 5 PM today."),
        (TUESDAY_AT_LUNCH, "when do you open", "We open today at 1 PM."),
        (EVE_OF_THANKSGIVING, "Open now?", "closed right now. We open again on Friday at 8 AM."),
        (EVE_OF_THANKSGIVING, "Tomorrow?", "We're closed tomorrow, because of Thanksgiving."),
        (
            EVE_OF_THANKSGIVING,
            "Are you open today?",
            "No, we're closed for today. We open again on",
        ),
        (EVE_OF_THANKSGIVING, "Thursdays?", "But tomorrow we're closed, because of Thanksgiving."),
        (EVE_OF_THANKSGIVING, "what time do you close", "We're closed right now. We open again on"),
        (SUNDAY, "Are you open?", "No, we're closed right now. We open again tomorrow at 8 AM."),
        (SUNDAY, "this weekend", "We're closed today."),
        ((2026, 11, 26, 9, 0), "are you open", "No, we're closed today for Thanksgiving. We open"),
        ((2026, 12, 24, 9, 0), "are you open now", "Yes, we're open now, until noon."),
    ],
)
def test_answers(agent: Agent, now: tuple[int, ...], question: str, answer: str) -> None:
    moment = datetime(*now, tzinfo=agent.business.timezone)  # type: ignore[misc, arg-type]
    assert answer in answer_hours(normalise(question), agent.schedule, moment)


ZONE = ZoneInfo("Europe/Berlin")


def bar(*spans: str) -> Schedule:
    return Schedule(ZONE, ((),) * 4 + (tuple(OpenSpan.parse(span) for span in spans),) * 2 + ((),))


@pytest.mark.parametrize(
    ("schedule", "hour", "question", "answer"),
    [
        (bar("18:00-02:00"), 23, "how late are you open", "We close at 2 AM."),
        (bar("18:00-02:00"), 23, "are you open at midnight", "Yes, today we're open until 2 AM."),
        (
            bar("9:00-12:00", "13:00-15:00"),
            9,
            "hours",
            "We close for lunch from noon to 1, and all",
        ),
        (bar("18:00-24:00"), 23, "when do you close", "We close at midnight."),
        (bar("18:00-02:00"), 23, "weekends", "We're open on Saturdays from 6 PM to 2 AM."),
        (bar("0:00-24:00"), 12, "are you open friday", "Yes, we're open on Fridays all day."),
        (Schedule(ZONE, ((OpenSpan(0, 1440),),) * 7), 3, "hours", "We're open around the clock."),
        (Schedule(ZONE, ((OpenSpan(0, 1440),),) * 7), 3, "are you open", "around the clock."),
        (Schedule(ZONE), 3, "hours", "I'm afraid I don't have our opening hours."),
    ],
)
def test_nights_and_days_without_end(
    schedule: Schedule, hour: int, question: str, answer: str
) -> None:
    friday = datetime(2026, 11, 20, hour, 0, tzinfo=ZONE)
    assert answer in answer_hours(normalise(question), schedule, friday)


def test_a_short_holiday_is_mentioned_with_its_hours(agent: Agent) -> None:
    moment = datetime(2026, 12, 20, 9, 0, tzinfo=agent.business.timezone)
    assert answer_hours("hours", agent.schedule, moment).endswith(
        "On Christmas Eve, Thursday the 24th, we're open from 8 AM to noon."
    )


def test_the_moment_may_come_from_any_zone(agent: Agent) -> None:
    moment = datetime(2026, 11, 17, 23, 30, tzinfo=ZoneInfo("Asia/Tokyo"))  # 9:30 AM in New York
    assert "until noon" in answer_hours("are you open", agent.schedule, moment)


@pytest.mark.parametrize(
    ("minutes", "spoken"),
    [
        (0, "midnight"),
        (540, "9 AM"),
        (720, "noon"),
        (1050, "5:30 PM"),
        (1560, "2 AM"),
        (725, "12:05 PM"),
    ],
)
def test_clock(minutes: int, spoken: str) -> None:
    assert clock(minutes) == spoken


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("at 5", AskedTime(1020, False)),
        ("at 9:30", AskedTime(570, False)),
        ("until half past four", AskedTime(990, True)),
        ("five thirty pm", AskedTime(1050, False)),
        ("twelve am", AskedTime(0, False)),
        ("at noon", AskedTime(720, False)),
        ("in 5 days", None),
        ("at 99", None),
    ],
)
def test_times_in_questions(words: str, expected: AskedTime | None) -> None:
    assert asked_time(words) == expected
