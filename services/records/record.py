"""The record of each call: a fold over its journal, written to the store in the background.

A call only puts into a queue; one task writes, in order. What cannot be written is tried again a
few times, then given up: the journal still has it. Without JOURNAL_WORDS the record keeps no words
either: turns have their figures, tools their names and codes; who called is kept in any case.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from services.call import effects as do
from services.call import events as on
from services.call.effects import Effect, Speaker, Turn
from services.call.events import Event
from services.receptionist.tools import ToolRequest, ToolResult
from services.records.costs import Prices, cost, segments
from services.records.eager import EagerCount, EagerFold
from services.records.figures import Figures
from services.records.latency import TurnLatency
from services.records.outcome import ACHIEVED, Done, intent_of, outcome_of, sentiment_of
from services.records.scribe import CLOSE_WITHIN_S, CallBook, Scribe
from services.records.summary import CallStory, SummaryWriter, by_rules
from services.records.tally import Tally
from services.store import (
    CallChanges,
    CallEnd,
    CallState,
    NewCall,
    StoredTool,
    StoredTurn,
)

log = logging.getLogger(__name__)

NOBODY_TOOK_IT = "nobody_took_it"
"""The code of a transfer from which the caller has come back."""
MOST_AWAY = 1_000
"""Calls with a person, or whose stream broke down: they may come back to the agent."""
_SOUND = frozenset({do.SendAudio, do.SendMark})


class RecordSettings(Prices, Protocol):
    """What is needed of the settings."""

    @property
    def target_ms(self) -> int: ...
    @property
    def journal_words(self) -> bool: ...


# --- one call -------------------------------------------------------------------------------------


@dataclass(slots=True)
class CallRecord:
    """The record of one call in the making. Feed :meth:`see` every entry of its journal, and
    :meth:`used` every tool that the desk has used; then :meth:`end` it."""

    call: NewCall
    tally: Tally
    records: Records
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
            self._keep(self._stored(turn, len(known), now, effects))

    def _keep(self, turn: StoredTurn) -> None:
        self.records.scribe.put(self.call.id, "turn", lambda book: book.add_turn(turn))

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


# --- all calls ------------------------------------------------------------------------------------


class Records:
    """Opens and ends the records of calls. One for the process."""

    def __init__(
        self,
        book: Callable[[], CallBook],
        settings: RecordSettings,
        figures: Figures,
        *,
        writer: Callable[[str], SummaryWriter | None] = lambda agent_id: None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """``book`` gives the store's calls, which are opened after this was made. ``writer`` gives
        who writes an agent's summaries, if a language model does. ``clock``: seconds, the
        loop's by default."""
        self.settings = settings
        self.figures = figures
        self.with_words = settings.journal_words
        self.scribe = Scribe(book)
        self.eager = EagerCount()
        """Of all calls since the start, those in progress included."""
        self._writer = writer
        self._clock = clock
        self._away: dict[str, CallRecord] = {}
        self._summaries: set[asyncio.Task[None]] = set()

    def clock(self) -> float:
        """Seconds."""
        return self._clock() if self._clock else asyncio.get_running_loop().time()

    def open(self, call: NewCall, history: Sequence[Turn], *, is_paid: bool = True) -> CallRecord:
        """The record of a call whose stream (or recording path) begins now. ``history`` is the
        conversation's own list. ``is_paid``: whether the line costs money."""
        if record := self._away.pop(call.id, None):
            record.resume(history)
        else:
            is_streamed = call.path == "stream"
            tally = Tally(EagerFold(self.eager), self.settings.target_ms, is_paid, is_streamed)
            record = CallRecord(call, tally, self, history, began=self.clock())
        self.scribe.put(call.id, "start", lambda book: _begin(book, call))
        return record

    def answered(self, call: NewCall, turn: TurnLatency) -> None:
        """A caller was answered: count it, and warn of a wait that was too long."""
        if turn.total is None:
            return
        self.figures.add(call.path, turn.total)
        if turn.total > self.settings.target_ms:
            stages = ", ".join(
                f"{name} {value:.0f}"
                for name, value in turn.as_dict().items()
                if value is not None and name not in {"total", "first_mark"}
            )
            log.warning(
                "call %s: an answer took %.0f ms, more than TARGET_MS=%d (%s)",
                call.id,
                turn.total,
                self.settings.target_ms,
                stages,
            )

    def end(self, record: CallRecord) -> None:
        """The stream is over, and with it the call, unless it was put through."""
        call_id, reason = record.call.id, record.tally.reason
        record.flush()
        if reason == "caller: superseded":
            return  # another stream of the same call goes on
        changes = record.changes()
        if record.is_away:
            self._keep_away(record)
            changes["state"] = CallState.TRANSFERRED
            self.scribe.put(call_id, "state", lambda book: book.update(call_id, **changes))
        else:
            end = CallEnd(
                reason,
                outcome=changes["outcome"],
                intent=changes["intent"],
                sentiment=changes["sentiment"],
                summary=changes["summary"],
                cost=changes["cost"],
                figures=changes["figures"],
            )
            self.scribe.put(call_id, "end", lambda book: book.finish(call_id, end))
            if reason == "crash":
                self._keep_away(record)  # the carrier asks what is next, and it may go on
            self._have_summarised(record)

    def over(self, call_id: str, reason: str, outcome: str) -> None:
        """A call that was put through is over: it is known now whether somebody took it."""
        record = self._away.pop(call_id, None)
        if record is None:
            return
        is_taken = outcome == "transferred"
        if is_taken:
            record.transfer_over("ok")
        record.tally.reason = "agent: transfer" if is_taken else reason
        known = record.changes()
        changes = CallChanges(summary=known["summary"])
        if known["outcome"] in ACHIEVED:
            changes["outcome"] = known["outcome"]
        self.scribe.put(call_id, "end", lambda book: book.update(call_id, **changes))
        self._have_summarised(record)

    def _have_summarised(self, record: CallRecord) -> None:
        if self.with_words and (writer := self._writer(record.call.agent)):
            call_id = record.call.id
            task = asyncio.create_task(self._summarise(record, writer), name=f"{call_id}/summary")
            self._summaries.add(task)
            task.add_done_callback(self._summaries.discard)

    def _keep_away(self, record: CallRecord) -> None:
        if len(self._away) >= MOST_AWAY:
            del self._away[next(iter(self._away))]
        self._away[record.call.id] = record

    async def _summarise(self, record: CallRecord, writer: SummaryWriter) -> None:
        written = await writer.write(record.story())
        if written is None:
            return
        record.tally.use.prompt_tokens += written.prompt_tokens
        record.tally.use.completion_tokens += written.completion_tokens
        price = cost(record.tally.used(), self.settings).as_dict()
        call_id, text = record.call.id, written.text
        self.scribe.put(
            call_id, "summary", lambda book: book.update(call_id, summary=text, cost=price)
        )

    async def run(self) -> None:
        """Write until cancelled."""
        await self.scribe.run()

    async def close(self) -> None:
        """The calls are over: finish summaries and writes, within seconds."""
        if self._summaries:
            await asyncio.wait(tuple(self._summaries), timeout=CLOSE_WITHIN_S / 2)
        for task in tuple(self._summaries):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.scribe.drain()


async def _begin(book: CallBook, call: NewCall) -> None:
    """Put the call on record, or note that it goes on: it was announced, placed or put through
    before. Each of its streams has a journal of its own."""
    if await book.start(call):
        return
    known = await book.get(call.id)
    journals = [name for name in (known.journal if known else "").split(",") if name]
    if call.journal and call.journal not in journals:
        journals.append(call.journal)
    changes = CallChanges(state=CallState.LIVE, path=call.path, journal=",".join(journals))
    if call.language:
        changes["language"] = call.language
    if call.sid and not (known and known.sid):
        changes["sid"] = call.sid
    if known and known.answered_at is None:
        changes["answered_at"] = datetime.now(UTC)
    await book.update(call.id, **changes)
