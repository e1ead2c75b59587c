"""What is too old is deleted: rows, journals and recordings, and nothing else."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from services.records.retention import DAY_S, Files, Retention
from services.store import Deleted, StoreError
from tests.virtual_time import run_virtual

NOW = 1_800_000_000.0


class Shelf:
    """A store with one old call."""

    def __init__(self, *names: str) -> None:
        self.asked: list[int] = []
        self.failures: list[Exception] = []
        self._names = names

    async def delete_older(self, days: int) -> Deleted:
        self.asked.append(days)
        if self.failures:
            raise self.failures.pop()
        return Deleted(calls=1, files=self._names)


def folder(path: Path, *names: str) -> Files:
    files = Files(path)
    for name in names:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
        os.utime(file, (NOW, NOW))
    return files


def left(path: Path) -> set[str]:
    return {str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()}


def test_files_of_deleted_calls_go_wherever_they_are_said_to_be(tmp_path: Path) -> None:
    files = folder(tmp_path, "calls/a.jsonl", "calls/b.jsonl", "recordings/a.wav", "secret.txt")
    names = ("a.jsonl,b.jsonl", "/elsewhere/a.wav", "../secret.txt", "none.jsonl")
    shelf = Shelf(*names)
    asyncio.run(Retention(lambda: shelf, files, 30, lambda: NOW).delete_now())
    assert shelf.asked == [30]
    assert left(tmp_path) == {"secret.txt"}


def test_journals_of_a_number_are_found_without_the_database(tmp_path: Path) -> None:
    names = ("theirs", "ours", "now")
    files = folder(tmp_path, *(f"calls/{name}.jsonl" for name in names), "recordings/theirs.wav")
    for name, number in zip(names, ("15551234567", "15557654321", "15551234567"), strict=True):
        journal = tmp_path / "calls" / f"{name}.jsonl"
        journal.write_text(f'{{"note":"started"}}\n{{"caller":"+{number}"}}\n')
        os.utime(journal, (NOW, NOW - 5 if name == "now" else NOW - DAY_S))
    found = files.of_number("+1 (555) 123-4567", NOW)
    assert found == ["theirs.jsonl", "theirs.wav"]
    assert files.delete(found) == 2
    assert files.of_number("4567", NOW + DAY_S) == []


def test_files_that_no_call_has_go_when_they_are_old(tmp_path: Path) -> None:
    files = folder(tmp_path, "calls/old.jsonl", "calls/new.jsonl", "receptionist.db")
    old = NOW - 31 * DAY_S
    os.utime(tmp_path / "calls/old.jsonl", (old, old))
    os.utime(tmp_path / "receptionist.db", (old, old))
    asyncio.run(Retention(Shelf, files, 30, lambda: NOW).delete_now())
    assert left(tmp_path) == {"calls/new.jsonl", "receptionist.db"}


def test_once_a_day_and_again_soon_after_a_failure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shelf = Shelf()
    shelf.failures.append(StoreError("words"))

    async def work() -> None:
        task = asyncio.create_task(Retention(lambda: shelf, Files(tmp_path), 7).run())
        await asyncio.sleep(1)
        assert len(shelf.asked) == 1
        await asyncio.sleep(3600)
        assert len(shelf.asked) == 2
        await asyncio.sleep(DAY_S)
        assert len(shelf.asked) == 3
        task.cancel()

    run_virtual(work())
    assert "StoreError" in caplog.text
    assert "words" not in caplog.text


def test_zero_days_keep_everything(tmp_path: Path) -> None:
    shelf = Shelf()
    asyncio.run(Retention(lambda: shelf, Files(tmp_path), 0).run())
    assert shelf.asked == []


def test_a_name_finds_only_files_of_the_two_folders(tmp_path: Path) -> None:
    files = folder(tmp_path, "calls/a.jsonl", "secret.txt")
    assert files.find("a.jsonl,../secret.txt,,..") == [tmp_path / "calls" / "a.jsonl"]
