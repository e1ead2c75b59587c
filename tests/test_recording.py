"""The recording holds what both heard, where they heard it."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest

from services.audio.mulaw import FRAME_BYTES, SILENCE
from services.call.conversation import Conversation
from services.call.events import CallStarted
from services.call.timings import Timings
from services.carriers.twilio import TwilioCarrier
from services.journal import Journal
from services.recording import Tape, TapeWriter
from services.session import Session
from tests.phone import VOICE, FakePhone, engine
from tests.test_session import START
from tests.virtual_time import run_virtual

CALLER, AGENT = b"\x20" * FRAME_BYTES, b"\x40" * FRAME_BYTES
Q = SILENCE


def recorded(folder: Path, story: list[str]) -> tuple[list[bytes], list[bytes]]:
    """Left and right, by frames. ``.`` a silent frame of the caller's, ``c`` a voiced one, ``a`` a
    frame of the agent's sent, ``x`` a clear."""
    writer = TapeWriter(folder)
    tape = writer.open("call.wav")
    for step in "".join(story):
        if step in ".c":
            tape.caller(CALLER if step == "c" else SILENCE)
        elif step == "a":
            tape.agent(AGENT)
        else:
            tape.clear()
    tape.end()
    writer.close()
    return sides(tape)


def sides(tape: Tape) -> tuple[list[bytes], list[bytes]]:
    data = tape.path.read_bytes()
    code, channels, rate_hz = struct.unpack_from("<HHI", data, 20)
    assert (code, channels, rate_hz) == (7, 2, 8000)
    size = struct.unpack_from("<I", data, 40)[0]
    body = data[44:]
    assert size == len(body)

    def frames(side: bytes) -> list[bytes]:
        return [side[at : at + FRAME_BYTES] for at in range(0, len(side), FRAME_BYTES)]

    return frames(body[::2]), frames(body[1::2])


def test_what_the_agent_sends_ahead_is_heard_one_after_the_other(tmp_path: Path) -> None:
    caller, agent = recorded(tmp_path, ["..", "aaa", "....c"])
    assert caller == [Q, Q, Q, Q, Q, Q, CALLER]
    assert agent == [Q, Q, AGENT, AGENT, AGENT, Q, Q]


def test_a_clear_takes_back_what_was_not_played(tmp_path: Path) -> None:
    _, agent = recorded(tmp_path, ["aaaaa", "..", "x", ".", "a", ".."])
    assert agent == [AGENT, AGENT, Q, AGENT, Q]


def test_what_was_not_played_at_the_end_is_not_there(tmp_path: Path) -> None:
    caller, agent = recorded(tmp_path, ["aaaa", "c"])
    assert (caller, agent) == ([CALLER], [AGENT])


@pytest.mark.parametrize("length", [49, 50, 51, 149, 500])
def test_long_calls_are_written_as_they_go_on(tmp_path: Path, length: int) -> None:
    caller, agent = recorded(tmp_path, ["a.", "c." * (length // 2)])
    assert len(caller) == len(agent) == 1 + length // 2 * 2
    assert agent == [AGENT] + [Q] * (len(agent) - 1)


def test_a_crash_leaves_a_file_that_can_be_played(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path)
    tape = writer.open("call.wav")
    for _ in range(120):
        tape.caller(CALLER)
    writer.close()  # no end() before it
    caller, _ = sides(tape)
    assert caller == [CALLER] * 100


def test_it_is_for_its_owner_only_and_a_silent_call_leaves_none(tmp_path: Path) -> None:
    recorded(tmp_path, ["c"])
    assert (tmp_path / "call.wav").stat().st_mode & 0o777 == 0o600
    writer = TapeWriter(tmp_path / "other")
    writer.open("none.wav").end()
    writer.close()
    assert not list((tmp_path / "other").iterdir())


def test_a_disk_that_refuses_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    writer = TapeWriter(tmp_path)
    tape = writer.open("no/such/folder.wav")
    for _ in range(200):
        tape.caller(CALLER)
    tape.end()
    writer.close()
    assert [record.getMessage() for record in caplog.records] == [
        "recording folder.wav cannot be written: No such file or directory"
    ]


def intervals(frames: list[bytes], sound: bytes) -> list[tuple[float, float]]:
    """Where a side has this sound, in seconds, to the frame."""
    found: list[tuple[float, float]] = []
    for number, frame in enumerate(frames):
        if sound in frame:
            begin, end = number * 0.02, number * 0.02 + 0.02
            if found and begin - found[-1][1] < 0.001:
                begin = found.pop()[0]
            found.append((begin, end))
    return found


def test_a_call_is_on_tape_as_both_sides_heard_it(tmp_path: Path) -> None:
    """The caller interrupts the second reply: what was thrown away is not on the tape."""

    async def story() -> tuple[FakePhone, Path]:
        writer = TapeWriter(tmp_path)
        phone = FakePhone()
        tape = writer.open("call.wav")
        cascade, _ = engine(["one", "stop"], [["a long answer to the first question"], ["fine"]])
        carrier = TwilioCarrier()
        carrier.parse(START)
        timings = Timings()
        journal = Journal("CA1", "Test", timings)
        session = Session("CA1", phone, carrier, cascade, Conversation(timings), journal, tape)
        running = asyncio.create_task(session.run(CallStarted("+1", "+2")))
        await phone.listen(1000)
        await phone.speak(400)  # "one"
        await phone.listen(1800)
        await phone.speak(400)  # "stop", into the answer
        await phone.listen(2500)
        phone.hang_up()
        await running
        writer.close()
        return phone, tape.path

    phone, path = run_virtual(story())
    data = path.read_bytes()[44:]
    caller, agent = _frames(data[::2]), _frames(data[1::2])
    assert [round(end - begin, 2) for begin, end in intervals(caller, VOICE[:1])] == [0.4, 0.4]
    began = [begin for begin, _ in intervals(caller, VOICE[:1])]
    assert began == pytest.approx([1.0, 3.2])
    on_tape = intervals(agent, b"\x40")
    at_phone = _joined(phone.played)
    assert len(on_tape) == len(at_phone) == 3
    for taped, played in zip(on_tape, at_phone, strict=True):
        assert taped == pytest.approx(played, abs=0.041)


def _frames(side: bytes) -> list[bytes]:
    return [side[at : at + FRAME_BYTES] for at in range(0, len(side), FRAME_BYTES)]


def _joined(stretches: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches that follow on directly as one."""
    joined: list[tuple[float, float]] = []
    for begin, end in stretches:
        if joined and begin - joined[-1][1] < 0.001:
            begin = joined.pop()[0]
        joined.append((begin, end))
    return joined
