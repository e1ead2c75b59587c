"""What must hold in the tables after whatever happened."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

from sqlalchemy import Connection, select

from services.store import Store
from services.store.cells import GRID, widened
from services.store.tables import booking_cells, bookings


async def check_bookings(store: Store) -> None:
    """No cell without a booking, no booking without its cells, none of them twice."""
    await store._db.write(_check)


def _check(db: Connection) -> None:
    if db.dialect.name == "postgresql":  # one moment for both questions
        db.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    rows = {row.id: row for row in db.execute(select(bookings))}
    cells: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    for cell in db.execute(select(booking_cells)):
        assert cell.booking_id in rows
        assert rows[cell.booking_id].agent == cell.agent
        assert cell.lane in range(rows[cell.booking_id].lanes)
        cells[cell.booking_id].append((cell.lane, cell.cell_start))
    for row in rows.values():
        has = Counter(start for _, start in cells[row.id])
        begin, end = widened(row.starts_at, row.ends_at)
        needed = Counter(begin + GRID * step for step in range((end - begin) // GRID))
        if row.state not in ("held", "confirmed"):
            assert not has, row.state
        elif row.replaces:
            assert has <= needed  # the rest belongs to the booking that it would move
        else:
            assert has == needed
        assert len({lane for lane, _ in cells[row.id]}) <= 1
