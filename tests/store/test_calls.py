"""The record of calls, their turns and tools; crashes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.call.effects import Speaker
from services.receptionist.books import Handling, NewEscalation
from services.store import (
    CallEnd,
    CallFilter,
    CallState,
    Direction,
    EscalationState,
    NewCall,
    Store,
    StoredCall,
    StoredTool,
    StoredTurn,
    TextState,
)
from tests.store.clock import NOON, HandClock

CALL = NewCall("CA1", "salon", caller="+15551234567", called="+15550009999", sid="CA1")
OUT = NewCall(
    "OUT1",
    "salon",
    Direction.OUTBOUND,
    caller="+15550009999",
    called="+15551234567",
    state=CallState.QUEUED,
    purpose="Remind Bob.",
    machine="hang_up",
    idempotency_key="monday",
)
TURN = StoredTurn("CA1", 1, Speaker.AGENT, "Hello!", "How can I", 20, True, {"total": 812.5})


async def stored(store: Store, call_id: str) -> StoredCall:
    call = await store.calls.get(call_id)
    assert call is not None
    return call


async def test_a_call_from_its_start_to_its_end(store: Store, clock: HandClock) -> None:
    calls = store.calls
    assert await calls.start(CALL)
    call = await stored(store, "CA1")
    assert (call.agent, call.caller, call.called) == ("salon", "+15551234567", "+15550009999")
    assert (call.direction, call.path, call.state) == (Direction.INBOUND, "stream", CallState.LIVE)
    assert call.started_at == call.answered_at == NOON
    assert await calls.by_sid("CA1") == call
    assert await calls.update(
        "CA1", intent="booking", language="en", journal="CA1.jsonl", figures={"turns": 3}
    )
    clock.tick(61.5)
    end = CallEnd("caller: hangup", outcome="booked", sentiment="positive", cost={"total": 0.02})
    assert await calls.finish("CA1", end)
    call = await stored(store, "CA1")
    assert (call.state, call.end_reason) == (CallState.ENDED, "caller: hangup")
    assert call.ended_at == NOON + timedelta(seconds=61.5)
    assert (call.intent, call.outcome, call.sentiment) == ("booking", "booked", "positive")
    assert (call.language, call.journal, call.figures) == ("en", "CA1.jsonl", {"turns": 3})
    assert call.cost == {"total": 0.02}
    assert await calls.update("CA1", summary="Bob booked.", state=CallState.LIVE)
    call = await stored(store, "CA1")
    assert (call.summary, call.state) == ("Bob booked.", CallState.ENDED)
    assert not await calls.finish("CA1", CallEnd("agent: goodbye"))
    assert (await stored(store, "CA1")).end_reason == "caller: hangup"


async def test_starting_twice_changes_nothing(store: Store, clock: HandClock) -> None:
    assert await store.calls.start(CALL)
    call = await stored(store, "CA1")
    clock.tick(5)
    assert not await store.calls.start(replace(CALL, caller="+1", agent="other"))
    assert await stored(store, "CA1") == call


async def test_outbound_calls_are_placed_once_for_a_key(store: Store) -> None:
    call, is_new = await store.calls.start_outbound(OUT)
    assert is_new
    assert (call.purpose, call.machine, call.state) == ("Remind Bob.", "hang_up", CallState.QUEUED)
    assert call.answered_at is None
    assert await store.calls.start_outbound(replace(OUT, id="OUT2", called="+1")) == (call, False)
    assert await store.calls.get("OUT2") is None
    for number in (3, 4):
        _, is_new = await store.calls.start_outbound(
            replace(OUT, id=f"OUT{number}", idempotency_key="")
        )
        assert is_new


async def test_one_key_many_times_at_once(store: Store) -> None:
    wishes = [replace(OUT, id=f"OUT{number}") for number in range(8)]
    results = await asyncio.gather(*map(store.calls.start_outbound, wishes))
    assert len({call.id for call, _ in results}) == 1
    assert sum(is_new for _, is_new in results) == 1


async def test_states_go_forward(store: Store, clock: HandClock) -> None:
    await store.calls.start_outbound(OUT)
    went = []
    for state in (
        *(CallState.RINGING, CallState.QUEUED, CallState.LIVE, CallState.RINGING),
        *(CallState.TRANSFERRED, CallState.LIVE),
    ):
        clock.tick(1)
        assert await store.calls.update("OUT1", state=state, answered_at=clock())
        went.append((await stored(store, "OUT1")).state.value)
    assert went == ["ringing", "ringing", "live", "live", "transferred", "live"]
    assert (await stored(store, "OUT1")).answered_at == NOON + timedelta(seconds=1)
    with pytest.raises(ValueError, match="finish"):
        await store.calls.update("OUT1", state=CallState.ENDED)


async def test_the_first_error_stays(store: Store) -> None:
    for call_id, told in (("CA1", "media stream: 31920"), ("CA2", "")):
        await store.calls.start(replace(CALL, id=call_id, sid=call_id))
        await store.calls.update(call_id, error=told)
        await store.calls.finish(call_id, CallEnd("stream failed", error="it did not come up"))
    assert (await stored(store, "CA1")).error == "media stream: 31920"
    assert (await stored(store, "CA2")).error == "it did not come up"


async def test_turns_and_tools(store: Store) -> None:
    await store.calls.start(CALL)
    second = StoredTurn("CA1", 2, Speaker.CALLER, "Tomorrow at 3", at_ms=900)
    assert await store.calls.add_turn(second)
    assert await store.calls.add_turn(replace(TURN, heard="Hel"))
    assert await store.calls.add_turn(TURN)
    assert await store.calls.turns("CA1") == [TURN, second]
    late = StoredTool("CA1", "a", "confirm", {"reference": "X"}, "ok", "Booked.", 2000, 12)
    early = StoredTool("CA1", "b", "book_appointment", {"when": "at 3\0"}, "taken", at_ms=1000)
    assert await store.calls.add_tool(late)
    assert await store.calls.add_tool(early)
    assert not await store.calls.add_tool(replace(late, code="failed"))
    assert await store.calls.tools("CA1") == [early, late]


async def test_turns_of_several_calls_are_kept_together(store: Store) -> None:
    await store.calls.start(CALL)
    await store.calls.start(replace(CALL, id="CA2", sid="CA2"))
    other = replace(TURN, call_id="CA2", latencies={"total": 812.5, "first_mark": None})
    again = replace(TURN, heard="Hello again", interrupted=True)
    assert await store.calls.add_turns([]) == 0
    assert await store.calls.add_turns([TURN, other, again]) == 2
    assert await store.calls.turns("CA1") == [again]
    assert await store.calls.turns("CA2") == [other]
    unknown, second = replace(TURN, call_id="CA9"), replace(TURN, number=2)
    assert await store.calls.add_turns([TURN, unknown, second]) == 2
    assert await store.calls.turns("CA1") == [TURN, second]
    assert await store.calls.turns("CA9") == []


async def test_calls_that_are_not_on_record(store: Store) -> None:
    calls = store.calls
    assert not await calls.add_turn(TURN)
    assert not await calls.add_tool(StoredTool("CA1", "a", "confirm", {}, "ok"))
    assert not await calls.update("CA1", intent="x")
    assert not await calls.update("CA1")
    assert not await calls.finish("CA1", CallEnd("hangup"))
    assert await calls.get("CA1") is await calls.by_sid("") is await calls.by_sid("CA9") is None
    assert await calls.turns("CA1") == await calls.tools("CA1") == []


async def test_odd_values_survive(store: Store) -> None:
    await store.calls.start(replace(CALL, caller="\0anonymous\ud83d"))
    odd = {"nan": float("nan"), "words": "a\0b \ud83d", "nested": {"list": [1, None, "\ud83d"]}}
    assert await store.calls.update("CA1", figures=odd)
    assert await store.calls.update("CA1", cost={"nan": float("nan"), "nul": "a\0b"})
    call = await stored(store, "CA1")
    assert call.caller == "anonymous?"
    assert call.figures["nested"] == {"list": [1, None, "?"]}
    assert call.cost == {"nan": None, "nul": "a\0b"}
    assert await store.calls.get("CA1\0\ud83d") is None


async def test_list_filters_and_pages(store: Store, clock: HandClock) -> None:
    for number in range(6):
        clock.tick(60 if number % 2 else 0)  # two at a time begin at the same moment
        await store.calls.start(replace(CALL, id=f"CA{number}", caller=f"+1555000000{number}"))
    await store.calls.start_outbound(OUT)
    await store.calls.update("CA3", outcome="booked", path="record")
    await store.calls.finish("CA5", CallEnd("hangup"))

    async def found(limit: int = 50, **filters: object) -> str:
        names, cursor = "", ""
        while True:
            page = await store.calls.list(CallFilter(**filters), limit=limit, cursor=cursor)  # type: ignore[arg-type]
            names += "".join(call.id[-1] if call.id != "OUT1" else "o" for call in page.items)
            if not (cursor := page.next):
                return names

    everything = await found()
    assert sorted(everything) == list("012345o")
    for limit in (1, 2, 3, 6, 7, 8):
        assert await found(limit=limit) == everything
    assert await found(limit=0) == everything
    assert await found(caller="5550000002") == "2"
    assert await found(number="+1 (555) 123-4567") == "o"
    assert await found(called="+15550009999") == everything.replace("o", "")
    assert await found(direction=Direction.OUTBOUND) == "o"
    assert await found(path="record") == await found(outcome="booked") == "3"
    assert await found(state=CallState.QUEUED) == "o"
    assert await found(active=False) == "5"
    assert await found(active=True) == everything.replace("5", "")
    assert await found(agent="garage") == ""
    assert await found(agent="salon", until=NOON + timedelta(seconds=60)) == "0"
    assert await found(since=NOON + timedelta(seconds=180)) == "o5"


async def test_calls_in_progress_at_a_crash(store: Store, url: str, clock: HandClock) -> None:
    await store.calls.start(CALL)
    await store.calls.add_turn(replace(TURN, at_ms=4000))
    await store.calls.start(replace(CALL, id="CA2"))
    await store.calls.finish("CA2", CallEnd("hangup"))
    await store.texts.claim("CA1", "k", "+1", "Booked.")
    wish = NewEscalation("salon", "CA1", "+1", "", "Eve", "+2", "", "high", Handling.WARM, "rule")
    escalation = await store.escalations.add(wish)
    clock.tick(3601)
    young = await store.escalations.add(replace(wish, call_id="CA3"))

    again = await Store.open(url, now=clock)
    assert await again.close_crashed() == 1
    assert await again.close_crashed() == 0
    call = await stored(again, "CA1")
    assert (call.state, call.end_reason) == (CallState.ENDED, "crash")
    assert call.ended_at == NOON + timedelta(seconds=4)  # its last sign of life
    assert (await stored(again, "CA2")).end_reason == "hangup"
    text = await again.texts.get("CA1", "k")
    assert text is not None
    assert text.state is TextState.UNKNOWN
    found = await again.escalations.get(escalation.id)
    assert found is not None
    assert found.state is EscalationState.FAILED
    # The carrier may still be ringing somebody for this one.
    assert await again.escalations.get(young.id) == young
    await again.close()

    # It was no crash: the process before was still draining.
    assert await store.calls.finish("CA1", CallEnd("caller: hangup"))
    assert await store.texts.settle("CA1", "k", TextState.SENT, sid="SM1")
    call = await stored(store, "CA1")
    assert (call.end_reason, call.ended_at) == ("caller: hangup", clock.now)
