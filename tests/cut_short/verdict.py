"""What must hold after a call, however it ended: in the calendar, on record, in the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from services.call import events as on
from services.store import CallState, Store, StoredCall
from services.store.tables import bookings
from tests.cut_short.caller import told
from tests.cut_short.reception import Line
from tests.store.soundness import check_bookings

STAGES = ("", "booked", "changed", "cancelled")
"""What a calendar can say of the plan's only appointment."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The appointments there are or were, and slots that are kept for nobody."""

    made: Sequence[Row[Any]]
    held: Sequence[Row[Any]]

    @property
    def stage(self) -> str:
        if not self.made:
            return ""
        (one,) = self.made
        if one.state == "cancelled":
            return "cancelled"
        return "changed" if one.sequence else "booked"


async def calendar(store: Store, at_most: int = 1) -> Calendar:
    """The whole of it; sound, and with so many appointments at most."""
    await check_bookings(store)
    rows = await store._db.read(lambda db: db.execute(select(bookings)).all())
    made = [row for row in rows if row.state in ("confirmed", "cancelled")]
    assert len(made) <= at_most, "a double booking"
    now = store._db.now()
    return Calendar(made, [row for row in rows if row.state == "held" and row.held_until > now])


async def check_ended(store: Store, line: Line, reason: str) -> str:
    """A call that the process has seen to its end: its record says what happened. The stage."""
    found = await calendar(store)
    assert not found.held, "a slot is held for nobody"
    call = await ended(store, line.call_id)
    assert call.end_reason == reason
    _is_outcome(call, found.stage, has_spoken=any(t.speaker.value == "caller" for t in line.turns))
    on_record = [(turn.speaker, turn.heard) for turn in await store.calls.turns(line.call_id)]
    assert on_record == [(turn.speaker, turn.text) for turn in line.turns]
    begun = [event.tool for _, event, _ in line.entries if isinstance(event, on.ToolStarted)]
    used = [event for _, event, _ in line.entries if isinstance(event, on.ToolUsed)]
    assert [event.tool for event in used] == begun
    tools = [(tool.tool, tool.code) for tool in await store.calls.tools(line.call_id)]
    # A tool that was asked for again under its key was performed once.
    assert set(tools) <= {(event.tool, event.code) for event in used}
    changes = [tool for tool in tools if tool == ("confirm", "ok")]
    assert bool(changes) == bool(found.stage)
    heard = told(line.turns)
    assert all(STAGES.index(what) <= STAGES.index(found.stage) for what in heard), heard
    return found.stage


async def ended(store: Store, call_id: str) -> StoredCall:
    """The call, which is over."""
    call = await store.calls.get(call_id)
    assert call is not None
    assert call.state is CallState.ENDED
    assert call.ended_at is not None
    return call


def _is_outcome(call: StoredCall, stage: str, *, has_spoken: bool) -> None:
    assert call.outcome == stage or (
        not stage and call.outcome == ("answered" if has_spoken else "abandoned")
    ), (call.outcome, stage)
