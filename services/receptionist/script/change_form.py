"""Changing, cancelling or telling an appointment: the form.

Frozen data, as the message form. The questions are asked by ``changer``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum

from services.call.words.readiness import Expectation
from services.receptionist.script.contact import Contact
from services.receptionist.script.progress import Appointment
from services.receptionist.understanding.wishes import in_context


class Aim(Enum):
    """What is to become of the appointment."""

    MOVE = "move"
    CANCEL = "cancel"
    TELL = "tell"  # nothing: the caller wants to know when it is


class Step(Enum):
    """What the caller is being asked for."""

    WHO = "who"  # the name or the number that it is under
    WHICH = "which"  # one of some appointments
    WHEN = "when"
    CHOICE = "choice"  # one of some times
    CONFIRM = "confirm"


_EXPECTED = {
    Step.WHICH: Expectation.WHEN,
    Step.WHEN: Expectation.WHEN,
    Step.CHOICE: Expectation.WHEN,
    Step.CONFIRM: Expectation.YES_NO,
}


@dataclass(frozen=True, slots=True)
class ChangeForm:
    """``found`` are the caller's appointments, ``chosen`` the one that is meant. ``contact`` is
    whose it is, if it is not under the number of the call. ``when`` are the caller's words for the
    new time or the ISO time that was chosen; ``start`` is the time that is proposed, since the
    ``turn``, and ``reference`` names the proposal. ``told`` are the words with which it began: they
    may tell which one is meant.
    """

    aim: Aim
    step: Step = Step.WHO
    told: str = ""
    contact: Contact = field(default_factory=Contact)
    found: tuple[Appointment, ...] = ()
    chosen: Appointment | None = None
    when: str = ""
    start: str = ""
    reference: str = ""
    turn: int = 0
    offered: tuple[str, ...] = ()
    misses: int = 0

    @property
    def expects(self) -> Expectation:
        """What its question asks for."""
        if self.step is Step.CHOICE and len(self.offered) == 1:
            return Expectation.YES_NO
        return self.contact.expects if self.step is Step.WHO else _EXPECTED[self.step]

    @property
    def proposal(self) -> str:
        """What a yes would confirm."""
        return f"{self.turn}:{self.reference}"

    def at(self, when: str, today: date) -> ChangeForm:
        """With another wish; what it does not name is as in the proposal. Without one the desk
        knows better: "the same time" is that of the appointment."""
        about = self.start or (self.offered[0] if self.offered else "")
        wish = in_context(when, about[:10], self.start[11:16], today)
        return replace(self, when=wish, start="", reference="", misses=0)
