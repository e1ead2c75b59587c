"""The scripted brain in conversation: answers, messages, and no memory but the turns.

The agent's turns go into the history as they were said, unless a test says that less was heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.call.effects import Purpose, Speaker, Turn
from services.call.words.readiness import Expectation
from services.llm import Asks, BrainEvent, EndCall, TakeMessage
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import Agent, Business, load_agent

AGENT = load_agent(Path(__file__).parent.parent.parent / "agents" / "receptionist.toml")
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=AGENT.business.timezone)  # a Tuesday
CALLER = "+15551234567"
ALL = "all"
"""The whole of an agent's turn was heard."""


def brain(agent: Agent = AGENT, caller: str = CALLER) -> ScriptedBrain:
    return ScriptedBrain(agent, lambda: NOW, caller)


async def respond(turns: Sequence[Turn], of: ScriptedBrain | None = None) -> list[BrainEvent]:
    return [event async for event in (of or brain()).respond(1, turns)]


def said(events: Sequence[BrainEvent]) -> str:
    return "".join(event for event in events if isinstance(event, str))


def caller(text: str) -> Turn:
    return Turn(Speaker.CALLER, text)


def heard(text: str) -> Turn:
    return Turn(Speaker.AGENT, text)


class Call:
    """A call in the making, with a brain that is new for each turn: it must not need its memory."""

    def __init__(self, number: str = CALLER, agent: Agent = AGENT) -> None:
        self.turns = [heard(agent.line(Purpose.GREETING))]
        self.events: list[BrainEvent] = []
        self._agent = agent
        self._number = number

    async def say(self, text: str, hears: str = ALL) -> str:
        """The caller's next turn; the answer, of which the caller hears that much."""
        self.turns.append(caller(text))
        self.events = await respond(self.turns, brain(self._agent, self._number))
        answer = said(self.events)
        if hears:
            self.turns.append(heard(answer if hears == ALL else hears))
        return answer

    @property
    def message(self) -> TakeMessage | None:
        taken = [event for event in self.events if isinstance(event, TakeMessage)]
        assert len(taken) <= 1
        return taken[0] if taken else None

    @property
    def hangs_up(self) -> bool:
        return any(isinstance(event, EndCall) for event in self.events)

    def left(self) -> TakeMessage | None:
        return brain(self._agent, self._number).unfinished(self.turns)


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
            "Maria isn't available on this line and I can't put calls through",
        ),
        ("operator", "I can't put calls through. Would you like to leave a message for the team?"),
        ("can I make an appointment", "I can't book or change appointments yet."),
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
        ("I have chest pain", "Please hang up and call 9 1 1 right now."),
        (
            "purple monkey",
            "Sorry, I didn't understand that. You can ask me about our opening hours",
        ),
        ("0", "I can't put calls through."),
        ("5558675309", "Is that your number?"),
    ],
)
async def test_one_question(question: str, answer: str) -> None:
    call = Call()
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
    call = Call()
    answers = [await call.say(text) for text in ("purple", "monkey", "dish", "washer")]
    assert all(one != other for one, other in zip(answers, answers[1:], strict=False))
    assert "take a message" in answers[1]
    assert "What's the message?" in await call.say("yes")


async def test_repeat_after_a_miss_leaves_out_the_miss() -> None:
    call = Call()
    await call.say("purple monkey")
    assert (await call.say("What?")).startswith("Sure. You can ask me about our opening hours")


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
    call = Call()
    await call.say("Can I talk to a person?")
    assert await call.say("no thanks") == "All right. Anything else?"
    assert not call.hangs_up
    await call.say("no")
    assert call.hangs_up


# --- messages -------------------------------------------------------------------------------------


async def test_a_message_from_beginning_to_end() -> None:
    call = Call()
    assert "What's the message?" in await call.say("I'd like to leave a message")
    assert "What's your name" in await call.say("My crown came off.")
    assert "Is the number you're calling from the best one" in await call.say("It's Bob Smith.")
    read_back = await call.say("yes")
    assert "Your message is: My crown came off. Your name is Bob Smith." in read_back
    assert "Your number is 5 5 5, 1 2 3, 4 5 6 7. Is that right?" in read_back
    assert call.message is None
    assert "Thank you, Bob Smith." in await call.say("Yes, that's right.")
    assert call.message == TakeMessage("Bob Smith", CALLER, "My crown came off.")
    await call.say("Are you open on Sunday?")
    assert call.message is None
    assert call.left() is None


async def test_plain_sentences_fill_the_form() -> None:
    call = Call()
    await call.say("Can I leave a message?")
    await call.say("Please try your call again later.")
    assert "calling from" in await call.say("My name is Anna Miller.")
    assert "Anna Miller" in await call.say("Yes, that is right.")
    await call.say("Yes, that is right.")
    assert call.message == TakeMessage("Anna Miller", CALLER, "Please try your call again later.")


async def test_a_message_for_somebody_with_another_number_and_a_question_between() -> None:
    call = Call()
    assert "message for Maria?" in await call.say("Can I speak to Maria?")
    assert "What would you like me to tell Maria?" in await call.say("Yes please")
    aside = await call.say("Wait, are you open on Sunday?")
    assert aside.startswith("No, we're closed on Sundays. Now, back to your message.")
    await call.say("It's about my bill.")
    assert await call.say("hold on") == "Take your time."
    await call.say("Anna")
    assert "What number should we call?" in await call.say("no")
    assert await call.say("five five five") == "Go on."
    assert "I have 5 5 5 so far. What's the rest?" in await call.say("bla bla")
    assert "5 5 5, 8 6 7, 5 3 0 9" in await call.say("eight six seven five three oh nine")
    assert "What should I change" in await call.say("no")
    assert "What's your name" in await call.say("the name")
    await call.say("Hannah")
    await call.say("yes thanks, bye")
    assert call.message == TakeMessage("Hannah", "5558675309", "For Maria: It's about my bill.")
    assert call.hangs_up


async def test_keys_of_the_telephone_give_the_number() -> None:
    call = Call("anonymous")
    await call.say("leave a message")
    await call.say("Please call me")
    assert "What number should we call?" in await call.say("Bob")
    assert "That's too long" in await call.say("5558675309123456789")
    assert "Is that right?" in await call.say("5558675309")
    await call.say("correct")
    assert call.message == TakeMessage("Bob", "5558675309", "Please call me")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ("Tell Maria I'll be late", TakeMessage("Bob", CALLER, "For Maria: I'll be late")),
        ("can I leave a message that I'm sick", TakeMessage("Bob", CALLER, "I'm sick")),
    ],
)
async def test_a_message_given_at_once_is_not_asked_for(
    request_: str, message: TakeMessage
) -> None:
    call = Call()
    assert "What's your name" in await call.say(request_)
    for text in ("Bob", "yes", "yes"):
        await call.say(text)
    assert call.message == message


async def test_all_in_one_breath() -> None:
    call = Call()
    text = "This is Bob Lee, could someone call me back at 555 222 3333 about my bill?"
    assert "Your name is Bob Lee. Your number is 5 5 5, 2 2 2, 3 3 3 3." in await call.say(text)
    await call.say("no, my number is 555 222 3334")
    await call.say("yes and are you open on Sunday")
    assert call.message == TakeMessage("Bob Lee", "5552223334", text)
    assert "closed on Sundays" in said(call.events)


async def test_a_wish_to_book_becomes_a_message() -> None:
    call = Call()
    await call.say("I'd like to book a cleaning on Tuesday")
    assert "What's your name" in await call.say("okay")
    for text in ("Anna", "yes", "yes"):
        await call.say(text)
    assert call.message is not None
    assert call.message.message == "Appointment request: I'd like to book a cleaning on Tuesday"


async def test_a_wish_without_a_time_is_asked_for() -> None:
    call = Call()
    await call.say("I'd like to book a cleaning")
    assert "when would suit you?" in await call.say("yes")
    await call.say("A cleaning")
    assert "I've added that. What's your name" in await call.say("next Tuesday at ten")
    for text in ("Anna", "yes", "yes"):
        await call.say(text)
    assert call.message is not None
    assert call.message.message == "Appointment request: A cleaning next Tuesday at ten"


@pytest.mark.parametrize("refusal", ["I don't have one", "None.", "I'd rather not"])
async def test_no_number_to_give(refusal: str) -> None:
    call = Call("")
    for text in ("leave a message", "Your door is open", "Bob"):
        await call.say(text)
    assert await call.say("Um.") == "I'm listening. What number should we call?"
    assert "Is that right?" in await call.say(refusal)
    await call.say("yes")
    assert call.message == TakeMessage("Bob", "", "Your door is open")


async def test_a_wrong_number_in_the_read_back_is_put_right() -> None:
    call = Call()
    for text in ("leave a message", "My crown came off", "Bob", "yes"):
        await call.say(text)
    assert "What number should we call?" in await call.say("wrong number")
    assert not call.hangs_up


async def test_a_number_typed_at_first_is_not_asked_for_again() -> None:
    call = Call()
    for text in ("5558675309", "yes", "Please call me"):
        await call.say(text)
    assert "Your number is 5 5 5, 8 6 7, 5 3 0 9." in await call.say("Bob")


async def test_cancelling_a_message() -> None:
    call = Call()
    await call.say("leave a message")
    await call.say("My invoice is wrong")
    assert await call.say("never mind") == "Okay, no message. Anything else?"
    assert call.left() is None


async def test_number_and_name_may_be_kept_back() -> None:
    call = Call("")
    await call.say("leave a message")
    await call.say("Your door is open")
    for text in ("I'd rather not say", "no"):
        await call.say(text)
    assert "Is that right?" in said(call.events)
    await call.say("yes")
    assert call.message == TakeMessage("", "", "Your door is open")


async def test_answers_that_are_none_lead_out_of_every_question() -> None:
    call = Call()
    await call.say("leave a message")
    for _ in range(25):
        await call.say("bla bla")
        if call.message:
            break
    assert call.message is not None
    assert call.message.message == "bla bla"


async def test_what_was_begun_is_left_when_the_call_ends() -> None:
    call = Call()
    await call.say("leave a message for Maria")
    assert call.left() is None
    await call.say("My invoice is wrong")
    assert call.left() == TakeMessage("", "", "For Maria: My invoice is wrong", complete=False)
    assert "I'll pass on what I have." in await call.say("bye")
    assert call.hangs_up
    assert call.left() == TakeMessage("", "", "For Maria: My invoice is wrong", complete=False)


async def test_a_yes_that_nobody_answered_any_more_completes_the_message() -> None:
    call = Call()
    for text in ("leave a message", "My crown came off", "Bob", "yes"):
        await call.say(text)
    call.turns.append(caller("yes"))
    assert call.left() == TakeMessage("Bob", CALLER, "My crown came off")
    call.turns.append(heard("Thank you"))
    assert call.left() is None


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
    assert call.left() == TakeMessage("", "", "My crown came off", complete=False)


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
        assert sum(isinstance(event, TakeMessage) for event in events) <= 1
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
    assert left.message.startswith("my invoice is wrong")
    assert len(left.message) <= 3000


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
