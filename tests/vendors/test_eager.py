"""Eager replies on against off, on the simulated vendors: what they save, and that nobody notices
those that were dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.eager import TURNS, Entries, compare, released, turn
from services.call import effects as do
from services.call import events as on
from services.call.effects import Purpose
from services.call.timings import Timings
from tests.simulators.vendors.openai import Reply, ToolCall
from tests.vendors.calls import on_virtual_time, vendors

MESSAGE = {"name": "", "number": "5551234567", "message": "Please call back."}


@pytest.mark.parametrize("recogniser", ["deepgram", "flux"])
def test_the_median_response_falls_by_the_eager_lead_and_nothing_is_released_early(
    recogniser: str, tmp_path: Path
) -> None:
    turns = len(TURNS) - 1
    paused = sum(turn(number).pause_ms > 0 for number in range(turns))
    found = compare(recogniser, turns, tmp_path)
    off, on_ = found.off, found.on
    assert off.wrong == on_.wrong == []
    assert len(off.responses) == len(on_.responses) == turns
    assert (off.count.begun, off.leads) == (0, [])
    assert (on_.count.used, on_.count.dropped) == (turns, paused)
    assert on_.count.begun == turns + paused
    assert on_.count.wasted_tokens > paused * 1000
    assert on_.tokens - off.tokens == pytest.approx(on_.count.wasted_tokens, rel=0.2)
    assert found.lead > 150
    assert found.saved >= found.lead - 1
    assert found.is_good
    told = "\n".join(found.lines())
    assert f"{on_.count.wasted_tokens} tokens" in told
    assert f"median eager lead {found.lead:.0f} ms" in told
    assert "no audio" in told


def test_what_is_released_too_early_is_found() -> None:
    start = do.StartReply(2, Purpose.ANSWER, is_eager=True)
    late = on.DeadlinePassed()
    audio, message = do.SendAudio(2, 0, b""), on.ToolStarted(2, "take_message")
    begun: Entries = [(1.0, late, [start])]
    assert released([*begun, (2.0, late, [audio])]) == ["2.00 s: audio of reply 2 was sent"]
    assert released([*begun, (2.0, message, [])]) == ["2.00 s: take_message was begun"]
    assert released([*begun, (2.0, late, [do.CommitReply(2), audio]), (3.0, message, [])]) == []
    assert released([*begun, (2.0, late, [do.CancelReply(2)]), (3.0, late, [audio])]) != []


@on_virtual_time
async def test_a_dropped_reply_that_wanted_to_keep_a_message_keeps_none(folder: Path) -> None:
    """The tool is asked for before the caller goes on; the reply waits, and is dropped."""

    def answer(messages: list[dict[str, Any]]) -> Reply:
        said = str(messages[-1]["content"])
        if said.endswith("call me back"):
            return ToolCall("take_message", MESSAGE)
        return "From nine to five."

    hears = ["please have her call me back", "No, when are you open?", "please call me back"]
    quick = {"openai": {"first_token_ms": 50}}
    async with (
        vendors(folder, hears, answer, Timings(), simulated=quick, stt="deepgram") as world,
        world.call() as call,
    ):
        await call.agent_is_done()
        await call.say("location")
        await call.listen(560)
        dropped = call.replies[-1].reply
        assert "openai done" in call.steps(dropped)  # it knows what it would do
        await call.ask("hours")
        assert do.CancelReply(dropped) in call.effects(do.CancelReply)
        assert (call.events(on.ToolStarted), call.desk.asked) == ([], [])
        assert call.history[-1] == "From nine to five."
        await call.ask("location")
        assert [message["message"] for message in call.desk.messages] == [MESSAGE["message"]]
        committed = call.replies[-1].reply
        assert call.replies[-1].is_eager
        assert do.CommitReply(committed) in call.effects(do.CommitReply)
        assert call.hung_up == []
