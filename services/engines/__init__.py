"""Engines: the ears and the voice of a call, behind one small protocol.

An engine lives as long as the call. The shell feeds it frames and asks it for replies; all that it
finds out comes back as events.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from services.call.effects import Purpose, StartReply, Turn
from services.call.events import EarEvent, FillerReady, ReplyEvent, ToolEvent, VendorEvent

Emit = Callable[[EarEvent | ReplyEvent | ToolEvent | VendorEvent], None]


@dataclass(frozen=True, slots=True)
class CallBrief:
    """What an engine is told of a call before it begins.

    ``caller`` is the other party's number, whoever called, as the carrier gave it; ``called`` ours.
    ``purpose`` is why we call, in the words of who ordered it; "" for a call that came in.
    ``opening`` is the line that the agent begins with. ``can_text``: the other party can be sent
    text messages.
    """

    call_id: str
    caller: str
    called: str = ""
    purpose: str = ""
    opening: Purpose = Purpose.GREETING
    can_text: bool = False


class Engine(Protocol):
    """Ears and voice of one call."""

    async def run(self, emit: Emit) -> None:
        """The ears, and all that is kept open for the voice: emit facts until cancelled."""

    def hear(self, frame: bytes) -> None:
        """One 20 ms frame of caller audio (160 bytes of mu-law), in order. Never blocks."""

    def hear_soon(self, frame: bytes) -> None:
        """This very frame is to be heard, after those that were announced before it: begin what is
        done for several calls together. Need not be called."""

    def prepare(self, turns: tuple[Turn, ...]) -> None:
        """The next reply may have to answer these turns, soon. Takes a few ms at most."""

    async def reply(self, request: StartReply, emit: Emit) -> None:
        """The voice: produce reply ``request.reply``, emitting its events up to ``ReplyFinished``.

        Cancelling it stops the voice and closes all that the reply opened. An exception means that
        the reply failed.
        """

    def commit(self, reply: int) -> None:
        """An eager reply's turn is over: it may now do what would be noticed. Until then it keeps
        no message and ends no call."""

    def filler(self, reply: int) -> FillerReady | None:
        """A stored line for a reply that is late, or None if there is none. Never blocks."""

    def turn_committed(self) -> None:
        """The caller's words so far were answered or dropped: what comes next is a new turn."""

    def heard(self, reply: int, text: str, ms: int) -> None:
        """What the caller really heard of a reply that was interrupted or has ended."""

    async def finish(self, turns: tuple[Turn, ...]) -> None:
        """The call is over, with these turns: let running tools finish, for a few seconds, and
        keep the message that the caller had begun to leave. What is done is emitted."""
