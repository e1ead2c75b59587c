"""Text messages: claimed before they are sent, so that none is sent twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.store.database import Database
from services.store.matching import tail
from services.store.records import StoredText, TextState
from services.store.tables import texts

_UNSETTLED = (TextState.SENDING.value, TextState.UNKNOWN.value)


class Texts:
    """One row for each call and key."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def claim(self, call_id: str, key: str, to: str, body: str) -> bool:
        """Whether it is ours to send now; False if it was claimed before."""
        new = insert(texts).values(
            call_id=call_id,
            key=key,
            to=to,
            to_tail=tail(to),
            body=body,
            state=TextState.SENDING.value,
            at=self._db.now(),
        )
        try:
            await self._db.write(lambda db: db.execute(new))
        except IntegrityError:
            return False
        return True

    async def settle(
        self, call_id: str, key: str, state: TextState, *, sid: str = "", error: str = ""
    ) -> bool:
        """What became of it; False unless it was SENDING or UNKNOWN."""
        change = (
            update(texts)
            .where(texts.c.call_id == call_id, texts.c.key == key)
            .where(texts.c.state.in_(_UNSETTLED))
            .values(state=state.value, sid=sid, error=error, settled_at=self._db.now())
        )
        return await self._db.write(lambda db: db.execute(change).rowcount == 1)

    async def get(self, call_id: str, key: str) -> StoredText | None:
        """The text with this key."""
        wanted = select(texts).where(texts.c.call_id == call_id, texts.c.key == key)
        row = await self._db.read(lambda db: db.execute(wanted).one_or_none())
        return _text(row) if row else None

    async def of_call(self, call_id: str) -> Sequence[StoredText]:
        """The call's texts, oldest first."""
        wanted = select(texts).where(texts.c.call_id == call_id).order_by(texts.c.at, texts.c.key)
        rows = await self._db.read(lambda db: db.execute(wanted).all())
        return [_text(row) for row in rows]


def _text(row: Row[Any]) -> StoredText:
    return StoredText(
        call_id=row.call_id,
        key=row.key,
        to=row.to,
        body=row.body,
        state=TextState(row.state),
        at=row.at,
        settled_at=row.settled_at,
        sid=row.sid,
        error=row.error,
    )
