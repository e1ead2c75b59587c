"""Imports go one way: main -> api -> the shell -> carriers and engines -> their parts -> core."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

ROOMS = {
    "services.call": set(),
    "services.audio": {"services.call"},
    "services.receptionist": {"services.call"},
    "services.store": {"services.call", "services.receptionist"},
    "services.carriers": {"services.call"},
    "services.vendors": {"services.call"},
    "services.stt": {"services.call", "services.audio", "services.vendors"},
    "services.tts": {"services.call", "services.audio", "services.vendors"},
    "services.llm": {"services.call", "services.receptionist", "services.vendors"},
    "services.engines": {
        "services.call",
        "services.audio",
        "services.stt",
        "services.tts",
        "services.llm",
        "services.receptionist",
        "services.vendors",
    },
    "services.records": {
        "services.call",
        "services.receptionist",
        "services.store",
        "services.vendors",
    },
    "services.switchboard": {
        "services.call",
        "services.carriers",
        "services.receptionist",
        "services.store",
    },
    "services": {
        "services.call",
        "services.audio",
        "services.carriers",
        "services.engines",
        "services.receptionist",
        "services.records",
        "services.store",
        "services.stt",
        "services.switchboard",
        "services.vendors",
    },
    "api": {
        "services",
        "services.call",
        "services.carriers",
        "services.receptionist",
        "services.records",
        "services.store",
        "services.switchboard",
    },
    "main": {
        "api",
        "services",
        "services.carriers",
        "services.engines",
        "services.receptionist",
        "services.store",
    },
}
"""Room -> the rooms it may import besides itself. ``services`` is the shell: its own modules."""

FILES = sorted(
    [ROOT / "main.py", *(ROOT / "api").rglob("*.py"), *(ROOT / "services").rglob("*.py")]
)


def room(module: str) -> str:
    """The room in which a module stands."""
    parts = module.split(".")
    if parts[0] == "services" and len(parts) > 1 and (ROOT / "services" / parts[1]).is_dir():
        return f"services.{parts[1]}"
    return parts[0]


def imports(path: Path) -> set[str]:
    """The project's own modules that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return {name for name in found if name.split(".")[0] in {"main", "api", "services", "tests"}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_imports_upward_or_sideways(path: Path) -> None:
    here = room(".".join(path.relative_to(ROOT).with_suffix("").parts))
    wrong = {name for name in imports(path) if room(name) not in ROOMS[here] | {here}}
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_settings_read_the_environment(path: Path) -> None:
    names = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert not names & {"os.environ", "os.getenv"}
