"""The conversation: who speaks, who may, and what follows. Theory of operation in ``__init__``."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, get_args

from services.call import effects as do
from services.call import events as on
from services.call.agent_side import Agent, AgentSide
from services.call.briefing import Briefing
from services.call.deadlines import OF_THE_TURN, Deadline, Deadlines
from services.call.effects import Effect, Purpose, Speaker, Turn
from services.call.endpointing import Endpointing, Silence, alike, fill_at
from services.call.events import AfterReply, Event
from services.call.timings import Timings
from services.call.turn import CallerTurn
from services.call.words.readiness import Expectation
from services.call.words.speech_acts import OverAgent

MAX_FAILURES = 3
"""Replies in a row that may fail, or turns in a row that may stay without words; then the call is
ended: nobody is kept in a broken call."""


ECHO_S = 1.0
"""The agent's own voice comes back on the line no later than this."""


class Phase(Enum):
    WAITING = "waiting"
    LIVE = "live"
    CLOSING = "closing"  # the time limit's goodbye: nothing interrupts it
    ENDED = "ended"


class Caller(Enum):
    QUIET = "quiet"
    SPEAKING = "speaking"
    PAUSED = "paused"


_FACTS = frozenset({on.CallerHungUp, on.MessageTaken})
_OF_A_REPLY = frozenset(get_args(on.ReplyEvent))
_HEARD_WHILE_CLOSING = frozenset({on.MarkPlayed, on.DeadlinePassed})
_ASKS_FOR_WORDS = (Purpose.REPAIR, Purpose.APOLOGY, Purpose.IDLE_PROMPT, Purpose.IDLE_GOODBYE)
"""Lines over which even a "yes" is an answer: they ask for any sign of the caller."""


class Conversation:
    """One call. Feed it every event with the time; perform the effects in order; wake it with
    ``DeadlinePassed`` when ``deadline`` has come. ``now`` is in seconds and never goes back."""

    def __init__(self, timings: Timings, briefing: Briefing | None = None) -> None:
        self.timings = timings
        self.phase = Phase.WAITING
        self.caller = Caller.QUIET
        self.history: list[Turn] = []
        self._turn = CallerTurn()
        self._utterance = 0
        self._spoke_until = 0.0
        self._silence: Silence | None = None
        self._may_be_echo = False
        self._agent_spoke_until = -ECHO_S
        self._eager_left = timings.eager_replies
        self._wants_time = False
        self._failures = 0
        self._wordless = 0
        self._prompts = 0
        self._deadlines = Deadlines()
        self._effects: list[Effect] = []
        self._agent = AgentSide(timings, self._deadlines, self._effects, self.history)
        self._endpointing = Endpointing(timings, briefing or Briefing())

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
        return self._turn.text

    @property
    def turns_so_far(self) -> tuple[Turn, ...]:
        """What a reply would have to answer if the caller's turn ended now."""
        return (*self.history, Turn(Speaker.CALLER, self._turn.text))

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
            return True  # a fact to keep, whatever became of the reply that brought it
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
            self._deadlines[Deadline.LIMIT] = now + self.timings.max_call_s
            self._start_reply(Purpose.GREETING, now)

    def _caller_hung_up(self, event: on.CallerHungUp, now: float) -> None:
        self._stop(now, Phase.ENDED)

    def _limit_reached(self, now: float) -> None:
        self._stop(now, Phase.CLOSING)
        self._start_reply(Purpose.TIME_LIMIT, now)

    def _stop(self, now: float, phase: Phase) -> None:
        """No more turns. What the caller has said of one so far was said all the same."""
        self._cancel_reply(now, by_caller=False)
        self.phase = phase
        self._deadlines.clear()
        self._keep_last_words()

    def _keep_last_words(self) -> None:
        """Nobody answers them any more."""
        self._turn.settle()
        if text := self._turn.text:
            self._commit(text, "the call ends")
        self.caller = Caller.QUIET

    def _hang_up(self, reason: str) -> None:
        self.phase = Phase.CLOSING
        self._keep_last_words()
        self._effects.append(do.HangUp(reason))
        self.phase = Phase.ENDED
        self._deadlines.clear()

    def _message_taken(self, event: on.MessageTaken, now: float) -> None:
        self._effects.append(
            do.KeepMessage(event.name, event.number, event.message, event.complete)
        )

    # --- the caller -------------------------------------------------------------------------------

    def _speech_started(self, event: on.SpeechStarted, now: float) -> None:
        pause_ms = (now - self._spoke_until) * 1000 - event.voiced_ms
        if self.caller is Caller.PAUSED:
            self._endpointing.went_on(pause_ms)
        elif self.caller is Caller.QUIET:
            is_close = now - self._agent_spoke_until < ECHO_S
            self._may_be_echo = is_close or self._agent.state in {Agent.SPEAKING, Agent.HELD}
        self.caller = Caller.SPEAKING
        self._utterance = event.utterance
        self._silence = None
        self._deadlines.drop(Deadline.ENDPOINT, Deadline.TRANSCRIPT, Deadline.RESUME)
        self._deadlines.arm_once(Deadline.TURN, now, self.timings.max_turn_ms)
        reply = self._agent.reply
        if reply is None or self._agent.is_held:
            return
        waiting_for_answer = reply.purpose is Purpose.ANSWER and reply.playback.is_empty
        if self._agent.is_eager:
            self._agent.drop_eager()
        elif waiting_for_answer:  # the caller was not finished
            self._endpointing.went_on(pause_ms, cut_off=True)
            self._cancel_reply(now)
        elif until := self._agent.guarded_until(now):
            self._deadlines[Deadline.GUARD] = until
        else:
            self._agent.hold(now)

    def _guard_over(self, now: float) -> None:
        """What may not be interrupted was said; what follows may be."""
        if self.caller is Caller.PAUSED and not self._turn.awaits_words:
            self._words_arrived(now)
        elif self.caller is not Caller.QUIET:
            self._agent.hold(now)
            if self.caller is Caller.PAUSED:
                self._deadlines.arm(Deadline.RESUME, now, self.timings.resume_ms)

    def _speech_stopped(self, event: on.SpeechStopped, now: float) -> None:
        if self.caller is not Caller.SPEAKING:
            return
        self._turn.stopped(event.utterance)
        self._spoke_until = now - event.silence_ms / 1000
        self.caller = Caller.PAUSED
        self._await_end(now)
        if self._agent.is_held:
            self._deadlines.arm(Deadline.RESUME, now, self.timings.resume_ms)
        elif not self._turn.awaits_words:
            self._think_ahead(now)

    def _await_end(self, now: float) -> None:
        """So much silence ends the turn, by what was said so far."""
        silence = self._endpointing.silence(self._turn.text_so_far)
        if silence != self._silence:
            self._silence = silence
            self._effects.append(do.AwaitEnd(silence.ms, silence.reason))
        self._deadlines[Deadline.ENDPOINT] = self._spoke_until + silence.ms / 1000

    def _think_ahead(self, now: float) -> None:
        """The words are there, and the turn may be over: begin an answer that nobody hears yet, or
        at least prepare one."""
        text = self._turn.text
        if self._agent.is_eager and not alike(self._agent.live.answers, text):
            self._agent.drop_eager()
        if self._agent.reply is not None or not text or Deadline.DIGITS in self._deadlines:
            return
        if self._eager_left and self._silence and not self._silence.is_open:
            self._eager_left -= 1
            self._agent.start_eagerly(text)
        else:
            self._effects.append(do.PrepareReply())

    def _transcript_interim(self, event: on.TranscriptInterim, now: float) -> None:
        is_ours = self._turn.interim(event.first, event.last, event.text)
        if is_ours and self._agent.is_held and self._takes_the_turn(event.text, now):
            self._cancel_reply(now)

    def _transcript_final(self, event: on.TranscriptFinal, now: float) -> None:
        if self._turn.final(event.first, event.last, event.text):
            self._words_arrived(now)

    def _turn_ended(self, event: on.TurnEnded, now: float) -> None:
        """The recogniser heard the end before our silence was long enough."""
        ours = Deadline.ENDPOINT in self._deadlines and self._turn.is_open(event.last)
        lacks_end = self._silence is not None and self._silence.is_open
        if ours and not lacks_end and not self._turn.awaits_words:
            self._deadlines.drop(Deadline.ENDPOINT)
            self._end_turn(now, "the recogniser says so")

    def _turn_may_end(self, event: on.TurnMayEnd, now: float) -> None:
        """The recogniser expects the end."""
        is_open = self._turn.is_open(event.last) and self._endpointing.silence(event.text).is_open
        free = self.caller is Caller.PAUSED and self._agent.reply is None
        if free and self._eager_left and event.text.strip() and not is_open:
            self._eager_left -= 1
            self._agent.start_eagerly(event.text.strip())

    def _turn_goes_on(self, event: on.TurnGoesOn, now: float) -> None:
        """It was mistaken."""
        if self._agent.is_eager:
            self._agent.drop_eager()

    def _transcript_failed(self, event: on.TranscriptFailed, now: float) -> None:
        if self._turn.failed(event.last):
            self._turn.took_the_floor = True
            self._words_arrived(now)

    def _words_arrived(self, now: float) -> None:
        """The turn's text has changed: does it take the turn, end it, or was it nothing?"""
        if self._takes_the_turn(self._turn.text, now):
            self._cancel_reply(now)
        if self.caller is Caller.SPEAKING or self._turn.awaits_words:
            return
        self._deadlines.drop(Deadline.TRANSCRIPT)
        if self._agent.is_held:
            self._end_turn(now, "")
        elif self.caller is Caller.PAUSED:
            self._await_end(now)
            if self._deadlines[Deadline.ENDPOINT] > now:
                self._think_ahead(now)
            else:
                self._deadlines.drop(Deadline.ENDPOINT)
                self._endpoint_passed(now)
        elif not {Deadline.ENDPOINT, Deadline.DIGITS} & self._deadlines.keys():
            self._end_turn(now, "words came late")

    def _takes_the_turn(self, text: str, now: float) -> bool:
        """Whether these words, said over the live reply, take the turn from it."""
        reply = self._agent.reply
        if reply is None or self._agent.is_eager or self._agent.guarded_until(now):
            return False
        act = self._endpointing.over_agent(text, reply.playback.begun_text()).act
        if act is not OverAgent.BACKCHANNEL:
            return act is not OverAgent.NOTHING
        is_answer = reply.playback.unheard_ms <= self.timings.barge_in_tail_ms
        return is_answer or reply.purpose in _ASKS_FOR_WORDS

    def _digit_pressed(self, event: on.DigitPressed, now: float) -> None:
        ends_entry = event.digit == "#"
        if ends_entry and not self._turn.digits:
            return
        if not self._agent.guarded_until(now):
            self._cancel_reply(now)
        self._spoke_until = now
        self._deadlines.drop(Deadline.IDLE)
        if ends_entry:
            self._deadlines.drop(Deadline.DIGITS)
            self._digits_entered(now)
        else:
            self._turn.digit(event.digit)
            self._deadlines.arm(Deadline.DIGITS, now, self.timings.digit_pause_ms)

    def _caller_typed(self, event: on.CallerTyped, now: float) -> None:
        if event.text.strip():
            if not self._agent.guarded_until(now):
                self._cancel_reply(now)
            self._spoke_until = now
            self._turn.typed(event.text.strip())
            self._end_turn(now, "typed")

    def _endpoint_passed(self, now: float) -> None:
        if self._turn.awaits_words:
            self._deadlines.arm(Deadline.TRANSCRIPT, now, self.timings.transcript_wait_ms)
        elif Deadline.DIGITS not in self._deadlines:
            self._end_turn(now, self._silence.reason if self._silence else "silence")

    def _transcript_missing(self, now: float) -> None:
        self._turn.stop_waiting()
        self._turn.took_the_floor = True
        if Deadline.DIGITS not in self._deadlines:
            self._end_turn(now, "the words do not come")

    def _turn_too_long(self, now: float) -> None:
        """A line that is never quiet: answer what was made out of it, or ask for it again."""
        self.caller = Caller.QUIET
        self._turn.settle()
        self._turn.took_the_floor = True
        self._end_turn(now, "too long")

    def _digits_entered(self, now: float) -> None:
        waits_for = {Deadline.ENDPOINT, Deadline.TRANSCRIPT} & self._deadlines.keys()
        if self.caller is not Caller.SPEAKING and not waits_for:
            self._end_turn(now, "keyed in")

    def _resume_due(self, now: float) -> None:
        self._end_turn(now, "the agent has waited long enough")

    def _end_turn(self, now: float, why: str) -> None:
        """The caller's turn is over: answer its words, or go on as if it had not been."""
        until = self._agent.guarded_until(now)
        if until and self._turn.text:
            self._deadlines[Deadline.ENDPOINT] = until
            return
        if self._takes_the_turn(self._turn.text, now):
            self._cancel_reply(now)
        text = self._turn.text if self._agent.reply is None or self._agent.is_eager else ""
        why_not = "nothing that takes the turn" if self._turn.text else "no words"
        if self._may_be_echo and self._endpointing.is_echo(text):
            text, why_not = "", "the agent's own words"
        if self._agent.is_eager and not (text and alike(self._agent.live.answers, text)):
            self._agent.drop_eager()
        must_speak = self._turn.took_the_floor
        self._commit(text, why if text else why_not)
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

    def _commit(self, text: str, why: str) -> None:
        """Close the turn. An utterance that goes on while the turn was typed is of the next one."""
        if text:
            self.history.append(Turn(Speaker.CALLER, text))
        self._effects.append(do.CommitTurn(text, why))
        goes_on = self.caller is Caller.SPEAKING
        self._turn.close(self._utterance - 1 if goes_on else self._utterance)
        self._deadlines.drop(*OF_THE_TURN)
        self._eager_left = self.timings.eager_replies
        self.caller = Caller.QUIET

    # --- the agent --------------------------------------------------------------------------------

    def _start_reply(self, purpose: Purpose, now: float) -> None:
        self._agent.start(purpose, now)

    def _answer(self, now: float) -> None:
        """Begin the answer, or go on with the one that was begun eagerly."""
        was_eager = self._agent.is_eager
        if not was_eager:
            self._start_reply(Purpose.ANSWER, now)
        if not self._agent.live.has_audio:
            self._deadlines[Deadline.FILL] = fill_at(now, self._spoke_until, self.timings)
        if was_eager and self._agent.commit(now):
            self._reply_over(now)

    def _audio_produced(self, event: on.AudioProduced, now: float) -> None:
        if self._agent.produced(event, now):
            self._reply_over(now)

    def _answer_expected(self, event: on.AnswerExpected, now: float) -> None:
        self._agent.live.asks = event.what

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
        self._said(self._agent.settle(), reply.asks, now)
        if reply.then is AfterReply.APOLOGISE and self.caller is not Caller.QUIET:
            self._turn.took_the_floor = True  # the caller speaks already; an answer comes
        elif reply.then is AfterReply.APOLOGISE:
            self._apologise(now)
        elif reply.purpose is Purpose.TIME_LIMIT:
            self._hang_up("time_limit")
        elif reply.purpose is Purpose.IDLE_GOODBYE:
            self._hang_up("idle")
        elif reply.then is AfterReply.HANG_UP:
            self._hang_up("goodbye")
        else:
            self._failures = 0 if reply.purpose is Purpose.ANSWER else self._failures
            self._listen(now)

    def _apologise(self, now: float) -> None:
        self._failures += 1
        if self.phase is Phase.CLOSING:
            self._hang_up("time_limit")
        elif self._failures >= MAX_FAILURES:
            self._hang_up("failed")
        else:
            self._start_reply(Purpose.APOLOGY, now)

    def _said(self, heard: str, asked: Expectation | None, now: float) -> None:
        """The agent was heard to say this."""
        if heard:
            self._endpointing.agent_said(heard, asked)
            self._agent_spoke_until = now

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
        self._cancel_reply(now, by_caller=False)
        self._apologise(now)

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
        self._said(heard, None, now)
        if by_caller:
            self._turn.took_the_floor = True
            if reply.purpose is Purpose.ANSWER and not heard:
                self._turn.reopen(self.history.pop().text)

    # --- time -------------------------------------------------------------------------------------

    def _deadline_passed(self, event: on.DeadlinePassed, now: float) -> None:
        """Fire what is due, one after the other: one may call off the next."""
        while deadline := self._deadlines.pop_due(now):
            _ALARMS[deadline](self, now)


def _only_noted(conversation: Conversation, event: Event, now: float) -> None:
    """A fact for the journal."""


_HANDLERS: dict[type, Callable[[Conversation, Any, float], None]] = {
    on.CallStarted: Conversation._call_started,
    on.CallerHungUp: Conversation._caller_hung_up,
    on.DigitPressed: Conversation._digit_pressed,
    on.MarkPlayed: Conversation._mark_played,
    on.AudioSent: _only_noted,
    on.SpeechStarted: Conversation._speech_started,
    on.SpeechStopped: Conversation._speech_stopped,
    on.TranscriptInterim: Conversation._transcript_interim,
    on.TranscriptFinal: Conversation._transcript_final,
    on.TranscriptFailed: Conversation._transcript_failed,
    on.TurnEnded: Conversation._turn_ended,
    on.TurnMayEnd: Conversation._turn_may_end,
    on.TurnGoesOn: Conversation._turn_goes_on,
    on.VendorStep: _only_noted,
    on.VendorFailed: _only_noted,
    on.CallerTyped: Conversation._caller_typed,
    on.TokenProduced: _only_noted,
    on.AudioProduced: Conversation._audio_produced,
    on.AnswerExpected: Conversation._answer_expected,
    on.FillerReady: Conversation._filler_ready,
    on.MessageTaken: Conversation._message_taken,
    on.ReplyFinished: Conversation._reply_finished,
    on.ReplyFailed: Conversation._reply_failed,
    on.DeadlinePassed: Conversation._deadline_passed,
}

_ALARMS: dict[Deadline, Callable[[Conversation, float], None]] = {
    Deadline.LIMIT: Conversation._limit_reached,
    Deadline.ENDPOINT: Conversation._endpoint_passed,
    Deadline.TRANSCRIPT: Conversation._transcript_missing,
    Deadline.TURN: Conversation._turn_too_long,
    Deadline.DIGITS: Conversation._digits_entered,
    Deadline.GUARD: Conversation._guard_over,
    Deadline.RESUME: Conversation._resume_due,
    Deadline.HOLD: Conversation._cancel_reply,
    Deadline.FILL: Conversation._answer_is_late,
    Deadline.GIVE_UP: Conversation._answer_is_missing,
    Deadline.PLAYED: Conversation._marks_missing,
    Deadline.IDLE: Conversation._nobody_speaks,
}
