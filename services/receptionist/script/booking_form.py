"""Booking an appointment: the form, and what a caller's words change in it.

Frozen data, as the message form. The questions are asked by ``booker``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum

from services.call.words.readiness import Expectation
from services.receptionist.calendar.spoken_slots import a_service, moment
from services.receptionist.script.contact import Contact
from services.receptionist.understanding.wishes import in_context, tells_clock, tells_day

_ISO = re.compile(r"\d{4}-\d\d-\d\dT")
_ENQUIRES = re.compile(
    r"\b(?:do you have|have you got|is there|are there|any(?:thing)?|available|availability|free"
    r"|openings?|when can|when could|how soon)\b"
)


class Step(Enum):
    """What the caller is being asked for."""

    SERVICE = "service"
    WHEN = "when"
    CHOICE = "choice"  # one of some times
    CONTACT = "contact"
    CONFIRM = "confirm"
    CHANGE = "change"  # what is wrong with the read-back


_EXPECTED = {
    Step.SERVICE: Expectation.FREE,
    Step.WHEN: Expectation.WHEN,
    Step.CHOICE: Expectation.WHEN,
    Step.CONFIRM: Expectation.YES_NO,
    Step.CHANGE: Expectation.FREE,
}


@dataclass(frozen=True, slots=True)
class BookingForm:
    """A booking in the making.

    ``when`` are the caller's words, or the ISO time that was chosen. ``start`` is a time that is
    free; ``reference`` names what is held since the ``turn``. ``day`` (ISO) and ``time`` are what
    was last talked about: "at four" means that day. ``enquires``: the caller only asked whether it
    is free.
    """

    step: Step = Step.SERVICE
    service: str = ""
    when: str = ""
    start: str = ""
    reference: str = ""
    offered: tuple[str, ...] = ()
    day: str = ""
    time: str = ""
    contact: Contact = field(default_factory=Contact)
    turn: int = 0
    enquires: bool = False
    misses: int = 0

    @property
    def expects(self) -> Expectation:
        """What its question asks for."""
        if self.step is Step.CHOICE and len(self.offered) == 1:
            return Expectation.YES_NO
        return self.contact.expects if self.step is Step.CONTACT else _EXPECTED[self.step]

    @property
    def proposal(self) -> str:
        """What a yes would confirm."""
        return f"{self.turn}:{self.reference}"

    @property
    def wish(self) -> str:
        """What the caller wants, for people to read."""
        when = moment(self.when) if _ISO.match(self.when) else self.when
        return f"{a_service(self.service)}, {when}"

    def at(self, when: str, today: date) -> BookingForm:
        """With another wish; the day or the time that it does not name are those talked about."""
        wish = in_context(when, self.day, self.time, today)
        return replace(self, when=wish, start="", reference="")

    def known(self, start: str) -> BookingForm:
        """With a time that is free, or was until now."""
        return replace(self, when=start, start=start, day=start[:10], time=start[11:16])

    def without_time(self) -> BookingForm:
        """With a time yet to be found; what was said of it stays, if it was half of one."""
        is_half = tells_clock(self.when) and not tells_day(self.when)
        time = self.when.removeprefix("at ") if is_half else self.time
        return replace(self, step=Step.WHEN, when="", start="", reference="", time=time)


def only_enquires(words: str) -> bool:
    """Whether a caller asks what is free, and does not yet ask to book it."""
    return bool(_ENQUIRES.search(words))
