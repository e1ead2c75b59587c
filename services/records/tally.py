"""Everything that is counted in a call: one fold over its journal, shared by the log line, the live
view and the record. Holds no words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from services.call import effects as do
from services.call import events as on
from services.call.effects import Effect, Purpose
from services.call.events import Event
from services.records.costs import Use
from services.records.eager import EagerFold
from services.records.figures import CallFigures
from services.records.latency import LatencyFold, TurnLatency

REMOTE = frozenset({"deepgram", "openai", "elevenlabs"})
"""Vendors that want money; a server of one's own that speaks OpenAI's protocol counts as well, for
nobody else knows what it costs: set the prices to 0."""

_NO_INTERRUPTION = frozenset(
    {Purpose.APOLOGY, Purpose.TIME_LIMIT, Purpose.TRANSFER, Purpose.VOICEMAIL}
)
_MISUNDERSTOOD = frozenset({Purpose.REPAIR, Purpose.APOLOGY})


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A tool that was used: its name, what came of it, how long it took and when it was done."""

    tool: str
    code: str
    ms: int
    at_s: float


@dataclass(slots=True)
class Tally:
    """Feed it every entry of a call, in order. A call that comes back from a transfer goes on with
    its tally: call :meth:`resume` for each stream after the first."""

    eager: EagerFold
    target_ms: float = float("inf")
    is_paid: bool = True
    """Whether the line costs money: the talk page's does not."""
    is_streamed: bool = True
    """Whether the carrier sends us a media stream, which costs money too."""
    latency: LatencyFold = field(default_factory=LatencyFold)
    figures: CallFigures = field(default_factory=CallFigures)
    use: Use = field(default_factory=Use)
    tools: list[ToolUse] = field(default_factory=list)
    opening: Purpose = Purpose.GREETING
    seconds: float = 0.0
    """Since the stream began."""
    caller_turns: int = 0
    reason: str = "crash"
    earlier_s: float = 0.0
    """Of the streams before this one."""
    _spoke_from: float | None = None
    _spoken_s: float = 0.0
    _sent: set[int] = field(default_factory=set)
    _spoken_by_vendor: set[int] = field(default_factory=set)
    _remote_ears: bool = False
    _asked_ears: bool = False

    def resume(self) -> None:
        """Another stream of the same call begins: its replies are numbered anew."""
        self.earlier_s += self.seconds
        self.use.heard_s += self._heard_s
        self.seconds, self.reason = 0.0, "crash"
        self.latency = LatencyFold()
        self.eager = EagerFold(self.eager.total)
        self._spoke_from, self._spoken_s = None, 0.0
        self._remote_ears = self._asked_ears = False
        self._sent.clear()
        self._spoken_by_vendor.clear()

    def feed(self, now: float, event: Event, effects: Sequence[Effect]) -> TurnLatency | None:
        """Take in one entry; the latency of a turn, if this entry completed it. Effects that are
        sound may be left out."""
        self.seconds = now
        turn = self.latency.feed(now, event, effects)
        kind = type(event)
        if kind is on.AudioProduced:  # most are
            if event.reply in self._spoken_by_vendor:  # type: ignore[union-attr]
                self.use.spoken_chars += len(event.text)  # type: ignore[union-attr]
        elif handle := _EVENTS.get(kind):
            handle(self, event, now)
        if effects:
            self.eager.feed(event, effects)
            for effect in effects:
                if act := _EFFECTS.get(type(effect)):
                    act(self, effect, event, effects)
        elif kind is on.VendorStep:
            self.eager.feed(event, effects)
        if turn and turn.total is not None:
            self.figures.latencies.append(turn.as_dict())
            self.figures.over_target += turn.total > self.target_ms
        return turn

    def used(self) -> Use:
        """What was used up so far."""
        line_s = self.earlier_s + self.seconds if self.is_paid else 0.0
        stream_s = line_s if self.is_streamed else 0.0
        return replace(
            self.use, call_s=line_s, stream_s=stream_s, heard_s=self.use.heard_s + self._heard_s
        )

    @property
    def _heard_s(self) -> float:
        """What a remote recogniser was given in this stream: a live one hears all of it."""
        if self._remote_ears:
            return self.seconds
        return self._spoken_s if self._asked_ears else 0.0

    # --- events -----------------------------------------------------------------------------------

    def _started(self, event: on.CallStarted, now: float) -> None:
        self.opening = event.opening

    def _hung_up(self, event: on.CallerHungUp, now: float) -> None:
        self._speech_ends(now)
        if self.reason == "crash":
            self.reason = f"caller: {event.reason}"

    def _speech_started(self, event: on.SpeechStarted, now: float) -> None:
        if self._spoke_from is None:
            self._spoke_from = now - event.voiced_ms / 1000

    def _speech_stopped(self, event: on.SpeechStopped, now: float) -> None:
        self._speech_ends(now - event.silence_ms / 1000)

    def _speech_ends(self, at: float) -> None:
        if self._spoke_from is not None:
            spoken_s = max(0.0, at - self._spoke_from)
            self.figures.listen_ms += spoken_s * 1000
            self._spoken_s += spoken_s
            self._spoke_from = None

    def _vendor_step(self, event: on.VendorStep, now: float) -> None:
        if event.tokens:
            self.use.completion_tokens += event.answer_tokens
            self.use.prompt_tokens += event.tokens - event.answer_tokens
        if event.vendor not in REMOTE:
            return
        if event.step == "first audio":
            self._spoken_by_vendor.add(event.reply)
        elif event.step == "transcribe":
            self._asked_ears = True
        elif event.vendor == "deepgram" and event.step == "connected":
            self._remote_ears = True

    def _audio_sent(self, event: on.AudioSent, now: float) -> None:
        self._sent.add(event.reply)

    def _tool_used(self, event: on.ToolUsed, now: float) -> None:
        self.tools.append(ToolUse(event.tool, event.code, event.ms, now))

    # --- effects ----------------------------------------------------------------------------------

    def _reply(self, effect: do.StartReply, event: Event, effects: Sequence[Effect]) -> None:
        self.figures.silence_prompts += effect.purpose is Purpose.IDLE_PROMPT
        self.figures.misunderstandings += effect.purpose in _MISUNDERSTOOD

    def _turn(self, effect: do.CommitTurn, event: Event, effects: Sequence[Effect]) -> None:
        self.caller_turns += bool(effect.text)

    def _heard(self, effect: do.ReportHeard, event: Event, effects: Sequence[Effect]) -> None:
        self.figures.talk_ms += effect.ms

    def _cancelled(self, effect: do.CancelReply, event: Event, effects: Sequence[Effect]) -> None:
        by_caller = effect.reply in self._sent and not isinstance(
            event, on.CallerHungUp | on.TransferOrdered | on.HangUpOrdered | on.MachineAnswered
        )
        if by_caller and not any(_is_ours(each) for each in effects):
            self.figures.interruptions += 1

    def _hang_up(self, effect: do.HangUp, event: Event, effects: Sequence[Effect]) -> None:
        self._speech_ends(self.seconds)
        self.reason = f"agent: {effect.reason}"


def _is_ours(effect: Effect) -> bool:
    """Whether it shows that we ended the reply ourselves, to say something else."""
    if isinstance(effect, do.StartReply):
        return effect.purpose in _NO_INTERRUPTION
    return isinstance(effect, do.HangUp)


_EVENTS: dict[type, Callable[[Tally, Any, float], None]] = {
    on.CallStarted: Tally._started,
    on.CallerHungUp: Tally._hung_up,
    on.SpeechStarted: Tally._speech_started,
    on.SpeechStopped: Tally._speech_stopped,
    on.VendorStep: Tally._vendor_step,
    on.AudioSent: Tally._audio_sent,
    on.ToolUsed: Tally._tool_used,
}
_EFFECTS: dict[type, Callable[[Tally, Any, Event, Sequence[Effect]], None]] = {
    do.StartReply: Tally._reply,
    do.CommitTurn: Tally._turn,
    do.ReportHeard: Tally._heard,
    do.CancelReply: Tally._cancelled,
    do.HangUp: Tally._hang_up,
}
