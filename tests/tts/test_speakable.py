"""What is said for what is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tts.speakable import speakable

SAID = {
    # telephone numbers
    "Call (555) 867-5309.": "Call 5 5 5, 8 6 7, 5 3 0 9.",
    "4155550132": "4 1 5, 5 5 5, 0 1 3 2",
    "867-5309": "8 6 7, 5 3 0 9",
    "+1 415 555 0132": "plus 1, 4 1 5, 5 5 5, 0 1 3 2",
    "+442079460958": "plus 4 4, 2 0, 7 9 4 6, 0 9 5 8",
    "415.555.0132 ext. 12": "4 1 5, 5 5 5, 0 1 3 2, extension 1 2",
    # references
    "It is #A7-312.": "It is A, 7, 3 1 2.",
    "order #4471": "order number 4 4 7 1",
    "room #7": "room number seven",
    "COVID-19": "COVID-nineteen",
    # addresses
    "www.acme.com": "w w w dot acme dot com",
    "see https://acme.com/hours/": "see acme dot com slash hours",
    "acme.com.": "acme dot com.",
    "bob.smith@example.com": "bob dot smith at example dot com",
    # abbreviations
    "Jan. 5th": "January fifth",
    "12 Oak Street, Apt. 4B": "twelve Oak Street, Apartment four B",
    "No. 5, ext. 12": "number five, extension twelve",
    "Is it? No. We are closed.": "Is it? No. We are closed.",
    "24/7": "twenty-four seven",
    "Mon-Fri, Sat. 9 to 1": "Monday to Friday, Saturday nine to one",
    "9am–5pm": "nine A M to five P M",
    "10 a.m. - 2 p.m.": "ten A M to two P M.",
    "$90-$120": "ninety dollars to one hundred twenty dollars",
    # the keys of a telephone
    "Press * or #.": "Press star or pound.",
    # what is for the eye only
    "**Yes**, _really_ `now`": "Yes, really now",
    "# Prices\n- cleaning\n- checkup": "Prices. cleaning. checkup",
    "[our site](https://acme.com)": "our site",
    "Great 👍🏽, see you 🙂!": "Great, see you!",
    "a <b>bold</b> claim": "a bold claim",
    "snake_case": "snake case",
    "two\n\nlines": "two. lines",
    "👍": "",
    " ... ": "",
    "": "",
}
UNTOUCHED = [
    "Dr. Nguyen and Siobhán know your PIN.",
    "4 7 1 2",
    "naïve, isn’t it?",
]
NUMBERS = [
    "We're open from 9:30am, or 14:05.",
    "It costs $1,249.99, or 50% less.",
    "3-5 days",
    "75°F — naïve",
    "2026-11-21 10:30",
]


@pytest.mark.parametrize("text", SAID)
def test_what_is_said(text: str) -> None:
    assert speakable(text) == SAID[text]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_the_voice_can_say_itself_stays(text: str) -> None:
    assert speakable(text) == text


def test_numbers_without_a_country_are_of_the_region() -> None:
    assert speakable("02079460958", region="GB") == "0 2 0, 7 9 4 6, 0 9 5 8"


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("language", ["de", "es-MX"])
def test_numbers_are_left_to_the_voice_in_other_languages(text: str, language: str) -> None:
    assert speakable(text, language=language) == text


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("language", ["en", "en-GB"])
def test_numbers_are_words_in_english(text: str, language: str) -> None:
    assert not re.search(r"\d", speakable(text, language=language))


@pytest.mark.parametrize("region", ["DE", "AT", "GB", "US"])
@pytest.mark.parametrize(
    "text",
    [
        "It is $125, from 8:30 to 12:15, or $90.",
        "4711 2026",
        "from 2019 - 2026",
        "24.11.2026, 11/24/2026, 2026-11-24 10:30",
        "€1200 or €1300, 120 rooms, 98 beds",
    ],
)
def test_prices_times_and_dates_are_no_phone_numbers(text: str, region: str) -> None:
    assert speakable(text, region, language="de") == text
    assert not re.search(r"\d", speakable(text, region))


@pytest.mark.parametrize(
    ("region", "text", "said"),
    [
        ("DE", "030 1234567", "0 3 0, 1 2 3 4 5 6 7"),
        ("AT", "+43 1 234567", "plus 4 3, 1, 2 3 4 5 6 7"),
        ("GB", "020 7946 0958", "0 2 0, 7 9 4 6, 0 9 5 8"),
        ("US", "(415) 555-0132", "4 1 5, 5 5 5, 0 1 3 2"),
    ],
)
def test_phone_numbers_beside_prices_are_still_spelled(region: str, text: str, said: str) -> None:
    assert speakable(f"Call {text}, it is $85.", region) == (
        f"Call {said}, it is eighty-five dollars."
    )


@given(st.one_of(st.text(), st.text("*_`#[]()<>~-.\n 0123456789aAb@/+&:", max_size=80)))
def test_no_text_breaks_it_or_leaves_marks_in_it(text: str) -> None:
    said = speakable(text)
    assert not re.search(r"[*_`#\[\]<>~|\\\n]", said)
    assert said == said.strip()
    assert "  " not in said
    assert not said or any(character.isalnum() for character in said)


@given(st.lists(st.sampled_from([*SAID, *UNTOUCHED]), max_size=4))
def test_sentences_do_not_disturb_each_other_so_far_as_to_break(texts: list[str]) -> None:
    assert not re.search(r"[*_`#]", speakable(" ".join(texts)))
