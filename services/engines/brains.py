"""Who thinks: the brain of a call, and the others that answer when it is late or fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from services.call.effects import Purpose, Turn
from services.engines import CallBrief
from services.engines.checks import Check, openai_check
from services.engines.shared import Shared
from services.engines.tool_work import ToolWork
from services.engines.wanted import EngineSettings, if_it_fails, is_openai, thinks
from services.llm import Brain, BrainEvent, Line
from services.llm.chain import BrainChain
from services.llm.faq import AnswersAhead, Known, KnownAnswers, lines_ahead
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.llm.openai_stream import Usage
from services.llm.race import Link
from services.llm.scripted import ScriptedBrain
from services.receptionist.agent import Agent
from services.receptionist.prompt import Prompt
from services.receptionist.tools import ToolRequest
from services.receptionist.understanding.lexicon import Heard, Lexicon
from services.vendors import Reports
from services.vendors.openai_errors import is_openai_host
from services.vendors.openai_models import no_effort


@dataclass(frozen=True, slots=True)
class Brains:
    """How a call gets its brain: ``open(brief, work, reports)``. ``ahead`` are answers to be
    rendered before anybody asks; ``report`` is for people; ``checks`` are for the start."""

    open: Callable[[CallBrief, ToolWork, Reports], Brain]
    report: str
    ahead: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A model and where it is; ``setting`` and ``key_setting`` are what people know them by."""

    model: str
    key: str
    base_url: str
    setting: str = "OPENAI_MODEL"
    key_setting: str = "OPENAI_API_KEY"


def make_brains(settings: EngineSettings, agent: Agent, shared: Shared) -> Brains:
    """The chosen brain with those that stand in for it. Raises NotConfigured."""
    name, why = thinks(settings, agent.engines)
    zone = agent.business.timezone

    def now() -> datetime:
        return datetime.now(zone)

    lexicon, ahead = Lexicon(agent), tuple(lines_ahead(agent)) if settings.faq_ahead else ()
    if name == "scripted":

        def open_script(brief: CallBrief, work: ToolWork, reports: Reports) -> Brain:
            script = ScriptedBrain(agent, now, brief.caller, lexicon, _greeting(agent, brief))
            return Reciting(script, ahead) if ahead else script

        return Brains(open_script, f"a script over the agent's file ({why})", ahead)
    models = _Models(settings, agent, shared, now)
    known = KnownAnswers(agent, lexicon) if settings.faq_ahead else _Plain(agent, lexicon)

    def open_one(brief: CallBrief, work: ToolWork, reports: Reports) -> Brain:
        greeting, usage = _greeting(agent, brief), Usage()
        script = ScriptedBrain(agent, now, brief.caller, lexicon, greeting)

        def chain(places: list[_Place]) -> BrainChain:
            links = [models.link(place, brief, work, reports, usage) for place in places]
            return BrainChain(links, script, reports, hedge_after_ms=settings.hedge_after_ms)

        main = chain(models.places)
        if models.cheap is None:
            return AnswersAhead(known, main) if settings.faq_ahead else main
        return AnswersAhead(known, main, chain([models.cheap, *models.places]))

    others = [*(place.model for place in models.places[1:]), "a script over the agent's file"]
    cheap = f", {models.cheap.model} for plain questions" if models.cheap else ""
    report = f"{models.places[0].model} ({why}){cheap}{if_it_fails(others)}"
    return Brains(open_one, report, ahead, models.checks)


def _greeting(agent: Agent, brief: CallBrief) -> str:
    """What a call that we make begins with; "" for one that comes in."""
    if brief.opening is not Purpose.OUTBOUND and not brief.purpose:
        return ""
    return f"{agent.line(Purpose.OUTBOUND)} {brief.purpose}".strip()


class _Plain(KnownAnswers):
    """Knows plain questions, and answers none itself."""

    def look_at(
        self, turns: Sequence[Turn], understand: Callable[[str], Heard] | None = None
    ) -> Known:
        return replace(super().look_at(turns, understand), answer="")


class Reciting:
    """A brain whose answers begin with lines that were rendered ahead: those come whole."""

    def __init__(self, brain: Brain, lines: Sequence[str]) -> None:
        self._brain = brain
        self._lines = lines

    def prepare(self, turns: Sequence[Turn]) -> None:
        self._brain.prepare(turns)

    async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        """Answer the last caller turn. See ``Brain``."""
        has_spoken = False
        async with aclosing(self._brain.respond(reply, turns)) as items:
            async for item in items:
                if isinstance(item, str) and not has_spoken:
                    has_spoken = True
                    if line := self._line_of(item):
                        yield Line(line)
                    item = item[len(line) :].lstrip()
                if item != "":
                    yield item

    def _line_of(self, text: str) -> str:
        """The longest line that is all of the text, or its first sentences; or nothing."""
        begins = [
            line
            for line in self._lines
            if text == line or (line.endswith((".", "!", "?")) and text.startswith(f"{line} "))
        ]
        return max(begins, key=len, default="")

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        """What the brain says."""
        return self._brain.unfinished(turns)


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
                self.places.append(_fallback(settings, model, elsewhere or base_url))
        faq_model = settings.openai_faq_model
        self.cheap = _Place(faq_model, key, base_url, "OPENAI_FAQ_MODEL") if faq_model else None
        self._effort = settings.openai_reasoning_effort
        self._first_token_ms = settings.first_token_ms
        self._shared = shared
        self._prompt = Prompt(agent)
        self._prompt.text(now())  # the first time takes some ms; let no caller wait for them
        self._now = now
        for place in self.places:  # so that there is something to warm
            shared.clients.openai(place.key, place.base_url)

    @property
    def checks(self) -> tuple[Check, ...]:
        """Whether the keys are taken and the models are known."""
        places = [*self.places, *([self.cheap] if self.cheap else [])]
        return tuple(
            openai_check(
                self._shared,
                place.key,
                place.base_url,
                place.model,
                place.setting,
                place.key_setting,
            )
            for place in places
        )

    def link(
        self, place: _Place, brief: CallBrief, work: ToolWork, reports: Reports, usage: Usage
    ) -> Link:
        """A model for one call."""
        client = self._shared.clients.openai(place.key, place.base_url)
        at_openai = is_openai_host(client.base_url.host)
        options = OpenAIOptions(
            place.model,
            reasoning_effort=self._effort or no_effort(place.model, at_openai),
            first_token_ms=self._first_token_ms,
        )
        brain = OpenAIBrain(
            client,
            options,
            self._prompt,
            self._now,
            brief.caller,
            reports,
            errand=brief.purpose,
            can_text=brief.can_text,
            notes=lambda: work.notes,
            usage=usage,
        )
        return Link(brain, self._shared.breaker(f"{place.base_url} {place.model}"))


def _fallback(settings: EngineSettings, model: str, place: str) -> _Place:
    """No vendor gets the key of another."""
    setting, own = "OPENAI_FALLBACK_MODEL", settings.openai_fallback_api_key
    if own:
        return _Place(model, own, place, setting, "OPENAI_FALLBACK_API_KEY")
    there, here = urlsplit(place).hostname, urlsplit(settings.openai_base_url).hostname
    if there == here or (is_openai_host(there) and is_openai_host(here)):
        return _Place(model, settings.openai_api_key, place, setting)
    return _Place(model, "none", place, setting, "OPENAI_FALLBACK_API_KEY, which is not set,")
