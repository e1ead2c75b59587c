"""What to do: the orders that leave the core, one frozen dataclass each, in the imperative.

The shell performs them in order and never waits for one.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.call.spoken import Purpose as Purpose
from services.call.spoken import Speaker as Speaker
from services.call.spoken import Turn as Turn
from services.call.spoken import words


@dataclass(frozen=True, slots=True)
class StartReply:
    """Begin reply number ``reply``: one task, which lives until it is finished or cancelled.

    ``is_eager``: the caller's turn may still go on. Until ``CommitReply`` the reply does nothing
    that anybody would notice, and nothing of it is played.
    """

    reply: int
    purpose: Purpose
    turns: tuple[Turn, ...] = words(())
    is_eager: bool = False


@dataclass(frozen=True, slots=True)
class CommitReply:
    """The turn that an eager reply answers is over: from now on it is a reply like others."""

    reply: int


@dataclass(frozen=True, slots=True)
class AwaitEnd:
    """The caller has paused; so much silence after the last voiced frame ends the turn. Nothing is
    to be done: the journal keeps why we waited."""

    silence_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class PrepareReply:
    """The caller may have finished: get ready to answer the words so far, but begin nothing that
    anybody would notice."""


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Cancel the reply's task; that closes all that the reply has opened."""

    reply: int


@dataclass(frozen=True, slots=True)
class CommitTurn:
    """The caller's turn is over. Empty text: there was sound, but nothing to answer."""

    text: str = words()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FillSilence:
    """The reply is late: give a stored line, if there is one, as ``FillerReady``."""

    reply: int


@dataclass(frozen=True, slots=True)
class SendAudio:
    """Hand audio to the carrier: whole 20 ms frames, from byte ``offset`` of the reply on."""

    reply: int
    offset: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class SendMark:
    """Ask the carrier to say when all that was sent before has been played."""

    mark: str


@dataclass(frozen=True, slots=True)
class ClearPlayback:
    """Drop all audio that was sent and not yet played, in our own queue and in the carrier's."""


@dataclass(frozen=True, slots=True)
class ReportHeard:
    """Tell the engine how much of a reply was heard: the words, and their length in ms."""

    reply: int
    text: str = words()
    ms: int = 0


@dataclass(frozen=True, slots=True)
class HangUp:
    """End our part of the call. With the reason ``transfer``, and with no other, the caller is put
    through by whoever owns the line."""

    reason: str


Effect = (
    StartReply
    | CommitReply
    | AwaitEnd
    | PrepareReply
    | CancelReply
    | CommitTurn
    | FillSilence
    | SendAudio
    | SendMark
    | ClearPlayback
    | ReportHeard
    | HangUp
)
