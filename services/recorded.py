"""A call held turn by turn: each of the caller's turns is a recording that the carrier made.

The older way, without a media stream: the carrier records, we fetch the file, and it plays our
answer. The same ears, brain, voice and tools as in a stream, and a journal of the same events; so
both ways can be compared by the same figures. The caller cannot interrupt, and waits for the end of
the recording, the file, the words and the whole answer: that is what streams are for.

Latencies mean the same as in a stream: from the end of the caller's speech to the moment at which
the first audio of the answer (or the line that bridges the wait) leaves us, here as the file that
the carrier fetches. The silence that ends a recording is part of it, as the silence that ends a
turn is there. A turn counts as over when its words are known.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.audio.mulaw import BYTES_PER_MS
from services.audio.wav import NotAWav, mulaw
from services.call import effects as do
from services.call import events as on
from services.call.effects import Effect, Purpose, Speaker, StartReply, Turn
from services.call.events import AfterReply, Event
from services.engines import Engine
from services.journal import Journal
from services.stt.turn_audio import FULL_MS, Piece
from services.stt.words import Words
from services.vendors import VendorError

log = logging.getLogger(__name__)

SILENCE_S = 2
"""So much silence ends a recording; the carrier counts in whole seconds."""
LONGEST_S = 120
"""The longest recording."""
ANSWER_WITHIN_S = 20.0
"""The longest that an answer may take, whole; then an apology is said."""
LAST_WORDS_WITHIN_S = 30.0
"""How long the answer to the last recording of a caller who has hung up may take: it may be a
message, or the yes to a booking."""
FINISH_WITHIN_S = 6.0
GOODBYE = "agent: goodbye"
"""The reason when the last line was played to its end."""
SERVER_STOPS = "caller: server stops"
"""The reason for which nothing is waited for."""
MOST_IN_VAIN = 3
"""Turns in a row that may stay without words or fail; then the call is ended."""

Fetch = Callable[[], Awaitable[bytes]]
"""Gets a recording's file, waiting until it is ready. Raises OSError if it cannot be had."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller is to hear: mu-law 8 kHz and its text, and what follows it."""

    text: str
    audio: bytes
    then: AfterReply = AfterReply.LISTEN


@dataclass(slots=True)
class _Playing:
    """What the carrier was told to play last: the reply of this number, fetched at ``since``."""

    reply: int
    said: Said
    since: float | None = None


class RecordedCall:
    """One call. ``clock`` gives seconds; ``words`` finds words in recordings."""

    def __init__(
        self,
        call_id: str,
        engine: Engine,
        words: Words,
        journal: Journal,
        clock: Callable[[], float],
        longest_s: float,
        *,
        history: list[Turn] | None = None,
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        """``history`` holds what was said before. ``closed`` is called when the call is over and
        nothing of it runs any more."""
        self.call_id = call_id
        self.history = history if history is not None else []
        self._engine = engine
        self._words = words
        self._journal = journal
        self._clock = clock
        self._longest_s = longest_s
        self._closed = closed
        self._began = clock()
        self._now = 0.0
        self._replies = 0
        self._playing: _Playing | None = None
        self._fillers: dict[int, tuple[Said, int]] = {}  # by the id of the Said: and its reply
        self._is_replying = False
        self._in_vain = self._silences = 0
        self._answers: dict[str, asyncio.Task[Said]] = {}
        self._running: asyncio.Task[None] | None = None
        self.reason = ""
        """Why it ended; empty while it goes on."""
        self._stopped = 0.0

    @property
    def is_over(self) -> bool:
        return bool(self.reason)

    @property
    def has_begun(self) -> bool:
        return self._running is not None

    @property
    def state(self) -> tuple[str, str]:
        """What caller and agent are doing, in the words that streams have for it. Whether the
        caller speaks is not known before the recording comes."""
        if any(not answer.done() for answer in self._answers.values()):
            return "quiet", "thinking"
        return "quiet", "speaking" if self._unplayed_s > 0 else "idle"

    # --- what the carrier tells -------------------------------------------------------------------

    def begin(self, started: on.CallStarted) -> asyncio.Task[Said]:
        """The call was answered: the opening line. Asked again, the same."""
        if "" not in self._answers:
            self.resume(started)
            self._answers[""] = self._start(self._line(started.opening))
        return self._answers[""]

    def resume(self, started: on.CallStarted) -> None:
        """The call goes on, without an opening line. Asked again, nothing happens."""
        if not self.has_begun:
            self._running = asyncio.create_task(self._engine.run(self._tell), name="recorded call")
            self._note(started)

    def recorded(
        self, recording: str, duration_ms: int, fetch: Fetch, silence_ms: int = SILENCE_S * 1000
    ) -> asyncio.Task[Said]:
        """The caller's turn is over: the answer to it. The same recording has the same answer.
        ``silence_ms`` is what has ended it, and not part of its duration."""
        if recording not in self._answers:
            answer = self._answer(duration_ms, silence_ms, fetch)
            self._answers[recording] = self._start(answer)
        return self._answers[recording]

    def answer_to(self, recording: str) -> asyncio.Task[Said] | None:
        """The answer in the making."""
        return self._answers.get(recording)

    def silent(self, recording: str) -> asyncio.Task[Said]:
        """Nothing was recorded."""
        if recording not in self._answers:
            self._silences += 1
            purpose = Purpose.IDLE_PROMPT if self._silences == 1 else Purpose.IDLE_GOODBYE
            self._played()
            self._answers[recording] = self._start(self._line(purpose))
        return self._answers[recording]

    def filler(self) -> Said | None:
        """A stored line to bridge the wait for an answer, if there is one."""
        number = self._replies if self._is_replying else self._replies + 1  # or of the one to come
        ready = self._engine.filler(number)
        if ready is None:
            return None
        said = Said(ready.text, ready.audio)
        self._fillers[id(said)] = said, number
        self._note(ready)
        return said

    def fetched(self, said: Said) -> None:
        """The carrier begins to play it."""
        playing = self._playing
        if self.is_over:
            return
        if playing and playing.said is said and playing.since is None:
            playing.since = self._time()
            self._note(on.AudioSent(playing.reply))
        elif id(said) in self._fillers:
            self._note(on.AudioSent(self._fillers.pop(id(said))[1]))

    @property
    def is_put_through(self) -> bool:
        """Whether what is being said lets go of the caller, who is put through to a person."""
        playing = self._playing
        return playing is not None and playing.said.then is AfterReply.TRANSFER

    def leave(self) -> None:
        """The line is dead, as the carrier says; it may still bring what was said last."""
        self._stopped = self._stopped or self._time()

    async def end(self, reason: str) -> None:
        """:meth:`stop`, then :meth:`settle`."""
        if not self.reason:
            self.stop(reason)
            await self.settle()

    def stop(self, reason: str) -> None:
        """The call is over; ``reason`` as in a stream's journal. What was said is known now."""
        if self.reason:
            return
        self.reason = reason
        self.leave()
        if reason.startswith("agent"):
            effects = self._silenced()
            effects.append(do.HangUp(reason.removeprefix("agent: ")))
            self._note(on.DeadlinePassed(), *effects)

    async def settle(self) -> None:
        """Deal with what the caller has said last, end what is in the making, close the books."""
        if self.reason.startswith("caller: ") and self.reason != SERVER_STOPS:
            in_the_making = [answer for answer in self._answers.values() if not answer.done()]
            if in_the_making:
                await asyncio.wait(in_the_making, timeout=LAST_WORDS_WITHIN_S)
        for answer in self._answers.values():
            answer.cancel()
        await asyncio.gather(*self._answers.values(), return_exceptions=True)
        if not self.reason.startswith("agent"):
            self._note(on.CallerHungUp(self.reason.removeprefix("caller: ")), *self._silenced())
        try:
            async with asyncio.timeout(FINISH_WITHIN_S):
                await self._engine.finish(tuple(self.history))
        except Exception:  # also if it takes too long
            log.exception("call %s: something was left undone", self.call_id)
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        self._journal.note(self._time(), "closed", reason="end")
        self._closed()

    # --- answering --------------------------------------------------------------------------------

    def _start(self, work: Awaitable[Said]) -> asyncio.Task[Said]:
        async def run() -> Said:
            return await work

        return asyncio.create_task(run(), name=f"{self.call_id}/recorded turn")

    async def _answer(self, duration_ms: int, silence_ms: int, fetch: Fetch) -> Said:
        self._played()
        utterance = self._replies + 1
        self._note(on.SpeechStarted(utterance, duration_ms + silence_ms))
        self._note(on.SpeechStopped(utterance, silence_ms))
        try:
            text = await self._words.words(_pieces(mulaw(await fetch())))
        except (VendorError, NotAWav, OSError) as error:
            log.warning("call %s: a recording has no words: %s", self.call_id, error)
            self._note(on.TranscriptFailed(utterance, type(error).__name__))
            return await self._in_vain_line(Purpose.APOLOGY)
        self._note(on.TranscriptFinal(utterance, utterance, text))
        if not text:
            self._note(on.DeadlinePassed(), do.CommitTurn("", "recording"))
            return await self._in_vain_line(Purpose.REPAIR)
        if self._time() > self._longest_s:
            return await self._line(Purpose.TIME_LIMIT)
        self._silences = 0
        self.history.append(Turn(Speaker.CALLER, text))
        self._engine.turn_committed()
        said = await self._reply(Purpose.ANSWER, do.CommitTurn(text, "recording"))
        if not said.audio or said.then is AfterReply.APOLOGISE:
            return await self._in_vain_line(Purpose.APOLOGY)
        self._in_vain = 0
        return said

    async def _in_vain_line(self, purpose: Purpose) -> Said:
        self._in_vain += 1
        return await self._line(Purpose.IDLE_GOODBYE if self._in_vain >= MOST_IN_VAIN else purpose)

    async def _line(self, purpose: Purpose) -> Said:
        """A standing line; a goodbye among them ends the call."""
        said = await self._reply(purpose)
        ends = purpose in (Purpose.IDLE_GOODBYE, Purpose.TIME_LIMIT)
        if ends and said.then is not AfterReply.HANG_UP:
            said = Said(said.text, said.audio, AfterReply.HANG_UP)
            self._playing = _Playing(self._replies, said)
        return said

    async def _reply(self, purpose: Purpose, *before: Effect) -> Said:
        """One reply of the engine's, whole."""
        self._replies += 1
        self._is_replying = True
        number, gathered = self._replies, _Gathered()
        request = StartReply(number, purpose, tuple(self.history))
        self._note(on.DeadlinePassed(), *before, request)

        def take(event: Event) -> None:
            gathered.take(event)
            self._note(event)

        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._engine.reply(request, take)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # of whatever kind: the call goes on with an apology
            log.exception("call %s: reply %d failed", self.call_id, number)
            self._note(on.ReplyFailed(number, type(error).__name__))
            gathered.then = AfterReply.APOLOGISE
        finally:
            self._is_replying = False
        said = Said(gathered.text, bytes(gathered.audio), gathered.then)
        self._playing = _Playing(number, said)
        return said

    def _played(self) -> None:
        """What was said last was heard to its end: the carrier records only after it."""
        playing, self._playing = self._playing, None
        if playing is None or not playing.said.text:
            return
        said = playing.said
        self.history.append(Turn(Speaker.AGENT, said.text))
        ms = len(said.audio) // BYTES_PER_MS
        heard = do.ReportHeard(playing.reply, said.text, ms)
        self._note(on.MarkPlayed(f"{playing.reply}.recorded"), heard)

    @property
    def _unplayed_s(self) -> float:
        """How much of what is being played is still to come, by our clock."""
        playing = self._playing
        if playing is None or playing.since is None:
            return 0.0
        played_s = (self._stopped or self._time()) - playing.since
        return len(playing.said.audio) / (BYTES_PER_MS * 1000) - played_s

    def _silenced(self) -> list[Effect]:
        """The call ended while, or after, something was played: of what is cut off the share of the
        words counts as heard that its time allows. What the carrier has not fetched yet it plays
        before it goes on; a caller who has hung up hears nothing of it."""
        playing, left_s = self._playing, self._unplayed_s
        is_to_come = playing is not None and playing.since is None
        if playing is None or (is_to_come and self.reason.startswith("caller")):
            self._playing = None
            return []
        if left_s <= 0 or self.reason == GOODBYE:
            self._played()
            return []
        self._playing = None
        whole_ms = len(playing.said.audio) // BYTES_PER_MS
        heard_ms = max(0, whole_ms - round(left_s * 1000))
        words = playing.said.text.split()
        count = len(words) * heard_ms // whole_ms
        heard, unheard = " ".join(words[:count]), " ".join(words[count:])
        if heard:
            self.history.append(Turn(Speaker.AGENT, heard, unheard))
        return [
            do.CancelReply(playing.reply),
            do.ReportHeard(playing.reply, heard, heard_ms),
        ]

    # --- the journal ------------------------------------------------------------------------------

    def _tell(self, event: Event) -> None:
        self._note(event)

    def _note(self, event: Event, *effects: Effect) -> None:
        self._journal.append(self._time(), event, list(effects))

    def _time(self) -> float:
        self._now = max(self._now, self._clock() - self._began)
        return self._now


class _Gathered:
    """What an engine produces for one reply."""

    def __init__(self) -> None:
        self.text = ""
        self.audio = bytearray()
        self.then = AfterReply.LISTEN

    def take(self, event: Event) -> None:
        if isinstance(event, on.AudioProduced):
            self.audio += event.audio
            self.text = f"{self.text} {event.text}".strip()
        elif isinstance(event, on.ReplyFinished):
            self.then = event.then


def _pieces(audio: bytes) -> list[Piece]:
    """Pieces that a recogniser can take."""
    size = FULL_MS * BYTES_PER_MS
    return [Piece(audio[at : at + size]) for at in range(0, len(audio), size)]
