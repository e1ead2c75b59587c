"""Which words belong to which utterance, and that each is given once."""

from __future__ import annotations

from services.stt.backlog import Backlog
from services.stt.deepgram_wire import Results
from services.stt.heard import Heard

PAUSE_MS = 200


def results(
    begin_ms: int, end_ms: int, text: str, *, final: bool = True, at_pause: bool = False
) -> Results:
    """Words spread evenly over their time."""
    words, each = text.split(), (end_ms - begin_ms) / 1000 / max(1, len(text.split()))
    raw = [
        {
            "word": word,
            "start": begin_ms / 1000 + each * number,
            "end": begin_ms / 1000 + each * (number + 1),
        }
        for number, word in enumerate(words)
    ]
    return Results(begin_ms * 8, end_ms * 8, text, final, at_pause, raw)


def test_finals_are_joined_and_given_once() -> None:
    heard = Heard(PAUSE_MS)
    heard.add(results(0, 1000, "one"), 0)
    heard.add(results(1000, 2000, "two", at_pause=True), 0)
    assert heard.settled_to >= 2000 * 8
    assert heard.take(2000 * 8) == "one two"
    assert heard.take(2000 * 8) == ""
    assert heard.text == ""


def test_an_interim_stretch_is_replaced_by_the_next_one() -> None:
    heard = Heard(PAUSE_MS)
    heard.add(results(0, 1000, "one won", final=False), 0)
    heard.add(results(0, 2000, "one two", final=False), 0)
    assert heard.text == "one two"
    assert heard.take(2000 * 8) == ""
    heard = Heard(PAUSE_MS)
    heard.add(results(0, 1000, "one", final=False), 0)
    assert heard.reach == 8000
    assert heard.take(1000 * 8, guess=True) == "one"
    heard.add(results(0, 1000, "one!"), 0)  # late: it was given
    assert heard.text == ""


def test_a_stretch_over_the_end_of_an_utterance_is_cut_between_words() -> None:
    heard = Heard(PAUSE_MS)
    heard.add(results(0, 4000, "one two three four"), 0)
    assert heard.take(2000 * 8) == "one two"
    assert heard.take(4000 * 8) == "three four"


def test_a_stretch_that_begins_or_ends_near_it_is_not_cut() -> None:
    heard = Heard(PAUSE_MS)
    heard.add(results(0, 2100, "one two"), 0)
    heard.add(results(1900 + 200, 3000, "three"), 0)
    assert heard.take(2000 * 8) == "one two"
    assert heard.take(3000 * 8) == "three"


def test_late_words_of_what_was_given_are_dropped_and_new_ones_beside_them_kept() -> None:
    heard = Heard(PAUSE_MS)
    heard.skip(2000 * 8)
    heard.add(results(0, 2000, "one two"), 0)
    assert heard.text == ""
    heard.add(results(1000, 4000, "two three four"), 0)
    assert heard.text == "three four"
    assert heard.take(4000 * 8) == "three four"


def test_places_count_from_the_begin_of_the_call_not_of_the_socket() -> None:
    heard = Heard(PAUSE_MS)
    heard.add(results(0, 1000, "one"), 0)
    heard.socket_lost()
    heard.add(results(0, 1000, "two"), 1000 * 8)
    assert heard.final_to == 2000 * 8
    assert heard.take(2000 * 8) == "one two"


def test_the_backlog_keeps_what_is_not_released() -> None:
    backlog = Backlog()
    for code in range(10):
        backlog.hear(bytes([code]) * 160)
    backlog.release(3 * 160)
    backlog.release(160)  # long gone
    assert (backlog.begin, backlog.end) == (480, 1600)
    assert backlog.take(480, 640) == b"\x03" * 160
    backlog.trim(60)
    assert backlog.take(backlog.begin, backlog.end) == b"".join(
        bytes([code]) * 160 for code in (7, 8, 9)
    )
    backlog.release(10_000)
    assert (backlog.begin, backlog.end) == (1600, 1600)
    backlog.hear(b"\x0a" * 160)
    assert backlog.take(1600, 1760) == b"\x0a" * 160
