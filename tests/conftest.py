"""How the tests are spread over processes: ``make test`` runs two of them, by pytest-xdist.

A file's tests stay together, for the sake of what they share. Tests that listen to a call in real
time stay together, too: side by side they would be measuring each other.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

REAL_TIME = (
    *("test_end_to_end", "test_gapless", "test_receptionist", "test_simulator", "test_drain"),
    *("test_hostile", "test_main", "test_load_benchmark", "test_live", "test_conversation"),
    *("test_talk_page", "test_modules", "test_command"),
)
"""Files that measure times, or have a real browser or a real server in a process of its own."""

LONG = ("test_fault_table", "test_acceptance", "test_kill", "test_race", "test_schema")
"""Files that take long: first come, or one process would wait for the other at the end."""


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist nobody asks
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give out groups of tests, the longest ones first."""
    from xdist.scheduler import LoadScopeScheduling

    class InGroups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False  # not by the number of tests
    return InGroups(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest groups first; the rest stays in its order."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))


def group(nodeid: str) -> str:
    """Tests of the same group run in the same process: the tests of a file, or of several."""
    path = nodeid.partition("::")[0]
    return "real time" if PurePosixPath(path).stem in REAL_TIME else path


def _rank(nodeid: str) -> int:
    order = ("real time", *LONG)
    name = PurePosixPath(group(nodeid)).stem
    return order.index(name) if name in order else len(order)
