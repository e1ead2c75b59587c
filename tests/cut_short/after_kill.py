"""The next start after a kill: what the calendar and the record say, and what the caller gets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from services.call.effects import Speaker, Turn
from services.store import Store
from services.store.tables import metadata
from tests.cut_short.caller import NUMBER, OURS, told
from tests.cut_short.reception import Reception
from tests.cut_short.verdict import STAGES, calendar, ended

BASE = "https://voice.example.com"


async def look_after(store: Store, call_id: str, known: dict[str, Any]) -> str:
    """Raises AssertionError for what is wrong. ``known``: what the killed process knew last. What
    there is in the database, without ids and times: from the same it goes on in the same way."""
    turns = [Turn(Speaker(who), text) for who, text in known["turns"]]
    stage = await _on_record(store, call_id, known, turns)
    return f"{stage}: {await _contents(store)}"


async def _contents(store: Store) -> list[Any]:
    found: list[Any] = []
    for table in metadata.sorted_tables:
        wanted = [column for column in table.c if column.name not in _DRAWN_OR_TIMES]
        query = select(*wanted) if wanted else select(func.count()).select_from(table)
        rows = await store._db.read(lambda db, query=query: db.execute(query).all())  # type: ignore[misc]
        found.append(sorted(str(tuple(row)) for row in rows))
    return found


_DRAWN_OR_TIMES = frozenset(
    {"id", "key", "hold_key", "replaces", "booking_id", "journal", "arguments", "text", "figures"}
    | {"started_at", "answered_at", "ended_at", "held_until", "created_at", "changed_at"}
    | {"at", "at_ms", "ms", "asked_at", "settled_at", "cost", "latencies"}
)


async def _on_record(
    store: Store, call_id: str, known: dict[str, Any], turns: Sequence[Turn]
) -> str:
    """What the calendar says, once it was compared with the record and what the caller heard."""
    found = await calendar(store)
    assert not found.held, "a slot is held for nobody"
    heard = told(turns)
    assert all(STAGES.index(what) <= STAGES.index(found.stage) for what in heard), (
        heard,
        found.stage,
    )
    if await store.calls.get(call_id) is None:
        assert len(turns) <= 1, "the call is not on record"
        assert not found.stage
        return ""
    call = await ended(store, call_id)
    assert call.end_reason == "crash", call.end_reason
    assert call.outcome == (found.stage or "failed"), (call.outcome, found.stage)
    kept = [(turn.speaker.value, turn.heard) for turn in await store.calls.turns(call_id)]
    said = [(turn.speaker.value, turn.text) for turn in turns]
    assert kept == said[: len(kept)]
    assert len(said) - len(kept) <= LAG, (kept[-1:], said[-3:])
    tools = [tool.tool for tool in await store.calls.tools(call_id)]
    assert len(known["used"]) - LAG <= len(tools) <= len(known["begun"]), (tools, known)
    return found.stage


LAG = 3
"""What the killed process had put down but not written: turns, tools."""


async def calls_again(house: Reception, stage: str) -> None:
    """Another call of the same caller, who wishes for the same again: she gets what she has not,
    and the appointment is found by her number."""
    plan = ("changed", "cancelled") if stage == "changed" else ("booked", "cancelled")
    line = await house.call("CA2", plan)
    assert told(line.turns) == list(plan), [turn.text for turn in line.turns]
    rows = (await calendar(house.store, at_most=1 + (stage == "cancelled"))).made
    assert {row.state for row in rows} == {"cancelled"}


async def goes_on(house: Reception, call_id: str, plan: Sequence[str]) -> None:
    """The carrier asks what is next, as it does when a stream breaks down: the caller is brought
    back, and has what she wanted, once."""
    document = await house.office.switchboard.after(BASE, call_id)
    if "<Stream" not in document:
        assert await house.store.calls.get(call_id) is None
        return
    token = re.search(r'name="token" value="([^"]+)"', document)
    assert token
    announced = house.office.tokens.redeem(token[1], call_id)
    assert announced
    assert (announced.caller, announced.called) == (NUMBER, OURS)
    line = await house.call(call_id, plan, announced=announced)
    found = await calendar(house.store)
    assert found.stage == "cancelled" == told(line.turns)[-1], [turn.text for turn in line.turns]
    assert not found.held
    call = await ended(house.store, call_id)
    assert (call.end_reason, call.outcome) == ("agent: goodbye", "cancelled")
    kept = [turn.heard for turn in await house.store.calls.turns(call_id)]
    assert kept == [turn.text for turn in line.turns]
