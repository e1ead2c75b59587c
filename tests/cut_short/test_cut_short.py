"""Interrupted, or hung up on, at every entry of the journal: nothing half done, all on record."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from services.call import events as on
from services.call.effects import Speaker
from tests.cut_short.caller import PLAN, told
from tests.cut_short.inline import inline_sqlite
from tests.cut_short.reception import Line, reception
from tests.cut_short.verdict import STAGES, check_ended
from tests.virtual_time import run_virtual

Cut = Callable[[Line], None]
FAREWELL = "agent: goodbye"
ENTRIES = 90
"""At least so many steps has the conversation: fewer would not be all of it."""


async def every_step(folder: Path, name: str, cut: Cut, reason: str) -> dict[int, tuple[str, Line]]:
    """Hold the conversation once for each of its steps; step -> what the calendar says, the call.

    Raises AssertionError that tells of all steps at which something is wrong."""
    async with reception(folder) as house:
        idle = asyncio.all_tasks()
        whole = await house.call("whole", PLAN)
        assert await check_ended(house.store, whole, FAREWELL) == "cancelled"
        assert told(whole.turns) == list(PLAN)
        assert len(whole.entries) >= ENTRIES
        ends: dict[int, tuple[str, Line]] = {}
        wrong: list[str] = []
        for step in range(1, len(whole.entries)):  # with the last one it is over
            await house.clear()
            cut_at = step

            def at(line: Line, now: int, cut_at: int = cut_at) -> None:
                if now == cut_at:
                    cut(line)

            try:
                line = await house.call(f"{name} {step}", PLAN, at)
                ends[step] = await check_ended(house.store, line, reason), line
                assert asyncio.all_tasks() == idle, "a task is left"
            except AssertionError as error:
                event = type(whole.entries[step - 1][1]).__name__
                wrong.append(f"step {step} ({event}): {error}")
        assert not wrong, "\n\n".join(wrong)
        return ends


@pytest.mark.parametrize(
    ("words", "ms"), [("No, wait.", 600), ("", 300)], ids=["no wait", "a cough"]
)
def test_a_caller_who_interrupts_gets_what_she_wants_once(
    words: str, ms: int, tmp_path: Path
) -> None:
    async def story() -> None:
        ends = await every_step(
            tmp_path, "interrupted", lambda line: line.interrupt(words, ms), FAREWELL
        )
        for stage, line in ends.values():
            assert stage == "cancelled" == told(line.turns)[-1]
            said = [turn.text for turn in line.turns if turn.speaker is Speaker.CALLER]
            assert any(words in text for text in said)
            assert not any("can't find one" in turn.text for turn in line.turns)

    with inline_sqlite():
        run_virtual(story())


@pytest.mark.parametrize(
    ("cut", "reason"),
    [(Line.hang_up, "caller: stop"), (Line.drop, "caller: closed")],
    ids=["stop", "closed"],
)
def test_a_caller_who_hangs_up_leaves_all_of_a_booking_or_nothing(
    cut: Cut, reason: str, tmp_path: Path
) -> None:
    async def story() -> None:
        ends = await every_step(tmp_path, "hung up", cut, reason)
        stages = [stage for stage, _ in ends.values()]
        assert stages == sorted(stages, key=STAGES.index), "what was done stays done"
        assert set(Counter(stages)) == set(STAGES)
        for stage, line in ends.values():
            confirmed = [
                event.code
                for _, event, _ in line.entries
                if isinstance(event, on.ToolUsed) and event.tool == "confirm"
            ]
            assert confirmed == ["ok"] * STAGES.index(stage), "what was begun is finished"

    with inline_sqlite():
        run_virtual(story())
