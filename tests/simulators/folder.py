"""A report as text and as files: call.wav, timeline.json, timeline.txt, transcript.txt."""

from __future__ import annotations

import json
import statistics
import wave
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from tests.simulators.mulaw import RATE
from tests.simulators.report import Event, Report


def write(report: Report, folder: Path) -> None:
    """Write everything about a call into a folder, which is created if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    write_wav(report, folder / "call.wav")
    timeline = json.dumps(as_json(report), indent=1, ensure_ascii=False)
    (folder / "timeline.json").write_text(timeline + "\n", encoding="utf-8")
    text = f"{timeline_text(report)}\n\n{summary_text(report)}\n"
    (folder / "timeline.txt").write_text(text, encoding="utf-8")
    (folder / "transcript.txt").write_text(transcript_text(report) + "\n", encoding="utf-8")


def write_wav(report: Report, path: Path) -> None:
    """Stereo, 8 kHz, 16 bit: left the caller, right the agent as heard at the phone."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.column_stack(report.audio).astype("<i2").tobytes())


def as_json(report: Report) -> dict[str, Any]:
    """Everything but the sound, ready for JSON. Times are ms since the start message."""
    return {
        "call_sid": report.call_sid,
        "stream_sid": report.stream_sid,
        "ok": report.ok,
        "failure": report.failure,
        "ended_by": report.ended_by,
        "ended_ms": round(report.ended_ms, 3),
        "protocol_errors": report.protocol_errors,
        "greeting_ms": report.greeting_ms,
        "turns": [{**asdict(turn), "ms": turn.ms} for turn in report.turns],
        "barge_ins": [{**asdict(stop), "ms": stop.ms} for stop in report.barge_ins],
        "gaps": [asdict(gap) for gap in report.gaps],
        "unheard_ms": report.unheard_ms,
        "frames": asdict(report.frames),
        "caller_segments": [asdict(segment) for segment in report.caller_segments],
        "agent_segments": [asdict(segment) for segment in report.agent_segments],
        "transcript": [asdict(line) for line in report.transcript],
        "events": [asdict(event) for event in report.events],
        "agent_media": [{"ms": ms, "bytes": count} for ms, count in report.agent_media],
    }


def timeline_text(report: Report) -> str:
    """One line per event; marks in a row share one."""
    lines = []
    for kind, group in groupby(report.events, key=lambda event: event.kind):
        events = list(group)
        if kind in ("mark", "mark-echo") and len(events) > 1:
            first, last = events[0], events[-1]
            detail = f"{first.detail} to {last.detail} ({len(events)}), until {last.ms:.1f} ms"
            events = [Event(first.ms, kind, detail)]
        lines += [f"{event.ms:10.1f} ms  {kind:<14}  {event.detail}" for event in events]
    return "\n".join(lines)


def transcript_text(report: Report) -> str:
    """One line per utterance of either side."""
    return "\n".join(
        f"{line.ms / 1000:7.2f} s  {line.speaker + ':':<7}  {line.text}"
        for line in report.transcript
    )


def summary_text(report: Report) -> str:
    """The figures of the call."""
    frames = report.frames
    greeting = "none" if report.greeting_ms is None else f"{report.greeting_ms:.0f} ms"
    gap_ms = sum(gap.ms for gap in report.gaps)
    lines = [
        ("call", f"{report.ended_ms / 1000:.1f} s, ended by the {report.ended_by}"),
        ("greeting", f"first audible after {greeting}"),
        ("latency", _figures(report.latencies)),
        ("barge-in stop", _figures(report.barge_in_stops)),
        ("gaps", f"{len(report.gaps)}, {gap_ms:.0f} ms in all"),
        ("unheard", f"{report.unheard_ms:.0f} ms of agent speech at the end"),
        (
            "frames",
            f"{frames.count} sent, late by {frames.mean_ms:.2f} ms on average, {frames.p99_ms:.2f} "
            f"p99, {frames.max_ms:.2f} at most, drift {frames.drift_ms:+.2f} ms",
        ),
        ("protocol", "no errors" if not report.protocol_errors else "ERRORS:"),
    ]
    lines += [("", error) for error in report.protocol_errors]
    lines.append(("result", "ran through" if not report.failure else f"FAILED: {report.failure}"))
    return "\n".join(f"{name:<14}  {value}" for name, value in lines)


def _figures(values: list[float]) -> str:
    if not values:
        return "none"
    each = " ".join(f"{value:.0f}" for value in values)
    return f"median {statistics.median(values):.0f} ms, max {max(values):.0f} ms ({each})"
