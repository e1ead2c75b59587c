"""What the store takes and gives: plain records, filters and pages.

All times are aware and in UTC. Numbers, names and texts are what people said: they stand in no log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypedDict, TypeVar

from services.call.effects import Speaker
from services.receptionist.agent import Path_
from services.receptionist.books import BookingState, NewEscalation

T = TypeVar("T")


class Direction(Enum):
    """Who called whom."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallState(Enum):
    """How far a call is. It never goes back."""

    QUEUED = "queued"  # the carrier was asked to place it
    RINGING = "ringing"
    LIVE = "live"  # with the agent
    TRANSFERRED = "transferred"  # with a person; it comes back to LIVE if nobody takes it
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call that begins. ``id`` is ours: an inbound call's SID, an outbound call's own id.

    ``machine`` is what to do if a machine answers (as in the agent file, or empty). An empty
    ``idempotency_key`` is none.
    """

    id: str
    agent: str
    direction: Direction = Direction.INBOUND
    path: Path_ = "stream"
    caller: str = ""
    called: str = ""
    sid: str = ""
    state: CallState = CallState.LIVE
    purpose: str = ""
    machine: str = ""
    language: str = ""
    idempotency_key: str = ""
    journal: str = ""


@dataclass(frozen=True, slots=True)
class CallEnd:
    """How a call ended. ``at`` None is now. What is empty or None stays as it was."""

    reason: str
    at: datetime | None = None
    outcome: str = ""
    intent: str = ""
    sentiment: str = ""
    language: str = ""
    summary: str = ""
    cost: Mapping[str, Any] | None = None
    figures: Mapping[str, Any] | None = None
    error: str = ""


class CallChanges(TypedDict, total=False):
    """What ``Calls.update`` can change; what is not named stays."""

    sid: str
    state: CallState  # but ENDED: see Calls.finish
    path: Path_
    answered_at: datetime
    answered_by: str
    outcome: str
    intent: str
    sentiment: str
    language: str
    summary: str
    cost: Mapping[str, Any]
    figures: Mapping[str, Any]
    recording: str
    journal: str
    error: str


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call on record. ``recording`` and ``journal`` are files' paths, or empty.

    ``answered_by`` is what the carrier's machine detection found. ``figures`` are latency and
    quality, ``cost`` what it cost, both as JSON objects.
    """

    id: str
    sid: str
    agent: str
    direction: Direction
    path: Path_
    caller: str
    called: str
    state: CallState
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    outcome: str
    intent: str
    sentiment: str
    language: str
    summary: str
    purpose: str
    idempotency_key: str
    answered_by: str
    machine: str
    cost: Mapping[str, Any]
    figures: Mapping[str, Any]
    recording: str
    journal: str
    error: str


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One turn. ``number`` counts both speakers' turns from 1; ``at_ms`` is since the call began.

    ``heard`` is what was said (of the agent's: what the caller heard), ``unheard`` what she had
    wanted to say. ``latencies`` are ms by stage.
    """

    call_id: str
    number: int
    speaker: Speaker
    heard: str
    unheard: str = ""
    at_ms: int = 0
    interrupted: bool = False
    latencies: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredTool:
    """One use of a tool. ``at_ms`` is since the call began, ``ms`` how long it took."""

    call_id: str
    key: str
    tool: str
    arguments: Mapping[str, Any]
    code: str
    text: str = ""
    at_ms: int = 0
    ms: int = 0


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message in the book. ``done_at`` is when somebody marked it as dealt with."""

    id: str
    agent: str
    call_id: str
    caller: str
    name: str
    number: str
    text: str
    urgent: bool
    complete: bool
    at: datetime
    done_at: datetime | None = None


class EscalationState(Enum):
    """How far putting a caller through is. From REFUSED on it is settled."""

    ASKED = "asked"
    DIALLING = "dialling"
    ACCEPTED = "accepted"  # the person pressed the key
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    CONNECTED = "connected"  # they spoke to one another
    FAILED = "failed"
    WITHDRAWN = "withdrawn"  # another wish took its place, or the caller hung up

    @property
    def is_settled(self) -> bool:
        unsettled = (EscalationState.ASKED, EscalationState.DIALLING, EscalationState.ACCEPTED)
        return self not in unsettled


@dataclass(frozen=True, slots=True)
class StoredEscalation:
    """A wish to be put through and what became of it."""

    id: str
    wish: NewEscalation
    state: EscalationState
    asked_at: datetime
    dialled_at: datetime | None = None
    accepted_at: datetime | None = None
    settled_at: datetime | None = None


class TextState(Enum):
    """What became of a text message. UNKNOWN: the server stopped while it was being sent."""

    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text message. ``sid`` is the carrier's id, ``error`` its reason for refusing it."""

    call_id: str
    key: str
    to: str
    body: str
    state: TextState
    at: datetime
    settled_at: datetime | None = None
    sid: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What is empty or None does not filter. Numbers are compared by their digits.

    ``number`` is either party's; ``active`` calls are not ended. ``since`` <= started < ``until``.
    """

    agent: str = ""
    caller: str = ""
    called: str = ""
    number: str = ""
    direction: Direction | None = None
    path: Path_ | None = None
    state: CallState | None = None
    active: bool | None = None
    outcome: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BookingFilter:
    """What is empty or None does not filter; ``states`` are the confirmed ones unless said.

    It takes bookings that end after ``since`` and begin before ``until``. ``name`` is a part of the
    name, without case.
    """

    agent: str = ""
    states: tuple[BookingState, ...] = (BookingState.CONFIRMED,)
    since: datetime | None = None
    until: datetime | None = None
    name: str = ""
    number: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What is empty or None does not filter. ``since`` <= left < ``until``. Deleted ones are never
    listed."""

    agent: str = ""
    call_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    urgent: bool | None = None
    done: bool | None = None


ALL_CALLS = CallFilter()
CONFIRMED_BOOKINGS = BookingFilter()
ALL_MESSAGES = MessageFilter()


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list. ``next`` is the cursor of the page after it; empty: this is the last."""

    items: Sequence[T]
    next: str = ""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted, in numbers, and the files (journals, recordings) that are to be unlinked.

    ``bookings`` are past ones whose names and numbers were taken out; ``upcoming`` bookings of a
    deleted number stay as they are until they are over, and so do its ``active`` calls.
    """

    calls: int = 0
    messages: int = 0
    texts: int = 0
    bookings: int = 0
    upcoming: int = 0
    active: int = 0
    files: tuple[str, ...] = ()

    def __add__(self, other: Deleted) -> Deleted:
        return Deleted(
            self.calls + other.calls,
            self.messages + other.messages,
            self.texts + other.texts,
            self.bookings + other.bookings,
            self.upcoming + other.upcoming,
            self.active + other.active,
            self.files + other.files,
        )
