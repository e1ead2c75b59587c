"""Latency per turn: a fold over the journal's entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from services.call.effects import (
    CancelReply,
    ClearPlayback,
    CommitReply,
    Effect,
    Purpose,
    StartReply,
)
from services.call.events import (
    AudioProduced,
    AudioSent,
    CallerTyped,
    DigitPressed,
    Event,
    FillerReady,
    MarkPlayed,
    SpeechStopped,
    TokenProduced,
    TranscriptFinal,
)
from services.call.playback import reply_of


@dataclass(slots=True)
class TurnLatency:
    """One answered turn. All figures are ms after the caller's last voiced frame (or key), or None.

    A stored line that bridges a late answer counts as its audio: the caller hears something. An
    answer that was cut off before its first mark has no ``first_mark``.
    """

    reply: int
    end_of_turn: float | None = None  # the turn was committed
    transcript: float | None = None  # its last words were there
    first_token: float | None = None
    first_audio: float | None = None
    first_frame: float | None = None  # went into the carrier's socket
    first_mark: float | None = None  # the carrier says: played

    @property
    def total(self) -> float | None:
        """What the caller waited, but for the network: until the first frame was sent."""
        return self.first_frame

    def as_dict(self) -> dict[str, float | None]:
        """All figures and the total, rounded to 0.1 ms, for JSON."""
        figures = {name: value for name, value in asdict(self).items() if name != "reply"}
        figures["total"] = self.total
        return {
            name: round(value, 1) if value is not None else None for name, value in figures.items()
        }


_OF_INTEREST = frozenset(
    {SpeechStopped, CallerTyped, DigitPressed, TranscriptFinal, TokenProduced, FillerReady}
    | {AudioSent, MarkPlayed}
)
_EFFECTS_OF_INTEREST = frozenset({ClearPlayback, CancelReply, StartReply, CommitReply})


class LatencyFold:
    """Feed it every entry of a call; it gives each answered turn once its first mark was played."""

    def __init__(self) -> None:
        self._speech_ended: float | None = None
        self._words_came: float | None = None
        self._turn: TurnLatency | None = None
        self._begun = 0
        self._ahead: dict[str, float] = {}
        """Stages of the reply that is still to begin: a line may bridge the wait for words."""

    def feed(self, now: float, event: Event, effects: Sequence[Effect]) -> TurnLatency | None:
        """Take in one entry; the finished figures of a turn, if this entry completed them."""
        kind = type(event)
        if kind is AudioProduced:  # most events are
            if event.reply > self._begun or (self._turn and self._turn.first_audio is None):  # type: ignore[union-attr]
                self._note("first_audio", event.reply, now)  # type: ignore[union-attr]
            return self._act(now, effects, None) if effects else None
        if not effects and kind not in _OF_INTEREST:
            return None
        return self._act(now, effects, self._happened(now, event))

    def _happened(self, now: float, event: Event) -> TurnLatency | None:
        done = None
        match event:
            case SpeechStopped(silence_ms=silence_ms):
                self._speech_ended = now - silence_ms / 1000
            case CallerTyped() | DigitPressed():
                self._speech_ended = self._words_came = now
            case TranscriptFinal():
                self._words_came = now
            case TokenProduced(reply=reply):
                self._note("first_token", reply, now)
            case FillerReady(reply=reply):
                self._note("first_audio", reply, now)
            case AudioSent(reply=reply):
                self._note("first_frame", reply, now)
            case MarkPlayed(mark=mark) if self._turn and reply_of(mark) == self._turn.reply:
                self._note("first_mark", self._turn.reply, now)
                done, self._turn = self._turn, None
        return done

    def _act(
        self, now: float, effects: Sequence[Effect], done: TurnLatency | None
    ) -> TurnLatency | None:
        for effect in effects:
            kind = type(effect)
            if kind not in _EFFECTS_OF_INTEREST:
                continue
            if kind is ClearPlayback or kind is CancelReply:
                if self._turn:
                    # The marks that are still to come were thrown away, not played.
                    done = self._turn if self._turn.first_frame is not None else done
                    self._turn = None
            elif isinstance(effect, StartReply):
                self._turn = self._begin(effect, now)
                self._begun = effect.reply
                self._ahead.clear()
            elif isinstance(effect, CommitReply):
                self._note("end_of_turn", effect.reply, now)
        return done

    def _begin(self, effect: StartReply, now: float) -> TurnLatency | None:
        if effect.purpose is not Purpose.ANSWER or self._speech_ended is None:
            return None
        words_came = now if self._words_came is None else self._words_came
        self._turn = TurnLatency(effect.reply)
        if not effect.is_eager:
            self._note("end_of_turn", effect.reply, now)
        self._note("transcript", effect.reply, max(words_came, self._speech_ended))
        for stage, at in self._ahead.items():
            self._note(stage, effect.reply, at)
        return self._turn

    def _note(self, stage: str, reply: int, now: float) -> None:
        turn = self._turn
        if turn and turn.reply == reply and getattr(turn, stage) is None:
            setattr(turn, stage, (now - (self._speech_ended or now)) * 1000)
        elif reply > self._begun:
            self._ahead.setdefault(stage, now)
