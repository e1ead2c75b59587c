"""The record of calls: how they went, who said what, which tools were used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from services.call.effects import Speaker
from services.store.columns import Words
from services.store.database import Database
from services.store.matching import after_cursor, page_limit, page_of, tail
from services.store.records import (
    ALL_CALLS,
    CallChanges,
    CallEnd,
    CallFilter,
    CallState,
    Direction,
    NewCall,
    Page,
    StoredCall,
    StoredTool,
    StoredTurn,
)
from services.store.tables import calls, tool_calls, turns

CRASH = "crash"
_LITTLE = ("answered", "abandoned", "failed")
_MORE = ("booked", "changed", "cancelled", "message")
_FROM = {
    CallState.QUEUED: (CallState.QUEUED,),
    CallState.RINGING: (CallState.QUEUED, CallState.RINGING),
}
_FROM_ALL = (CallState.QUEUED, CallState.RINGING, CallState.LIVE, CallState.TRANSFERRED)

# What every call asks for is built once: to build a statement costs as much as to carry it out.
_ONE = bindparam("one", type_=Words())
_BY_ID = select(calls).where(calls.c.id == _ONE)
_BY_SID = select(calls).where(calls.c.sid == _ONE).limit(1)
_TURNS = select(turns).where(turns.c.call_id == _ONE).order_by(turns.c.number)
_TOOLS = (
    select(tool_calls)
    .where(tool_calls.c.call_id == _ONE)
    .order_by(tool_calls.c.at_ms, tool_calls.c.key)
)
_NEW_CALL, _NEW_TOOL = insert(calls), insert(tool_calls)


class Calls:
    """Each method is one short transaction. Those that write give False, and change nothing, for a
    call that is not on record (it may have been deleted)."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._new_turns = _new_turns(database.engine.dialect.name)

    async def start(self, call: NewCall) -> bool:
        """Put a call on record; False, and nothing is changed, if one with this id is there."""
        _, is_new = await self._start(call)
        return is_new

    async def start_outbound(self, call: NewCall) -> tuple[StoredCall, bool]:
        """Put an outbound call on record; the call, and whether it is new. It is not if there is
        one with the same (not empty) idempotency key or id: then that one is given."""
        return await self._start(call)

    async def _start(self, call: NewCall) -> tuple[StoredCall, bool]:
        def work(db: Connection) -> tuple[StoredCall, bool]:
            wanted, one = _BY_ID, {"one": call.id}
            if key := call.idempotency_key:
                same = or_(calls.c.id == _ONE, calls.c.idempotency_key == key)
                wanted = select(calls).where(same).limit(1)
            if known := db.execute(wanted, one).one_or_none():
                return _call(known), False
            db.execute(_NEW_CALL, self._values(call))
            return _call(db.execute(wanted, one).one()), True

        return await self._db.write(work, repeats=2)

    async def update(self, call_id: str, **changes: Unpack[CallChanges]) -> bool:
        """Change what is named. An ended call's state stays; the rest may still change.

        ``answered_at`` stays as it was first set. Raises ValueError for the state ENDED."""
        values: dict[str, Any] = dict(changes)
        if state := changes.get("state"):
            if state is CallState.ENDED:
                raise ValueError("finish() ends a call")
            earlier = [one.value for one in _FROM.get(state, _FROM_ALL)]
            values["state"] = case((calls.c.state.in_(earlier), state.value), else_=calls.c.state)
        if answered_at := changes.get("answered_at"):
            values["answered_at"] = func.coalesce(calls.c.answered_at, answered_at)
        if not values:
            return await self.get(call_id) is not None
        change = update(calls).where(calls.c.id == call_id).values(**values)
        return await self._db.write(lambda db: db.execute(change).rowcount == 1)

    async def add_turn(self, turn: StoredTurn) -> bool:
        """Keep a turn; one with the same number takes the place of the earlier one."""
        return await self.add_turns([turn]) == 1

    async def add_turns(self, these: Sequence[StoredTurn]) -> int:
        """Keep turns of any calls together. How many: not those of calls that are not on record."""
        # PostgreSQL changes no row twice in a statement: of one turn only the last counts.
        rows = list({(turn.call_id, turn.number): _turn_row(turn) for turn in these}.values())
        if not rows or await self._added(self._new_turns, rows):
            return len(rows)
        if len(rows) == 1:
            return 0
        return sum([await self._added(self._new_turns, [row]) for row in rows])

    async def add_tool(self, tool: StoredTool) -> bool:
        """Keep the use of a tool; False also if one with this key is there."""
        row = {
            "call_id": tool.call_id,
            "key": tool.key,
            "tool": tool.tool,
            "arguments": dict(tool.arguments),
            "code": tool.code,
            "text": tool.text,
            "at_ms": tool.at_ms,
            "ms": tool.ms,
        }
        return await self._added(_NEW_TOOL, [row])

    async def _added(self, new: Any, rows: Sequence[Mapping[str, Any]]) -> bool:
        try:
            await self._db.write(lambda db: db.execute(new, rows))
        except IntegrityError:
            return False
        return True

    async def finish(self, call_id: str, end: CallEnd) -> bool:
        """The call is over. Only the first end counts; one that was a guess ("crash") does not. An
        error that is on record stays: whoever ends the call may not have seen it yet."""
        named = ("outcome", "intent", "sentiment", "language", "summary")
        values: dict[str, Any] = {key: getattr(end, key) for key in named if getattr(end, key)}
        if end.error:
            values["error"] = case((calls.c.error == "", end.error), else_=calls.c.error)
        if end.outcome in _LITTLE:  # a start has found out that there was more
            had_more = and_(calls.c.end_reason == CRASH, calls.c.outcome.in_(_MORE))
            values["outcome"] = case((had_more, calls.c.outcome), else_=end.outcome)
        if end.cost is not None:
            values["cost"] = dict(end.cost)
        if end.figures is not None:
            values["figures"] = dict(end.figures)
        change = (
            update(calls)
            .where(calls.c.id == call_id)
            .where(or_(calls.c.state != CallState.ENDED.value, calls.c.end_reason == CRASH))
            .values(
                **values,
                state=CallState.ENDED.value,
                end_reason=end.reason,
                ended_at=end.at or self._db.now(),
            )
        )
        return await self._db.write(lambda db: db.execute(change).rowcount == 1)

    async def get(self, call_id: str) -> StoredCall | None:
        """The call with this id."""
        return await self._one(_BY_ID, call_id)

    async def by_sid(self, sid: str) -> StoredCall | None:
        """The call with the carrier's id."""
        return await self._one(_BY_SID, sid) if sid else None

    async def _one(self, wanted: Select[Any], one: str) -> StoredCall | None:
        row = await self._db.read(lambda db: db.execute(wanted, {"one": one}).one_or_none())
        return _call(row) if row else None

    async def turns(self, call_id: str) -> Sequence[StoredTurn]:
        """Its turns, in order."""
        rows = await self._db.read(lambda db: db.execute(_TURNS, {"one": call_id}).all())
        return [_turn(row) for row in rows]

    async def tools(self, call_id: str) -> Sequence[StoredTool]:
        """Its uses of tools, in order."""
        rows = await self._db.read(lambda db: db.execute(_TOOLS, {"one": call_id}).all())
        return [StoredTool(**row._mapping) for row in rows]

    async def list(
        self, wanted: CallFilter = ALL_CALLS, *, limit: int = 50, cursor: str = ""
    ) -> Page[StoredCall]:
        """Calls, newest first. Raises BadCursor."""
        limit = page_limit(limit)
        query = _filtered(wanted).limit(limit + 1)
        query = query.order_by(calls.c.started_at.desc(), calls.c.id.desc())
        if cursor:
            at, last = calls.c.started_at, calls.c.id
            query = query.where(after_cursor(cursor, at, last, descending=True))
        rows = await self._db.read(lambda db: db.execute(query).all())
        return page_of([_call(row) for row in rows], limit, lambda one: (one.started_at, one.id))

    def _values(self, call: NewCall) -> dict[str, Any]:
        now = self._db.now()
        return {
            "id": call.id,
            "sid": call.sid,
            "agent": call.agent,
            "direction": call.direction.value,
            "path": call.path,
            "caller": call.caller,
            "caller_tail": tail(call.caller),
            "called": call.called,
            "called_tail": tail(call.called),
            "state": call.state.value,
            "started_at": now,
            "answered_at": now if call.state is CallState.LIVE else None,
            "purpose": call.purpose,
            "machine": call.machine,
            "language": call.language,
            "idempotency_key": call.idempotency_key or None,
            "journal": call.journal,
        }


def _filtered(wanted: CallFilter) -> Select[Any]:
    table, query = calls.c, select(calls)
    if wanted.agent:
        query = query.where(table.agent == wanted.agent)
    if wanted.caller:
        query = query.where(table.caller_tail == tail(wanted.caller))
    if wanted.called:
        query = query.where(table.called_tail == tail(wanted.called))
    if wanted.number:
        either = (table.caller_tail, table.called_tail)
        query = query.where(or_(*(column == tail(wanted.number) for column in either)))
    if wanted.direction:
        query = query.where(table.direction == wanted.direction.value)
    if wanted.path:
        query = query.where(table.path == wanted.path)
    if wanted.state:
        query = query.where(table.state == wanted.state.value)
    if wanted.active is not None:
        ended = table.state == CallState.ENDED.value
        query = query.where(~ended if wanted.active else ended)
    if wanted.outcome:
        query = query.where(table.outcome == wanted.outcome)
    if wanted.since:
        query = query.where(table.started_at >= wanted.since)
    if wanted.until:
        query = query.where(table.started_at < wanted.until)
    return query


def _new_turns(dialect: str) -> Any:
    """The statement for turns, new or again. It is built once: that costs more than to run it."""
    # The two inserts are not of one class, but alike.
    new: Any = sqlite.insert(turns) if dialect == "sqlite" else postgresql.insert(turns)
    changed = {each.name: new.excluded[each.name] for each in turns.c if not each.primary_key}
    return new.on_conflict_do_update(index_elements=["call_id", "number"], set_=changed)


def _turn_row(turn: StoredTurn) -> dict[str, Any]:
    return {
        "call_id": turn.call_id,
        "number": turn.number,
        "speaker": turn.speaker.value,
        "heard": turn.heard,
        "unheard": turn.unheard,
        "at_ms": turn.at_ms,
        "interrupted": turn.interrupted,
        "latencies": dict(turn.latencies),
    }


_HIDDEN = {"caller_tail", "called_tail"}


def _call(row: Row[Any]) -> StoredCall:
    values = {key: value for key, value in row._mapping.items() if key not in _HIDDEN}
    values["direction"] = Direction(row.direction)
    values["state"] = CallState(row.state)
    values["idempotency_key"] = row.idempotency_key or ""
    return StoredCall(**values)


def _turn(row: Row[Any]) -> StoredTurn:
    return StoredTurn(**{**row._mapping, "speaker": Speaker(row.speaker)})
