"""What happened: the facts that enter the core, one frozen dataclass each, in the past tense.

Field names ending in ``_ms`` are milliseconds. A field marked with :func:`words` holds what a
person said; the journal keeps such fields apart, so that they can be left out of a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from services.call.spoken import Purpose, Turn
from services.call.spoken import words as words
from services.call.words.readiness import Expectation


class AfterReply(Enum):
    """What follows once the last word of a reply was played."""

    LISTEN = "listen"
    HANG_UP = "hang_up"
    TRANSFER = "transfer"  # the caller is put through; not if they interrupt the reply
    APOLOGISE = "apologise"  # the reply broke off


# --- from the carrier -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The carrier opened the stream and its token was good.

    The agent begins with ``opening``, one of its lines. ``earlier``: what was said before, if the
    caller has come back from a transfer.
    """

    caller: str = words()
    called: str = ""
    opening: Purpose = Purpose.GREETING
    earlier: tuple[Turn, ...] = words(())


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The carrier said ``stop`` or the socket closed, whichever came first."""

    reason: str = "hangup"


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """A key of the telephone: ``0`` to ``9``, ``*``, ``#``, ``A`` to ``D``."""

    digit: str = words()


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """The carrier echoed a mark: played up to it, or, after a clear, thrown away up to it."""

    mark: str


@dataclass(frozen=True, slots=True)
class AudioSent:
    """The first audio of a reply went into the carrier's socket."""

    reply: int


# --- from the ears --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The caller began to speak. ``voiced_ms``: how long ago the first voiced frame came in.

    Utterances are numbered from 1 within a call.
    """

    utterance: int
    voiced_ms: int = 0


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """The caller paused. ``silence_ms``: the silence since the last voiced frame."""

    utterance: int
    silence_ms: int = 0


@dataclass(frozen=True, slots=True)
class TranscriptInterim:
    """The words of utterances ``first`` to ``last`` so far; they may still change."""

    first: int
    last: int
    text: str = words()


@dataclass(frozen=True, slots=True)
class TranscriptFinal:
    """The words of utterances ``first`` to ``last``; empty text means that they held none."""

    first: int
    last: int
    text: str = words()


@dataclass(frozen=True, slots=True)
class TranscriptFailed:
    """No words can be had for utterance ``last`` and those before it that have none yet."""

    last: int
    error: str


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The recogniser itself says that the caller's turn, up to utterance ``last``, is over. Its
    words came before, as ``TranscriptFinal``."""

    last: int


@dataclass(frozen=True, slots=True)
class TurnMayEnd:
    """The recogniser believes that the turn is about to end with these words."""

    last: int
    text: str = words()


@dataclass(frozen=True, slots=True)
class TurnGoesOn:
    """The caller did not stop after all: the last ``TurnMayEnd`` is void."""

    last: int


@dataclass(frozen=True, slots=True)
class CallerTyped:
    """The caller typed a whole turn on the talk page instead of speaking it."""

    text: str = words()


# --- from a reply's task --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenProduced:
    """The brain gave the first token of the reply."""

    reply: int


@dataclass(frozen=True, slots=True)
class AudioProduced:
    """Audio of a reply, mu-law 8 kHz, any length; ``text`` is what begins to be spoken in it.

    Audio without text belongs to the text before it. ``spans``: of each piece that came together
    the characters of text and the bytes of audio; between two texts stands a space. Without them
    it is one piece.
    """

    reply: int
    audio: bytes
    text: str = words("")
    spans: tuple[tuple[int, int], ...] = ()
    is_guarded: bool = False
    """What begins here may not be interrupted: a legal notice."""


@dataclass(frozen=True, slots=True)
class AnswerExpected:
    """The brain says what the reply asks the caller for."""

    reply: int
    what: Expectation


@dataclass(frozen=True, slots=True)
class FillerReady:
    """A stored line ("one moment, please") to bridge the wait for a late reply."""

    reply: int
    audio: bytes
    text: str = words("")


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """All audio of the reply has been produced (it may still have to be played)."""

    reply: int
    then: AfterReply = AfterReply.LISTEN


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """The reply's task ended with an error; ``error`` names its kind, never the caller's words."""

    reply: int
    error: str


# --- from the tools -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolStarted:
    """A tool was begun for a reply. It may outlive the reply, and the call."""

    reply: int
    tool: str


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool has done its work, ``ms`` after it began: a fact, whatever became of the reply.

    ``tool`` and ``code`` are those of ``services.receptionist.tools``; ``arguments`` are names and
    values, ``text`` is what it told the brain.
    """

    reply: int
    tool: str
    code: str
    ms: int
    arguments: tuple[tuple[str, str], ...] = words(())
    text: str = words("")


# --- from outside ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TransferOrdered:
    """Somebody at the business puts the caller through: say so, and let go of the line."""


@dataclass(frozen=True, slots=True)
class HangUpOrdered:
    """Somebody at the business ends the call."""


@dataclass(frozen=True, slots=True)
class MachineAnswered:
    """An answering machine took our call. ``message``: it is ready to be spoken to, and shall be;
    else we hang up."""

    message: bool = False


# --- from the vendors -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VendorStep:
    """Something that a vendor did for the call, or was asked to do: ``connected``, ``first token``.

    A fact for the journal. ``reply`` is 0 for what concerns no reply; it may long be over.
    ``tokens`` are those that the step has cost, prompt and answer; ``answer_tokens`` of them the
    answer's.
    """

    vendor: str
    step: str
    reply: int = 0
    tokens: int = 0
    answer_tokens: int = 0


@dataclass(frozen=True, slots=True)
class VendorFailed:
    """A vendor failed at a step; the call goes on by other means. Each failure is told once.

    ``code`` is the vendor's own: an HTTP status, a close code, an error's name.
    """

    vendor: str
    step: str
    code: str


# --- from the clock -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """``Conversation.deadline`` has come."""


ReplyEvent = (
    TokenProduced
    | AudioProduced
    | AnswerExpected
    | FillerReady
    | ReplyFinished
    | ReplyFailed
    | AudioSent
)
ToolEvent = ToolStarted | ToolUsed
Order = TransferOrdered | HangUpOrdered | MachineAnswered
VendorEvent = VendorStep | VendorFailed
EarEvent = (
    SpeechStarted
    | SpeechStopped
    | TranscriptInterim
    | TranscriptFinal
    | TranscriptFailed
    | TurnEnded
    | TurnMayEnd
    | TurnGoesOn
)
CarrierEvent = CallStarted | CallerHungUp | DigitPressed | MarkPlayed
Event = (
    ReplyEvent
    | ToolEvent
    | EarEvent
    | CarrierEvent
    | VendorEvent
    | Order
    | CallerTyped
    | DeadlinePassed
)
