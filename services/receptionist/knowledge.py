"""Answers to questions of fact, out of the agent file. '' where the file does not say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from services.receptionist.agent import Agent, Service
from services.receptionist.calendar.times import listed
from services.receptionist.hours import answer_hours
from services.receptionist.numbers import read_aloud
from services.receptionist.understanding.intents import Intent
from services.receptionist.understanding.lexicon import Want

_MOST_LISTED = 6
_PRICE_OF = re.compile(
    r"\b(?:how much (?:is|are|for|does|do|would|will)"
    r"|(?:prices?|costs?|charge|fees?) (?:of|for)) (.+)"
)
_ALL = frozenset(
    """a all and any be charge cost costs do does each everything fees for get here i it my of offer
    one pay per prices rates services some something that the them these they things this those to
    treatments usually visit we you your""".split()  # noqa: SIM905
)
"""Words that name no service of their own: "How much do you charge for your treatments?"."""


def answer(agent: Agent, want: Want, now: datetime) -> str:
    """The answer to a fact that was asked for; ``now`` is aware."""
    return _ANSWERS[want.intent](agent, want, now)


def emergency(agent: Agent) -> str:
    """What is said at once when somebody seems to be in danger."""
    if agent.emergency.line:
        return agent.emergency.line
    number = agent.emergency.number
    spoken = " ".join(number) if number.isdigit() else number or "your local emergency number"
    return f"Please hang up and call {spoken} right now. I'm an automated line and can't send help."


def _hours(agent: Agent, want: Want, now: datetime) -> str:
    return answer_hours(want.words, agent.schedule, now) if agent.schedule.is_known else ""


def _address(agent: Agent, want: Want, now: datetime) -> str:
    return f"We're at {_ended(agent.business.address)}" if agent.business.address else ""


def _directions(agent: Agent, want: Want, now: datetime) -> str:
    known = (_address(agent, want, now), agent.business.directions)
    return " ".join(_ended(part) for part in known if part)


def _phone(agent: Agent, want: Want, now: datetime) -> str:
    if not agent.business.phone:
        return ""
    return f"Our number is {read_aloud(agent.business.phone, agent.business.country)}."


def _email(agent: Agent, want: Want, now: datetime) -> str:
    return f"Our e-mail address is {agent.business.email}." if agent.business.email else ""


def _faq(agent: Agent, want: Want, now: datetime) -> str:
    return agent.fill(want.faq.answer) if want.faq else ""


def _services(agent: Agent, want: Want, now: datetime) -> str:
    if want.services:
        yes = "Yes, we do. " if re.search(r"\bdo you (?:do|offer|have)\b", want.words) else ""
        return yes + " ".join(map(_service, want.services))
    if not agent.services:
        return ""
    shown = [_in_list(service) for service in agent.services[:_MOST_LISTED]]
    more = len(agent.services) > _MOST_LISTED
    is_other = (asked := _PRICE_OF.search(want.words)) and not _ALL.issuperset(asked[1].split())
    unknown = "I don't have a price for that. " if is_other else ""
    return f"{unknown}We offer {listed([*shown, 'more'] if more else shown)}."


def _service(service: Service) -> str:
    parts = [f"is {service.price}"] if service.price else []
    parts += [f"takes {_duration(service.minutes)}"] if service.minutes else []
    said = (
        f"{service.name} {listed(parts)}." if parts else f"We offer {_uncapitalised(service.name)}."
    )
    return f"{said} {service.description}".strip()


def _in_list(service: Service) -> str:
    name = _uncapitalised(service.name)
    return f"{name} for {service.price}".replace("for from", "from") if service.price else name


def _duration(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if rest or not hours:
        return f"about {minutes} minutes"
    return "about an hour" if hours == 1 else f"about {hours} hours"


def _uncapitalised(name: str) -> str:
    """As inside of a sentence; abbreviations stay as they are."""
    is_abbreviation = name[1:2].isupper()
    return name if is_abbreviation else name[:1].lower() + name[1:]


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


_ANSWERS: dict[Intent, Callable[[Agent, Want, datetime], str]] = {
    Intent.HOURS: _hours,
    Intent.ADDRESS: _address,
    Intent.DIRECTIONS: _directions,
    Intent.PHONE: _phone,
    Intent.EMAIL: _email,
    Intent.SERVICES: _services,
    Intent.FAQ: _faq,
}
