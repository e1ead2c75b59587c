"""The forms that a caller may fill in, behind one face."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from services.receptionist.agent import Agent, Service
from services.receptionist.calendar.spoken_slots import clock_of
from services.receptionist.script import booking_form, change_form
from services.receptionist.script.booker import Booker
from services.receptionist.script.booking_form import BookingForm
from services.receptionist.script.change_form import Aim, ChangeForm
from services.receptionist.script.changer import AIMS, Changer
from services.receptionist.script.contact import ContactTaker
from services.receptionist.script.learned import Learned
from services.receptionist.script.message_form import MessageForm, MessageTaker, Slot
from services.receptionist.script.progress import Progress
from services.receptionist.script.talk import Form
from services.receptionist.tools import Tool
from services.receptionist.understanding.intents import Intent, Kind
from services.receptionist.understanding.lexicon import Heard, Want
from services.receptionist.understanding.names import answered_name

MOST_MISSES = 3
_IT = re.compile(r"\b(?:it|that|this|one)\b")
_OF_HOURS = re.compile(r"\b(?:open|opens|close[sd]?|hours)\b")


class Forms:
    """Asks the questions of all forms of one caller, and takes the answers."""

    def __init__(self, agent: Agent, now: Callable[[], datetime], caller_number: str) -> None:
        self.contacts = ContactTaker(caller_number, agent.business.country)
        self.messages = MessageTaker(self.contacts)
        self.bookings = Booker(agent, self.contacts, now)
        self.changes = Changer(agent, self.contacts, now)

    def question(self, form: Form) -> str:
        """What is asked of the caller now."""
        match form:
            case MessageForm():
                return self.messages.question(form)
            case BookingForm():
                return self.bookings.question(form)
            case ChangeForm():
                return self.changes.question(form)

    def answer(self, form: Form, heard: Heard, learned: Learned) -> Progress:
        """Take what the caller said as an answer to the form's question."""
        match form:
            case MessageForm():
                return self.messages.answer(form, heard, learned)
            case BookingForm():
                return self.bookings.answer(form, heard, learned)
            case ChangeForm():
                return self.changes.answer(form, heard, learned)


def called(form: Form) -> str:
    """What the caller knows it by."""
    return "message" if isinstance(form, MessageForm) else "appointment"


def dropped(form: Form) -> str:
    """What is said if the caller does not want it any more."""
    match form:
        case MessageForm():
            return "Okay, no message."
        case BookingForm():
            return "Okay, I won't book it."
        case ChangeForm():
            return "Okay, I'll leave it as it is."


def abandoned(form: Form) -> str:
    """What is said if the caller leaves in the middle of it."""
    match form:
        case MessageForm():
            return "" if form.is_empty else "I'll pass on what I have."
        case BookingForm():
            return "Nothing is booked, then."
        case ChangeForm():
            return "" if form.aim is Aim.TELL else "I'll leave it as it is, then."


def is_confirming(form: Form) -> bool:
    """Whether a yes would have it done."""
    steps = (Slot.CONFIRM, booking_form.Step.CONFIRM, change_form.Step.CONFIRM)
    return (form.slot if isinstance(form, MessageForm) else form.step) in steps


def takes_free_text(form: Form) -> bool:
    """Whether anything may be an answer."""
    return isinstance(form, MessageForm) and form.slot is Slot.MESSAGE


def takes_as_answer(form: Form, heard: Heard) -> bool:
    """Whether a question of fact is an answer all the same: "What about Saturday at ten?"."""
    if isinstance(form, MessageForm):
        return False
    return heard.has(Intent.HOURS) and not _OF_HOURS.search(heard.words)


def drops(form: Form, heard: Heard) -> bool:
    """Whether the caller does not want it any more."""
    if isinstance(form, ChangeForm) and form.aim is Aim.CANCEL and "cancel" in heard.words:
        return False  # "yes, cancel it"
    if isinstance(form, BookingForm) and heard.has(Intent.CANCEL_BOOKING):
        return True
    is_declined = takes_free_text(form) and heard.answer is False and heard.length <= 3
    if is_declined and isinstance(form, MessageForm) and not form.message:
        return True
    return Intent.CANCEL in heard.spoken


def read_back_until(form: Form, text: str) -> int:
    """The place in a reply up to which a read-back must be heard; -1 if there is none in it."""
    if isinstance(form, MessageForm) or not is_confirming(form):
        return -1
    start = form.start or (
        form.chosen.start if isinstance(form, ChangeForm) and form.chosen else ""
    )
    return text.rfind(clock_of(start)) if start else -1


def is_done(form: Form, learned: Learned) -> bool:
    """Whether an interrupted reply has done already what the form asks leave for."""
    if isinstance(form, MessageForm) or not is_confirming(form):
        return False
    return learned.done(Tool.CONFIRM, form.turn, reference=form.reference) is not None


def about(form: Form | None, want: Want, services: Sequence[Service]) -> Want:
    """A question of fact; "how much is it" asks for what is being booked."""
    if not isinstance(form, BookingForm) or want.intent is not Intent.SERVICES or want.services:
        return want
    named = tuple(service for service in services if service.name == form.service)
    return replace(want, services=named) if _IT.search(want.words) else want


def leads_out(form: Form, heard: Heard) -> Want | None:
    """What the caller wants instead of answering, if anything."""
    action = heard.first(Kind.ACTION)
    if action is None:
        return None
    if isinstance(form, MessageForm):
        is_answer = form.slot is not Slot.CONTACT or answered_name(heard.text)
        return action if action.intent is Intent.PERSON and not is_answer else None
    if action.intent in (Intent.PERSON, Intent.MESSAGE):
        return action
    if isinstance(form, BookingForm):
        return action if action.intent is Intent.MY_APPOINTMENT else None
    is_other = AIMS.get(action.intent, form.aim) is not form.aim
    is_new = action.intent is Intent.BOOK and "new" in heard.words.split()
    return action if is_other or is_new else None


def has_lost(before: Form, after: Form, after_misses: int) -> bool:
    """Whether the caller was not understood so often that a person should help. A message leads
    out of each of its questions by itself."""
    if isinstance(before, MessageForm) or isinstance(after, MessageForm):
        return False
    most = min(after_misses, MOST_MISSES) or MOST_MISSES
    return after.misses > before.misses and after.misses >= most
