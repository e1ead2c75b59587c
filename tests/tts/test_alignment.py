"""Words and audio: pairing what is read with what is said, and cutting between words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audio.mulaw import SILENCE
from services.tts import SpokenAudio
from services.tts.alignment import Pace, Timing, WordCutter, letters_of, paired
from services.tts.speakable import speakable
from tests.simulators.vendors.legible import spell, text_of

MS = 60
SENTENCE = "We are open on Saturdays, from nine until noon."


def chunks(said: str, sizes: list[int]) -> list[tuple[bytes, Timing]]:
    """Audio of ``said`` in messages of so many characters, the last size again and again."""
    found = []
    while said:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        part, said = said[:size], said[size:]
        starts = [index * MS for index in range(len(part))]
        found.append((spell(part, MS), Timing(list(part), starts)))
    return found


def heard(parts: list[SpokenAudio]) -> str:
    return text_of(b"".join(part.audio for part in parts))


def read(parts: list[SpokenAudio]) -> list[str]:
    return " ".join(part.text for part in parts).split()


PAIRS = {
    ("It is late.", "It is late."): ["It", "is", "late."],
    ("on Jan. 5th", "on January 5th"): ["on", "January", "5th"],
    ("Call 867-5309 now", "Call 8 6 7, 5 3 0 9 now"): ["Call", "8 6 7, 5 3 0 9", "now"],
    ("a b c d", "a x y d"): ["a", "x", "y", "d"],
    ("acme.com", "acme dot com"): ["acme dot com"],
}


@pytest.mark.parametrize("texts", PAIRS)
def test_words_read_begin_with_the_words_said_for_them(texts: tuple[str, str]) -> None:
    phrase, said = texts
    letters = letters_of(said)
    pairs = paired(phrase, said)
    assert " ".join(word for word, _ in pairs) == phrase
    ends = [first for _, first in pairs[1:]] + [len(letters)]
    sounds = [letters[first:end] for (_, first), end in zip(pairs, ends, strict=True)]
    assert sounds == [letters_of(sound) for sound in PAIRS[texts]]


def test_words_without_a_sound_of_their_own_go_with_their_neighbours() -> None:
    assert paired("👍 Fine then 👍", "Fine then") == [("👍 Fine", 0), ("then 👍", 4)]


@given(st.text("aA1 .-$@(:👍\n5", min_size=1, max_size=60))
def test_no_word_is_lost_in_pairing(phrase: str) -> None:
    if said := speakable(phrase):
        pairs = paired(phrase, said)
        assert " ".join(word for word, _ in pairs).split() == phrase.split()
        firsts = [first for _, first in pairs]
        assert firsts == sorted(set(firsts))
        assert firsts[0] == 0
        assert firsts[-1] < len(letters_of(said))


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_however_the_audio_is_cut_each_piece_holds_the_words_of_its_text(sizes: list[int]) -> None:
    cutter = WordCutter()
    cutter.expect(SENTENCE, SENTENCE)
    parts: list[SpokenAudio] = []
    for audio, timing in chunks(f"{SENTENCE} ", sizes):
        parts += cutter.hear(audio, timing)
        assert heard(parts).split() == read(parts), "no word is cut in two"
    assert not cutter.owed
    assert cutter.certain
    assert cutter.complete
    assert read(parts) == SENTENCE.split()
    assert cutter.finish() == []


def test_a_break_in_the_middle_of_a_word_leaves_whole_words() -> None:
    cutter = WordCutter()
    cutter.expect(SENTENCE, SENTENCE)
    [(audio, timing), *_] = chunks(SENTENCE, [21])  # "We are open on Saturda"
    parts = cutter.hear(audio, timing)
    assert read(parts) == heard(parts).split() == ["We", "are", "open", "on"]
    assert cutter.owed


def test_silence_before_the_first_word_and_after_the_last_is_kept() -> None:
    cutter = WordCutter()
    cutter.expect("Hello there.", "Hello there.")
    quiet = SILENCE * 3
    timing = Timing(list("Hello there."), [60 + index * MS for index in range(12)])
    parts = cutter.hear(quiet + spell("Hello there.", MS), timing)
    parts += cutter.hear(quiet, Timing([], []))
    parts += cutter.hear(quiet)
    assert b"".join(part.audio for part in parts) == (
        quiet + spell("Hello there.", MS) + quiet + quiet
    )
    assert parts[0].text == "Hello"
    assert cutter.certain


def test_phrases_follow_each_other_whatever_becomes_of_the_spaces_between() -> None:
    for gap in ("", " ", "  "):
        cutter = WordCutter()
        cutter.expect("One two,", "One two,")
        cutter.expect("👍", "")
        cutter.expect("three four.", "three four.")
        parts: list[SpokenAudio] = []
        for audio, timing in chunks(f" One two,{gap}three four.", [4]):
            parts += cutter.hear(audio, timing)
        assert read(parts) == ["One", "two,", "👍", "three", "four."]
        assert letters_of(heard(parts)) == "Onetwo,threefour."


def test_what_has_no_sound_comes_with_a_moment_of_silence_at_the_end() -> None:
    cutter = WordCutter()
    cutter.expect("👍", "")
    assert not cutter.owed
    assert cutter.finish() == [SpokenAudio(SILENCE, "👍")]


def test_without_timing_the_pace_places_the_words() -> None:
    pace = Pace()
    for _ in range(30):
        pace.learn(SENTENCE, len(spell(SENTENCE, MS)))
    cutter = WordCutter(pace)
    cutter.expect(SENTENCE, SENTENCE)
    parts: list[SpokenAudio] = []
    for audio, _ in chunks(SENTENCE, [10]):
        parts += cutter.hear(audio)
        assert abs(len(read(parts)) - len(heard(parts).split())) <= 1
    parts += cutter.finish()
    assert read(parts) == heard(parts).split() == SENTENCE.split()
    assert not cutter.certain


def test_a_message_without_timing_costs_certainty_only_until_the_next() -> None:
    cutter = WordCutter()
    cutter.expect(SENTENCE, SENTENCE)
    parts: list[SpokenAudio] = []
    certain = []
    for number, (audio, timing) in enumerate(chunks(SENTENCE, [12])):
        parts += cutter.hear(audio, None if number == 1 else timing)
        certain.append(cutter.certain)
    assert certain == [True, False, True, True]
    assert read(parts) == heard(parts).split() == SENTENCE.split()


def test_a_voice_that_says_something_else_loses_no_word_and_no_audio() -> None:
    cutter = WordCutter()
    cutter.expect("It costs $90 today.", "It costs $90 today.")
    other = "It costs ninety dollars today."
    parts: list[SpokenAudio] = []
    for audio, timing in chunks(other, [9]):
        parts += cutter.hear(audio, timing)
    parts += cutter.finish()
    assert read(parts) == ["It", "costs", "$90", "today."]
    assert heard(parts) == other
