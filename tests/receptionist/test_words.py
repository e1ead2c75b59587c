"""Words, numbers and names as callers say them and small recognisers write them."""

from __future__ import annotations

import pytest

from services.receptionist.numbers import Fit, fit, is_reachable, read_aloud, spoken_digits
from services.receptionist.understanding.names import answered_name, introduced_name
from services.receptionist.understanding.words import content, correct, normalise, yes_or_no


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Um, what's your ADDRESS?!", "what is your address"),
        ("to-morrow at 9:30 a.m.", "tomorrow at 9:30 am"),
        ("at 5pm", "at 5 pm"),
        ("I'd like, uh, an e-mail", "i would like an email"),
        ("So... I can't; don't", "i can not do not"),
        ("What are your ours?", "what are your hours"),
        ("Uh-huh.", "yes"),
        ("Nuh uh", "no"),
        ("OK, by-bye", "okay goodbye"),
        ("Doctor Lee", "dr lee"),
        ("♪♪ …", ""),
    ],
)
def test_one_spelling_for_each_thing(said: str, words: str) -> None:
    assert normalise(said) == words


def test_misheard_words_are_put_right() -> None:
    vocabulary = {"address", "tuesday", "whitening", "message"}
    assert (
        correct("your adress on tusday whitning", vocabulary) == "your address on tuesday whitening"
    )
    assert correct("massages", vocabulary) == "massages"
    assert correct("red", vocabulary) == "red"


def test_content_words() -> None:
    assert content("do you take walk ins") == ("walk", "ins")
    assert content("what is it") == ("what", "is", "it")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Yes.", True),
        ("yeah, sure", True),
        ("that's right", True),
        ("Mm-hmm", True),
        ("no problem", True),
        ("No.", False),
        ("nope, it's wrong", False),
        ("it is not", False),
        ("that's wrong", False),
        ("I don't think so", False),
        ("I'd rather not", False),
        ("It is.", True),
        ("it's urgent", None),
        ("I would like to know", None),
        ("Bob", None),
        ("", None),
        ("north", None),
    ],
)
def test_yes_and_no(said: str, answer: bool | None) -> None:
    assert yes_or_no(normalise(said)) is answer


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("five five five, eight six seven, five three oh nine", "5558675309"),
        ("It's 555-867-5309.", "5558675309"),
        ("(555) 867 5309", "5558675309"),
        ("double five triple two", "55222"),
        ("five fifty five eight hundred", "555800"),
        ("nineteen eighty four twenty", "19" + "84" + "20"),
        ("my number is four to five", "425"),
        ("to five five", "255"),
        ("five for", "54"),
        ("for you and for me", ""),
        ("call me at 5 5 5 1 2 3 4 for the 2 of us", "5551234"),
        ("area code five five five then one two", "55512"),
        ("no digits", ""),
        ("", ""),
    ],
)
def test_digits(said: str, digits: str) -> None:
    assert spoken_digits(said) == digits


@pytest.mark.parametrize(
    ("digits", "country", "expected"),
    [
        ("5558675309", "US", Fit.COMPLETE),
        ("8675309", "US", Fit.COMPLETE),
        ("15558675309", "US", Fit.COMPLETE),
        ("555867530", "US", Fit.SHORT),
        ("555", "US", Fit.SHORT),
        ("0", "US", Fit.SHORT),
        ("55586753091234567", "US", Fit.LONG),
        ("+442079460000", "US", Fit.COMPLETE),
        ("02079460000", "GB", Fit.COMPLETE),
    ],
)
def test_whether_digits_are_a_number(digits: str, country: str, expected: Fit) -> None:
    assert fit(digits, country) is expected


@pytest.mark.parametrize(
    "caller", ["", "anonymous", "Restricted", "+266696687", "client:me", "911"]
)
def test_callers_who_cannot_be_called_back(caller: str) -> None:
    assert not is_reachable(caller, "US")


@pytest.mark.parametrize(
    ("number", "country", "spoken"),
    [
        ("(555) 867-5309", "US", "5 5 5, 8 6 7, 5 3 0 9"),
        ("+15558675309", "US", "5 5 5, 8 6 7, 5 3 0 9"),
        ("8675309", "US", "8 6 7, 5 3 0 9"),
        ("+442079460000", "US", "plus 4 4, 2 0, 7 9 4 6, 0 0 0 0"),
        ("12", "US", "1 2"),
        ("1", "US", "1"),
    ],
)
def test_numbers_are_read_digit_by_digit(number: str, country: str, spoken: str) -> None:
    assert read_aloud(number, country) == spoken


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Bob Smith.", "Bob Smith"),
        ("um, it's bob", "Bob"),
        ("Yeah, my name is Anna McDonald, thanks", "Anna McDonald"),
        ("This is Bob from Acme calling", "Bob from Acme"),
        ("B-O-B", "Bob"),
        ("b o b.", "Bob"),
        ("John, J-O-H-N", "John"),
        ("Dr. Lee", "Dr Lee"),
        ("My name is Bob and my number is 555 1234", "Bob"),
        ("José Núñez", "José Núñez"),
        ("My name's Smith, Tom Smith", "Tom Smith"),
        ("next Tuesday at ten", ""),
        ("why do you need that", ""),
        ("I want to tell her that I'm late", ""),
        ("yes", ""),
        ("555 1234", ""),
        ("", ""),
    ],
)
def test_names(said: str, name: str) -> None:
    assert answered_name(said) == name


def test_a_name_in_passing() -> None:
    assert introduced_name("Hi, this is Bob Lee, please call me") == "Bob Lee"
    assert introduced_name("it's about my bill") == ""
    assert introduced_name("this is urgent because it hurts so much") == ""
