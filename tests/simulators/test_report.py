"""What the report measures, on calls that were made up to the millisecond."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.simulators import folder
from tests.simulators.line import CLEAN_LINE
from tests.simulators.playback import Playback
from tests.simulators.record import Clip, Record, Spoken
from tests.simulators.report import Event, Report, analyse, frame_timing

LOUD = b"\x10" * 160
QUIET = b"\xff" * 160


class Tape:
    """A call as it might have been recorded."""

    def __init__(self) -> None:
        self.record = Record()
        self.playback = Playback()

    def caller(self, start_ms: float, frames: int) -> None:
        """The caller speaks; each packet leaves 2 ms late."""
        clip = Clip("words", LOUD * frames)
        first = int(start_ms // 20)
        self.record.spoken.append(Spoken(clip, first, start_ms, start_ms + frames * 20))
        self.record.sent += [
            (packet, (packet + 1) * 20 + 2.0) for packet in range(first, first + frames)
        ]

    def agent(self, at_ms: float, frames: int) -> None:
        self.playback.media(at_ms, LOUD * frames)

    def report(self, ended_ms: float) -> Report:
        self.record.ended_ms = ended_ms
        self.record.unheard_ms = self.playback.cut(ended_ms)
        return analyse(
            call_sid="CA1",
            stream_sid="MZ1",
            record=self.record,
            playback=self.playback,
            conditions=CLEAN_LINE,
            noise=None,
            events=[Event(-30.0, "webhook", "answered"), Event(0.0, "start", "MZ1")],
            errors=[],
            failure="",
        )


def test_greeting_and_response_latency() -> None:
    tape = Tape()
    tape.playback.media(50.0, QUIET + LOUD * 50)
    tape.caller(2000, 40)
    tape.agent(3450, 30)
    tape.agent(4600, 10)  # a second piece of the same answer is no turn of its own
    report = tape.report(6000)
    assert report.greeting_ms == pytest.approx(70.0)
    assert report.latencies == pytest.approx([650.0])
    assert report.barge_in_stops == []
    assert report.ended_by == "caller"
    assert report.ok


def test_a_key_begins_a_turn_too() -> None:
    tape = Tape()
    tape.agent(0, 10)
    tape.record.keys_pressed += [1000.0, 1200.0]
    tape.agent(1500, 10)
    assert tape.report(2000).latencies == pytest.approx([300.0])


def test_an_agent_that_talks_into_the_callers_turn_answers_nothing() -> None:
    tape = Tape()
    tape.caller(1000, 100)
    tape.agent(2000, 5)
    tape.agent(3400, 5)
    assert tape.report(4000).latencies == pytest.approx([400.0])


def test_barge_in_stop_runs_from_the_frame_as_sent_to_the_last_sample_heard() -> None:
    tape = Tape()
    tape.agent(500, 200)
    tape.caller(1000, 20)
    tape.playback.clear(1110.0)
    tape.agent(1130.0, 1)  # a straggler that was on its way when the clear was sent
    tape.agent(2000.0, 10)
    report = tape.report(3000)
    assert [segment.end_ms for segment in report.agent_segments] == pytest.approx([1150.0, 2200.0])
    assert report.barge_in_stops == pytest.approx([1150.0 - 1022.0])
    assert report.latencies == pytest.approx([600.0])


def test_an_agent_that_does_not_stop_is_measured_to_its_end() -> None:
    tape = Tape()
    tape.agent(500, 100)
    tape.caller(1000, 10)
    assert tape.report(4000).barge_in_stops == pytest.approx([2500.0 - 1022.0])


def test_a_cough_over_which_the_agent_speaks_on_is_no_interruption() -> None:
    tape = Tape()
    tape.agent(500, 100)
    tape.caller(1000, 4)
    assert tape.report(4000).barge_in_stops == []


def test_gaps_are_holes_within_a_reply() -> None:
    tape = Tape()
    tape.agent(0, 10)
    tape.agent(230, 10)  # 30 ms too late
    tape.caller(1000, 10)
    tape.agent(1800, 10)  # the answer: no gap
    tape.playback.clear(1900.0)
    tape.agent(2100, 10)  # resumed after a clear: no gap
    tape.agent(5000, 10)  # something new: no gap
    gaps = tape.report(6000).gaps
    assert [(gap.start_ms, gap.ms) for gap in gaps] == [(200.0, 30.0)]


def test_what_the_end_of_the_call_cut_off() -> None:
    tape = Tape()
    tape.agent(0, 100)
    tape.record.closed_by_server = True
    report = tape.report(1500)
    assert report.unheard_ms == 500.0
    assert report.ended_by == "server"
    assert len(report.audio[0]) == len(report.audio[1]) == 12000


def test_frame_timing() -> None:
    drifting = [(packet, (packet + 1) * 20 + packet * 0.1) for packet in range(100)]
    timing = frame_timing(drifting, 20.0)
    assert timing.count == 100
    assert timing.max_ms == pytest.approx(9.9)
    assert timing.drift_ms == pytest.approx(7.5)
    assert frame_timing([], 20.0).count == 0


def test_the_folder_holds_sound_timeline_and_transcript(tmp_path: Path) -> None:
    tape = Tape()
    tape.agent(100, 20)
    tape.caller(1000, 10)
    folder.write(tape.report(1500), tmp_path / "call")
    with wave.open(str(tmp_path / "call" / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
    assert np.flatnonzero(sound[:, 0])[[0, -1]].tolist() == [8000, 9599]
    assert np.flatnonzero(sound[:, 1])[[0, -1]].tolist() == [800, 3999]
    timeline = json.loads((tmp_path / "call" / "timeline.json").read_text())
    assert timeline["agent_segments"] == [{"start_ms": 100.0, "end_ms": 500.0}]
    assert [event["kind"] for event in timeline["events"]][:3] == ["webhook", "start", "agent"]
    assert "ran through" in (tmp_path / "call" / "timeline.txt").read_text()
