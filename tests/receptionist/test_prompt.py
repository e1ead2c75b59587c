"""The system prompt: what a language model is told, and in which order."""

from __future__ import annotations

import os.path
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from services.receptionist.agent import Agent, Business, TransferRule, parse_agent
from services.receptionist.prompt import Prompt, system_prompt


def test_it_holds_what_the_agent_file_says(agent: Agent, tuesday_at_ten: datetime) -> None:
    text = system_prompt(agent, tuesday_at_ten)
    for fact in (
        "You are Ava, the automated telephone receptionist of Bright Smile Dental.",
        "120 Market Street",
        "hello@brightsmile.example",
        "A crown (also: crown, cap): from $950, about 90 minutes.",
        "free parking behind the building",
        "Dr. Lee (also: Doctor Lee",
        "call 9 1 1 right now",
        "Monday to Thursday from 8 AM to 5 PM",
    ):
        assert fact in text
    assert "{" not in text


def test_numbers_of_people_are_not_told(agent: Agent, tuesday_at_ten: datetime) -> None:
    assert "+1555867531" not in system_prompt(agent, tuesday_at_ten)


def test_an_agent_that_books_is_told_how(agent: Agent, tuesday_at_ten: datetime) -> None:
    text = system_prompt(agent, tuesday_at_ten)
    assert "A check-up (30 minutes); A cleaning (45 minutes)" in text
    assert "If the caller agrees in their next turn, use confirm" in text
    closed = replace(agent, booking=replace(agent.booking, enabled=False))
    assert "You cannot book, change or cancel" in system_prompt(closed, tuesday_at_ten)
    assert "book_appointment" not in system_prompt(closed, tuesday_at_ten)


def test_who_can_be_reached_is_told_by_name(agent: Agent, tuesday_at_ten: datetime) -> None:
    rules = (
        TransferRule(("a refund", "my lawyer"), "Maria", "high"),
        TransferRule(("the press",)),
    )
    ruled = replace(agent, transfers=replace(agent.transfers, rules=rules))
    text = system_prompt(ruled, tuesday_at_ten)
    assert "use transfer_call (Dr. Lee, Maria" in text
    assert 'speaks of "a refund", "my lawyer", put them through to Maria at once' in text
    assert 'speaks of "the press", put them through at once, without asking; urgency normal' in text
    alone = replace(agent, people=(), owner_phone="")
    assert "You cannot put calls through" in system_prompt(alone, tuesday_at_ten)
    owned = replace(alone, owner_phone="+15550100200")
    assert "use transfer_call. They are" in system_prompt(owned, tuesday_at_ten)


def test_an_emergency_is_put_through_where_somebody_is_there_for_it(
    agent: Agent, tuesday_at_ten: datetime
) -> None:
    ready = replace(agent, emergency=replace(agent.emergency, transfer=True))
    assert "use transfer_call at once with urgency high" in system_prompt(ready, tuesday_at_ten)
    alone = replace(ready, people=(), owner_phone="")
    assert "call 9 1 1 right now" in system_prompt(alone, tuesday_at_ten)


def test_the_owner_says_how_she_is(agent: Agent, tuesday_at_ten: datetime) -> None:
    warm = replace(agent, persona="You are warm and never in a hurry.")
    assert "How you are:\nYou are warm and never in a hurry." in system_prompt(warm, tuesday_at_ten)
    assert "How you are" not in system_prompt(replace(agent, persona=""), tuesday_at_ten)


def test_why_we_call_is_told_in_the_words_of_who_ordered_it(
    agent: Agent, tuesday_at_ten: datetime
) -> None:
    errand = "I'm calling about {your} appointment."
    text = Prompt(agent).text(tuesday_at_ten, "+15551234567", errand=errand)
    assert f"why you call: “{errand}”" in text
    assert "You have called them" not in Prompt(agent).text(tuesday_at_ten, "+15551234567")


def test_the_moment_is_the_last_thing_and_in_the_zone_of_the_business(agent: Agent) -> None:
    last = system_prompt(agent, datetime(2026, 11, 17, 15, 5, tzinfo=UTC)).splitlines()[-1]
    assert last.startswith(
        "It is now 10:05 AM on Tuesday, November 17th 2026 (America/New_York, EST)."
    )
    assert "we're open now, until noon" in last


def test_holidays_and_the_coming_days_stand_in_it_by_date(
    agent: Agent, tuesday_at_ten: datetime
) -> None:
    text = system_prompt(agent, tuesday_at_ten + timedelta(days=2))
    assert "- Today, Thursday, November 19th 2026: open from 8 AM to noon and from 1 to 5" in text
    assert "- Tomorrow, Friday, November 20th 2026: open from 8 AM to 2 PM" in text
    assert "- Sunday, November 22nd 2026: closed" in text
    assert "- Thursday, November 26th 2026: closed, because of Thanksgiving" in text
    later = "- Thursday, December 24th 2026: open from 8 AM to noon, because of Christmas Eve"
    assert f"{later} (not the usual hours)" in text


def test_holidays_of_several_days_are_one_line(agent: Agent) -> None:
    days = {"name": "Summer break", "date": "2027-08-02 to 2027-08-13"}
    business = {"name": "Acme", "timezone": "Europe/Berlin"}
    hours = {"monday": ["9:00-17:00"]}
    file = {"name": "Ava", "business": business, "hours": hours, "holidays": [days]}
    text = system_prompt(parse_agent(file), datetime(2027, 7, 1, tzinfo=UTC))
    stretch = "Monday, August 2nd 2027 to Friday, August 13th 2027"
    assert f"- {stretch}: closed, because of Summer break (not the usual hours)" in text


def test_two_calls_of_a_day_share_a_long_beginning(agent: Agent, tuesday_at_ten: datetime) -> None:
    """Vendors charge less for, and answer faster after, a beginning that they have seen."""
    prompt = Prompt(agent)
    one = prompt.text(tuesday_at_ten, "+15551234567")
    other = prompt.text(tuesday_at_ten + timedelta(hours=5), "+15557654321", ["Note."])
    shared = os.path.commonprefix([one, other])
    assert "The coming days:" in shared
    assert len(shared) > 0.9 * len(one)
    tomorrow = os.path.commonprefix([one, prompt.text(tuesday_at_ten + timedelta(days=1))])
    assert len(tomorrow) > 0.7 * len(one)


def test_the_callers_number_and_what_was_done_are_told(
    agent: Agent, tuesday_at_ten: datetime
) -> None:
    text = Prompt(agent).text(tuesday_at_ten, "+15551234567", ["You have stored a message."])
    assert "The caller's number is +15551234567.\nYou have stored a message.\nIt is now" in text
    assert "caller's number is" not in Prompt(agent).text(tuesday_at_ten, "anonymous")


def test_a_bare_agent_knows_nothing_and_is_told_so() -> None:
    bare = Agent("Ava", Business("Acme"))
    text = system_prompt(bare, datetime(2026, 11, 17, 10, 0, tzinfo=UTC))
    assert "Opening hours: not known to you." in text
    assert "The coming days" not in text
    assert text.endswith("It is now 10:00 AM on Tuesday, November 17th 2026 (UTC).")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("en-GB", "Speak English only"),
        ("es", 'Speak the language with the code "es" only'),
        ("multi", "Speak the caller's language."),
    ],
)
def test_the_agents_language_is_spoken(agent: Agent, code: str, told: str) -> None:
    other = replace(agent, engines=replace(agent.engines, language=code))
    assert told in system_prompt(other, datetime(2026, 11, 17, tzinfo=UTC))
