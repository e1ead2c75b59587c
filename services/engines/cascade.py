"""The cascade engine: frames -> segmenter -> recogniser, and brain -> phrases -> voice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from services.call.effects import Purpose, StartReply, Turn
from services.call.events import (
    AfterReply,
    AnswerExpected,
    EarEvent,
    FillerReady,
    ReplyFinished,
    SpeechStarted,
    SpeechStopped,
    ToolEvent,
)
from services.engines import Emit
from services.engines.guard import Guard
from services.engines.phrase_feed import PhraseFeed
from services.engines.phrases import Phraser
from services.engines.speech import Speech
from services.engines.tool_work import NoDesk, ToolWork
from services.llm import Asks, Brain, EndCall, Line, UseTool
from services.stt import Transcriber
from services.tts import Voice
from services.vendors import Reports, VendorError


class Segmenter(Protocol):
    """Finds the caller's utterances; one per call."""

    def hear(self, frame: bytes) -> SpeechStarted | SpeechStopped | None:
        """One 20 ms frame, in order; the fact that it made certain, if any."""

    def hear_soon(self, frame: bytes) -> None:
        """This very frame comes, after those that were announced before it."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The agent's standing lines, and the audio of those that were rendered ahead in its voice."""

    by_purpose: Mapping[Purpose, str]
    filler: str = ""
    audio: dict[str, bytes] = field(default_factory=dict)
    """Text -> mu-law; shared by all calls. It may still be growing."""
    spare: dict[str, bytes] = field(default_factory=dict)
    """The same, in another voice: for what has to be said while the agent's own voice fails."""
    uninterruptible: tuple[str, ...] = ()
    """Sentences that a caller cannot interrupt."""
    errand: str = ""
    """Why we call; it is said after the line OUTBOUND, and differs from call to call."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, in the parts that are rendered ahead."""
        return self.parts(*self.by_purpose.values(), self.filler)

    def parts(self, *lines: str) -> tuple[str, ...]:
        """Lines in the parts that are rendered."""
        guard = Guard(self.uninterruptible)
        return tuple(part for line in lines for part in guard.parts(line))


class CascadeEngine:
    """Ears and voice of one call, made of one segmenter, recogniser, brain and voice."""

    def __init__(
        self,
        segmenter: Segmenter,
        transcriber: Transcriber,
        brain: Brain,
        voice: Voice,
        lines: Lines,
        reports: Reports | None = None,
        interrupted: Callable[[], None] = lambda: None,
        work: ToolWork | None = None,
    ) -> None:
        """``interrupted`` is told of each reply that was cancelled."""
        self._segmenter = segmenter
        self.hear_soon: Callable[[bytes], None] = _nothing
        """See ``Engine``. While there is nobody to report to, frames are not heard."""
        self._transcriber = transcriber
        self._unheard: list[bytes] = []  # the transcriber has not been given these frames yet
        self._batch_frames = transcriber.batch_frames
        self._brain = brain
        self._voice = voice
        self._lines = lines
        self._reports = reports or Reports()
        self._interrupted = interrupted
        self._work = work or ToolWork(NoDesk())
        self._emit: Emit | None = None
        self._committed = 0  # replies up to this number answer a turn that is over
        self._commits = asyncio.Event()

    async def run(self, emit: Emit) -> None:
        self._reports.attach(emit)
        self._emit = emit
        self.hear_soon = self._segmenter.hear_soon
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._transcriber.run(self._heard_words), name="transcriber")
            tasks.create_task(self._voice.run(), name="voice")

    # --- ears -------------------------------------------------------------------------------------

    def hear(self, frame: bytes) -> None:
        if self._emit is None:
            return  # the ears' task has not begun: nothing to report to yet
        self._unheard.append(frame)
        fact = self._segmenter.hear(frame)
        if fact is not None or len(self._unheard) >= self._batch_frames:
            self._transcriber.hear(b"".join(self._unheard))
            self._unheard.clear()
        if fact is None:
            return
        if isinstance(fact, SpeechStarted):
            self._transcriber.speech_started(fact.utterance, fact.voiced_ms)
        else:
            self._transcriber.speech_stopped(fact.utterance)
        self._emit(fact)

    def _heard_words(self, event: EarEvent) -> None:
        assert self._emit is not None
        self._emit(event)

    def turn_committed(self) -> None:
        self._transcriber.turn_committed()

    def prepare(self, turns: tuple[Turn, ...]) -> None:
        self._brain.prepare(turns)

    # --- voice ------------------------------------------------------------------------------------

    async def reply(self, request: StartReply, emit: Emit) -> None:
        speech = Speech(request.reply, emit, Guard(self._lines.uninterruptible))
        if not request.is_eager:
            self.commit(request.reply)
        if request.purpose is Purpose.ANSWER:
            thinking = asyncio.create_task(self._think(request, speech), name="brain")
        else:
            thinking = asyncio.create_task(self._recite(request.purpose, speech), name="line")
        try:
            await self._voice.speak(request.reply, speech, speech.say)
            then = await thinking
        except VendorError:
            if not _lets_go(thinking):
                raise
            then = AfterReply.TRANSFER  # better put through without a word than not at all
        except asyncio.CancelledError:
            speech.drop()
            self._interrupted()
            raise
        finally:
            speech.flush()  # also of a voice that has failed: nobody says it again
            thinking.cancel()
            await asyncio.wait({thinking})  # a reply leaves nothing running
        emit(ReplyFinished(request.reply, then))

    async def _think(self, request: StartReply, speech: Speech) -> AfterReply:
        """The brain's answer into phrases, while the voice already speaks the first of them."""
        feed, then = PhraseFeed(speech), AfterReply.LISTEN
        await self._work.settle()  # so that the brain knows what came of it
        try:
            async with aclosing(self._brain.respond(request.reply, request.turns)) as items:
                async for item in items:
                    if isinstance(item, str):
                        await feed.text(item)
                        continue
                    feed.pause()
                    if isinstance(item, UseTool):
                        feed.flush()  # it is said while the tool works
                    then = max(then, await self._do(item, speech), key=_ENDINGS.index)
        except VendorError:
            if then is not AfterReply.TRANSFER:
                raise
        finally:
            feed.flush()  # what there is of a broken answer is said as well
            if then is AfterReply.TRANSFER and not speech.has_begun:
                self._say_line(self._lines.by_purpose[Purpose.TRANSFER], speech)
            speech.end()
        return then

    async def _do(self, item: Line | EndCall | Asks | UseTool, speech: Speech) -> AfterReply:
        """What a brain gives besides text; what is to follow the reply."""
        if isinstance(item, UseTool):
            if item.request.tool.changes_something:
                await self._is_committed(speech.reply)
            item.begun = True
            item.result = await self._work.use(speech.reply, item.request, speech.emit)
            return item.result.then
        if isinstance(item, EndCall):
            await self._is_committed(speech.reply)
            return AfterReply.HANG_UP
        if isinstance(item, Asks):
            speech.emit(AnswerExpected(speech.reply, item.what))
        else:
            self._say_line(item.text, speech)
        return AfterReply.LISTEN

    def commit(self, reply: int) -> None:
        self._committed = max(self._committed, reply)
        self._commits.set()
        self._commits = asyncio.Event()

    async def _is_committed(self, reply: int) -> None:
        """What changes the world waits for the end of the turn; the brain waits with it."""
        while self._committed < reply:
            await self._commits.wait()

    async def _recite(self, purpose: Purpose, speech: Speech) -> AfterReply:
        self._say_line(self._lines.by_purpose[purpose], speech)
        if purpose is Purpose.OUTBOUND:
            phraser = Phraser()
            speech.put(*phraser.feed(self._lines.errand), *phraser.flush())
        speech.end()
        return AfterReply.LISTEN

    def _say_line(self, text: str, speech: Speech) -> None:
        """A whole line: out of the store, or spoken now."""
        parts, lines = speech.parts(text), self._lines
        is_apology = text == lines.by_purpose.get(Purpose.APOLOGY)
        for store in (lines.audio, lines.spare) if is_apology else (lines.audio,):
            if all(store.get(part) for part in parts):
                speech.say_lines({part: store[part] for part in parts})
                return
        speech.put(*parts)

    def filler(self, reply: int) -> FillerReady | None:
        text = self._lines.filler
        audio = self._lines.audio.get(text) or self._lines.spare.get(text)
        return FillerReady(reply, audio, text) if audio else None

    def heard(self, reply: int, text: str, ms: int) -> None:
        """Nothing to do: the brain is given the heard history with each turn."""

    async def finish(self, turns: tuple[Turn, ...]) -> None:
        await self._work.finish(self._brain.unfinished(turns), self._tell)

    def _tell(self, event: ToolEvent) -> None:
        if self._emit is not None:
            self._emit(event)


_ENDINGS = (AfterReply.LISTEN, AfterReply.HANG_UP, AfterReply.TRANSFER)
"""What may follow a reply, the strongest last."""


def _lets_go(thinking: asyncio.Task[AfterReply]) -> bool:
    """Whether the caller was promised to be put through."""
    is_whole = thinking.done() and not thinking.cancelled() and thinking.exception() is None
    return is_whole and thinking.result() is AfterReply.TRANSFER


def _nothing(frame: bytes) -> None:
    """It is not to be heard."""
