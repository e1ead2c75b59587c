"""The theory of operation is true, and the core is pure."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import services.call
from services.call import conversation, events
from services.call.conversation import Agent, Caller

DOC = services.call.__doc__ or ""
FILES = sorted(Path(services.call.__file__).parent.rglob("*.py"))
PURE = {
    *("__future__", "collections.abc", "dataclasses", "enum", "functools", "math", "re"),
    *("typing", "unicodedata"),
}


def drawing(start: str, end: str) -> str:
    """A part of the two machines' drawing."""
    return DOC[DOC.index(start) : DOC.index(end)]


@pytest.mark.parametrize(
    ("states", "drawn"),
    [(Caller, drawing("Caller:", "Agent:")), (Agent, drawing("Agent:", "and these rules"))],
)
def test_the_drawing_shows_exactly_the_states_that_there_are(
    states: type[Caller] | type[Agent], drawn: str
) -> None:
    assert set(re.findall(r"\b[A-Z]{2,}\b", drawn)) == {state.name for state in states}


def test_the_drawing_names_events_that_there_are() -> None:
    named = set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", drawing("Caller:", "and these rules")))
    assert named == {"SpeechStarted", "SpeechStopped"}
    assert all(hasattr(events, name) for name in named)


def test_the_table_of_rules_names_states_that_there_are() -> None:
    table = DOC.split("========  ========")[2].partition("\n")[2]
    rows = [line[:18] for line in table.splitlines() if line[:18].strip()]
    assert len(rows) >= 5
    for row in rows:
        caller, agent = row[:10].replace("->", "").strip(), row[10:].strip()
        assert caller in {state.name for state in Caller}
        assert agent in {state.name for state in Agent}


def test_every_event_has_a_handler_and_every_deadline_an_alarm() -> None:
    assert set(conversation._HANDLERS) == set(events.Event.__args__)
    assert set(conversation._ALARMS) == set(conversation.Deadline)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_core_imports_nothing_that_could_wait_or_look_at_a_clock(path: Path) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
    own = {name for name in imported if name.split(".")[:2] == ["services", "call"]}
    assert imported - own <= PURE
