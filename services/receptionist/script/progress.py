"""What an answer to a form's question led to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.receptionist.script.booking_form import BookingForm
    from services.receptionist.script.change_form import ChangeForm
    from services.receptionist.script.message_form import MessageForm


JUST_TO_BE_SURE = "Just to be sure."
"""Before a read-back that is made again."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """One that is in the book. ``start`` is ISO 8601 in the business's time, ``service`` its name
    in the agent file. One that was cancelled has only its service."""

    reference: str
    service: str
    start: str

    @property
    def is_gone(self) -> bool:
        return not self.reference


@dataclass(frozen=True, slots=True)
class Progress:
    """What to say, and the form as it is now: None once it is done or given up.

    ``appointment`` was booked, moved, told or cancelled just now. A yes begins the message
    ``offer``.
    """

    text: str
    form: MessageForm | BookingForm | ChangeForm | None = None
    appointment: Appointment | None = None
    offer: MessageForm | None = None
