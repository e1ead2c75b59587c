"""The record of one call in the making: a fold over its journal and over what its desk has done.

Without JOURNAL_WORDS the record keeps no words either: turns have their figures, tools their names
and codes; who called is kept in any case.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from services.call import effects as do
from services.call import events as on
from services.call.effects import Effect, Speaker, Turn
from services.call.events import Event
from services.receptionist.tools import ToolRequest, ToolResult
from services.records.costs import Prices, cost, segments
from services.records.latency import TurnLatency
from services.records.outcome import Done, intent_of, outcome_of, sentiment_of
from services.records.scribe import Scribe
from services.records.summary import CallStory, by_rules
from services.records.tally import Tally
from services.store import (
    CallChanges,
    NewCall,
    StoredTool,
    StoredTurn,
)

log = logging.getLogger(__name__)

NOBODY_TOOK_IT = "nobody_took_it"
"""The code of a transfer from which the caller has come back."""
_SOUND = frozenset({do.SendAudio, do.SendMark})


class RecordSettings(Prices, Protocol):
    """What is needed of the settings."""

    @property
    def target_ms(self) -> int: ...
    @property
    def journal_words(self) -> bool: ...


class Keeper(Protocol):
    """What a record needs of all of them; see ``records``."""

    settings: RecordSettings
    with_words: bool
    scribe: Scribe

    def clock(self) -> float: ...
    def answered(self, call: NewCall, turn: TurnLatency) -> None: ...


@dataclass(slots=True)
class CallRecord:
    """The record of one call in the making. Feed :meth:`see` every entry of its journal, and
    :meth:`used` every tool that the desk has used; then :meth:`end` it."""

    call: NewCall
    tally: Tally
    records: Keeper
    history: Sequence[Turn] = ()
    """The conversation's own list, which grows and sometimes shrinks."""
    done: list[Done] = field(default_factory=list)
    began: float = 0.0
    """On the records' clock: when the first stream began."""
    _stream_ms: int = 0
    _known: list[Turn] = field(default_factory=list)
    _latencies: dict[int, dict[str, float | None]] = field(default_factory=dict)
    _starts_ms: dict[int, int] = field(default_factory=dict)
    _caller_since_ms: int | None = None
    _tools: list[StoredTool] = field(default_factory=list)
    _tapes: list[str] = field(default_factory=list)

    def see(self, now: float, event: Event, effects: Sequence[Effect]) -> TurnLatency | None:
        """Take in one entry; the latency of a turn, if this entry completed it."""
        if effects and type(effects[-1]) in _SOUND:  # most are, and nothing is on record of it
            effects = [each for each in effects if type(each) not in _SOUND] if effects[1:] else ()
        turn = self.tally.feed(now, event, effects)
        if turn is not None:
            self._latencies[turn.reply] = turn.as_dict()
            self.records.answered(self.call, turn)
        kind = type(event)
        if kind is on.AudioProduced:
            pass
        elif kind is on.AudioSent:
            self._starts_ms[event.reply] = self._ms(now)  # type: ignore[union-attr]
        elif kind is on.SpeechStarted and self._caller_since_ms is None:
            self._caller_since_ms = self._ms(now)
        elif kind is on.ToolUsed:
            self._tool_done(event)  # type: ignore[arg-type]
        elif kind is on.CallStarted:
            self._known = list(event.earlier)  # type: ignore[union-attr]
        if effects:
            self._keep_turns(now, effects)
        return turn

    def used(self, request: ToolRequest, result: ToolResult) -> None:
        """The desk has used a tool."""
        words = self.records.with_words
        arguments = dict(request.arguments)
        self.done.append(Done(request.tool.value, result.code, arguments, dict(result.facts)))
        tool = StoredTool(
            self.call.id,
            request.key,
            request.tool.value,
            arguments if words else {},
            result.code,
            result.text if words else "",
            at_ms=self._ms(self.tally.seconds),
        )
        self._tools.append(tool)  # the journal tells in a moment how long it took

    def _tool_done(self, event: on.ToolUsed) -> None:
        """The journal tells of a tool: one that the desk has used, or repeated."""
        for tool in self._tools:
            if tool.tool == event.tool:
                self._tools.remove(tool)
                self._keep_tool(replace(tool, ms=event.ms))
                return

    def _keep_tool(self, tool: StoredTool) -> None:
        self.records.scribe.put(self.call.id, "tool", lambda book: book.add_tool(tool))

    def flush(self) -> None:
        """The journal is closed: keep the tools of which it has not told."""
        while self._tools:
            self._keep_tool(self._tools.pop(0))

    def recorded_in(self, name: str) -> None:
        """This stream of the call is recorded, in the file of this name."""
        self._tapes.append(name)
        call_id, names = self.call.id, ",".join(self._tapes)
        self.records.scribe.put(call_id, "tape", lambda book: book.update(call_id, recording=names))

    def resume(self, history: Sequence[Turn]) -> None:
        """Another stream of the call begins: the caller has come back from a transfer, or the first
        one broke down."""
        if self.is_away:
            self.transfer_over(NOBODY_TOOK_IT)
        self.tally.resume()
        self.history = history
        self._stream_ms = round((self.records.clock() - self.began) * 1000)
        self._known = []
        self._latencies.clear()
        self._starts_ms.clear()
        self._caller_since_ms = None

    def transfer_over(self, code: str) -> None:
        """It is known what became of the last transfer; ``ok``: somebody took it."""
        for place in reversed(range(len(self.done))):
            use = self.done[place]
            if use.tool == "transfer_call" and use.is_ok:
                facts = {**use.facts, "taken": code == "ok"}
                self.done[place] = replace(use, code=code, facts=facts)
                return

    def texted(self, text: str) -> None:
        """A text message was sent."""
        self.tally.use.texts += segments(text)

    @property
    def is_away(self) -> bool:
        """Whether the call goes on with a person."""
        return self.tally.reason == "agent: transfer"

    def story(self) -> CallStory:
        """For a summary."""
        call = self.call
        is_outbound = call.direction.value == "outbound"
        return CallStory(
            self.done, tuple(self._known), self.tally.reason, is_outbound, call.purpose
        )

    def changes(self) -> CallChanges:
        """What is on record of the whole call, so far."""
        words, tally = self.records.with_words, self.tally
        said = self.story().caller_said
        return CallChanges(
            outcome=outcome_of(self.done, tally.reason, tally.caller_turns),
            intent=intent_of(self.done, tally.caller_turns),
            sentiment=sentiment_of(said),
            summary=by_rules(self.story()) if words else "",
            cost=cost(tally.used(), self.records.settings).as_dict(),
            figures=self.figures(),
        )

    def figures(self) -> dict[str, Any]:
        """The call's figures, for JSON."""
        figures = self.tally.figures.as_dict()
        eager = self.tally.eager.count
        figures["latencies"] = self.tally.figures.latencies
        figures["seconds"] = round(self.tally.earlier_s + self.tally.seconds, 3)
        figures["eager"] = {"begun": eager.begun, "used": eager.used}
        return figures

    # --- turns ------------------------------------------------------------------------------------

    def _keep_turns(self, now: float, effects: Sequence[Effect]) -> None:
        """Put down what is new in the conversation's history."""
        history, known = self.history, self._known
        while known and (len(known) > len(history) or known[-1] is not history[len(known) - 1]):
            known.pop()  # a turn was opened again: it comes back, with more words
        for turn in history[len(known) :]:
            known.append(turn)
            self.records.scribe.put_turn(self._stored(turn, len(known), now, effects))

    def _stored(self, turn: Turn, number: int, now: float, effects: Sequence[Effect]) -> StoredTurn:
        at_ms, latencies = self._ms(now), {}
        if turn.speaker is Speaker.AGENT:
            reply = next((e.reply for e in effects if isinstance(e, do.ReportHeard)), 0)
            latencies = self._latencies.pop(reply, {})
            at_ms = self._starts_ms.pop(reply, at_ms)
        elif self._caller_since_ms is not None:
            at_ms, self._caller_since_ms = self._caller_since_ms, None
        words = self.records.with_words
        return StoredTurn(
            self.call.id,
            number,
            turn.speaker,
            turn.text if words else "",
            turn.unheard if words else "",
            at_ms,
            bool(turn.unheard),
            latencies,
        )

    def _ms(self, now: float) -> int:
        return self._stream_ms + round(now * 1000)
