"""The seam of two answers, and whole words. Pure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.llm.seam import Seam, WholeWords


@pytest.mark.parametrize(
    ("said", "rest", "new"),
    [
        ("We are open Monday to ", "Friday.", "Friday."),
        ("We are open Monday to ", "Monday to Friday.", "Friday."),
        ("We are open Monday to ", "We're open Monday to Friday.", "We're open Monday to Friday."),
        ("We are open Monday to ", "we are open Monday to Friday.", "Friday."),
        ("We are open Monday to ", "... to Friday.", "Friday."),
        ("We are open Monday to ", " ", ""),
        ("We are open. ", "We close at five.", "We close at five."),
        ("Sure. We close at ", "Sure. We close at five.", "five."),
        ("That is right. ", "Right? Yes.", "Right? Yes."),
        ("We are open.", "Anything else?", " Anything else?"),
        ("We are open.", "", ""),
        ("", "  Hello", "  Hello"),
        ("a a a ", "a a b", "b"),
    ],
)
def test_a_continuation_loses_what_it_repeats(said: str, rest: str, new: str) -> None:
    for size in (1, 3, 100):
        seam = Seam(said)
        pieces = [seam.feed(rest[at : at + size]) for at in range(0, len(rest), size)]
        assert "".join(pieces) + seam.flush() == new


WORDS = st.lists(st.sampled_from(["we", "are", "open", "today", "o'clock"]), min_size=1)


@given(WORDS, WORDS, st.integers(1, 9), st.integers(0, 9))
def test_however_much_is_repeated_it_goes(
    said: list[str], rest: list[str], size: int, repeated: int
) -> None:
    """What is new comes out as it is, unless its beginning could be a repetition, too."""
    before, new = " ".join(said) + " ", " ".join(["but", *rest])
    again = " ".join(["", *said[len(said) - min(repeated, len(said)) :]]).lstrip()
    stream = f"{again} {new}".lstrip()
    seam = Seam(before)
    pieces = [seam.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
    assert "".join(pieces) + seam.flush() == new


def test_whole_words_come_out_when_they_are_complete() -> None:
    words = WholeWords()
    assert [words.feed(piece) for piece in ("He", "llo", " ", "the", "re. And ")] == [
        *("", "", "Hello ", "", "there. And "),
    ]
    assert words.feed("half") == ""
    assert words.broken_off() == ""
    words.feed("done.")
    assert words.broken_off() == "done."
    assert words.feed("x" * 50) == "x" * 50
    assert words.feed("日本") == "日本"


@given(st.text(alphabet="ab .,\n日", max_size=80), st.integers(1, 9))
def test_whole_words_lose_nothing(stream: str, size: int) -> None:
    words = WholeWords()
    pieces = [words.feed(stream[at : at + size]) for at in range(0, len(stream), size)]
    assert "".join(pieces) + words.flush() == stream
