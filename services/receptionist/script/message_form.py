"""Taking a message: what was said, who called, where to call back, and a read-back before it is
kept.

The form is frozen data; each answer makes a new one. So the dialogue can be folded anew over the
turns of a call at any time, and a reply that was cancelled leaves nothing behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from services.call.words.readiness import Expectation
from services.receptionist.calendar.times import tells_a_time
from services.receptionist.script.contact import MOST_MISSES, Ask, Contact, ContactTaker
from services.receptionist.script.learned import Learned
from services.receptionist.script.progress import Progress
from services.receptionist.tools import Tool
from services.receptionist.understanding.intents import Intent
from services.receptionist.understanding.lexicon import Heard
from services.receptionist.understanding.names import answered_name

_READ_BACK_WORDS = 25


class Slot(Enum):
    """What the caller is being asked for."""

    MESSAGE = "message"
    CONTACT = "contact"
    CONFIRM = "confirm"
    CHANGE = "change"  # which of them is wrong


class Topic(Enum):
    """What kind of message it is."""

    MESSAGE = "message"
    BOOKING = "booking"


@dataclass(frozen=True, slots=True)
class MessageForm:
    """A message in the making."""

    slot: Slot = Slot.MESSAGE
    topic: Topic = Topic.MESSAGE
    recipient: str = ""
    message: str = ""
    contact: Contact = field(default_factory=Contact)
    misses: int = 0

    def arguments(self, *, complete: bool) -> dict[str, str]:
        """What the tool that keeps it is told."""
        about = "Appointment request: " if self.topic is Topic.BOOKING else ""
        to = f"For {self.recipient}: " if self.recipient else ""
        return {
            "name": self.contact.name or "",
            "number": self.contact.number or self.contact.digits,
            "message": f"{to}{about}{self.message}",
            "urgent": "no",
            "complete": "yes" if complete else "no",
        }

    @property
    def is_empty(self) -> bool:
        return not self.message and self.contact.is_empty

    @property
    def expects(self) -> Expectation:
        """What its question asks for."""
        if self.slot is Slot.CONTACT:
            return self.contact.expects
        return Expectation.YES_NO if self.slot is Slot.CONFIRM else Expectation.FREE


class MessageTaker:
    """Fills message forms for one caller."""

    def __init__(self, contacts: ContactTaker) -> None:
        self._contacts = contacts

    def begin(self, form: MessageForm) -> MessageForm:
        """The form at the first thing that is still to be asked."""
        contact = self._contacts.begin(form.contact)
        if not form.message:
            slot = Slot.MESSAGE
        else:
            slot = Slot.CONFIRM if contact.ask is Ask.NOTHING else Slot.CONTACT
        return replace(form, slot=slot, contact=contact, misses=0)

    def question(self, form: MessageForm) -> str:
        """What is asked of the caller now."""
        if form.slot is Slot.CONFIRM:
            return f"{self._read_back(form)} Is that right?"
        if form.slot is Slot.CONTACT:
            return self._contacts.question(form.contact)
        if form.slot is Slot.CHANGE:
            return "What should I change: the message, the name or the number?"
        if form.topic is Topic.BOOKING:
            return "What would you like to come in for, and when would suit you?"
        if form.recipient:
            return f"What would you like me to tell {form.recipient}?"
        return "What's the message?"

    def answer(self, form: MessageForm, heard: Heard, learned: Learned) -> Progress:
        """Take what the caller said as an answer to the form's question."""
        if not heard.words:  # "um": no miss, more is to come
            return Progress(f"I'm listening. {self.question(form)}", form)
        if form.slot is Slot.MESSAGE:
            return self._message(form, heard)
        if form.slot is Slot.CONTACT:
            return self._contact(form, heard)
        if form.slot is Slot.CONFIRM:
            return self._confirm(form, heard, learned)
        return self._change(form, heard)

    def with_passing_details(self, form: MessageForm, text: str) -> MessageForm:
        """The form with the name and the number that the caller mentions along the way."""
        return replace(form, contact=self._contacts.with_passing_details(form.contact, text))

    # --- one function per slot --------------------------------------------------------------------

    def _message(self, form: MessageForm, heard: Heard) -> Progress:
        is_only_yes = heard.answer is True and heard.length <= 3
        is_polite = heard.length <= 3 and heard.has(Intent.GREETING, Intent.THANKS)
        if is_only_yes or is_polite:
            form = replace(form, misses=form.misses + 1)
            return Progress(f"I'm listening. {self.question(form)}", form)
        said = heard.text.strip()
        form = replace(form, message=f"{form.message} {said}".strip())
        return self._next(self.with_passing_details(form, said), "Got it.")

    def _contact(self, form: MessageForm, heard: Heard) -> Progress:
        if form.contact.ask is Ask.NAME and self._adds_to_it(form, heard):
            form = replace(form, message=f"{form.message} {heard.text.strip()}")
            return Progress(f"I've added that. {self.question(form)}", form)
        told = self._contacts.answer(form.contact, heard)
        form = replace(form, contact=told.contact)
        return self._next(form, told.text) if told.is_settled else Progress(told.text, form)

    def _adds_to_it(self, form: MessageForm, heard: Heard) -> bool:
        """Whether, asked for the name, the caller goes on with the message."""
        if answered_name(heard.text) or heard.answer is False or heard.is_question:
            return False
        is_long = heard.length > 5 or tells_a_time(heard.words)
        return is_long and form.contact.misses < MOST_MISSES

    def _confirm(self, form: MessageForm, heard: Heard, learned: Learned) -> Progress:
        kept = form.arguments(complete=True)
        is_kept = learned.done(Tool.TAKE_MESSAGE, 0, **kept) is not None
        corrected = replace(form, contact=self._contacts.corrected(form.contact, heard))
        if corrected != form:
            return Progress(f"Okay. {self.question(corrected)}", corrected)
        if heard.answer is False and not is_kept:
            return self._change(form, heard)
        if heard.answer or is_kept or form.misses >= MOST_MISSES:
            if not is_kept and not learned.ask(Tool.TAKE_MESSAGE, **kept).is_ok:
                return Progress("I'm sorry, I couldn't keep your message. Please call again later.")
            to = f" to {form.recipient}" if form.recipient else ""
            name = form.contact.name
            thanks = f"Thank you, {name}." if name else "Thank you."
            return Progress(f"{thanks} I'll pass that on{to}.")
        return Progress("Sorry, is that right? Yes or no?", replace(form, misses=form.misses + 1))

    def _change(self, form: MessageForm, heard: Heard) -> Progress:
        for pattern, without in _TO_CHANGE:
            if pattern.search(heard.words):
                form = self.begin(without(form))
                contact = form.contact
                if contact.ask is Ask.CALLING_NUMBER:
                    form = replace(form, contact=replace(contact, ask=Ask.NUMBER))
                return Progress(f"Okay. {self.question(form)}", form)
        corrected = replace(form, contact=self._contacts.corrected(form.contact, heard))
        if corrected != form:
            corrected = self.begin(corrected)
            return Progress(f"Okay. {self.question(corrected)}", corrected)
        if form.slot is Slot.CHANGE and (heard.has(Intent.DONE) or form.misses >= MOST_MISSES):
            form = self.begin(form)
            return Progress(self.question(form), form)
        form = replace(form, slot=Slot.CHANGE, misses=form.misses + 1)
        return Progress(f"Sorry about that. {self.question(form)}", form)

    # --- the parts of an answer -------------------------------------------------------------------

    def _next(self, form: MessageForm, acknowledgement: str) -> Progress:
        form = self.begin(form)
        return Progress(f"{acknowledgement} {self.question(form)}", form)

    def _read_back(self, form: MessageForm) -> str:
        """A long message is not read back word for word."""
        message = form.message.rstrip(" .?!")
        is_short = len(message.split()) <= _READ_BACK_WORDS
        parts = [f"Your message is: {message}." if is_short else "I have your message."]
        if form.contact.name:
            parts.append(f"Your name is {form.contact.name}.")
        if form.contact.number:
            parts.append(f"Your number is {self._contacts.read_aloud(form.contact.number)}.")
        return " ".join(parts)


_CONTENT = re.compile(
    r"\bmessage(?: for [\w. ]+?)?(?:,? (?:that|saying|to say)|:) (.+)"
    r"|\btell (?:him|her|them|(?:Dr\.? )?[A-Z]\w+) (?:that )?(.+)"
    r"|(^.*\bcall (?:me|us)(?: back)? (?:about|because|regarding|at|on|tomorrow|today|before)\b.*)",
    re.IGNORECASE,
)


def requested_message(text: str) -> str:
    """The message itself, if the caller already gave it in asking to leave one."""
    match = _CONTENT.search(text)
    return next(filter(None, match.groups()), "").strip() if match else ""


_TO_CHANGE: tuple[tuple[re.Pattern[str], Callable[[MessageForm], MessageForm]], ...] = (
    (
        re.compile(r"\b(?:number|phone|digits?)\b"),
        lambda form: replace(form, contact=replace(form.contact, number=None, digits="")),
    ),
    (
        re.compile(r"\bname\b"),
        lambda form: replace(form, contact=replace(form.contact, name=None)),
    ),
    (
        re.compile(r"\b(?:message|text|first one|everything|all)\b"),
        lambda form: replace(form, message=""),
    ),
)
