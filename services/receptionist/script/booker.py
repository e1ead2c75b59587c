"""Asks for all that a booking needs, holds the slot, reads it back and has it confirmed.

What the book says comes from the tools, by way of `Learned`; nothing here does anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

from services.receptionist.abilities import bookable
from services.receptionist.agent import Agent, Service
from services.receptionist.calendar.spoken_slots import (
    a_service,
    clock_of,
    moment,
    no_time_told,
    not_picked,
    offer_of,
    slots_of,
    why_not,
)
from services.receptionist.calendar.times import listed
from services.receptionist.script.booking_form import BookingForm, Step, only_enquires
from services.receptionist.script.contact import Ask, Contact, ContactTaker
from services.receptionist.script.learned import Learned
from services.receptionist.script.message_form import MessageForm, Topic
from services.receptionist.script.picking import beyond, picked, refuses_all, taken_up
from services.receptionist.script.progress import JUST_TO_BE_SURE, Appointment, Progress
from services.receptionist.tools import Tool, ToolResult
from services.receptionist.understanding.intents import Intent
from services.receptionist.understanding.lexicon import Heard
from services.receptionist.understanding.names import introduced_name, name_booked_for
from services.receptionist.understanding.wishes import any_time, tells_clock, tells_day, when_in

_MOST_LISTED = 5
_ANY_SERVICE = re.compile(
    r"\b(?:which|what) .*\b(?:have|offer|there|services|treatments|options)\b"
)
_SAME_AGAIN = re.compile(r"\b(?:it|that|again|instead|another|one|same)\b")
_ANY_APPOINTMENT = re.compile(r"\b(?:appointment|booking|reservation|something|anything)\b")
_NAMES_ONE = re.compile(r"\b(?:an?|the|not) ")
_ASKS_AGAIN = re.compile(r"\b(?:what|when|which|who)\b")
_LET_US = re.compile(r"\b(?:book|do|take) it\b|\bgo ahead\b|\bplease do\b")


class Booker:
    """Fills booking forms for one caller. ``now`` only words what is said."""

    def __init__(self, agent: Agent, contacts: ContactTaker, now: Callable[[], datetime]) -> None:
        self._agent = agent
        self._contacts = contacts
        self._now = now
        self._services = [service.name for service in bookable(agent)]
        self.is_possible = bool(self._services)

    def begin(self, heard: Heard, contact: Contact, learned: Learned, topic: str = "") -> Progress:
        """A wish to book, with all that it tells. ``contact`` is what is known of the caller,
        ``topic`` the service last spoken of: "book it for Monday", "one for my son"."""
        when = when_in(heard.words)
        form = BookingForm(when=when, contact=contact, enquires=only_enquires(heard.words))
        form = self._with_service(form, heard.services)
        before = "" if form.service and form.when else "Sure."
        is_same = _SAME_AGAIN.search(heard.words) or not _ANY_APPOINTMENT.search(heard.words)
        if not form.service and topic in self._services and is_same:
            form, before = replace(form, service=topic), f"Okay, {a_service(topic)}."
        form = self._with_details(form, heard)
        if len({service.name for service in heard.services} & set(self._services)) > 1:
            before = f"One after the other. First {a_service(form.service)}."
        return self._go_on(form, learned, before)

    def question(self, form: BookingForm) -> str:
        """What is asked of the caller now."""
        if form.step is Step.CONTACT:
            return self._contacts.question(form.contact)
        if form.step is Step.CHOICE:
            return offer_of(form.offered, self._today)
        if form.step is Step.CONFIRM:
            return self.read_back(form)
        return _QUESTIONS[form.step]

    def read_back(self, form: BookingForm) -> str:
        """What would be booked."""
        name = f" for {form.contact.name}" if form.contact.name else ""
        what = f"{a_service(form.service)} on {moment(form.start)}{name}"
        return f"So that's {what}. Shall I book it?"

    def answer(self, form: BookingForm, heard: Heard, learned: Learned) -> Progress:
        """Take what the caller said as an answer to the form's question."""
        if form.step is Step.CONFIRM and (
            done := learned.done(Tool.CONFIRM, form.turn, reference=form.reference)
        ):
            return self._booked_before(form, heard, done)
        if not heard.words:
            return Progress(f"I'm listening. {self.question(form)}", form)
        return _ANSWERS[form.step](self, form, heard, learned)

    # --- one function per step --------------------------------------------------------------------

    def _service(self, form: BookingForm, heard: Heard, learned: Learned) -> Progress:
        when = when_in(heard.words, is_answer=True) or form.when
        form = self._with_details(replace(form, when=when), heard)
        named = self._with_service(form, heard.services)
        if named.service:
            return self._go_on(named, learned, "")
        if when_in(heard.words, is_answer=True):
            return Progress(f"Okay. We have {self._listed}. Which one?", form)
        if _ANY_SERVICE.search(heard.words) or form.misses:
            return self._again(form, f"There's {self._listed}.", "Which one?")
        return self._again(form, "Sorry, I didn't get that.", f"We have {self._listed}. Which one?")

    def _when(self, form: BookingForm, heard: Heard, learned: Learned) -> Progress:
        form = self._with_details(self._with_other_service(form, heard), heard)
        if when := when_in(heard.words, is_answer=True) or any_time(heard.words):
            return self._go_on(form.at(when, self._today), learned, "")
        return self._again(form, *no_time_told(self.question(form), form.misses))

    def _choice(self, form: BookingForm, heard: Heard, learned: Learned) -> Progress:
        form = self._with_details(form, heard)
        if further := beyond(heard.words, form.offered):
            return self._go_on(form.at(further, self._today), learned, "")
        meant = taken_up(heard, form.offered, _LET_US, form.misses)
        if meant and len(meant) == 1:
            chosen = form.offered[meant[0]]
            form = replace(form, when=chosen, start=chosen, enquires=False)
            return self._go_on(form, learned, f"Okay, {clock_of(chosen)}.")
        if meant:
            form = replace(form, offered=tuple(form.offered[place] for place in meant), misses=0)
            return Progress(offer_of(form.offered, self._today, "There's"), form)
        if meant is not None:  # another day or time
            when = when_in(heard.words, is_answer=True)
            return self._go_on(form.at(when, self._today), learned, "")
        if heard.answer is False and heard.spoken & {Intent.DONE, Intent.THANKS}:
            return Progress("Okay, I won't book it.")
        if heard.answer is False or refuses_all(heard.words):
            form = replace(form, step=Step.WHEN, offered=(), day="", time="", misses=0)
            return Progress("Okay. When would suit you?", form)
        return self._again(form, *not_picked(form.offered, self._today, form.misses))

    def _contact(self, form: BookingForm, heard: Heard, learned: Learned) -> Progress:
        if form.contact.ask is Ask.NAME and not introduced_name(heard.text):
            when = when_in(heard.words)
            if when and (tells_day(heard.words) or heard.answer is False):
                return self._go_on(form.at(when, self._today), learned, "")
        if heard.services and _NAMES_ONE.search(heard.words) and not introduced_name(heard.text):
            other = self._with_other_service(form, heard)
            if other != form:
                return self._go_on(other, learned, f"Okay, {a_service(other.service)}.")
        told = self._contacts.answer(form.contact, heard)
        form = replace(form, contact=told.contact)
        return (
            self._go_on(form, learned, told.text) if told.is_settled else Progress(told.text, form)
        )

    def _confirm(self, form: BookingForm, heard: Heard, learned: Learned) -> Progress:
        agrees = heard.answer or (heard.answer is None and bool(_LET_US.search(heard.words)))
        if other := self._corrected(form, heard, agrees=agrees):
            return self._go_on(other, learned, "Okay.")
        if agrees:
            return self._book(form, learned)
        if heard.answer is False and heard.spoken & {Intent.DONE, Intent.THANKS}:
            return Progress("Okay, I won't book it.")
        if heard.answer is False:
            form = replace(form, step=Step.CHANGE, misses=0)
            return Progress(f"Okay. {self.question(form)}", form)
        if _ASKS_AGAIN.search(heard.words):
            return Progress(self.read_back(form), form)
        return self._again(form, "Sorry, shall I book it?", "Yes or no?")

    def _change(self, form: BookingForm, heard: Heard, learned: Learned) -> Progress:
        if other := self._corrected(form, heard, agrees=False):
            return self._go_on(other, learned, "Okay.")
        words = heard.words
        if re.search(r"\b(?:day|time|date|when|hour)\b", words):
            form = replace(form, step=Step.WHEN, start="", misses=0)
            return Progress("When would suit you?", form)
        if re.search(r"\bname\b", words):
            form = replace(form, contact=replace(form.contact, name=None))
            return self._go_on(form, learned, "Okay.")
        if re.search(r"\b(?:service|treatment|what for)\b", words):
            form = replace(form, step=Step.SERVICE, service="", start="", misses=0)
            return Progress(self.question(form), form)
        if heard.answer is False or re.search(r"\b(?:nothing|everything|all)\b", words):
            form = replace(form, step=Step.CONFIRM, misses=0)
            return Progress(self.question(form), form)
        return self._again(form, "Sorry.", self.question(form))

    # --- what the tools say -----------------------------------------------------------------------

    def _go_on(self, form: BookingForm, learned: Learned, before: str) -> Progress:
        """Ask for the next thing that is missing, or hold the slot and read it back."""
        form = replace(form, misses=0, contact=self._contacts.begin(form.contact))
        if not form.service:
            form = replace(form, step=Step.SERVICE)
            return Progress(f"{before} {self.question(form)}".strip(), form)
        if not form.when:
            form = replace(form, step=Step.WHEN)
            return Progress(f"{before} {self.question(form)}".strip(), form)
        has_contact = form.contact.ask is Ask.NOTHING
        if not form.start and not (has_contact and not form.enquires):
            found = learned.ask(Tool.CHECK_AVAILABILITY, service=form.service, when=form.when)
            slots = slots_of(found)
            if found.code == "theirs":
                return self._theirs(form, found)
            if not found.facts.get("free") or not slots:
                return self._not_free(form, found)
            form = form.known(slots[0])
            before = f"{before} {moment(slots[0])} is free.".strip()
            if form.enquires:
                form = replace(form, step=Step.CHOICE, offered=slots[:1], start="", enquires=False)
                return Progress(f"{before} Would you like it?", form)
        if has_contact and not (form.contact.name or form.contact.number):
            form = replace(form, contact=self._contacts.begin(Contact()))
            has_contact, before = False, "I need a name or a number for that."
        if not has_contact:
            form = replace(form, step=Step.CONTACT)
            return Progress(f"{before} {self.question(form)}".strip(), form)
        return self._hold(form, learned, before)

    def _hold(self, form: BookingForm, learned: Learned, before: str) -> Progress:
        held = learned.ask(
            Tool.BOOK_APPOINTMENT,
            service=form.service,
            when=form.start or form.when,
            name=form.contact.name or "",
            number=form.contact.number or "",
        )
        if held.code == "theirs":
            return self._theirs(form, held)
        if not held.is_ok or not held.facts.get("reference"):
            return self._not_free(form, held)
        form = form.known(str(held.facts["start"]))
        reference = str(held.facts["reference"])
        form = replace(form, step=Step.CONFIRM, reference=reference, turn=learned.turn)
        return Progress(f"{before} {self.read_back(form)}".strip(), form)

    def _book(self, form: BookingForm, learned: Learned) -> Progress:
        if learned.read != form.proposal:
            return Progress(f"{JUST_TO_BE_SURE} {self.read_back(form)}", form)
        result = learned.ask(Tool.CONFIRM, reference=form.reference)
        if result.is_ok:
            return self._booked(form, result)
        if slots_of(result) or why_not(result):
            return self._not_free(replace(form, start="", reference=""), result)
        if result.code == "unknown_reference":  # the hold is long over: try again
            return self._hold(form, learned, JUST_TO_BE_SURE)
        return self._not_free(form, result)

    def _not_free(self, form: BookingForm, result: ToolResult) -> Progress:
        """Why not, and what there is instead."""
        slots, why = slots_of(result), why_not(result)
        form = replace(form, start="", reference="", misses=0, enquires=False)
        if slots:
            form = replace(form, step=Step.CHOICE, offered=slots, day=slots[0][:10])
            verb = "I could offer" if why else "I have"
            text = offer_of(slots, self._today, verb)
            return Progress(f"{why} {text}".strip(), form)
        if result.code in ("failed", "not_possible", "not_offered"):
            wish = MessageForm(topic=Topic.BOOKING, message=form.wish, contact=form.contact)
            sorry = "I'm sorry, I can't get at the appointment book just now."
            return Progress(f"{sorry} Shall I take a message with what you'd like?", offer=wish)
        is_half = tells_clock(form.when) and not tells_day(form.when)
        question = "On which day?" if is_half else f"{why} When would suit you?".strip()
        return Progress(question, form.without_time())

    def _booked(self, form: BookingForm, result: ToolResult) -> Progress:
        texted = " You'll get a text." if result.facts.get("texted") else ""
        return Progress(f"Booked.{texted}", appointment=_appointment(form, result))

    def _theirs(self, form: BookingForm, result: ToolResult) -> Progress:
        """The caller wishes for what they have: a call that broke off has booked it."""
        appointment = _appointment(form, result)
        text = f"You're booked for that already, on {moment(appointment.start)}."
        return Progress(text, appointment=appointment)

    def _booked_before(self, form: BookingForm, heard: Heard, result: ToolResult) -> Progress:
        """A reply that was interrupted has booked it; whatever the caller says now comes after."""
        if heard.answer is False or re.search(r"\b(?:no|not|wait|stop)\b", heard.words):
            text = f"It's booked, on {moment(form.start)}. I can still move it or cancel it."
            return Progress(text, appointment=_appointment(form, result))
        return self._booked(form, result)

    # --- the parts of an answer -------------------------------------------------------------------

    @property
    def _today(self) -> date:
        return self._agent.schedule.local(self._now()).date()

    @property
    def _listed(self) -> str:
        named = [a_service(name) for name in self._services[:_MOST_LISTED]]
        return listed(named, " or ")

    def _with_service(self, form: BookingForm, named: tuple[Service, ...]) -> BookingForm:
        known = [service.name for service in named if service.name in self._services]
        if not known and len(self._services) == 1:
            known = self._services
        return replace(form, service=known[0]) if known else form

    def _with_other_service(self, form: BookingForm, heard: Heard) -> BookingForm:
        other = self._with_service(form, heard.services)
        return other if other.service == form.service else replace(other, start="")

    def _with_details(self, form: BookingForm, heard: Heard) -> BookingForm:
        contact = self._contacts.with_passing_details(form.contact, heard.text)
        if contact.name is None and (name := name_booked_for(heard.text)):
            contact = replace(contact, name=name)
        return replace(form, contact=contact)

    def _corrected(self, form: BookingForm, heard: Heard, *, agrees: bool) -> BookingForm | None:
        """What was read back, put right; None if nothing is to be changed."""
        other = self._with_other_service(form, heard) if heard.services else form
        name = introduced_name(heard.text)
        if name and name != form.contact.name:
            other = replace(other, contact=replace(other.contact, name=name))
        when = beyond(heard.words, [form.start])
        when = when or when_in(heard.words, is_answer=not agrees)
        if when and picked(heard.words, (form.start,)) != [0]:
            other = other.at(when, self._today)
        return None if other == form else other

    def _again(self, form: BookingForm, why: str, question: str) -> Progress:
        form = replace(form, misses=form.misses + 1)
        return Progress(f"{why} {question}", form)


def _appointment(form: BookingForm, result: ToolResult) -> Appointment:
    facts = result.facts
    start = str(facts.get("start") or form.start)
    return Appointment(
        str(facts.get("id") or facts.get("reference") or form.reference), form.service, start
    )


_QUESTIONS = {
    Step.SERVICE: "What would you like to come in for?",
    Step.WHEN: "When would suit you?",
    Step.CHANGE: "What should I change: the day, the time or the name?",
}
_Answer = Callable[[Booker, BookingForm, Heard, Learned], Progress]
_ANSWERS: dict[Step, _Answer] = {
    Step.SERVICE: Booker._service,
    Step.WHEN: Booker._when,
    Step.CHOICE: Booker._choice,
    Step.CONTACT: Booker._contact,
    Step.CONFIRM: Booker._confirm,
    Step.CHANGE: Booker._change,
}
