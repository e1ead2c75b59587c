"""What the receptionist offers where she cannot help herself: to take a message, and which one."""

from __future__ import annotations

from dataclasses import dataclass

from services.receptionist.calendar.times import tells_a_time
from services.receptionist.numbers import spoken_digits
from services.receptionist.script.contact import Contact
from services.receptionist.script.message_form import MessageForm, Topic
from services.receptionist.understanding.intents import Intent
from services.receptionist.understanding.lexicon import Heard, Want

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
LOST = Offer("I'm sorry, I don't follow. Shall I take a message for the team?", MessageForm())
_NUMBER_ONLY = "Is that your number? I can take a message, and we'll call you back. Shall I?"


_WORTH = {
    Intent.LATE: (
        "Thanks for letting us know. Shall I pass that on to the team?",
        "All right. Shall I take a message about it?",
    ),
    Intent.COMPLAINT: (
        "I'm sorry to hear that. Shall I take a message for the team?",
        "I understand. I can pass that on, and somebody will deal with it. Shall I?",
    ),
    Intent.MATTER: ("I can't help with that myself. Shall I take a message for the team?",) * 2,
}


def instead_of(want: Want, heard: Heard, offered: MessageForm | None = None) -> Offer:
    """Instead of dealing with a matter, or with appointments where there are none to be made.
    ``offered``: what was offered before this, and is not taken up."""
    if want.intent not in _WORTH:
        wish = heard.text.strip() if tells_a_time(want.words) else ""
        return Offer(
            "I can't book or change appointments. Shall I take a message with what you'd like?",
            MessageForm(topic=Topic.BOOKING, message=wish),
        )
    matter = heard.text.strip() if heard.length >= _TELLS_THE_MATTER else ""
    before = offered.message if offered else ""
    return Offer(
        _WORTH[want.intent][offered is not None],
        MessageForm(message=f"{before} {matter}".strip()),
    )


def asks_for_operator(heard: Heard) -> bool:
    """Whether the caller pressed zero, as one does to get a person."""
    return spoken_digits(heard.text) == "0" and heard.length <= 1


def not_understood(heard: Heard, abilities: str, misses: int) -> Offer:
    """After ``misses`` turns in a row that were not understood either. Never the same twice."""
    digits = spoken_digits(heard.text)
    if len(digits) >= 7:
        return Offer(_NUMBER_ONLY, MessageForm(contact=Contact(digits=digits)))
    if not misses:
        return Offer(f"Sorry, I didn't understand that. {abilities}")
    again = (
        "I'm still not sure what you mean. Would you like me to take a message for the team?",
        f"I'm sorry, I don't follow. {abilities} Shall I take a message?",
    )
    return Offer(again[(misses - 1) % 2], MessageForm())
