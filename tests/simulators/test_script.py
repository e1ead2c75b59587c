"""The mini-language of the caller's script."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulators.script import (
    BadScript,
    BargeIn,
    ExpectHangUp,
    HangUp,
    HangUpMode,
    PlayWav,
    PressKeys,
    Say,
    SendRaw,
    Wait,
    WaitAgent,
    parse,
    parse_arguments,
    utterances,
)


def test_every_action() -> None:
    text = """
        # a comment; with a semicolon
        wait-agent; say Are you open on Sunday?; wait-agent silence=900 timeout=30
        wav tests/hours.wav; dtmf 5 a#; wait 1.5
        barge-in 800 Wait a moment; barge-in 0 wav stop.wav
        raw {"event":"nonsense"}
        hangup; hangup stop; expect-hangup; expect-hangup 3
    """
    assert parse(text) == [
        WaitAgent(),
        Say("Are you open on Sunday?"),
        WaitAgent(900, 30),
        PlayWav(Path("tests/hours.wav")),
        PressKeys("5A#"),
        Wait(1.5),
        BargeIn(800, Say("Wait a moment")),
        BargeIn(0, PlayWav(Path("stop.wav"))),
        SendRaw('{"event":"nonsense"}'),
        HangUp(),
        HangUp(HangUpMode.STOP_ONLY),
        ExpectHangUp(),
        ExpectHangUp(3),
    ]


@pytest.mark.parametrize(
    "line",
    ["shout hello", "say", "wav ", "dtmf 5x", "dtmf", "wait soon", "barge-in now x", "barge-in 5",
     "hangup loudly", "wait-agent 700", "wait-agent silence=x", "expect-hangup never"],
)  # fmt: skip
def test_nonsense_names_the_line(line: str) -> None:
    with pytest.raises(BadScript, match=line.split()[0]):
        parse(f"wait-agent; {line}")


def test_command_line_words() -> None:
    words = ["say", "Are you open?", "wait-agent", "silence=900", "dtmf", "5", "hangup"]
    expected = [Say("Are you open?"), WaitAgent(900), PressKeys("5"), HangUp()]
    assert parse_arguments(words) == expected
    assert parse_arguments(["say Hello; hangup"]) == [Say("Hello"), HangUp()]
    assert parse_arguments([]) == []


def test_all_that_will_be_spoken() -> None:
    script = parse("say a; wait 1; barge-in 5 b; wav c.wav")
    assert utterances(script) == [Say("a"), Say("b"), PlayWav(Path("c.wav"))]
