"""Callers who are put through, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update

from services.receptionist.books import Handling, NewEscalation
from services.store.database import Database
from services.store.records import EscalationState, StoredEscalation
from services.store.tables import escalations

_ASKED, _DIALLING = EscalationState.ASKED, EscalationState.DIALLING
_ACCEPTED = EscalationState.ACCEPTED
OPEN = tuple(state.value for state in EscalationState if not state.is_settled)


class Escalations:
    """One row for each wish."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add(self, wish: NewEscalation) -> StoredEscalation:
        """Keep a wish (ASKED). An earlier wish of the call that is only ASKED is withdrawn."""
        values = {
            "agent": wish.agent,
            "call_id": wish.call_id,
            "caller": wish.caller,
            "name": wish.name,
            "person": wish.person,
            "number": wish.number,
            "reason": wish.reason,
            "urgency": wish.urgency,
            "handling": wish.handling.value,
            "by": wish.by,
            "state": _ASKED.value,
        }

        def work(db: Connection) -> StoredEscalation:
            now = self._db.now()
            db.execute(
                update(escalations)
                .where(escalations.c.call_id == wish.call_id)
                .where(escalations.c.state == _ASKED.value)
                .values(state=EscalationState.WITHDRAWN.value, settled_at=now)
            )
            added = db.execute(insert(escalations).values(**values, asked_at=now))
            (new_id,) = added.inserted_primary_key or (None,)
            return _escalation(db.execute(select(escalations).filter_by(id=new_id)).one())

        return await self._db.write(work)

    async def get(self, escalation_id: str) -> StoredEscalation | None:
        """The wish with this id."""
        found = await self._of(select(escalations).where(escalations.c.id == _id(escalation_id)))
        return found[0] if found else None

    async def latest(self, call_id: str) -> StoredEscalation | None:
        """The call's last wish."""
        found = await self.of_call(call_id)
        return found[-1] if found else None

    async def of_call(self, call_id: str) -> Sequence[StoredEscalation]:
        """The call's wishes, oldest first."""
        wanted = select(escalations).where(escalations.c.call_id == call_id)
        return await self._of(wanted.order_by(escalations.c.id))

    async def set_state(self, escalation_id: str, state: EscalationState) -> bool:
        """Go on to a state; True if that changed something. It goes only forward (ASKED, DIALLING,
        ACCEPTED, settled), and what was ACCEPTED is neither REFUSED nor UNANSWERED any more."""
        earlier = [one.value for one in _before(state)]
        change = (
            update(escalations)
            .where(escalations.c.id == _id(escalation_id), escalations.c.state.in_(earlier))
            .values(state=state.value, **_stamp(state, self._db.now()))
        )
        return await self._db.write(lambda db: db.execute(change).rowcount == 1)

    async def _of(self, wanted: Select[Any]) -> Sequence[StoredEscalation]:
        rows = await self._db.read(lambda db: db.execute(wanted).all())
        return [_escalation(row) for row in rows]


def _before(state: EscalationState) -> Sequence[EscalationState]:
    """The states from which that one follows."""
    match state:
        case EscalationState.ASKED:
            return ()
        case EscalationState.DIALLING:
            return (_ASKED,)
        case EscalationState.ACCEPTED | EscalationState.REFUSED | EscalationState.UNANSWERED:
            return (_ASKED, _DIALLING)
    return (_ASKED, _DIALLING, _ACCEPTED)


def _stamp(state: EscalationState, now: datetime) -> dict[str, datetime]:
    if state is _DIALLING:
        return {"dialled_at": now}
    return {"accepted_at": now} if state is _ACCEPTED else {"settled_at": now}


def _id(written: str) -> int:
    """The id as a number; 0, which no row has, for what is none."""
    is_one = written.isascii() and written.isdigit() and len(written) < 10
    return int(written) if is_one else 0


def _escalation(row: Row[Any]) -> StoredEscalation:
    wish = NewEscalation(
        agent=row.agent,
        call_id=row.call_id,
        caller=row.caller,
        name=row.name,
        person=row.person,
        number=row.number,
        reason=row.reason,
        urgency=row.urgency,
        handling=Handling(row.handling),
        by=row.by,
    )
    return StoredEscalation(
        id=str(row.id),
        wish=wish,
        state=EscalationState(row.state),
        asked_at=row.asked_at,
        dialled_at=row.dialled_at,
        accepted_at=row.accepted_at,
        settled_at=row.settled_at,
    )
