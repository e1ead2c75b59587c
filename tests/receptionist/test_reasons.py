"""Why somebody is wanted, as a person is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.receptionist.desk.reasons import told


@pytest.mark.parametrize(
    "reason",
    [
        *("", "  ", "?", "operator", "A real person!", "Can I talk to a person, please?"),
        *("I'd like to speak with somebody.", "The caller wants to speak to a human."),
        *("Put me through to Dr. Lee please", "is Dr Lee there?", "Hello. Could I get Dr. Lee?"),
    ],
)
def test_that_somebody_is_wanted_is_no_reason(reason: str) -> None:
    assert told(reason, "Dr. Lee") == ""


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("a broken tooth", "a broken tooth"),
        ("It hurts!", "It hurts"),
        ("Is my crown ready?", "Is my crown ready"),
        ("My tooth hurts. Can I talk to somebody?", "My tooth hurts"),
        ("I need the owner about  a refund ?!", "I need the owner about a refund"),
        ("Can I talk to Maria?", "Can I talk to Maria"),
        ("put through by a colleague", "put through by a colleague"),
    ],
)
def test_a_reason_is_told_without_its_last_sign(reason: str, expected: str) -> None:
    assert told(reason, "Dr. Lee") == expected


@given(st.text(), st.text())
def test_nothing_is_made_up(reason: str, person: str) -> None:
    said = told(reason, person)
    assert set(said.split()) <= {word.rstrip(".!?…,;:") for word in reason.split()} | set(
        reason.split()
    )
