"""The caller: does what the scene says, whatever the agent does, as stubborn people do.

A turn begins when the agent has answered the last one and is silent; the words of a turn come at
their moments even if the agent cuts in. What cannot be done is left out, and told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import numpy as np

from benchmarks.conversation import clips
from benchmarks.conversation.mouth import FRAME_S
from benchmarks.conversation.script import Aside, Kind, Scene, Turn, Wait
from benchmarks.conversation.timeline import Sound, Word

REACTION_S = 0.6
"""Silence of the agent after which a caller believes that it is their turn ..."""
PATIENCE_S = 1.6
"""... and after a sound of their own, which may have made the agent pause."""
ANSWER_WITHIN_S = 7.0
SPEAKS_ON_WITHIN_S = 4.0
KEY_EVERY_S = 0.25


class Handset(Protocol):
    """What the caller hears, and the keys. Seconds; ``quiet_s`` is negative while the agent speaks,
    ``heard_s`` is how much of it was heard after a moment."""

    @property
    def now(self) -> float: ...
    @property
    def closed(self) -> bool: ...
    def quiet_s(self) -> float: ...
    def heard_s(self, since: float) -> float: ...
    def press(self, digit: str) -> None: ...


class Mouthpiece(Protocol):
    """What the caller says. ``place``: the moment of what can still be said, so long from now."""

    turns: list[tuple[float, float]]

    def place(self, seconds: float = 0.0) -> float: ...
    def say(self, sound: clips.Pcm, at: float) -> None: ...
    def tell(self, word: Word) -> None: ...


class Caller:
    """One caller on one phone. ``sounds``: all that was said, in order."""

    def __init__(self, scene: Scene, phone: Handset, mouth: Mouthpiece) -> None:
        self._scene = scene
        self._phone = phone
        self._mouth = mouth
        self._since = 0.0  # the agent has not answered what was said up to here
        self._made_sound_until = 0.0
        self._patience_s = REACTION_S
        self._wants_answer = True
        self.sounds: list[Sound] = []
        self.skipped: list[str] = []
        self.turn: Turn | None = None
        """The turn that was begun last; the brain answers it."""

    async def perform(self) -> None:
        """The whole scene, to the end of the last answer."""
        for step in self._scene.steps:
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
            elif isinstance(step, Turn):
                await self._take_turn(step)
            else:
                await self._make_sound(step)
        await self._agent_is_done("the end")

    async def _take_turn(self, step: Turn) -> None:
        label = " ".join(part for part in step.parts if isinstance(part, str))
        if step.over_s is None:
            await self._agent_is_done(label)
        elif not await self._agent_has_said(step.over_s, label):
            return
        self.turn = step
        sound = await self._press(label) if step.kind is Kind.KEYS else self._say(step, label)
        await self._until(lambda: self._phone.now >= sound.end)
        self._since, self._patience_s = sound.end, REACTION_S
        self._wants_answer = step.kind is not Kind.PATIENCE

    async def _press(self, keys: str) -> Sound:
        begin = self._phone.now
        for place, key in enumerate(keys):
            if place:
                await asyncio.sleep(KEY_EVERY_S)
            self._phone.press(key)
        end = self._phone.now
        sound = Sound(Kind.KEYS, keys, ((begin, end),), (Word(keys.rstrip("#"), begin, end),))
        self.sounds.append(sound)
        return sound

    def _say(self, step: Turn, label: str) -> Sound:
        """Put all of a turn on the line, from the next frame on."""
        at = 0.0
        chunks: list[tuple[float, float]] = []
        voiced_s = 0.0
        words: list[Word] = []
        for part in step.parts:
            if isinstance(part, float | int):
                at += part
                continue
            clip = clips.clip(self._scene.voice, part)
            begin = self._mouth.place(at)
            self._mouth.say(clip.sound, begin)
            words += [Word(text, begin + a, begin + b) for text, a, b in clip.words]
            voiced_s = voiced_s if chunks else clip.voiced_s
            chunks.append((begin, begin + clip.seconds))
            at += clip.seconds
        for word in words:
            self._mouth.tell(word)
        sound = Sound(step.kind, label, tuple(chunks), tuple(words), voiced_s)
        self._mouth.turns.append((sound.begin, sound.end))
        self.sounds.append(sound)
        return sound

    async def _make_sound(self, step: Aside) -> None:
        label = step.text or step.sound
        if step.over_s is None:
            await self._agent_is_done(label)
        elif not await self._agent_has_said(step.over_s, label):
            return
        begin = self._mouth.place()
        if step.text:
            clip = clips.clip(step.voice or self._scene.voice, step.text)
            pcm, said = clip.sound, clip.words
        else:
            pcm, said = clips.noise(step.sound), ()
        self._mouth.say(clips.louder(pcm, step.gain_db), begin)
        words = tuple(Word(text, begin + a, begin + b) for text, a, b in said)
        end = begin + len(pcm) / clips.RATE
        for word in self._made_out(step, words, begin, end):
            self._mouth.tell(word)
        sound = Sound(step.kind, label, ((begin, end),), words)
        self.sounds.append(sound)
        await self._until(lambda: self._phone.now >= end)
        self._made_sound_until, self._patience_s = end, PATIENCE_S

    @staticmethod
    def _made_out(
        step: Aside, words: tuple[Word, ...], begin: float, end: float
    ) -> tuple[Word, ...]:
        """What a recogniser makes of it: of other people's talk nothing, unless the scene says."""
        if step.heard_as is None:
            return words if step.kind is Kind.BACKCHANNEL else ()
        texts = step.heard_as.split()
        edges = np.linspace(begin, end, len(texts) + 1)
        return tuple(
            Word(text, float(edges[place]), float(edges[place + 1]))
            for place, text in enumerate(texts)
        )

    async def _agent_is_done(self, label: str) -> None:
        """The agent has spoken since our last turn, and is silent."""
        phone, since = self._phone, self._since
        gives_up_at = max(phone.now, since) + ANSWER_WITHIN_S

        def done() -> bool:
            nonlocal gives_up_at
            if phone.quiet_s() < 0:
                gives_up_at = phone.now + ANSWER_WITHIN_S
            has_answered = phone.heard_s(since) > 0.2 or not self._wants_answer
            quiet_s = min(phone.quiet_s(), phone.now - self._made_sound_until)
            return has_answered and quiet_s >= self._patience_s

        await self._until(lambda: done() or phone.now >= gives_up_at or phone.closed)
        if not done():
            self.skipped.append(f"no answer before {label!r}")

    async def _agent_has_said(self, seconds: float, label: str) -> bool:
        """Whether the agent is in mid-speech, so much after its beginning."""
        phone, since = self._phone, self._since
        waits_until = phone.now + ANSWER_WITHIN_S

        def ready() -> bool:
            return phone.heard_s(since) >= seconds and phone.quiet_s() < 0

        def hopeless() -> bool:
            begun = phone.heard_s(since) > 0
            limit = SPEAKS_ON_WITHIN_S if begun else ANSWER_WITHIN_S
            return phone.closed or (phone.quiet_s() > limit and phone.now >= waits_until)

        await self._until(lambda: ready() or hopeless())
        if not ready():
            self.skipped.append(f"the agent did not speak on for {label!r}")
        return ready()

    async def _until(self, come: Callable[[], bool]) -> None:
        while not come():  # noqa: ASYNC110 - a frame is as often as anything can change
            await asyncio.sleep(FRAME_S)
