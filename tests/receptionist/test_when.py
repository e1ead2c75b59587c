"""What callers say about days and times, and what is understood: one table per moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.receptionist.agent import Agent
from services.receptionist.calendar.days import full_date, ordinal
from services.receptionist.calendar.schedule import OpenSpan, Schedule
from services.receptionist.calendar.when import Problem, When, understand

NEW_YORK = ZoneInfo("America/New_York")
SATURDAY = datetime(2026, 11, 21, 10, 0, tzinfo=NEW_YORK)
MONDAY = datetime(2026, 11, 16, 10, 0, tzinfo=NEW_YORK)
TUESDAY = datetime(2026, 11, 17, 10, 0, tzinfo=NEW_YORK)


def brief(when: When) -> str:
    """In one line: ``11-24 15:30``, ``11-30..12-06 12:00-18:00``, ``soonest``, or the problem."""
    if when.problem is not Problem.NONE:
        return when.problem.value
    if when.at:
        return f"{when.at:%m-%d %H:%M}"
    parts = ["soonest"] if when.soonest else []
    if when.days:
        first, last = when.days[0], when.days[-1]
        parts.append(f"{first:%m-%d}" if first == last else f"{first:%m-%d}..{last:%m-%d}")
    if when.has_time:
        about = f"~{clock(when.time)} " if when.time is not None else ""
        parts.append(f"{about}{clock(when.begin)}-{clock(when.end)}")
    return " ".join(parts)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


ON_SATURDAY = [
    # --- weekdays and times -------------------------------------------------------------------
    ("next Tuesday at half past three", "11-24 15:30"),
    ("next tuesday at half past 3", "11-24 15:30"),
    ("next Tuesday at 3:30 pm", "11-24 15:30"),
    ("Next Tuesday, 3.30 p.m. please", "11-24 15:30"),
    ("tuesday three thirty", "11-24 15:30"),
    ("tuesday 3 30", "11-24 15:30"),
    ("tuesday three thirty pm", "11-24 15:30"),
    ("tuesday at half three", "11-24 15:30"),
    ("tuesday 15:30", "11-24 15:30"),
    ("tuesday at 1530", "11-24 15:30"),
    ("tuesday at fifteen thirty", "11-24 15:30"),
    ("Tuesday at a quarter to five", "11-24 16:45"),
    ("quarter to five on tuesday", "11-24 16:45"),
    ("tuesday at quarter past nine", "11-24 09:15"),
    ("tuesday at quarter after nine", "11-24 09:15"),
    ("tuesday at a quarter of ten", "11-24 09:45"),
    ("tuesday ten to four", "11-24 15:50"),
    ("tuesday at twenty past ten", "11-24 10:20"),
    ("tuesday at twenty five past ten", "11-24 10:25"),
    ("tuesday at five minutes to nine", "11-24 08:55"),
    ("tuesday at three oh five", "11-24 15:05"),
    ("tuesday at eight", "11-24 08:00"),
    ("tuesday at eight o'clock", "11-24 08:00"),
    ("Tuesday, at 8.", "11-24 08:00"),
    ("tuesday at one", "11-24 13:00"),
    ("tuesday at noon", "11-24 12:00"),
    ("tuesday at twelve", "11-24 12:00"),
    ("tuesday at midday", "11-24 12:00"),
    ("tuesday at 9 in the morning", "11-24 09:00"),
    ("three in the afternoon on tuesday", "11-24 15:00"),
    ("tuesday afternoon at three", "11-24 15:00"),
    ("tuesday evening at eight", "11-24 20:00"),
    ("tuesday at seven at night", "11-24 19:00"),
    ("I'd like to come in on Tuesday at 3 pm if that's possible", "11-24 15:00"),
    ("how about tuesday at 2", "11-24 14:00"),
    ("can you do 2 on tuesday", "11-24 14:00"),
    ("uh, tuesday, um, at like, three thirty", "11-24 ~15:30 14:30-16:31"),
    ("tues at 4pm", "11-24 16:00"),
    ("wendesday at 4", "11-25 16:00"),
    ("weds 4 pm", "11-25 16:00"),
    ("this tuesday at 4", "11-24 16:00"),
    ("coming tuesday at 4", "11-24 16:00"),
    ("monday at 8 am", "11-23 08:00"),
    ("saturday at 11", "11-21 11:00"),
    ("saturday at 9", "11-28 09:00"),
    ("next saturday at 9", "11-28 09:00"),
    ("friday", "11-27"),
    ("any time friday", "11-27"),
    ("friday or monday", "11-23..11-27"),
    # --- near days ----------------------------------------------------------------------------
    ("today at noon", "11-21 12:00"),
    ("today at 9", "past"),
    ("this morning", "11-21 00:00-12:00"),
    ("this afternoon", "11-21 12:00-18:00"),
    ("tonight", "11-21 17:00-24:00"),
    ("tomorrow", "11-22"),
    ("tomorrow morning", "11-22 00:00-12:00"),
    ("tomorrow morning at 9", "11-22 09:00"),
    ("tomorrow evening", "11-22 17:00-24:00"),
    ("the day after tomorrow at ten", "11-23 10:00"),
    ("to-morrow at ten thirty", "11-22 10:30"),
    # --- dates --------------------------------------------------------------------------------
    ("the 3rd of December", "12-03"),
    ("december 3rd at 4", "12-03 16:00"),
    ("December third at four pm", "12-03 16:00"),
    ("third of december at half past nine", "12-03 09:30"),
    ("dec 3 at 4 pm", "12-03 16:00"),
    ("3 december 3 30", "12-03 15:30"),
    ("thursday december 3rd at 2", "12-03 14:00"),
    ("thursday the third of december at 2", "12-03 14:00"),
    ("wednesday december 3rd", "other_weekday"),
    ("the third at 4", "12-03 16:00"),
    ("on the 3rd at 4 o'clock", "12-03 16:00"),
    ("the twenty third at 3", "11-23 15:00"),
    ("the twenty fourth at four", "11-24 16:00"),
    ("tuesday the twenty fourth at four", "11-24 16:00"),
    ("tuesday the 25th", "other_weekday"),
    ("the 31st", "12-31"),
    ("the 2nd of next month", "12-02"),
    ("december 3rd 2026 at 4 pm", "12-03 16:00"),
    ("3 january 2027 at 10", "01-03 10:00"),
    ("12/3 at 4", "12-03 16:00"),
    ("12/3/2026 at 4 pm", "12-03 16:00"),
    ("february 30th at 3", "no_such_day"),
    ("february 29th 2027", "no_such_day"),
    ("the 32nd", "no_such_day"),
    ("2/30/2027", "no_such_day"),
    ("november 3rd 2026 at 10", "past"),
    ("the first monday of december at 9", "12-07 09:00"),
    ("the last friday in november at 9", "11-27 09:00"),
    ("the first week of december", "12-01..12-07"),
    ("the end of the month", "11-24..11-30"),
    ("in december", "12-01..12-31"),
    ("next month", "12-01..12-31"),
    ("the day after christmas at 10", "12-26 10:00"),
    ("christmas eve at 9", "12-24 09:00"),
    ("on new year's eve at 9", "12-31 09:00"),
    # --- weeks --------------------------------------------------------------------------------
    ("next week", "11-23..11-29"),
    ("sometime next week", "11-23..11-29"),
    ("any day next week at 4", "11-23..11-29 ~16:00 16:00-16:01"),
    ("next week in the morning", "11-23..11-29 00:00-12:00"),
    ("the week after next", "11-30..12-06"),
    ("tuesday next week at 3", "11-24 15:00"),
    ("next week on tuesday at 3", "11-24 15:00"),
    ("next week tuesday at 3", "11-24 15:00"),
    ("the end of next week", "11-26..11-27"),
    ("the beginning of next week", "11-23..11-24"),
    ("the week of december 7th", "12-07..12-13"),
    ("this week", "11-21..11-22"),
    ("this weekend", "11-21..11-22"),
    ("a week from tuesday at 3", "12-01 15:00"),
    ("tuesday week at 3", "12-01 15:00"),
    ("two weeks from monday", "12-07"),
    ("in two weeks", "12-05"),
    ("in a week", "11-28"),
    ("in three days at 2", "11-24 14:00"),
    ("two weeks from today at 9 am", "12-05 09:00"),
    ("in a fortnight", "12-05"),
    ("in a couple of weeks", "12-05"),
    ("a week tomorrow", "11-29"),
    ("in a month", "12-21"),
    ("in the next two weeks", "11-21..12-05"),
    ("the next few days", "11-21..11-25"),
    ("monday to wednesday", "11-23..11-25"),
    ("between monday and wednesday", "11-23..11-25"),
    ("any day next week except monday", "11-24..11-29"),
    # --- stretches of the day -----------------------------------------------------------------
    ("thursday afternoon", "11-26 12:00-18:00"),
    ("late thursday afternoon", "11-26 12:00-18:00"),
    ("tuesday late afternoon", "11-24 15:30-18:00"),
    ("early tuesday morning", "11-24 00:00-12:00"),
    ("tuesday after four", "11-24 16:00-24:00"),
    ("tuesday before noon", "11-24 00:00-12:00"),
    ("tuesday at 3 or later", "11-24 15:00-24:00"),
    ("tuesday from two onwards", "11-24 14:00-24:00"),
    ("tuesday no later than ten", "11-24 00:00-10:00"),
    ("tuesday by ten", "11-24 00:00-10:00"),
    ("tuesday around three", "11-24 ~15:00 14:00-16:01"),
    ("tuesday at about three", "11-24 ~15:00 14:00-16:01"),
    ("tuesday threeish", "11-24 ~15:00 14:00-16:01"),
    ("tuesday between two and four", "11-24 14:00-16:00"),
    ("tuesday from 2 to 4", "11-24 14:00-16:00"),
    ("tuesday between ten and two", "11-24 10:00-14:00"),
    ("tuesday between 11 and 2 pm", "11-24 11:00-14:00"),
    ("monday 9", "11-23 09:00"),
    ("tomorrow 10", "11-22 10:00"),
    ("monday 9 to 10", "11-23 09:00-10:00"),
    ("not tuesday but wednesday at nine", "11-25 09:00"),
    ("friday fortnight", "12-11"),
    ("late next week", "11-26..11-27"),
    ("noonish tomorrow", "11-22 ~12:00 11:00-13:01"),
    ("the sooner the better", "soonest"),
    ("tomorrow, or if not, wednesday", "11-22..11-25"),
    ("for three people on monday at nine", "11-23 09:00"),
    ("monday at nine for 30 minutes", "11-23 09:00"),
    ("the 24th of november at half past 3", "11-24 15:30"),
    ("november 30 10 15", "11-30 10:15"),
    ("tuesday at three or four", "11-24 15:00-16:01"),
    ("tuesday after lunch", "11-24 13:00-18:00"),
    ("tuesday first thing", "11-24 00:00-09:30"),
    ("tuesday lunchtime", "11-24 11:30-13:30"),
    # --- no day, no time, or neither ----------------------------------------------------------
    ("at noon", "11-21 12:00"),
    ("at three", "11-23 15:00"),
    ("half past three", "11-23 15:30"),
    ("3:30", "11-23 15:30"),
    ("in the afternoon", "12:00-18:00"),
    ("as soon as possible", "soonest"),
    ("the first available appointment", "soonest"),
    ("your earliest opening", "soonest"),
    ("asap", "soonest"),
    ("whenever you like", "soonest"),
    ("as soon as possible next week", "soonest 11-23..11-29"),
    ("in two hours", "11-21 12:00"),
    ("in half an hour", "11-21 10:30"),
    ("an hour from now", "11-21 11:00"),
    ("in 45 minutes", "11-21 10:45"),
    ("banana", "unclear"),
    ("", "unclear"),
    ("for my daughter", "unclear"),
    ("at 25:00 on tuesday", "no_such_time"),
    ("tuesday at 3:75", "no_such_time"),
    ("yesterday at 3", "past"),
    ("last tuesday", "past"),
    # --- corrections --------------------------------------------------------------------------
    ("tuesday at three, no wait, wednesday", "11-25 15:00"),
    ("tuesday at three, sorry, at four", "11-24 16:00"),
    ("tuesday, I mean wednesday at two", "11-25 14:00"),
    # --- as programs write it -----------------------------------------------------------------
    ("2026-11-24T15:30", "11-24 15:30"),
    ("2026-11-24 15:30", "11-24 15:30"),
    ("2026-11-24T15:30:00-05:00", "11-24 15:30"),
    ("2026-11-24T20:30:00Z", "11-24 15:30"),
    ("2026-11-24", "11-24"),
    ("2026-11-24 at 3", "11-24 15:00"),
    ("2026-02-30T10:00", "no_such_day"),
    ("2026-11-24T25:00", "no_such_time"),
    ("2026-11-20T10:00", "past"),
]


@pytest.mark.parametrize(("said", "meant"), ON_SATURDAY)
def test_on_a_saturday_morning_at_a_dentist(agent: Agent, said: str, meant: str) -> None:
    assert brief(understand(said, agent.schedule, SATURDAY)) == meant


@pytest.mark.parametrize(
    ("now", "said", "meant"),
    [
        (MONDAY, "next tuesday at 3", "11-24 15:00"),
        (MONDAY, "tuesday at 3", "11-17 15:00"),
        (MONDAY, "this tuesday at 3", "11-17 15:00"),
        (MONDAY, "next monday at 3", "11-23 15:00"),
        (MONDAY, "monday at 3", "11-16 15:00"),
        (MONDAY, "monday at 9", "11-23 09:00"),
        (MONDAY, "at 9", "11-17 09:00"),
        (MONDAY, "at 11", "11-16 11:00"),
        (MONDAY, "this week", "11-16..11-22"),
        (MONDAY, "later this week", "11-17..11-22"),
        (MONDAY, "next week", "11-23..11-29"),
        (TUESDAY, "next tuesday at half past three", "11-24 15:30"),
        (TUESDAY, "tuesday at half past three", "11-17 15:30"),
        (TUESDAY, "tuesday afternoon", "11-17 12:00-18:00"),
        (TUESDAY.replace(hour=18), "tuesday", "11-24"),
        (TUESDAY.replace(hour=18), "today", "11-17"),
        (TUESDAY.replace(hour=18), "this morning", "past"),
        (datetime(2026, 12, 31, 12, tzinfo=NEW_YORK), "next friday at 9", "01-08 09:00"),
        (datetime(2026, 12, 31, 12, tzinfo=NEW_YORK), "tomorrow at 9", "01-01 09:00"),
        (datetime(2027, 1, 31, 12, tzinfo=NEW_YORK), "in a month", "02-28"),
        (datetime(2027, 1, 31, 12, tzinfo=NEW_YORK), "the 30th at 9", "03-30 09:00"),
        (datetime(2027, 2, 1, 12, tzinfo=NEW_YORK), "february 29th", "02-29"),
    ],
)
def test_at_other_moments(agent: Agent, now: datetime, said: str, meant: str) -> None:
    assert brief(understand(said, agent.schedule, now)) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("the next day", "11-25"),
        ("the next day at the same time", "11-25 15:30"),
        ("the next day at four", "11-25 16:00"),
        ("the following day", "11-25"),
        ("the day after", "11-25"),
        ("the day after that at 10", "11-25 10:00"),
        ("the day before", "11-23"),
        ("a day later", "11-25"),
        ("two days earlier", "11-22"),
        ("the same day at four", "11-24 16:00"),
        ("same time next week", "12-01 15:30"),
        ("the same day next week at 10", "12-01 10:00"),
        ("a week later", "12-01"),
        ("an hour later", "11-24 16:30"),
        ("half an hour earlier", "11-24 15:00"),
        ("45 minutes later", "11-24 16:15"),
        ("an hour and a half earlier", "11-24 14:00"),
        ("at four", "11-24 16:00"),
        ("a bit later", "11-24 15:31-24:00"),
        ("earlier, if possible", "11-24 00:00-15:30"),
        ("in the morning", "11-24 00:00-12:00"),
        ("thursday at the same time", "11-26 15:30"),
        ("tomorrow at nine", "11-22 09:00"),
    ],
)
def test_beside_the_appointment_that_is_moved(agent: Agent, said: str, meant: str) -> None:
    booked = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
    assert brief(understand(said, agent.schedule, SATURDAY, booked=booked)) == meant


def test_a_time_without_a_day_is_on_the_day_that_is_talked_about(agent: Agent) -> None:
    when = understand("half past two", agent.schedule, SATURDAY, day=date(2026, 12, 2))
    assert brief(when) == "12-02 14:30"


@pytest.mark.parametrize(
    ("country", "said", "meant"),
    [
        ("GB", "half three on tuesday", "11-24 15:30"),
        ("GB", "3/12 at 4", "12-03 16:00"),
        ("GB", "3/12/2026", "12-03"),
        ("GB", "tuesday week", "12-01"),
        ("GB", "fortnight on tuesday", "12-08"),
        ("DE", "3.12.2026", "12-03"),
        ("US", "3/12/2027", "03-12"),
    ],
)
def test_by_country(agent: Agent, country: str, said: str, meant: str) -> None:
    assert brief(understand(said, agent.schedule, SATURDAY, country=country)) == meant


@pytest.mark.parametrize(
    ("language", "said", "meant"),
    [
        ("de", "übermorgen", "11-23"),
        ("de", "Dienstag", "11-24"),
        ("de", "3. Dezember 2026 15:30", "12-03 15:30"),
        ("de", "nächsten Dienstag um 15:30", "11-24 15:30"),
        ("de", "am Dienstag um 15 Uhr", "11-24 15:00"),
        ("de", "am 3. Dezember um 10 Uhr 30", "12-03 10:30"),
        ("fr", "mardi prochain à 15h30", "11-24 15:30"),
        ("es", "el próximo martes a las 15:30", "11-24 15:30"),
        ("es", "mañana a las 9", "11-22 09:00"),
        ("it", "martedì alle 15", "11-24 15:00"),
        ("it", "domani", "11-22"),
        ("de", "Guten Tag, ich hätte gern einen Termin", "unclear"),
        ("fr", "demain à 9h", "11-22 09:00"),
        ("fr", "le 3 décembre", "12-03"),
        ("es", "3 de diciembre", "12-03"),
        ("multi", "3 de diciembre", "12-03"),
        ("de", "next tuesday at half past three", "11-24 15:30"),
        ("en", "übermorgen", "unclear"),
    ],
)
def test_in_other_languages(agent: Agent, language: str, said: str, meant: str) -> None:
    assert brief(understand(said, agent.schedule, SATURDAY, language=language)) == meant


BAR = Schedule(NEW_YORK, ((OpenSpan(18 * 60, 26 * 60),),) * 7)
ALWAYS = Schedule(NEW_YORK, ((OpenSpan(0, 24 * 60),),) * 7)


@pytest.mark.parametrize(
    ("schedule", "said", "meant"),
    [
        (BAR, "friday at eight", "11-27 20:00"),
        (BAR, "friday at one", "11-28 01:00"),
        (BAR, "friday at midnight", "11-28 00:00"),
        (BAR, "friday night at 11", "11-27 23:00"),
        (ALWAYS, "friday at eight", "11-27 08:00"),
        (ALWAYS, "friday at three", "11-27 15:00"),
        (ALWAYS, "friday at 3 am", "11-27 03:00"),
        (ALWAYS, "friday at 12 am", "11-27 00:00"),
        (Schedule(NEW_YORK), "friday at three", "11-27 15:00"),
    ],
)
def test_hours_without_am_or_pm_fit_the_opening_hours(
    schedule: Schedule, said: str, meant: str
) -> None:
    assert brief(understand(said, schedule, SATURDAY)) == meant


def test_a_time_that_the_clocks_skip_does_not_exist() -> None:
    now = datetime(2027, 3, 12, 10, tzinfo=NEW_YORK)
    when = understand("sunday the 14th at 2:30 am", ALWAYS, now)
    assert when.problem is Problem.NO_SUCH_TIME
    assert understand("sunday the 14th at 3:30 am", ALWAYS, now).iso == "2027-03-14T03:30:00-04:00"


def test_of_a_time_that_the_clocks_repeat_the_first_is_meant_unless_the_offset_is_given() -> None:
    now = datetime(2026, 10, 30, 10, tzinfo=NEW_YORK)
    assert understand("sunday at 1:30 am", ALWAYS, now).iso == "2026-11-01T01:30:00-04:00"
    second = "2026-11-01T01:30:00-05:00"
    assert understand(second, ALWAYS, now).iso == second


def test_hours_from_now_are_counted_over_a_change_of_the_clocks() -> None:
    now = datetime(2026, 11, 1, 0, 30, tzinfo=NEW_YORK)
    assert understand("in two hours", ALWAYS, now).iso == "2026-11-01T01:30:00-05:00"


@pytest.mark.parametrize(
    ("said", "iso"),
    [
        ("tuesday at 3", "2026-11-24T15:00:00-05:00"),
        ("tuesday", "2026-11-24"),
        ("next week", "2026-11-23/2026-11-29"),
        ("as soon as possible", ""),
    ],
)
def test_iso(agent: Agent, said: str, iso: str) -> None:
    assert understand(said, agent.schedule, SATURDAY).iso == iso


# --- any time at all, said in several ways, is understood as that time ----------------------------

UNITS = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
TEENS = (
    "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()  # noqa: SIM905
)
TENS = {2: "twenty", 3: "thirty", 4: "forty", 5: "fifty"}


def in_words(number: int) -> str:
    if number < 10:
        return UNITS[number]
    if number < 20:
        return TEENS[number - 10]
    return TENS[number // 10] + (f" {UNITS[number % 10]}" if number % 10 else "")


def day_spoken(day: date, style: int) -> str:
    return (
        full_date(day),
        f"the {ordinal(day.day)} of {day:%B} {day.year}",
        f"{day:%B} {day.day} {day.year}",
        day.isoformat(),
        f"{day:%A} the {ordinal(day.day)} of {day:%B}",
    )[style]


def time_spoken(moment: datetime, style: int) -> str:
    hour, minute, half = (moment.hour - 1) % 12 + 1, moment.minute, f"{moment:%p}".lower()
    words = UNITS[hour]
    if style == 0:
        return f"{hour}:{minute:02} {half}"
    if style == 1:
        past = (
            "" if not minute else f" oh {UNITS[minute]}" if minute < 10 else f" {in_words(minute)}"
        )
        return f"{words}{past} {half[0]}.{half[1]}."
    if style == 2:
        return (
            f"{moment:%H:%M}"
            if moment.hour < 10 or moment.hour > 12
            else f"{hour} {minute:02} {half}"
        )
    if minute == 30:
        return f"half past {words} {half}"
    if minute in (15, 45):
        other = UNITS[hour % 12 + 1]
        near_noon = hour == 11 and minute == 45
        if not near_noon:
            return f"quarter past {words} {half}" if minute == 15 else f"quarter to {other} {half}"
    return f"{hour}:{minute:02}{half}"


@settings(max_examples=300, deadline=None)
@given(
    minutes=st.integers(60, 300 * 1440),
    zone=st.sampled_from(["America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Sydney"]),
    day_style=st.integers(0, 4),
    time_style=st.integers(0, 3),
    day_first=st.booleans(),
)
@example(minutes=4 * 1440, zone="Europe/London", day_style=0, time_style=1, day_first=True)
def test_round_trip(
    minutes: int, zone: str, day_style: int, time_style: int, day_first: bool
) -> None:
    schedule = Schedule(ZoneInfo(zone), ((OpenSpan(0, 24 * 60),),) * 7)
    meant = (SATURDAY.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(schedule.zone)
    day, clock_time = day_spoken(meant.date(), day_style), time_spoken(meant, time_style)
    said = f"{day} at {clock_time}" if day_first else f"{clock_time} on {day}"
    when = understand(said, schedule, SATURDAY)
    assert when.at is not None, said
    assert when.at.replace(tzinfo=None) == meant.replace(tzinfo=None), said


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
@example("٣ 3:30 12/31/99999")
@example("0000-00-00T00:00")
@example("in 999 months")
@example("the 99th of january 2099 at 99:99")
def test_no_text_breaks_it(text: str) -> None:
    when = understand(text, BAR, SATURDAY, language="multi")
    assert isinstance(when, When)
