"""What is older than RETENTION_DAYS is deleted, once a day: rows, journals and recordings."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from services.store import Deleted

log = logging.getLogger(__name__)

DAY_S = 86_400.0
AGAIN_S = 3_600.0
"""When to try again after a failure."""
_TAIL = 8
"""Digits by which numbers are told apart, however they are written."""
_BEGINNING_BYTES = 4096
"""Of a journal; who calls stands there."""
_BEING_WRITTEN_S = 600.0
"""A journal that was written to since may be that of a call that goes on."""


class Shredder(Protocol):
    """What is needed of ``services.store.Store``."""

    async def delete_older(self, days: int) -> Deleted: ...


class Files:
    """The journals and recordings of calls: ``calls`` and ``recordings`` in the data folder. A call
    has them on record by their names, several with commas between them."""

    def __init__(self, data_dir: Path) -> None:
        self._folders = data_dir / "calls", data_dir / "recordings"

    @property
    def journals(self) -> Path:
        return self._folders[0]

    @property
    def recordings(self) -> Path:
        return self._folders[1]

    def find(self, names: str) -> list[Path]:
        """The files that there are; nothing outside the two folders."""
        found = []
        for name in filter(None, names.split(",")):
            plain = Path(name).name
            found += [path for folder in self._folders if (path := folder / plain).is_file()]
        return found

    def delete(self, names: Iterable[str]) -> int:
        """Delete files; how many there were. Blocks."""
        return _unlink(path for each in names for path in self.find(each))

    def of_number(self, number: str, now: float) -> list[str]:
        """Journals that begin with a call of this number, and their recordings, by name: a call
        that the database could not take has only these. Those that are being written are left
        out. ``now``: seconds since 1970. Blocks."""
        digits = re.sub(r"[^0-9]", "", number)[-_TAIL:].encode()
        if len(digits) < _TAIL or not self.journals.is_dir():
            return []
        journals = [
            path
            for path in self.journals.glob("*.jsonl")
            if path.stat().st_mtime < now - _BEING_WRITTEN_S and digits in _beginning(path)
        ]
        return [name for path in journals for name in (path.name, f"{path.stem}.wav")]

    def delete_older(self, days: int, now: float) -> int:
        """Delete files that nobody has written to for so many days: their call may never have come
        on record. ``now``: seconds since 1970. Blocks."""
        before = now - days * DAY_S
        return _unlink(
            path
            for folder in self._folders
            if folder.is_dir()
            for path in folder.iterdir()
            if path.is_file() and path.stat().st_mtime < before
        )


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_BEGINNING_BYTES)
    except OSError:
        return b""


def _unlink(paths: Iterable[Path]) -> int:
    count = 0
    for path in paths:
        try:
            path.unlink(missing_ok=True)
            count += 1
        except OSError as error:
            log.error("%s cannot be deleted: %s", path.name, error.strerror)
    return count


class Retention:
    """The daily task."""

    def __init__(
        self,
        store: Callable[[], Shredder],
        files: Files,
        days: int,
        now: Callable[[], float] = time.time,
    ) -> None:
        """``days``: 0 keeps everything. ``now``: seconds since 1970."""
        self._store = store
        self._files = files
        self._days = days
        self._now = now

    async def run(self) -> None:
        """At once, then every day, until cancelled."""
        while self._days:
            try:
                await self.delete_now()
                pause_s = DAY_S
            except Exception as error:  # the database may be away for a while
                log.error("what is too old could not be deleted: %s", type(error).__name__)
                pause_s = AGAIN_S
            await asyncio.sleep(pause_s)

    async def delete_now(self) -> Deleted:
        """Delete what is too old."""
        deleted = await self._store().delete_older(self._days)
        files = await asyncio.to_thread(self._delete_files, deleted.files)
        if deleted.calls or deleted.messages or files:
            log.info(
                "older than %d days and deleted: %d calls, %d messages, %d texts, %d files",
                self._days,
                deleted.calls,
                deleted.messages,
                deleted.texts,
                files,
            )
        return deleted

    def _delete_files(self, names: Iterable[str]) -> int:
        return self._files.delete(names) + self._files.delete_older(self._days, self._now())
