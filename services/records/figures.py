"""How fast and how well calls go: per call, over the last hour, and of the event loop.

A call's figures stand in its record, those of the last hour in memory; longer ones are made out of
the records (``/stats``, ``python -m services.ab_report``).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import ceil

import numpy as np

from services.records.latency import TurnLatency

STAGES = tuple(item.name for item in fields(TurnLatency) if item.name != "reply") + ("total",)
"""Of a turn's latency; each in ms after the caller's last voiced frame."""

WINDOW_S = 3600.0
_MOST = 20_000
"""Turns that are kept of the last hour, if there were more."""


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest of the values that ``share`` (0 to 1) of them do not exceed; None of none."""
    return _at(sorted(values), share)


def _at(ordered: Sequence[float] | np.ndarray, share: float) -> float | None:
    count = len(ordered)
    return float(ordered[max(0, ceil(share * count) - 1)]) if count else None


@dataclass(frozen=True, slots=True)
class Spread:
    """How values lie: how many there are, their median and what 95 of 100 do not exceed."""

    count: int
    p50: float | None
    p95: float | None

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of these values, rounded to 0.1."""
        # numpy lets other threads run while it sorts: there may be 100,000s of values.
        ordered = np.sort(np.fromiter(values, np.float64))
        return cls(len(ordered), _rounded(_at(ordered, 0.5)), _rounded(_at(ordered, 0.95)))

    def as_dict(self) -> dict[str, float | None]:
        """For JSON."""
        return {"count": self.count, "p50": self.p50, "p95": self.p95}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def spreads(turns: Iterable[Mapping[str, float | None]]) -> dict[str, Spread]:
    """Stage -> spread, of the latencies of turns as :meth:`TurnLatency.as_dict` gives them; stages
    that no turn has come to are left out."""
    values: dict[str, list[float]] = {}
    for turn in turns:
        for stage in STAGES:
            if (value := turn.get(stage)) is not None:
                values.setdefault(stage, []).append(value)
    return {stage: Spread.of(values[stage]) for stage in STAGES if stage in values}


@dataclass(slots=True)
class CallFigures:
    """The figures of one call, as far as it has come.

    ``latencies``: of the answered turns. ``interruptions``: replies that the caller cut off.
    ``silence_prompts``: how often we asked whether the caller was still there. ``talk_ms``: of the
    agent's audio what was heard; ``listen_ms``: how long the caller spoke.
    """

    latencies: list[dict[str, float | None]] = field(default_factory=list)
    interruptions: int = 0
    silence_prompts: int = 0
    misunderstandings: int = 0
    over_target: int = 0
    talk_ms: int = 0
    listen_ms: float = 0.0

    @property
    def waits_ms(self) -> list[float]:
        """What the caller waited for each answer."""
        totals = (turn["total"] for turn in self.latencies)
        return [total for total in totals if total is not None]

    @property
    def talk_to_listen(self) -> float | None:
        """How much more the agent talks than the caller; None if the caller never spoke."""
        return round(self.talk_ms / self.listen_ms, 2) if self.listen_ms else None

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        stages = spreads(self.latencies)
        return {
            "turns": len(self.latencies),
            "latency_ms": {stage: spread.as_dict() for stage, spread in stages.items()},
            "interruptions": self.interruptions,
            "silence_prompts": self.silence_prompts,
            "misunderstandings": self.misunderstandings,
            "over_target": self.over_target,
            "talk_ms": self.talk_ms,
            "listen_ms": round(self.listen_ms),
            "talk_to_listen": self.talk_to_listen,
        }


class Figures:
    """The turns of the last hour, of all calls."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` gives seconds."""
        self._clock = clock
        self._turns: deque[tuple[float, str, float]] = deque(maxlen=_MOST)

    def add(self, path: str, wait_ms: float) -> None:
        """A turn was answered after so long. ``path``: stream or record."""
        self._turns.append((self._clock(), path, wait_ms))

    def waits(self, within_s: float = WINDOW_S) -> dict[str, Spread]:
        """Path -> how long callers waited for answers in the last so many seconds, up to an
        hour."""
        now = self._clock()
        while self._turns and self._turns[0][0] < now - WINDOW_S:
            self._turns.popleft()
        values: dict[str, list[float]] = {}
        for at, path, wait_ms in reversed(self._turns):
            if at < now - within_s:
                break
            values.setdefault(path, []).append(wait_ms)
        return {path: Spread.of(waits) for path, waits in sorted(values.items())}
