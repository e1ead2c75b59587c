"""Calls on both paths, and the report that compares them."""

from __future__ import annotations

from pathlib import Path

from services.ab_report import read
from services.llm import EndCall
from services.store import CallFilter
from tests.house import CALLER, OURS, house, story
from tests.simulators.carrier import Party
from tests.simulators.script import ExpectHangUp

STAGES = ("end of turn", "transcript", "first token", "first audio", "response")


@story
async def test_the_report_has_both_paths_side_by_side(tmp_path: Path) -> None:
    answers = [["Till five."], ["Goodbye then.", EndCall()]] * 2
    async with house(tmp_path, answers, heard=["Are you open?", "Goodbye."]) as line:
        streamed = await line.carrier.call_in(CALLER, OURS, Party(scripts=[[ExpectHangUp(60)]]))
        await line.say(streamed.sid, "Are you open?")
        await line.say(streamed.sid, "Goodbye.", after_s=5)
        await line.over(streamed)
        recorded = await line.recorded(Party(says=["Are you open?", "Goodbye."]))
        await line.over(recorded)
        paths = [(await line.record(leg.sid)).path for leg in (streamed, recorded)]
        assert paths == ["stream", "record"]
        assert await line.said(streamed.sid) == await line.said(recorded.sid)
        text = await read(f"sqlite:///{tmp_path}/receptionist.db", CallFilter())
        by_api = {group["path"]: group for group in (await line.get("/stats"))["groups"]}
        assert line.carrier.errors == []
    head, *rows = text.splitlines()
    assert head.split() == ["stream", "record"]
    assert rows[0].split() == ["calls", "1", "1"]
    assert rows[1].split() == ["answered", "turns", "2", "2"]
    assert not any(row.endswith(" -") for row in rows), text
    for stage in STAGES:
        (row,) = (row for row in rows if row.startswith(f"{stage} p50"))
        stream_ms, record_ms = [float(part) for part in row.split() if part.isdigit()][::2]
        # Typed words end at once; a recording ends after two seconds of silence.
        assert stream_ms < 1000
        assert 2000 <= record_ms < 3000
    assert by_api["record"]["latency_ms"]["total"]["count"] == 2
    assert by_api["stream"]["latency_ms"]["total"]["count"] == 2
