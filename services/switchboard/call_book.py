"""The record of calls as the switchboard uses it: a database that fails costs no caller the call.

What cannot be written is logged, and the call goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar, Unpack

from services.call.effects import Purpose, Turn
from services.receptionist.books import NewEscalation
from services.store import (
    CallChanges,
    CallEnd,
    CallState,
    Direction,
    EscalationState,
    NewCall,
    Store,
    StoredCall,
    StoredEscalation,
    StoreError,
)
from services.switchboard.tokens import Announced

log = logging.getLogger(__name__)

GUESSED_END = "crash"
"""The reason that a start gives to calls that had not ended: some of them go on all the same."""

T = TypeVar("T")


class CallBook:
    """Calls and escalations; nothing in it but ``ask`` raises StoreError."""

    def __init__(self, store: Callable[[], Store]) -> None:
        """``store`` gives the database, which is opened after this was made."""
        self._store = store
        self.ended: Callable[[str, str, str], None] = lambda call_id, reason, outcome: None
        """``ended(call_id, reason, outcome)`` is told of each call that was ended here."""

    # --- calls ------------------------------------------------------------------------------------

    async def start(self, call: NewCall) -> None:
        await _tried(self._store().calls.start(call), False, call.id)

    async def update(self, call_id: str, **changes: Unpack[CallChanges]) -> None:
        await _tried(self._store().calls.update(call_id, **changes), False, call_id)

    async def finish(self, call_id: str, reason: str, outcome: str = "", error: str = "") -> None:
        """The call is over; only the first end counts."""
        end = CallEnd(reason, outcome=outcome, error=error)
        if await _tried(self._store().calls.finish(call_id, end), False, call_id):
            self.ended(call_id, reason, outcome)

    async def get(self, call_id: str) -> StoredCall | None:
        """The call, if it is on record."""
        return await _tried(self._store().calls.get(call_id), None, call_id)

    async def by_sid(self, sid: str) -> StoredCall | None:
        """The call with the carrier's id, if it is on record."""
        return await _tried(self._store().calls.by_sid(sid), None, sid)

    async def turns(self, call_id: str) -> tuple[Turn, ...]:
        """What was said so far."""
        turns = await _tried(self._store().calls.turns(call_id), (), call_id)
        return tuple(Turn(turn.speaker, turn.heard, turn.unheard) for turn in turns)

    # --- escalations ------------------------------------------------------------------------------

    async def ask(self, wish: NewEscalation) -> StoredEscalation:
        """Keep a wish; one of the call's that was not carried out yet is withdrawn. Raises
        StoreError: nobody may be promised what is not on record."""
        return await self._store().escalations.add(wish)

    async def wish(self, call_id: str) -> StoredEscalation | None:
        """The call's last wish to be put through."""
        return await _tried(self._store().escalations.latest(call_id), None, call_id)

    async def move(self, wish: StoredEscalation, state: EscalationState) -> bool:
        """Go on to a state; whether that changed something."""
        done = self._store().escalations.set_state(wish.id, state)
        return await _tried(done, False, wish.wish.call_id)


def is_over(call: StoredCall) -> bool:
    """Whether the call has ended, as far as anybody knows for certain."""
    return call.state is CallState.ENDED and call.end_reason != GUESSED_END


def announce(
    call: StoredCall, opening: Purpose = Purpose.GREETING, earlier: tuple[Turn, ...] = ()
) -> Announced:
    """A call on record, as its next stream is told of it: ``caller`` is the other person."""
    inbound = call.direction is Direction.INBOUND
    return Announced(
        call.id,
        call.caller if inbound else call.called,
        call.called if inbound else call.caller,
        agent=call.agent,
        sid=call.sid if call.sid != call.id else "",
        direction=call.direction.value,
        opening=opening,
        purpose=call.purpose,
        earlier=earlier,
    )


async def _tried(asked: Awaitable[T], otherwise: T, call_id: str) -> T:
    try:
        return await asked
    except StoreError as error:
        log.error("call %s: the database failed: %s", call_id, error)
        return otherwise
