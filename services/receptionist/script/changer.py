"""Finds a caller's appointment, and has it moved or cancelled once that was read back.

What the book says comes from the tools, by way of `Learned`; nothing here does anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from services.receptionist.agent import Agent
from services.receptionist.calendar.spoken_slots import (
    moment,
    no_time_told,
    not_picked,
    offer_of,
    slots_of,
    why_not,
    your_service,
)
from services.receptionist.script.change_form import Aim, ChangeForm, Step
from services.receptionist.script.change_words import (
    all_of,
    appointments_in,
    at_the_same_time,
    in_words,
    meant,
    sentence,
    service_of,
    start_of,
    which_and_when,
)
from services.receptionist.script.contact import Ask, Contact, ContactTaker
from services.receptionist.script.learned import Learned
from services.receptionist.script.message_form import MessageForm, Topic
from services.receptionist.script.picking import beyond, picked, refuses_all, taken_up
from services.receptionist.script.progress import JUST_TO_BE_SURE, Appointment, Progress
from services.receptionist.tools import Tool, ToolResult
from services.receptionist.understanding.intents import Intent
from services.receptionist.understanding.lexicon import Heard
from services.receptionist.understanding.wishes import any_time, near_day, when_in

_DO_IT = re.compile(r"\b(?:move|do|cancel|change|take) it\b|\bgo ahead\b|\bplease do\b")
_OTHER = re.compile(r"\bother\b")
AIMS = {
    Intent.CHANGE: Aim.MOVE,
    Intent.CANCEL_BOOKING: Aim.CANCEL,
    Intent.MY_APPOINTMENT: Aim.TELL,
}


class Changer:
    """Fills change forms for one caller. ``now`` only words what is said."""

    def __init__(self, agent: Agent, contacts: ContactTaker, now: Callable[[], datetime]) -> None:
        self._agent = agent
        self._contacts = contacts
        self._now = now

    def begin(
        self, aim: Aim, heard: Heard, learned: Learned, recent: Appointment | None = None
    ) -> Progress:
        """A wish. ``recent`` was booked in this call, and is what "it" means."""
        which, when = which_and_when(aim, heard.words)
        is_other = recent is None or recent.is_gone or _OTHER.search(heard.words)
        chosen = None if is_other else recent
        form = ChangeForm(aim, told=which, when=when, chosen=chosen)
        progress = self._go_on(form, learned, "")
        if recent and recent.is_gone and self._is_unknown(progress):
            known = f"{sentence(your_service(recent.service))} is cancelled"
            text = f"{known}, and I can't find another one under your number."
            return Progress(text, appointment=recent)
        return progress

    def _is_unknown(self, progress: Progress) -> bool:
        """Whether there is none under the caller's number."""
        form = progress.form
        return (
            isinstance(form, ChangeForm) and form.step is Step.WHO and bool(self._contacts.caller)
        )

    def question(self, form: ChangeForm) -> str:
        """What is asked of the caller now."""
        match form.step:
            case Step.WHO:
                return self._who_question(form.contact)
            case Step.WHICH:
                return self._which(form.found)
            case Step.CHOICE:
                return offer_of(form.offered, self._today)
            case Step.CONFIRM:
                return self.read_back(form)
        return "When would suit you instead?"

    def read_back(self, form: ChangeForm) -> str:
        """What would be done."""
        assert form.chosen is not None
        service = your_service(form.chosen.service)
        if form.aim is Aim.CANCEL:
            return f"So that's {service} on {moment(form.chosen.start)}. Shall I cancel it?"
        return f"So I'd move {service} to {moment(form.start)}. Shall I?"

    def answer(self, form: ChangeForm, heard: Heard, learned: Learned) -> Progress:
        """Take what the caller said as an answer to the form's question."""
        if form.step is Step.CONFIRM and (
            done := learned.done(Tool.CONFIRM, form.turn, reference=form.reference)
        ):
            return self._finished(form, done)
        if not heard.words:
            return Progress(f"I'm listening. {self.question(form)}", form)
        return _ANSWERS[form.step](self, form, heard, learned)

    # --- one function per step --------------------------------------------------------------------

    def _who(self, form: ChangeForm, heard: Heard, learned: Learned) -> Progress:
        told = self._contacts.answer(form.contact, heard)
        contact = told.contact
        if contact.ask is Ask.CALLING_NUMBER:  # it is not under that one
            contact = replace(contact, ask=Ask.NUMBER)
        misses = form.misses + (contact.misses > form.contact.misses)
        form = replace(form, contact=contact, misses=misses)
        if not told.is_settled:
            return Progress(told.text, form)
        if contact.ask is Ask.NOTHING:
            return self._go_on(form, learned, "")
        return Progress(f"{told.text} {self.question(form)}", form)

    def _who_question(self, contact: Contact) -> str:
        if contact.ask is Ask.NAME:
            return "What name is it under?"
        return self._contacts.question(contact) if contact.digits else "And the phone number?"

    def _one(self, form: ChangeForm, heard: Heard, learned: Learned) -> Progress:
        named = meant(heard, form.found)
        if len(named) == 1:
            return self._go_on(replace(form, chosen=form.found[named[0]]), learned, "")
        if heard.answer is False or refuses_all(heard.words):
            return Progress("Okay, I'll leave them as they are.")
        return self._again(form, "Sorry.", self.question(form))

    def _when(self, form: ChangeForm, heard: Heard, learned: Learned) -> Progress:
        if when := when_in(heard.words, is_answer=True) or any_time(heard.words):
            return self._go_on(form.at(when, self._today), learned, "")
        return self._again(form, *no_time_told(self.question(form), form.misses))

    def _choice(self, form: ChangeForm, heard: Heard, learned: Learned) -> Progress:
        if further := beyond(heard.words, form.offered):
            return self._go_on(form.at(further, self._today), learned, "")
        places = taken_up(heard, form.offered, _DO_IT, form.misses)
        if places and len(places) == 1:
            return self._go_on(replace(form, when=form.offered[places[0]]), learned, "")
        if places:
            form = replace(form, offered=tuple(form.offered[place] for place in places), misses=0)
            return Progress(offer_of(form.offered, self._today, "There's"), form)
        if places is not None:
            return self._go_on(
                form.at(when_in(heard.words, is_answer=True), self._today), learned, ""
            )
        if heard.answer is False or refuses_all(heard.words):
            form = replace(form, step=Step.WHEN, offered=(), misses=0)
            return Progress(f"Okay. {self.question(form)}", form)
        return self._again(form, *not_picked(form.offered, self._today, form.misses))

    def _confirm(self, form: ChangeForm, heard: Heard, learned: Learned) -> Progress:
        agrees = heard.answer or (heard.answer is None and bool(_DO_IT.search(heard.words)))
        when = beyond(heard.words, [form.start or start_of(form)])
        when = when or when_in(heard.words, is_answer=not agrees)
        is_other = when and picked(heard.words, (form.start or start_of(form),)) != [0]
        if is_other and (form.aim is Aim.MOVE or not agrees):
            return self._go_on(replace(form, aim=Aim.MOVE).at(when, self._today), learned, "Okay.")
        if agrees:
            return self._do(form, learned)
        declines = bool(heard.spoken & {Intent.DONE, Intent.THANKS})
        if heard.answer is False and form.aim is Aim.MOVE and not declines:
            form = replace(form, step=Step.WHEN, misses=0)
            return Progress(f"Okay. {self.question(form)}", form)
        if heard.answer is False:
            return Progress(
                f"Okay, {your_service(service_of(form))} stays on {moment(start_of(form))}."
            )
        return self._again(form, "Sorry, yes or no?", self.question(form))

    # --- what the tools say -----------------------------------------------------------------------

    def _go_on(self, form: ChangeForm, learned: Learned, before: str) -> Progress:
        """Find the appointment, then what else is missing; then propose it and read it back."""
        form = replace(form, misses=0)
        if form.chosen is None:
            found = self._find(form, learned)
            if isinstance(found, Progress):
                return found
            form = found
        chosen = form.chosen
        assert chosen is not None
        known = f"{your_service(chosen.service)} is on {moment(chosen.start)}."
        if form.aim is Aim.TELL:
            return Progress(sentence(known), appointment=chosen)
        if form.aim is Aim.CANCEL:
            proposed = learned.ask(Tool.CANCEL_APPOINTMENT, reference=chosen.reference)
        elif not form.when:
            form = replace(form, step=Step.WHEN)
            return Progress(f"{before} {sentence(known)} {self.question(form)}".strip(), form)
        else:
            when = near_day(at_the_same_time(form.when), chosen.start[:10], self._today)
            proposed = learned.ask(Tool.CHANGE_APPOINTMENT, reference=chosen.reference, when=when)
        reference = proposed.facts.get("reference")
        if not proposed.is_ok or not reference:
            return self._refused(form, proposed)
        start = str(proposed.facts.get("start", chosen.start))
        form = replace(form, step=Step.CONFIRM, reference=str(reference), turn=learned.turn)
        form = replace(form, start=start, when=start)
        return Progress(f"{before} {self.read_back(form)}".strip(), form)

    def _find(self, form: ChangeForm, learned: Learned) -> ChangeForm | Progress:
        """The form with the appointment that is meant, or what to ask to know it."""
        is_told = form.contact.ask is Ask.NOTHING
        who = form.contact if is_told else Contact(number=self._contacts.caller)
        if is_told and not who.number:
            return self._not_found(form)
        if not who.number:
            form = replace(form, step=Step.WHO)
            return Progress(f"Sure. {self.question(form)}", form)
        result = learned.ask(Tool.FIND_APPOINTMENTS, name=who.name or "", number=who.number)
        if result.code in ("failed", "not_possible"):
            return self._refused(form, result)
        found = appointments_in(result)
        if not found and not is_told:
            form = replace(form, step=Step.WHO)
            return Progress(f"I can't find one under your number. {self.question(form)}", form)
        if not found:
            return self._not_found(form)
        form = replace(form, found=found, step=Step.WHICH)
        named = picked(form.told, [one.start for one in found]) if form.told else None
        if named and len(named) == 1:
            return replace(form, chosen=found[named[0]])
        if len(found) == 1:
            return replace(form, chosen=found[0])
        if form.aim is Aim.TELL:
            return Progress(f"You have {all_of(found)}.")
        return Progress(self._which(found), form)

    def _not_found(self, form: ChangeForm) -> Progress:
        wish = MessageForm(topic=Topic.BOOKING, message=in_words(form))
        text = "I'm sorry, I can't find an appointment. Shall I take a message for the team?"
        return Progress(text, offer=wish)

    def _do(self, form: ChangeForm, learned: Learned) -> Progress:
        if learned.read != form.proposal:
            return Progress(f"{JUST_TO_BE_SURE} {self.read_back(form)}", form)
        result = learned.ask(Tool.CONFIRM, reference=form.reference)
        return self._finished(form, result) if result.is_ok else self._refused(form, result)

    def _finished(self, form: ChangeForm, result: ToolResult) -> Progress:
        assert form.chosen is not None
        texted = " You'll get a text." if result.facts.get("texted") else ""
        if form.aim is Aim.CANCEL:
            text = f"{sentence(your_service(form.chosen.service))} is cancelled.{texted}"
            return Progress(text, appointment=Appointment("", form.chosen.service, ""))
        start = str(result.facts.get("start") or form.start)
        moved = replace(form.chosen, start=start)
        return Progress(f"Done. It's on {moment(start)} now.{texted}", appointment=moved)

    def _refused(self, form: ChangeForm, result: ToolResult) -> Progress:
        slots, why = slots_of(result), why_not(result)
        form = replace(form, start="", reference="", misses=0)
        if slots:
            form = replace(form, step=Step.CHOICE, offered=slots)
            text = offer_of(slots, self._today, "I could offer" if why else "I have")
            return Progress(f"{why} {text}".strip(), form)
        if why and form.aim is Aim.MOVE:
            form = replace(form, step=Step.WHEN, when="")
            return Progress(f"{why} {self.question(form)}", form)
        wish = MessageForm(topic=Topic.BOOKING, message=in_words(form))
        sorry = "I'm sorry, I can't change it just now."
        return Progress(f"{sorry} Shall I take a message for the team?", offer=wish)

    @property
    def _today(self) -> date:
        return self._agent.schedule.local(self._now()).date()

    def _which(self, found: Sequence[Appointment]) -> str:
        return f"You have {all_of(found)}. Which one?"

    def _again(self, form: ChangeForm, why: str, question: str) -> Progress:
        form = replace(form, misses=form.misses + 1)
        return Progress(f"{why} {question}", form)


_Answer = Callable[[Changer, ChangeForm, Heard, Learned], Progress]
_ANSWERS: dict[Step, _Answer] = {
    Step.WHO: Changer._who,
    Step.WHICH: Changer._one,
    Step.WHEN: Changer._when,
    Step.CHOICE: Changer._choice,
    Step.CONFIRM: Changer._confirm,
}
