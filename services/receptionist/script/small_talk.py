"""What the receptionist says about herself, and the small talk that keeps a call going."""

from __future__ import annotations

from services.receptionist.abilities import bookable
from services.receptionist.agent import Agent
from services.receptionist.calendar.times import listed
from services.receptionist.understanding.intents import Intent

ANYTHING_ELSE = "Anything else?"
HOW_CAN_I_HELP = "How can I help you?"
GO_AHEAD = "Sure, go ahead."
BYE = "Bye!"

_ABOUT_HERSELF = {
    Intent.IDENTITY: "This is {name}. I'm the automated receptionist of {business}.",
    Intent.LANGUAGE: "I'm sorry, I only speak English.",
    Intent.ROBOT: "I'm a computer. My name is {name}, and I answer calls for {business}.",
}
_SMALL_TALK = {
    Intent.CANCEL: f"No problem. {ANYTHING_ELSE}",
    Intent.HEAR_ME: f"Yes, I can hear you. {HOW_CAN_I_HELP}",
    Intent.HOW_ARE_YOU: f"I'm fine, thank you. {HOW_CAN_I_HELP}",
    Intent.THANKS: f"You're welcome. {ANYTHING_ELSE}",
    Intent.GREETING: f"Hello! {HOW_CAN_I_HELP}",
    Intent.ACKNOWLEDGE: f"Good. {ANYTHING_ELSE}",
}


def about_herself(agent: Agent, intent: Intent) -> str:
    """An honest answer to "Who are you?" and "Are you a robot?"."""
    return agent.fill(_ABOUT_HERSELF[intent])


def small_talk(agent: Agent, intent: Intent) -> str:
    """The answer to what asks for no fact and no action."""
    if intent is Intent.HELP:
        return f"Of course. {abilities(agent)} What would you like?"
    return _SMALL_TALK[intent]


def abilities(agent: Agent) -> str:
    """What callers can do on this line, in a sentence."""
    known = {
        "our opening hours": agent.schedule.is_known,
        "our address": agent.business.address,
        "our prices": any(service.price for service in agent.services),
    }
    topics = [name for name, is_known in known.items() if is_known]
    can = ["book an appointment"] if bookable(agent) else []
    can += [f"ask me about {listed(topics, ' or ')}"] if topics else []
    return f"You can {listed([*can, 'leave a message'], ', or ' if can else '')}."
