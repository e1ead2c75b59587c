"""What the receptionist offers where she cannot help herself: to take a message, and which one."""

from __future__ import annotations

from dataclasses import dataclass

from services.receptionist.intents import Intent
from services.receptionist.lexicon import Heard, Want
from services.receptionist.message_form import MessageForm, Topic
from services.receptionist.numbers import spoken_digits
from services.receptionist.times import tells_a_time

_TELLS_THE_MATTER = 5
"""So many words or more are worth passing on as they are."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What to say, and the message that a yes begins."""

    text: str
    form: MessageForm | None = None


UNKNOWN_FACT = Offer(
    "I'm afraid I don't know that. Shall I take a message, so that we can call you back?",
    MessageForm(),
)
_NUMBER_ONLY = "Is that your number? I can take a message, and we'll call you back. Shall I?"


def instead_of(want: Want, heard: Heard) -> Offer:
    """Instead of putting a call through, booking, or dealing with a matter."""
    if want.intent is Intent.PERSON:
        return _instead_of_person(want.person.name if want.person else "")
    if want.intent is Intent.BOOKING:
        wish = heard.text.strip() if tells_a_time(want.words) else ""
        return Offer(
            "I can't book or change appointments yet. Shall I take a message with what you'd like?",
            MessageForm(topic=Topic.BOOKING, message=wish),
        )
    matter = heard.text.strip() if heard.length >= _TELLS_THE_MATTER else ""
    return Offer(
        "I can't help with that myself. Shall I take a message for the team?",
        MessageForm(message=matter),
    )


def _instead_of_person(name: str) -> Offer:
    if not name:
        text = (
            "I'm sorry, I can't put calls through. Would you like to leave a message for the team?"
        )
        return Offer(text, MessageForm())
    return Offer(
        f"I'm sorry, {name} isn't available on this line and I can't put calls through. "
        f"Would you like to leave a message for {name}?",
        MessageForm(recipient=name),
    )


def not_understood(heard: Heard, abilities: str, misses: int) -> Offer:
    """After ``misses`` turns in a row that were not understood either. Never the same twice."""
    digits = spoken_digits(heard.text)
    if digits == "0":
        return _instead_of_person("")
    if len(digits) >= 7:
        return Offer(_NUMBER_ONLY, MessageForm(digits=digits))
    if not misses:
        return Offer(f"Sorry, I didn't understand that. {abilities}")
    again = (
        "I'm still not sure what you mean. Would you like me to take a message for the team?",
        f"I'm sorry, I don't follow. {abilities} Shall I take a message?",
    )
    return Offer(again[(misses - 1) % 2], MessageForm())
