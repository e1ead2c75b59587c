"""The agent's own voice on the line, and callers who only sound like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.words.echo import is_echo

AGENT = (
    "We are open from 8 AM to 5 PM on weekdays. I can offer you an appointment with Doctor Rivera "
    "next week. Your number is 555-012-3456, and I will send you a confirmation by text message."
)
CHOICE = "I have Tuesday at three in the afternoon or Wednesday at ten in the morning. Which one?"


@pytest.mark.parametrize(
    "text",
    [
        "I can offer you an appointment",
        "offer you an appointment with Doctor Rivera next week",
        "can offer you an apointment with doctor riviera",
        "Your number is five five five zero one two three four five six.",
        "we are open from eight am to five pm",
        "and I will send you a confirmation",
        "a confirmation by text message",
        "send you a confirmation my text message",
        "I can offer an appointment with Doctor",
    ],
)
def test_what_repeats_the_agent_is_an_echo(text: str) -> None:
    assert is_echo(text, AGENT)


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday?",
        "Doctor Rivera?",
        "next week",
        "With Doctor Rivera?",
        "an appointment next week would be fine",
        "no I want an appointment with Doctor Brown today",
        "is it open on weekends",
        "stop",
        "I need to cancel my appointment",
        "no that is not my number",
        "yes next week",
        "5 PM on weekdays",
        "five five five",
        "my number is 555 013 9999",
        "week next appointment an offer",
        "",
    ],
)
def test_what_a_caller_says_of_it_is_not(text: str) -> None:
    assert not is_echo(text, AGENT)


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday at three",
        "Tuesday at three in the afternoon",
        "Wednesday at ten in the morning please",
        "Wednesday at ten",
        "in the afternoon",
        "Which one?",
    ],
)
def test_one_of_the_things_offered_is_an_answer(text: str) -> None:
    assert not is_echo(text, CHOICE)


def test_both_things_offered_are_an_echo() -> None:
    assert is_echo("three in the afternoon or Wednesday at ten", CHOICE)


@pytest.mark.parametrize(
    ("language", "caller", "agent", "echo"),
    [
        (
            "de",
            "haben von acht bis siebzehn Uhr geöffnet",
            "Wir haben von 8 bis 17 Uhr geöffnet.",
            1,
        ),
        ("de", "am Dienstag", "Passt es Ihnen am Dienstag um drei?", 0),
        ("es", "abrimos de lunes a viernes", "Abrimos de lunes a viernes, de ocho a tres.", 1),
        ("fr", "nous sommes ouverts du lundi", "Nous sommes ouverts du lundi au vendredi.", 1),
    ],
)
def test_other_languages(language: str, caller: str, agent: str, echo: int) -> None:
    assert is_echo(caller, agent, language) is bool(echo)


WORDS = [word for word in AGENT.split() if "555" not in word]


@given(st.integers(0, len(WORDS) - 7), st.integers(7, 14), st.integers(0, 6))
def test_any_stretch_of_the_agents_words_is_an_echo_even_with_one_word_lost(
    start: int, size: int, lost: int
) -> None:
    stretch = WORDS[start : start + size]
    agent = " ".join(WORDS)
    assert is_echo(" ".join(stretch), agent)
    del stretch[lost]
    assert is_echo(" ".join(stretch), agent)


@given(st.lists(st.sampled_from(WORDS), max_size=2))
def test_a_word_or_two_never_are(words: list[str]) -> None:
    text = " ".join(word for word in words if not any(letter.isdigit() for letter in word))
    assert not is_echo(text, AGENT)


def test_of_a_long_monologue_the_end_is_compared() -> None:
    said = [f"{a}{b}word" for a in "abcdefghijklmnopqrst" for b in "abcdefghijklmnopqrst"]
    assert is_echo(" ".join(said[-50:]), " ".join(said))
    assert not is_echo(" ".join(said[:50]), " ".join(said))


@given(st.text(max_size=60), st.text(max_size=200))
def test_any_texts_are_compared(caller: str, agent: str) -> None:
    assert is_echo(caller, agent) in (True, False)
