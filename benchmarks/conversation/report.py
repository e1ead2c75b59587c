"""Moments added up, and the tables made of them: plain text that is Markdown as well."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.conversation.acceptance import Verdict
from benchmarks.conversation.audible import Moment
from benchmarks.conversation.measures import MEASURES
from benchmarks.conversation.timeline import Timeline


@dataclass(slots=True)
class Score:
    """All moments of many calls, by measure."""

    calls: int = 0
    turns: int = 0
    seconds: float = 0.0
    moments: dict[str, list[Moment]] = field(default_factory=dict)
    skipped: int = 0

    def add(self, call: Timeline) -> None:
        self.calls += 1
        self.turns += sum(sound.kind.takes_the_floor for sound in call.sounds)
        self.seconds += call.ended
        self.skipped += len(call.skipped)
        for name, measure in MEASURES.items():
            self.moments.setdefault(name, []).extend(measure(call))


def score(calls: Iterable[Timeline]) -> Score:
    """The calls added up."""
    total = Score()
    for call in calls:
        total.add(call)
    return total


def failures(call: Timeline, measured: Container[str] = MEASURES) -> list[str]:
    """What went wrong in a call, in order of time, for people who look for the reason."""
    wrong = [
        (moment.at, name, moment.what)
        for name, measure in MEASURES.items()
        if name in measured and name not in {"pauses", "steps"}
        for moment in measure(call)
        if moment.failed
    ]
    lines = [f"{at:8.2f} s  {name}: {what}" for at, name, what in sorted(wrong)]
    return lines + [f"      end  {what}" for what in call.skipped]


# --- cells ----------------------------------------------------------------------------------------


def _share(moments: Sequence[Moment]) -> str:
    wrong = sum(moment.failed for moment in moments)
    return f"{wrong}/{len(moments)} ({100 * wrong / len(moments):.0f} %)" if moments else "-"


def _count(moments: Sequence[Moment]) -> str:
    return f"{sum(moment.failed for moment in moments)}/{len(moments)}" if moments else "-"


def _ms(moments: Sequence[Moment]) -> str:
    """Median and 95th percentile, in ms."""
    values = [1000 * moment.value for moment in moments if moment.value is not None]
    if not values:
        return "-"
    return f"{np.median(values):.0f} / {np.percentile(values, 95):.0f}"


def _most_ms(moments: Sequence[Moment]) -> str:
    values = [1000 * moment.value for moment in moments if moment.value is not None]
    return f"{max(values):.0f}" if values else "-"


def _words(moments: Sequence[Moment]) -> str:
    values = [moment.value for moment in moments if moment.value is not None]
    return f"{sum(values):.0f}" if values else "-"


def _most(moments: Sequence[Moment]) -> str:
    values = [moment.value for moment in moments if moment.value is not None]
    return f"{np.mean(values):.1f} / {max(values):.0f}" if values else "-"


Cell = Callable[[Sequence[Moment]], str]

Row = tuple[str, str, Cell]
"""Its title, the measure, and how its moments are shown."""

ROWS: tuple[Row, ...] = (
    ("false cut-offs, of turns", "cut-offs", _share),
    ("pauses in which the agent began", "pauses", _share),
    ("added wait, ms (median / p95)", "waits", _ms),
    ("end of turn decided after, ms (median / p95)", "decisions", _ms),
    ("response, ms (median / p95)", "responses", _ms),
    ("turns without an answer", "waits", _count),
    ('nagged after "just a second"', "naggings", _count),
    ("caller's words not taken down", "caller's words", _count),
    ("missed interruptions", "interruptions", _count),
    ("first voiced frame to silence, ms (median / p95)", "holds", _ms),
    ("first voiced frame to silence, ms at most", "holds", _most_ms),
    ("silence after a command, ms at most", "command silences", _most_ms),
    ("false interruptions", "false interruptions", _count),
    ("recovery, ms (median / p95)", "recoveries", _ms),
    ("recovery, ms at most", "recoveries", _most_ms),
    ("silence for nothing, ms (median / p95)", "gaps", _ms),
    ("pauses never gone on from", "recoveries", _count),
    ("words lost or repeated on resuming", "resumed words", _words),
    ("heard-text error, words (mean / most)", "heard errors", _most),
    ("answers to a noise", "answers to nothing", _count),
    ("answers begun that nobody heard", "wasted", _count),
    ("what the caller could not do or say", "steps", _count),
)


# --- tables ---------------------------------------------------------------------------------------


def by_policy(scores: Mapping[str, Score], rows: Sequence[Row] = ROWS) -> str:
    """Measures down, policies across."""
    cells = [
        [title, *(cell(total.moments.get(name, [])) for total in scores.values())]
        for title, name, cell in rows
    ]
    return table(["measure", *scores], cells)


def by_limit(verdicts: Sequence[Verdict]) -> str:
    """The limits, what was measured, and on how many moments."""
    rows = [
        [
            verdict.line.name,
            f"{verdict.line.most:g} {verdict.line.unit}".strip(),
            f"{verdict.value:.0f} {verdict.line.unit}".strip(),
            str(verdict.of),
            "kept" if verdict.is_kept else f"broken {len(verdict.broken_by) or ''}".strip(),
        ]
        for verdict in verdicts
    ]
    return table(["limit", "at most", "measured", "moments", ""], rows)


def by_family(families: Mapping[str, Score], measured: Container[str] = MEASURES) -> str:
    """Subjects of calls down, the chief measures across."""
    chosen: tuple[Row, ...] = (
        ("cut off", "cut-offs", _count),
        ("response, ms", "responses", _ms),
        ("no answer", "waits", _count),
        ("missed", "interruptions", _count),
        ("held, ms", "holds", _most_ms),
        ("given up", "false interruptions", _count),
        ("gone on, ms", "recoveries", _most_ms),
        ("words", "resumed words", _words),
        ("heard", "heard errors", _most),
    )
    chosen = tuple(row for row in chosen if row[1] in measured)
    head = ["calls about", "turns", *(title for title, _, _ in chosen)]
    rows = [
        [
            name,
            str(total.turns),
            *(cell(total.moments[key]) for _, key, cell in chosen),
        ]
        for name, total in families.items()
    ]
    return table(head, rows)


def by_pause(scores: Mapping[str, Score]) -> str:
    """Lengths of pauses down, policies across: in how many the agent began to speak."""
    rows = []
    lengths = {
        round(moment.value, 1)
        for total in scores.values()
        for moment in total.moments["pauses"]
        if moment.value is not None
    }
    for length in sorted(lengths):
        rows.append(
            [
                f"{length:.1f} s",
                *(
                    _count(
                        [
                            moment
                            for moment in total.moments["pauses"]
                            if moment.value is not None and round(moment.value, 1) == length
                        ]
                    )
                    for total in scores.values()
                ),
            ]
        )
    return table(["pause", *scores], rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are in line."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return f"| {' | '.join(padded)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([line(head), rule, *(line(row) for row in rows)])
