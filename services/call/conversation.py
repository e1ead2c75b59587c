"""The conversation: the call, the replies, and what follows what. Theory in ``__init__``."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, get_args

from services.call import effects as do
from services.call import events as on
from services.call.agent_side import Agent, AgentSide
from services.call.briefing import Briefing
from services.call.caller_side import Caller, CallerSide
from services.call.deadlines import Deadline, Deadlines
from services.call.effects import Effect, Purpose, Speaker, Turn
from services.call.endpointing import Endpointing, fill_at
from services.call.events import AfterReply, Event
from services.call.timings import Timings

__all__ = ["Agent", "Caller", "Conversation", "Phase"]

MAX_FAILURES = 3
"""Replies in a row that may fail, or turns in a row that may stay without words; then the call is
ended: nobody is kept in a broken call."""


class Phase(Enum):
    WAITING = "waiting"
    LIVE = "live"
    CLOSING = "closing"  # the last words are said: nothing interrupts them
    ENDED = "ended"


_FACTS = frozenset({on.CallerHungUp, on.HangUpOrdered, on.ToolStarted, on.ToolUsed})
_OF_A_REPLY = frozenset(get_args(on.ReplyEvent))
_HEARD_WHILE_CLOSING = frozenset({on.MarkPlayed, on.DeadlinePassed, on.TransferOrdered})
_LAST_WORDS = {
    Purpose.TIME_LIMIT: "time_limit",
    Purpose.IDLE_GOODBYE: "idle",
    Purpose.TRANSFER: "transfer",
    Purpose.VOICEMAIL: "voicemail",
}
"""Lines with which a call ends, and the reason that is given for its end."""


class Conversation:
    """One call. Feed it every event with the time; perform the effects in order; wake it with
    ``DeadlinePassed`` when ``deadline`` has come. ``now`` is in seconds and never goes back."""

    def __init__(self, timings: Timings, briefing: Briefing | None = None) -> None:
        self.timings = timings
        self.phase = Phase.WAITING
        self.history: list[Turn] = []
        self._wants_time = False
        self._failures = 0
        self._wordless = 0
        self._prompts = 0
        self._deadlines = Deadlines()
        self._effects: list[Effect] = []
        self._endpointing = Endpointing(timings, briefing or Briefing())
        self._agent = AgentSide(timings, self._deadlines, self._effects, self.history)
        self._caller = CallerSide(
            timings,
            self._endpointing,
            self._agent,
            self._deadlines,
            self._effects,
            self.history,
            self._cancel_reply,
            self._turn_over,
        )

    @property
    def caller(self) -> Caller:
        """What the caller is doing."""
        return self._caller.state

    @property
    def agent(self) -> Agent:
        """What the agent is doing."""
        return self._agent.state

    @property
    def deadline(self) -> float | None:
        """When to send ``DeadlinePassed``, or None."""
        return self._deadlines.next

    @property
    def words_so_far(self) -> str:
        """The caller's turn in the making."""
        return self._caller.turn.text

    @property
    def turns_so_far(self) -> tuple[Turn, ...]:
        """What a reply would have to answer if the caller's turn ended now."""
        return (*self.history, Turn(Speaker.CALLER, self._caller.turn.text))

    @property
    def ended(self) -> bool:
        return self.phase is Phase.ENDED

    def handle(self, event: Event, now: float) -> list[Effect]:
        """Take note of ``event`` and say what to do. Events that come too late do nothing."""
        if self._is_welcome(event):
            _HANDLERS[type(event)](self, event, now)
        effects = self._effects.copy()
        self._effects.clear()
        return effects

    def _is_welcome(self, event: Event) -> bool:
        """The door: what concerns a reply or a call that is no longer live stays outside."""
        if self.phase is Phase.ENDED:
            return False
        kind = type(event)
        if kind in _FACTS:
            return True  # whatever became of the reply that brought it
        if self.phase is Phase.WAITING:
            return kind is on.CallStarted
        if kind in _OF_A_REPLY:
            reply, number = self._agent.reply, event.reply  # type: ignore[union-attr]
            return reply is not None and number == reply.number and reply.then is None
        return self.phase is Phase.LIVE or kind in _HEARD_WHILE_CLOSING

    # --- the call ---------------------------------------------------------------------------------

    def _call_started(self, event: on.CallStarted, now: float) -> None:
        if self.phase is Phase.WAITING:
            self.phase = Phase.LIVE
            self.history += event.earlier
            self._deadlines[Deadline.LIMIT] = now + self.timings.max_call_s
            self._start_reply(event.opening, now)

    def _caller_hung_up(self, event: on.CallerHungUp, now: float) -> None:
        self._stop(now, Phase.ENDED)

    def _limit_reached(self, now: float) -> None:
        self._close(Purpose.TIME_LIMIT, now)

    def _transfer_ordered(self, event: on.TransferOrdered, now: float) -> None:
        reply = self._agent.reply
        is_being_said = reply is not None and reply.purpose is Purpose.TRANSFER
        if self.phase is Phase.LIVE or not is_being_said:
            self._close(Purpose.TRANSFER, now)

    def _hang_up_ordered(self, event: on.HangUpOrdered, now: float) -> None:
        self._stop(now, Phase.CLOSING)
        self._hang_up("ordered")

    def _machine_answered(self, event: on.MachineAnswered, now: float) -> None:
        if event.message:
            self._close(Purpose.VOICEMAIL, now)
        else:
            self._stop(now, Phase.CLOSING)
            self._hang_up("machine")

    def _close(self, last_words: Purpose, now: float) -> None:
        """Say one more line, which nothing interrupts, and then hang up."""
        self._stop(now, Phase.CLOSING)
        self._start_reply(last_words, now)

    def _stop(self, now: float, phase: Phase) -> None:
        """No more turns. What the caller has said of one so far was said all the same."""
        self._cancel_reply(now, by_caller=False)
        self.phase = phase
        self._deadlines.clear()
        self._caller.settle()

    def _hang_up(self, reason: str) -> None:
        self.phase = Phase.CLOSING
        self._caller.settle()
        self._effects.append(do.HangUp(reason))
        self.phase = Phase.ENDED
        self._deadlines.clear()

    # --- the caller -------------------------------------------------------------------------------

    def _turn_over(self, text: str, must_speak: bool, now: float) -> None:
        """The caller's turn is over: answer its words, or go on as if it had not been."""
        if text:
            self._prompts = self._wordless = 0
            self._wants_time = self._endpointing.asks_for_time(text)
            self._answer(now)
        elif self._agent.is_held:
            if self._agent.resume(now):
                self._reply_over(now)
        elif self._agent.reply is None and must_speak:
            self._wordless += 1
            in_vain = self._wordless > MAX_FAILURES
            self._start_reply(Purpose.IDLE_GOODBYE if in_vain else Purpose.REPAIR, now)
        elif self._agent.reply is None and Deadline.IDLE not in self._deadlines:
            self._listen(now)

    # --- the agent --------------------------------------------------------------------------------

    def _start_reply(self, purpose: Purpose, now: float) -> None:
        self._agent.start(purpose, now)

    def _answer(self, now: float) -> None:
        """Begin the answer, or go on with the one that was begun eagerly."""
        was_eager = self._agent.is_eager
        if not was_eager:
            self._start_reply(Purpose.ANSWER, now)
        if not self._agent.live.has_audio:
            self._deadlines[Deadline.FILL] = fill_at(now, self._caller.spoke_until, self.timings)
        if was_eager and self._agent.commit(now):
            self._reply_over(now)

    def _audio_produced(self, event: on.AudioProduced, now: float) -> None:
        if self._agent.produced(event, now):
            self._reply_over(now)

    def _answer_expected(self, event: on.AnswerExpected, now: float) -> None:
        self._agent.live.asks = event.what

    def _tool_started(self, event: on.ToolStarted, now: float) -> None:
        self._agent.works(event.reply, now, tools=1)

    def _tool_used(self, event: on.ToolUsed, now: float) -> None:
        self._agent.works(event.reply, now, tools=-1)

    def _filler_ready(self, event: on.FillerReady, now: float) -> None:
        if self._agent.bridge(event.audio, now):
            self._reply_over(now)

    def _reply_finished(self, event: on.ReplyFinished, now: float) -> None:
        if self._agent.is_eager and not self._agent.live.has_audio:
            self._agent.drop_eager()  # once the turn is over, another may do better
        elif self._agent.finished(event.then, now):
            self._reply_over(now)

    def _reply_failed(self, event: on.ReplyFailed, now: float) -> None:
        if self._agent.is_eager:
            self._agent.drop_eager()
        elif self._agent.finished(AfterReply.APOLOGISE, now):
            self._reply_over(now)

    def _mark_played(self, event: on.MarkPlayed, now: float) -> None:
        if self._agent.mark_played(event, now):
            self._reply_over(now)

    def _marks_missing(self, now: float) -> None:
        if self._agent.marks_missing(now):
            self._reply_over(now)

    def _reply_over(self, now: float) -> None:
        """The last mark was played."""
        reply = self._agent.live
        self._caller.agent_said(self._agent.settle(), reply.asks, now)
        if self.phase is Phase.LIVE:
            self._caller.line_is_free(now)
        speaks = self.caller is not Caller.QUIET
        if reply.purpose is Purpose.IDLE_GOODBYE and speaks and self._prompts == 1:
            self._prompts += 1  # somebody is there after all; once, for it may be an echo
            return
        if reply.then is AfterReply.APOLOGISE and self.caller is not Caller.QUIET:
            self._caller.turn.took_the_floor = True  # the caller speaks already; an answer comes
        elif reply.then is AfterReply.APOLOGISE:
            self._apologise(reply.purpose, now)
        elif reason := _LAST_WORDS.get(reply.purpose):
            self._hang_up(reason)
        elif reply.then is AfterReply.HANG_UP:
            self._hang_up("goodbye")
        elif reply.then is AfterReply.TRANSFER:
            self._hang_up("transfer")
        else:
            self._failures = 0 if reply.purpose is Purpose.ANSWER else self._failures
            self._listen(now)

    def _apologise(self, failed: Purpose, now: float) -> None:
        """A reply with this purpose has failed."""
        self._failures += 1
        if self.phase is Phase.CLOSING:
            unsaid = failed is Purpose.VOICEMAIL  # without that line the call was in vain
            self._hang_up("failed" if unsaid else _LAST_WORDS[failed])
        elif self._failures >= MAX_FAILURES:
            self._hang_up("failed")
        else:
            self._start_reply(Purpose.APOLOGY, now)

    def _listen(self, now: float) -> None:
        idle_ms = self.timings.asked_idle_ms if self._wants_time else self.timings.idle_ms
        self._deadlines.arm(Deadline.IDLE, now, idle_ms)

    def _nobody_speaks(self, now: float) -> None:
        if self.caller is not Caller.QUIET:  # sound without words so far: look again soon
            self._deadlines.arm(Deadline.IDLE, now, 1000)
        elif self._prompts:
            self._start_reply(Purpose.IDLE_GOODBYE, now)
        else:
            self._prompts += 1
            self._start_reply(Purpose.IDLE_PROMPT, now)

    def _answer_is_late(self, now: float) -> None:
        self._effects.append(do.FillSilence(self._agent.live.number))

    def _answer_is_missing(self, now: float) -> None:
        failed = self._agent.live.purpose
        self._cancel_reply(now, by_caller=False)
        self._apologise(failed, now)

    def _cancel_reply(self, now: float, *, by_caller: bool = True) -> None:
        """The live reply, if there is one, is over here and now; only what was heard remains.

        A caller who cuts it off has the floor; and if nothing of an answer was heard, the turn
        that it was to answer is open again.
        """
        reply = self._agent.reply
        if reply is None:
            return
        if self._agent.is_eager:
            self._agent.drop_eager()
            return
        heard = self._agent.cancel(now)
        self._caller.agent_said(heard, None, now)
        if by_caller:
            self._caller.turn.took_the_floor = True
            if reply.purpose is Purpose.ANSWER and not heard:
                self._caller.turn.reopen(self.history.pop().text)

    # --- time -------------------------------------------------------------------------------------

    def _deadline_passed(self, event: on.DeadlinePassed, now: float) -> None:
        """Fire what is due, one after the other: one may call off the next."""
        while deadline := self._deadlines.pop_due(now):
            _ALARMS[deadline](self, now)


_Handler = Callable[[Conversation, Any, float], None]
_Alarm = Callable[[Conversation, float], None]


def _only_noted(conversation: Conversation, event: Event, now: float) -> None:
    """A fact for the journal."""


def _by_caller(handler: Callable[[CallerSide, Any, float], None]) -> _Handler:
    return lambda call, event, now: handler(call._caller, event, now)


def _alarm_of_caller(alarm: Callable[[CallerSide, float], None]) -> _Alarm:
    return lambda call, now: alarm(call._caller, now)


_HANDLERS: dict[type, _Handler] = {
    on.CallStarted: Conversation._call_started,
    on.CallerHungUp: Conversation._caller_hung_up,
    on.MarkPlayed: Conversation._mark_played,
    on.AudioSent: _only_noted,
    on.SpeechStarted: _by_caller(CallerSide.speech_started),
    on.SpeechStopped: _by_caller(CallerSide.speech_stopped),
    on.TranscriptInterim: _by_caller(CallerSide.transcript_interim),
    on.TranscriptFinal: _by_caller(CallerSide.transcript_final),
    on.TranscriptFailed: _by_caller(CallerSide.transcript_failed),
    on.TurnEnded: _by_caller(CallerSide.turn_ended),
    on.TurnMayEnd: _by_caller(CallerSide.turn_may_end),
    on.TurnGoesOn: _by_caller(CallerSide.turn_goes_on),
    on.DigitPressed: _by_caller(CallerSide.digit_pressed),
    on.CallerTyped: _by_caller(CallerSide.typed),
    on.VendorStep: _only_noted,
    on.VendorFailed: _only_noted,
    on.TokenProduced: _only_noted,
    on.AudioProduced: Conversation._audio_produced,
    on.AnswerExpected: Conversation._answer_expected,
    on.FillerReady: Conversation._filler_ready,
    on.ToolStarted: Conversation._tool_started,
    on.ToolUsed: Conversation._tool_used,
    on.TransferOrdered: Conversation._transfer_ordered,
    on.HangUpOrdered: Conversation._hang_up_ordered,
    on.MachineAnswered: Conversation._machine_answered,
    on.ReplyFinished: Conversation._reply_finished,
    on.ReplyFailed: Conversation._reply_failed,
    on.DeadlinePassed: Conversation._deadline_passed,
}

_ALARMS: dict[Deadline, _Alarm] = {
    Deadline.LIMIT: Conversation._limit_reached,
    Deadline.ENDPOINT: _alarm_of_caller(CallerSide.endpoint_passed),
    Deadline.TRANSCRIPT: _alarm_of_caller(CallerSide.transcript_missing),
    Deadline.TURN: _alarm_of_caller(CallerSide.turn_too_long),
    Deadline.DIGITS: _alarm_of_caller(CallerSide.digits_entered),
    Deadline.GUARD: _alarm_of_caller(CallerSide.guard_over),
    Deadline.RESUME: _alarm_of_caller(CallerSide.resume_due),
    Deadline.HOLD: Conversation._cancel_reply,
    Deadline.FILL: Conversation._answer_is_late,
    Deadline.GIVE_UP: Conversation._answer_is_missing,
    Deadline.PLAYED: Conversation._marks_missing,
    Deadline.IDLE: Conversation._nobody_speaks,
}
