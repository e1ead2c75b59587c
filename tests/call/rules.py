"""The rules that hold at every step of every call, however strange: the invariants of the house."""

from __future__ import annotations

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller, Conversation, Phase
from services.call.deadlines import Deadline
from services.call.effects import Effect, Purpose, Speaker, Turn
from services.call.endpointing import alike
from services.call.events import AfterReply, Event
from tests.call.ledger import SLACK, Ledger

FRAME_BYTES = 160
RESUME_WITHIN_S = 1.0
MOST_ALARMS = 45
"""Deadlines in a row with nothing else happening: the longest turn is looked at once a second."""
EPSILON = 1e-6
MAY_CUT_LAST_WORDS = (on.CallerHungUp, on.HangUpOrdered, on.TransferOrdered, on.DeadlinePassed)
"""Orders and the end itself; a deadline, if there is no voice."""


class Rules:
    """Watches one conversation. ``before`` and ``after`` enclose each ``handle``."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.live: int | None = None
        self.spoke_on_from: int | None = None
        """The byte from which this event made a held reply speak on, if it did."""
        self._replies = 0
        self._next_byte: int | None = 0
        self._marks: set[str] = set()
        self._silent = False
        self._has_audio = False
        self._has_sent = False
        self._is_eager = self._was_guarded = False
        self._eager_for: str | None = None
        self._eager_begun = 0
        self._unnoticed: set[int] = set()
        self._just_committed = False
        self._alarms = 0
        self.ledger = Ledger()
        self._is_finished = False
        self._purpose: Purpose | None = None
        self._then: AfterReply | None = None
        self._began = self._was_closing = False
        self._over = False
        self._commits: list[str] = []
        self._agent_said: list[str] = []
        self._was_held = False
        self._caller_was = conversation.caller
        self._paused_at: float | None = None
        self._turn_began: float | None = None
        self._now = 0.0

    def before(self, event: Event) -> None:
        call = self._conversation
        if isinstance(event, on.CallStarted) and not self._began and not self._over:
            self._began = True
            agent = (turn for turn in event.earlier if turn.speaker is Speaker.AGENT)
            self._agent_said += [turn.text for turn in agent]
        self._was_closing = call.phase is Phase.CLOSING
        self._was_held = call.agent is Agent.HELD
        self._caller_was = call.caller
        self.spoke_on_from = None
        self._history_was = call.history.copy() if self._over else None
        if isinstance(event, on.FillerReady) and event.reply == self.live:
            reply = call._agent.reply
            assert reply is not None
            if not self._is_eager and not self._is_finished and reply.playback.nothing_playing:
                self.ledger.produced("", len(event.audio))

    def after(self, event: Event, effects: list[Effect], now: float) -> None:
        assert not (self._over and effects), "the call is over"
        if self._history_was is not None:
            assert self._conversation.history == self._history_was, "the call is over"
        self._now = now
        self._note(event, now)
        if self._was_held and self._conversation.agent is not Agent.HELD:
            self._silent, self._next_byte = False, None  # it speaks on, from wherever that is
        for place, effect in enumerate(effects):
            assert not self._over, "nothing follows a hang-up"
            self._check(effect, effects[place + 1 :], event)
        if self._conversation.agent is Agent.IDLE:
            self._end_unheard()
        self._over = self._over or isinstance(event, on.CallerHungUp)
        self._just_committed = False
        if self._conversation.caller is Caller.QUIET:
            self._turn_began = None
        elif self._turn_began is None:
            self._turn_began = now
        self._check_states(event, now)
        if effects:
            self._check_history()
        self._check_resumption(event, now)

    def _note(self, event: Event, now: float) -> None:
        """What the event tells of the live reply."""
        self._alarms = self._alarms + 1 if isinstance(event, on.DeadlinePassed) else 0
        assert self._alarms <= MOST_ALARMS, "a deadline is armed over and over"
        if isinstance(event, on.DeadlinePassed):
            grace_s = self._conversation.timings.marks_grace_ms / 1000
            self.ledger.waited_in_vain(now, grace_s)
        elif isinstance(event, on.MarkPlayed):
            self.ledger.echoed(event.mark, now)
        elif getattr(event, "reply", None) != self.live or self._is_finished:
            return
        elif isinstance(event, on.ReplyFinished | on.ReplyFailed):
            self._is_finished = True
            self._then = event.then if isinstance(event, on.ReplyFinished) else None
        elif isinstance(event, on.AudioProduced):
            guards = bool(event.audio) and event.is_guarded
            self.ledger.produced(event.text, len(event.audio), is_guarded=event.is_guarded)
            self._has_audio = self._has_audio or bool(event.audio)
            self._was_guarded = self._was_guarded or guards

    # --- effects ----------------------------------------------------------------------------------

    def _check(self, effect: Effect, following: list[Effect], event: Event) -> None:
        match effect:
            case do.StartReply():
                self._check_start(effect)
            case do.CommitReply():
                assert effect.reply == self.live, "only the live reply can be committed"
                assert self._is_eager, "a reply is committed once"
                assert self._just_committed, "a reply is committed with its turn"
                self._is_eager = False
            case do.CancelReply():
                assert effect.reply == self.live, "only the live reply can be cancelled"
                assert not self._was_closing or isinstance(event, MAY_CUT_LAST_WORDS)
                self.live = None
                if self._is_eager:
                    self._unnoticed.add(effect.reply)
                self._is_eager = False
            case do.ReportHeard():
                self._check_report(effect)
            case do.ClearPlayback():
                self._check_clear(event)
            case do.SendAudio():
                self._check_audio(effect)
            case do.SendMark():
                assert effect.mark not in self._marks, "a mark is named once"
                assert not self._silent, "no mark after a clear"
                self._marks.add(effect.mark)
                self.ledger.marked(effect.mark)
            case do.FillSilence():
                self._check_fill(effect)
            case do.CommitTurn(text=text):
                self._check_commit(text, following, event)
            case do.HangUp():
                assert not self._is_eager, "a reply that was not committed ends the call"
                self._end_unheard()
                assert self.live is None, "a reply outlives the call"
                self._check_reason(effect.reason, event)
                self._over = True

    def _check_reason(self, reason: str, event: Event) -> None:
        """Nobody is put through behind their back, and no machine is spoken to in vain."""
        if reason in {"transfer", "goodbye"}:
            after = {"transfer": AfterReply.TRANSFER, "goodbye": AfterReply.HANG_UP}[reason]
            is_ordered = reason == "transfer" and self._purpose is Purpose.TRANSFER
            assert is_ordered or self._then is after, "the reply that said so was cut off"
        elif reason in {"time_limit", "voicemail"}:
            assert self._purpose is Purpose(reason), "the last words were not said"
        elif reason in {"ordered", "machine"}:
            assert isinstance(event, on.HangUpOrdered | on.MachineAnswered)
        else:
            assert reason in {"idle", "failed"}

    def _check_start(self, effect: do.StartReply) -> None:
        self._end_unheard()
        assert self.live is None, "two live replies"
        assert effect.reply == self._replies + 1, "replies are numbered one by one"
        self.live = self._replies = effect.reply
        self._purpose, self._then = effect.purpose, None
        self._is_eager, self._was_guarded = effect.is_eager, False
        self._eager_for = effect.turns[-1].text if effect.is_eager else None
        self._next_byte, self._silent = 0, False
        self._has_audio = self._has_sent = self._is_finished = False
        self.ledger = Ledger()
        self._eager_begun += effect.is_eager
        most = self._conversation.timings.eager_replies
        assert self._eager_begun <= most, "more eager replies than may be"

    def _check_fill(self, effect: do.FillSilence) -> None:
        assert effect.reply == self.live
        assert not self._is_eager
        reply = self._conversation._agent.reply
        assert reply is not None
        assert reply.playback.nothing_playing, "there is no silence to fill"
        assert not reply.is_bridged, "one line bridges a gap"

    def _check_audio(self, effect: do.SendAudio) -> None:
        assert effect.reply == self.live, "audio of a reply that is not live"
        assert not self._is_eager, "audio for a turn that was not committed"
        assert effect.audio, "an empty message"
        assert len(effect.audio) % FRAME_BYTES == effect.offset % FRAME_BYTES == 0, "whole frames"
        if self._next_byte is None:
            self.spoke_on_from = effect.offset
        else:
            assert not self._silent, "audio between a clear and the decision to speak on"
            assert effect.offset == self._next_byte, "a gap in the reply's audio"
        self._silent, self._has_sent = False, True
        self._next_byte = effect.offset + len(effect.audio)
        self.ledger.sent(effect, self._now)

    def _check_report(self, effect: do.ReportHeard) -> None:
        assert effect.reply == self._replies, "only the last reply can have been heard"
        assert effect.reply not in self._unnoticed, "an eager reply that was dropped"
        assert self.ledger.may_claim(effect.ms), "more than marks and time allow"
        heard = effect.text.split()
        assert heard == self.ledger.words[: len(heard)], "heard what was not said"
        self.live = None
        if heard:
            self._agent_said.append(effect.text)
            turns = [f"{turn.text} {turn.unheard}" for turn in self._conversation.history]
            said = any(turn.split() == self.ledger.words for turn in turns)
            assert said, "what was not heard is not told"

    def _check_clear(self, event: Event) -> None:
        """A sentence that may not be interrupted is played to its end while the call goes on."""
        ends = isinstance(event, on.CallerHungUp) or self._conversation.phase is not Phase.LIVE
        reached = self.ledger.position(self._now) + FRAME_BYTES + SLACK
        assert ends or reached >= self.ledger.guarded_to, "cut what may not be interrupted"
        self._silent = True
        self.ledger.cleared(self._now)

    def _check_commit(self, text: str, following: list[Effect], event: Event) -> None:
        by_itself = isinstance(event, on.DeadlinePassed) and self._conversation.phase is Phase.LIVE
        if by_itself and self._caller_was is Caller.SPEAKING and not self._was_guarded:
            longest = self._conversation.timings.max_turn_ms / 1000
            assert self._turn_began is not None
            assert self._now - self._turn_began >= longest - 1e-6, "the caller still speaks"
        self._eager_begun = 0
        self._just_committed = bool(text)
        waits = self._caller_was is Caller.QUIET and not self._was_guarded
        assert text or not (by_itself and waits), "nothing to commit"
        if not text:
            return
        self._commits.append(text)
        if self._conversation.phase is not Phase.LIVE:
            return  # the caller's last words: nobody answers them any more
        assert following, "a turn without a reply"
        reply = following[0]
        if isinstance(reply, do.CommitReply):
            assert self._eager_for is not None
            assert alike(self._eager_for, text), "the eager reply answers other words"
            return
        assert isinstance(reply, do.StartReply), "a turn is answered at once"
        assert reply.purpose is Purpose.ANSWER
        assert reply.turns[-1] == Turn(Speaker.CALLER, text)

    def _end_unheard(self) -> None:
        """A reply that was finished and gave no audio ends without a report."""
        if self._is_finished and not self._has_sent:
            self.live = None

    # --- states -----------------------------------------------------------------------------------

    def _check_states(self, event: Event, now: float) -> None:
        call = self._conversation
        assert (self.live is None) == (call.agent is Agent.IDLE)
        assert self._is_eager == (call.agent is Agent.EAGER)
        if call.caller is not Caller.QUIET and call.agent in {Agent.SPEAKING, Agent.THINKING}:
            assert self._was_guarded, "the agent speaks while the caller's turn is open"
            if call.agent is Agent.SPEAKING:
                a_frame_ago = now - 2 * FRAME_BYTES / 8000
                is_guarded = call._agent.guarded_until(a_frame_ago)
                assert is_guarded or Deadline.GUARD in call._deadlines, "the agent speaks on"
        assert not self._is_eager or call.caller is not Caller.QUIET, "eager only within a turn"
        deadline = call.deadline
        if isinstance(event, on.DeadlinePassed):
            assert deadline is None or deadline > now, "a deadline that has fired is gone"
        if call.ended:
            assert self._over
            assert deadline is None
            assert call.agent is Agent.IDLE
        if call.phase is Phase.CLOSING:
            assert call.agent in {Agent.THINKING, Agent.SPEAKING}
        if call.phase is Phase.LIVE:
            assert self._others() > 0, "dead air"
        unsettled = call.agent in {Agent.HELD, Agent.SPEAKING} or call.caller is Caller.PAUSED
        if not call.ended and unsettled:
            assert self._others() > 0, "nothing would ever end this"

    def _others(self) -> int:
        """How many deadlines are armed besides that of the longest call."""
        armed = self._conversation._deadlines
        return len(armed) - (self._conversation.phase is Phase.LIVE)

    def _check_resumption(self, event: Event, now: float) -> None:
        """Held and the caller silent: within a second it is decided whose turn it is."""
        call = self._conversation
        if call.agent is not Agent.HELD or call.caller is not Caller.PAUSED:
            self._paused_at = None
        elif isinstance(event, on.SpeechStopped) or self._paused_at is None:
            self._paused_at = now if self._paused_at is None else self._paused_at
        if self._paused_at is not None and isinstance(event, on.DeadlinePassed):
            assert now - self._paused_at < RESUME_WITHIN_S + EPSILON, "held for too long"

    # --- history ----------------------------------------------------------------------------------

    def _check_history(self) -> None:
        """Every committed turn is in the history, in order, alone or in front of a longer one."""
        call = self._conversation
        turns = call.history
        said = [turn.text for turn in turns if turn.speaker is Speaker.AGENT]
        assert said == self._agent_said, "the agent's turns are what was reported as heard"
        texts = [turn.text for turn in turns if turn.speaker is Speaker.CALLER]
        if not call.ended:
            texts.append(call.words_so_far)
        place = 0
        for commit in self._commits:
            while place < len(texts) and not f"{texts[place]} ".startswith(f"{commit} "):
                place += 1
            assert place < len(texts), f"a committed turn is lost: {commit!r}"
