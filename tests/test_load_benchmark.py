"""The load benchmark measures right: its logic on made-up times, without a server."""

from __future__ import annotations

import base64
import math
import random
from collections import Counter

import pytest

from benchmarks.load.caller import PATIENCE_S, PAUSE_S, Caller, Turn
from benchmarks.load.frames import CLOSE, TEXT, Frames, NotAFrame, frame
from benchmarks.load.speech import Speech
from benchmarks.load.table import HEAD, Row
from benchmarks.load.turns import Added, Vendor, added, added_without_vendors, percentile
from benchmarks.load.vendors import Answer, words

FRAME = 0.02
SAID = tuple(base64.b64encode(bytes([n]) * 160) for n in range(3))
SILENCE = base64.b64encode(b"\xff" * 160)
LOUD, QUIET = b"\x20", b"\xff"


def caller() -> Caller:
    return Caller(Speech(SAID, SILENCE, 5000, 20, 100), random.Random(1), now=0.0)


def listen(one: Caller, since: float, until: float) -> list[tuple[float, bytes]]:
    """Beat until then; when something was said."""
    said = []
    for beat in range(round((until - since) / FRAME)):
        now = since + beat * FRAME
        payload = one.next_payload(now)
        if payload != SILENCE:
            said.append((now, payload))
    return said


# --- the caller -----------------------------------------------------------------------------------


def test_the_caller_speaks_when_the_greeting_has_been_played_and_a_pause_has_passed() -> None:
    one = caller()
    one.media(0.1, LOUD * 8000)
    said = listen(one, 0.2, 3.0)
    assert [payload for _, payload in said] == list(SAID)
    assert 1.1 + PAUSE_S[0] <= said[0][0] <= 1.1 + PAUSE_S[1] + FRAME
    assert [turn.asked_at for turn in one.heard.turns] == [said[-1][0]]


def test_an_answer_is_heard_at_its_first_loud_sample_where_it_is_played() -> None:
    one = asked()
    one.media(3.0, QUIET * 800)  # 100 ms of silence, ...
    one.media(3.05, QUIET * 400 + LOUD * 400)  # ... which this waits for
    assert one.heard.turns[0].heard_at == pytest.approx(3.15)
    assert one.heard.turns[0].opening == LOUD * 400
    assert one.heard.holes == []


def test_a_playback_that_runs_dry_within_a_reply_is_a_hole() -> None:
    one = asked()
    one.media(3.0, LOUD * 800)
    one.media(3.11, LOUD * 800)  # 10 ms late: nobody hears that
    one.media(3.27, LOUD * 800)
    assert [(hole.at, round(hole.seconds, 3)) for hole in one.heard.holes] == [(3.27, 0.06)]


def test_the_pause_before_an_answer_is_no_hole() -> None:
    one = asked()
    one.media(6.0, LOUD * 800)
    assert one.heard.holes == []


def test_a_caller_without_an_answer_loses_patience_and_asks_again() -> None:
    one = asked()
    assert listen(one, 2.02, 2 + PATIENCE_S - 1) == []
    again = listen(one, 2 + PATIENCE_S - 1, 2 + PATIENCE_S + 1)
    assert len(again) == len(SAID)
    assert len(one.heard.unanswered) == 1


def test_marks_are_echoed_when_playback_reaches_them_or_at_once_by_a_clear() -> None:
    one = caller()
    one.media(1.0, LOUD * 800)
    one.mark(1.01, "a")
    one.media(1.02, LOUD * 800)
    one.mark(1.02, "b")
    assert one.reached(1.09) == []
    assert one.reached(1.11) == ["a"]
    assert one.clear(1.15) == ["b"]
    assert one.reached(9.0) == []


def asked() -> Caller:
    """A caller who has just asked, at about 2 s."""
    one = caller()
    one.media(0.0, LOUD * 8000)
    listen(one, 0.02, 2.02)
    assert len(one.heard.turns) == 1
    return one


# --- what was added -------------------------------------------------------------------------------


def test_the_fixed_parts_of_a_turn_are_not_the_servers() -> None:
    turn = Turn(asked_at=10.0, heard_at=11.013)
    vendor = Vendor(10.572, 10.9, 10.903, 11.005)
    parts = added(turn, vendor, silence_s=0.57)
    assert (parts.ears, parts.brain, parts.voice) == pytest.approx((2.0, 3.0, 8.0))
    assert parts.total == pytest.approx(13.0)


def test_mock_engines_take_no_time() -> None:
    assert added_without_vendors(Turn(1.0, 1.575), 0.57).total == pytest.approx(5.0)


def test_the_first_phrase_is_complete_with_the_token_that_comes_after_it() -> None:
    tokens = ["Bakuto", " can", " come", " now,", " and", " that"]
    times = {number: 1 + number / 60 for number in range(len(tokens))}
    answer = Answer(tokens, 0.7, times, "Bakuto can come now, ", 1.07, 1.2)
    assert answer.phrase_at == times[4]
    answer.phrase = "".join(tokens)
    assert answer.phrase_at == times[5]


def test_an_answer_that_the_voice_got_otherwise_counts_for_nothing() -> None:
    answer = Answer(["Bakuto", " can"], 0.7, {0: 1.0, 1: 1.1}, "Bakuto must", 1.2, 1.3)
    assert answer.vendor() is None


def test_no_two_answers_begin_alike() -> None:
    some = [word for word, _ in zip(words(), range(5000), strict=False)]
    assert len(set(some)) == 5000
    assert {len(word) for word in some} == {6}


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(1, 21)]
    assert [percentile(values, percent) for percent in (50, 95, 100)] == [10, 19, 20]
    assert percentile([7.0], 95) == 7.0
    assert math.isnan(percentile([], 50))


# --- the table ------------------------------------------------------------------------------------


def row(calls: int, rss_mb: float, late_ms: float = 0.5) -> Row:
    return Row(
        calls=calls,
        seconds=10,
        cpu_s=0.5 * calls,
        rss_mb=rss_mb,
        added=[Added(1, 2, 3)],
        errors=Counter({"31951: not JSON": 2}),
        phones_late_ms=[late_ms],
    )


def test_a_row_tells_cost_per_call_and_its_errors() -> None:
    text = row(11, 130).text(alone=row(1, 100))
    cells = [cell.split() for cell in text.splitlines()[0].split("|")]
    assert len(cells) == len(HEAD.split("|"))
    assert cells[1] == ["6.0", "6.0", "6.0"]
    assert cells[3] == ["50.00"]
    assert cells[4] == ["130", "3.00"]
    assert "2 x 31951: not JSON" in text
    assert "late themselves" not in text


def test_a_row_says_when_the_phones_were_late() -> None:
    assert "late themselves" in row(11, 130, late_ms=6).text(alone=None)


# --- frames ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 5, 125, 126, 400, 65535])
def test_a_frame_is_masked_with_zeros_and_has_its_length(size: int) -> None:
    made = frame(b"x" * size)
    head = 2 if size < 126 else 4
    assert made[0] == 0x81
    assert made[1] & 0x80
    assert made[head : head + 4] == bytes(4)
    assert made[head + 4 :] == b"x" * size


@pytest.mark.parametrize("step", [1, 3, 1000])
def test_frames_are_read_however_they_are_cut(step: int) -> None:
    sizes = {3: b"\x81\x03", 300: b"\x81\x7e\x01\x2c", 70_000: b"\x81\x7f" + (70_000).to_bytes(8)}
    data = b"".join(head + b"a" * size for size, head in sizes.items()) + b"\x88\x02\x03\xe8"
    frames, read = Frames(), []
    for at in range(0, len(data), step):
        read += frames.feed(data[at : at + step])
    assert [(opcode, len(payload)) for opcode, payload in read] == [
        *((TEXT, size) for size in sizes),
        (CLOSE, 2),
    ]


def test_what_no_server_may_send_is_refused() -> None:
    with pytest.raises(NotAFrame):
        list(Frames().feed(frame(b"masked")))
