"""The scripted receptionist: what she says next, as a fold over what was said and heard so far.

Nothing is remembered between calls of `Dialogue.fold`. A reply may be cancelled and the caller's
turn may go on growing, so the state is built anew each time from the history, which holds the
caller's turns and of the agent's turns what was heard. The full text of an agent's turn is not in
the history; the fold knows it, because it makes it again. What the tools brought is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from services.call.effects import Purpose, Speaker, Turn
from services.receptionist.agent import Agent
from services.receptionist.script.errand import Errand
from services.receptionist.script.forms import Forms
from services.receptionist.script.hearing import Hearing
from services.receptionist.script.learned import Learned, Missed, Needs, request_of
from services.receptionist.script.message_form import MessageForm
from services.receptionist.script.progress import Appointment
from services.receptionist.script.small_talk import HOW_CAN_I_HELP
from services.receptionist.script.steps import Steps
from services.receptionist.script.talk import Asks, Fold, Reply, State
from services.receptionist.script.turns import joined
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from services.receptionist.understanding.lexicon import Heard, Lexicon

_NOTHING_KNOWN: Mapping[str, ToolResult] = {}


class Dialogue:
    """One agent talking to one caller. ``now`` is asked anew for each answer on opening hours.

    ``lexicon``: the agent's, which takes some ms to make; one can serve all calls. ``greeting``:
    what the agent begins with, if it is not the agent's greeting.
    """

    def __init__(
        self,
        agent: Agent,
        now: Callable[[], datetime],
        caller_number: str,
        lexicon: Lexicon | None = None,
        greeting: str = "",
    ) -> None:
        # Pure, and asked about the same old turns in every fold: worth remembering.
        self._understand = lru_cache(maxsize=256)((lexicon or Lexicon(agent)).understand)
        forms, errand = Forms(agent, now, caller_number), Errand(agent, greeting)
        self._hearing = Hearing(agent)
        self._steps = Steps(agent, now, forms, errand, self._hearing)
        self._number = forms.contacts.caller
        self._asks = Asks.ERRAND if errand.is_one else Asks.NOTHING
        self._greeting = greeting or agent.line(Purpose.GREETING)

    def fold(
        self, turns: Sequence[Turn], results: Mapping[str, ToolResult] = _NOTHING_KNOWN
    ) -> Fold:
        """Go through the conversation from its beginning. ``results``: what the tools of this call
        brought, by key. Raises Needs if the reply to the last turn needs one more."""
        state = before = State(self._greeting, self._greeting, self._asks)
        fold, told = (
            Fold(state, Reply(HOW_CAN_I_HELP)),
            list(joined(self._hearing.without_fillers(turns))),
        )
        for place, turn in enumerate(told):
            if turn.speaker is Speaker.CALLER:
                before, number = fold.state, fold.turn + 1
                learned = Learned(results, number, place == len(told) - 1, before.read)
                fold = Fold(*self._react(before, turn.text, learned), number)
            elif self._hearing.is_line(Purpose.APOLOGY, turn.text, fold.state):
                fold = replace(fold, state=before)  # the caller was asked to say it again
            else:
                fold = replace(fold, state=self._hearing.after(fold.state, turn.text))
        return fold

    def unfinished(
        self, turns: Sequence[Turn], results: Mapping[str, ToolResult] = _NOTHING_KNOWN
    ) -> ToolRequest | None:
        """The message that the end of the call left half taken, or complete but not kept yet."""
        try:
            fold = self.fold(turns, results)
        except Needs as needs:
            wish = needs.request
            if wish.tool is Tool.TAKE_MESSAGE:
                return wish
            if wish.tool is Tool.TRANSFER_CALL and wish.arguments["urgency"] == "high":
                return self._alarm(wish)
            fold = self.fold(list(joined(turns))[:-1], results)
        form = fold.state.form
        if not isinstance(form, MessageForm) or form.is_empty:
            return None
        return request_of(Tool.TAKE_MESSAGE, fold.turn, **form.arguments(complete=False))

    def _alarm(self, wish: ToolRequest) -> ToolRequest:
        """A message in place of a transfer for which the caller did not stay."""
        told = {"name": wish.arguments["name"], "message": wish.arguments["reason"]}
        told |= {"number": self._number, "urgent": "yes", "complete": "yes"}
        return request_of(Tool.TAKE_MESSAGE, wish.turn, **told)

    def _react(self, state: State, text: str, learned: Learned) -> tuple[State, Reply]:
        heard = self._understand(text)
        try:
            after, reply = self._steps.take(state, heard, learned)
        except Missed:  # somebody else answered it: nothing of ours is in progress
            person = next((want.person.name for want in heard.wants if want.person), "")
            sought = person or state.sought
            return State("", contact=state.contact, sought=sought), Reply(HOW_CAN_I_HELP)
        contact = after.form.contact if after.form else None
        return replace(
            after,
            spoken=reply.text,
            recent=after.recent or state.recent,
            contact=contact if contact and contact.name else state.contact,
            sought=after.sought or state.sought,
            topic=_topic(state, heard, after.recent),
            alarmed=after.alarmed or state.alarmed,
            read=after.read or state.read,
        ), reply


def _topic(state: State, heard: Heard, recent: Appointment | None) -> str:
    """The service that was spoken of last."""
    if heard.services:
        return heard.services[-1].name
    return recent.service if recent else state.topic
