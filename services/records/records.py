"""The records of all calls: opened, ended, and written to the store behind the calls' backs.

A call only puts into a queue; one task writes, in order. What cannot be written is tried again a
few times, then given up: the journal still has it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from services.call.effects import Turn
from services.records.costs import cost
from services.records.eager import EagerCount, EagerFold
from services.records.figures import Figures
from services.records.latency import TurnLatency
from services.records.outcome import ACHIEVED
from services.records.record import CallRecord, RecordSettings
from services.records.scribe import CLOSE_WITHIN_S, CallBook, Scribe
from services.records.summary import SummaryWriter
from services.records.tally import Tally
from services.store import CallChanges, CallEnd, CallState, NewCall

log = logging.getLogger(__name__)

MOST_AWAY = 1_000
"""Calls with a person, or whose stream broke down: they may come back to the agent."""


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
