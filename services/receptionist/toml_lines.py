"""In which line of a TOML text a key stands: the standard parser does not tell."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEADER = re.compile(r"\s*\[(\[)?\s*([\w.\-\"' ]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w\-.\"]+)\s*=")


def line_of(source: str, keys: Sequence[str | int]) -> int:
    """The line (from 1) of the deepest part of a path like ``("hours", "monday", 0)`` that the text
    spells out as a header or a key; 0 if none. Good for the plain style in which people write."""
    best, depth = 0, 0
    table: list[str | int] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(source.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            name = header[2]
            table = [*name.split(".")]
            if header[1]:
                table.append(seen.setdefault(name, 0))
                seen[name] += 1
            path = table
        elif key := _KEY.match(line):
            path = [*table, *key[1].replace('"', "").split(".")]
        else:
            continue
        if depth < len(path) <= len(keys) and list(keys[: len(path)]) == path:
            best, depth = number, len(path)
    return best
