"""Answers known ahead: the owner's questions need no model; in doubt the main brain answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from services.call.effects import Purpose, Speaker, Turn
from services.llm import BrainEvent, Line
from services.llm.faq import AnswersAhead, KnownAnswers, lines_ahead
from services.receptionist.agent import load_agent
from services.receptionist.tools import ToolRequest
from tests.desks import message

AGENT = load_agent(Path(__file__).parent.parent.parent / "agents" / "receptionist.toml")
KNOWN = KnownAnswers(AGENT)
GREETING = Turn(Speaker.AGENT, AGENT.line(Purpose.GREETING))
INSURANCE = "Yes, we do. We take Delta, Cigna, Aetna and MetLife, and we file the claim for you."


class Named:
    """A brain that says its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def prepare(self, turns: Sequence[Turn]) -> None: ...

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        yield self._name

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        return message(self._name)


async def answer(*turns: Turn | str, cheap: bool = True) -> BrainEvent:
    """The first item; a text is said by the caller."""
    known = [turn if isinstance(turn, Turn) else Turn(Speaker.CALLER, turn) for turn in turns]
    brain = AnswersAhead(KNOWN, Named("main"), Named("cheap") if cheap else None)
    return [item async for item in brain.respond(1, known)][0]


def agent(text: str) -> Turn:
    return Turn(Speaker.AGENT, text)


@pytest.mark.parametrize(
    "question",
    ["Do you take insurance?", "Hi, um, do you accept insurance?", "which insurance do you take"],
)
async def test_a_question_of_the_owner_is_answered_with_the_line_that_was_rendered_ahead(
    question: str,
) -> None:
    assert await answer(GREETING, question) == Line(INSURANCE)
    assert INSURANCE in lines_ahead(AGENT)


def test_each_answer_is_rendered_ahead_once_and_filled_in() -> None:
    lines = lines_ahead(AGENT)
    assert len(lines) == len(set(lines)) == len(AGENT.faq)
    assert not any("{" in line for line in lines)


@pytest.mark.parametrize(
    "turn",
    [
        "Do you take insurance? And are you open on Sunday?",
        "My husband has a special insurance from his work in Canada, do you take that?",
        "I'd like to leave a message",
        "I don't have insurance",
        "Do you take insurance, because my chest pain is killing me",
        "insurance company calling about an invoice that you sent us last week by mistake",
        "",
    ],
)
async def test_more_than_the_question_goes_to_the_main_brain(turn: str) -> None:
    assert await answer(GREETING, turn, cheap=False) == "main"


@pytest.mark.parametrize(
    ("before", "is_open"),
    [
        ("Is there anything else I can help you with?", True),
        ("We're open until five.", True),
        ("Thanks for calling Bright", True),  # the greeting, interrupted
        ("What's your name, please?", False),
        ("Let me read that back. Your mess", False),
        ("Would you like to leave a message?", False),
    ],
)
async def test_only_where_the_caller_may_speak_of_anything(before: str, is_open: bool) -> None:
    said = await answer(GREETING, "Hello", agent(before), "Do you take insurance?", cheap=False)
    assert (said == Line(INSURANCE)) is is_open


async def test_who_asks_the_same_again_is_not_given_the_same_line_again() -> None:
    again = "Do you take insurance?"
    assert await answer(GREETING, again, agent(INSURANCE), again, cheap=False) == "main"


@pytest.mark.parametrize(
    ("question", "brain"),
    [
        ("What time do you close today?", "cheap"),
        ("How much is a cleaning and where are you?", "cheap"),
        ("Can I book a cleaning for Monday?", "main"),
        ("I have a question about my bill", "main"),
        ("Tell me a joke", "main"),
    ],
)
async def test_plain_questions_of_fact_go_to_the_cheaper_model(question: str, brain: str) -> None:
    assert await answer(GREETING, question) == brain


async def test_without_a_cheaper_model_the_main_one_answers() -> None:
    assert await answer(GREETING, "What time do you close today?", cheap=False) == "main"


async def test_a_fact_in_the_middle_of_something_goes_to_the_main_brain() -> None:
    before = agent("Sure. What's the message?")
    assert await answer(GREETING, "A message", before, "When do you close?") == "main"


async def test_a_turn_in_several_parts_is_one_question() -> None:
    assert await answer(GREETING, "do you take", "insurance?") == Line(INSURANCE)


async def test_a_call_without_turns_goes_to_the_main_brain() -> None:
    assert await answer() == "main"


def test_the_main_brain_knows_what_is_unfinished() -> None:
    assert AnswersAhead(KNOWN, Named("main")).unfinished([]) == message("main")
