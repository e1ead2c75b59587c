"""The scripted brain puts callers through, and takes a message where nobody is there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.call.effects import Purpose
from services.call.events import AfterReply
from services.llm import UseTool
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import Agent, Business, TransferRule
from services.receptionist.tools import Tool, ToolResult
from tests.desks import FakeDesk
from tests.llm.office import BOOKING, Office
from tests.llm.scripted_call import AGENT, NOW, Call, brain, heard, respond, said, used

THROUGH = AGENT.line(Purpose.TRANSFER)
NOBODY = {Tool.TRANSFER_CALL: ToolResult("nobody", "")}
NOBODY_THERE = AGENT.line(Purpose.NOBODY_THERE)


@pytest.mark.parametrize(
    ("line", "person"),
    [
        ("Can I talk to a person?", "Maria"),
        ("operator", "Maria"),
        ("0", "Maria"),
        ("Can I speak to Dr. Lee please", "Dr. Lee"),
        ("put me through to Mario", "Maria"),
        ("is the dentist there", "Dr. Lee"),
    ],
)
async def test_a_person_by_wish(line: str, person: str) -> None:
    office = Office()
    call = office.call()
    assert await call.say(line) == THROUGH
    (wish,) = office.books.escalations.asked
    assert (wish.person, wish.by, wish.urgency, wish.reason) == (person, "caller", "normal", line)
    (use,) = [event for event in call.events if isinstance(event, UseTool)]
    assert use.result is not None
    assert use.result.then is AfterReply.TRANSFER
    assert not call.hangs_up


@pytest.mark.parametrize(
    "line", ["nice talking to you", "I was talking to my wife", "Who am I talking to?"]
)
async def test_nobody_is_rung_for_that(line: str) -> None:
    call = Office().call()
    await call.say(line)
    assert call.used == []


async def test_the_callers_name_is_told() -> None:
    office = Office()
    call = office.call()
    await call.tell(*BOOKING, ("can I talk to a person", THROUGH))
    assert office.books.escalations.asked[0].name == "Anna Miller"


async def test_nobody_is_there_and_a_message_is_offered() -> None:
    call = Call(desk=FakeDesk(results=NOBODY))
    answer = await call.say("Can I speak to Maria?")
    assert answer.endswith("Would you like to leave a message for Maria?")
    assert "What would you like me to tell Maria?" in await call.say("yes")


async def test_an_agent_without_anybody_uses_no_tool() -> None:
    call = Call(agent=Agent("Ava", Business("Acme")))
    assert "I can't put calls through." in await call.say("can I talk to a person")
    assert call.used == []


# --- rules, misunderstandings, emergencies --------------------------------------------------------


async def test_a_rule_puts_through_at_once_also_out_of_a_booking() -> None:
    office = Office()
    call = office.call()
    await call.tell(*BOOKING[:2], ("Listen, my lawyer will call you.", THROUGH))
    (wish,) = office.books.escalations.asked
    assert (wish.by, wish.urgency, wish.person) == ("rule", "high", "Maria")


async def test_a_rule_without_a_person_and_what_denies_it() -> None:
    rules = (TransferRule(("refund",)),)
    agent = replace(AGENT, transfers=replace(AGENT.transfers, rules=rules))
    office = Office(agent)
    await office.call().tell(("I don't want a refund", ""))
    assert office.books.escalations.asked == []
    await office.call().tell(("I want a refund", THROUGH))
    assert office.books.escalations.asked[0].by == "rule"


@pytest.mark.parametrize(("after_misses", "answers"), [(1, 0), (2, 1), (3, 2)])
async def test_who_is_not_understood_is_put_through(after_misses: int, answers: int) -> None:
    agent = replace(AGENT, transfers=replace(AGENT.transfers, after_misses=after_misses))
    office = Office(agent)
    call = office.call()
    for _ in range(answers):
        assert await call.say("purple monkey") != THROUGH
    assert await call.say("dishwasher") == THROUGH
    assert office.books.escalations.asked[0].by == "misunderstanding"


async def test_never_put_through_for_that_if_the_owner_wants_it_so() -> None:
    agent = replace(AGENT, transfers=replace(AGENT.transfers, after_misses=0))
    call = Office(agent).call()
    for _ in range(8):
        await call.say("purple monkey")
        assert call.used == []


async def test_an_emergency_is_answered_first_and_the_owner_told_then() -> None:
    office = Office()
    call = office.call()
    await call.say("My husband has chest pain")
    places = [type(event) for event in call.events]
    assert places == [str, UseTool], "the line is not delayed"
    assert call.message is not None
    assert call.message["urgent"] == "yes"
    assert office.books.messages.kept[0].text == "My husband has chest pain"
    await call.say("yes, chest pain")
    assert call.used == [], "once is enough"


async def test_an_emergency_that_is_put_through() -> None:
    agent = replace(AGENT, emergency=replace(AGENT.emergency, transfer=True))
    office = Office(agent)
    call = office.call()
    answer = await call.say("he is not breathing")
    assert answer.startswith("Please hang up and call 9 1 1 right now.")
    assert answer.endswith(THROUGH)
    (wish,) = office.books.escalations.asked
    assert (wish.by, wish.urgency) == ("emergency", "high")


async def test_an_emergency_that_nobody_can_take_becomes_an_urgent_message() -> None:
    agent = replace(AGENT, emergency=replace(AGENT.emergency, transfer=True))
    call = Call(agent=agent, desk=FakeDesk(results=NOBODY))
    assert "call 9 1 1" in await call.say("he is not breathing")
    assert call.used == [Tool.TRANSFER_CALL, Tool.TAKE_MESSAGE]


@pytest.mark.parametrize("transfer", [False, True])
async def test_an_emergency_after_which_the_caller_hangs_up_is_told_all_the_same(
    transfer: bool,
) -> None:
    agent = replace(AGENT, emergency=replace(AGENT.emergency, transfer=transfer))
    call = Office(agent).call()
    await call.cut("he is not breathing", tools=0)
    left = call.left()
    assert left is not None
    assert (left["message"], left["urgent"]) == ("he is not breathing", "yes")


# --- back from a transfer -------------------------------------------------------------------------


async def back(*lines: str, hears: str = NOBODY_THERE) -> Call:
    """A caller who was put through in vain: the same history, and a brain that knows no more."""
    first = Office().call()
    for line in lines:
        await first.say(line)
    call = Office().call()
    call.turns = [*first.turns, heard(hears)]
    return call


async def test_back_from_a_transfer_the_message_is_for_whom_they_wanted() -> None:
    call = await back("Can I talk to Dr. Lee?")
    assert "What would you like me to tell Dr. Lee?" in await call.say("yes please")
    for line in ("My crown came off", "Bob", "yes"):
        await call.say(line)
    await call.say("yes")
    assert call.message is not None
    assert call.message["message"] == "For Dr. Lee: My crown came off"


async def test_back_from_a_transfer_after_a_booking() -> None:
    call = await back(*(line for line, _ in BOOKING), "operator")
    assert await call.say("no") == "All right. Anything else?"
    assert (await call.say("no")).endswith("Goodbye!")
    assert call.used == []


@pytest.mark.parametrize("hears", [NOBODY_THERE, "I'm sorry, nobody could take your"])
async def test_back_from_a_transfer_the_message_may_be_told_at_once(hears: str) -> None:
    call = await back("operator", hears=hears)
    answer = await call.say("My tooth has been green since I ate the thing")
    assert "What's your name" in answer


# --- calls that we make ---------------------------------------------------------------------------

ASKS = f"{AGENT.line(Purpose.OUTBOUND)} Can you come at three instead of four tomorrow?"
TELLS = f"{AGENT.line(Purpose.OUTBOUND)} Your retainer is ready to be picked up."


def calling(greeting: str) -> Call:
    return Office().call(greeting=greeting)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("Hello?", "Hello. Can you come at three instead of four tomorrow?"),
        ("Who is this?", "This is Ava."),
        ("What was that?", f"Sure. {ASKS}"),
        ("bye", AGENT.goodbye),
        ("can I talk to a person", THROUGH),
    ],
)
async def test_what_is_said_to_a_call_of_ours(line: str, answer: str) -> None:
    assert answer in await calling(ASKS).say(line)


@pytest.mark.parametrize("line", ["Yes, that works.", "No, sorry.", "Only if the bus is early"])
async def test_the_answer_to_what_we_ask_is_passed_on(line: str) -> None:
    call = calling(ASKS)
    await call.say("hello")
    assert await call.say(line) == "Thank you, I'll pass that on. Anything else?"
    assert call.message is not None
    asked = "Can you come at three instead of four tomorrow?"
    assert call.message["message"] == f'Asked "{asked}", they said: {line}'
    await call.say("no")
    assert call.hangs_up


async def test_what_we_only_tell_needs_no_answer() -> None:
    call = calling(TELLS)
    assert await call.say("Okay, thank you.") == "Good. Anything else?"
    assert call.used == []
    assert await call.say("no") == AGENT.goodbye


async def test_the_same_turns_give_the_same_greeting() -> None:
    one = ScriptedBrain(AGENT, lambda: NOW, "", greeting=TELLS)
    turns = [heard(TELLS), *calling("").turns[:0]]
    assert said(await respond(turns, one)) == said(await respond(turns, brain(greeting=TELLS)))
    assert used(await respond(turns, one)) == []
