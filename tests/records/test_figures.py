"""Figures over time: percentiles, the last hour, the pulse, statistics and the A/B report."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services import ab_report
from services.records.figures import WINDOW_S, CallFigures, Figures, Spread, percentile, spreads
from services.records.pulse import EVERY_S, Pulse
from services.records.stats import Group, gather
from services.store import CallEnd, CallFilter, NewCall, Store
from tests.virtual_time import run_virtual


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7], 0.95, 7),
        ([1, 2, 3, 4], 0.5, 2),
        ([4, 1, 3, 2], 0.95, 4),
        (list(range(1, 101)), 0.95, 95),
        (list(range(1, 101)), 0.5, 50),
    ],
)
def test_percentiles_are_values_that_there_were(
    values: list[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected


def test_stages_that_no_turn_came_to_are_left_out() -> None:
    found = spreads([{"total": 100.0, "first_mark": None}, {"total": 300.04}])
    assert found == {"total": Spread(2, 100.0, 300.0)}


def test_a_call_without_turns_has_figures_too() -> None:
    figures = CallFigures().as_dict()
    assert figures["latency_ms"] == {}
    assert figures["talk_to_listen"] is None


def test_the_last_hour_is_kept_by_path() -> None:
    now = 0.0
    figures = Figures(lambda: now)
    figures.add("stream", 5000)
    now = WINDOW_S + 1
    figures.add("stream", 700)
    figures.add("record", 4000)
    now += 20
    figures.add("stream", 900)
    assert figures.waits() == {"record": Spread(1, 4000, 4000), "stream": Spread(2, 700, 900)}
    assert figures.waits(10) == {"stream": Spread(1, 900, 900)}


def pulses(active: int, held_up_s: float, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The log of some twenty seconds with a task that holds up the loop."""

    async def work() -> None:
        figures = Figures(asyncio.get_running_loop().time)
        pulse = Pulse(lambda: active, figures)
        running = asyncio.create_task(pulse.run())
        await asyncio.sleep(EVERY_S / 2)
        figures.add("stream", 812)
        loop: Any = asyncio.get_running_loop()
        loop._jumping.now += held_up_s
        await asyncio.sleep(EVERY_S * 1.6)
        running.cancel()

    with caplog.at_level(logging.INFO, "services.records.pulse"):
        run_virtual(work())
    return caplog.messages


def test_a_line_every_ten_seconds_while_there_are_calls(caplog: pytest.LogCaptureFixture) -> None:
    lines = pulses(3, 0.0, caplog)
    assert len(lines) == 2
    assert lines[0].startswith("3 calls; event loop late by 0.0 ms at most, p95 0.0 ms; ")
    assert lines[0].endswith("stream 1 turns, p95 812 ms")
    assert lines[1].endswith("no turns")


def test_no_line_while_there_are_none(caplog: pytest.LogCaptureFixture) -> None:
    assert pulses(0, 0.0, caplog) == []


def test_the_lag_is_what_a_task_holds_the_loop_up_for(caplog: pytest.LogCaptureFixture) -> None:
    first, second = pulses(1, 0.25, caplog)
    assert "event loop late by 150.0 ms at most" in first, "0.1 s of it was slept anyway"
    assert "late by 0.0 ms at most" in second


# --- out of the records ---------------------------------------------------------------------------

MONDAY = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


async def filled(url: str) -> Store:
    """Three streamed calls of two days, one recorded one."""
    now = [MONDAY]
    store = await Store.open(url, lambda: now[0])
    rows: Sequence[tuple[str, Any, list[float], str, float]] = [
        ("CA1", "stream", [600.0, 900.0], "booked", 0.10),
        ("CA2", "stream", [700.0], "answered", 0.20),
        ("CA3", "record", [4000.0, 6000.0], "answered", 0.05),
        ("CA4", "stream", [], "abandoned", 0.0),
    ]
    for number, (call_id, path, waits, outcome, total) in enumerate(rows):
        now[0] = MONDAY + timedelta(hours=number)
        await store.calls.start(NewCall(call_id, "receptionist", path=path))
        figures = {
            "latencies": [{"total": wait, "first_mark": None} for wait in waits],
            "seconds": 60.0,
            "interruptions": 1,
            "silence_prompts": 0,
            "over_target": sum(wait > 1500 for wait in waits),
            "talk_ms": 3000,
            "listen_ms": 2000,
        }
        cost = {"currency": "USD", "total": total}
        end = CallEnd("caller: stop", outcome=outcome, cost=cost, figures=figures)
        await store.calls.finish(call_id, end)
    return store


def test_statistics_by_path_and_by_day(tmp_path: Path) -> None:
    async def work() -> None:
        store = await filled(f"sqlite:///{tmp_path / 'a.db'}")
        by_path = await gather(store.calls, CallFilter(), "path")
        assert by_path.is_whole
        record, stream = by_path.groups
        assert (record.path, record.calls, record.turns, record.over_target) == ("record", 1, 2, 2)
        assert record.latency_ms == {"total": Spread(2, 4000.0, 6000.0)}
        assert (stream.calls, stream.turns) == (3, 3)
        assert stream.latency_ms["total"] == Spread(3, 700.0, 900.0)
        assert stream.cost_per_call == pytest.approx(0.1)
        assert stream.outcomes == {"booked": 1, "answered": 1, "abandoned": 1}
        assert stream.talk_to_listen == 1.5
        by_day = await gather(store.calls, CallFilter(), "day")
        assert [(group.day, group.path, group.calls) for group in by_day.groups] == [
            ("2026-11-23", "stream", 2),
            ("2026-11-24", "record", 1),
            ("2026-11-24", "stream", 1),
        ]
        late = await gather(store.calls, CallFilter(since=MONDAY + timedelta(hours=3)), "agent")
        assert [(group.agent, group.calls) for group in late.groups] == [("receptionist", 1)]
        await store.close()

    asyncio.run(work())


def test_the_ab_report_prints_both_paths_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fill() -> None:
        await (await filled(f"sqlite:///{tmp_path / 'receptionist.db'}")).close()

    asyncio.run(fill())
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.chdir(tmp_path)
    assert ab_report.main([]) == 0
    lines = {line[:24].strip(): line[24:].split() for line in capsys.readouterr().out.splitlines()}
    assert lines["calls"] == ["3", "1"]
    assert lines["answered turns"] == ["3", "2"]
    assert lines["response p50 / p95"] == ["700", "/", "900", "ms", "4000", "/", "6000", "ms"]
    assert lines["turns over target"] == ["0", "(0%)", "2", "(100%)"]
    assert lines["interruptions per call"] == ["1.00", "1.00"]
    assert lines["outcome answered"] == ["1", "(33%)", "1", "(100%)"]
    assert lines["cost per call"] == ["0.1000", "USD", "0.0500", "USD"]
    assert ab_report.main(["--since", "2030-01-01"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["calls", "0", "0"]


def test_a_report_of_nothing_has_dashes() -> None:
    text = ab_report.report([])
    assert "cost per call" in text
    assert text.count("-") >= 14


def test_a_database_that_cannot_be_opened_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "receptionist.db").mkdir()
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "")
    monkeypatch.chdir(tmp_path)
    assert ab_report.main([]) == 2
    assert "receptionist.db" in capsys.readouterr().err


def test_a_group_that_has_no_calls() -> None:
    assert Group(path="stream").cost_per_call == 0
