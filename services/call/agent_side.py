"""The agent's side of the line: the live reply, and what is played of it.

It starts, holds, resumes and ends the one live reply. Whose turn it is, and what follows a reply,
is for ``conversation`` to decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from services.call import effects as do
from services.call import events as on
from services.call.deadlines import OF_THE_REPLY, Deadline, Deadlines
from services.call.effects import Effect, Purpose, Speaker, Turn
from services.call.events import AfterReply
from services.call.playback import FRAME_BYTES, Playback
from services.call.timings import Timings
from services.call.words.readiness import Expectation

FRAME_S = 0.02


class Agent(Enum):
    IDLE = "idle"
    EAGER = "eager"
    THINKING = "thinking"
    SPEAKING = "speaking"
    HELD = "held"


@dataclass(slots=True)
class Reply:
    """The live reply. ``then`` is None while audio is still being produced; ``has_audio`` tells
    of audio of its own, not of a line that bridges the wait for it; ``is_bridged`` of such a line
    since its last own audio: one is enough. ``answers`` are the caller's words that an eager reply
    was begun for; ``asks`` is what the reply asks the caller for, if the brain has said so;
    ``tools`` are at work for it."""

    number: int
    purpose: Purpose
    playback: Playback
    then: AfterReply | None = None
    has_audio: bool = False
    is_bridged: bool = False
    answers: str = ""
    asks: Expectation | None = None
    tools: int = 0


class AgentSide:
    """The machine of the agent. Its methods say True when the last of the reply was played: then
    :meth:`settle` it, and go on."""

    def __init__(
        self,
        timings: Timings,
        deadlines: Deadlines,
        effects: list[Effect],
        history: list[Turn],
    ) -> None:
        """The lists and the deadlines are those of the whole conversation."""
        self.state = Agent.IDLE
        self.reply: Reply | None = None
        self._timings = timings
        self._deadlines = deadlines
        self._effects = effects
        self._history = history
        self._replies = 0
        self.speaks_since = 0.0
        """When it last began to speak, or to speak on."""

    @property
    def live(self) -> Reply:
        """The live reply, where there must be one."""
        assert self.reply is not None, "this is called only while a reply is live"
        return self.reply

    @property
    def is_held(self) -> bool:
        return self.state is Agent.HELD

    @property
    def is_eager(self) -> bool:
        return self.state is Agent.EAGER

    def start(self, purpose: Purpose, now: float) -> None:
        """Begin a reply to what was said so far."""
        self._begin(purpose, Agent.THINKING)
        self._deadlines.arm(Deadline.GIVE_UP, now, self._patience_ms)
        self._effects.append(do.StartReply(self._replies, purpose, tuple(self._history)))

    def start_eagerly(self, text: str) -> None:
        """Begin an answer to words that may not be all."""
        self._begin(Purpose.ANSWER, Agent.EAGER).answers = text
        turns = (*self._history, Turn(Speaker.CALLER, text))
        self._effects.append(do.StartReply(self._replies, Purpose.ANSWER, turns, is_eager=True))

    def _begin(self, purpose: Purpose, state: Agent) -> Reply:
        self._replies += 1
        playback = Playback(self._replies, self._timings.mark_every_ms)
        self.reply = Reply(self._replies, purpose, playback)
        self.state = state
        self._deadlines.drop(Deadline.IDLE)
        return self.reply

    def commit(self, now: float) -> bool:
        """They were all: the eager answer is an answer like others."""
        reply = self.live
        self.state = Agent.THINKING
        self._effects.append(do.CommitReply(reply.number))
        if not reply.has_audio and reply.then is None:
            self._deadlines.arm(Deadline.GIVE_UP, now, self._patience_ms)
        return self._play(now)

    def drop_eager(self) -> None:
        """There were more: nobody has heard anything of it."""
        self._effects.append(do.CancelReply(self.live.number))
        self.reply = None
        self.state = Agent.IDLE

    @property
    def _patience_ms(self) -> int:
        """How long the live reply may give no audio: a tool is waited for, and then the answer."""
        timings = self._timings
        return timings.give_up_ms + (timings.tool_ms if self.live.tools else 0)

    # --- what its task produces -------------------------------------------------------------------

    def produced(self, event: on.AudioProduced, now: float) -> bool:
        """More audio of the reply."""
        self._deadlines.drop(Deadline.FILL, Deadline.GIVE_UP)
        reply = self.live
        reply.has_audio = reply.has_audio or bool(event.audio)
        reply.is_bridged = False
        reply.playback.append(event.audio, event.text, event.spans, is_guarded=event.is_guarded)
        if self.is_held and event.is_guarded and len(event.audio) >= 2 * FRAME_BYTES:
            self.resume(now)  # it is said, whoever speaks; then the reply is held again
            self._deadlines[Deadline.GUARD] = self.live.playback.guarded_until
            return False
        return self._play(now)

    def works(self, number: int, now: float, *, tools: int) -> None:
        """So many more tools are at work for a reply, perhaps for one that is long over."""
        reply = self.reply
        if reply is not None and reply.number == number:
            reply.tools = max(0, reply.tools + tools)
            if Deadline.GIVE_UP in self._deadlines:
                self._deadlines.arm(Deadline.GIVE_UP, now, self._patience_ms)

    def bridge(self, audio: bytes, now: float) -> bool:
        """A stored line, if there still is a silence for it to bridge."""
        reply = self.live
        if self.is_eager or not reply.playback.nothing_playing:
            return False
        reply.is_bridged = True
        self._deadlines.drop(Deadline.FILL)
        reply.playback.bridge(audio)
        return self._play(now)

    def finished(self, then: AfterReply, now: float) -> bool:
        """No more audio will come."""
        reply = self.live
        is_mute = reply.purpose is Purpose.ANSWER and not reply.has_audio
        if is_mute and then is AfterReply.LISTEN:
            then = AfterReply.APOLOGISE  # a caller who asked must hear something
        self._deadlines.drop(Deadline.FILL, Deadline.GIVE_UP)
        reply.then = then
        reply.playback.finish()
        return self._play(now)

    # --- playing ----------------------------------------------------------------------------------

    def mark_played(self, event: on.MarkPlayed, now: float) -> bool:
        """The carrier has played what came before a mark."""
        is_ours = self.reply is not None and self.reply.playback.acknowledge(event.mark, now)
        return is_ours and self._go_on(now)

    def marks_missing(self, now: float) -> bool:
        """They are too late to be waited for."""
        playback = self.live.playback
        if asked := playback.mark_rest():  # nothing was missing: it was not asked for
            self._effects += asked
            self._deadlines.arm(Deadline.PLAYED, now, self._timings.marks_grace_ms)
            return False
        playback.assume_played()
        return self._go_on(now)

    def _play(self, now: float) -> bool:
        """Send what can be sent, unless the reply is held or eager."""
        if self.is_held or self.is_eager:
            return False
        reply = self.live
        sent = reply.playback.release(now)
        if sent:
            if self.state is not Agent.SPEAKING:
                self.speaks_since = now
            self.state = Agent.SPEAKING
            self._effects += sent
            grace_ms = 0 if reply.playback.has_unmarked else self._timings.marks_grace_ms
            self._deadlines.arm(Deadline.PLAYED, reply.playback.ends_at, grace_ms)
        return self._go_on(now)

    def _go_on(self, now: float) -> bool:
        """What follows when nothing is playing: the reply is over, or more of it is awaited."""
        reply = self.live
        if self.is_held or self.is_eager or not reply.playback.nothing_playing:
            return False
        self._deadlines.drop(Deadline.PLAYED)
        if reply.then is not None:
            return True
        self.state = Agent.THINKING
        self._deadlines.arm_once(Deadline.GIVE_UP, now, self._patience_ms)
        if reply.has_audio and not reply.is_bridged and reply.purpose is Purpose.ANSWER:
            self._deadlines.arm_once(Deadline.FILL, now, self._timings.fill_gap_ms)
        return False

    # --- interruptions ----------------------------------------------------------------------------

    def guarded_until(self, now: float) -> float | None:
        """When a sentence ends that may not be interrupted; None if none is being played."""
        if self.state is not Agent.SPEAKING:
            return None
        until = self.live.playback.guarded_until
        return until if until > now + FRAME_S else None

    def hold(self, now: float) -> None:
        """Silence at once; the reply lives on until we know what the sound was."""
        if self.state is Agent.SPEAKING:
            self._effects.append(do.ClearPlayback())
        self.live.playback.hold(now)
        self.state = Agent.HELD
        self._deadlines.drop(*OF_THE_REPLY)
        self._deadlines.arm(Deadline.HOLD, now, self._timings.hold_limit_ms)

    def resume(self, now: float) -> bool:
        """It was nothing: speak on from the next word that was not heard."""
        self.state = Agent.THINKING
        self._deadlines.drop(Deadline.HOLD, Deadline.RESUME)
        self.live.playback.rewind()
        return self._play(now)

    def cancel(self, now: float) -> str:
        """The live reply is over here and now; returns what was heard of it."""
        reply = self.live
        if self.state is Agent.SPEAKING:
            reply.playback.hold(now)
            self._effects.append(do.ClearPlayback())
        self._effects.append(do.CancelReply(reply.number))
        return self.settle()

    def settle(self) -> str:
        """Put what was heard of the live reply into the history; then there is no live reply."""
        reply = self.live
        heard, unheard = reply.playback.heard_text(), reply.playback.unheard_text()
        if heard:
            self._history.append(Turn(Speaker.AGENT, heard, unheard))
        if not reply.playback.is_empty:
            self._effects.append(do.ReportHeard(reply.number, heard, reply.playback.heard_ms))
        self.reply = None
        self.state = Agent.IDLE
        self._deadlines.drop(*OF_THE_REPLY)
        return heard
