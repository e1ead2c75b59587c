"""The audio of a turn: what is kept, where it is cut, what is forgotten."""

from __future__ import annotations

from services.audio.mulaw import FRAME_MS, SILENCE
from services.stt.turn_audio import FULL_MS, OVERFULL_MS, PREROLL_MS, TurnAudio

VOICE = b"\x10" * 160


def hear(turn: TurnAudio, frame: bytes, ms: int) -> None:
    for _ in range(ms // FRAME_MS):
        turn.hear(frame)


def speak(turn: TurnAudio, utterance: int, ms: int) -> None:
    """An utterance of ``ms``, found 60 ms after its begin and ended after 200 ms of silence."""
    hear(turn, VOICE, 60)
    turn.begin(utterance, voiced_ms=60)
    hear(turn, VOICE, ms - 60)
    hear(turn, SILENCE, 200)
    turn.end(silence_ms=200)


def lengths(turn: TurnAudio) -> list[int]:
    return [len(piece.audio) // 8 for piece in turn.pieces(0)]


def test_an_utterance_has_a_preroll_and_its_closing_silence() -> None:
    turn = TurnAudio()
    hear(turn, SILENCE, 5000)
    speak(turn, 1, 400)
    assert turn.first == 1
    assert lengths(turn) == [PREROLL_MS + 400 + 200]
    assert turn.pieces(0)[0].audio.count(VOICE[:1]) == 400 * 8


def test_pauses_within_a_turn_are_kept_up_to_600_ms() -> None:
    turn = TurnAudio()
    speak(turn, 1, 400)
    before = turn.growing_ms
    hear(turn, SILENCE, 100)
    speak(turn, 2, 400)
    assert turn.growing_ms == before + 100 + 400 + 200
    hear(turn, SILENCE, 60_000)
    speak(turn, 3, 400)
    assert turn.growing_ms == before + 700 + 600 + 340 + 200
    assert turn.first == 1


def test_too_little_voice_is_nothing() -> None:
    turn = TurnAudio()
    speak(turn, 1, 80)
    assert turn.pieces(min_voiced_ms=150) == ()
    speak(turn, 2, 80)
    assert len(turn.pieces(min_voiced_ms=150)) == 1


def test_a_long_turn_begins_a_new_piece_at_a_pause() -> None:
    turn = TurnAudio()
    for utterance in range(1, 6):
        speak(turn, utterance, 4000)
    first, second = turn.pieces(0)
    assert FULL_MS <= len(first.audio) // 8 < OVERFULL_MS
    assert first.audio.endswith(SILENCE)
    assert len(second.audio) // 8 == 4200
    assert first is turn.pieces(0)[0]  # the same piece, so that it is decoded once


def test_an_endless_utterance_is_cut_where_it_is_quiet() -> None:
    turn = TurnAudio()
    turn.begin(1, voiced_ms=0)
    hear(turn, VOICE, 19_000)
    hear(turn, SILENCE, 20)
    hear(turn, VOICE, 30_000)
    first, *others = turn.pieces(0)
    assert len(first.audio) == 19_000 * 8
    assert others[0].audio.startswith(SILENCE)
    assert all(len(piece.audio) <= OVERFULL_MS * 8 for piece in (first, *others))
    assert sum(lengths(turn)) == 49_020


def test_forgetting_leaves_nothing() -> None:
    turn = TurnAudio()
    for utterance in range(1, 6):
        speak(turn, utterance, 4000)
    turn.forget()
    assert (turn.first, turn.growing_ms, turn.pieces(1)) == (0, 0, ())
    speak(turn, 6, 400)
    assert turn.first == 6
    assert len(turn.pieces(0)) == 1


def test_an_utterance_that_is_being_spoken_belongs_to_the_next_turn() -> None:
    turn = TurnAudio()
    speak(turn, 1, 4000)
    hear(turn, VOICE, 60)
    turn.begin(2, voiced_ms=60)
    hear(turn, VOICE, 500)
    turn.forget()
    assert turn.first == 2
    assert lengths(turn) == [560]
    turn.end(silence_ms=200)
    turn.forget()
    assert turn.first == 0
