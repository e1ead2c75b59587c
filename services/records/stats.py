"""Figures over time, out of the records: by path, by day and path, or by agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from services.records.figures import Spread, spreads
from services.store import CallFilter, Page, StoredCall

By = Literal["path", "day", "agent"]
MOST_CALLS = 20_000
"""Beyond these the older ones are left out."""
_PAGE = 50
"""Calls that are read at once: the calls in progress wait meanwhile, for some ms."""


class CallList(Protocol):
    """What is needed of ``services.store.Calls``."""

    async def list(
        self, wanted: CallFilter, *, limit: int = 50, cursor: str = ""
    ) -> Page[StoredCall]: ...


@dataclass(slots=True)
class Group:
    """The figures of some calls. ``cost`` is in the settings' currency of the time."""

    path: str = ""
    day: str = ""
    agent: str = ""
    calls: int = 0
    seconds: float = 0.0
    interruptions: int = 0
    silence_prompts: int = 0
    over_target: int = 0
    talk_ms: float = 0.0
    listen_ms: float = 0.0
    cost: float = 0.0
    currency: str = ""
    outcomes: Counter[str] = field(default_factory=Counter)
    latencies: list[dict[str, float | None]] = field(default_factory=list)

    def add(self, call: StoredCall) -> None:
        """Count a call in."""
        figures, cost = call.figures, call.cost
        self.calls += 1
        self.seconds += float(figures.get("seconds") or 0)
        self.interruptions += int(figures.get("interruptions") or 0)
        self.silence_prompts += int(figures.get("silence_prompts") or 0)
        self.over_target += int(figures.get("over_target") or 0)
        self.talk_ms += float(figures.get("talk_ms") or 0)
        self.listen_ms += float(figures.get("listen_ms") or 0)
        self.latencies += figures.get("latencies") or []
        self.cost += float(cost.get("total") or 0)
        self.currency = str(cost.get("currency") or self.currency)
        if call.outcome:
            self.outcomes[call.outcome] += 1

    @property
    def turns(self) -> int:
        return len(self.latencies)

    @property
    def latency_ms(self) -> dict[str, Spread]:
        """Stage -> spread."""
        return spreads(self.latencies)

    @property
    def talk_to_listen(self) -> float | None:
        return round(self.talk_ms / self.listen_ms, 2) if self.listen_ms else None

    @property
    def cost_per_call(self) -> float:
        return round(self.cost / self.calls, 6) if self.calls else 0.0


@dataclass(frozen=True, slots=True)
class Stats:
    """``is_whole``: whether no call was left out."""

    groups: Sequence[Group]
    is_whole: bool


async def gather(calls: CallList, wanted: CallFilter, by: By) -> Stats:
    """The groups, in order of their names; days in UTC, each path of a day a group of its own."""
    groups: dict[tuple[str, ...], Group] = {}
    cursor, count = "", 0
    while True:
        page = await calls.list(wanted, limit=_PAGE, cursor=cursor)
        for call in page.items:
            group = _new_group(call, by)
            groups.setdefault((group.day, group.path, group.agent), group).add(call)
        count, cursor = count + len(page.items), page.next
        if not cursor or count >= MOST_CALLS:
            return Stats([groups[key] for key in sorted(groups)], is_whole=not cursor)


def _new_group(call: StoredCall, by: By) -> Group:
    if by == "agent":
        return Group(agent=call.agent)
    day = call.started_at.date().isoformat() if by == "day" else ""
    return Group(path=call.path, day=day)


def as_dict(group: Group) -> dict[str, Any]:
    """For JSON."""
    return {
        "path": group.path or None,
        "day": group.day or None,
        "agent": group.agent or None,
        "calls": group.calls,
        "turns": group.turns,
        "minutes": round(group.seconds / 60, 2),
        "latency_ms": {stage: each.as_dict() for stage, each in group.latency_ms.items()},
        "interruptions": group.interruptions,
        "silence_prompts": group.silence_prompts,
        "over_target": group.over_target,
        "talk_to_listen": group.talk_to_listen,
        "outcomes": dict(sorted(group.outcomes.items())),
        "cost": {
            "currency": group.currency or None,
            "total": round(group.cost, 6),
            "per_call": group.cost_per_call,
        },
    }
