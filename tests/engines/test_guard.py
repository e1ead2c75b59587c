"""Which audio of a reply may not be interrupted, and how a reply's pieces become events."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.events import AudioProduced
from services.engines.guard import Guard
from services.engines.speech import Speech
from services.tts import SpokenAudio
from tests.virtual_time import run_virtual

NOTICE = "This call is recorded for training."
BEFORE = "Welcome to Bright Smile."
AFTER = "How can I help you?"


def spoken(*texts: str) -> list[SpokenAudio]:
    """Pieces of audio, ten bytes for each character."""
    return [SpokenAudio(b"\x40" * (10 * len(text)), text) for text in texts]


def guarded(
    guard: Guard, phrases: Sequence[str], pieces: Sequence[Sequence[SpokenAudio]]
) -> list[tuple[bool, str]]:
    """The runs of a reply whose phrases are all known before the first piece comes."""
    for phrase in phrases:
        guard.plan(phrase)
    return [
        (is_on, " ".join(part.text for part in run).strip())
        for parts in pieces
        for is_on, run in guard.runs(parts)
    ]


# --- the guard ------------------------------------------------------------------------------------


def test_a_sentence_and_all_before_it_may_not_be_interrupted() -> None:
    phrases = [BEFORE, NOTICE, AFTER]
    runs = guarded(Guard([NOTICE]), phrases, [spoken(phrase) for phrase in phrases])
    assert runs == [(True, BEFORE), (True, NOTICE), (False, AFTER)]


def test_word_by_word_the_guard_ends_with_the_sentences_last_word() -> None:
    words = f"{BEFORE} {NOTICE} {AFTER}".split()
    runs = guarded(Guard([NOTICE]), [BEFORE, NOTICE, AFTER], [spoken(word) for word in words])
    assert [text for is_on, text in runs if is_on] == f"{BEFORE} {NOTICE}".split()


def test_pieces_that_come_together_are_parted_only_where_the_guard_ends() -> None:
    together = spoken(*f"{NOTICE} {AFTER}".split())
    runs = guarded(Guard([NOTICE]), [NOTICE, AFTER], [together])
    assert runs == [(True, NOTICE), (False, AFTER)]


@pytest.mark.parametrize(
    "phrases",
    [
        ["This call is", "recorded for", "training.", AFTER],
        ["This call", "is recorded for training. How can I", "help you?"],
    ],
)
def test_a_sentence_may_be_split_over_phrases(phrases: list[str]) -> None:
    words = " ".join(phrases).split()
    runs = guarded(Guard([NOTICE]), phrases, [spoken(word) for word in words])
    assert [text for is_on, text in runs if is_on] == NOTICE.split()


def test_a_sentence_that_has_only_begun_is_guarded_while_its_rest_is_to_come() -> None:
    guard = Guard([NOTICE])
    assert guarded(guard, ["This call is"], [spoken("This call is")]) == [(True, "This call is")]
    assert guarded(guard, ["very short."], [spoken("very short.")]) == [(False, "very short.")]


def test_the_guard_ends_with_its_sentence_when_what_comes_before_is_spoken_first() -> None:
    guard = Guard([NOTICE])
    assert guarded(guard, [BEFORE], [spoken(BEFORE)]) == [(False, BEFORE)]  # not known of yet
    runs = guarded(guard, [NOTICE, AFTER], [spoken(NOTICE), spoken(AFTER)])
    assert runs == [(True, NOTICE), (False, AFTER)]


def test_stops_and_capitals_do_not_matter() -> None:
    text = "this call is RECORDED, for training!"
    assert guarded(Guard([NOTICE]), [text], [spoken(text)]) == [(True, text)]


def test_audio_without_text_belongs_to_the_text_before_it() -> None:
    silence = SpokenAudio(b"\xff" * 80, "")
    pieces = [[*spoken(NOTICE), silence], [silence], [*spoken(AFTER), silence]]
    runs = guarded(Guard([NOTICE]), [NOTICE, AFTER], pieces)
    assert [is_on for is_on, _ in runs] == [True, True, False]


@pytest.mark.parametrize("sentences", [[], [""], [" ... "], ["We never say this one here."]])
def test_without_such_a_sentence_nothing_is_guarded(sentences: list[str]) -> None:
    pieces = [spoken(*BEFORE.split()), spoken(AFTER)]
    runs = guarded(Guard(sentences), [BEFORE, AFTER], pieces)
    assert runs == [(False, BEFORE), (False, AFTER)]


@given(st.data())
def test_no_piece_is_lost_and_the_guard_goes_off_once(data: st.DataObject) -> None:
    words = f"{BEFORE} {NOTICE} {AFTER}".split()
    cuts = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    pieces: list[list[SpokenAudio]] = [[]]
    for word, cut in zip(words, cuts, strict=True):
        pieces[-1] += spoken(word)
        pieces += [[]] if cut else []
    runs = guarded(Guard([NOTICE]), [BEFORE, NOTICE, AFTER], pieces)
    assert " ".join(text for _, text in runs).split() == words
    states = [is_on for is_on, _ in runs]
    assert states == sorted(states, reverse=True)
    said = " ".join(text for is_on, text in runs if is_on)
    assert said == f"{BEFORE} {NOTICE}"


@pytest.mark.parametrize(
    ("line", "guarded_part"),
    [
        (f"{BEFORE} {NOTICE} {AFTER}", f"{BEFORE} {NOTICE}"),
        (f"{NOTICE} {AFTER}", NOTICE),
        (f"{BEFORE} {NOTICE}", f"{BEFORE} {NOTICE}"),
        (f'"{NOTICE}" {AFTER}', f'"{NOTICE}"'),
        (AFTER, ""),
        ("", ""),
    ],
)
def test_a_line_is_cut_at_the_sentences_end(line: str, guarded_part: str) -> None:
    guard = Guard([NOTICE])
    assert line[: guard.cut(line)] == guarded_part


# --- what a reply's pieces become -----------------------------------------------------------------


def said(*sentences: str) -> tuple[Speech, list[AudioProduced]]:
    events: list[AudioProduced] = []
    return Speech(1, events.append, Guard(sentences)), events  # type: ignore[arg-type]


def say_lines(speech: Speech, lines: dict[str, bytes]) -> None:
    async def work() -> None:
        speech.say_lines(lines)

    run_virtual(work())


def test_what_came_together_is_one_event_with_its_spans() -> None:
    async def work() -> None:
        speech.put(BEFORE)
        speech.say(*spoken("Welcome", "to"))
        speech.say(*spoken("Bright"))

    speech, events = said()
    run_virtual(work())
    assert events == [
        AudioProduced(1, b"\x40" * 90, "Welcome to", ((7, 70), (2, 20))),
        AudioProduced(1, b"\x40" * 60, "Bright"),
    ]


def test_the_end_of_the_guard_parts_an_event_in_two() -> None:
    async def work() -> None:
        speech.put(NOTICE, AFTER)
        speech.say(*spoken(*f"{NOTICE} {AFTER}".split()))

    speech, events = said(NOTICE)
    run_virtual(work())
    assert [(event.text, event.is_guarded) for event in events] == [(NOTICE, True), (AFTER, False)]
    assert all(sum(size for _, size in event.spans) == len(event.audio) for event in events)


def test_a_stored_line_is_parted_at_the_sentences_end() -> None:
    speech, events = said(NOTICE)
    line = f"{NOTICE} {AFTER}"
    assert speech.parts(line) == [NOTICE, AFTER]
    say_lines(speech, {NOTICE: b"\x40" * 100, AFTER: b"\x41" * 100})
    assert events == [
        AudioProduced(1, b"\x40" * 100, NOTICE, is_guarded=True),
        AudioProduced(1, b"\x41" * 100, AFTER),
    ]


@pytest.mark.parametrize(("sentences", "is_guarded"), [((), False), ((NOTICE,), True)])
def test_a_stored_line_of_one_kind_is_one_event(
    sentences: tuple[str, ...], is_guarded: bool
) -> None:
    speech, events = said(*sentences)
    assert speech.parts(NOTICE) == [NOTICE]
    say_lines(speech, {NOTICE: b"\x40" * 100})
    assert events == [AudioProduced(1, b"\x40" * 100, NOTICE, is_guarded=is_guarded)]


def test_the_phrases_come_in_order_and_their_end_stays() -> None:
    async def work() -> None:
        speech, _ = said()
        speech.put(BEFORE, AFTER)
        speech.end()
        assert [phrase async for phrase in speech] == [BEFORE, AFTER]
        assert [phrase async for phrase in speech] == []

    run_virtual(work())
