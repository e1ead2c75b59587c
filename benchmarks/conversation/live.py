"""The scripted caller on the simulated Twilio phone: calls to a running server, in real time."""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.conversation import from_journal
from benchmarks.conversation.caller import Caller
from benchmarks.conversation.clips import Pcm
from benchmarks.conversation.outside import MEASURED, heard_from_outside
from benchmarks.conversation.report import ROWS, by_family, by_policy, failures, score
from benchmarks.conversation.scenes.live import live_scenes
from benchmarks.conversation.script import Scene
from benchmarks.conversation.timeline import Sound, Timeline, Word
from tests.simulators.mulaw import encode
from tests.simulators.phone import CallFailed, CallSetup, Phone
from tests.simulators.record import Clip
from tests.simulators.report import agent_audio
from tests.simulators.script import HangUpMode
from tests.simulators.sound import segments
from tests.simulators.stream import MediaStream, StreamEnded

PACKET_MS = 20
ANSWERS_WITHIN_S = 20.0
_JOURNAL_S = 0.5
"""The server has written the last line of a journal so long after the call."""
NO_CALL = 2


class Handset:
    """What the caller hears on a media stream."""

    def __init__(self, stream: MediaStream) -> None:
        self._stream = stream
        self._presses: set[asyncio.Task[None]] = set()

    @property
    def now(self) -> float:
        return self._stream.now_ms / 1000

    @property
    def closed(self) -> bool:
        return self._stream.record.ended_ms > 0

    def quiet_s(self) -> float:
        speech = self._stream.playback.speech
        return self.now - (speech.end_ms / 1000 if speech else 0.0)

    def heard_s(self, since: float) -> float:
        now = self.now
        runs = ((run.start_ms / 1000, run.end_ms / 1000) for run in self._stream.playback.runs)
        return sum(max(0.0, min(end, now) - max(begin, since)) for begin, end in runs)

    def press(self, digit: str) -> None:
        task = asyncio.create_task(self._stream.press(digit))
        self._presses.add(task)
        task.add_done_callback(self._presses.discard)


class Mouthpiece:
    """What the caller says on a media stream."""

    def __init__(self, stream: MediaStream) -> None:
        self._stream = stream
        self.turns: list[tuple[float, float]] = []

    def place(self, seconds: float = 0.0) -> float:
        """The beginning of a packet that has not left yet."""
        packet = math.ceil((self._stream.now_ms + seconds * 1000) / PACKET_MS) + 1
        return packet * PACKET_MS / 1000

    def say(self, sound: Pcm, at: float) -> None:
        self._stream.speak(Clip("a scripted sound", encode(sound)), at * 1000 - 0.01)

    def tell(self, word: Word) -> None:
        """The server has ears of its own."""


async def play_all(
    url: str, wanted: Sequence[str] | None, journals: Path | None, verbose: bool
) -> int:
    """Play the scenes one after the other, print the tables; returns the exit code."""
    scenes = live_scenes(wanted)
    if not scenes:
        print("no such scene can be played against a server", file=sys.stderr)
        return NO_CALL
    calls: list[Timeline] = []
    for scene in scenes:
        try:
            calls.append(await play(scene, url, journals))
        except CallFailed as error:
            print(f"{scene.name}: no call: {error}", file=sys.stderr)
            return NO_CALL
        print(f"{scene.name}: {calls[-1].ended:.0f} s", file=sys.stderr)
        if verbose and (lines := failures(calls[-1], _measured(journals))):
            print(f"\n{scene.name}", *lines, sep="\n")
    measured = _measured(journals)
    rows = [row for row in ROWS if row[1] in measured and row[0] not in _NOT_OUTSIDE]
    print(by_policy({url: score(calls)}, rows), end="\n\n")
    families = dict.fromkeys(call.family for call in calls)
    print(by_family({f: score(c for c in calls if c.family == f) for f in families}, measured))
    return 0


_NOT_OUTSIDE = {"added wait, ms (median / p95)"}
"""What a server's vendors take anyhow is not known here."""


def _measured(journals: Path | None) -> tuple[str, ...]:
    known = ("answers to nothing", "resumed words", "heard errors", "wasted", "decisions")
    return MEASURED if journals is None else (*MEASURED, *known)


async def play(scene: Scene, url: str, journals: Path | None) -> Timeline:
    """One call. Raises CallFailed if there is none."""
    phone = Phone(CallSetup(url=url))
    twiml = await phone.ring()
    async with phone.socket(twiml) as socket:
        stream = MediaStream(socket, phone.ids, scene.line, None, lambda kind, detail: None)
        await stream.open(twiml.parameters)
        caller = Caller(scene, Handset(stream), Mouthpiece(stream))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stream.run(), name="stream")
            await _greeted(stream)
            await caller.perform()
            with suppress(StreamEnded):
                await stream.hang_up(HangUpMode.STOP_AND_CLOSE)
    call = _from_outside(scene, stream, caller)
    if journals is not None:
        await asyncio.sleep(_JOURNAL_S)
        call = _with_journal(call, caller.sounds, stream, journals, phone.ids.call_sid)
    return call


async def _greeted(stream: MediaStream) -> None:
    """Wait until the agent picks up."""
    with suppress(StreamEnded):
        while stream.playback.speech is None and stream.now_ms < ANSWERS_WITHIN_S * 1000:
            await stream.changed(ANSWERS_WITHIN_S * 1000)


def _from_outside(scene: Scene, stream: MediaStream, caller: Caller) -> Timeline:
    clears = [at / 1000 for at in stream.playback.clears]
    ends = [sound.end * 1000 for sound in caller.sounds]
    pcm = agent_audio(stream.playback, stream.record.ended_ms)
    found = segments(pcm, stream.playback.clears, ends)
    audible = [(each.start_ms / 1000, each.end_ms / 1000) for each in found]
    ended = stream.record.ended_ms / 1000
    call = heard_from_outside(scene, caller.sounds, audible, clears, ended)
    return replace(call, skipped=caller.skipped)


def _with_journal(
    call: Timeline, sounds: Sequence[Sound], stream: MediaStream, folder: Path, call_sid: str
) -> Timeline:
    """What the server's journal adds, if it is there."""
    path = next(folder.rglob(f"*-{call_sid}.jsonl"), None)
    if path is None:
        raise CallFailed(f"the server keeps no journal of the call in {folder}")
    arrivals = [(at / 1000, size) for at, size in stream.record.agent_media]
    told = from_journal.read(path.read_text(encoding="utf-8").splitlines())
    return from_journal.timeline(call, sounds, told, arrivals)
