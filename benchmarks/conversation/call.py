"""One call: the real server's parts between the stand-ins, and the record of what happened.

Whoever makes a ``Timeline`` of a scene can be measured; ``live`` makes one of a call to a running
server.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import cache

from benchmarks.conversation.brain import ScriptedBrain, tell_all
from benchmarks.conversation.caller import Caller
from benchmarks.conversation.clips import Pcm, agent_word
from benchmarks.conversation.ears import EarOptions, ScriptedEars
from benchmarks.conversation.mouth import ECHO_DELAY_S, FRAME_S, Mouth
from benchmarks.conversation.phone import BYTES_PER_S, START, Phone
from benchmarks.conversation.policies import Policy
from benchmarks.conversation.script import Scene
from benchmarks.conversation.timeline import Played, Reply, Timeline, Word
from benchmarks.conversation.voice import Book, ScriptedVoice, Stamp, standing_line
from services.audio.segmenter import Segmenter
from services.audio.silero import Silero
from services.audio.vad import make_vad
from services.call import effects as do
from services.call import events as on
from services.call.briefing import Briefing
from services.call.conversation import Conversation
from services.call.effects import Effect, Purpose
from services.call.timings import Timings
from services.carriers.twilio import TwilioCarrier
from services.engines.cascade import CascadeEngine, Lines
from services.engines.completeness import is_dialable
from services.journal import Journal
from services.session import Session
from tests.simulators.line import Line, LineConditions
from tests.virtual_time import run_virtual

THINKS_S = 0.25
FIRST_AUDIO_S = 0.1
VOICE_SPEED = 6.0
LONGEST_S = 180.0
"""A call that takes longer has gone wrong, and is hung up."""
FILLER = "One moment, please."
LINES = {
    Purpose.REPAIR: "Sorry, I did not catch that.",
    Purpose.IDLE_PROMPT: "Are you still there?",
    Purpose.IDLE_GOODBYE: "I will hang up now. Goodbye.",
    Purpose.TIME_LIMIT: "I have to end the call now. Goodbye.",
    Purpose.APOLOGY: "Sorry, could you say that again?",
}


def hold(
    scene: Scene,
    policy: Policy,
    seed: int = 4,
    render: Callable[[str], Pcm] = agent_word,
) -> Timeline:
    """Hold the call on virtual time. ``render``: the sound of the agent's words."""
    timeline: Timeline = run_virtual(_hold(scene, policy, seed, render))
    return timeline


async def _hold(scene: Scene, policy: Policy, seed: int, render: Callable[[str], Pcm]) -> Timeline:
    return await _Call(scene, policy, seed, render).run()


@cache
def _silero() -> Silero:
    return Silero()


class _Call:
    """The parts of one call, put together."""

    def __init__(
        self, scene: Scene, policy: Policy, seed: int, render: Callable[[str], Pcm]
    ) -> None:
        self._scene = scene
        self._policy = policy
        self._loop = asyncio.get_running_loop()
        self._book = Book(render)
        self._phone = Phone(scene.echo_late_s)
        began, played = self._loop.time(), _player(self._phone)
        self._mouth = Mouth(began, scene.bed, scene.echo_db, played, seed)
        self._caller = Caller(scene, self._phone, self._mouth)
        self._thinks_s = policy.get("brain", {}).get("first_s", THINKS_S)
        self._voice = {"first_s": FIRST_AUDIO_S, "speed": VOICE_SPEED, **policy.get("voice", {})}
        self._timeline = Timeline(
            scene.name,
            scene.family,
            self._thinks_s + self._voice["first_s"],
            noisy=scene.bed is not None or scene.echo_db is not None,
        )
        self._session = self._open(self._engine(seed))

    async def run(self) -> Timeline:
        """Hold the call, and tell what happened in it."""
        echoes = self._book if self._scene.echo_db else None
        session = asyncio.create_task(self._session.run(on.CallStarted("+1", "+2")))
        frames = asyncio.create_task(_talk(self._phone, self._mouth, self._scene.line, echoes))
        caller = asyncio.create_task(self._caller.perform())
        first = asyncio.FIRST_COMPLETED
        await asyncio.wait({session, caller}, timeout=LONGEST_S, return_when=first)
        if not caller.done():
            self._caller.skipped.append("the call did not come to its end")
        caller.cancel()
        self._timeline.ended = self._loop.time()
        self._phone.hang_up()
        await session
        frames.cancel()
        await asyncio.wait({caller, frames})
        for task in (caller, frames):
            if not task.cancelled() and (error := task.exception()):
                raise error
        return self._told()

    def _engine(self, seed: int) -> CascadeEngine:
        policy, book, mouth, caller = self._policy, self._book, self._mouth, self._caller
        options = EarOptions(**policy.get("ears", {}))
        ears = ScriptedEars(lambda: mouth.words, mouth.has_more_to_say, options, seed)
        tell = policy.get("tell", tell_all)
        brain = ScriptedBrain(lambda: caller.turn, self._thinks_s, tell)
        voice = ScriptedVoice(
            book, self._voice["first_s"], self._voice["speed"], self._scene.aligned
        )
        texts = {**LINES, Purpose.GREETING: self._scene.greeting}
        lines = Lines(texts, FILLER, {FILLER: standing_line(book, FILLER)})
        segmenter = Segmenter(make_vad(_silero()), **policy.get("segmenter", {}))
        return CascadeEngine(segmenter, ears, brain, voice, lines)

    def _open(self, engine: CascadeEngine) -> Session:
        timings = Timings(**self._policy.get("timings", {}))
        briefing = Briefing(is_dialable=is_dialable)
        conversation = Conversation(timings, briefing, **self._policy.get("conversation", {}))
        carrier = TwilioCarrier()
        carrier.parse(json.dumps(START))
        journal = Journal("CA1", "Benchmark", timings)
        timeline, began = self._timeline, self._loop.time()
        journal.watch(lambda now, event, effects: _note(timeline, now + began, effects))
        return Session("CA1", self._phone, carrier, engine, conversation, journal)

    def _told(self) -> Timeline:
        told = self._timeline
        told.sounds, told.skipped = self._caller.sounds, self._caller.skipped
        told.clears = self._phone.clears
        played = _read(self._phone, self._book)
        told.played = [part for part in played if part.begin < told.ended]
        for number, reply in told.replies.items():
            reply.words = self._book.words.get(number, [])
        return told


def _note(timeline: Timeline, now: float, effects: list[Effect]) -> None:
    """What the server did, as its journal has it."""
    for effect in effects:
        match effect:
            case do.StartReply():
                timeline.replies[effect.reply] = Reply(effect.reply, effect.purpose.value, now)
            case do.CancelReply():
                timeline.replies[effect.reply].cancelled = now
            case do.ReportHeard():
                timeline.replies[effect.reply].heard = effect.text
            case do.CommitTurn() if effect.text:
                timeline.commits.append((now, effect.text))


async def _talk(phone: Phone, mouth: Mouth, over: LineConditions, echoes: Book | None) -> None:
    """The caller's frames, one every 20 ms, each as soon as its last sample was said, or as late
    as the line brings it."""
    loop, line = asyncio.get_running_loop(), Line(over)
    began, number, before = loop.time(), 0, 0.0
    overheard = _Overheard(phone, mouth, echoes) if echoes else None
    while True:
        await asyncio.sleep(FRAME_S)
        is_silent, frame = mouth.is_silent, mouth.next_frame()
        transit = line.carry(number)
        waits = before > loop.time()
        before = max(began + transit.leaves_ms / 1000, before + 1e-6)  # a socket keeps the order
        for _ in range(0 if over.dtx and is_silent else transit.copies):
            if before <= loop.time() + FRAME_S / 2 and not waits:
                phone.carry(number * 20, frame)
            else:
                loop.call_at(before, phone.carry, number * 20, frame)
        number += 1
        if overheard:
            overheard.listen()


def _player(phone: Phone) -> Callable[[float, float], bytes]:
    """What the phone played between two moments."""

    def played(begin: float, end: float) -> bytes:
        audio = bytearray(b"\xff" * round((end - begin) * BYTES_PER_S))
        for chunk in reversed(phone.chunks):
            if chunk.end <= begin:
                break
            if chunk.begin < end:
                _overlay(audio, begin, chunk.begin, chunk.audio)
        return bytes(audio)

    return played


def _overlay(audio: bytearray, begin: float, at: float, other: bytes) -> None:
    offset = round((at - begin) * BYTES_PER_S)
    part = other[max(0, -offset) : max(0, len(audio) - offset)]
    place = max(0, offset)
    audio[place : place + len(part)] = part


class _Overheard:
    """The agent's words as they come back on the line: a recogniser makes them out as well."""

    def __init__(self, phone: Phone, mouth: Mouth, book: Book) -> None:
        self._phone = phone
        self._mouth = mouth
        self._book = book
        self._until = 0.0

    def listen(self) -> None:
        now = self._phone.now - ECHO_DELAY_S
        for part in _read(self._phone, self._book, self._until):
            if part.is_whole and self._until < part.end <= now:
                text = self._book.words[part.reply][part.word]
                late = ECHO_DELAY_S
                self._mouth.tell(Word(text, part.begin + late, part.end + late))
        self._until = now


def _read(phone: Phone, book: Book, since: float = 0.0) -> list[Played]:
    """What was audible at the phone, word by word."""
    parts: list[Played] = []
    for chunk in phone.chunks:
        if chunk.end < since - 2:
            continue
        for place, stamp in enumerate(book.read(chunk.audio)):
            at = chunk.begin + place * FRAME_S
            if stamp is not None and stamp.word >= 0:
                _extend(parts, stamp, at)
    return parts


def _extend(parts: list[Played], stamp: Stamp, at: float) -> None:
    """Add a frame: to the stretch before it if it goes on there, else as a new one."""
    end = at + FRAME_S
    if parts:
        last = parts[-1]
        same = (last.reply, last.word) == (stamp.reply, stamp.word)
        if same and last.last + 1 == stamp.place and abs(at - last.end) < FRAME_S / 2:
            parts[-1] = Played(
                last.reply, last.word, last.first, stamp.place, last.frames, last.begin, end
            )
            return
    parts.append(Played(stamp.reply, stamp.word, stamp.place, stamp.place, stamp.frames, at, end))
