"""The scripted brain in conversation: answers, messages, and no memory but the turns.

The agent's turns go into the history as they were said, unless a test says that less was heard.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.call.effects import Purpose
from services.call.words.readiness import Expectation
from services.llm import Asks
from services.receptionist.agent import Agent, Business
from services.receptionist.tools import Tool, ToolResult
from tests.desks import FakeDesk
from tests.llm.scripted_call import (
    AGENT,
    Call,
    brain,
    caller,
    heard,
    message,
    respond,
    said,
    used,
)

NOBODY = {Tool.TRANSFER_CALL: ToolResult("nobody", "")}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Are you open now?", "Yes, we're open now, until noon"),
        ("hi, um, are you open on Sunday?", "No, we're closed on Sundays. Anything else?"),
        ("what are your hours and where are you", "We're at 120 Market Street, Springfield."),
        ("How do I get there?", "next to the public library"),
        ("how much is a cleaning", "A cleaning is $110 and takes about 45 minutes."),
        ("do you do crowns", "Yes, we do. A crown is from $950"),
        ("what are your prices", "a filling from $160, teeth whitening for $300 and a crown"),
        ("do you take insurance", "We take Delta, Cigna"),
        ("what's your number and email", "5 5 5, 8 6 7, 5 3 0 9. Our e-mail address is hello@"),
        ("who am I talking to", "This is Ava. I'm the automated receptionist of Bright Smile"),
        ("are you a robot", "I'm a computer."),
        ("what can you do", "our opening hours, our address or our prices, or leave a message."),
        ("can you repeat that", "Sure. Thanks for calling Bright Smile Dental."),
        (
            "Can I speak to Mario?",
            "I can't put you through to Maria just now. Would you like to leave a message for",
        ),
        ("operator", "nobody can take your call just now. Would you like to leave a message for"),
        ("can I make an appointment", "Sure. What would you like to come in for?"),
        ("I'm calling about my bill", "I can't help with that myself. Shall I take a message"),
        ("wait, just a second", "Take your time."),
        ("Hello?", "Hello! How can I help you?"),
        ("um...", "I'm listening."),
        ("is this Bright Smile Dental", "I'm the automated receptionist of Bright Smile Dental."),
        ("Do you speak Spanish?", "I only speak English."),
        ("thanks", "You're welcome."),
        ("How much is a root canal?", "I don't have a price for that. We offer a check-up for $85"),
        ("how much are your treatments", "We offer a check-up for $85"),
        ("how much for a crown and a filling", "A crown is from $950"),
        ("how much for a crown and a filling", "A filling is from $160"),
        ("I would like to know", "Sure, go ahead."),
        ("How much is", "Sure, go ahead."),
        ("I have a question", "Sure, go ahead."),
        ("um, I was wondering if", "Sure, go ahead."),
        ("Can I ask you something?", "Sure, go ahead."),
        ("it hurts when I chew on the", "Sure, go ahead."),
        ("yes", "What would you like to know?"),
        ("no", "Okay. How can I help you?"),
        (
            "purple monkey",
            "Sorry, I didn't understand that. You can book an appointment, ask me about",
        ),
        ("0", "nobody can take your call just now"),
        ("5558675309", "Is that your number?"),
    ],
)
async def test_one_question(question: str, answer: str) -> None:
    call = Call(desk=FakeDesk(results=NOBODY))
    assert answer in await call.say(question)
    assert not call.hangs_up
    assert call.message is None


@pytest.mark.parametrize(
    "words", ["bye", "thank you, goodbye", "no, that's all", "have a nice day"]
)
async def test_goodbye_hangs_up(words: str) -> None:
    call = Call()
    assert "Goodbye!" in await call.say(words)
    assert call.hangs_up


async def test_an_answer_comes_before_the_goodbye() -> None:
    call = Call()
    answer = await call.say("What's your address? Thanks, bye.")
    assert answer.index("Market Street") < answer.index("Goodbye!")
    assert call.hangs_up


async def test_no_after_anything_else_is_goodbye() -> None:
    call = Call()
    await call.say("hours?")
    await call.say("No.")
    assert call.hangs_up


async def test_no_is_no_goodbye_if_the_question_was_not_heard() -> None:
    call = Call()
    await call.say("hours?", hears="We're open Monday to")
    assert await call.say("No.") == "Okay. How can I help you?"
    assert not call.hangs_up


async def test_repeat_says_all_that_was_meant_also_after_an_interruption() -> None:
    call = Call()
    answer = await call.say("Where are you?", hears="We're at")
    assert await call.say("Sorry, what was that?") == f"Sure. {answer}"
    assert await call.say("Can you say it again?") == f"Sure. {answer}"
    assert await call.say("no") == AGENT.goodbye


async def test_not_understood_is_never_said_twice_in_the_same_words() -> None:
    call = Call(desk=FakeDesk(results=NOBODY))
    answers = [await call.say(text) for text in ("purple", "monkey", "dish", "washer")]
    assert all(one != other for one, other in zip(answers, answers[1:], strict=False))
    assert "take a message" in answers[1]
    assert "What's the message?" in await call.say("yes")


async def test_repeat_after_a_miss_leaves_out_the_miss() -> None:
    call = Call()
    await call.say("purple monkey")
    assert (await call.say("What?")).startswith("Sure. You can book an appointment, ask me")


async def test_okay_after_okay_ends_the_call() -> None:
    call = Call()
    await call.say("hours?")
    assert await call.say("Okay.") == "Good. Anything else?"
    assert await call.say("Right.") == AGENT.goodbye
    assert call.hangs_up


@pytest.mark.parametrize("words", ["bye", "okay, thank you"])
async def test_after_the_goodbye_there_is_only_a_bye(words: str) -> None:
    call = Call()
    await call.say("bye")
    for _ in range(2):
        assert await call.say(words) == "Bye!"
        assert call.hangs_up


@pytest.mark.parametrize("words", ["wrong number", "I have to go"])
async def test_leaving(words: str) -> None:
    call = Call()
    assert await call.say(words) == AGENT.goodbye
    assert call.hangs_up


async def test_a_declined_offer() -> None:
    call = Call(desk=FakeDesk(results=NOBODY))
    await call.say("Can I talk to a person?")
    assert await call.say("no thanks") == "All right. Anything else?"
    assert not call.hangs_up
    await call.say("no")
    assert call.hangs_up


# --- the fold -------------------------------------------------------------------------------------


async def test_a_turn_that_goes_on_is_answered_as_one() -> None:
    call = Call("")
    for text in ("leave a message", "Call me", "Bob"):
        await call.say(text)
    begun = [*call.turns, caller("five five five")]
    assert "Go on." in said(await respond(begun, brain(caller="")))
    grown = [*call.turns, caller("five five five eight six seven five three oh nine")]
    assert "5 5 5, 8 6 7, 5 3 0 9" in said(await respond(grown, brain(caller="")))


async def test_turns_between_which_nothing_was_heard_are_one() -> None:
    apart = [caller("I'd like to know if you are open"), caller("on Sunday")]
    assert "closed on Sundays" in said(await respond(apart))


async def test_the_same_turns_give_the_same_answer_from_a_used_brain() -> None:
    used = brain()
    turns = [caller("leave a message"), heard("Sure, I can take a message."), caller("Hi it's me")]
    once = await respond(turns, used)
    await respond([caller("bye")], used)
    assert await respond(turns, used) == once == await respond(turns)


async def test_an_answer_cut_in_the_middle_keeps_the_place() -> None:
    call = Call()
    await call.say("leave a message", hears="Sure, I can")
    assert "What's your name" in await call.say("My crown came off", hears="Got")
    assert "Thanks, Bob." in await call.say("Bob", hears="Thanks, Bob. Is the")
    assert "Is that right?" in await call.say("yes", hears="Great. Your message is: My")
    await call.say("yes")
    assert call.message is not None


async def test_after_an_apology_the_caller_says_it_again() -> None:
    call = Call()
    await call.say("leave a message")
    await call.say("My crown came off", hears=AGENT.line(Purpose.APOLOGY))
    await call.say("My crown came off")
    assert call.left() == message("", "", "My crown came off", False)


async def test_after_are_you_still_there() -> None:
    call = Call()
    await call.say("hours?")
    call.turns.append(heard(AGENT.line(Purpose.IDLE_PROMPT)))
    assert await call.say("Yes.") == "Great. How can I help you?"
    await call.say("leave a message")
    call.turns.append(heard(AGENT.line(Purpose.IDLE_PROMPT)))
    assert await call.say("yes") == "I'm here. What's the message?"


async def test_a_brain_without_a_turn_still_speaks() -> None:
    assert said(await respond([])) == "How can I help you?"
    assert brain().unfinished([]) is None


async def test_a_minimal_agent_says_what_it_does_not_know() -> None:
    bare = Agent("Ava", Business("Acme"))
    for question in ("hours?", "where are you?", "prices?", "what's your phone number", "email"):
        assert "I'm afraid I don't know that." in await Call(agent=bare).say(question)
    assert "You can leave a message." in await Call(agent=bare).say("purple monkey")
    assert "your local emergency number" in await Call(agent=bare).say("heart attack")


async def test_the_emergency_number_and_line_are_the_owners() -> None:
    other = replace(AGENT, emergency=replace(AGENT.emergency, number="112"))
    assert "call 1 1 2 right now" in await Call(agent=other).say("chest pain")
    own = replace(AGENT, emergency=replace(AGENT.emergency, line="Run!"))
    assert await Call(agent=own).say("chest pain") == "Run!"


WORDS = st.sampled_from(
    """hours message yes no bye what sunday repeat cancel maria bob 555 five 5558675309 cleaning
    wait hello who number name the insurance chest pain book appointment thanks ? . , and are you
    open tomorrow at 6 pm # * never mind speak to""".split()  # noqa: SIM905
)
UTTERANCE = st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=8).map(" ".join))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(UTTERANCE, st.integers(0, 120)), min_size=1, max_size=6))
def test_whatever_is_said_there_is_an_answer(exchange: list[tuple[str, int]]) -> None:
    """Any text, and any part of the answers heard: something to speak, at most one message."""
    one, turns = brain(), [heard(AGENT.line(Purpose.GREETING))]
    for text, heard_chars in exchange:
        turns.append(caller(text))
        events = asyncio.run(respond(turns, one))
        assert any(char.isalpha() for char in said(events))
        kept = [wish for wish in used(events) if wish.tool is Tool.TAKE_MESSAGE]
        assert len(kept) <= 1
        one.unfinished(turns)
        if answer := said(events)[:heard_chars].strip():
            turns.append(heard(answer))


async def test_a_turn_without_end_is_answered_and_kept_in_part() -> None:
    call = Call()
    assert "closed on Sundays" in await call.say("are you open on Sunday " + "bla " * 20_000)
    await call.say("leave a message")
    await call.say("my invoice is wrong " * 5_000)
    left = call.left()
    assert left is not None
    assert left["message"].startswith("my invoice is wrong")
    assert len(left["message"]) <= 3000


# --- what is asked for ----------------------------------------------------------------------------


def asked_for(call: Call) -> list[Expectation]:
    """What the brain says that its last answer asks for; it says so first."""
    found = [place for place, event in enumerate(call.events) if isinstance(event, Asks)]
    assert found in ([], [0])
    return [event.what for event in call.events if isinstance(event, Asks)]


async def test_each_question_of_a_message_says_what_it_asks_for() -> None:
    call = Call(number="anonymous")
    await call.say("I'd like to leave a message")
    assert asked_for(call) == [Expectation.FREE]
    await call.say("My crown came off.")
    assert asked_for(call) == [Expectation.NAME]
    await call.say("It's Bob Smith.")
    assert asked_for(call) == [Expectation.PHONE]
    await call.say("555 123")
    assert asked_for(call) == [Expectation.NUMBER], "the rest is no number of its own"
    await call.say("4567")
    assert asked_for(call) == [Expectation.YES_NO]
    await call.say("No, that's wrong.")
    assert asked_for(call) == [Expectation.FREE]
    await call.say("the name")
    assert asked_for(call) == [Expectation.NAME]
    await call.say("Bob Jones")
    assert asked_for(call) == [Expectation.YES_NO]
    await call.say("Yes.")
    assert asked_for(call) == []
    assert call.message is not None


async def test_whether_the_number_they_call_from_is_right_is_asked_as_yes_or_no() -> None:
    call = Call()
    await call.say("I'd like to leave a message")
    await call.say("My crown came off.")
    await call.say("It's Bob Smith.")
    assert asked_for(call) == [Expectation.YES_NO]
    await call.say("no")
    assert asked_for(call) == [Expectation.PHONE]


async def test_outside_a_message_the_words_have_to_tell_what_is_asked() -> None:
    call = Call()
    for text in ("hours?", "purple monkey", "bye"):
        await call.say(text)
        assert asked_for(call) == []
