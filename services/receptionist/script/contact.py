"""Who calls and where to call back: the questions that all forms share."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum

from services.call.words.readiness import Expectation
from services.receptionist.numbers import Fit, fit, is_reachable, read_aloud, spoken_digits
from services.receptionist.understanding.lexicon import Heard
from services.receptionist.understanding.names import answered_name, introduced_name

MOST_MISSES = 2
_WHERE_TO_CALL = re.compile(r"\b(?:number|call|reach|phone|ring|contact|text)\b", re.IGNORECASE)


class Ask(Enum):
    """What the caller is being asked for."""

    NAME = "name"
    CALLING_NUMBER = "calling_number"  # whether the number they call from is the best one
    NUMBER = "number"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Contact:
    """A name and a number in the making. ``None`` is not asked yet, '' is not given.

    ``digits`` is the part of a number that was said so far.
    """

    ask: Ask = Ask.NAME
    name: str | None = None
    number: str | None = None
    digits: str = ""
    misses: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.name or self.number or self.digits)

    @property
    def expects(self) -> Expectation:
        """What the question asks for; the rest of a number is no number of its own."""
        return Expectation.NUMBER if self.digits else _EXPECTED[self.ask]


@dataclass(frozen=True, slots=True)
class Told:
    """What to say. ``is_settled``: the thing asked for is, and the next question may follow; else
    the text asks by itself."""

    text: str
    contact: Contact
    is_settled: bool = False


class ContactTaker:
    """Asks one caller. ``country``: ISO 3166, for numbers without a ``+``."""

    def __init__(self, caller_number: str, country: str) -> None:
        self.caller = caller_number if is_reachable(caller_number, country) else ""
        self._country = country

    def begin(self, contact: Contact) -> Contact:
        """At the first thing that is still to be asked."""
        if contact.digits and self.is_whole(contact.digits):
            contact = replace(contact, number=contact.digits, digits="")
        if contact.name is None:
            ask = Ask.NAME
        elif contact.number is None:
            ask = Ask.CALLING_NUMBER if self.caller and not contact.digits else Ask.NUMBER
        else:
            ask = Ask.NOTHING
        return replace(contact, ask=ask, misses=0)

    def question(self, contact: Contact) -> str:
        """What is asked of the caller now."""
        if contact.ask is Ask.NUMBER and contact.digits:
            return f"I have {' '.join(contact.digits)} so far. What's the rest?"
        return _QUESTIONS[contact.ask]

    def answer(self, contact: Contact, heard: Heard) -> Told:
        """Take what the caller said as an answer to the question."""
        if contact.ask is Ask.NAME:
            return self._name(contact, heard)
        if contact.ask is Ask.CALLING_NUMBER:
            return self._calling_number(contact, heard)
        return self._number(contact, heard)

    def with_passing_details(self, contact: Contact, text: str) -> Contact:
        """With the name and the number that the caller mentions along the way."""
        name, digits = introduced_name(text), spoken_digits(text)
        if name and contact.name is None:
            contact = replace(contact, name=name)
        is_number = len(digits) >= 7 and self.is_whole(digits)
        if contact.number is None and is_number and _WHERE_TO_CALL.search(text):
            contact = replace(contact, number=digits)
        return contact

    def corrected(self, contact: Contact, heard: Heard) -> Contact:
        """With the name or number that the caller puts right ("no, it's Bob")."""
        digits, name = spoken_digits(heard.text), introduced_name(heard.text)
        if len(digits) >= 7 and self.is_whole(digits):
            contact = replace(contact, number=digits)
        elif digits and contact.number and self.is_whole(contact.number + digits):
            contact = replace(contact, number=contact.number + digits)
        return replace(contact, name=name) if name else contact

    def is_whole(self, digits: str) -> bool:
        """Whether these are all the digits of a number."""
        return fit(digits, self._country) is Fit.COMPLETE

    def read_aloud(self, number: str) -> str:
        """A number as it is read back."""
        return read_aloud(number, self._country)

    # --- one function for each question -----------------------------------------------------------

    def _name(self, contact: Contact, heard: Heard) -> Told:
        if name := answered_name(heard.text):
            contact = self.with_passing_details(replace(contact, name=name), heard.text)
            return self._settled(contact, f"Thanks, {name}.")
        if heard.answer is False or contact.misses >= MOST_MISSES:
            return self._settled(replace(contact, name=""), "That's fine.")
        return self._again(contact, "Sorry, I didn't get the name.")

    def _calling_number(self, contact: Contact, heard: Heard) -> Told:
        if len(spoken_digits(heard.text)) > 2:
            return self._number(replace(contact, ask=Ask.NUMBER), heard)
        if re.search(r"\b(?:what|which)\b", heard.words):
            which = f"It's {self.read_aloud(self.caller)}."
            return Told(f"{which} {self.question(contact)}", contact)
        says_same = re.search(r"\b(?:same|this|calling from|this one|that one)\b", heard.words)
        if heard.answer is False:
            contact = replace(contact, ask=Ask.NUMBER, misses=0)
            return Told(f"Okay. {self.question(contact)}", contact)
        if heard.answer or says_same or contact.misses >= MOST_MISSES:
            return self._settled(replace(contact, number=self.caller), "Great.")
        return self._again(contact, "Sorry, yes or no?")

    def _number(self, contact: Contact, heard: Heard) -> Told:
        said = spoken_digits(heard.text)
        if len(said) == 1 and heard.length > 2:
            said = ""  # "I don't have one"
        if re.search(r"\b(?:start over|start again|from the beginning)\b", heard.words):
            contact = replace(contact, digits=said)
        elif said:
            contact = replace(contact, digits=self._joined(contact.digits, said))
        elif heard.answer is False or contact.misses >= MOST_MISSES:
            return self._settled(replace(contact, number=contact.digits, digits=""), "That's fine.")
        else:
            return self._again(contact, "Sorry, I didn't get the number. You can also type it.")
        size = fit(contact.digits, self._country) if contact.digits else Fit.SHORT
        if size is Fit.COMPLETE:
            return self._settled(replace(contact, number=contact.digits, digits=""), "Thanks.")
        if size is Fit.SHORT:
            return Told("Go on.", replace(contact, misses=0))
        return self._again(replace(contact, digits=""), "That's too long for a number.")

    def _joined(self, before: str, said: str) -> str:
        """The rest of a number, or the whole number anew."""
        return said if self.is_whole(said) and not self.is_whole(before + said) else before + said

    def _settled(self, contact: Contact, acknowledgement: str) -> Told:
        return Told(acknowledgement, self.begin(contact), is_settled=True)

    def _again(self, contact: Contact, why: str) -> Told:
        contact = replace(contact, misses=contact.misses + 1)
        return Told(f"{why} {self.question(contact)}", contact)


_QUESTIONS = {
    Ask.NAME: "What's your name, please?",
    Ask.CALLING_NUMBER: "Is the number you're calling from the best one to reach you?",
    Ask.NUMBER: "What number should we call?",
    Ask.NOTHING: "",
}
_EXPECTED = {
    Ask.NAME: Expectation.NAME,
    Ask.CALLING_NUMBER: Expectation.YES_NO,
    Ask.NUMBER: Expectation.PHONE,
    Ask.NOTHING: Expectation.NONE,
}
