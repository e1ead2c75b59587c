"""What the carrier's callbacks tell of a call: they come late, twice and out of order.

A call's state only moves forward, and its first end is its end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from services.call.events import CallerHungUp
from services.store import CallState, Direction, StoredCall
from services.switchboard.board import Live
from services.switchboard.call_book import CallBook, is_over
from services.switchboard.outbound import UNKNOWN
from services.switchboard.transfers import settle

log = logging.getLogger(__name__)

SETTLE_S = 30.0
"""How long another webhook may still tell more exactly how a call ended."""

_ENDS = {
    "completed": "abandoned",  # before anybody was spoken to: those calls end elsewhere
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "no_answer",
}


class Progress:
    """Keeps the state of calls by what the carrier tells."""

    def __init__(
        self,
        book: CallBook,
        live: Live,
        now: Callable[[], datetime],
        recorded_over: Callable[[str, str], bool] = lambda call_id, reason: False,
    ) -> None:
        """``now`` gives an aware time. ``recorded_over(call_id, reason)`` is told when a call is
        over that may be on the recording path, and says whether it was in progress there."""
        self._book = book
        self._live = live
        self._now = now
        self._recorded_over = recorded_over
        self._tasks: set[asyncio.Task[None]] = set()

    async def status(self, sid: str, status: str, *, call_id: str = "", sip_code: str = "") -> None:
        """A status callback of the call with the carrier's id ``sid``; of our id ``call_id``, if
        its address told."""
        call = await (self._book.get(call_id) if call_id else self._book.by_sid(sid))
        if call is None or (sid and call.sid not in ("", sid)):
            return  # another call's, whatever the address says
        if not call.sid and sid:
            await self._book.update(call.id, sid=sid)
        if is_over(call):
            return
        if call.error.startswith(UNKNOWN):  # now we know: the carrier has it
            await self._book.update(call.id, error="")
        if status in _ENDS:
            await self._over(call, status, sip_code)
        elif status == "ringing" and call.state is CallState.QUEUED:
            await self._book.update(call.id, state=CallState.RINGING)
        elif status == "in-progress" and call.answered_at is None:
            await self._book.update(call.id, answered_at=self._now())

    async def _over(self, call: StoredCall, status: str, sip_code: str) -> None:
        if session := self._live.session(call.id):
            session.emit(CallerHungUp(status))  # mostly its socket has told already
        elif self._recorded_over(call.id, f"caller: {status}"):
            return
        elif call.state is CallState.LIVE:
            return  # it has just ended, and its record is being closed
        elif call.direction is Direction.OUTBOUND and call.state is not CallState.TRANSFERRED:
            error = f"SIP {sip_code}" if sip_code and status != "completed" else ""
            await self._book.finish(call.id, f"carrier: {status}", _ENDS[status], error)
            log.info("call %s: ended before it was held (%s)", call.id, status)
        else:
            self._spawn(self._settle(call.id, status), f"{call.id}/settle")

    async def _settle(self, call_id: str, status: str) -> None:
        """End a call that rang at, or spoke to, a person, unless a better word has come."""
        await asyncio.sleep(SETTLE_S)
        call = await self._book.get(call_id)
        if call is None or is_over(call) or call.state is CallState.LIVE:
            return
        outcome = "transferred" if await settle(self._book, call_id) else "abandoned"
        await self._book.finish(call_id, f"carrier: {status}", outcome)

    async def stream_status(self, sid: str, event: str, error: str) -> None:
        """A callback about the call's media stream; an error says why there is none."""
        if event != "stream-error":
            return
        log.warning("call %s: the carrier's media stream failed: %s", sid, error or "no reason")
        if call := await self._book.by_sid(sid):
            await self._book.update(call.id, error=f"media stream: {error}"[:200])

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what waits. The next start settles it."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
