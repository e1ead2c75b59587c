"""The scripted receptionist: what she says next, as a fold over what was said and heard so far.

Nothing is remembered between calls of `Dialogue.fold`. A reply may be cancelled and the caller's
turn may go on growing, so the state is built anew each time from the history, which holds the
caller's turns and of the agent's turns what was heard. The full text of an agent's turn is not in
the history; the fold knows it, because it makes it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from functools import lru_cache

from services.call.effects import KeepMessage, Purpose, Speaker, Turn
from services.receptionist import knowledge
from services.receptionist.agent import Agent
from services.receptionist.intents import Intent, Kind
from services.receptionist.lexicon import Heard, Lexicon, Want
from services.receptionist.message_form import (
    MessageForm,
    MessageTaker,
    Slot,
    requested_message,
)
from services.receptionist.names import introduced_name
from services.receptionist.offers import UNKNOWN_FACT, instead_of, not_understood
from services.receptionist.small_talk import (
    ANYTHING_ELSE,
    BYE,
    GO_AHEAD,
    HOW_CAN_I_HELP,
    abilities,
    about_herself,
    small_talk,
)
from services.receptionist.turns import joined, plain
from services.receptionist.words import begins_to_ask, stops_short

_SHORT = 6
_QUESTION_LENGTH = 12
_AS_ANSWER = re.compile(r"^(?:Sure|Sorry\b[^.?!]*)\. ")
"""The part of a reply that only made sense as an answer."""


class Asks(Enum):
    """What a bare yes or no would answer; a form knows that by itself."""

    NOTHING = "nothing"
    ANYTHING_ELSE = "anything_else"
    STILL_THERE = "still_there"


@dataclass(frozen=True, slots=True)
class State:
    """Where the conversation stands.

    ``said`` is the full text of the last reply. ``form`` is the message being taken; ``offer`` the
    one that a yes would begin. ``misses`` counts turns in a row that were not understood.
    """

    said: str
    asks: Asks = Asks.NOTHING
    form: MessageForm | None = None
    offer: MessageForm | None = None
    misses: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say; a message that is complete now; whether to hang up afterwards."""

    text: str
    message: KeepMessage | None = None
    hang_up: bool = False


@dataclass(frozen=True, slots=True)
class Fold:
    """The state after all turns, the reply to the caller's last one, and whether it was heard."""

    state: State
    reply: Reply
    was_heard: bool = False


_Step = tuple[State, Reply]
_ANSWERED = {True: "Sure. What would you like to know?", False: f"Okay. {HOW_CAN_I_HELP}"}


class Dialogue:
    """One agent talking to one caller. ``now`` is asked anew for each answer on opening hours.

    ``lexicon``: the agent's, which takes some ms to make; one can serve all calls.
    """

    def __init__(
        self,
        agent: Agent,
        now: Callable[[], datetime],
        caller_number: str,
        lexicon: Lexicon | None = None,
    ) -> None:
        self._agent = agent
        self._now = now
        # Pure, and asked about the same old turns in every fold: worth remembering.
        self._understand = lru_cache(maxsize=256)((lexicon or Lexicon(agent)).understand)
        self._taker = MessageTaker(caller_number, agent.business.country)
        self._lines = {
            purpose: plain(agent.line(purpose))
            for purpose in (Purpose.APOLOGY, Purpose.IDLE_PROMPT)
        }

    def fold(self, turns: Sequence[Turn]) -> Fold:
        """Go through the conversation from its beginning."""
        state = before = State(self._agent.line(Purpose.GREETING))
        fold = Fold(state, Reply(HOW_CAN_I_HELP))
        for turn in joined(turns):
            if turn.speaker is Speaker.CALLER:
                before = fold.state
                state, reply = self._step(before, self._understand(turn.text))
                fold = Fold(state, reply)
            elif self._is_line(Purpose.APOLOGY, turn.text, fold.state):
                fold = replace(fold, state=before)  # the caller was asked to say it again
            else:
                fold = replace(fold, state=self._heard(fold.state, turn.text), was_heard=True)
        return fold

    def unfinished(self, turns: Sequence[Turn]) -> KeepMessage | None:
        """The message that the end of the call left half taken, or complete but not thanked for."""
        fold = self.fold(turns)
        if fold.reply.message and not fold.was_heard:
            return fold.reply.message
        form = fold.state.form
        return None if form is None or form.is_empty else form.kept(complete=False)

    # --- what was heard of the agent's turns ------------------------------------------------------

    def _heard(self, state: State, text: str) -> State:
        if self._is_line(Purpose.IDLE_PROMPT, text, state):
            return replace(state, asks=Asks.STILL_THERE)
        was_cut = plain(text)[-2:] != plain(state.said)[-2:]
        if state.asks is Asks.ANYTHING_ELSE and was_cut:
            return replace(state, asks=Asks.NOTHING)  # the question was not heard: no is no goodbye
        return state

    def _is_line(self, purpose: Purpose, text: str, state: State) -> bool:
        """Whether an agent's turn was (the beginning of) a fixed line rather than a reply."""
        words = plain(text)
        begins_line = self._lines[purpose][: len(words)] == words
        return bool(words) and begins_line and plain(state.said)[: len(words)] != words

    # --- one caller turn --------------------------------------------------------------------------

    def _step(self, state: State, heard: Heard) -> _Step:
        if heard.has(Intent.EMERGENCY):
            return self._say(state, knowledge.emergency(self._agent))
        if heard.has(Intent.REPEAT) and (not state.form or heard.length <= _SHORT):
            repeated = f"Sure. {_AS_ANSWER.sub('', state.said)}"
            return replace(state, asks=_asked_in(repeated), misses=0), Reply(repeated)
        if heard.has(Intent.WAIT) and (not state.form or heard.length <= _SHORT):
            return replace(state, asks=Asks.NOTHING, misses=0), Reply("Take your time.")
        if state.form:
            return self._in_form(state, state.form, heard)
        if begins_to_ask(heard.words):
            return self._say(state, GO_AHEAD)
        if heard.first(Kind.ABOUT, Kind.FACT, Kind.ACTION):
            return self._inform(state, heard)
        if state.offer and heard.answer is not None and not heard.has(Intent.GOODBYE):
            return self._answer_offer(state, state.offer, accepted=heard.answer)
        if self._is_over(state, heard):
            return self._goodbye(state)
        if state.asks is Asks.STILL_THERE and (heard.answer or heard.first(Kind.SOCIAL)):
            return self._say(state, f"Great. {HOW_CAN_I_HELP}")
        if heard.wants:
            return self._say(state, small_talk(self._agent, heard.wants[0].intent))
        if heard.answer is not None:
            return self._say(state, _ANSWERED[heard.answer])
        if not heard.words:
            return self._say(state, "I'm listening.")
        if stops_short(heard.words):
            return self._say(state, GO_AHEAD)
        offer = not_understood(heard, abilities(self._agent), state.misses)
        missed, reply = self._say(state, offer.text, offer=offer.form)
        return replace(missed, misses=state.misses + 1), reply

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
        form: MessageForm | None = None,
        offer: MessageForm | None = None,
    ) -> _Step:
        """A reply that was no miss. A message being taken goes on unless told otherwise."""
        return State(text, _asked_in(text), form or state.form, offer), Reply(text)

    def _inform(self, state: State, heard: Heard) -> _Step:
        """Answer all questions, then begin what was wished for or say goodbye."""
        facts = self._facts(heard)
        action = heard.first(Kind.ACTION)
        if action:
            return self._act(state, action, heard, facts)
        if heard.has(Intent.GOODBYE):
            return self._goodbye(state, facts)
        if facts.endswith("?"):  # the owner's answer asks by itself
            offer = MessageForm(message=heard.text.strip()) if "message" in facts else None
            return self._say(state, facts, offer=offer)
        if facts:
            return self._say(state, f"{facts} {ANYTHING_ELSE}")
        return self._say(state, UNKNOWN_FACT.text, offer=UNKNOWN_FACT.form)

    def _facts(self, heard: Heard) -> str:
        answers = [about_herself(self._agent, want.intent) for want in heard.of_kind(Kind.ABOUT)]
        for want in heard.of_kind(Kind.FACT):
            answers.append(knowledge.answer(self._agent, want, self._now()))
        return " ".join(dict.fromkeys(filter(None, answers)))

    def _answer_offer(self, state: State, offer: MessageForm, *, accepted: bool) -> _Step:
        if not accepted:
            return self._say(state, f"All right. {ANYTHING_ELSE}")
        form = self._taker.begin(offer)
        return self._say(state, f"Sure. {self._ask(form)}", form=form)

    def _goodbye(self, state: State, before: str = "") -> _Step:
        if not before and state.said.endswith(self._agent.goodbye):
            return state, Reply(BYE, hang_up=True)
        text = f"{before} {self._agent.goodbye}".strip()
        return State(text, form=state.form), Reply(text, hang_up=True)

    # --- messages ---------------------------------------------------------------------------------

    def _act(self, state: State, want: Want, heard: Heard, facts: str) -> _Step:
        if want.intent is not Intent.MESSAGE:
            offer = instead_of(want, heard)
            return self._say(state, f"{facts} {offer.text}".strip(), offer=offer.form)
        form = state.offer or MessageForm()
        recipient = want.person.name if want.person else form.recipient
        message = form.message or requested_message(heard.text)
        form = replace(form, recipient=recipient, message=message)
        form = self._taker.begin(self._taker.with_passing_details(form, heard.text))
        text = f"{facts} Sure, I can take a message. {self._ask(form)}"
        return self._say(state, text.strip(), form=form)

    def _in_form(self, state: State, form: MessageForm, heard: Heard) -> _Step:
        is_free_text = form.slot is Slot.MESSAGE
        is_aside = not is_free_text or heard.length <= _SHORT
        agrees = form.slot is Slot.CONFIRM and heard.answer is True
        is_question = heard.is_question and heard.length <= _QUESTION_LENGTH
        if not agrees and is_question and heard.first(Kind.FACT, Kind.ABOUT):
            asks_about_form = form.slot is not Slot.MESSAGE and heard.has(Intent.PHONE)
            facts = "" if asks_about_form else self._facts(heard)
            if facts:
                return self._say(state, f"{facts} Now, back to your message. {self._ask(form)}")
        if is_aside and not agrees and (step := self._aside(state, form, heard)):
            return step
        return self._fill(state, form, heard)

    def _aside(self, state: State, form: MessageForm, heard: Heard) -> _Step | None:
        """What is no answer to the form's question; None if it may be one."""
        declines = form.slot is Slot.MESSAGE and form.message == "" and heard.answer is False
        if Intent.CANCEL in heard.spoken or (declines and heard.length <= 3):
            text = f"Okay, no message. {ANYTHING_ELSE}"
            return State(text, _asked_in(text)), Reply(text)
        if heard.has(Intent.GOODBYE) and "wrong number" not in heard.words:
            return self._goodbye(state, "" if form.is_empty else "I'll pass on what I have.")
        is_there = state.asks is Asks.STILL_THERE and heard.length <= 2
        says_hello = heard.has(Intent.GREETING) and not introduced_name(heard.text)
        if is_there or says_hello or heard.has(Intent.HEAR_ME, Intent.HELP, Intent.HOW_ARE_YOU):
            return self._say(state, f"I'm here. {self._ask(form)}")
        return None

    def _fill(self, state: State, form: MessageForm, heard: Heard) -> _Step:
        progress = self._taker.answer(form, heard)
        if progress.form:
            return self._say(state, progress.text, form=progress.form)
        done = progress.text
        if facts := self._facts(heard):
            done += f" {facts}"
        if heard.has(Intent.GOODBYE):
            text = f"{done} {self._agent.goodbye}"
            return State(text), Reply(text, progress.message, hang_up=True)
        text = f"{done} {ANYTHING_ELSE}"
        return State(text, _asked_in(text)), Reply(text, progress.message)

    def _ask(self, form: MessageForm) -> str:
        return self._taker.question(form)


def _asked_in(text: str) -> Asks:
    return Asks.ANYTHING_ELSE if text.endswith(ANYTHING_ELSE) else Asks.NOTHING
