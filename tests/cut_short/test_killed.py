"""The server is killed at every step of a booking: the next start finds all of it, or nothing."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.store import Store
from tests.cut_short.victim import Order, to_json
from tests.store.conftest import execute, postgres

__all__ = ["postgres"]

ROOT = Path(__file__).parent.parent.parent


def performed(orders: Sequence[Order]) -> list[dict[str, Any]]:
    """What one process found that carried out the orders, one after the other."""
    lines = "".join(f"{to_json(order)}\n" for order in orders)
    command = [sys.executable, "-m", "tests.cut_short.victim"]
    done = subprocess.run(command, cwd=ROOT, input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def an_empty_database(folder: Path) -> str:
    """The path of a file with all tables."""
    path = folder / "template.db"

    async def make() -> None:
        await (await Store.open(f"sqlite:///{path}")).close()

    asyncio.run(make())
    return str(path)


def killed_everywhere(first: Order, *others: Order, at_least: int) -> None:
    """Have the call killed at each of its steps, by as many processes as there are orders. All
    orders are alike but for folder and database."""
    (whole,) = performed([first])
    count = whole["steps"]
    assert count >= at_least, whole
    orders = (first, *others)
    shares = len(orders)

    def share(number: int) -> list[dict[str, Any]]:
        steps = range(count * number // shares + 1, count * (number + 1) // shares + 1)
        like = orders[number]
        return performed(
            [replace(like, folder=f"{like.folder}-{step}", kill_at=step) for step in steps]
        )

    with ThreadPoolExecutor(shares) as pool:
        results = [result for found in pool.map(share, range(shares)) for result in found]
    assert [result["steps"] for result in results] == [0] * count, "each was killed"
    wrong = [f"step {n}: {one['wrong']}" for n, one in enumerate(results, 1) if one["wrong"]]
    assert not wrong, "\n\n".join(wrong)


def test_killed_at_every_step_of_a_conversation(tmp_path: Path) -> None:
    template = an_empty_database(tmp_path)
    orders = (Order(f"{tmp_path}/{name}", 0, template=template) for name in "ab")
    killed_everywhere(*orders, at_least=200)


async def test_killed_with_another_database_at_all_that_is_done_to_it(
    postgres: str, tmp_path: Path
) -> None:
    """PostgreSQL takes back what a process that died has not committed."""
    orders = []
    for name in "ab":
        await execute(postgres, f"CREATE DATABASE killed_{name}")
        url = f"{postgres}/killed_{name}"
        orders.append(Order(f"{tmp_path}/{name}", 0, plan=("booked",), url=url))
    await asyncio.to_thread(killed_everywhere, *orders, at_least=40)
