"""The caller's side of the line: sounds, words and keys, and when a turn is over.

It decides whose turn it is, and holds, resumes or drops the agent's reply for it. What follows a
turn is for ``conversation`` to decide.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from services.call import effects as do
from services.call import events as on
from services.call.agent_side import Agent, AgentSide
from services.call.deadlines import OF_THE_TURN, Deadline, Deadlines
from services.call.effects import Effect, Purpose, Speaker, Turn
from services.call.endpointing import Endpointing, Silence, alike
from services.call.interruptions import Interruptions
from services.call.timings import Timings
from services.call.turn import CallerTurn
from services.call.words.readiness import Expectation

ECHO_S = 1.0
"""The agent's own voice comes back on the line no later than this."""


class Caller(Enum):
    QUIET = "quiet"
    SPEAKING = "speaking"
    PAUSED = "paused"


class CallerSide:
    """The machine of the caller. ``cancel_reply`` is called when the caller takes the turn from the
    agent; ``turn_over`` with the words of a turn that has ended, if there are any for an answer,
    and whether the agent must speak in any case."""

    def __init__(
        self,
        timings: Timings,
        endpointing: Endpointing,
        agent: AgentSide,
        deadlines: Deadlines,
        effects: list[Effect],
        history: list[Turn],
        cancel_reply: Callable[[float], None],
        turn_over: Callable[[str, bool, float], None],
    ) -> None:
        """The lists and the deadlines are those of the whole conversation."""
        self.state = Caller.QUIET
        self.turn = CallerTurn()
        self.spoke_until = 0.0
        """When the last voiced frame came in, or the last key."""
        self._timings = timings
        self._endpointing = endpointing
        self._agent = agent
        self._deadlines = deadlines
        self._effects = effects
        self._history = history
        self._cancel_reply = cancel_reply
        self._turn_over = turn_over
        self._utterance = self._stopped = 0
        self._silence: Silence | None = None
        self._may_be_echo = False
        self._agent_spoke_until = -ECHO_S
        self._over_agent = Interruptions(timings, endpointing, agent)
        self._doubted = 0
        self._eager_left = timings.eager_replies

    def agent_said(self, heard: str, asked: Expectation | None, now: float) -> None:
        """The agent was heard to say this."""
        if heard:
            self._endpointing.agent_said(heard, asked)
            self._agent_spoke_until = now

    def line_is_free(self, now: float) -> None:
        """The agent has ended: a sound that goes on is no echo of it."""
        if self._doubted > self._stopped:
            self._doubted = 0
            self._caller_speaks(now, 0.0)

    def settle(self) -> None:
        """The call ends: what was said so far is the last turn, and nobody answers it."""
        self.turn.settle()
        if text := self.turn.text:
            self._commit(text, "the call ends")
        self.state = Caller.QUIET

    def speech_started(self, event: on.SpeechStarted, now: float) -> None:
        pause_ms = (now - self.spoke_until) * 1000 - event.voiced_ms
        self._utterance, self._doubted = event.utterance, 0
        if self.state is Caller.PAUSED:
            self._endpointing.went_on(pause_ms)
        elif self.state is Caller.QUIET:
            is_close = now - self._agent_spoke_until < ECHO_S
            self._may_be_echo = is_close or self._agent.state in {Agent.SPEAKING, Agent.HELD}
            if self._over_agent.is_doubtful(now):
                self._doubted = event.utterance
                return
        self._caller_speaks(now, pause_ms)

    def _caller_speaks(self, now: float, pause_ms: float) -> None:
        """A sound that is taken for the caller."""
        self.state = Caller.SPEAKING
        self._silence = None
        self._deadlines.drop(Deadline.ENDPOINT, Deadline.TRANSCRIPT, Deadline.RESUME)
        self._deadlines.arm_once(Deadline.TURN, now, self._timings.max_turn_ms)
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

    def guard_over(self, now: float) -> None:
        """What may not be interrupted was said; what follows may be."""
        if until := self._agent.guarded_until(now):  # more of it has come, or it is played late
            self._deadlines[Deadline.GUARD] = until
            return
        if self.state is Caller.PAUSED and not self.turn.awaits_words:
            self._words_arrived(now)
            if self._agent.state is Agent.SPEAKING:  # they were nothing
                self._end_turn(now, "")
        elif self.state is not Caller.QUIET:
            self._agent.hold(now)
            if self.state is Caller.PAUSED:
                self._deadlines.arm(Deadline.RESUME, now, self._timings.resume_ms)

    def speech_stopped(self, event: on.SpeechStopped, now: float) -> None:
        self._stopped = event.utterance
        if self._doubted == event.utterance:
            self.spoke_until = now - event.silence_ms / 1000
        if self.state is Caller.QUIET:  # the turn was ended amid the utterance
            self.turn.stopped(event.utterance)
            self.turn.stop_waiting()
        if self.state is not Caller.SPEAKING:
            return
        self.turn.stopped(event.utterance)
        self.spoke_until = now - event.silence_ms / 1000
        self.state = Caller.PAUSED
        self._await_end(now)
        if self._agent.is_held:
            self._deadlines.arm(Deadline.RESUME, now, self._timings.resume_ms)
        elif not self.turn.awaits_words:
            self._think_ahead(now)

    def _await_end(self, now: float) -> None:
        """So much silence ends the turn, by what was said so far."""
        silence = self._endpointing.silence(self.turn.text_so_far)
        if silence != self._silence:
            self._silence = silence
            self._effects.append(do.AwaitEnd(silence.ms, silence.reason))
        self._deadlines[Deadline.ENDPOINT] = self.spoke_until + silence.ms / 1000

    def _think_ahead(self, now: float) -> None:
        """The words are there, and the turn may be over: begin an answer that nobody hears yet, or
        at least prepare one."""
        text = self.turn.text
        if self._agent.is_eager and not alike(self._agent.live.answers, text):
            self._agent.drop_eager()
        if self._agent.reply is not None or not text or Deadline.DIGITS in self._deadlines:
            return
        self._is_echo(text)  # worked out now, when nobody waits for it, and remembered
        if self._eager_left and self._silence and not self._silence.is_open:
            self._eager_left -= 1
            self._agent.start_eagerly(text)
        else:
            self._effects.append(do.PrepareReply())

    def _is_echo(self, text: str) -> bool:
        may_be = self._may_be_echo and self.turn.is_only_spoken
        return may_be and self._endpointing.is_echo(text, echoes=self._over_agent.line_echoes)

    def transcript_interim(self, event: on.TranscriptInterim, now: float) -> None:
        is_ours = self.turn.interim(event.first, event.last, event.text)
        if is_ours and self._doubted == event.last:
            self._believe(event.text, now)
        elif is_ours and self._interrupts(event.text, now):
            self._cancel_reply(now)

    def _believe(self, text: str, now: float) -> None:
        """The sound that was doubted has words: the caller's, or the agent's own?"""
        if self._over_agent.is_believed(text):
            self._doubted = 0
            self._caller_speaks(now, 0.0)
            if self._interrupts(text, now):
                self._cancel_reply(now)

    def _interrupts(self, text: str, now: float) -> bool:
        """Whether words that are perhaps not all take the turn from a held reply."""
        is_held = self._agent.is_held
        return is_held and self._over_agent.take_the_turn(text, now, is_all=False)

    def transcript_final(self, event: on.TranscriptFinal, now: float) -> None:
        if not self.turn.final(event.first, event.last, event.text):
            return
        if self._doubted == event.last:
            self._believe(event.text, now)
            if self.state is Caller.SPEAKING and self._stopped >= event.last:
                self.state = Caller.PAUSED
            self._doubted = 0
        self._words_arrived(now)

    def turn_ended(self, event: on.TurnEnded, now: float) -> None:
        """The recogniser heard the end before our silence was long enough."""
        ours = Deadline.ENDPOINT in self._deadlines and self.turn.is_open(event.last)
        lacks_end = self._silence is not None and self._silence.is_open
        if ours and not lacks_end and not self.turn.awaits_words:
            self._deadlines.drop(Deadline.ENDPOINT)
            self._end_turn(now, "the recogniser says so")

    def turn_may_end(self, event: on.TurnMayEnd, now: float) -> None:
        """The recogniser expects the end, perhaps before our own detector has heard the pause."""
        text = self.turn.text_so_far or event.text.strip()
        lacks_end = not text or self._endpointing.silence(text).is_open
        free = self.state is not Caller.QUIET and self._agent.reply is None
        if free and self._eager_left and self.turn.is_open(event.last) and not lacks_end:
            self._eager_left -= 1
            self._agent.start_eagerly(text)

    def turn_goes_on(self, event: on.TurnGoesOn, now: float) -> None:
        """It was mistaken."""
        if self._agent.is_eager:
            self._agent.drop_eager()

    def transcript_failed(self, event: on.TranscriptFailed, now: float) -> None:
        if self.turn.failed(event.last):
            self.turn.took_the_floor = True
            self._words_arrived(now)

    def _words_arrived(self, now: float) -> None:
        """The turn's text has changed: does it take the turn, end it, or was it nothing?"""
        if self._over_agent.take_the_turn(self.turn.text, now):
            self._cancel_reply(now)
        if self.state is Caller.SPEAKING or self.turn.awaits_words:
            return
        self._deadlines.drop(Deadline.TRANSCRIPT)
        if self._agent.is_held:
            self._end_turn(now, "")
        elif self.state is Caller.PAUSED:
            self._await_end(now)
            if self._deadlines[Deadline.ENDPOINT] > now:
                self._think_ahead(now)
            else:
                self._deadlines.drop(Deadline.ENDPOINT)
                self.endpoint_passed(now)
        elif not {Deadline.ENDPOINT, Deadline.DIGITS} & self._deadlines.keys():
            self._end_turn(now, "words came late")

    def digit_pressed(self, event: on.DigitPressed, now: float) -> None:
        ends_entry = event.digit == "#"
        if ends_entry and not self.turn.digits:
            return
        if not self._agent.guarded_until(now):
            self._cancel_reply(now)
        self.spoke_until = now
        self._deadlines.drop(Deadline.IDLE)
        if ends_entry:
            self._deadlines.drop(Deadline.DIGITS)
            self.digits_entered(now)
        else:
            self.turn.digit(event.digit)
            self._deadlines.arm(Deadline.DIGITS, now, self._timings.digit_pause_ms)

    def typed(self, event: on.CallerTyped, now: float) -> None:
        if event.text.strip():
            if not self._agent.guarded_until(now):
                self._cancel_reply(now)
            self.spoke_until = now
            self.turn.typed(event.text.strip())
            self._end_turn(now, "typed")

    def endpoint_passed(self, now: float) -> None:
        if self.turn.awaits_words:
            self._deadlines.arm(Deadline.TRANSCRIPT, now, self._timings.transcript_wait_ms)
        elif Deadline.DIGITS not in self._deadlines:
            self._end_turn(now, self._silence.reason if self._silence else "silence")

    def transcript_missing(self, now: float) -> None:
        self.turn.stop_waiting()
        self.turn.took_the_floor = True
        if Deadline.DIGITS not in self._deadlines:
            self._end_turn(now, "the words do not come")

    def turn_too_long(self, now: float) -> None:
        """A line that is never quiet: answer what was made out of it, or ask for it again."""
        self.state = Caller.QUIET
        self.turn.settle()
        self.turn.took_the_floor = True
        self._end_turn(now, "too long")

    def digits_entered(self, now: float) -> None:
        waits_for = {Deadline.ENDPOINT, Deadline.TRANSCRIPT} & self._deadlines.keys()
        if self.state is not Caller.SPEAKING and not waits_for:
            self._end_turn(now, "keyed in")

    def resume_due(self, now: float) -> None:
        self._end_turn(now, "the agent has waited long enough")

    def _end_turn(self, now: float, why: str) -> None:
        """The caller's turn is over: answer its words, or go on as if it had not been."""
        until = self._agent.guarded_until(now)
        if until and self.turn.text:
            self._deadlines[Deadline.ENDPOINT] = until
            return
        if self._over_agent.take_the_turn(self.turn.text, now):
            self._cancel_reply(now)
        text = self.turn.text if self._agent.reply is None or self._agent.is_eager else ""
        why_not = "nothing that takes the turn" if self.turn.text else "no words"
        self._over_agent.learn(self.turn.text, now)
        if self._is_echo(text):
            text, why_not = "", "the agent's own words"
        if self._agent.is_eager and not (text and alike(self._agent.live.answers, text)):
            self._agent.drop_eager()
        must_speak = self.turn.took_the_floor
        self._commit(text, why if text else why_not)
        self._turn_over(text, must_speak, now)

    def _commit(self, text: str, why: str) -> None:
        """Close the turn. An utterance that goes on, as while typing, is of the next one."""
        if text:
            self._history.append(Turn(Speaker.CALLER, text))
        self._effects.append(do.CommitTurn(text, why))
        goes_on = self._utterance > self._stopped
        self.turn.close(self._utterance - 1 if goes_on else self._utterance)
        self._deadlines.drop(*OF_THE_TURN)
        self._eager_left = self._timings.eager_replies
        self.state = Caller.QUIET
