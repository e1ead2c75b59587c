"""What is made of a call to a running server: recorded timelines, journals written by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from benchmarks.conversation.from_journal import Told, read, timeline
from benchmarks.conversation.live import Handset, Mouthpiece
from benchmarks.conversation.measures import cut_offs, responses
from benchmarks.conversation.outside import heard_from_outside
from benchmarks.conversation.overlap import (
    false_interruptions,
    heard_errors,
    interruptions,
    recoveries,
    resumed_words,
)
from benchmarks.conversation.scenes.live import live_scenes
from benchmarks.conversation.script import Kind, Scene
from benchmarks.conversation.timeline import Sound, Timeline
from tests.simulators.line import CLEAN_LINE
from tests.simulators.stream import MediaStream
from tests.simulators.twilio_wire import StreamIds
from tests.virtual_time import run_virtual

SCENE = Scene("by hand", "tests", ())


def sound(*chunks: tuple[float, float], kind: Kind = Kind.TURN) -> Sound:
    return Sound(kind, kind.value, chunks)


def heard(
    *sounds: Sound, audible: list[tuple[float, float]], clears: tuple[float, ...] = ()
) -> Timeline:
    return heard_from_outside(SCENE, sounds, audible, clears, 60.0)


# --- from outside ---------------------------------------------------------------------------------


def test_a_response_is_measured_from_sound_to_sound() -> None:
    call = heard(sound((3.0, 4.0)), audible=[(0.5, 2.0), (4.8, 6.0)])
    assert [moment.value for moment in responses(call)] == [pytest.approx(0.8)]
    assert [moment.failed for moment in cut_offs(call)] == [False]


def test_an_agent_that_begins_in_a_pause_cuts_the_caller_off() -> None:
    call = heard(sound((3.0, 4.0), (5.2, 6.0)), audible=[(0.5, 2.0), (4.8, 5.3)], clears=(5.3,))
    assert [moment.failed for moment in cut_offs(call)] == [True]


def test_what_follows_a_cough_goes_on_and_what_follows_a_turn_is_another_reply() -> None:
    cough = sound((1.4, 1.8), kind=Kind.COUGH)
    call = heard(cough, audible=[(0.5, 1.5), (2.2, 4.0)], clears=(1.5,))
    assert [moment.value for moment in recoveries(call)] == [pytest.approx(0.4)]
    assert [moment.failed for moment in false_interruptions(call)] == [False]
    stop = sound((1.4, 1.8), kind=Kind.INTERRUPTION)
    call = heard(stop, audible=[(0.5, 1.5), (2.6, 4.0)], clears=(1.5,))
    assert [moment.failed for moment in interruptions(call)] == [False]


def test_an_agent_that_falls_silent_for_a_cough_has_given_up() -> None:
    cough = sound((1.4, 1.8), kind=Kind.COUGH)
    call = heard(cough, audible=[(0.5, 1.5)], clears=(1.5,))
    assert [moment.failed for moment in recoveries(call)] == [True]
    assert [moment.failed for moment in false_interruptions(call)] == [True]


def test_an_agent_that_talks_on_over_an_interruption_has_missed_it() -> None:
    stop = sound((1.4, 1.8), kind=Kind.INTERRUPTION)
    call = heard(stop, audible=[(0.5, 4.0)])
    assert [moment.failed for moment in interruptions(call)] == [True]


# --- with the journal -----------------------------------------------------------------------------


def line(at: float, event: dict[str, Any], *effects: dict[str, Any]) -> str:
    return json.dumps({"t": at, "event": event, "effects": effects})


def journal(*, heard_text: str, resumes_at: int) -> list[str]:
    """A reply of four words of 200 ms; cleared after 500 ms, gone on with, then cut off."""
    produced = {
        "type": "AudioProduced",
        "reply": 1,
        "audio": 6400,
        "spans": [[11, 3200], [9, 3200]],
    }
    words = {"words": {"text": "aaaaa bbbbb cccc dddd"}}
    due = {"type": "DeadlinePassed"}

    def send(offset: int, size: int) -> dict[str, Any]:
        return {"type": "SendAudio", "reply": 1, "offset": offset, "audio": size}

    return [
        json.dumps({"journal": 1, "call": "CA1"}),
        line(0.0, due, {"type": "StartReply", "reply": 1, "purpose": "answer"}),
        line(0.1, produced | words, send(0, 1600), send(1600, 4800)),
        line(0.6, due, {"type": "ClearPlayback"}),
        json.dumps({"t": 0.7, "note": "a burst"}),
        line(1.0, due, send(resumes_at, 6400 - resumes_at)),
        line(
            1.3,
            due,
            {"type": "ClearPlayback"},
            {"type": "CancelReply", "reply": 1},
            {"type": "ReportHeard", "reply": 1, "ms": 700, "words": {"text": heard_text}},
        ),
        line(1.9, due, {"type": "CommitTurn", "words": {"text": "stop"}}),
    ]


def joined(told: Told, resumes_at: int) -> Timeline:
    """The phone's clock is 100 ms ahead of the server's; its messages are cut in another way."""
    outside = heard_from_outside(SCENE, (), [], (0.7, 1.4), 60.0)
    arrivals = [(0.2, 6400), (1.1, 800), (1.1, 6400 - resumes_at - 800)]
    return timeline(outside, (), told, arrivals)


def test_words_are_placed_by_the_bytes_that_were_sent_and_played() -> None:
    call = joined(read(journal(heard_text="aaaaa bbbbb cccc", resumes_at=3200)), 3200)
    parts = [(part.word, round(part.begin, 2), round(part.end, 2)) for part in call.played]
    assert parts == [(0, 0.2, 0.38), (1, 0.42, 0.6), (2, 0.6, 0.7), (2, 1.1, 1.28), (3, 1.32, 1.4)]
    assert [part.is_whole for part in call.played] == [True, True, False, True, False]
    assert call.replies[1].words == ["aaaaa", "bbbbb", "cccc", "dddd"]
    assert call.replies[1].cancelled == pytest.approx(1.4)
    ((at, text),) = call.commits
    assert text == "stop"
    assert at == pytest.approx(2.0)


@pytest.mark.parametrize(("resumes_at", "words"), [(3200, 0), (1600, 1), (4800, 1)])
def test_words_lost_or_repeated_are_seen(resumes_at: int, words: int) -> None:
    call = joined(read(journal(heard_text="", resumes_at=resumes_at)), resumes_at)
    assert [moment.value for moment in resumed_words(call)] == [words]


@pytest.mark.parametrize(("told", "off"), [("aaaaa bbbbb cccc", 0), ("aaaaa", 2)])
def test_the_servers_account_is_compared_with_the_phones(told: str, off: int) -> None:
    call = joined(read(journal(heard_text=told, resumes_at=3200)), 3200)
    assert [moment.value for moment in heard_errors(call)] == [off]


# --- the phone ------------------------------------------------------------------------------------


async def _spoken() -> tuple[float, float, float, float]:
    stream = MediaStream(None, StreamIds("AC1", "CA1"), CLEAN_LINE, None, lambda a, b: None)  # type: ignore[arg-type]
    stream.origin = -1.003
    mouth, handset = Mouthpiece(stream), Handset(stream)
    at = mouth.place(0.29)
    mouth.say(np.zeros(800, np.int16), at)
    stream.playback.media(500.0, b"\x10" * 3200)
    return at, stream.record.spoken[0].start_ms / 1000, handset.quiet_s(), handset.heard_s(0.6)


def test_what_is_said_begins_with_a_packet_and_at_the_moment_that_is_told() -> None:
    at, began, quiet_s, heard_s = run_virtual(_spoken())
    assert at == pytest.approx(1.32)
    assert began == pytest.approx(at)
    assert quiet_s == pytest.approx(0.103, abs=0.001)
    assert heard_s == pytest.approx(0.3)


def test_one_scene_of_each_subject_is_played_unless_others_are_wanted() -> None:
    usual = live_scenes()
    assert len({scene.family for scene in usual}) == len(usual) >= 10
    assert {scene.family for scene in live_scenes(["commands"])} == {"commands"}
    assert live_scenes(["echo"]) == []
