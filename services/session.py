"""The shell of a call: sockets, tasks and the clock around the pure core.

One task group per call, every task named; one timer. What happens is decided where it happens:
:meth:`Session.emit` hands the event to the core and performs what follows, which only sends or
queues a message, or starts or cancels a task. So there is no wait between a fact and its
consequences, and nothing that decides ever awaits a vendor.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, assert_never

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Caller, Conversation
from services.call.effects import Effect, Turn
from services.call.events import Event
from services.carriers import BadMessage, Carrier, MediaReceived, StreamStopped
from services.engines import Engine
from services.hearing import STALL_AFTER_S, Hearing
from services.journal import Journal
from services.recording import Tape

log = logging.getLogger(__name__)

TIMER_LATENESS_S = 0.001
"""By how much a timer of whole milliseconds, as uvloop's are, is late on average: half of one that
it is rounded by, and as much until the process is awake."""
FINISH_WITHIN_S = 12.0
"""How long an engine may take for what it owes when the call is over."""
CLOSE_WITHIN_S = 2.0
"""How long the last messages may take to leave before the socket is closed, and that then."""
_VENDORS_WITHIN_S = 4.0  # their sockets; the longest is ElevenLabs' farewell
CLOSES_WITHIN_S = 2 * CLOSE_WITHIN_S + _VENDORS_WITHIN_S + FINISH_WITHIN_S
"""From a call's end until its books are closed, at most."""


class Socket(Protocol):
    """A text socket. A closed one swallows what is sent."""

    async def deliver(
        self, take: Callable[[str | bytes], None], settle: Callable[[], None]
    ) -> None:
        """Hand each message to ``take`` as it comes (bytes: a binary one), until the peer is gone;
        ``settle`` follows in the same step of the loop, after one message or several, perhaps after
        those of other calls.

        Neither blocks; what they raise is raised here.
        """

    def send_now(self, message: str) -> bool:
        """Send one text message if that takes no waiting; whether it was sent."""

    async def send(self, message: str) -> None:
        """Send one text message; waits while the peer reads too slowly."""

    async def close(self) -> None:
        """Close, if it is not closed yet."""


class Session:
    """Our running of one call. ``run`` returns when the call is over and all its tasks are gone; if
    it raises, the socket is still open, for its owner to say so with the close."""

    def __init__(
        self,
        call_id: str,
        socket: Socket,
        carrier: Carrier,
        engine: Engine,
        conversation: Conversation,
        journal: Journal,
        tape: Tape | None = None,
    ) -> None:
        """``tape``: where the call is recorded, if it is."""
        self.call_id = call_id
        self.end_reason = ""
        """Why the call has ended: the core's reason (``goodbye``, ``transfer``, ...), ``caller:``
        and how the line was closed, ``crash``, or ``cancelled``; "" while it goes on."""
        self.conversation = conversation
        self.journal = journal
        self._socket = socket
        self._carrier = carrier
        self._engine = engine
        self._tape = tape
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._now_s = 0.0  # of the last event: it never goes back
        self._inbox: deque[tuple[Event, float]] = deque()
        self._is_deciding = True  # not before there is somebody to act
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._outbox: deque[tuple[str, int | None] | None] = deque()
        self._outgoing = asyncio.Event()
        self._is_sending = False
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._hearing = Hearing(engine, tape, self._now)
        self._marks: set[str] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._wakes_at: float | None = None
        self._rang_for = 0.0
        self._line_watch: asyncio.TimerHandle | None = None
        self._bad_messages = 0

    def emit(self, event: Event) -> None:
        """Tell the call that something happened, and have it act. Never blocks, never raises."""
        self._inbox.append((event, self._now()))
        if not self._is_deciding:
            self._decide()

    def _tell(self, event: Event) -> None:
        """The engine heard something, perhaps in audio that was late."""
        if late_ms := self._hearing.late_ms:
            if isinstance(event, on.SpeechStopped):
                event = replace(event, silence_ms=event.silence_ms + late_ms)
            elif isinstance(event, on.SpeechStarted):
                event = replace(event, voiced_ms=event.voiced_ms + late_ms)
        self.emit(event)

    async def run(self, started: on.CallStarted) -> None:
        """Hold the call, from its start to its end. Cancelling it closes everything."""
        how = "crash"
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._start("ears", self._engine.run(self._tell))
                self._start("carrier-in", self._read())
                self._start("carrier-out", self._write())
                self._inbox.appendleft((started, self._now()))  # before what was ordered
                try:
                    self._decide()
                    await self._over
                    await self._flush()
                    await self._close_socket()  # before the vendors': the caller waits for it
                finally:
                    self._stop_timers()  # before the ears, to which they speak
                for task in list(self._tasks.values()):
                    task.cancel()
            how = "end"
        except asyncio.CancelledError:
            self.end_reason = self.end_reason or "cancelled"
            raise
        finally:
            self.end_reason = self.end_reason or "crash"
            await self._close_books(how)

    # --- deciding ---------------------------------------------------------------------------------

    def _decide(self) -> None:
        """Take what has happened to the core, one event after the other, and do as it says. What
        an effect brings about at once is decided after it."""
        self._is_deciding = True
        try:
            while self._inbox and not self._over.done():
                self._take_note(*self._inbox.popleft())
                if self.conversation.ended:
                    self._over.set_result(None)
        except Exception as error:  # a bug of ours ends this call, not whoever told of the event
            self._over.set_exception(error)
        finally:
            self._is_deciding = False

    def _take_note(self, event: Event, happened_at: float) -> None:
        self._now_s = max(self._now_s, happened_at)
        if isinstance(event, on.DeadlinePassed):
            self._now_s = max(self._now_s, self._rang_for)  # the timer may be a moment early
        effects = self.conversation.handle(event, self._now_s)
        self.journal.append(self._now_s, event, effects)
        if isinstance(event, on.CallerHungUp):
            self.end_reason = f"caller: {event.reason}"
        for effect in effects:
            self._perform(effect)
        self._set_alarm()
        if self._line_watch is None and self.conversation.caller is not Caller.QUIET:
            self._line_watch = self._loop.call_later(STALL_AFTER_S, self._watch_line)

    def _stop_timers(self) -> None:
        for timer in (self._alarm, self._line_watch):
            if timer:
                timer.cancel()

    def _set_alarm(self) -> None:
        """Have the core woken when its deadline has come; one timer, set anew if that changes."""
        deadline = self.conversation.deadline
        if deadline == self._wakes_at:
            return
        if self._alarm:
            self._alarm.cancel()
        self._wakes_at, self._alarm = deadline, None
        if deadline is not None:
            due = self._began + deadline - TIMER_LATENESS_S
            self._alarm = self._loop.call_at(due, self._ring)

    def _ring(self) -> None:
        if self._wakes_at is not None:
            self._rang_for, self._wakes_at = self._wakes_at, None
        self.emit(on.DeadlinePassed())

    def _now(self) -> float:
        """Seconds since the call's start."""
        return self._loop.time() - self._began

    def _perform(self, effect: Effect) -> None:
        match effect:
            case do.SendAudio():
                self._post(self._carrier.media(effect.audio), effect)
                if self._tape:
                    self._tape.agent(effect.audio)
            case do.SendMark():
                self._marks.add(effect.mark)
                self._post(self._carrier.mark(effect.mark))
            case do.ClearPlayback():
                self._outbox.clear()  # what has not left yet need not be cleared there
                self._post(self._carrier.clear())
                if self._tape:
                    self._tape.clear()
            case do.StartReply():
                self._start(f"reply-{effect.reply}", self._speak(effect))
            case do.CommitReply():
                self._engine.commit(effect.reply)
            case do.AwaitEnd():
                pass  # the journal keeps why we wait
            case do.PrepareReply():  # it takes a moment; what else has happened comes first
                self._loop.call_soon(self._prepare, self.conversation.turns_so_far)
            case do.CancelReply():
                self._cancel(f"reply-{effect.reply}")
            case do.CommitTurn():
                self._engine.turn_committed()
            case do.FillSilence():
                if filler := self._engine.filler(effect.reply):
                    self.emit(filler)
            case do.ReportHeard():
                self._engine.heard(effect.reply, effect.text, effect.ms)
            case do.HangUp():
                self.end_reason = effect.reason
                log.info("call %s: we hang up (%s)", self.call_id, effect.reason)
            case _:
                assert_never(effect)

    # --- tasks ------------------------------------------------------------------------------------

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = self._group.create_task(work, name=f"{self.call_id}/{name}")
        self._tasks[name] = task
        task.add_done_callback(lambda _: self._tasks.pop(name, None))

    def _cancel(self, name: str) -> None:
        if task := self._tasks.get(name):
            task.cancel()

    def _prepare(self, turns: tuple[Turn, ...]) -> None:
        try:
            self._engine.prepare(turns)
        except Exception:
            log.exception("call %s: nothing could be prepared", self.call_id)

    async def _speak(self, request: do.StartReply) -> None:
        """One reply. Whatever goes wrong in it is an event of the call, not the end of it."""
        try:
            await self._engine.reply(request, self.emit)
        except Exception as error:
            log.exception("call %s: reply %d failed", self.call_id, request.reply)
            self.emit(on.ReplyFailed(request.reply, type(error).__name__))

    async def _read(self) -> None:
        """Carrier to ears and inbox, until the socket is closed."""
        await self._socket.deliver(self._take, self._hearing.settle)
        self.emit(on.CallerHungUp("closed"))

    def _take(self, message: str | bytes) -> None:
        """One message of the carrier's, the moment it comes. 50 a second: nothing waits here."""
        try:
            if isinstance(message, bytes):
                raise BadMessage("expected a text message, not a binary one")
            parsed = self._carrier.parse(message)
        except BadMessage as error:
            self._refuse(error)
            return
        if type(parsed) is MediaReceived:
            self._hearing.take(parsed.timestamp_ms, parsed.audio)
            return
        self._hearing.settle()  # what happens is in order
        if isinstance(parsed, on.DigitPressed):
            self.emit(parsed)
        elif isinstance(parsed, on.MarkPlayed) and parsed.mark in self._marks:
            self._marks.discard(parsed.mark)
            self.emit(parsed)
        elif isinstance(parsed, StreamStopped):
            self.emit(on.CallerHungUp("stop"))

    def _refuse(self, error: BadMessage) -> None:
        """A broken message is dropped; the first one is logged, the others are only counted."""
        self._bad_messages += 1
        if self._bad_messages == 1:
            log.warning("call %s: ignored a bad message: %s", self.call_id, error)

    def _watch_line(self) -> None:
        """Stand in for frames that do not come while the caller is thought to be speaking."""
        self._line_watch = None
        if self.conversation.caller is Caller.QUIET:
            return  # the next word starts it again
        self._hearing.stand_in()
        self._line_watch = self._loop.call_later(STALL_AFTER_S, self._watch_line)

    def _post(self, message: str, audio: do.SendAudio | None = None) -> None:
        """Send a message now, if nothing else waits to be sent; else it waits its turn."""
        first_of = audio.reply if audio and audio.offset == 0 else None
        waits = self._is_sending or bool(self._outbox)
        if waits or not self._socket.send_now(message):
            self._outbox.append((message, first_of))
            self._outgoing.set()
        elif first_of is not None:
            self.emit(on.AudioSent(first_of))

    async def _write(self) -> None:
        """Send what has to wait for a peer that reads slowly."""
        while True:
            await self._outgoing.wait()
            self._is_sending = True
            while self._outbox:
                item = self._outbox.popleft()
                if item is None:
                    return  # the call is over
                message, first_of = item
                await self._socket.send(message)
                if first_of is not None:
                    self.emit(on.AudioSent(first_of))
            self._is_sending = False
            self._outgoing.clear()

    # --- the end ----------------------------------------------------------------------------------

    async def _flush(self) -> None:
        """Let the last messages leave, but do not wait long for a peer that does not read."""
        self._outbox.append(None)
        self._outgoing.set()
        await asyncio.wait({self._tasks["carrier-out"]}, timeout=CLOSE_WITHIN_S)

    async def _close_socket(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._socket.close()

    async def _close_books(self, how: str) -> None:
        """Let tools finish, keep what the caller had begun to leave, and note what the core cannot
        know."""
        finishing = self._engine.finish(tuple(self.conversation.history))
        try:
            # Not asyncio.timeout: early 3.11 ends it as a cancellation if the task was cancelled
            # before, as a server that stops does with calls.
            await asyncio.wait_for(finishing, FINISH_WITHIN_S)
        except Exception:  # also if it takes too long
            log.exception("call %s: something was left undone", self.call_id)
        for event, _ in self._inbox:  # nobody acts on these any more
            if isinstance(event, on.ToolStarted | on.ToolUsed):
                self.journal.append(self._now(), event, [])
        if self._tape:
            self._tape.end()
        placed = self._hearing.placement
        self.journal.note(
            self._now(),
            "closed",
            reason=how,
            bad_messages=self._bad_messages,
            dropped_ms=placed.dropped_ms,
            filled_ms=placed.filled_ms,
        )
