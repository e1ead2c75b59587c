"""Latency is a fold over the journal: from the last voiced frame to the first mark played."""

from __future__ import annotations

from services.call import events as on
from services.call.effects import ClearPlayback, Effect, Purpose, StartReply
from services.call.events import Event
from services.records.latency import LatencyFold

Entry = tuple[float, Event, list[Effect]]


def answered(ended: float, reply: int) -> list[Entry]:
    """A spoken turn whose last voiced frame came at ``ended``."""
    return [
        (ended + 0.2, on.SpeechStopped(1, silence_ms=200), []),
        (ended + 0.25, on.TranscriptFinal(1, 1, "hello"), []),
        (ended + 0.55, on.DeadlinePassed(), [StartReply(reply, Purpose.ANSWER)]),
        (ended + 0.56, on.TokenProduced(reply), []),
        (ended + 0.58, on.AudioProduced(reply, b"", "Hi."), []),
        (ended + 0.581, on.AudioProduced(reply, b"", "There."), []),
        (ended + 0.59, on.AudioSent(reply), []),
        (ended + 0.8, on.MarkPlayed(f"{reply}.0.10"), []),
        (ended + 1.0, on.MarkPlayed(f"{reply}.0.20"), []),
    ]


def test_each_stage_counts_from_the_last_voiced_frame() -> None:
    fold = LatencyFold()
    turns = [turn for entry in answered(10.0, 2) if (turn := fold.feed(*entry))]
    assert [turn.as_dict() for turn in turns] == [
        {
            "transcript": 250.0,
            "end_of_turn": 550.0,
            "first_token": 560.0,
            "first_audio": 580.0,
            "first_frame": 590.0,
            "first_mark": 800.0,
            "total": 590.0,
        }
    ]


def test_a_typed_turn_counts_from_the_typing() -> None:
    fold = LatencyFold()
    fold.feed(5.0, on.CallerTyped("hello"), [StartReply(2, Purpose.ANSWER)])
    fold.feed(5.1, on.AudioSent(2), [])
    turn = fold.feed(5.3, on.MarkPlayed("2.0.10"), [])
    assert turn is not None
    assert (turn.as_dict()["transcript"], turn.as_dict()["total"]) == (0.0, 100.0)


def test_a_keypad_entry_counts_from_its_last_key() -> None:
    fold = LatencyFold()
    fold.feed(5.0, on.CallerTyped("hello"), [])
    fold.feed(20.0, on.DigitPressed("4"), [])
    fold.feed(21.0, on.DigitPressed("2"), [])
    fold.feed(23.0, on.DeadlinePassed(), [StartReply(2, Purpose.ANSWER)])
    fold.feed(23.1, on.AudioSent(2), [])
    turn = fold.feed(23.3, on.MarkPlayed("2.0.10"), [])
    assert turn is not None
    assert turn.as_dict()["total"] == 2100.0


def test_marks_and_audio_of_other_replies_do_not_count() -> None:
    fold = LatencyFold()
    for entry in answered(1.0, 2)[:3]:
        fold.feed(*entry)
    assert fold.feed(1.6, on.AudioSent(1), []) is None
    assert fold.feed(1.6, on.MarkPlayed("1.0.5"), []) is None
    assert fold.feed(1.6, on.MarkPlayed("21.0.5"), []) is None
    fold.feed(1.7, on.AudioSent(2), [])
    turn = fold.feed(1.9, on.MarkPlayed("2.0.5"), [])
    assert turn is not None
    assert turn.total is not None
    assert round(turn.total) == 700


def test_lines_that_answer_nobody_have_no_latency() -> None:
    fold = LatencyFold()
    fold.feed(0.0, on.CallStarted("", ""), [StartReply(1, Purpose.GREETING)])
    fold.feed(0.1, on.AudioSent(1), [])
    assert fold.feed(0.3, on.MarkPlayed("1.0.10"), []) is None


def test_a_mark_that_was_thrown_away_was_not_played() -> None:
    fold = LatencyFold()
    for entry in answered(1.0, 2)[:7]:
        fold.feed(*entry)
    turn = fold.feed(1.65, on.SpeechStarted(2), [ClearPlayback()])
    assert turn is not None
    assert (round(turn.first_frame or 0), turn.first_mark) == (590, None)
    assert fold.feed(1.8, on.MarkPlayed("2.0.10"), []) is None


def test_a_reply_that_is_replaced_leaves_no_figures() -> None:
    fold = LatencyFold()
    for entry in answered(1.0, 2)[:5]:
        fold.feed(*entry)
    turns = [turn for entry in answered(4.0, 3) if (turn := fold.feed(*entry))]
    assert [turn.reply for turn in turns] == [3]
