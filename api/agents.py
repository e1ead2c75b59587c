"""``/agents``: the agents of this server and the state of their files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.connection import Refused
from api.errors import errors
from api.fields import AgentId
from api.keys import ApiKeyGuard
from services.receptionist.agent import Agent
from services.receptionist.agents import validate_text

MAX_TOML_CHARS = 60_000


class Agents(Protocol):
    """The agents that answer, and the state of their files; see ``services.fleet``."""

    @property
    def agents(self) -> Mapping[str, Agent]: ...
    @property
    def file_problems(self) -> Mapping[str, Sequence[str]]: ...


class AgentItem(BaseModel):
    """An agent, as the list has it. `problems` is what is wrong with its file as it is now: the
    agent goes on as it was before."""

    id: str
    name: str
    business: str
    numbers: list[str]
    language: str
    problems: list[str]


class AgentList(BaseModel):
    """All agents, and what is wrong with files that are none."""

    items: list[AgentItem]
    problems: list[str]


class ServiceItem(BaseModel):
    """Something that is sold; with `minutes` it can be booked."""

    name: str
    price: str
    minutes: int


class AgentDetail(AgentItem):
    """An agent. `calendar` are the addresses of its calendar feed, one for each API key, with the
    feed's own key."""

    timezone: str
    services: list[ServiceItem]
    people: list[str]
    calendar: list[str]


class AgentText(BaseModel):
    """The text of an agent file."""

    model_config = ConfigDict(extra="forbid")
    toml: Annotated[str, StringConstraints(max_length=MAX_TOML_CHARS)] = Field(
        examples=['name = "Ava"\n\n[business]\nname = "Bright Smile"\n']
    )


class Validation(BaseModel):
    """Whether an agent file can be used. Each problem names the line, the key and what is
    expected there."""

    valid: bool
    problems: list[str] = Field(description="Empty if nothing is wrong.")


def build(guard: ApiKeyGuard, fleet: Agents) -> APIRouter:
    """The routes."""
    router = guard.router(tags=["agents"])

    @router.get("/agents")
    async def list_agents() -> AgentList:
        """All agents."""
        agents, problems = fleet.agents, fleet.file_problems
        items = [_item(each, agent, problems) for each, agent in sorted(agents.items())]
        others = [
            line for name in sorted(problems) if name not in agents for line in problems[name]
        ]
        return AgentList(items=items, problems=others)

    @router.post("/agents/validate")
    async def validate_agent(text: AgentText) -> Validation:
        """Check the text of an agent file; nothing is kept of it."""
        problems = await asyncio.to_thread(validate_text, "agent.toml", text.toml)
        return Validation(valid=not problems, problems=list(problems))

    @router.get("/agents/{agent_id}", responses=errors(404))
    async def get_agent(agent_id: AgentId) -> AgentDetail:
        """One agent."""
        agent = fleet.agents.get(agent_id)
        if agent is None:
            raise Refused(404, "no_such_agent", "There is no agent with this id; see GET /agents.")
        keys = guard.feed_keys(agent_id)
        return AgentDetail(
            **_item(agent_id, agent, fleet.file_problems).model_dump(),
            timezone=agent.business.timezone.key,
            services=[
                ServiceItem(name=each.name, price=each.price, minutes=each.minutes)
                for each in agent.services
            ],
            people=[person.name for person in agent.people],
            calendar=[f"/agents/{agent_id}/calendar.ics?key={key}" for key in keys],
        )

    return router


def _item(agent_id: str, agent: Agent, problems: Mapping[str, Sequence[str]]) -> AgentItem:
    return AgentItem(
        id=agent_id,
        name=agent.name,
        business=agent.business.name,
        numbers=list(agent.numbers),
        language=agent.engines.language,
        problems=list(problems.get(agent_id, ())),
    )
