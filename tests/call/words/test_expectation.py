"""What the agent's own words ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.words.expectation import expected_digits, guess_expectation


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("What number can we reach you on?", "phone"),
        ("What's the best number to reach you?", "phone"),
        ("What number should we call?", "phone"),
        ("Could I have your phone number, please?", "phone"),
        ("How can we reach you?", "phone"),
        ("Please tell me your phone number.", "phone"),
        ("I have 5 5 5 so far. What's the rest of the number?", "phone"),
        ("Sorry, I didn't get the number. Could you say it again?", "phone"),
        ("May I have your name?", "name"),
        ("What's your name, please?", "name"),
        ("Thanks. And your name?", "name"),
        ("Who am I speaking with?", "name"),
        ("Can you give me your full name?", "name"),
        ("What's your email address?", "email"),
        ("And what email should I send it to?", "email"),
        ("Is that right?", "yes_no"),
        ("I have 555 012 3456. Is that right?", "yes_no"),
        ("Your name is John Smith, correct?", "yes_no"),
        ("Is the number you're calling from the best one to reach you?", "yes_no"),
        ("Would you like me to take a message?", "yes_no"),
        ("Can I help you with anything else?", "yes_no"),
        ("Do you have an appointment?", "yes_no"),
        ("Does that work for you?", "yes_no"),
        ("What day suits you?", "date"),
        ("Which day would you like to come in?", "date"),
        ("Would you prefer Tuesday or Wednesday?", "date"),
        ("What time works best?", "time"),
        ("Morning or afternoon?", "time"),
        ("What day and time would suit you?", "when"),
        ("When would you like to come in?", "when"),
        ("What's your date of birth?", "birth_date"),
        ("How many people?", "number"),
        ("What's your account number?", "code"),
        ("Could you spell that for me?", "code"),
        ("What's your zip code?", "code"),
        ("What are the last four digits of your card?", "code"),
        ("What's your address?", "address"),
        ("What's the message?", "free"),
        ("How can I help you?", "free"),
        ("What seems to be the problem?", "free"),
        ("We are open until five.", "none"),
        ("Thank you for calling. Goodbye.", "none"),
        ("What's your name? I'll put it in the book.", "name"),
        ("", "none"),
    ],
)
def test_what_is_asked_for(text: str, kind: str) -> None:
    assert guess_expectation(text, "en").value == kind


@pytest.mark.parametrize(
    ("language", "text", "kind"),
    [
        ("de", "Wie lautet Ihre Telefonnummer?", "phone"),
        ("de", "Wie ist Ihr Name?", "name"),
        ("de", "Ist das richtig?", "yes_no"),
        ("de", "An welchem Tag passt es Ihnen?", "date"),
        ("de", "Wie ist Ihre E-Mail-Adresse?", "email"),
        ("es", "¿Cuál es su número de teléfono?", "phone"),
        ("es", "¿Cómo se llama?", "name"),
        ("es", "¿Es correcto?", "yes_no"),
        ("es", "¿Qué día le viene bien?", "date"),
        ("fr", "Quel est votre numéro de téléphone ?", "phone"),
        ("fr", "Quel est votre nom ?", "name"),
        ("fr", "C'est bien ça ?", "yes_no"),
        ("fr", "À quelle heure ?", "time"),
        ("fr", "Quelle est l'adresse e-mail ?", "email"),
        ("it", "Qual è il suo nome?", "free"),
    ],
)
def test_other_languages(language: str, text: str, kind: str) -> None:
    assert guess_expectation(text, language).value == kind


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("What's your six-digit PIN?", 6),
        ("The last four digits, please?", 4),
        ("Enter the 8 digit code.", 8),
        ("What's your account number?", 0),
    ],
)
def test_how_many_digits_are_asked_for(text: str, digits: int) -> None:
    assert expected_digits(text, "en") == digits


@given(st.text(max_size=200), st.sampled_from(["en", "de", "es", "fr", "xx"]))
def test_any_words_of_an_agent_are_judged(text: str, language: str) -> None:
    assert guess_expectation(text, language).value
    assert expected_digits(text, language) >= 0
