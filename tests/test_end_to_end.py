"""One whole call with human speech and a spoken voice against the real server, engines and all."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import wave
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rapidfuzz import fuzz

from services.replay import replay
from tests import speech
from tests.server import RunningServer, serve
from tests.simulators import folder
from tests.simulators.phone import CallSetup, Phone
from tests.simulators.report import Report
from tests.simulators.script import BargeIn, ExpectHangUp, PlayWav, Say, Script, WaitAgent
from tests.simulators.voices import hibari_voice, moonshine_ears


def recorded(name: str) -> PlayWav:
    """A human prompt of tests/speech."""
    return PlayWav(speech.FOLDER / f"{name}.wav")


SCRIPT: Script = [
    WaitAgent(),
    recorded("hours"),
    BargeIn(2500, recorded("location")),  # the opening hours take long to say
    WaitAgent(),
    Say("Do you have parking?"),
    WaitAgent(),
    Say("Can I leave a message?"),
    WaitAgent(),
    recorded("please-try-call-later"),
    WaitAgent(),
    Say("My name is Anna Miller."),
    WaitAgent(),
    Say("Yes, that is right."),
    WaitAgent(),
    Say("Yes, that is right."),
    WaitAgent(),
    recorded("vm-goodbye"),
    ExpectHangUp(),
]


@cache
def plain(text: str) -> str:
    """A text as people compare it: words only."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


class Held:
    """The call and everything it left behind."""

    def __init__(self, server: RunningServer, out: Path) -> None:
        phone = Phone(CallSetup(url=server.url), speak=hibari_voice(), listen=moonshine_ears())
        self.report: Report = asyncio.run(phone.call(SCRIPT))
        self.out = out
        folder.write(self.report, out)
        self.journal = server.journal(self.report.call_sid)
        with closing(sqlite3.connect(server.data / "receptionist.db")) as database:
            database.row_factory = sqlite3.Row
            self.messages = [dict(row) for row in database.execute("select * from messages")]

    def effects(self, kind: str) -> list[dict[str, Any]]:
        found = [effect for line in self.journal for effect in line.get("effects", [])]
        return [effect for effect in found if effect["type"] == kind]

    @property
    def turns(self) -> list[tuple[str, str]]:
        """The history as the brain was last given it, in plain words."""
        last = self.effects("StartReply")[-1]
        return [(speaker, plain(text)) for speaker, text, *_ in last["words"]["turns"]]


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Held]:
    with serve(tmp_path_factory.mktemp("data")) as server:
        yield Held(server, tmp_path_factory.mktemp("call"))


def test_the_call_runs_through_without_a_protocol_error(call: Held) -> None:
    assert call.report.failure == ""
    assert call.report.protocol_errors == []
    assert call.report.gaps == []


def test_human_speech_and_the_caller_voice_are_understood(call: Held) -> None:
    said = [text for speaker, text in call.turns if speaker == "caller"]
    expected = [
        "hours",
        "location",
        "do you have parking",
        "can i leave a message",
        "please try your call again later",
        "my name is anna miller",
        "yes that is right",
        "yes that is right",
        "goodbye",
    ]
    assert len(said) == len(expected)
    # Where a lone word is cut differs by a frame from call to call, and so may a letter of it.
    assert [fuzz.ratio(*pair) > 75 for pair in zip(said, expected, strict=True)] == [True] * 9


def test_each_question_gets_its_answer(call: Held) -> None:
    answers = [text for speaker, text in call.turns if speaker == "agent"]
    expected = ["bright smile dental", "monday", "market street", "parking", "message", "name"]
    for words, answer in zip(expected, answers, strict=False):
        assert words in answer


def test_of_the_interrupted_answer_only_the_heard_words_are_remembered(call: Held) -> None:
    heard = next(e for e in call.effects("ReportHeard") if e["reply"] == 2)
    produced = [
        line["event"]["words"]["text"]
        for line in call.journal
        if line.get("event", {}).get("type") == "AudioProduced" and line["event"]["reply"] == 2
    ]
    whole, part = plain(" ".join(produced)), plain(heard["words"]["text"])
    assert whole.startswith(part)
    assert 0 < len(part) < len(whole)
    assert ("agent", part) in call.turns


def test_the_message_is_kept_once_and_whole(call: Held) -> None:
    (message,) = call.messages
    assert plain(message["text"]) == "please try your call again later"
    assert (message["name"], message["number"]) == ("Anna Miller", "+15550100001")
    assert message["complete"]


def test_the_server_hangs_up_after_its_goodbye_was_heard(call: Held) -> None:
    assert call.report.ended_by == "server"
    assert call.report.unheard_ms == 0
    assert "goodbye" in plain(call.report.transcript[-1].text)
    assert call.effects("HangUp") == [{"type": "HangUp", "reason": "goodbye"}]


def test_the_wave_file_and_the_timeline_tell_the_same_story(call: Held) -> None:
    with wave.open(str(call.out / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8000)
        sound = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    timeline = json.loads((call.out / "timeline.json").read_text())
    assert len(sound) / 8 == pytest.approx(timeline["ended_ms"], abs=100)
    for channel, side in enumerate(("caller_segments", "agent_segments")):
        assert timeline[side]
        audible = np.zeros(len(sound), bool)
        for segment in timeline[side]:
            start, end = round(segment["start_ms"] * 8), round(segment["end_ms"] * 8)
            assert np.abs(sound[start:end, channel]).max() > 300
            audible[start:end] = True
        assert np.abs(sound[~audible, channel]).max() < 1000


def test_the_journal_replays_to_the_same_effects(call: Held) -> None:
    count, differences = replay(json.dumps(line) for line in call.journal)
    assert count > 100
    assert differences == []
