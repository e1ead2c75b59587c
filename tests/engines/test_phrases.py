"""Token stream -> phrases: where they end, what they leave out, and that the cuts do not matter."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engines.phrases import MAX_CHARS, Phraser


def phrases(*tokens: str) -> list[str]:
    phraser = Phraser()
    spoken = [phrase for token in tokens for phrase in phraser.feed(token)]
    return spoken + phraser.flush()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sure! We're open now.", ["Sure!", "We're open now."]),
        ("Open from 9 a.m. to 5 p.m. today. Bye.", ["Open from 9 a.m. to 5 p.m. today.", "Bye."]),
        ("It opens at 9 a.m. Come early.", ["It opens at 9 a.m.", "Come early."]),
        ("See Dr. Lee at 12 Main St. in Troy.", ["See Dr. Lee at 12 Main St. in Troy."]),
        ("Bring fruit, e.g. Apples. Thanks.", ["Bring fruit, e.g. Apples.", "Thanks."]),
        ("It's $1,249.99 or 4.5 each. Deal?", ["It's $1,249.99 or 4.5 each.", "Deal?"]),
        ("Go to www.acme.com. Write to a_b@acme.com now.", None),
        ("J. R. R. Tolkien wrote it. Yes.", ["J. R. R. Tolkien wrote it.", "Yes."]),
        ("Well... maybe. Or... Not.", ["Well... maybe.", "Or...", "Not."]),
        ("1. Call us", ["1. Call us"]),
        ('He said "Go." Then he left.', ['He said "Go."', "Then he left."]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("Our number is 5 5 5, 8 6 7, 5 3 0 9.", ["Our number is 5 5 5, 8 6 7, 5 3 0 9."]),
    ],
)
def test_sentences(text: str, expected: list[str] | None) -> None:
    if expected is None:
        expected = ["Go to www.acme.com.", "Write to a_b@acme.com now."]
    assert phrases(text) == expected


def test_the_first_phrase_may_end_at_a_clause_and_later_ones_may_not() -> None:
    text = "We are open Monday to Friday, and Saturday mornings too, but we close for lunch, sorry."
    first, *later = phrases(text)
    assert first == "We are open Monday to Friday,"
    assert later == ["and Saturday mornings too, but we close for lunch, sorry."]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("We will be happy to hel", "We will be happy to"),
        ("We will be happy ", "We will be happy"),
        ("We will be happy", "We will be"),  # the last word may go on: "happy-go-lucky"
        ("Yes we wi", ""),  # too few
        ("We are open from 9", "We are open from"),
        ("We are open from 9 to ", "We are open from 9 to"),
        ("The number is 555 867 ", "The number is"),  # more digits may follow
        ("You should see Dr. Le", "You should see"),
        ("You should see Dr Le", "You should see"),
        ("We are open, as always, on Sun", "We are open, as always, on"),
        ("", ""),
    ],
)
def test_in_a_hurry_a_phrase_ends_at_a_word(text: str, spoken: str) -> None:
    phraser = Phraser()
    assert phraser.feed(text) == []
    assert phraser.hurry() == ([spoken] if spoken else [])
    rest = phraser.feed("x y. ") or phraser.flush()
    assert " ".join(filter(None, [spoken, *rest])).replace(" ", "") == f"{text}xy.".replace(" ", "")


def test_a_number_behind_a_hurry_is_no_item_of_a_list() -> None:
    phraser = Phraser()
    assert phraser.feed("We are open from nine until 5") == []
    assert phraser.hurry() == ["We are open from nine until"]
    assert phraser.feed(". ") == ["5."]
    assert phraser.feed("On Sunday too. ") == ["On Sunday too."]


def test_a_sentence_goes_out_at_the_space_behind_it() -> None:
    phraser = Phraser()
    assert phraser.feed("Yes, we do.") == []
    assert phraser.feed(" ") == ["Yes, we do."]
    assert phraser.feed("More") == []
    assert phraser.flush() == ["More"]
    assert phraser.flush() == []


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("**Yes**, we do", "Yes, we do"),
        ("It is *really* `good` and __nice__ and ~~bad~~", "It is really good and nice and bad"),
        ("# Prices", "Prices"),
        ("> quoted", "quoted"),
        ("See [our site](https://x.y/z_(a)) now", None),
        ("See [our site](https://x.y/z) now", "See our site now"),
        ("a [note] and (this)", "a note and (this)"),
        ("Press the * key, or #1, 5*3, 2 - 1, a_b", "Press the * key, or #1, 5*3, 2 - 1, a_b"),
        ("Great 😀👍🏽❤️!", "Great !"),
    ],
)
def test_markup_is_not_spoken(markup: str, plain: str | None) -> None:
    if plain is None:
        plain = "See our site) now"  # brackets in an address are not worth a parser
    assert " ".join(phrases(markup)) == plain


def test_lines_of_a_list_are_phrases() -> None:
    listed = "We offer:\n\n- Cleaning\n* **Filling**\n• Crown\n1. First\n---\nDone"
    assert phrases(listed) == ["We offer:", "Cleaning", "Filling", "Crown", "1. First", "Done"]


def test_nothing_but_signs_is_not_spoken() -> None:
    assert phrases("***") == []
    assert phrases("... Hello") == ["... Hello"]


def test_no_more_than_the_limit_is_held_back() -> None:
    long = phrases("word " * 200)
    assert max(map(len, long)) <= MAX_CHARS
    assert " ".join(long) == ("word " * 200).strip()
    assert "".join(phrases("x" * 1000)) == "x" * 1000


TEXT = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(
                    " ",
                    " ",
                    ". ",
                    ", ",
                    "? ",
                    "! ",
                    "... ",
                    "\n",
                    "\n- ",
                    " - ",
                    "—",
                    "**",
                    "*",
                    "_",
                    "#",
                ),
                *(
                    "`",
                    "[",
                    "](",
                    ")",
                    "a.m. ",
                    "Dr. ",
                    "$1,249.99",
                    "9:30",
                    "www.a.com",
                    "👍🏽",
                    "1. ",
                ),
                *("Hello", "we", "are", "Open", "x" * 260, "。", "e.g. ", ">", "~~", "|", '"'),
            ]
        ),
        st.text(max_size=12),
    ),
    max_size=40,
).map("".join)


@settings(deadline=None)
@given(text=TEXT, data=st.data())
def test_the_cuts_of_the_stream_do_not_matter(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    tokens = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert phrases(*tokens) == phrases(text)


PLAIN = st.text(
    alphabet=st.one_of(
        st.sampled_from("abcXYZ 019.,;:?!'\"()$%@/&"), st.characters(categories=["L"])
    ),
    max_size=700,
)


@settings(deadline=None)
@given(text=PLAIN)
def test_the_phrases_joined_are_the_text(text: str) -> None:
    def squeezed(value: str) -> str:
        return re.sub(r"\s", "", value)

    spoken = phrases(text)
    joined = squeezed("".join(spoken))
    assert [char for char in joined if char.isalnum()] == [char for char in text if char.isalnum()]
    assert squeezed(text).startswith(joined) or re.search(r"[\W_]{200}", text)
    assert all(any(char.isalnum() for char in phrase) for phrase in spoken)


@settings(deadline=None)
@given(text=TEXT)
def test_never_more_than_the_limit_in_a_phrase(text: str) -> None:
    assert all(len(phrase) <= MAX_CHARS for phrase in phrases(text))
