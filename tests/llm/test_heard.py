"""Which of a caller's turns may confirm something, and which answers claim what was not done."""

from __future__ import annotations

import pytest

from services.call.effects import Purpose, Speaker, Turn
from services.llm.heard import caller_turns, claims_done, fixed_lines
from tests.llm.openai_call import AGENT, GREETING

LINES = fixed_lines(AGENT)
WISH = Turn(Speaker.CALLER, "A check-up on Tuesday at half past three, Anna Miller.")
YES = Turn(Speaker.CALLER, "Yes.")
READ_BACK = "A check-up on Tuesday, November 24th at 3:30 PM. Is that right?"


def heard(text: str, unheard: str = "") -> Turn:
    return Turn(Speaker.AGENT, text, unheard=unheard)


@pytest.mark.parametrize(
    ("between", "turns"),
    [
        ([heard(READ_BACK)], 2),
        ([heard("A check-up on Tuesday, November 24th at", "3:30 PM. Is that right?")], 2),
        ([heard("Is that right?")], 2),
        ([], 1),  # interrupted before anything was heard
        ([heard("A check-up on Tuesday,", "November 24th at 3:30 PM. Is that right?")], 1),
        ([heard(AGENT.filler)], 1),
        ([heard(AGENT.filler.split(",")[0])], 1),
        ([heard(AGENT.line(Purpose.IDLE_PROMPT))], 1),
        ([heard(AGENT.line(Purpose.REPAIR))], 1),
        ([heard("...")], 1),
        ([Turn(Speaker.CALLER, "And quickly."), heard(AGENT.filler)], 1),
        ([heard(AGENT.filler), heard(READ_BACK)], 2),
        ([heard(READ_BACK), heard(AGENT.line(Purpose.IDLE_PROMPT))], 2),
    ],
)
def test_a_yes_is_a_later_turn_only_if_something_was_heard(between: list[Turn], turns: int) -> None:
    assert caller_turns([GREETING, WISH, *between, YES], LINES) == turns


def test_the_first_turn_counts_whatever_was_heard_before() -> None:
    assert caller_turns([WISH], LINES) == caller_turns([GREETING, WISH], LINES) == 1
    assert caller_turns([heard("Thanks", "for calling 24 7."), WISH], LINES) == 1
    assert caller_turns([], LINES) == caller_turns([GREETING], LINES) == 0


@pytest.mark.parametrize(
    "said",
    [
        "You're booked for Tuesday at 3:30 PM.",
        "Great, that's booked. See you on Tuesday!",
        "I've booked you a check-up.",
        "Your appointment has been cancelled.",
        "It is now rescheduled to Wednesday. Anything else?",
        "All booked! Is there anything else?",
    ],
)
def test_claims(said: str) -> None:
    assert claims_done(said)


@pytest.mark.parametrize(
    "said",
    [
        "A check-up on Tuesday at 3:30 PM. Shall I book it?",
        "It is not booked yet. Is that right?",
        "Nothing is booked, then.",
        "Once it is booked you will get a text.",
        "Is it booked?",
        "I can book that for you. What's your name?",
        "You would be booked with Maria.",
        "",
    ],
)
def test_no_claims(said: str) -> None:
    assert not claims_done(said)
