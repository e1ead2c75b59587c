"""What was heard of the agent's own turns, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.call.effects import Purpose, Speaker, Turn
from services.receptionist.agent import Agent
from services.receptionist.script import forms
from services.receptionist.script.message_form import MessageForm
from services.receptionist.script.progress import JUST_TO_BE_SURE
from services.receptionist.script.small_talk import ANYTHING_ELSE
from services.receptionist.script.talk import Asks, State
from services.receptionist.script.turns import plain

_LINES = (Purpose.APOLOGY, Purpose.IDLE_PROMPT, Purpose.REPAIR, Purpose.NOBODY_THERE)


class Hearing:
    """Knows one agent's fixed lines."""

    def __init__(self, agent: Agent) -> None:
        self._lines = {purpose: plain(agent.line(purpose)) for purpose in _LINES}
        self._nobody_there = agent.line(Purpose.NOBODY_THERE)
        self._filler = plain(agent.filler)

    def without_fillers(self, turns: Sequence[Turn]) -> list[Turn]:
        """The turns without what only bridged a wait: a caller who speaks then goes on with the
        same turn."""
        return [turn for turn in turns if not self._is_filler(turn)]

    def is_line(self, purpose: Purpose, text: str, state: State) -> bool:
        """Whether an agent's turn was (the beginning of) a fixed line rather than a reply."""
        words = plain(text)
        begins_line = self._lines[purpose][: len(words)] == words
        return bool(words) and begins_line and plain(state.spoken)[: len(words)] != words

    def offered_after_transfer(self, state: State) -> bool:
        """Whether the caller has just come back from a transfer."""
        return state.offer is not None and state.said == self._nobody_there

    def after(self, state: State, text: str) -> State:
        """The state once an agent's turn was heard, as far as it was."""
        if self.is_line(Purpose.NOBODY_THERE, text, state):
            line, offer = self._nobody_there, MessageForm(recipient=state.sought)
            return replace(
                state, said=line, spoken=line, asks=Asks.NOTHING, form=None, offer=offer, misses=0
            )
        if self.is_line(Purpose.IDLE_PROMPT, text, state):
            return replace(state, asks=Asks.STILL_THERE)
        if self.is_line(Purpose.REPAIR, text, state):
            return state
        if not state.spoken:  # it was not ours
            asks = Asks.ANYTHING_ELSE if text.endswith(ANYTHING_ELSE) else Asks.NOTHING
            return replace(state, said=text, spoken=text, asks=asks)
        words = self._words(text)
        was_cut = words[-2:] != plain(state.spoken)[-2:]
        if state.asks is Asks.ANYTHING_ELSE and was_cut:
            state = replace(state, asks=Asks.NOTHING)  # not heard: no is no goodbye
        return self._read_back(state, words)

    def _read_back(self, state: State, words: list[str]) -> State:
        """Whether enough of a read-back was heard for a yes to mean it."""
        form = state.form
        if form is None or isinstance(form, MessageForm) or not forms.is_confirming(form):
            return state
        spoken = plain(state.spoken)
        if spoken[: len(words) - 1] != words[:-1]:
            return state  # those were not our words
        until = forms.read_back_until(form, state.spoken)
        is_again = state.spoken.startswith(JUST_TO_BE_SURE) and len(words) > len(
            plain(JUST_TO_BE_SURE)
        )
        if is_again or (until >= 0 and len(words) > len(plain(state.spoken[:until]))):
            return replace(state, read=form.proposal)
        return state

    def _words(self, text: str) -> list[str]:
        """What was heard of a reply, without the line that bridged the wait for it."""
        words = plain(text)
        return words[len(self._filler) :] if self._begins_with_filler(words) else words

    def _begins_with_filler(self, words: list[str]) -> bool:
        return bool(self._filler) and words[: len(self._filler)] == self._filler

    def _is_filler(self, turn: Turn) -> bool:
        if turn.speaker is not Speaker.AGENT:
            return False
        words = plain(turn.text)
        return len(words) > 1 and self._filler[: len(words)] == words
