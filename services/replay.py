"""Replay: feed a stored journal through the core and compare the effects, one by one.

``python -m services.replay data/calls/FILE.jsonl`` exits with 0 if all effects are the same. So a
strange call can become a test: keep its journal under ``tests/journals/``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.call.briefing import Briefing
from services.call.conversation import Conversation
from services.call.timings import Timings
from services.engines.completeness import is_dialable
from services.journal import JournalError, encode, read_journal


@dataclass(frozen=True, slots=True)
class Difference:
    """An entry whose effects came out otherwise than they were stored."""

    entry: int
    stored: list[dict[str, Any]]
    replayed: list[dict[str, Any]]


def replay(lines: Iterable[str]) -> tuple[int, list[Difference]]:
    """How many entries were replayed, and where the effects differ. Raises JournalError."""
    header, entries = read_journal(lines)
    if header.get("path", "stream") != "stream":
        raise JournalError("line 1: a call that was recorded turn by turn; the core had no part")
    try:
        briefing = Briefing(**header["briefing"], is_dialable=is_dialable)
        conversation = Conversation(Timings(**header["timings"]), briefing)
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"line 1: timings or briefing cannot be used: {error}") from None
    count, differences = 0, []
    for count, entry in enumerate(entries, start=1):
        effects = [encode(effect) for effect in conversation.handle(entry.event, entry.now)]
        replayed = json.loads(json.dumps(effects))
        if replayed != entry.effects:
            differences.append(Difference(count, entry.effects, replayed))
    return count, differences


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m services.replay JOURNAL.jsonl", file=sys.stderr)
        return 2
    try:
        with Path(arguments[0]).open(encoding="utf-8") as file:
            count, differences = replay(file)
    except (OSError, JournalError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    for difference in differences:
        print(f"entry {difference.entry}:")
        print("  stored:  ", json.dumps(difference.stored, ensure_ascii=False))
        print("  replayed:", json.dumps(difference.replayed, ensure_ascii=False))
    print(f"{count} entries replayed, {len(differences)} differ")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
