"""The leaves of the core by themselves: the ledger, the turn, the judgements, the timings."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call.briefing import Briefing
from services.call.effects import SendAudio, SendMark
from services.call.endpointing import Endpointing
from services.call.playback import Playback
from services.call.timings import Timings
from services.call.turn import CallerTurn
from services.call.words.readiness import Expectation, Readiness
from services.call.words.speech_acts import OverAgent
from services.call.words.wording import has_words

# --- the playout ledger ---------------------------------------------------------------------------


def playback(*parts: tuple[int, str], finished: bool = True) -> Playback:
    """A ledger of parts, each of so many ms with its text."""
    ledger = Playback(1, mark_every_ms=200)
    for ms, text in parts:
        ledger.append(b"\x55" * (ms * 8), text)
    if finished:
        ledger.finish()
    return ledger


def test_audio_leaves_in_stretches_with_a_mark_after_each_and_after_the_last() -> None:
    effects = playback((500, "one two")).release(0.0)
    kinds = [type(effect) for effect in effects]
    assert kinds == [SendAudio, SendMark] * 3
    sizes = [len(effect.audio) for effect in effects if isinstance(effect, SendAudio)]
    assert sizes == [1600, 1600, 800]


def test_the_last_frame_is_filled_up_with_silence() -> None:
    ledger = playback((0, ""), finished=False)
    ledger.append(b"\x55" * 100, "a")
    assert ledger.release(0.0) == []
    ledger.finish()
    (audio, _) = ledger.release(0.0)
    assert isinstance(audio, SendAudio)
    assert audio.audio == b"\x55" * 100 + b"\xff" * 60


@given(st.lists(st.integers(0, 2000), max_size=12), st.booleans())
def test_whatever_the_pieces_the_audio_is_whole(sizes: list[int], at_once: bool) -> None:
    ledger, sent = Playback(1, 200), b""
    whole = bytes(place % 251 for place in range(sum(sizes)))
    start = 0
    for size in sizes:
        ledger.append(whole[start : start + size], "")
        start += size
        if not at_once:
            sent += b"".join(e.audio for e in ledger.release(0.0) if isinstance(e, SendAudio))
    ledger.finish()
    effects = ledger.release(0.0)
    sent += b"".join(e.audio for e in effects if isinstance(e, SendAudio))
    assert sent.rstrip(b"\xff") == whole.rstrip(b"\xff")
    assert len(sent) % 160 == 0
    if effects:
        assert isinstance(effects[-1], SendMark)


@given(
    st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from(["", "one", "two words", "and three."])),
        min_size=1,
        max_size=8,
    ),
    st.floats(0, 1),
)
def test_pieces_that_came_together_are_the_same_as_one_after_the_other(
    pieces: list[tuple[int, str]], cut_at: float
) -> None:
    apart, together = Playback(1, 200), Playback(1, 200)
    for size, text in pieces:
        apart.append(b"\x55" * size, text)
    together.append(
        b"\x55" * sum(size for size, _ in pieces),
        " ".join(text for _, text in pieces),
        [(len(text), size) for size, text in pieces],
    )
    for ledger in apart, together:
        ledger.finish()
    assert apart.release(0.0) == together.release(0.0)
    for ledger in apart, together:
        ledger.hold(cut_at)
    assert apart.heard_text() == together.heard_text()


def test_time_alone_does_not_make_words_heard_beyond_the_first_mark_that_is_owed() -> None:
    ledger = playback((1000, "a b c d e f g h i j"))
    ledger.release(0.0)
    ledger.hold(5.0)
    assert ledger.heard_ms == 200


def test_marks_alone_do_not_make_words_heard_beyond_the_time_that_has_passed() -> None:
    ledger = playback((1000, "a b c d e f g h i j"))
    marks = [effect.mark for effect in ledger.release(0.0) if isinstance(effect, SendMark)]
    assert ledger.acknowledge(marks[0], 0.2)
    ledger.hold(0.25)
    assert ledger.heard_ms == 250


def test_an_echo_counts_once_and_covers_those_before_it() -> None:
    ledger = playback((600, "a b"))
    marks = [effect.mark for effect in ledger.release(0.0) if isinstance(effect, SendMark)]
    assert ledger.acknowledge(marks[1], 0.4)
    assert not ledger.acknowledge(marks[0], 0.4)
    assert not ledger.acknowledge(marks[1], 0.4)
    assert ledger.heard_ms == 400


def test_a_rewind_begins_the_word_that_was_cut_again() -> None:
    ledger = playback((1080, "one two three four"))  # 60 ms a character
    marks = [effect.mark for effect in ledger.release(0.0) if isinstance(effect, SendMark)]
    ledger.acknowledge(marks[0], 0.2)
    ledger.hold(0.3)
    ledger.rewind()
    (audio, *_) = ledger.release(0.4)
    assert isinstance(audio, SendAudio)
    assert audio.offset == 240 * 8
    assert ledger.heard_text() == "one"


def test_a_second_cut_within_the_repeated_word_takes_no_heard_word_back() -> None:
    ledger = playback((125, "one"), (400, "two"))  # the second word begins within a frame
    ledger.release(0.0)
    ledger.hold(0.15)
    for _ in range(2):
        ledger.rewind()
        (audio, *_) = ledger.release(0.5)
        assert isinstance(audio, SendAudio)
        assert audio.offset == 120 * 8
        ledger.hold(0.5)
        assert ledger.heard_text() == "one"
        assert ledger.heard_ms == 150


def test_a_text_that_got_no_audio_is_spoken_with_the_next() -> None:
    ledger = playback((0, "one"), (400, "two"))
    ledger.release(0.0)
    assert ledger.heard_text() == ""
    ledger.assume_played()
    assert ledger.heard_text() == "one two"


def test_a_text_that_never_got_audio_was_not_heard() -> None:
    ledger = playback((400, "one"), (0, "two three"))
    ledger.release(0.0)
    ledger.assume_played()
    assert ledger.heard_text() == "one"


def test_audio_without_any_text_is_heard_as_no_words() -> None:
    ledger = playback((400, ""))
    ledger.release(0.0)
    ledger.assume_played()
    assert (ledger.heard_text(), ledger.heard_ms) == ("", 400)


def test_how_much_is_unheard_is_unknown_while_more_may_come() -> None:
    ledger = playback((400, "one"), finished=False)
    assert ledger.unheard_ms == math.inf
    ledger.finish()
    assert ledger.unheard_ms == 400


# --- the caller's turn ----------------------------------------------------------------------------


def test_words_stand_in_the_order_in_which_they_were_said() -> None:
    turn = CallerTurn()
    turn.final(2, 2, "hours")
    turn.final(1, 1, "your")
    turn.reopen("what are")
    turn.digit("4")
    turn.digit("2")
    turn.typed("please")
    assert turn.text == "what are your hours 42 please"


def test_punctuation_is_no_word() -> None:
    turn = CallerTurn()
    turn.final(1, 1, " ... ")
    assert turn.text == ""


def test_words_are_owed_from_the_pause_until_they_come() -> None:
    turn = CallerTurn()
    assert not turn.awaits_words
    turn.stopped(1)
    turn.stopped(2)
    turn.final(1, 1, "one")
    assert turn.awaits_words
    turn.final(2, 2, "two")
    assert not turn.awaits_words


def test_words_that_came_before_the_pause_are_not_owed() -> None:
    turn = CallerTurn()
    turn.final(1, 1, "one")
    turn.stopped(1)
    assert not turn.awaits_words


def test_a_closed_turn_takes_only_the_words_that_it_gave_up_waiting_for() -> None:
    turn = CallerTurn()
    turn.final(1, 1, "one")
    turn.stopped(2)
    turn.close(2)
    assert not turn.final(1, 1, "one")
    assert turn.final(2, 2, "two")
    assert turn.text == "two"
    assert not turn.final(2, 2, "two again")


def test_a_failure_ends_the_waiting_but_takes_no_words_away() -> None:
    turn = CallerTurn()
    turn.final(1, 2, "one two")
    assert not turn.failed(2)
    turn.stopped(3)
    assert turn.failed(3)
    assert not turn.awaits_words
    assert turn.text == "one two"


# --- judgements -----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " ", "...", "?!"])
def test_no_words(text: str) -> None:
    assert not has_words(text)


ENDPOINTING = Endpointing(Timings(), Briefing())


@pytest.mark.parametrize(
    ("text", "wait_ms", "readiness"),
    [
        ("", 800, Readiness.NEUTRAL),
        ("a table", 800, Readiness.NEUTRAL),
        ("I would like a table for two.", 600, Readiness.COMPLETE),
        ("Just a second, please.", 1200, Readiness.OPEN),
        ("I would like a table for", 2400, Readiness.OPEN),
    ],
)
def test_the_words_say_how_much_silence_ends_the_turn(
    text: str, wait_ms: int, readiness: Readiness
) -> None:
    silence = ENDPOINTING.silence(text)
    assert (silence.ms, silence.readiness) == (wait_ms, readiness)
    assert silence.reason


def test_half_an_answer_to_what_was_asked_is_waited_for_longest() -> None:
    endpointing = Endpointing(Timings(), Briefing())
    assert endpointing.silence("555 0").ms < 3000
    endpointing.agent_said("What number can we reach you on?", None)
    assert endpointing.silence("555 0").ms == 3000
    endpointing.agent_said("Thank you.", Expectation.EMAIL)
    assert endpointing.silence("john dot smith at").ms == 3000


def test_who_pauses_long_amid_turns_is_given_longer_at_their_end_but_not_for_ever() -> None:
    endpointing = Endpointing(Timings(), Briefing())
    for _ in range(4):
        endpointing.went_on(900)
    patient = endpointing.silence("a table")
    assert 800 < patient.ms <= Timings().longest_pause_ms
    assert "900" in patient.reason
    for _ in range(20):
        endpointing.went_on(3000)
    assert endpointing.silence("a table").ms == Timings().longest_pause_ms


def test_what_repeats_the_agent_is_nothing_over_it() -> None:
    says = "We are open from nine to five on all working days."
    assert ENDPOINTING.over_agent("from nine to five on all", says).act is OverAgent.NOTHING
    assert ENDPOINTING.over_agent("and on sunday mornings", says).act is OverAgent.WORDS


@pytest.mark.parametrize("wrong", [{"idle_ms": 0}, {"mark_every_ms": 30}, {"max_call_s": -1}])
def test_timings_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Timings(**wrong)
