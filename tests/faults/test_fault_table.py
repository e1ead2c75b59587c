"""The fault table, cell by cell: whatever a vendor does, the caller hears something within three
seconds, nothing is said twice, the call goes on, and nothing of it is left anywhere."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from tests.faults.table import Cell, Outcome, cells, outcomes

CELLS = {cell.name: cell for cell in cells()}

Held = Callable[[Cell], Outcome]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    """What became of a cell. A row's calls are held side by side: that takes half the time."""
    folder = tmp_path_factory.mktemp("faults")

    @cache
    def of_the_row(name: str) -> dict[str, Outcome]:
        of_row = [cell for cell in CELLS.values() if cell.row.name == name]
        return {result.cell.name: result for result in outcomes(of_row, folder)}

    return lambda cell: of_the_row(cell.row.name)[cell.name]


@pytest.mark.parametrize("name", CELLS)
def test_a_call_survives(name: str, held: Held) -> None:
    assert held(CELLS[name]).problems == []
