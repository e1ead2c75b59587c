"""Taking a message: what was said, who called, where to call back, and a read-back before it is
kept.

The form is frozen data; each answer makes a new one. So the dialogue can be folded anew over the
turns of a call at any time, and a reply that was cancelled leaves nothing behind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from services.call.effects import KeepMessage
from services.receptionist.intents import Intent
from services.receptionist.lexicon import Heard
from services.receptionist.names import answered_name, introduced_name
from services.receptionist.numbers import Fit, fit, is_reachable, read_aloud, spoken_digits
from services.receptionist.times import tells_a_time

_READ_BACK_WORDS = 25
_MOST_MISSES = 2
_WHERE_TO_CALL = re.compile(r"\b(?:number|call|reach|phone|ring|contact|text)\b", re.IGNORECASE)


class Slot(Enum):
    """What the caller is being asked for."""

    MESSAGE = "message"
    NAME = "name"
    CALLING_NUMBER = "calling_number"  # whether the number they call from is the best one
    NUMBER = "number"
    CONFIRM = "confirm"
    CHANGE = "change"  # which of them is wrong


class Topic(Enum):
    """What kind of message it is."""

    MESSAGE = "message"
    BOOKING = "booking"


@dataclass(frozen=True, slots=True)
class MessageForm:
    """A message in the making. ``None`` is not asked yet, '' is not given.

    ``digits`` is the part of a number that was said so far.
    """

    slot: Slot = Slot.MESSAGE
    topic: Topic = Topic.MESSAGE
    recipient: str = ""
    message: str = ""
    name: str | None = None
    number: str | None = None
    digits: str = ""
    misses: int = 0

    def kept(self, *, complete: bool) -> KeepMessage:
        """As it is to be stored."""
        about = "Appointment request: " if self.topic is Topic.BOOKING else ""
        to = f"For {self.recipient}: " if self.recipient else ""
        number = self.number or self.digits
        return KeepMessage(self.name or "", number, f"{to}{about}{self.message}", complete)

    @property
    def is_empty(self) -> bool:
        return not (self.message or self.name or self.number or self.digits)


@dataclass(frozen=True, slots=True)
class Progress:
    """What an answer led to: what to say, the form as it is now, or the message once it is done."""

    text: str
    form: MessageForm | None = None
    message: KeepMessage | None = None


class MessageTaker:
    """Fills message forms for one caller. ``country``: ISO 3166, for numbers without a ``+``."""

    def __init__(self, caller_number: str, country: str) -> None:
        self._caller = caller_number if is_reachable(caller_number, country) else ""
        self._country = country

    def begin(self, form: MessageForm) -> MessageForm:
        """The form at the first thing that is still to be asked."""
        if form.digits and fit(form.digits, self._country) is Fit.COMPLETE:
            form = replace(form, number=form.digits, digits="")
        if not form.message:
            slot = Slot.MESSAGE
        elif form.name is None:
            slot = Slot.NAME
        elif form.number is None:
            slot = Slot.CALLING_NUMBER if self._caller and not form.digits else Slot.NUMBER
        else:
            slot = Slot.CONFIRM
        return replace(form, slot=slot, misses=0)

    def question(self, form: MessageForm) -> str:
        """What is asked of the caller now."""
        if form.slot is Slot.CONFIRM:
            return f"{self._read_back(form)} Is that right?"
        if form.slot is Slot.MESSAGE and form.topic is Topic.BOOKING:
            return "What would you like to come in for, and when would suit you?"
        if form.slot is Slot.MESSAGE and form.recipient:
            return f"What would you like me to tell {form.recipient}?"
        if form.slot is Slot.NUMBER and form.digits:
            return f"I have {' '.join(form.digits)} so far. What's the rest?"
        return _QUESTIONS[form.slot]

    def answer(self, form: MessageForm, heard: Heard) -> Progress:
        """Take what the caller said as an answer to the form's question."""
        if not heard.words:  # "um": no miss, more is to come
            return Progress(f"I'm listening. {self.question(form)}", form)
        return _ANSWERS[form.slot](self, form, heard)

    def with_passing_details(self, form: MessageForm, text: str) -> MessageForm:
        """The form with the name and the number that the caller mentions along the way."""
        name, digits = introduced_name(text), spoken_digits(text)
        if name and form.name is None:
            form = replace(form, name=name)
        is_number = len(digits) >= 7 and fit(digits, self._country) is Fit.COMPLETE
        if form.number is None and is_number and _WHERE_TO_CALL.search(text):
            form = replace(form, number=digits)
        return form

    # --- one function per slot --------------------------------------------------------------------

    def _message(self, form: MessageForm, heard: Heard) -> Progress:
        is_only_yes = heard.answer is True and heard.length <= 3
        is_polite = heard.length <= 3 and heard.has(Intent.GREETING, Intent.THANKS)
        if is_only_yes or is_polite:
            return self._again(form, "I'm listening.")
        said = heard.text.strip()
        form = replace(form, message=f"{form.message} {said}".strip())
        return self._next(self.with_passing_details(form, said), "Got it.")

    def _name(self, form: MessageForm, heard: Heard) -> Progress:
        if name := answered_name(heard.text):
            form = self.with_passing_details(replace(form, name=name), heard.text)
            return self._next(form, f"Thanks, {name}.")
        if heard.answer is False or form.misses >= _MOST_MISSES:
            return self._next(replace(form, name=""), "That's fine.")
        adds_to_it = heard.length > 5 or tells_a_time(heard.words)
        if adds_to_it and not heard.is_question:
            form = replace(form, message=f"{form.message} {heard.text.strip()}")
            return Progress(f"I've added that. {self.question(form)}", form)
        return self._again(form, "Sorry, I didn't get the name.")

    def _calling_number(self, form: MessageForm, heard: Heard) -> Progress:
        if len(spoken_digits(heard.text)) > 2:
            return self._number(replace(form, slot=Slot.NUMBER), heard)
        if re.search(r"\b(?:what|which)\b", heard.words):
            which = f"It's {read_aloud(self._caller, self._country)}."
            return Progress(f"{which} {self.question(form)}", form)
        says_same = re.search(r"\b(?:same|this|calling from|this one|that one)\b", heard.words)
        if heard.answer is False:
            form = replace(form, slot=Slot.NUMBER, misses=0)
            return Progress(f"Okay. {self.question(form)}", form)
        if heard.answer or says_same or form.misses >= _MOST_MISSES:
            return self._next(replace(form, number=self._caller), "Great.")
        return self._again(form, "Sorry, yes or no?")

    def _number(self, form: MessageForm, heard: Heard) -> Progress:
        said = spoken_digits(heard.text)
        if len(said) == 1 and heard.length > 2:
            said = ""  # "I don't have one"
        if re.search(r"\b(?:start over|start again|from the beginning)\b", heard.words):
            form = replace(form, digits=said)
        elif said:
            form = replace(form, digits=self._joined(form.digits, said))
        elif heard.answer is False or form.misses >= _MOST_MISSES:
            return self._next(replace(form, number=form.digits, digits=""), "That's fine.")
        else:
            return self._again(form, "Sorry, I didn't get the number. You can also type it.")
        size = fit(form.digits, self._country) if form.digits else Fit.SHORT
        if size is Fit.COMPLETE:
            return self._next(replace(form, number=form.digits, digits=""), "Thanks.")
        if size is Fit.SHORT:
            return Progress("Go on.", replace(form, misses=0))
        return self._again(replace(form, digits=""), "That's too long for a number.")

    def _confirm(self, form: MessageForm, heard: Heard) -> Progress:
        corrected = self._corrected(form, heard)
        if corrected != form:
            return Progress(f"Okay. {self.question(corrected)}", corrected)
        if heard.answer is False:
            return self._change(form, heard)
        if heard.answer or form.misses >= _MOST_MISSES:
            to = f" to {form.recipient}" if form.recipient else ""
            thanks = f"Thank you, {form.name}." if form.name else "Thank you."
            text = f"{thanks} I'll pass that on{to}."
            return Progress(text, None, form.kept(complete=True))
        return Progress("Sorry, is that right? Yes or no?", replace(form, misses=form.misses + 1))

    def _change(self, form: MessageForm, heard: Heard) -> Progress:
        for pattern, without in _TO_CHANGE:
            if pattern.search(heard.words):
                form = self.begin(without(form))
                slot = Slot.NUMBER if form.slot is Slot.CALLING_NUMBER else form.slot
                form = replace(form, slot=slot)
                return Progress(f"Okay. {self.question(form)}", form)
        corrected = self._corrected(form, heard)
        if corrected != form:
            corrected = self.begin(corrected)
            return Progress(f"Okay. {self.question(corrected)}", corrected)
        if form.slot is Slot.CHANGE and (heard.has(Intent.DONE) or form.misses >= _MOST_MISSES):
            form = self.begin(form)
            return Progress(self.question(form), form)
        form = replace(form, slot=Slot.CHANGE, misses=form.misses + 1)
        return Progress(f"Sorry about that. {self.question(form)}", form)

    # --- the parts of an answer -------------------------------------------------------------------

    def _corrected(self, form: MessageForm, heard: Heard) -> MessageForm:
        """The form with the name or number that the caller puts right ("no, it's Bob")."""
        digits, name = spoken_digits(heard.text), introduced_name(heard.text)
        if len(digits) >= 7 and fit(digits, self._country) is Fit.COMPLETE:
            form = replace(form, number=digits)
        elif digits and form.number and fit(form.number + digits, self._country) is Fit.COMPLETE:
            form = replace(form, number=form.number + digits)
        return replace(form, name=name) if name else form

    def _joined(self, before: str, said: str) -> str:
        """The rest of a number, or the whole number anew."""
        whole = fit(said, self._country) is Fit.COMPLETE
        together = fit(before + said, self._country)
        return said if whole and together is not Fit.COMPLETE else before + said

    def _next(self, form: MessageForm, acknowledgement: str) -> Progress:
        form = self.begin(form)
        return Progress(f"{acknowledgement} {self.question(form)}", form)

    def _again(self, form: MessageForm, why: str) -> Progress:
        return Progress(f"{why} {self.question(form)}", replace(form, misses=form.misses + 1))

    def _read_back(self, form: MessageForm) -> str:
        """A long message is not read back word for word."""
        message = form.message.rstrip(" .?!")
        is_short = len(message.split()) <= _READ_BACK_WORDS
        parts = [f"Your message is: {message}." if is_short else "I have your message."]
        if form.name:
            parts.append(f"Your name is {form.name}.")
        if form.number:
            parts.append(f"Your number is {read_aloud(form.number, self._country)}.")
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


_QUESTIONS = {
    Slot.MESSAGE: "What's the message?",
    Slot.NAME: "What's your name, please?",
    Slot.CALLING_NUMBER: "Is the number you're calling from the best one to reach you?",
    Slot.NUMBER: "What number should we call?",
    Slot.CHANGE: "What should I change: the message, the name or the number?",
}
_TO_CHANGE: tuple[tuple[re.Pattern[str], Callable[[MessageForm], MessageForm]], ...] = (
    (
        re.compile(r"\b(?:number|phone|digits?)\b"),
        lambda form: replace(form, number=None, digits=""),
    ),
    (re.compile(r"\bname\b"), lambda form: replace(form, name=None)),
    (
        re.compile(r"\b(?:message|text|first one|everything|all)\b"),
        lambda form: replace(form, message=""),
    ),
)
_Answer = Callable[[MessageTaker, MessageForm, Heard], Progress]
_ANSWERS: dict[Slot, _Answer] = {
    Slot.MESSAGE: MessageTaker._message,
    Slot.NAME: MessageTaker._name,
    Slot.CALLING_NUMBER: MessageTaker._calling_number,
    Slot.NUMBER: MessageTaker._number,
    Slot.CONFIRM: MessageTaker._confirm,
    Slot.CHANGE: MessageTaker._change,
}
