"""The shape of transcripts: phrases of real calls, as recognisers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.words.lexicons import lexicon_of
from services.call.words.readiness import Readiness
from services.call.words.shape import shape_of

OPEN = [
    "I'd like to",
    "I'd like to.",
    "I want to book an appointment for",
    "My name is",
    "my name is.",
    "Can I come in on",
    "and then the",
    "I was wondering if",
    "it's because",
    "I need",
    "Hi, I need",
    "Yes, I would like",
    "So I was calling about",
    "Is it possible to",
    "I'm looking for a dentist who can see my",
    "Could you",
    "Do you",
    "um",
    "Um...",
    "uh",
    "Tuesday, um",
    "So,",
    "well",
    "I think it was, let me see",
    "It's, you know",
    "yes but",
    "Yes, and",
    "On Tuesday,",
    "On Tuesday -",
    "I wanted to ask…",
    "half past",
    "quarter to",
    "My number is five five five",
    "My number is 555",
    "It's zero one",
    "it's zero one.",
    "Five five five.",
    "5 5 5",
    "555-0123",
    "555, 012,",
    "555",
    "call me on 07",
    "you can reach me at 555 01",
    "plus four four",
    "double",
    "five five double",
    "john dot smith at",
    "John.smith at",
    "john@gmail.",
    "s m i",
    "S-M-I",
    "No wait, I mean",
    "on Tuesday no wait",
    "it's five five six sorry",
    "It's at three, or rather",
    "Just a second.",
    "Let me check.",
    "hang on",
    "Mr.",
    "I want to speak to Dr.",
    "I'm calling about the",
    "Is that the one with the",
    "a couple of",
    "what time is",
    "My email is",
    "The thing is",
    "Okay so",
    "I want to make sure that",
    "let's say",
    "C as in Charlie, O",
]

NOT_OPEN = [
    "What is it for?",
    "what is it for",
    "Who am I talking to?",
    "where are you at",
    "Can you tell me what it is?",
    "I don't know where it is",
    "I think so",
    "I hope so.",
    "hold on to it",
    "Can I come in?",
    "I'd love to.",
    "You can call me later on",
    "go on",
    "The fifth of May",
    "at 10 am",
    "At 8 a.m.",
    "on the second",
    "I need a second opinion",
    "It takes a minute",
    "do you have a minute",
    "as well",
    "Did you know",
    "party of four",
    "at five",
    "it's three",
    "It's $50.",
    "at 5:30",
    "nineteen eighty four",
    "two to four",
    "nine to five",
    "I can't wait",
    "that's the one",
    "I don't have one",
    "My name is Will",
    "That's what I was thinking of",
    "five five five zero one two three four five six",
    "(555) 012-3456",
    "what do you need it for",
    "who's next",
    "I don't think I can make it",
    "my address is 12 Main Street",
    "is the doctor in",
    "table for two",
    "it's for my son",
]

COMPLETE = [
    "I'd like to book an appointment.",
    "What are your opening hours?",
    "What is it for?",
    "Can I come in on Tuesday?",
    "yes",
    "Yes.",
    "No.",
    "nope",
    "Yeah, sure.",
    "yes please",
    "No, thank you.",
    "That's right.",
    "Yes, that's correct.",
    "of course",
    "yes it is",
    "Yes I do.",
    "not really",
    "I don't think so",
    "Goodbye.",
    "thanks bye",
    "Okay, thank you very much, bye.",
    "that's all, thanks",
    "No, that's all.",
    "Thank you so much, have a nice day!",
    "I don't know.",
    "Maybe.",
    "Do you take walk-ins?",
    "It hurts when I bite on it.",
]

NOT_COMPLETE = [
    "Hello?",
    "hi",
    "Okay.",
    "Right.",
    "book an appointment",
    "Tuesday.",
    "I'd like to book an appointment",
    "John Smith",
    "",
    "...",
    "[BLANK_AUDIO]",
]


@pytest.mark.parametrize("text", OPEN)
def test_what_trails_off_is_open(text: str) -> None:
    assert shape_of(text, "en").readiness is Readiness.OPEN


@pytest.mark.parametrize("text", NOT_OPEN)
def test_what_only_looks_unfinished_is_not_open(text: str) -> None:
    assert shape_of(text, "en").readiness is not Readiness.OPEN


@pytest.mark.parametrize("text", COMPLETE)
def test_whole_answers_and_sentences_are_complete(text: str) -> None:
    assert shape_of(text, "en").readiness is Readiness.COMPLETE


@pytest.mark.parametrize("text", NOT_COMPLETE)
def test_what_does_not_tell_is_not_complete(text: str) -> None:
    assert shape_of(text, "en").readiness is Readiness.NEUTRAL


@pytest.mark.parametrize(
    ("language", "text", "readiness"),
    [
        ("de", "Ich hätte gerne einen", "open"),
        ("de", "Mein Name ist", "open"),
        ("de", "Meine Nummer ist null eins sieben", "open"),
        ("de", "ähm", "open"),
        ("de", "Einen Moment bitte.", "open"),
        ("de", "Ich möchte einen Termin am Dienstag und", "open"),
        ("de", "Ja, genau.", "complete"),
        ("de", "Nein danke", "complete"),
        ("de", "Wann haben Sie geöffnet?", "complete"),
        ("de", "Vielen Dank, auf Wiederhören", "complete"),
        ("de", "Was kostet das", "neutral"),
        ("de", "Wo sind wir?", "complete"),
        ("es", "Quisiera una cita para", "open"),
        ("es", "mi número es el", "open"),
        ("es", "este", "open"),
        ("es", "seis uno dos", "open"),
        ("es", "Un momento, por favor.", "open"),
        ("es", "sí", "complete"),
        ("es", "No, gracias.", "complete"),
        ("es", "Claro que sí", "complete"),
        ("es", "¿A qué hora abren?", "complete"),
        ("es", "el martes", "neutral"),
        ("fr", "Je voudrais prendre rendez-vous pour", "open"),
        ("fr", "mon numéro c'est le", "open"),
        ("fr", "euh", "open"),
        ("fr", "zéro six", "open"),
        ("fr", "Attendez, je vais vérifier", "open"),
        ("fr", "oui", "complete"),
        ("fr", "Non merci.", "complete"),
        ("fr", "Vous ouvrez à quelle heure ?", "complete"),
        ("fr", "mardi matin", "neutral"),
        ("fr", "Je veux prendre rendez-vous.", "complete"),
        ("it", "vorrei un appuntamento,", "open"),
        ("it", "vorrei un appuntamento per", "neutral"),
        ("it", "A che ora aprite?", "complete"),
        ("ja", "営業時間は何時からですか?", "complete"),
        ("en-GB", "I'd like to", "open"),
    ],
)
def test_other_languages(language: str, text: str, readiness: str) -> None:
    assert shape_of(text, language).readiness.value == readiness


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_an_open_word_leaves_a_sentence_open_whatever_its_stop(language: str) -> None:
    """Each word of the list, but for those that are an answer by themselves."""
    lexicon = lexicon_of(language)
    for word in lexicon.endings.open_words:
        if lexicon.endings.may_end.search(f"xyz {word}"):
            continue
        assert shape_of(f"Xyz {word}.", language).is_open, word


@given(st.text(max_size=80), st.sampled_from(["en", "de", "es", "fr", "ja", ""]))
def test_any_text_gets_a_verdict_with_a_reason(text: str, language: str) -> None:
    assert shape_of(text, language).reason


@given(st.sampled_from(COMPLETE), st.sampled_from([" and", " but", ",", " um", " because", " the"]))
def test_a_whole_sentence_that_goes_on_is_open(text: str, tail: str) -> None:
    assert shape_of(text.rstrip(".?!") + tail, "en").is_open


def test_long_texts_are_judged_in_no_time() -> None:
    """Patterns with repeated groups must not explode."""
    for text in ("no no " * 2000, "a " * 3000, "1 2 " * 2000, "what it " * 2000, "x" * 9000):
        assert shape_of(text, "en").reason
