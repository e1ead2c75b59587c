"""Turns without long pauses: plain questions, one-word answers, long monologues."""

from __future__ import annotations

from benchmarks.conversation.script import Scene, turn

OPEN = "Yes, we are open until six."
WHEN = "Sure. For which day?"


def scenes() -> list[Scene]:
    """Each voice once with questions, words alone, and a long story."""
    return [*_plain(), *_one_word(), *_monologues()]


def _plain() -> list[Scene]:
    steps = (
        turn("Are you open today?", answer=OPEN),
        turn("Do you have parking?", answer="Yes, behind the house."),
        turn("I'd like to book a table for two people.", answer=WHEN, asks="date"),
        turn("Tomorrow evening at seven, please.", answer="Seven it is. Anything else?"),
        turn("No, that's all, thank you very much.", answer="Thank you. Goodbye."),
    )
    others = (
        turn("Hi, can you tell me how much a haircut costs?", answer="It is thirty dollars."),
        turn("And for children?", answer="It is fifteen dollars."),
        turn("Great. Is Anna working on Friday?", answer="She is, from ten to four."),
        turn("Then I'd like to come at noon.", answer="Noon on Friday. All right?", asks="yes_no"),
        turn("Yes, perfect.", answer="See you on Friday."),
    )
    human = (
        turn("hello", answer="Hello. What can I do for you?"),
        turn("Please try again.", answer="Of course."),
        turn("I'm afraid I don't know who sent this message", answer="Let me see."),
        turn("Thank you.", answer="You are welcome."),
        turn("goodbye", answer="Goodbye."),
    )
    return [
        *(Scene(f"plain-{voice}", "plain turns", steps, voice) for voice in ("heart", "low")),
        *(Scene(f"plain-{voice}", "plain turns", others, voice) for voice in ("high", "quick")),
        Scene("plain-human", "plain turns", human, "human"),
    ]


def _one_word() -> list[Scene]:
    ask = "Shall I book it?"
    steps = (
        turn("Yes.", answer="Is it for today?", asks="yes_no"),
        turn("No.", answer=WHEN, asks="date"),
        turn("Friday.", answer="In the morning?", asks="yes_no"),
        turn("Sure.", answer="How many people?"),
        turn("Four.", answer="And your name?", asks="name"),
        turn("Miller.", answer="Thank you."),
    )
    human = (
        turn("hours", answer="We are open until six. Which day?", asks="date"),
        turn("tomorrow", answer="Not Sunday?", asks="yes_no"),
        turn("no", answer="How many people?"),
        turn("five", answer="Where shall it be?"),
        turn("location", answer="We are on Main Street."),
        turn("agent", answer="I will put you through."),
    )
    return [
        *(
            Scene(f"one-word-{voice}", "one word", steps, voice, greeting=ask, asks="yes_no")
            for voice in ("heart", "low")
        ),
        Scene("one-word-human", "one word", human, "human"),
    ]


def _monologues() -> list[Scene]:
    story = turn(
        "So here is the thing. I ordered a chair from you three weeks ago, and it came on Monday.",
        0.4,
        "And when I opened the box, one of the legs was broken, right in the middle.",
        0.5,
        "Then I called the number on the box, and nobody answered, so I wrote an email, and",
        0.8,
        "well, nobody answered that one either, which I find a little strange.",
        0.5,
        "So what I want to know is whether you can send me another leg, or",
        0.6,
        "if I have to send the whole thing back.",
        answer="I am sorry to hear that. We will send you another leg.",
    )
    directions = turn(
        "We are coming from the north, with two cars, and there are seven of us in all.",
        0.3,
        "My mother can't walk very far, so we need to park near the door.",
        0.5,
        "And because it's her birthday, we thought of bringing a cake, if that's all right.",
        answer="That is fine. There is parking at the door.",
    )
    human = turn(
        "All of our representatives are currently busy. Please stay on the line and your call "
        "will be answered by the next available representative.",
        0.5,
        "Nobody is available to take your call at the moment",
        0.4,
        "Please try your call again later.",
        answer="I see. I will try again later.",
    )
    thanks = turn("Thank you.", answer="You are welcome.")
    return [
        Scene("monologue-heart", "monologues", (story, turn("Great, thanks."))),
        Scene("monologue-low", "monologues", (directions, story), "low"),
        Scene("monologue-quick", "monologues", (directions, turn("Good.")), "quick"),
        Scene("monologue-human", "monologues", (human, thanks), "human"),
    ]
