"""Who thinks with which keys, who thinks then, and what is said of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from services.call.effects import Speaker, Turn
from services.engines.brains import Reciting, make_brains
from services.engines.shared import Shared
from services.engines.tool_work import ToolWork
from services.llm import Brain, BrainEvent, EndCall, Line
from services.llm.faq import AnswersAhead, Known
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import Agent, Faq
from services.settings import Settings
from services.vendors import Reports
from tests.desks import BRIEF, FakeDesk
from tests.engines.chosen import DEEPGRAM, OLLAMA, OPENAI, agent, settings

WORK = ToolWork(FakeDesk())
OPENAI_URL, OLLAMA_URL = "https://api.openai.com", "http://localhost:11434"
SCRIPT = "a script over the agent's file"


class Saying(ScriptedBrain):
    """Says this, whatever it is asked."""

    def __init__(self, *items: BrainEvent) -> None:
        self._items = items

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        for item in self._items:
            yield item


def thinking(shared: Shared, chosen: Settings, who: Agent) -> tuple[str, list[str], list[str]]:
    """The brain's report, the models that are asked, and those for plain questions."""
    made = make_brains(chosen, who, shared)
    brain: Any = made.open(BRIEF, WORK, Reports())
    if isinstance(brain, ScriptedBrain):
        return made.report, [], []
    cheap = brain._cheap if isinstance(brain, AnswersAhead) else None
    main = brain._brain if isinstance(brain, AnswersAhead) else brain
    assert isinstance(main._last_resort, ScriptedBrain)
    links = [link.breaker.name for link in main._links]
    return made.report, links, [link.breaker.name for link in cheap._links] if cheap else []


def test_without_a_key_a_script_thinks(shared: Shared) -> None:
    assert thinking(shared, settings(DEEPGRAM), agent()) == (f"{SCRIPT} (no key is set)", [], [])


def test_at_openai_a_second_model_stands_by(shared: Shared) -> None:
    report, links, cheap = thinking(shared, settings(OPENAI), agent())
    assert report == (
        f"gpt-5.4-mini (OPENAI_API_KEY is set); if it fails, gpt-5.6-luna, then {SCRIPT}"
    )
    assert links == [f"{OPENAI_URL} gpt-5.4-mini", f"{OPENAI_URL} gpt-5.6-luna"]
    assert cheap == []


def test_another_server_is_not_asked_for_openais_models(shared: Shared) -> None:
    report, links, _ = thinking(shared, settings(OLLAMA), agent())
    assert report == f"llama3 (OPENAI_API_KEY is set); if it fails, {SCRIPT}"
    assert links == [f"{OLLAMA_URL} llama3"]


def test_the_fallback_model_may_be_elsewhere_and_take_another_key(shared: Shared) -> None:
    chosen = settings(
        OLLAMA,
        openai_fallback_base_url="https://llm.example.com/v1",
        openai_fallback_model="big",
        openai_fallback_api_key="other",
    )
    report, links, _ = thinking(shared, chosen, agent())
    assert report == f"llama3 (OPENAI_API_KEY is set); if it fails, big, then {SCRIPT}"
    assert links == [f"{OLLAMA_URL} llama3", "https://llm.example.com/v1 big"]
    assert shared.clients.openai("other", "https://llm.example.com/v1").api_key == "other"


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://llm.example.com/v1", "none"),
        ("https://api.openai.com.example.org", "none"),
        ("https://eu.api.openai.com/v1", "oa-key"),
        ("https://api.openai.com/v2", "oa-key"),
    ],
)
def test_a_key_is_not_sent_to_another_vendor(shared: Shared, url: str, key: str) -> None:
    chosen = settings(OPENAI, openai_fallback_base_url=url, openai_fallback_model="big")
    thinking(shared, chosen, agent())
    keys = {one for one, place in shared.clients._openai if place == url}
    assert keys == {key}


def test_plain_questions_may_go_to_a_cheaper_model_with_the_others_behind_it(
    shared: Shared,
) -> None:
    _, links, cheap = thinking(shared, settings(OPENAI, openai_faq_model="nano"), agent())
    assert cheap == [f"{OPENAI_URL} nano", *links]


def test_an_agents_answers_are_rendered_ahead_if_that_is_wanted(
    shared: Shared,
) -> None:
    known = Faq(("Do you take cards?",), "Yes, at {business} we do.")
    who = replace(agent(), faq=(known,))
    ahead = make_brains(settings(OPENAI), who, shared).ahead
    assert "Yes, at Bright Smile Dental we do." in ahead
    assert make_brains(settings(OPENAI, faq_ahead=False), who, shared).ahead == ()
    assert make_brains(settings(), who, shared).ahead == ahead
    assert make_brains(settings(faq_ahead=False), who, shared).ahead == ()


def said(brain: Brain, *turns: Turn) -> list[BrainEvent]:
    async def work() -> list[BrainEvent]:
        brain.prepare(turns)
        return [item async for item in brain.respond(1, turns)]

    return asyncio.run(work())


def test_the_script_says_a_rendered_answer_as_a_line_and_the_rest_after_it(shared: Shared) -> None:
    answer = "Yes, at Bright Smile Dental we do."
    who = replace(agent(), faq=(Faq(("Do you take cards?",), answer),))
    asked = Turn(Speaker.CALLER, "Do you take cards?")
    line, rest = said(make_brains(settings(), who, shared).open(BRIEF, WORK, Reports()), asked)
    assert line == Line(answer)
    plain = make_brains(settings(faq_ahead=False), who, shared).open(BRIEF, WORK, Reports())
    assert said(plain, asked) == [f"{answer} {rest}"]


def test_what_only_begins_like_a_line_is_no_line() -> None:
    brain = Reciting(Saying("We do not. Really.", "We do. So it is."), ["We do", "We do."])
    assert said(brain) == ["We do not. Really.", "We do. So it is."]


def test_the_longest_line_with_which_an_answer_begins_is_one() -> None:
    assert said(Reciting(Saying("We do. So it is. Or not."), ["We do.", "We do. So it is."])) == [
        Line("We do. So it is."),
        "Or not.",
    ]
    assert said(Reciting(Saying("We do"), ["We do"])) == [Line("We do")]
    assert said(Reciting(Saying("We do.", EndCall()), ["We do."])) == [Line("We do."), EndCall()]


def test_without_answers_ahead_plain_questions_still_go_to_the_cheaper_model(
    shared: Shared,
) -> None:
    chosen = settings(OPENAI, openai_faq_model="nano", faq_ahead=False)
    report, links, cheap = thinking(shared, chosen, agent())
    assert cheap == [f"{OPENAI_URL} nano", *links]
    assert report == (
        "gpt-5.4-mini (OPENAI_API_KEY is set), nano for plain questions; "
        f"if it fails, gpt-5.6-luna, then {SCRIPT}"
    )
    who = replace(agent(), faq=(Faq(("Do you take cards?",), "Yes, we do."),))
    opened: Any = make_brains(chosen, who, shared).open(BRIEF, WORK, Reports())
    asked = (Turn(Speaker.CALLER, "Do you take cards?"),)
    assert opened._known.look_at(asked) == Known("", is_plain=True)


@pytest.mark.parametrize("name", ["none", "None", " none "])
def test_the_fallback_model_can_be_done_without(shared: Shared, name: str) -> None:
    report, links, _ = thinking(shared, settings(OPENAI, openai_fallback_model=name), agent())
    assert report == f"gpt-5.4-mini (OPENAI_API_KEY is set); if it fails, {SCRIPT}"
    assert links == [f"{OPENAI_URL} gpt-5.4-mini"]


def test_a_slow_model_is_given_the_time_that_is_set(shared: Shared) -> None:
    brain: Any = make_brains(settings(OLLAMA, first_token_ms=9000), agent(), shared).open(
        BRIEF, WORK, Reports()
    )
    (link,) = brain._brain._links
    assert link.brain._options.first_token_ms == 9000
