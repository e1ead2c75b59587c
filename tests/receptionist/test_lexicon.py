"""What callers want: utterances as small recognisers write them, and the intents in them."""

from __future__ import annotations

import pytest

from services.receptionist.agent import Agent
from services.receptionist.understanding.intents import Intent
from services.receptionist.understanding.lexicon import Lexicon

I = Intent  # noqa: E741 - one letter keeps the table readable


@pytest.fixture(scope="module")
def lexicon(agent: Agent) -> Lexicon:
    return Lexicon(agent)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Hours?", [I.HOURS]),
        ("What are your ours", [I.HOURS]),
        ("hi, um, are you open on Sunday?", [I.HOURS]),
        ("What about Saturday?", [I.HOURS]),
        ("to-morrow", [I.HOURS]),
        ("I said Sunday", [I.HOURS]),
        ("Good Friday?", [I.HOURS]),
        ("And the fourth?", [I.HOURS]),
        ("what about Christmas Eve and New Year's", [I.HOURS]),
        ("how about Friday then", [I.HOURS]),
        ("Are you open Friday, Saturday and Sunday?", [I.HOURS]),
        ("what are your hours and where are you", [I.HOURS, I.ADDRESS]),
        ("What's your adress and phone number", [I.ADDRESS, I.PHONE]),
        ("how do I get there", [I.DIRECTIONS]),
        ("How do I get to your office? Is there parking?", [I.FAQ]),
        ("your e-mail please", [I.EMAIL]),
        ("how much is a cleaning", [I.SERVICES]),
        ("How much is teeth whitning?", [I.SERVICES]),
        ("do you do crowns", [I.SERVICES]),
        ("prices", [I.SERVICES]),
        ("Do you take insurance?", [I.FAQ]),
        ("insurance", [I.FAQ]),
        ("do you guys except credit cards", [I.FAQ]),
        ("do I need an appointment", [I.FAQ]),
        ("can I make an appointment", [I.BOOK]),
        ("I need a cleaning", [I.BOOK]),
        ("I'd like to book a cleaning on Tuesday", [I.BOOK]),
        ("I'd like to leave a message", [I.MESSAGE]),
        ("Can somebody call me back?", [I.MESSAGE]),
        ("Tell Maria I'll be late", [I.MESSAGE]),
        ("leave a message about my insurance", [I.MESSAGE]),
        ("Can I speak to Maria?", [I.PERSON]),
        ("is doctor Lee there", [I.PERSON]),
        ("Mario please", [I.PERSON]),
        ("operator", [I.PERSON]),
        ("Give me a human", [I.PERSON]),
        ("Is there someone I can talk to?", [I.PERSON]),
        ("can I talk to a real person", [I.PERSON]),
        ("am I talking to a real person", [I.ROBOT]),
        ("are you a robot", [I.ROBOT]),
        ("Who am I talking to?", [I.IDENTITY]),
        ("can you repeat that", [I.REPEAT]),
        ("Sorry, I didn't catch that.", [I.REPEAT]),
        ("can you repeat the address", [I.ADDRESS]),
        ("wait, just a second", [I.WAIT]),
        ("Wait, are you open on Sunday?", [I.HOURS]),
        ("never mind", [I.CANCEL]),
        ("thank you, bye", [I.GOODBYE]),
        ("What's your address? Thanks, bye.", [I.ADDRESS, I.GOODBYE]),
        ("no, thank you", [I.DONE]),
        ("that's all", [I.DONE]),
        ("thanks", [I.THANKS]),
        ("Hello?", [I.GREETING]),
        ("hello, can you hear me", [I.HEAR_ME]),
        ("great", [I.ACKNOWLEDGE]),
        ("what can you do", [I.HELP]),
        ("I'm calling about my bill", [I.MATTER]),
        ("I'm calling about your opening hours", [I.HOURS]),
        ("I have chest pain", [I.EMERGENCY]),
        ("My husband cannot breathe, what are your hours", [I.EMERGENCY]),
        ("no chest pain or anything, just tell me your address", [I.ADDRESS]),
        ("My husband is bleeding badly!", [I.EMERGENCY]),
        ("I can't stop the bleeding", [I.EMERGENCY]),
        ("she has trouble breathing", [I.EMERGENCY]),
        ("my son is choking", [I.EMERGENCY]),
        ("When can I come?", [I.HOURS]),
        ("Do you work weekends or evenings?", [I.HOURS]),
        ("How early do you open?", [I.HOURS]),
        ("good evening", [I.GREETING]),
        ("which town is that", [I.ADDRESS]),
        ("do you have a job opening", [I.MATTER]),
        ("I got a bill I don't understand", [I.MATTER]),
        ("I don't have insurance", [I.MATTER]),
        ("do you have any openings tomorrow", [I.BOOK]),
        ("have a nice evening", [I.GOODBYE]),
        ("thanks, have a great weekend", [I.GOODBYE]),
        ("sorry, wrong number", [I.GOODBYE]),
        ("I've got to go", [I.GOODBYE]),
        ("purple monkey dishwasher", []),
        ("You", []),
        ("", []),
    ],
)
def test_wants(lexicon: Lexicon, said: str, wanted: list[Intent]) -> None:
    assert [want.intent for want in lexicon.understand(said).wants] == wanted


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("where can I park my car", "free parking behind"),
        ("are you taking any new patience", "welcome new patients"),
        ("what's the wifi password", "waiting room"),
        ("can I pay with apple pay", "monthly payment plans"),
        ("do you see kids", "age of three"),
        ("is there an elevater", "step-free"),
    ],
)
def test_questions_of_the_file(lexicon: Lexicon, said: str, answer: str) -> None:
    (want,) = lexicon.understand(said).wants
    assert want.faq is not None
    assert answer in want.faq.answer


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("speak to mario", "Maria"),
        ("is dr lee in", "Dr. Lee"),
        ("susan lee", "Dr. Lee"),
        ("bob", None),
    ],
)
def test_people(lexicon: Lexicon, words: str, name: str | None) -> None:
    person = lexicon.person(words)
    assert (person.name if person else None) == name


def test_the_longest_name_of_a_service_counts(lexicon: Lexicon) -> None:
    (service,) = lexicon.services("do you do teeth whitening")
    assert service.name == "Teeth whitening"
    assert [one.name for one in lexicon.services("a crown and a dental cleaning")] == [
        "A cleaning",
        "A crown",
    ]
