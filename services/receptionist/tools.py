"""The tools of the receptionist: what a brain may have done, by name and arguments.

A language model calls them as functions, the script asks for the same ones. A tool that changes
something is proposed first and confirmed in a later turn of the caller's, once it was read back;
see ``desk``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from services.call.events import AfterReply


class Tool(Enum):
    """The tools there are."""

    OPENING_HOURS = "opening_hours"
    CHECK_AVAILABILITY = "check_availability"
    FIND_APPOINTMENTS = "find_appointments"
    BOOK_APPOINTMENT = "book_appointment"  # holds a slot; `confirm` books it
    CHANGE_APPOINTMENT = "change_appointment"  # holds the new slot; `confirm` moves it there
    CANCEL_APPOINTMENT = "cancel_appointment"  # proposes; `confirm` cancels it
    CONFIRM = "confirm"
    TAKE_MESSAGE = "take_message"
    TRANSFER_CALL = "transfer_call"
    SEND_SMS = "send_sms"

    @property
    def changes_something(self) -> bool:
        """Whether it waits for the end of the caller's turn, and outlives its reply."""
        return self not in _READ_ONLY


_READ_ONLY = {Tool.OPENING_HOURS, Tool.CHECK_AVAILABILITY, Tool.FIND_APPOINTMENTS}


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """One use of a tool.

    ``arguments`` are texts by name, as the brain gave them. ``turn`` counts the caller's turns so
    far. ``key`` is the same for a repetition of the same request within the call: what has been
    done under a key is not done again.
    """

    tool: Tool
    arguments: Mapping[str, str]
    turn: int
    key: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of it.

    ``code`` is for programs: ``ok`` or why not (``taken``, ``closed``, ``unclear``, ...). ``text``
    tells a language model what happened and what to do next. ``facts`` is the same as data, for the
    script. ``then`` is what follows once the reply was said.
    """

    code: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    then: AfterReply = AfterReply.LISTEN

    @property
    def is_ok(self) -> bool:
        return self.code == "ok"


class Desk(Protocol):
    """Performs the tools of one call."""

    async def do(self, request: ToolRequest) -> ToolResult:
        """Do it, once for each key. Raises nothing but CancelledError: what goes wrong is a result
        whose code is ``failed``, with a text that offers the caller something else."""

    @property
    def notes(self) -> Sequence[str]:
        """What was done in this call so far, in sentences for a language model: the history holds
        only what was heard."""

    async def close(self) -> None:
        """The call is over: give up what was held and not confirmed, and see texts on their way
        off, within seconds. Raises nothing but CancelledError; safe to repeat."""
