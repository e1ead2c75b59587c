"""Stories of sentences that may not be interrupted."""

from __future__ import annotations

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller
from services.call.effects import Purpose
from tests.call.script import ANSWER, ScriptedCall
from tests.call.voice import CHARACTER_BYTES, audio_of, guards

NOTICE = "This call is recorded for training."
OFFER = "How may I help you today?"
NOTICE_S = len(NOTICE) * CHARACTER_BYTES / 8000


def noticed(*rest: str, after: float = 0.5) -> ScriptedCall:
    """A call in which the greeting begins with a notice, ``after`` seconds into it."""
    call = ScriptedCall()
    call.lines[Purpose.GREETING] = guards(NOTICE, *rest, after=0.0)
    call.starts()
    call.wait(after)
    assert call.agent is Agent.SPEAKING
    return call


def assert_the_notice_was_heard(call: ScriptedCall) -> None:
    cleared = [now for now, _ in call.found(do.ClearPlayback)]
    assert all(now >= NOTICE_S - 0.025 for now in cleared)
    assert call.history[0].startswith(f"agent: {NOTICE}")


@pytest.mark.parametrize("interim_after", [None, 0.2])
def test_words_over_it_do_not_stop_it_and_are_answered_afterwards(
    interim_after: float | None,
) -> None:
    call = noticed()
    call.caller_says("stop, what are your hours?", for_s=0.6, interim_after=interim_after)
    assert call.agent is Agent.SPEAKING
    call.wait_until_nobody_speaks()
    assert_the_notice_was_heard(call)
    assert call.history[1:] == ["caller: stop, what are your hours?", f"agent: {ANSWER}"]
    assert not call.all(do.ClearPlayback)


def test_what_follows_it_may_be_interrupted_by_who_still_speaks() -> None:
    call = noticed(OFFER, after=NOTICE_S - 0.5)
    call.speech_starts()
    call.wait(0.4)
    assert call.agent is Agent.SPEAKING
    call.wait(0.2)
    assert call.agent is Agent.HELD
    assert call.last(do.ClearPlayback)[0] == pytest.approx(NOTICE_S, abs=0.021)
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(1, 1, "are you open"))
    call.wait_until_nobody_speaks()
    assert_the_notice_was_heard(call)
    assert call.history == [f"agent: {NOTICE}", "caller: are you open", f"agent: {ANSWER}"]


def test_words_said_over_it_take_the_turn_from_what_follows() -> None:
    call = noticed(OFFER)
    call.caller_says("are you open", for_s=0.6)
    call.wait_until_nobody_speaks()
    assert_the_notice_was_heard(call)
    assert call.history == [f"agent: {NOTICE}", "caller: are you open", f"agent: {ANSWER}"]


@pytest.mark.parametrize("text", ["mhm", ""])
def test_who_only_listens_loses_nothing_of_what_follows(text: str) -> None:
    call = noticed(OFFER)
    call.caller_says(text, for_s=0.4)
    call.wait_until_nobody_speaks()
    assert call.history == [f"agent: {NOTICE} {OFFER}"]
    assert call.caller is Caller.QUIET
    assert not call.all(do.ClearPlayback)


def test_a_mhm_over_it_closes_its_turn_with_it() -> None:
    call = noticed(OFFER, after=NOTICE_S - 0.9)
    call.caller_says("mhm", for_s=0.3, final_after=0.05)
    call.wait(0.7)
    assert call.agent is Agent.SPEAKING
    assert call.caller is Caller.QUIET


def test_words_that_are_late_hold_what_follows_until_they_come() -> None:
    call = noticed(OFFER, after=NOTICE_S - 0.5)
    call.caller_says("are you open", for_s=0.3, final_after=0.6)
    call.wait(0.3)
    assert call.agent is Agent.HELD
    call.wait_until_nobody_speaks()
    assert_the_notice_was_heard(call)
    assert call.commits() == ["are you open"]


def test_a_typed_turn_waits_for_its_end() -> None:
    call = noticed(OFFER)
    call.types("are you open")
    assert call.agent is Agent.SPEAKING
    call.wait_until_nobody_speaks()
    assert_the_notice_was_heard(call)
    assert call.history == [f"agent: {NOTICE}", "caller: are you open", f"agent: {ANSWER}"]


def test_keys_wait_for_its_end() -> None:
    call = noticed(OFFER)
    call.presses("12#", every=0.1)
    assert call.agent is Agent.SPEAKING
    call.wait_until_nobody_speaks()
    assert_the_notice_was_heard(call)
    assert call.history == [f"agent: {NOTICE}", "caller: 12", f"agent: {ANSWER}"]


def test_it_may_come_later_and_all_before_it_is_said_as_well() -> None:
    call = ScriptedCall()
    call.lines[Purpose.GREETING] = lambda reply: [
        *guards("Hello.", after=0.0)(reply)[:1],
        *guards(NOTICE, OFFER, after=0.0)(reply),
    ]
    call.starts()
    call.wait(0.1)
    call.caller_says("wait", for_s=0.4, interim_after=0.2)
    assert not call.all(do.ClearPlayback)
    call.wait_until_nobody_speaks()
    assert call.history[0] == f"agent: Hello. {NOTICE}"


def test_it_may_come_in_pieces_while_the_caller_speaks() -> None:
    call = ScriptedCall()
    half = len(NOTICE) // 2
    pieces = [audio_of(NOTICE[:half], 1), audio_of(NOTICE[half:], 1, half)]
    call.lines[Purpose.GREETING] = lambda reply: [
        (0.0, on.AudioProduced(reply, pieces[0], NOTICE, is_guarded=True)),
        (0.6, on.AudioProduced(reply, pieces[1], is_guarded=True)),
        (0.7, on.ReplyFinished(reply)),
    ]
    call.starts()
    call.wait(0.3)
    call.caller_says("are you open", for_s=NOTICE_S + 0.5)
    assert not call.all(do.ClearPlayback)
    call.wait_until_nobody_speaks()
    assert_the_notice_was_heard(call)
    assert call.commits() == ["are you open"]


def test_hanging_up_ends_it() -> None:
    call = noticed(OFFER)
    call.hangs_up()
    assert call.conversation.ended
    assert not call.carrier.is_audible(call.now)


def test_a_caller_who_speaks_before_it_begins_hears_it_all_the_same() -> None:
    call = ScriptedCall()
    call.lines[Purpose.GREETING] = guards(NOTICE, after=0.5)
    call.starts()
    call.wait(0.3)
    call.caller_says("what are your hours?", for_s=0.6)
    assert call.agent is Agent.SPEAKING
    call.wait_until_nobody_speaks()
    assert call.history == [f"agent: {NOTICE}", "caller: what are your hours?", f"agent: {ANSWER}"]
    assert all(now >= 0.5 + NOTICE_S - 0.025 for now, _ in call.found(do.ClearPlayback))
