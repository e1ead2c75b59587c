"""Is what was asked for all there? Answers of real calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.words.completeness import completeness, readiness_of
from services.call.words.phone_answers import Dialable, by_length
from services.call.words.readiness import Expectation, Readiness

EMAIL = [
    ("john", "open"),
    ("john dot smith", "open"),
    ("john dot smith at", "open"),
    ("john dot smith at gmail", "open"),
    ("john dot smith at gmail.", "open"),
    ("john dot smith at gmail dot", "open"),
    ("john dot smith at gmail dot com", "complete"),
    ("It's john dot smith at gmail dot com.", "complete"),
    ("john.smith@gmail.com", "complete"),
    ("john.smith@gmail", "open"),
    ("john.smith@gmail.", "open"),
    ("john.smith@", "open"),
    ("john.smith@example.co", "open"),
    ("john at example dot co", "open"),
    ("john at example dot co dot uk", "complete"),
    ("john at example dot co dot u", "open"),
    ("john at example dot org", "neutral"),
    ("anna at firma dot at", "complete"),
    ("j o h n", "open"),
    ("j o h n at", "open"),
    ("j underscore smith two two at yahoo dot com thanks", "complete"),
    ("john at gmail dot com and", "open"),
    ("Yes.", "open"),
    ("Sure, it's", "open"),
    ("my email is", "open"),
    ("I don't have one.", "complete"),
    ("I don't have an email.", "complete"),
    ("No.", "complete"),
    ("Why do you need that?", "complete"),
    ("let me think", "open"),
]
YES_NO = [
    ("yes", "complete"),
    ("Yeah.", "complete"),
    ("Yes, that's right.", "complete"),
    ("no", "complete"),
    ("No, thanks.", "complete"),
    ("okay", "complete"),
    ("that's wrong", "complete"),
    ("Mm-hmm.", "complete"),
    ("uh huh", "complete"),
    ("yes but", "open"),
    ("No, it's", "open"),
    ("No, it's five five", "open"),
    ("um", "open"),
    ("well", "open"),
    ("yes I think", "neutral"),
    ("I'm not sure", "neutral"),
    ("No, the number is 555", "open"),
]
NAME = [
    ("My name is", "open"),
    ("It's", "open"),
    ("Sure.", "open"),
    ("S M I", "open"),
    ("S-M-I-T-H.", "open"),
    ("Smith, S M I T H", "complete"),
    ("John Smith", "neutral"),
    ("John", "neutral"),
    ("My name is Will", "neutral"),
    ("John Smith and", "open"),
    ("I'd rather not say", "neutral"),
    ("Why?", "complete"),
    ("Who's asking?", "neutral"),
]
DATE = [
    ("Tuesday", "complete"),
    ("next Tuesday.", "complete"),
    ("tomorrow", "complete"),
    ("the fifth of March", "complete"),
    ("March 5th", "complete"),
    ("March five", "complete"),
    ("5/3", "complete"),
    ("in March", "open"),
    ("the fifth of", "open"),
    ("on", "open"),
    ("next", "open"),
    ("Tuesday or", "open"),
    ("between Tuesday", "open"),
    ("two weeks from now", "complete"),
    ("any day", "complete"),
    ("as soon as possible", "complete"),
    ("I don't mind", "complete"),
    ("whenever", "complete"),
    ("I don't know yet.", "complete"),
    ("the fifth", "neutral"),
    ("let me get my diary", "open"),
]
TIME = [
    ("ten thirty", "complete"),
    ("at 10:30", "complete"),
    ("3 pm", "complete"),
    ("at three o'clock", "complete"),
    ("half past ten", "complete"),
    ("noon", "complete"),
    ("in the morning", "complete"),
    ("between two and four", "complete"),
    ("at ten", "neutral"),
    ("10", "neutral"),
    ("half past", "open"),
    ("between two", "open"),
    ("between two and", "open"),
    ("at", "open"),
    ("in the", "open"),
    ("any time", "complete"),
]
WHEN = [
    ("Tuesday", "neutral"),
    ("Tuesday at", "open"),
    ("Tuesday at 10:30", "complete"),
    ("tomorrow morning", "complete"),
    ("at 3 pm", "neutral"),
    ("as soon as possible", "complete"),
    ("on the", "open"),
]
BIRTH_DATE = [
    ("March fifth", "open"),
    ("the fifth of March", "open"),
    ("March fifth nineteen", "open"),
    ("March fifth nineteen eighty four", "complete"),
    ("March 5th 1984", "complete"),
    ("3/5/1984", "complete"),
    ("nineteen", "open"),
    ("I'd rather not", "complete"),
]
NUMBER = [
    ("four", "complete"),
    ("four people", "complete"),
    ("twenty", "neutral"),
    ("twenty five", "complete"),
    ("it's", "open"),
    ("one hundred and", "open"),
    ("I don't know", "complete"),
]
ADDRESS = [
    ("12", "open"),
    ("twelve Main Street and", "open"),
    ("12 Main Street, Springfield 62701", "complete"),
    ("12 Main Street", "neutral"),
    ("yes", "open"),
]

CASES = [
    (kind, text, readiness)
    for kind, cases in (
        (Expectation.EMAIL, EMAIL),
        (Expectation.YES_NO, YES_NO),
        (Expectation.NAME, NAME),
        (Expectation.DATE, DATE),
        (Expectation.TIME, TIME),
        (Expectation.WHEN, WHEN),
        (Expectation.BIRTH_DATE, BIRTH_DATE),
        (Expectation.NUMBER, NUMBER),
        (Expectation.ADDRESS, ADDRESS),
    )
    for text, readiness in cases
]


@pytest.mark.parametrize(("kind", "text", "readiness"), CASES)
def test_answers(kind: Expectation, text: str, readiness: str) -> None:
    verdict = readiness_of(text, kind, "en")
    assert verdict.readiness.value == readiness, verdict.reason


@pytest.mark.parametrize(
    ("text", "digits", "readiness"),
    [
        ("12", 4, "open"),
        ("one two three", 4, "open"),
        ("one two three four", 4, "complete"),
        ("A B C", 0, "open"),
        ("one two three", 0, "open"),
        ("1234 5678", 0, "neutral"),
        ("SW1A 1AA", 0, "neutral"),
        ("I don't have it", 4, "neutral"),
        ("Yes.", 4, "open"),
        ("double", 4, "open"),
    ],
)
def test_codes(text: str, digits: int, readiness: str) -> None:
    verdict = readiness_of(text, Expectation.CODE, "en", digits=digits)
    assert verdict.readiness.value == readiness, verdict.reason


@pytest.mark.parametrize(
    ("language", "kind", "text", "readiness"),
    [
        ("de", Expectation.EMAIL, "anna punkt meier at gmx", "open"),
        ("de", Expectation.EMAIL, "anna punkt meier at gmx punkt de", "complete"),
        ("de", Expectation.DATE, "am Dienstag", "complete"),
        ("de", Expectation.DATE, "am", "open"),
        ("de", Expectation.TIME, "um zehn Uhr", "complete"),
        ("de", Expectation.YES_NO, "ja, genau", "complete"),
        ("de", Expectation.PHONE, "Warum brauchen Sie die?", "complete"),
        ("es", Expectation.EMAIL, "ana arroba gmail", "open"),
        ("es", Expectation.EMAIL, "ana arroba gmail punto com", "complete"),
        ("es", Expectation.DATE, "el martes", "complete"),
        ("es", Expectation.YES_NO, "sí, correcto", "complete"),
        ("es", Expectation.PHONE, "no lo sé", "complete"),
        ("fr", Expectation.EMAIL, "anne arobase orange point", "open"),
        ("fr", Expectation.EMAIL, "anne arobase orange point fr", "complete"),
        ("fr", Expectation.DATE, "mardi", "complete"),
        ("fr", Expectation.TIME, "à dix heures", "complete"),
        ("fr", Expectation.YES_NO, "non merci", "complete"),
        ("fr", Expectation.PHONE, "je ne sais pas", "complete"),
        ("it", Expectation.YES_NO, "sì", "neutral"),
    ],
)
def test_other_languages(language: str, kind: Expectation, text: str, readiness: str) -> None:
    verdict = readiness_of(text, kind, language, language.upper())
    assert verdict.readiness.value == readiness, verdict.reason


@pytest.mark.parametrize("kind", [Expectation.NONE, Expectation.FREE])
def test_without_anything_to_check_the_shape_decides(kind: Expectation) -> None:
    assert completeness(kind, "yes", "en").readiness is Readiness.NEUTRAL
    assert readiness_of("yes", kind, "en").readiness is Readiness.COMPLETE
    assert readiness_of("I want to", kind, "en").readiness is Readiness.OPEN


@given(st.text(max_size=80), st.sampled_from(Expectation), st.sampled_from(["en", "de", "xx"]))
def test_any_answer_gets_a_verdict_with_a_reason(
    text: str, kind: Expectation, language: str
) -> None:
    assert readiness_of(text, kind, language).reason


SPOKEN = "john dot smith at example dot com".split()  # noqa: SIM905


@given(st.integers(1, len(SPOKEN) - 1), st.sampled_from(["", ".", ",", "...", " um", " uh"]))
def test_an_address_in_groups_is_never_cut(said: int, tail: str) -> None:
    assert readiness_of(" ".join(SPOKEN[:said]) + tail, Expectation.EMAIL, "en").is_open


EVASIONS = [
    "I don't know.",
    "I don't have one.",
    "Why do you need that?",
    "What do you mean?",
    "Sorry, what?",
    "I'd rather not.",
    "Can you repeat the question?",
    "Can I speak to a person?",
    "Never mind.",
    "No.",
    "No, thank you.",
    "Goodbye.",
    "How much does it cost?",
]


@pytest.mark.parametrize("kind", Expectation)
@pytest.mark.parametrize("text", EVASIONS)
def test_what_is_said_instead_of_an_answer_is_not_waited_on(kind: Expectation, text: str) -> None:
    assert not readiness_of(text, kind, "en").is_open


def test_without_a_numbering_plan_no_number_is_sure() -> None:
    assert by_length("555012", "US") is Dialable.SHORT
    assert by_length("5550123456", "US") is Dialable.POSSIBLE
    assert by_length("5" * 16, "US") is Dialable.LONG


def test_long_turns_are_judged_in_no_time() -> None:
    for kind in Expectation:
        for text in ("five " * 2000, "no 5 5 " * 1000, "at dot " * 1000, "a b c " * 1000):
            assert readiness_of(text, kind, "en").reason
