"""The message book: what callers left for the business, one line of JSON each.

Lines are only ever added. A message is the same if call, words, name and number are; its id is
made of them, so storing it twice, in this process or after a restart, stores it once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from services.call.effects import KeepMessage

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it stands in the book. ``time`` is ISO 8601 with its offset."""

    id: str
    time: str
    call_id: str
    caller: str
    name: str
    number: str
    message: str
    complete: bool

    def supersedes(self, other: StoredMessage) -> bool:
        """Whether this one tells all that an incomplete one of the same call tells."""
        if other.complete or other.call_id != self.call_id or other.id == self.id:
            return False
        is_fuller = self.complete or len(self._told) > len(other._told)
        return is_fuller and all(told in self._told for told in other._told)

    @property
    def _told(self) -> tuple[tuple[str, str], ...]:
        fields = (("name", self.name), ("number", self.number), ("message", self.message))
        return tuple((field, value) for field, value in fields if value)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MessageBook:
    """A file of messages. Its methods block for as long as the disk takes; any thread may call
    them.

    The file holds what callers said and is made readable for its owner only.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = _utc_now) -> None:
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._ids: set[str] | None = None

    def keep(self, call_id: str, caller: str, message: KeepMessage) -> None:
        """Store a message, unless the book has it. Raises OSError if the disk refuses it."""
        identity = [call_id, message.name, message.number, message.message, message.complete]
        key = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:16]
        with self._lock:
            if self._ids is None:
                self._ids = {stored.id for stored in self._lines()}
            if key in self._ids:
                return
            time = self._now().isoformat(timespec="seconds")
            stored = StoredMessage(
                id=key,
                time=time,
                call_id=call_id,
                caller=caller,
                name=message.name,
                number=message.number,
                message=message.message,
                complete=message.complete,
            )
            self._append(json.dumps(asdict(stored), ensure_ascii=False))
            self._ids.add(key)

    def read(self) -> list[StoredMessage]:
        """All messages, oldest first, without the incomplete ones that a fuller one supersedes."""
        with self._lock:
            stored = list({message.id: message for message in self._lines()}.values())
        by_call: dict[str, list[StoredMessage]] = {}
        for message in stored:
            by_call.setdefault(message.call_id, []).append(message)
        return [
            message
            for message in stored
            if not any(other.supersedes(message) for other in by_call[message.call_id])
        ]

    def _append(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for_owner_only = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(for_owner_only, "ab+") as file:
            if file.tell():  # a crash may have torn the last line off
                file.seek(-1, os.SEEK_END)
                line = line if file.read() == b"\n" else f"\n{line}"
            file.write(f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def _lines(self) -> list[StoredMessage]:
        """What the file holds; a line that a crash left half written is passed over."""
        if not self._path.exists():
            return []
        stored: list[StoredMessage] = []
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                try:
                    stored.append(StoredMessage(**json.loads(line)))
                except (ValueError, TypeError):
                    log.warning("%s: line %d is no message and was passed over", self._path, number)
        return stored
