"""Which words tell when, and which of some times was picked."""

from __future__ import annotations

from datetime import date

import pytest

from services.receptionist.script.change_form import Aim
from services.receptionist.script.change_words import which_and_when
from services.receptionist.script.picking import picked
from services.receptionist.understanding.wishes import in_context, when_in
from services.receptionist.understanding.words import normalise

TODAY = date(2026, 11, 17)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "when"),
    [
        (
            "I'd like to book a cleaning next Tuesday at half past three",
            "next tuesday at half past three",
        ),
        ("Can I get a check-up on November 24th around 2pm?", "on november 24th around 2 pm"),
        ("my name is Anna Miller, book me tomorrow morning", "tomorrow morning"),
        ("as soon as possible please", "as soon as possible"),
        ("Tuesday the 24th, at 3 o'clock please", "tuesday the 24th at 3 o clock"),
        ("between two and four on Friday", "between two and four on friday"),
        ("half-passed three on the 24th", "half past three on the 24th"),
        ("at quarter to four", "at quarter to four"),
        ("I have two kids", ""),
        ("a cleaning for one person", ""),
        ("Is this about my first visit", ""),
        ("Anna Miller", ""),
    ],
)
def test_the_words_that_tell_when(text: str, when: str) -> None:
    assert when_in(normalise(text)) == when


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("No, make it four.", "four"),
        ("Make it for.", "four"),
        ("make it to", "two"),
        ("915.", "9:15"),
        ("3.30", "3 30"),
        ("three thirty", "three thirty"),
    ],
)
def test_a_number_alone_is_a_time_in_an_answer(text: str, when: str) -> None:
    assert when_in(normalise(text), is_answer=True) == when


@pytest.mark.parametrize(
    ("when", "day", "time", "whole"),
    [
        ("four", "2026-11-24", "15:30", "four on Tuesday, November 24th"),
        ("wednesday", "2026-11-24", "15:30", "wednesday november 25th at 15:30"),
        ("monday", "2026-11-27", "", "monday november 30th"),
        ("monday at nine", "2026-11-24", "", "monday november 23rd at nine"),
        ("monday", "2026-11-18", "", "monday november 23rd"),
        ("next wednesday at nine", "2026-11-24", "15:30", "next wednesday at nine"),
        ("the 25th at the same time", "2026-11-24", "15:30", "the 25th at 15:30"),
        ("any time on friday", "", "15:30", "any time on friday"),
        ("four", "", "", "four"),
    ],
)
def test_what_is_not_said_is_as_before(when: str, day: str, time: str, whole: str) -> None:
    assert in_context(when, day, time, TODAY) == whole


@pytest.mark.parametrize(
    ("text", "which", "when"),
    [
        ("move it to Wednesday at ten", "move it ", "wednesday at ten"),
        ("move my Tuesday appointment to four", "move my tuesday appointment ", "four"),
        ("I want to change it to quarter to four", "i want to change it ", "quarter to four"),
        ("Can we make it an hour later?", "", "an hour later"),
        ("push it back by one day", "", "one day later"),
        ("Can you change it a half-past four?", "", "a half past four"),
        ("reschedule my cleaning for Friday at nine", "reschedule my cleaning", "friday at nine"),
        ("change my appointment on Tuesday", "change my appointment on tuesday", ""),
    ],
)
def test_which_appointment_and_the_new_time(text: str, which: str, when: str) -> None:
    assert which_and_when(Aim.MOVE, normalise(text)) == (which, when)


OFFERED = ("2026-11-24T14:00-05:00", "2026-11-24T16:15-05:00", "2026-11-25T15:30-05:00")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("the first one", [0]),
        ("number two", [1]),
        ("the last one please", [2]),
        ("two pm", [0]),
        ("2 p.m. please", [0]),
        ("the 4:15", [1]),
        ("four fifteen", [1]),
        ("A quarter past four.", [1]),
        ("four", [1]),
        ("half past three", [2]),
        ("3 30", [2]),
        ("Wednesday then", [2]),
        ("Tuesday", [0, 1]),
        ("Tuesday at two", [0]),
        ("the later one on Tuesday", [1]),
        ("Tuesday the 24th at 2", [0]),
        ("in the afternoon", [0, 1, 2]),
        ("either is fine", [0]),
        ("Thursday", []),
        ("two thirty", []),
        ("five", []),
        ("ten in the morning", []),
        ("neither", None),
        ("none of those", None),
        ("yes", None),
        ("that one", None),
        ("what", None),
    ],
)
def test_which_time_was_picked(text: str, places: list[int] | None) -> None:
    assert picked(normalise(text), OFFERED) == places
