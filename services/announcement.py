"""What the server says of itself when it listens: to whoever started it, in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from services.receptionist.agent import Agent
from services.receptionist.agent.work import Routing
from services.settings import Settings

EVERYWHERE = {"127.0.0.1", "::1", "0.0.0.0", "::"}
"""Addresses behind which this machine's browser finds us as localhost."""


class Announced(Protocol):
    """What there is to tell; see ``services.fleet``."""

    @property
    def agents(self) -> Mapping[str, Agent]: ...
    @property
    def report(self) -> Sequence[tuple[str, str]]: ...
    @property
    def problems(self) -> Sequence[str]: ...


def announcement(settings: Settings, fleet: Announced) -> str:
    """Who answers, where, with what, and what is wrong or missing."""
    host = "localhost" if settings.host in EVERYWHERE else settings.host
    webhook = f"{settings.public_url or 'https://YOUR-PUBLIC-HOST'}/voice-stream"
    lines = [
        "",
        _who(fleet.agents),
        f"  Talk page  http://{host}:{settings.port}/",
        f"  Twilio     {webhook}",
        "             (the number's webhook for 'A call comes in', HTTP POST)",
        *_rows(_agents(fleet.agents)),
        *_rows(fleet.report),
    ]
    if fleet.problems:
        rows = (row for problem in fleet.problems for row in problem.splitlines())
        lines += ["  Trouble:", *(f"    - {row}" for row in rows)]
    if missing := list(_missing(settings, fleet.agents.values())):
        lines += ["  Missing for production:", *(f"    - {item}" for item in missing)]
    return "\n".join([*lines, ""])


def _who(agents: Mapping[str, Agent]) -> str:
    if len(agents) == 1:
        (agent,) = agents.values()
        return f"{agent.business.name} is answering calls."
    return f"{len(agents)} agents are answering calls."


def _agents(agents: Mapping[str, Agent]) -> Iterator[tuple[str, str]]:
    """Who answers which numbers; one agent without numbers answers all of them, anyway."""
    is_plain = len(agents) == 1 and not any(agent.numbers for agent in agents.values())
    for place, (agent_id, agent) in enumerate(agents.items()):
        if not is_plain:
            others = "all other numbers" if len(agents) > 1 else "all numbers"
            numbers = ", ".join(agent.numbers) or others
            part = "" if place else "Agents"
            yield part, f"{agent_id} ({agent.name}, {agent.business.name}): {numbers}"


def _rows(parts: Iterable[tuple[str, str]]) -> list[str]:
    return [f"  {part:<10} {text}" for part, text in parts]


def _missing(settings: Settings, agents: Iterable[Agent]) -> Iterator[str]:
    if not settings.public_url:
        yield "PUBLIC_URL: the https:// address under which Twilio reaches this server"
    if not settings.twilio_auth_token:
        yield "TWILIO_AUTH_TOKEN: without it anybody can call the webhook"
    has_account = settings.twilio_account_sid and settings.twilio_auth_token
    if not has_account and any(_records(agent.routing) for agent in agents):
        yield (
            "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: without them recordings cannot be fetched, "
            "so all calls are streamed, whatever [routing] says"
        )
    if not settings.console_password:
        yield "CONSOLE_PASSWORD: without it the talk page works on this machine only"


def _records(rules: Routing) -> bool:
    """Whether some calls are to be recorded turn by turn."""
    ways = (rules.path, rules.outside_hours)
    return "record" in ways or rules.record_share > 0 or bool(rules.record_numbers)
