"""Who thinks: the brain of a call, and the others that answer when it is late or fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from services.engines.shared import Shared
from services.engines.wanted import EngineSettings, if_it_fails, is_openai, thinks
from services.llm import Brain
from services.llm.chain import BrainChain
from services.llm.faq import AnswersAhead, KnownAnswers, lines_ahead
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.llm.openai_stream import Usage
from services.llm.race import Link
from services.llm.scripted import ScriptedBrain
from services.llm.tools import CallNotes
from services.receptionist.agent import Agent
from services.receptionist.lexicon import Lexicon
from services.receptionist.prompt import Prompt
from services.vendors import Reports
from services.vendors.openai_errors import is_openai_host


@dataclass(frozen=True, slots=True)
class Brains:
    """How a call gets its brain: ``open(caller, reports)``. ``ahead`` are answers that shall be
    rendered before anybody asks; ``report`` is for people."""

    open: Callable[[str, Reports], Brain]
    report: str
    ahead: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A model and where it is."""

    model: str
    key: str
    base_url: str


def make_brains(settings: EngineSettings, agent: Agent, shared: Shared) -> Brains:
    """The chosen brain with those that stand in for it. Raises NotConfigured."""
    name, why = thinks(settings, agent.engines)
    zone = agent.business.timezone

    def now() -> datetime:
        return datetime.now(zone)

    lexicon = Lexicon(agent)
    if name == "scripted":
        return Brains(
            lambda caller, reports: ScriptedBrain(agent, now, caller, lexicon),
            f"a script over the agent's file ({why})",
        )
    models = _Models(settings, agent, shared, now)
    known = KnownAnswers(agent, lexicon) if settings.faq_ahead else None

    def open_one(caller: str, reports: Reports) -> Brain:
        script = ScriptedBrain(agent, now, caller, lexicon)
        notes, usage = CallNotes(), Usage()

        def chain(places: list[_Place]) -> BrainChain:
            links = [models.link(place, caller, reports, notes, usage) for place in places]
            hedge_ms = settings.hedge_after_ms
            return BrainChain(links, script, reports, notes=notes, hedge_after_ms=hedge_ms)

        main = chain(models.places)
        cheap = chain([models.cheap, *models.places]) if models.cheap else None
        return AnswersAhead(known, main, cheap) if known else main

    others = [*(place.model for place in models.places[1:]), "a script over the agent's file"]
    return Brains(
        open_one,
        f"{models.places[0].model} ({why}){if_it_fails(others)}",
        tuple(lines_ahead(agent)) if known else (),
    )


class _Models:
    """The models in the order in which they are asked; what calls share of them."""

    def __init__(
        self, settings: EngineSettings, agent: Agent, shared: Shared, now: Callable[[], datetime]
    ) -> None:
        key, base_url = settings.openai_api_key, settings.openai_base_url
        self.places = [_Place(settings.openai_model, key, base_url)]
        if model := settings.openai_fallback_model:
            elsewhere = settings.openai_fallback_base_url
            if elsewhere or is_openai(settings):  # its name means nothing to another server
                other_key = settings.openai_fallback_api_key or _key_for(elsewhere, key, base_url)
                self.places.append(_Place(model, other_key, elsewhere or base_url))
        faq_model = settings.openai_faq_model
        self.cheap = _Place(faq_model, key, base_url) if faq_model else None
        self._effort = settings.openai_reasoning_effort
        self._shared = shared
        self._prompt = Prompt(agent)
        self._prompt.text(now())  # the first time takes some ms; let no caller wait for them
        self._now = now
        for place in self.places:  # so that there is something to warm
            shared.clients.openai(place.key, place.base_url)

    def link(
        self, place: _Place, caller: str, reports: Reports, notes: CallNotes, usage: Usage
    ) -> Link:
        """A model for one call."""
        client = self._shared.clients.openai(place.key, place.base_url)
        at_openai = is_openai_host(client.base_url.host)
        options = OpenAIOptions(
            place.model, reasoning_effort=self._effort or _no_effort(place.model, at_openai)
        )
        brain = OpenAIBrain(
            client, options, self._prompt, self._now, caller, reports, notes=notes, usage=usage
        )
        return Link(brain, self._shared.breaker(f"{place.base_url} {place.model}"))


def _key_for(elsewhere: str, key: str, base_url: str) -> str:
    """The key for a fallback that has none of its own: no vendor gets the key of another."""
    there, here = urlsplit(elsewhere or base_url).hostname, urlsplit(base_url).hostname
    is_same = there == here or (is_openai_host(there) and is_openai_host(here))
    return key if is_same else "none"


def _no_effort(model: str, at_openai: bool) -> str:
    """``none`` for the models that reason and know it; others refuse the field."""
    knows_none = re.match(r"gpt-(5\.[1-9]|[6-9])", model)
    return "none" if at_openai and knows_none else ""
