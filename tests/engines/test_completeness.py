"""Digits against the numbering plans of the world."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.words.completeness import readiness_of
from services.call.words.phone_answers import Dialable
from services.call.words.readiness import Expectation, Readiness
from services.engines.completeness import is_dialable


@pytest.mark.parametrize(
    ("digits", "region", "verdict"),
    [
        ("", "US", "short"),
        ("555", "US", "short"),
        ("5550123", "US", "short"),  # the area code is missing
        ("555012345", "US", "short"),
        ("5550123456", "US", "whole"),
        ("1555012345", "US", "short"),
        ("15550123456", "US", "whole"),
        ("55501234567", "US", "long"),
        ("+44", "US", "short"),
        ("+4420794609", "US", "short"),
        ("+442079460958", "US", "whole"),
        ("02079460", "GB", "short"),
        ("0207946095", "GB", "short"),
        ("02079460958", "GB", "whole"),
        ("07700900", "GB", "short"),
        ("07700900123", "GB", "whole"),
        ("0612345", "FR", "short"),
        ("061234567", "FR", "short"),
        ("0612345678", "FR", "whole"),
        ("61234567", "ES", "short"),
        ("612345678", "ES", "whole"),
        ("0151234", "DE", "short"),
        ("030123", "DE", "short"),
        ("03012345678", "DE", "possible"),
        ("22334455", "NO", "whole"),
        ("5550123456", "XX", "long"),
        ("1" * 60, "US", "long"),
    ],
)
def test_what_digits_are_as_a_number(digits: str, region: str, verdict: str) -> None:
    assert is_dialable(digits, region) is Dialable(verdict)


NUMBERS = [
    ("US", "en", "5550123456"),
    ("US", "en", "15550123456"),
    ("US", "en", "+442079460958"),
    ("GB", "en", "02079460958"),
    ("GB", "en", "07700900123"),
    ("FR", "fr", "0612345678"),
    ("ES", "es", "612345678"),
    ("DE", "de", "015123456789"),
]


@given(st.sampled_from(NUMBERS), st.data())
def test_a_number_in_groups_is_never_cut_however_it_is_split(
    number: tuple[str, str, str], data: st.DataObject
) -> None:
    """Each beginning of a number is open, whatever the recogniser puts between its groups."""
    region, language, digits = number
    cuts = sorted(data.draw(st.sets(st.integers(2, len(digits) - 1), max_size=4)))
    groups = [
        digits[start:end] for start, end in zip([0, *cuts], [*cuts, len(digits)], strict=True)
    ]
    joint = data.draw(st.sampled_from([" ", ", ", ". ", "-"]))
    for place in range(1, len(groups)):
        said = joint.join(groups[:place]) + data.draw(st.sampled_from(["", ".", ","]))
        if not said.strip("+., "):
            continue
        verdict = readiness_of(said, Expectation.PHONE, language, region, is_dialable)
        assert verdict.readiness is Readiness.OPEN, said
    whole = readiness_of(joint.join(groups), Expectation.PHONE, language, region, is_dialable)
    assert whole.readiness is not Readiness.OPEN


@pytest.mark.parametrize(
    ("text", "readiness"),
    [
        ("five five five", "open"),
        ("five five five, zero one two", "open"),
        ("five five five oh one two three four five", "open"),
        ("five five five oh one two three four five six", "complete"),
        ("Sure, it's 555-012-3456.", "complete"),
        ("it's (555) 012-3456", "complete"),
        ("triple five oh one two three four five six", "complete"),
        ("triple five oh one two three four five double", "open"),
        ("five double five zero twelve thirty four fifty six", "complete"),
        ("eight hundred five five five one two three four", "complete"),
        ("five five five, um, zero one two, three four five six", "complete"),
        ("555 dash 012 dash 3456", "complete"),
        ("area code five five five", "open"),
        ("Area code 555 then 012 3456 thank you", "complete"),
        ("five five five zero one to three four five six", "complete"),
        ("plus four four two oh seven nine four six oh nine five eight", "complete"),
        ("plus four four twenty seven nine", "open"),
        ("555 013 no wait", "open"),
        ("555 013 3456 no sorry 555 012 3456", "complete"),
        ("555 013 3456 sorry 012 3456", "neutral"),
        ("555 012 3456 extension", "open"),
        ("555 012 3456 and", "open"),
        ("555 012 3456 extension 12", "complete"),
        ("Yes.", "open"),
        ("Sure.", "open"),
        ("Of course, it's", "open"),
        ("Just a second.", "open"),
        ("555 hang on", "open"),
        ("I don't have one.", "complete"),
        ("I don't know", "complete"),
        ("No.", "complete"),
        ("Why do you need it?", "complete"),
        ("The same number I'm calling from.", "complete"),
        ("this number", "complete"),
        ("You already have it.", "complete"),
        ("Can I give you my email instead?", "complete"),
        ("555 and I don't remember the rest", "neutral"),
        ("Sorry?", "complete"),
        ("um", "open"),
        ("", "neutral"),
    ],
)
def test_answers_to_what_number_we_can_call(text: str, readiness: str) -> None:
    verdict = readiness_of(text, Expectation.PHONE, "en", "US", is_dialable)
    assert verdict.readiness.value == readiness, verdict.reason


def test_digits_of_earlier_turns_count() -> None:
    def judged(text: str) -> Readiness:
        expected = Expectation.PHONE
        return readiness_of(text, expected, "en", "US", is_dialable, before="555").readiness

    assert judged("012") is Readiness.OPEN
    assert judged("012 3456") is Readiness.COMPLETE
    assert judged("555 012 3456") is Readiness.COMPLETE


@pytest.mark.parametrize(
    ("language", "region", "text", "readiness"),
    [
        ("de", "DE", "null eins fünf eins", "open"),
        ("de", "DE", "null eins fünf eins dreiundzwanzig fünfundvierzig", "open"),
        ("es", "ES", "seis doce treinta y cuatro", "open"),
        ("es", "ES", "seis doce treinta y cuatro cincuenta y seis setenta y ocho", "complete"),
        ("fr", "FR", "zéro six douze trente quatre", "open"),
        ("fr", "FR", "zéro six douze trente-quatre cinquante-six soixante-dix-huit", "complete"),
        ("fr", "FR", "06 12 34 56 quatre-vingt-dix-sept", "complete"),
    ],
)
def test_numbers_of_other_languages(language: str, region: str, text: str, readiness: str) -> None:
    verdict = readiness_of(text, Expectation.PHONE, language, region, is_dialable)
    assert verdict.readiness.value == readiness, verdict.reason
