"""Stories of a caller who makes sound while the agent speaks."""

from __future__ import annotations

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller
from services.call.effects import Purpose
from services.call.timings import Timings
from tests.call.carrier import FakeCarrier
from tests.call.script import ANSWER, GREETING, PROMPT, ScriptedCall
from tests.call.voice import Plan, drips, says, speaks

CARRIERS = {
    "prompt": FakeCarrier,
    "late echoes": lambda: FakeCarrier(echo_after_s=0.1),
    "no echoes": lambda: FakeCarrier(loses_marks=True),
}


def answering(
    *answers: Plan, after: float = 1.5, carrier: FakeCarrier | None = None
) -> ScriptedCall:
    """A call in which the agent has been answering for ``after`` seconds since the question."""
    call = ScriptedCall(*answers, carrier=carrier)
    call.starts_and_greets()
    call.types("what are your hours")
    call.wait(after)
    assert call.agent is Agent.SPEAKING
    return call


def assert_nothing_was_lost(call: ScriptedCall, reply: int, text: str) -> None:
    """The carrier played all of it, and twice only what it was cut in."""
    played = call.carrier.played(reply, call.now)
    reached = 0
    for begin, end in played:
        assert begin <= reached
        reached = max(reached, end)
    assert reached == len(text) * 480
    assert f"agent: {text}" in call.history


@pytest.mark.parametrize("kind", CARRIERS)
@pytest.mark.parametrize("after", [0.65, 0.9, 1.3, 2.0, 3.1])
def test_words_take_the_turn_and_only_what_was_heard_remains(kind: str, after: float) -> None:
    call = answering(after=after, carrier=CARRIERS[kind]())
    call.speech_starts()
    assert not call.carrier.is_audible(call.now), "silence at once"
    assert call.agent is Agent.HELD
    truth = call.truly_heard(2)
    call.later(0.4, on.TranscriptInterim(1, 1, "stop please"))
    call.wait(0.5)
    assert call.all(do.CancelReply)[-1] == do.CancelReply(2)
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(1, 1, "stop please"))
    call.wait_until_nobody_speaks()
    heard = call.all(do.ReportHeard)[1].text.split()
    assert heard == truth[: len(heard)]
    if kind != "no echoes":  # without echoes we know little, but still claim nothing unheard
        assert len(truth) - len(heard) <= (0 if kind == "prompt" else 1)
    assert call.history[2:] == [
        f"agent: {' '.join(heard)}",
        "caller: stop please",
        f"agent: {ANSWER}",
    ]


def test_noise_holds_the_reply_and_it_speaks_on_from_the_cut_word() -> None:
    call = answering(after=1.55)
    call.speech_starts()
    heard = call.truly_heard(2)
    call.wait(0.3)
    call.speech_stops()
    stopped = call.now
    call.later(0.15, on.TranscriptFinal(1, 1, ""))
    call.wait_until_agent(Agent.SPEAKING)
    assert call.now - stopped <= 1.0
    first_again = [effect for _, effect in call.found(do.SendAudio) if effect.reply == 2]
    offset = next(e.offset for e in first_again if e in call.log[-1][2])
    assert offset == len(" ".join(heard) + " ") * 480, "the next word that was not heard"
    call.wait_until_nobody_speaks()
    assert_nothing_was_lost(call, 2, ANSWER)
    assert call.purposes() == [Purpose.GREETING, Purpose.ANSWER], "without asking for it again"


def test_noise_whose_transcript_never_comes_is_over_within_a_second() -> None:
    call = answering()
    call.noise(final_after=None)
    stopped = call.now
    call.wait_until_agent(Agent.SPEAKING)
    assert call.now == pytest.approx(stopped + 0.8)
    call.wait_until_nobody_speaks()
    assert_nothing_was_lost(call, 2, ANSWER)


@pytest.mark.parametrize("kind", CARRIERS)
def test_coughs_again_and_again_lose_nothing(kind: str) -> None:
    call = answering(carrier=CARRIERS[kind]())
    for pause in (0.05, 0.4, 0.02, 0.9):
        call.noise(for_s=0.2, final_after=0.1)
        call.wait_until_agent(Agent.SPEAKING)
        call.wait(pause)
    call.wait_until_nobody_speaks()
    assert_nothing_was_lost(call, 2, ANSWER)


@pytest.mark.parametrize("text", ["mhm", "Okay.", "uh-huh", "yeah right", "..."])
def test_a_backchannel_does_not_take_the_turn(text: str) -> None:
    call = answering()
    call.caller_says(text, for_s=0.4, interim_after=0.2)
    assert call.agent is Agent.HELD
    call.wait_until_nobody_speaks()
    assert_nothing_was_lost(call, 2, ANSWER)
    assert len(call.history) == 3, "it is no turn"


def test_yes_over_the_last_words_is_an_answer() -> None:
    call = answering(says("Shall I book it?"), after=0.2)
    call.wait(call.carrier.silent_from - call.now - 0.5)
    call.caller_says("yes", for_s=0.4)
    call.wait_until_nobody_speaks()
    assert call.history[-2:] == ["caller: yes", f"agent: {ANSWER}"]


def test_yes_over_the_middle_is_not() -> None:
    call = answering(says("Shall I book a table for two?"), after=0.7)
    call.caller_says("yes", for_s=0.4)
    call.wait_until_nobody_speaks()
    assert call.history[-1] == "agent: Shall I book a table for two?"


def test_yes_to_a_reply_of_which_more_is_to_come_is_not_either() -> None:
    plan = speaks([["So you would like"], ["a table for two?"]], after=0.1, every=0.9)
    call = answering(plan, after=0.8)
    call.caller_says("yes", for_s=0.3)
    call.wait_until_nobody_speaks()
    assert call.history[-1] == "agent: So you would like a table for two?"


def test_yes_to_are_you_still_there_is_an_answer() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    call.wait(8.1)
    assert call.purposes()[-1] is Purpose.IDLE_PROMPT
    call.caller_says("yes", for_s=0.3)
    call.wait_until_nobody_speaks()
    assert "caller: yes" in call.history
    assert f"agent: {PROMPT}" not in call.history, "it was cut short"


def test_a_caller_who_makes_sound_for_long_has_the_floor() -> None:
    call = answering()
    call.speech_starts()
    call.wait(4.9)
    assert call.agent is Agent.HELD
    call.wait(0.2)
    assert call.agent is Agent.IDLE
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(1, 1, ""))
    call.wait_until_agent(Agent.THINKING)
    assert call.purposes()[-1] is Purpose.REPAIR, "cut off for nothing: then at least say so"


def test_an_interim_that_comes_to_nothing_leaves_no_dead_air() -> None:
    call = answering()
    call.speech_starts()
    call.feed(on.TranscriptInterim(1, 1, "stop"))
    call.wait(0.3)
    call.speech_stops()
    call.later(0.1, on.TranscriptFinal(1, 1, ""))
    call.wait(1.0)
    assert call.purposes()[-1] is Purpose.REPAIR


def test_an_interim_of_a_closed_turn_does_not_cut_the_reply() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    call.caller_says("what are your hours")
    call.wait_until_agent(Agent.SPEAKING)
    call.wait(1.0)
    call.speech_starts()
    call.feed(on.TranscriptInterim(1, 1, "what are your hours"))
    assert call.agent is Agent.HELD


def test_words_that_come_after_the_agent_has_spoken_on_still_take_the_turn() -> None:
    call = answering()
    call.caller_says("stop please", for_s=0.4, final_after=1.3)
    call.wait(1.0)
    assert call.agent is Agent.SPEAKING
    call.wait_until_nobody_speaks()
    assert call.commits() == ["what are your hours", "stop please"]


def test_a_caller_who_speaks_again_while_the_reply_is_held() -> None:
    call = answering()
    call.noise(for_s=0.3, final_after=None)
    call.wait(0.5)
    call.caller_says("stop please", for_s=0.5)
    assert call.agent is Agent.HELD, "its time to speak on has passed meanwhile"
    call.wait_until_nobody_speaks()
    assert call.commits()[-1] == "stop please"
    assert call.agent is Agent.IDLE


def test_echoes_after_a_clear_mean_thrown_away() -> None:
    call = answering(after=0.9)
    call.speech_starts()
    heard = call.truly_heard(2)
    assert 0 < len(heard) < len(ANSWER.split())
    call.wait(0.3)  # all pending marks are echoed now
    echoes = [event for now, event, _ in call.log if isinstance(event, on.MarkPlayed)]
    assert len(echoes) > 10
    call.feed(on.TranscriptInterim(1, 1, "stop please"))
    assert call.history[-1] == f"agent: {' '.join(heard)}"


def test_late_echoes_of_a_cleared_stretch_do_not_count_for_the_next() -> None:
    call = answering(after=0.9, carrier=FakeCarrier(echo_after_s=0.6))
    call.noise(for_s=0.3, final_after=0.05)
    call.wait_until_agent(Agent.SPEAKING)
    call.wait(0.3)
    call.speech_starts()
    call.feed(on.TranscriptInterim(2, 2, "stop please"))
    heard = call.history[-1].removeprefix("agent: ").split()
    assert heard == call.truly_heard(2)[: len(heard)]


def test_cut_within_its_first_word_the_reply_was_not_there() -> None:
    call = answering(after=0.22)
    call.caller_says("and on sunday", interim_after=0.3)
    call.wait_until_nobody_speaks()
    assert call.history[1:] == ["caller: what are your hours and on sunday", f"agent: {ANSWER}"]


def test_a_phrase_whose_audio_is_still_coming_is_not_taken_as_heard() -> None:
    call = answering(drips(ANSWER, every=0.4), after=1.0)
    call.speech_starts()
    truth = call.truly_heard(2)
    call.feed(on.TranscriptInterim(1, 1, "stop please"))
    assert call.history[-1] == f"agent: {' '.join(truth)}"


def test_noise_before_the_first_word_of_the_greeting() -> None:
    call = ScriptedCall()
    call.lines[Purpose.GREETING] = says(GREETING, after=0.5)
    call.starts()
    call.noise(for_s=0.3)
    call.wait_until_nobody_speaks()
    assert call.history == [f"agent: {GREETING}"]


def test_words_over_the_greeting_are_answered() -> None:
    call = ScriptedCall()
    call.starts()
    call.wait(0.7)
    call.caller_says("hello what are your hours", interim_after=0.3)
    call.wait_until_nobody_speaks()
    assert call.history == [
        "agent: Hello, this",
        "caller: hello what are your hours",
        f"agent: {ANSWER}",
    ]


def test_noise_after_the_last_word_but_before_its_mark() -> None:
    call = answering(carrier=FakeCarrier(echo_after_s=0.2))
    call.wait(call.carrier.silent_from - call.now + 0.1)
    assert call.agent is Agent.SPEAKING
    call.noise(for_s=0.2)
    call.wait_until_nobody_speaks()
    assert call.history[-1] == f"agent: {ANSWER}"
    assert call.caller is Caller.QUIET


def test_the_resumption_is_bounded_by_the_timings() -> None:
    call = ScriptedCall(timings=Timings(resume_ms=300))
    call.starts()
    call.wait(0.5)
    call.noise(final_after=None)
    stopped = call.now
    call.wait_until_agent(Agent.SPEAKING)
    assert call.now == pytest.approx(stopped + 0.3)
