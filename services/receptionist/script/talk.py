"""Where a conversation stands, as the script sees it: frozen data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from services.call.words.readiness import Expectation
from services.receptionist.script.booking_form import BookingForm
from services.receptionist.script.change_form import ChangeForm
from services.receptionist.script.contact import Contact
from services.receptionist.script.message_form import MessageForm
from services.receptionist.script.progress import Appointment

Form = MessageForm | BookingForm | ChangeForm


class Asks(Enum):
    """What a bare yes or no would answer; a form knows that by itself."""

    NOTHING = "nothing"
    ANYTHING_ELSE = "anything_else"
    STILL_THERE = "still_there"
    ERRAND = "errand"  # what we called for


@dataclass(frozen=True, slots=True)
class State:
    """Where the conversation stands.

    ``said`` is what the last reply told, ``spoken`` its full text; '' if somebody else spoke, who
    is not known. ``form`` is what is being filled in; ``offer`` the message that a yes would begin.
    ``misses`` counts turns in a row that were not understood. ``read`` is the proposal whose
    read-back was heard. ``recent`` is the appointment last talked about, ``contact`` who the caller
    said they are, ``sought`` the person they asked for, ``topic`` the service last spoken of.
    ``alarmed``: the owner was told of an emergency.
    """

    said: str
    spoken: str = ""
    asks: Asks = Asks.NOTHING
    form: Form | None = None
    offer: MessageForm | None = None
    misses: int = 0
    read: str = ""
    recent: Appointment | None = None
    contact: Contact = field(default_factory=Contact)
    sought: str = ""
    topic: str = ""
    alarmed: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say; whether to hang up afterwards."""

    text: str
    hang_up: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """The state after all turns, and the reply to the caller's last one, the ``turn``-th."""

    state: State
    reply: Reply
    turn: int = 0

    @property
    def expects(self) -> Expectation | None:
        """What the reply asks for, where its form knows."""
        form = self.state.form
        return None if form is None or self.reply.hang_up else form.expects
