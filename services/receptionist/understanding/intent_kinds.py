"""What callers want, by name, and how one wish is treated beside others."""

from __future__ import annotations

from enum import Enum, auto


class Kind(Enum):
    """How an intent is treated beside others: earlier ones of this list push out later ones, except
    that all facts that were asked for are answered."""

    URGENT = auto()
    ABOUT = auto()  # about the receptionist herself
    ACTION = auto()
    FACT = auto()
    CLOSING = auto()
    CONTROL = auto()  # about the conversation
    SOCIAL = auto()


class Intent(Enum):
    """One thing that a caller may want."""

    EMERGENCY = auto()
    IDENTITY = auto()
    ROBOT = auto()
    LANGUAGE = auto()
    HELP = auto()
    MESSAGE = auto()
    PERSON = auto()
    CHANGE = auto()  # "can I move my appointment"
    CANCEL_BOOKING = auto()
    MY_APPOINTMENT = auto()  # "when is my appointment"
    BOOK = auto()
    LATE = auto()  # "I'm running late"
    COMPLAINT = auto()  # "I've been waiting for hours"
    MATTER = auto()  # "I'm calling about my bill"
    HOURS = auto()
    ADDRESS = auto()
    DIRECTIONS = auto()
    PHONE = auto()
    EMAIL = auto()
    SERVICES = auto()
    FAQ = auto()
    GOODBYE = auto()
    DONE = auto()
    REPEAT = auto()
    WAIT = auto()
    CANCEL = auto()
    HEAR_ME = auto()
    HOW_ARE_YOU = auto()
    THANKS = auto()
    GREETING = auto()
    ACKNOWLEDGE = auto()


ABOUT_BOOKINGS = (Intent.CHANGE, Intent.CANCEL_BOOKING, Intent.MY_APPOINTMENT, Intent.BOOK)
WORTH_A_MESSAGE = (Intent.LATE, Intent.COMPLAINT, Intent.MATTER)
_ACTIONS = (Intent.MESSAGE, Intent.PERSON, *ABOUT_BOOKINGS, *WORTH_A_MESSAGE)
KINDS: dict[Intent, Kind] = {
    Intent.EMERGENCY: Kind.URGENT,
    **dict.fromkeys((Intent.IDENTITY, Intent.ROBOT, Intent.LANGUAGE), Kind.ABOUT),
    **dict.fromkeys(_ACTIONS, Kind.ACTION),
    **dict.fromkeys((Intent.HOURS, Intent.ADDRESS, Intent.DIRECTIONS, Intent.PHONE), Kind.FACT),
    **dict.fromkeys((Intent.EMAIL, Intent.SERVICES, Intent.FAQ), Kind.FACT),
    **dict.fromkeys((Intent.GOODBYE, Intent.DONE), Kind.CLOSING),
    **dict.fromkeys((Intent.REPEAT, Intent.WAIT, Intent.CANCEL, Intent.HELP), Kind.CONTROL),
    **dict.fromkeys((Intent.HEAR_ME, Intent.HOW_ARE_YOU, Intent.THANKS), Kind.SOCIAL),
    **dict.fromkeys((Intent.GREETING, Intent.ACKNOWLEDGE), Kind.SOCIAL),
}
