"""Bad lines, recordings, and the phone on the command line."""

from __future__ import annotations

import asyncio
import base64
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.simulators import __main__ as command
from tests.simulators.fake_server import (
    converse,
    listen,
    serving,
    speak,
)
from tests.simulators.line import LineConditions
from tests.simulators.mulaw import encode
from tests.simulators.phone import CallSetup, Phone
from tests.simulators.script import (
    PlayWav,
    Say,
    Wait,
)


async def test_a_bad_line() -> None:
    line = LineConditions(duplicate=1.0, dtx=True, packet_bytes=400, snr_db=30.0)
    async with serving(listen) as server:
        report = await Phone(CallSetup(server.url), speak=speak, line=line).call(
            [Wait(0.1), Say("hello hello"), Wait(0.1)]
        )
        media = [message["media"] for message in server.sockets[0].events("media")]
    assert report.ok
    assert media[0::2] == media[1::2]  # each one came twice
    assert {len(base64.b64decode(part["payload"])) for part in media} == {400}
    assert int(media[0]["timestamp"]) >= 100  # nothing was sent of the silence
    assert len(media) == 2 * 5  # 220 ms in packets of 50
    assert len(set(report.audio[0][:400].tolist())) > 10  # the noise is in the recording


async def test_overtaken_messages_keep_their_numbers() -> None:
    async with serving(listen) as server:
        line = LineConditions(reorder=0.5, seed=1)
        await Phone(CallSetup(server.url), line=line).call([Wait(0.4)])
        chunks = [int(message["media"]["chunk"]) for message in server.sockets[0].events("media")]
    assert chunks != sorted(chunks)
    assert len(set(chunks)) == len(chunks)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16000, 2), (24000, 1), (44100, 2)])
async def test_wav_files_of_any_kind(tmp_path: Path, rate: int, channels: int) -> None:
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(rate // 4) / rate)
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(tone.astype("<i2"), channels).tobytes())
    async with serving(listen) as server:
        report = await Phone(CallSetup(server.url)).call([PlayWav(tmp_path / "tone.wav")])
    assert [round(segment.ms) for segment in report.caller_segments] == [250]
    assert np.abs(report.audio[0]).max() == pytest.approx(8000, rel=0.05)
    assert len(encode(report.audio[0])) == len(report.audio[0])


async def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(converse) as server:
        options = ["--url", server.url, "--no-listen", "--out", str(tmp_path / "out")]
        words = ["--script", "wait-agent silence=50; dtmf 1; hangup"]
        code = await asyncio.to_thread(command.main, [*options, *words])
        failed = await asyncio.to_thread(
            command.main, [*options, "wait-agent", "expect-hangup", "0.1"]
        )
    assert code == 0
    assert failed == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "call.wav",
        "timeline.json",
        "timeline.txt",
        "transcript.txt",
    }
    assert "greeting" in capsys.readouterr().out
    assert await asyncio.to_thread(command.main, [*options, *words]) == 2
    assert "no answer from" in capsys.readouterr().err
    assert await asyncio.to_thread(command.main, [*options, "--script", "shout"]) == 3
