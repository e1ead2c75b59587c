"""One turn of the caller's: from where the conversation stands to where it stands then."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from services.receptionist import knowledge
from services.receptionist.agent import Agent
from services.receptionist.script import forms
from services.receptionist.script.changer import AIMS
from services.receptionist.script.errand import Errand
from services.receptionist.script.escalation import Escalated, Escalation
from services.receptionist.script.facts import Facts
from services.receptionist.script.forms import Forms
from services.receptionist.script.hearing import Hearing
from services.receptionist.script.learned import Learned
from services.receptionist.script.message_form import MessageForm, requested_message
from services.receptionist.script.offers import (
    LOST,
    UNKNOWN_FACT,
    asks_for_operator,
    instead_of,
    not_understood,
)
from services.receptionist.script.progress import Progress
from services.receptionist.script.small_talk import (
    ANYTHING_ELSE,
    BYE,
    GO_AHEAD,
    HOW_CAN_I_HELP,
    abilities,
    small_talk,
)
from services.receptionist.script.talk import Asks, Form, Reply, State
from services.receptionist.understanding.intents import WORTH_A_MESSAGE, Intent, Kind
from services.receptionist.understanding.lexicon import Heard, Want
from services.receptionist.understanding.names import introduced_name
from services.receptionist.understanding.wishes import when_in
from services.receptionist.understanding.words import begins_to_ask, stops_short

_SHORT = 6
_QUESTION_LENGTH = 12
_THANKS = 3
_AS_ANSWER = re.compile(r"^(?:Sure|Sorry\b[^.?!]*)\. ")
"""The part of a reply that only made sense as an answer."""

_Step = tuple[State, Reply]
_ANSWERED = {True: "Sure. What would you like to know?", False: f"Okay. {HOW_CAN_I_HELP}"}


class Steps:
    """The steps of one agent with one caller. Each raises Needs or Missed where it lacks what a
    tool would bring."""

    def __init__(
        self,
        agent: Agent,
        now: Callable[[], datetime],
        all_forms: Forms,
        errand: Errand,
        hearing: Hearing,
    ) -> None:
        self._agent = agent
        self._facts = Facts(agent, now)
        self._forms = all_forms
        self._errand = errand
        self._hearing = hearing
        self._escalation = Escalation(agent)

    def take(self, state: State, heard: Heard, learned: Learned) -> _Step:
        """What the caller's words lead to."""
        form = state.form
        if heard.has(Intent.EMERGENCY):
            return self._emergency(state, heard, learned)
        if heard.rule and not (form and forms.takes_free_text(form)):
            rule = heard.rule
            put = self._put_through(
                state, heard, learned, person=rule.person, urgency=rule.urgency, by="rule"
            )
            return self._escalated(put)
        if form and forms.is_done(form, learned):
            return self._fill(state, form, heard, learned)
        if _wants_repetition(heard) and (not form or heard.length <= _SHORT):
            repeated = f"Sure. {_AS_ANSWER.sub('', state.said or state.spoken)}"
            return replace(state, asks=_asked_in(repeated), misses=0), Reply(repeated)
        is_other_time = form is not None and when_in(heard.words)
        if heard.has(Intent.WAIT) and (not form or heard.length <= _SHORT) and not is_other_time:
            return replace(state, asks=Asks.NOTHING, misses=0), Reply("Take your time.")
        if form:
            return self._in_form(state, form, heard, learned)
        is_known = state.recent is not None and not state.recent.is_gone
        is_known = is_known or "cancel it" in heard.words
        if is_known and Intent.CANCEL in heard.spoken and "cancel" in heard.words:
            return self._change(state, Intent.CANCEL_BOOKING, heard, learned)
        if begins_to_ask(heard.words):
            return self._say(state, GO_AHEAD)
        if heard.first(Kind.ABOUT, Kind.FACT, Kind.ACTION):
            return self._inform(state, heard, learned)
        if state.offer and heard.answer is not None and not heard.has(Intent.GOODBYE):
            return self._answer_offer(state, state.offer, accepted=heard.answer)
        return self._small_talk(state, heard, learned)

    def _small_talk(self, state: State, heard: Heard, learned: Learned) -> _Step:
        """What asks for nothing, or was not understood."""
        if self._is_over(state, heard):
            return self._goodbye(state)
        if state.asks is Asks.STILL_THERE and (heard.answer or heard.first(Kind.SOCIAL)):
            return self._say(state, f"Great. {HOW_CAN_I_HELP}")
        if state.asks is Asks.ERRAND and (
            text := self._errand.answer(heard, learned, self._forms.contacts.caller)
        ):
            after, reply = self._say(state, text)
            return replace(after, asks=self._errand.asks_after(text) or after.asks), reply
        if heard.wants:
            return self._say(state, small_talk(self._agent, heard.wants[0].intent))
        if heard.answer is not None:
            return self._say(state, _ANSWERED[heard.answer])
        if not heard.words:
            return self._say(state, "I'm listening.")
        if stops_short(heard.words):
            return self._say(state, GO_AHEAD)
        if self._hearing.offered_after_transfer(state) and heard.length >= _SHORT:
            return self._take(state, replace(state.offer or MessageForm(), message=heard.text))
        return self._not_understood(state, heard, learned)

    def _not_understood(self, state: State, heard: Heard, learned: Learned) -> _Step:
        misses = state.misses + 1
        if asks_for_operator(heard):
            return self._escalated(self._put_through(state, heard, learned))
        if misses == self._agent.transfers.after_misses and self._escalation.is_possible:
            put = self._put_through(state, heard, learned, by="misunderstanding")
            missed, reply = self._escalated(put)
            return replace(missed, misses=misses), reply
        offer = not_understood(heard, abilities(self._agent), state.misses)
        missed, reply = self._say(state, offer.text, offer=offer.form)
        return replace(missed, misses=misses), reply

    def _is_over(self, state: State, heard: Heard) -> bool:
        """Whether the caller is leaving, or has nothing more to say."""
        if heard.has(Intent.GOODBYE, Intent.DONE):
            return True
        agrees = heard.has(Intent.ACKNOWLEDGE, Intent.THANKS)
        if state.asks is Asks.ANYTHING_ELSE:
            acknowledged = small_talk(self._agent, Intent.ACKNOWLEDGE)
            return heard.answer is False or (agrees and state.said == acknowledged)
        return agrees and state.said.endswith(self._agent.goodbye)

    def _say(
        self,
        state: State,
        text: str,
        *,
        form: Form | None = None,
        offer: MessageForm | None = None,
    ) -> _Step:
        """A reply that was no miss. A form being filled in stays unless told otherwise."""
        after = State(text, asks=_asked_in(text), form=form or state.form, offer=offer)
        return after, Reply(text)

    def _end(self, text: str, offer: MessageForm | None = None) -> _Step:
        """A reply after which no form is being filled in."""
        return State(text, asks=_asked_in(text), offer=offer), Reply(text)

    def _inform(self, state: State, heard: Heard, learned: Learned) -> _Step:
        """Answer all questions, then begin what was wished for or say goodbye."""
        facts = self._facts.in_answer_to(heard)
        action = heard.first(Kind.ACTION)
        if action and not (action.intent is Intent.BOOK and facts.endswith("?")):
            return _after(facts, self._act(state, action, heard, learned))
        if heard.has(Intent.GOODBYE):
            return self._goodbye(state, facts)
        if facts.endswith("?"):  # the owner's answer asks by itself
            offer = MessageForm(message=heard.text.strip()) if "message" in facts else None
            return self._say(state, facts, offer=offer)
        if facts:
            return self._say(state, f"{facts} {ANYTHING_ELSE}")
        return self._say(state, UNKNOWN_FACT.text, offer=UNKNOWN_FACT.form)

    def _answer_offer(self, state: State, offer: MessageForm, *, accepted: bool) -> _Step:
        if not accepted:
            return self._say(state, f"All right. {ANYTHING_ELSE}")
        form = self._forms.messages.begin(offer)
        return self._say(state, f"Sure. {self._ask(form)}", form=form)

    def _goodbye(self, state: State, before: str = "") -> _Step:
        if not before and state.said.endswith(self._agent.goodbye):
            return state, Reply(BYE, hang_up=True)
        text = f"{before} {self._agent.goodbye}".strip()
        form = state.form if isinstance(state.form, MessageForm) else None
        return State(text, form=form), Reply(text, hang_up=True)

    # --- what the caller wants done ---------------------------------------------------------------

    def _act(self, state: State, want: Want, heard: Heard, learned: Learned) -> _Step:
        person = want.person.name if want.person else ""
        if want.intent is Intent.MESSAGE:
            form = state.offer or MessageForm(contact=state.contact)
            message = form.message or requested_message(heard.text)
            form = replace(form, recipient=person or form.recipient, message=message)
            return self._take(state, self._forms.messages.with_passing_details(form, heard.text))
        if want.intent is Intent.PERSON:
            return self._escalated(self._put_through(state, heard, learned, person=person), person)
        if want.intent not in WORTH_A_MESSAGE and self._forms.bookings.is_possible:
            if want.intent is not Intent.BOOK:
                return self._change(state, want.intent, heard, learned)
            progress = self._forms.bookings.begin(heard, state.contact, learned, state.topic)
            return self._progressed(state, progress, None, heard, learned)
        offer = instead_of(want, heard, state.offer)
        return self._say(state, offer.text, offer=offer.form)

    def _take(self, state: State, form: MessageForm) -> _Step:
        form = self._forms.messages.begin(form)
        return self._say(state, f"Sure, I can take a message. {self._ask(form)}", form=form)

    def _change(self, state: State, intent: Intent, heard: Heard, learned: Learned) -> _Step:
        progress = self._forms.changes.begin(AIMS[intent], heard, learned, state.recent)
        return self._progressed(state, progress, None, heard, learned)

    def _put_through(
        self,
        state: State,
        heard: Heard,
        learned: Learned,
        *,
        person: str = "",
        urgency: str = "normal",
        by: str = "caller",
    ) -> Escalated:
        name = introduced_name(heard.text) or state.contact.name or ""
        return self._escalation.put_through(
            learned, heard.text.strip(), person=person, name=name, urgency=urgency, by=by
        )

    def _escalated(self, put: Escalated, sought: str = "") -> _Step:
        after, reply = self._end(put.text, put.offer)
        return replace(after, sought=sought), reply

    def _emergency(self, state: State, heard: Heard, learned: Learned) -> _Step:
        if state.alarmed:
            return self._say(state, knowledge.emergency(self._agent))
        caller, name = self._forms.contacts.caller, state.contact.name or ""
        put = self._escalation.emergency(learned, heard.text.strip(), name, caller)
        after, reply = self._say(state, put.text)
        return replace(after, alarmed=put.is_done), reply

    # --- forms ------------------------------------------------------------------------------------

    def _in_form(self, state: State, form: Form, heard: Heard, learned: Learned) -> _Step:
        free = forms.takes_free_text(form)
        agrees = forms.is_confirming(form) and heard.answer is True
        is_question = heard.is_question and heard.length <= _QUESTION_LENGTH
        if not agrees and is_question and not forms.takes_as_answer(form, heard):
            asks_about_form = not free and heard.has(Intent.PHONE)
            facts = "" if asks_about_form else self._facts.in_answer_to(heard, form)
            if facts:
                back = f"Now, back to your {forms.called(form)}."
                return self._say(state, f"{facts} {back} {self._ask(form)}")
        if not agrees and not free and (action := forms.leads_out(form, heard)):
            return self._act(replace(state, form=None), action, heard, learned)
        is_aside = not free or heard.length <= _SHORT
        if is_aside and not agrees and (step := self._aside(state, form, heard)):
            return step
        return self._fill(state, form, heard, learned)

    def _aside(self, state: State, form: Form, heard: Heard) -> _Step | None:
        """What is no answer to the form's question; None if it may be one."""
        if forms.drops(form, heard):
            return self._end(f"{forms.dropped(form)} {ANYTHING_ELSE}")
        if heard.has(Intent.GOODBYE) and "wrong number" not in heard.words:
            return self._goodbye(state, forms.abandoned(form))
        is_there = state.asks is Asks.STILL_THERE and heard.length <= 2
        says_hello = heard.has(Intent.GREETING) and not introduced_name(heard.text)
        if is_there or says_hello or heard.has(Intent.HEAR_ME, Intent.HELP, Intent.HOW_ARE_YOU):
            return self._say(state, f"I'm here. {self._ask(form)}")
        if heard.spoken == {Intent.THANKS} and heard.answer is None and heard.length <= _THANKS:
            return self._say(state, self._ask(form))  # or only noise, as recognisers write it
        return None

    def _fill(self, state: State, form: Form, heard: Heard, learned: Learned) -> _Step:
        progress = self._forms.answer(form, heard, learned)
        return self._progressed(state, progress, form, heard, learned)

    def _progressed(
        self, state: State, progress: Progress, form: Form | None, heard: Heard, learned: Learned
    ) -> _Step:
        """What a form's answer leads to; ``form`` is the form before it, if there was one."""
        now = progress.form
        if form and now and forms.has_lost(form, now, self._agent.transfers.after_misses):
            if self._agent.transfers.after_misses and self._escalation.is_possible:
                put = self._put_through(state, heard, learned, by="misunderstanding")
                return self._escalated(put)
            return self._end(LOST.text, LOST.form)
        if now:
            return self._say(state, progress.text, form=now)
        if progress.offer:
            return self._end(progress.text, progress.offer)
        done = progress.text
        if form and (facts := self._facts.in_answer_to(heard)):
            done += f" {facts}"
        if form and heard.has(Intent.GOODBYE):
            text = f"{done} {self._agent.goodbye}"
            return State(text, recent=progress.appointment), Reply(text, hang_up=True)
        after, reply = self._end(f"{done} {ANYTHING_ELSE}")
        return replace(after, recent=progress.appointment), reply

    def _ask(self, form: Form) -> str:
        return self._forms.question(form)


def _after(facts: str, step: _Step) -> _Step:
    """A step whose reply begins with some facts."""
    state, reply = step
    text = f"{facts} {reply.text}".strip()
    return replace(state, said=text), replace(reply, text=text)


def _wants_repetition(heard: Heard) -> bool:
    """ "Sorry?", and not "No, sorry."."""
    is_answer = heard.answer is not None and heard.words.endswith("sorry")
    return heard.has(Intent.REPEAT) and not is_answer


def _asked_in(text: str) -> Asks:
    return Asks.ANYTHING_ELSE if text.endswith(ANYTHING_ELSE) else Asks.NOTHING
