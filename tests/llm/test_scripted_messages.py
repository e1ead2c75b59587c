"""The scripted brain takes messages: whole talks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.receptionist.tools import Tool, ToolResult
from tests.desks import FakeDesk
from tests.llm.scripted_call import (
    AGENT,
    CALLER,
    Call,
    caller,
    heard,
    message,
    said,
)

WITHOUT_BOOKING = replace(AGENT, booking=replace(AGENT.booking, enabled=False))


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
    assert call.message == message("Bob Smith", CALLER, "My crown came off.")
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
    assert call.message == message("Anna Miller", CALLER, "Please try your call again later.")


async def test_a_message_for_somebody_with_another_number_and_a_question_between() -> None:
    call = Call(desk=FakeDesk(results={Tool.TRANSFER_CALL: ToolResult("nobody", "")}))
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
    assert call.message == message("Hannah", "5558675309", "For Maria: It's about my bill.")
    assert call.hangs_up


async def test_keys_of_the_telephone_give_the_number() -> None:
    call = Call("anonymous")
    await call.say("leave a message")
    await call.say("Please call me")
    assert "What number should we call?" in await call.say("Bob")
    assert "That's too long" in await call.say("5558675309123456789")
    assert "Is that right?" in await call.say("5558675309")
    await call.say("correct")
    assert call.message == message("Bob", "5558675309", "Please call me")


@pytest.mark.parametrize(
    ("request_", "kept"),
    [
        ("Tell Maria I'll be late", message("Bob", CALLER, "For Maria: I'll be late")),
        ("can I leave a message that I'm sick", message("Bob", CALLER, "I'm sick")),
    ],
)
async def test_a_message_given_at_once_is_not_asked_for(
    request_: str, kept: dict[str, str]
) -> None:
    call = Call()
    assert "What's your name" in await call.say(request_)
    for text in ("Bob", "yes", "yes"):
        await call.say(text)
    assert call.message == kept


async def test_all_in_one_breath() -> None:
    call = Call()
    text = "This is Bob Lee, could someone call me back at 555 222 3333 about my bill?"
    assert "Your name is Bob Lee. Your number is 5 5 5, 2 2 2, 3 3 3 3." in await call.say(text)
    await call.say("no, my number is 555 222 3334")
    await call.say("yes and are you open on Sunday")
    assert call.message == message("Bob Lee", "5552223334", text)
    assert "closed on Sundays" in said(call.events)


async def test_a_wish_to_book_becomes_a_message_where_nothing_can_be_booked() -> None:
    call = Call(agent=WITHOUT_BOOKING)
    await call.say("I'd like to book a cleaning on Tuesday")
    assert "What's your name" in await call.say("okay")
    for text in ("Anna", "yes", "yes"):
        await call.say(text)
    assert call.message is not None
    assert call.message["message"] == "Appointment request: I'd like to book a cleaning on Tuesday"


async def test_a_wish_without_a_time_is_asked_for() -> None:
    call = Call(agent=WITHOUT_BOOKING)
    await call.say("I'd like to book a cleaning")
    assert "when would suit you?" in await call.say("yes")
    await call.say("A cleaning")
    assert "I've added that. What's your name" in await call.say("next Tuesday at ten")
    for text in ("Anna", "yes", "yes"):
        await call.say(text)
    assert call.message is not None
    assert call.message["message"] == "Appointment request: A cleaning next Tuesday at ten"


@pytest.mark.parametrize("refusal", ["I don't have one", "None.", "I'd rather not"])
async def test_no_number_to_give(refusal: str) -> None:
    call = Call("")
    for text in ("leave a message", "Your door is open", "Bob"):
        await call.say(text)
    assert await call.say("Um.") == "I'm listening. What number should we call?"
    assert "Is that right?" in await call.say(refusal)
    await call.say("yes")
    assert call.message == message("Bob", "", "Your door is open")


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
    assert call.message == message("", "", "Your door is open")


async def test_answers_that_are_none_lead_out_of_every_question() -> None:
    call = Call()
    await call.say("leave a message")
    for _ in range(25):
        await call.say("bla bla")
        if call.message:
            break
    assert call.message is not None
    assert call.message["message"] == "bla bla"


async def test_what_was_begun_is_left_when_the_call_ends() -> None:
    call = Call()
    await call.say("leave a message for Maria")
    assert call.left() is None
    await call.say("My invoice is wrong")
    assert call.left() == message("", "", "For Maria: My invoice is wrong", False)
    assert "I'll pass on what I have." in await call.say("bye")
    assert call.hangs_up
    assert call.left() == message("", "", "For Maria: My invoice is wrong", False)


async def test_a_yes_that_nobody_answered_any_more_completes_the_message() -> None:
    call = Call()
    for text in ("leave a message", "My crown came off", "Bob", "yes"):
        await call.say(text)
    call.turns.append(caller("yes"))
    assert call.left() == message("Bob", CALLER, "My crown came off")
    call.turns.append(heard("Thank you"))
    assert call.left() is None
