"""Both ways of holding a call side by side: ``python -m services.ab_report [--since 2026-11-01]``.

It reads the database of the settings; the server may be running.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from services.records.figures import Spread
from services.records.stats import Group, gather
from services.settings import SettingsError, load_settings
from services.store import CallFilter, Store, StoreError

PATHS = ("stream", "record")
_STAGES = {
    "end_of_turn": "end of turn",
    "transcript": "transcript",
    "first_token": "first token",
    "first_audio": "first audio",
    "total": "response",
}


def report(groups: Sequence[Group]) -> str:
    """The table. A path without calls has dashes."""
    columns = [next((g for g in groups if g.path == path), Group(path=path)) for path in PATHS]
    rows: list[tuple[str, ...]] = [("", *PATHS)]
    rows.append(("calls", *(str(each.calls) for each in columns)))
    rows.append(("answered turns", *(str(each.turns) for each in columns)))
    for stage, label in _STAGES.items():
        spreads = [each.latency_ms.get(stage) for each in columns]
        rows.append((f"{label} p50 / p95", *map(_spread, spreads)))
    rows.append(("turns over target", *(_share(each.over_target, each.turns) for each in columns)))
    rows.append(("interruptions per call", *(_per_call(g.interruptions, g) for g in columns)))
    rows.append(("silence prompts per call", *(_per_call(g.silence_prompts, g) for g in columns)))
    rows.append(("talk to listen", *(_number(each.talk_to_listen) for each in columns)))
    for outcome in sorted(columns[0].outcomes | columns[1].outcomes):
        shares = (_share(each.outcomes[outcome], each.calls) for each in columns)
        rows.append((f"outcome {outcome}", *shares))
    rows.append(("cost per call", *map(_cost, columns)))
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    lines = [
        f"{name:<{widths[0]}}  {one:>{widths[1]}}  {other:>{widths[2]}}".rstrip()
        for name, one, other in rows
    ]
    return "\n".join(lines)


def _spread(spread: Spread | None) -> str:
    if spread is None or spread.p50 is None or spread.p95 is None:
        return "-"
    return f"{spread.p50:.0f} / {spread.p95:.0f} ms"


def _share(count: int, of: int) -> str:
    return f"{count} ({count / of:.0%})" if of else "-"


def _per_call(count: int, group: Group) -> str:
    return f"{count / group.calls:.2f}" if group.calls else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _cost(group: Group) -> str:
    return f"{group.cost_per_call:.4f} {group.currency}".strip() if group.calls else "-"


async def read(url: str, wanted: CallFilter) -> str:
    """The report on the calls of a database. Raises StoreError."""
    store = await Store.open(url)
    try:
        stats = await gather(store.calls, wanted, "path")
    finally:
        await store.close()
    more = "" if stats.is_whole else "\n(the newest calls only: there are too many)"
    return report(stats.groups) + more


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.ab_report", description=__doc__)
    parser.add_argument("--since", type=_moment, help="calls from this day or moment on (UTC)")
    parser.add_argument("--until", type=_moment, help="calls before this day or moment (UTC)")
    parser.add_argument("--agent", default="", help="calls of this agent only, by its id")
    given = parser.parse_args(arguments)
    wanted = CallFilter(agent=given.agent, since=given.since, until=given.until)
    try:
        print(asyncio.run(read(load_settings().store_url, wanted)))
    except (SettingsError, StoreError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
