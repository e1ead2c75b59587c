"""What an agent can do for callers, besides talking: by what its file says."""

from __future__ import annotations

from services.receptionist.agent import Agent, Person, Service


def bookable(agent: Agent) -> tuple[Service, ...]:
    """The services for which the agent makes appointments."""
    if not agent.booking.enabled:
        return ()
    return tuple(service for service in agent.services if service.minutes)


def reachable(agent: Agent) -> tuple[Person, ...]:
    """The people to whom callers can be put through."""
    return tuple(person for person in agent.people if person.number)


def can_transfer(agent: Agent) -> bool:
    """Whether there is anybody to whom callers can be put through."""
    return bool(agent.owner_phone or reachable(agent))
