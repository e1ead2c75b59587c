"""The fault table: every fault of every vendor, for how long, and what the caller noticed of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from unittest import mock

from tests.faults import verdict
from tests.faults.call import Report, hold, left_behind
from tests.faults.caller import PROMPTS
from tests.faults.rows import ROWS
from tests.faults.side_by_side import side_by_side, tasks_here
from tests.faults.trials import ALWAYS, NOTHING, Lasts, Row, Trial
from tests.faults.world import World, world
from tests.virtual_time import run_virtual

AGAIN_MS = 600
"""So much longer the first answer of the next caller may take, for each vendor that is down. Where
words come late, 220 of it are those by which no answer can be begun eagerly."""
_WARM_WITHIN_S = 5.5
"""Not a whole number of a voice's time-outs: httpx loses its connection if it is cancelled in the
very step in which it is being cleaned up after another cancellation."""
_AT_ONCE = 24  # worlds on one loop: its selector takes a thousand sockets at most
AGAIN = "hours"
"""What the next caller says."""
_GONE = "the connection is gone without a CloseStream or a close"


@dataclass(frozen=True, slots=True)
class Cell:
    """One place in the table."""

    row: Row
    trial: Trial
    lasts: Lasts
    has_embedded: bool = True

    @property
    def name(self) -> str:
        without = "" if self.has_embedded else ", no embedded engines"
        return f"{self.row.name}: {self.trial.name} ({self.lasts.value}{without})"


@dataclass(slots=True)
class Outcome:
    """What became of a cell. ``again_ms``: the wait for the first answer in a second call."""

    cell: Cell
    who: list[str] = field(default_factory=list)
    waits_ms: list[float | None] = field(default_factory=list)
    again_ms: float | None = None
    told: Counter[str] = field(default_factory=Counter)
    said_twice: bool = False
    problems: list[str] = field(default_factory=list)
    report: Report | None = None


def cells() -> Iterator[Cell]:
    """All of them, row by row."""
    for row in ROWS:
        yield Cell(row, NOTHING, Lasts.ONCE)
        for trial in row.trials:
            if not row.only_for_good:
                yield Cell(row, trial, Lasts.ONCE)
            yield Cell(row, trial, Lasts.CALL)
            if trial.everywhere:
                yield Cell(row, trial, Lasts.VENDOR)
        for trial in row.trials:
            if trial.is_whole:
                yield Cell(row, trial, Lasts.START)
                yield Cell(row, trial, Lasts.VENDOR, has_embedded=False)


async def _try(cell: Cell, folder: Path) -> Outcome:
    """Hold the cell's calls."""
    trial, outcome = cell.trial, Outcome(cell)
    kind = replace(cell.row.kind, has_embedded=cell.has_embedded, has_interims=trial.has_interims)
    is_everywhere = cell.lasts in {Lasts.VENDOR, Lasts.START}
    strike = (trial.everywhere if is_everywhere else None) or trial.strike

    is_from_start = cell.lasts is Lasts.START

    async def before(here: World) -> None:
        if cell.row.before:
            await cell.row.before.strike(here, ALWAYS)
        if is_from_start:
            await strike(here, ALWAYS)

    async with world(kind, folder, before) as here:
        tasks = tasks_here()
        if cell.lasts is Lasts.ONCE:
            await _once(cell, here, outcome)
        else:
            if not is_from_start:
                await strike(here, ALWAYS)
            await _for_good(cell, here, outcome)
        outcome.problems += await left_behind(here, tasks)
        outcome.problems += _errors(cell, here, outcome)
    left = tasks_here() - {asyncio.current_task()}
    outcome.problems += [f"left running: {task.get_name()}" for task in left]
    return outcome


async def _once(cell: Cell, here: World, outcome: Outcome) -> None:
    trial, simulator = cell.trial, cell.row.simulator(here)

    async def strike() -> None:
        await trial.strike(here, 1)
        if trial.cuts:
            here.cut(simulator)

    async def mend() -> None:
        if trial.is_down:
            await here.open_again(simulator)

    if trial.moment == "start":
        await strike()
    report = await hold(here, hooks={trial.moment: strike, "heard": mend})
    _judge(cell, here, outcome, report, all_right=True)
    told = Counter({code: n for code, n in outcome.told.items() if code not in cell.row.codes})
    outcome.problems += _wrongly_told_once(trial, told)


def _wrongly_told_once(trial: Trial, told: Counter[str]) -> Iterator[str]:
    """Each fault must have been told once, and nothing else but the test's own cut."""
    is_cut = trial.cuts or trial.is_down
    of_fault = sum(told[code] for code in trial.codes)
    if (of_fault < 1) if trial.is_down else (of_fault != int(trial.is_told)):
        yield f"the fault was told {of_fault} times"
    if trial.cuts and "1006" not in trial.codes and told["1006"] != 1:
        yield f"the cut was told {told['1006']} times"
    yield from (
        f"told of {one}" for one in told if one not in trial.codes | ({"1006"} if is_cut else set())
    )


async def _for_good(cell: Cell, here: World, outcome: Outcome) -> None:
    """A call, and another whose caller asks something when the failure has just been met."""
    noticed, trial = asyncio.Event(), cell.trial
    if cell.lasts is Lasts.START and cell.row.layer == "tts":  # the lines ahead have met it
        noticed.set()
    # Three answers in a row that nobody can speak end a call: nobody is kept in a broken one.
    prompts = () if cell.has_embedded else PROMPTS[:2]
    # The next caller asks when it is known that neither the socket nor the requests work.
    is_all = cell.lasts is Lasts.VENDOR and cell.row.name == "elevenlabs socket"
    failures = 2 if is_all and cell.has_embedded else int(trial.is_told)
    first = asyncio.create_task(hold(here, prompts, noticed=noticed, failures=failures))
    first.add_done_callback(lambda _: noticed.set())
    if cell.row.layer == "stt":
        await noticed.wait()  # each call finds out for itself whether the socket it has is deaf
    again = await asyncio.create_task(hold(here, [AGAIN], speaks=noticed))
    _judge(cell, here, outcome, await first, all_right=False)
    outcome.told += Counter(again.failures)
    outcome.problems += [f"again: {one}" for one in verdict.problems(again, all_right=False)]
    outcome.again_ms = again.turns[0].wait_ms if again.turns else None
    known = trial.codes | cell.row.codes
    outcome.problems += [f"told of {code}" for code in outcome.told if code not in known]
    if trial.is_told and not here.engines.failures:
        outcome.problems.append("nothing was told")
    if here.met and outcome.told.total() > here.met:
        outcome.problems.append(f"{here.met} faults, told {outcome.told.total()} times")


def _judge(cell: Cell, here: World, outcome: Outcome, report: Report, *, all_right: bool) -> None:
    outcome.report = report
    outcome.waits_ms = [turn.wait_ms for turn in report.turns]
    outcome.told = Counter(report.failures)
    outcome.said_twice = verdict.said_twice(report)
    outcome.who = [
        verdict.who(cell.row.layer, here, report, number) for number in range(len(report.turns))
    ]
    outcome.problems += verdict.problems(report, all_right=all_right)
    if len(report.turns) < (len(PROMPTS) if cell.has_embedded else 2):
        outcome.problems.append(f"the call ended after {len(report.turns)} turns")


def _errors(cell: Cell, here: World, outcome: Outcome) -> list[str]:
    """What the simulators found wrong with their client. A socket that has failed is dropped
    without a word, and only that."""
    gone = [error for error in here.errors if _GONE in error]
    if cell.row.layer == "stt" and len(gone) <= outcome.told.total():
        gone = []
    wrong = [error for error in here.errors if _GONE not in error] + gone
    return [f"a simulator says: {error}" for error in wrong]


# --- all of it ------------------------------------------------------------------------------------


def outcomes(wanted: Sequence[Cell], folder: Path) -> list[Outcome]:
    """What becomes of these cells. ``folder``: for the lines that are rendered ahead."""
    rows = {cell.row.name: cell.row for cell in wanted}
    normal = _hold([Cell(row, NOTHING, Lasts.ONCE) for row in rows.values()], folder)
    for result in normal:
        assert not result.problems, f"{result.cell.name}: {result.problems}"
    normal_ms = {result.cell.row.name: result.waits_ms[1] or 0.0 for result in normal}
    found: list[Outcome] = []
    for at in range(0, len(wanted), _AT_ONCE):
        found += _hold(wanted[at : at + _AT_ONCE], folder)
    for result in found:
        row = result.cell.row
        most_ms = normal_ms[row.name] + AGAIN_MS * row.vendors
        has_a_way = result.cell.trial.is_told and result.cell.has_embedded
        if has_a_way and (result.again_ms or 0.0) > most_ms:
            result.problems.append(f"again: {result.again_ms:.0f} ms of silence")
    return found


def _hold(some: Sequence[Cell], folder: Path) -> list[Outcome]:
    """All of these side by side."""
    works = [_try(cell, _folder_of(cell, folder)) for cell in some]
    with (
        mock.patch("services.engines.choice.WARM_WITHIN_S", _WARM_WITHIN_S),
        mock.patch("services.vendors.openai_errors._HOST", "127.0.0.1"),  # OpenAI is here, too
    ):
        results, complaints = run_virtual(side_by_side(works))
    outcomes = [
        result
        if isinstance(result, Outcome)
        else Outcome(cell, problems=[f"{type(result).__name__}: {result}"])
        for cell, result in zip(some, results, strict=True)
    ]
    outcomes[0].problems += [f"here or beside it: {one}" for one in complaints]
    return outcomes


def _folder_of(cell: Cell, folder: Path) -> Path:
    """Nothing is rendered yet where a vendor is down from the start."""
    is_fresh = cell.lasts is Lasts.START
    return Path(mkdtemp(dir=folder)) if is_fresh else folder / "rendered"


def lines(results: Sequence[Outcome]) -> Iterator[str]:
    """The table, for people."""
    head = (
        "vendor",
        "fault",
        "lasts",
        "who answered",
        "wait ms",
        "again",
        "failures told",
        "said twice",
        "",
    )
    rows = [head, *(_line(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _line(result: Outcome) -> tuple[str, ...]:
    cell = result.cell
    told = ", ".join(f"{code} x{n}" if n > 1 else code for code, n in result.told.items())
    first_who = result.who[0] if result.who else "-"
    return (
        cell.row.name,
        cell.trial.name,
        cell.lasts.value + ("" if cell.has_embedded else ", bare"),
        first_who if len(set(result.who)) < 2 else " | ".join(result.who),
        " ".join("-" if wait is None else f"{wait:.0f}" for wait in result.waits_ms),
        "" if result.again_ms is None else f"{result.again_ms:.0f}",
        told or "none",
        "YES" if result.said_twice else "no",
        "ok" if not result.problems else "FAIL",
    )
