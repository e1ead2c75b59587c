"""English numbers as a voice should say them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tts.numbers import numbers_in_words

SAID = {
    # money
    "$85": "eighty-five dollars",
    "$1.00, $0.50": "one dollar, fifty cents",
    "It is $1,200.50.": "It is one thousand two hundred dollars and fifty cents.",
    "-$5 or US$50": "minus five dollars or fifty dollars",
    "£15.99": "fifteen pounds and ninety-nine pence",
    "20 €": "twenty euros",
    "$2.5 million, $10k": "two point five million dollars, ten thousand dollars",
    "$20/hour": "twenty dollars per hour",
    # times
    "10:30 AM": "ten thirty A M",
    "at 5 p.m. Then we close": "at five P M. Then we close",
    "at 5 p.m. Monday": "at five P M Monday",
    "5 p.m.": "five P M.",
    "5pm sharp": "five P M sharp",
    "8:00, 17:30, 14:05, 17:00": "eight o'clock, seventeen thirty, fourteen oh five, "
    "seventeen hundred",
    "9-5 pm": "nine to five P M",
    "8:30–12:15": "eight thirty to twelve fifteen",
    # dates and years
    "11/24/2026": "November twenty-fourth, twenty twenty-six",
    "2026-11-24": "November twenty-fourth, twenty twenty-six",
    "November 24": "November twenty-fourth",
    "Nov 24th, 2026": "November twenty-fourth, twenty twenty-six",
    "November 24-26": "November twenty-fourth to twenty-sixth",
    "the 3rd of May": "the third of May",
    "24 November 2026": "the twenty-fourth of November, twenty twenty-six",
    "November 2026": "November twenty twenty-six",
    "in 2026, since 1998": "in twenty twenty-six, since nineteen ninety-eight",
    "2019-2026": "twenty nineteen to twenty twenty-six",
    "the 1980s": "the nineteen eighties",
    # the rest
    "3rd, 21st, 112th": "third, twenty-first, one hundred twelfth",
    "50%, 2.5%": "fifty percent, two point five percent",
    "98.6°F, -5 °C": "ninety-eight point six degrees Fahrenheit, minus five degrees Celsius",
    "1,250 of 1,000,000": "one thousand two hundred fifty of one million",
    "120 Market Street, 4B": "one hundred twenty Market Street, four B",
    "3-5 days": "three to five days",
    "1/2": "one half",
    "1, 2, 3": "one, two, three",
    "20+ years": "twenty plus years",
    # one by one
    "5 5 5, 8 6 7, 5 3 0 9": "5 5 5, 8 6 7, 5 3 0 9",
    "plus 1, 4 1 5": "plus 1, 4 1 5",
    "your PIN is 4711": "your PIN is 4 7 1 1",
    "CA 94103": "CA 9 4 1 0 3",
    "007": "0 0 7",
    "1234 5678 9012": "1 2 3 4, 5 6 7 8, 9 0 1 2",
}


@pytest.mark.parametrize("text", SAID)
def test_numbers_are_words(text: str) -> None:
    assert numbers_in_words(text) == SAID[text]


@pytest.mark.parametrize(
    ("region", "said"),
    [("US", "March fourth, twenty twenty-six"), ("GB", "April third, twenty twenty-six")],
)
def test_whether_the_month_comes_first_is_a_matter_of_the_region(region: str, said: str) -> None:
    assert numbers_in_words("3/4/2026", region) == said


@given(st.one_of(st.text(), st.text("0123456789 .,:/-–$€%°+apmthsdNov", max_size=60)))
def test_no_text_breaks_it_and_no_digits_stay_together(text: str) -> None:
    assert not re.search("[0-9]{2}", numbers_in_words(text))
