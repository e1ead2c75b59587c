"""How a call ends by being passed on, by order, or at a machine; how it begins anew after that."""

from __future__ import annotations

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Phase
from services.call.effects import Purpose, Speaker, Turn
from services.call.events import AfterReply, Event
from tests.call.script import (
    ANSWER,
    NOBODY_THERE,
    OUTBOUND,
    PLAIN,
    TRANSFER,
    VOICEMAIL,
    ScriptedCall,
)
from tests.call.voice import breaks_off, fails, says, stalls

PUT_THROUGH = "One moment, I will put you through to Maria now."
EARLIER = (
    Turn(Speaker.AGENT, "Hello."),
    Turn(Speaker.CALLER, "I want to talk to Maria"),
    Turn(Speaker.AGENT, "One moment, I'll put you through."),
)


def asked_for_a_person() -> ScriptedCall:
    """The agent is saying that it puts the caller through."""
    call = ScriptedCall(says(PUT_THROUGH, then=AfterReply.TRANSFER))
    call.starts_and_greets()
    call.types("I want to talk to Maria")
    call.wait(0.8)
    assert call.agent is Agent.SPEAKING
    return call


def ends(call: ScriptedCall) -> tuple[float, str]:
    """Let it come to its end: when, and with what reason."""
    call.wait_until(lambda: call.conversation.ended)
    when, effect = call.last(do.HangUp)
    return when, effect.reason


# --- by a reply -----------------------------------------------------------------------------------


def test_the_caller_is_let_go_when_the_last_word_was_played() -> None:
    call = asked_for_a_person()
    when, reason = ends(call)
    assert (when, reason) == (pytest.approx(call.carrier.silent_from), "transfer")
    assert call.history[-1] == f"agent: {PUT_THROUGH}"


def test_a_caller_who_interrupts_it_stays_here() -> None:
    call = asked_for_a_person()
    call.caller_says("wait, I have one more question", interim_after=0.4)
    call.wait_until_nobody_speaks()
    assert not call.conversation.ended
    assert call.history[-2:] == ["caller: wait, I have one more question", f"agent: {ANSWER}"]
    call.wait_until(lambda: call.conversation.ended)
    assert call.all(do.HangUp) == [do.HangUp("idle")], "not put through behind their back"


@pytest.mark.parametrize("words", ["okay", "thank you", "okay thanks", "great, thank you so much"])
@pytest.mark.parametrize("before_end_s", [0.4, 1.8])
def test_a_caller_who_thanks_for_it_is_put_through(words: str, before_end_s: float) -> None:
    call = asked_for_a_person()
    call.wait(call.carrier.silent_from - call.now - before_end_s)
    call.caller_says(words, for_s=0.5, interim_after=0.3)
    assert ends(call)[1] == "transfer"


def test_who_falls_silent_after_a_failed_reply_is_not_put_through() -> None:
    call = ScriptedCall(breaks_off("I will", "put you"))
    call.starts_and_greets()
    call.types("I want to talk to Maria")
    call.wait_until(lambda: Purpose.APOLOGY in call.purposes())
    call.wait_until(lambda: call.conversation.ended)
    assert call.all(do.HangUp) == [do.HangUp("idle")]


def test_a_caller_who_comes_back_is_met_with_what_was_said_before() -> None:
    call = ScriptedCall()
    call.starts(Purpose.NOBODY_THERE, EARLIER)
    call.wait_until_agent(Agent.IDLE)
    call.types("take a message")
    first, answer = call.all(do.StartReply)[0], call.all(do.StartReply)[-1]
    assert (first.purpose, first.turns) == (Purpose.NOBODY_THERE, EARLIER)
    assert answer.turns == (
        *EARLIER,
        Turn(Speaker.AGENT, NOBODY_THERE),
        Turn(Speaker.CALLER, "take a message"),
    )


def test_a_call_that_we_make_begins_with_its_own_line() -> None:
    call = ScriptedCall()
    call.starts(Purpose.OUTBOUND)
    call.wait_until_agent(Agent.IDLE)
    assert call.history == [f"agent: {OUTBOUND}"]


# --- by order -------------------------------------------------------------------------------------


def moments() -> list[ScriptedCall]:
    """A call in each state in which an order may find it."""
    greeting, quiet, speaking, thinking, held, paused, eager = (
        ScriptedCall(stalls(), timings=PLAIN) for _ in range(7)
    )
    for call in (greeting, quiet, speaking, thinking, held, paused, eager):
        call.starts()
    greeting.wait(0.5)
    held.wait(0.5)
    held.speech_starts()
    for call in (quiet, speaking, thinking, paused, eager):
        call.wait_until_agent(Agent.IDLE)
    speaking.speech_starts()
    thinking.types("are you open")
    paused.caller_says("are you", final_after=None)
    eager.caller_says("are you open", final_after=0.05)
    eager.wait(0.1)
    return [greeting, quiet, speaking, thinking, held, paused, eager]


MOMENTS = range(len(moments()))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_transfer_that_is_ordered_is_announced_and_nothing_stops_it(moment: int) -> None:
    call = moments()[moment]
    call.feed(on.TransferOrdered())
    assert call.conversation.phase is Phase.CLOSING
    call.wait(0.3)
    call.speech_starts()
    call.feed(on.TransferOrdered())
    call.feed(on.MachineAnswered(message=True))
    assert ends(call)[1] == "transfer"
    assert call.history[-1] == f"agent: {TRANSFER}"
    assert call.purposes().count(Purpose.TRANSFER) == 1


def test_a_transfer_that_is_ordered_happens_even_if_nothing_can_be_said() -> None:
    call = ScriptedCall()
    call.lines[Purpose.TRANSFER] = fails()
    call.starts_and_greets()
    call.feed(on.TransferOrdered())
    assert ends(call)[1] == "transfer"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_call_that_somebody_ends_is_over_at_once(moment: int) -> None:
    call = moments()[moment]
    effects = call.feed(on.HangUpOrdered())
    assert effects[-1] == do.HangUp("ordered")
    assert call.conversation.ended


def test_also_one_that_has_not_begun() -> None:
    call = ScriptedCall()
    assert call.feed(on.HangUpOrdered()) == [do.HangUp("ordered")]
    call.starts()
    assert call.purposes() == []


def test_also_amid_the_last_words() -> None:
    call = ScriptedCall()
    call.starts_and_greets()
    call.feed(on.TransferOrdered())
    call.wait(0.2)
    assert call.feed(on.HangUpOrdered())[-1] == do.HangUp("ordered")


# --- machines -------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_machine_is_told_the_message_to_its_end(moment: int) -> None:
    call = moments()[moment]
    call.feed(on.MachineAnswered(message=True))
    call.wait(0.2)
    call.speech_starts()  # its tape goes on, or it beeps again
    call.feed(on.TranscriptInterim(call.utterance, call.utterance, "please leave a message"))
    call.wait(0.4)
    when, reason = ends(call)
    assert (when, reason) == (pytest.approx(call.carrier.silent_from), "voicemail")
    assert call.history[-1] == f"agent: {VOICEMAIL}"


def test_a_machine_that_is_no_use_is_hung_up_on() -> None:
    call = ScriptedCall()
    call.starts(Purpose.OUTBOUND)
    call.wait(0.3)
    assert call.feed(on.MachineAnswered())[-1] == do.HangUp("machine")


def test_a_message_that_could_not_be_spoken_was_not_left() -> None:
    call = ScriptedCall()
    call.lines[Purpose.VOICEMAIL] = fails()
    call.starts(Purpose.OUTBOUND)
    call.feed(on.MachineAnswered(message=True))
    assert ends(call)[1] == "failed"


# --- tools ----------------------------------------------------------------------------------------

WORKING = on.ToolStarted(2, "book_appointment")
DONE = on.ToolUsed(2, "book_appointment", "ok", 9000)


def gives_up_after(*steps: tuple[float, Event]) -> float:
    """How long an answer may give no audio, with these events at their times."""
    call = ScriptedCall(stalls(), filler="")
    call.starts_and_greets()
    call.types("book it")
    begun = call.now
    for after, event in steps:
        call.at(begun + after, event)
    call.wait_until(lambda: Purpose.APOLOGY in call.purposes())
    return call.now - begun


def test_a_tool_at_work_is_given_time_and_so_is_the_answer_after_it() -> None:
    alone = PLAIN.give_up_ms / 1000
    assert gives_up_after() == pytest.approx(alone)
    assert gives_up_after((1.0, WORKING)) == pytest.approx(1.0 + alone + PLAIN.tool_ms / 1000)
    assert gives_up_after((1.0, WORKING), (7.0, DONE)) == pytest.approx(7.0 + alone)


def test_the_tools_of_other_replies_give_no_time() -> None:
    assert gives_up_after((1.0, on.ToolStarted(1, "confirm"))) == pytest.approx(8.0)
