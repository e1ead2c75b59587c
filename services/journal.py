"""The journal: every event and effect of a call with its time, one JSON line each.

Latency figures, the captions of the talk page and replay are folds over it. What a person said
stands only under ``"words"``, so that a reader, a log pipe or ``JOURNAL_WORDS=false`` can leave it
out.
Audio is written down as its length and its pauses; a slice of a reply is known by its number, its
offset and its length.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import orjson

from services.call import events
from services.call.alignment import quiet_parts, with_quiet_parts
from services.call.briefing import Briefing
from services.call.effects import Effect, Speaker, Turn
from services.call.events import Event
from services.call.timings import Timings

log = logging.getLogger(__name__)

VERSION = 1
GATHER_S = 0.25
"""What a crash of the process may cost of a journal; within it lines are gathered."""
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)  # for Windows
_PRIVATE = 0o600  # a journal holds what people said
Entry = tuple[float, Event, list[Effect]]

_EVENT_TYPES: dict[str, Any] = {kind.__name__: kind for kind in get_args(Event)}
_SOUNDS = frozenset({events.AudioProduced, events.FillerReady})


class JournalError(ValueError):
    """A stored journal cannot be read; the text says where and why."""


# --- to and from JSON -----------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Turn):
        said = [value.speaker.value, value.text]
        return [*said, value.unheard] if value.unheard else said
    return value


_FIELDS: dict[Any, tuple[tuple[str, bool], ...]] = {
    kind: tuple((field.name, "words" in field.metadata) for field in dataclasses.fields(kind))
    for kind in get_args(Event) + get_args(Effect)
}
"""Of each event and effect the names of its fields, and whether they hold words."""


def encode(item: Event | Effect, *, with_words: bool = True) -> dict[str, Any]:
    """An event or effect as a JSON object: type and fields, the spoken ones under "words"."""
    plain: dict[str, Any] = {"type": type(item).__name__}
    said: dict[str, Any] = {}
    for name, holds_words in _FIELDS[type(item)]:
        place = said if holds_words else plain
        place[name] = _plain(getattr(item, name))
    if type(item) in _SOUNDS and (parts := quiet_parts(item.audio)):  # type: ignore[union-attr]
        plain["quiet"] = parts
    if said and with_words:
        plain["words"] = said
    return plain


def decode_event(line: Mapping[str, Any]) -> Event:
    """The event of a journal line. Audio comes back as some sound with the same pauses.

    Raises JournalError if the line holds no event of this version.
    """
    values = {**line, **line.get("words", {})}
    kind = _EVENT_TYPES.get(values.pop("type", ""))
    if kind is None:
        raise JournalError(f"unknown event {line.get('type')!r}")
    values.pop("words", None)
    quiet = values.pop("quiet", ())
    hints = get_type_hints(kind)
    try:
        for name, value in values.items():
            if isinstance(value, list):
                values[name] = tuple(_items(value, hints[name]))
            elif hints[name] is bytes:
                values[name] = with_quiet_parts(value, quiet)
            elif isinstance(hints[name], type) and issubclass(hints[name], Enum):
                values[name] = hints[name](value)
        event: Event = kind(**values)
        return event
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(f"{line.get('type')}: {error}; was it written without words?") from None


def _items(values: list[Any], hint: Any) -> Iterator[Any]:
    """The items of a tuple, which are tuples themselves or turns."""
    for value in values:
        if get_args(hint)[0] is Turn:
            speaker, *said = value
            yield Turn(Speaker(speaker), *said)
        else:
            yield tuple(value)


# --- writing --------------------------------------------------------------------------------------


Line = Callable[[], dict[str, Any]]
"""Makes a line's JSON object; called in the writer's thread."""


class JournalWriter:
    """Writes the lines of all calls in one thread, so that no call waits for a disk. A moment's
    lines are made and written together: that costs a tenth of doing it one by one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lines: queue.SimpleQueue[tuple[str, Line] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._failed = ""  # the file that was complained of
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def write(self, name: str, line: Line) -> None:
        """Append a line to the file ``name``. Never blocks."""
        self._lines.put((name, line))

    def close(self) -> None:
        """Write what is left, then stop."""
        self._closing.set()
        self._lines.put(None)
        self._thread.join()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            batch = [self._lines.get()]
            self._closing.wait(GATHER_S)
            while not self._lines.empty():
                batch.append(self._lines.get())
            goes_on = None not in batch
            files: dict[str, list[bytes]] = {}
            for item in batch:
                if item is not None:
                    name, line = item
                    files.setdefault(name, []).append(_json(line))
            for name, lines in files.items():
                self._append(name, b"".join(lines))

    def _append(self, name: str, text: bytes) -> None:
        try:  # without a file object: it takes longer to make one than to write
            file = os.open(os.path.join(self.folder, name), _APPEND, _PRIVATE)
            try:
                while text:
                    text = text[os.write(file, text) :]
            finally:
                os.close(file)
        except (OSError, ValueError) as error:  # a full disk must not end a call
            if name != self._failed:
                log.error("journal %s cannot be written: %s", name, error)
            self._failed = name


def _json(line: Line) -> bytes:
    try:
        return orjson.dumps(line(), option=orjson.OPT_APPEND_NEWLINE)
    except Exception as error:  # half a surrogate pair, for one; the thread must go on
        log.error("a line of a journal cannot be written: %s", error)
        return b'{"note":"a line that cannot be written"}\n'


class Journal:
    """The journal of one call: written line by line, and handed to those who watch."""

    def __init__(
        self,
        call_id: str,
        agent: str,
        timings: Timings,
        writer: JournalWriter | None = None,
        briefing: Briefing | None = None,
        *,
        with_words: bool = True,
        path: str = "stream",
    ) -> None:
        """``path``: how the call is held; only a stream's journal can be replayed."""
        now = datetime.now(UTC)
        self.name = f"{now:%Y%m%dT%H%M%S%f}-{call_id}.jsonl"
        self._writer = writer
        self._with_words = with_words
        self._watchers: list[Callable[[float, Event, list[Effect]], None]] = []
        header = {
            "journal": VERSION,
            "call": call_id,
            "agent": agent,
            "path": path,
            "started": now.isoformat(timespec="milliseconds"),
            "timings": dataclasses.asdict(timings),
            "briefing": (briefing or Briefing()).as_dict(),
        }
        self._write(lambda: header)

    def watch(self, watcher: Callable[[float, Event, list[Effect]], None]) -> None:
        """Call ``watcher(now, event, effects)`` for every entry from now on."""
        self._watchers.append(watcher)

    def append(self, now: float, event: Event, effects: list[Effect]) -> None:
        """Write down what happened and what followed. ``now``: seconds since the call's start."""
        words = self._with_words
        self._write(
            lambda: {
                "t": now,
                "event": encode(event, with_words=words),
                "effects": [encode(effect, with_words=words) for effect in effects],
            }
        )
        for watcher in self._watchers:
            watcher(now, event, effects)

    def note(self, now: float, text: str, **details: float | str) -> None:
        """Write down something that the core neither caused nor saw."""
        self._write(lambda: {"t": now, "note": text, **details})

    def _write(self, line: Line) -> None:
        if self._writer is not None:
            self._writer.write(self.name, line)


# --- reading --------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class StoredEntry:
    """A line of a stored journal: the time, the event, and the effects as they were written."""

    now: float
    event: Event
    effects: list[dict[str, Any]]


def read_journal(lines: Iterable[str]) -> tuple[dict[str, Any], Iterator[StoredEntry]]:
    """The header and the entries of a stored journal. Raises JournalError, with the line."""
    numbered = enumerate(lines, start=1)
    _, first = next(numbered, (1, ""))
    header = _parse(first, 1)
    if header.get("journal") != VERSION:
        raise JournalError(f"line 1: not a call's journal of version {VERSION}")
    return header, _entries(numbered)


def _entries(numbered: Iterator[tuple[int, str]]) -> Iterator[StoredEntry]:
    for number, text in numbered:
        line = _parse(text, number)
        if "note" in line:
            continue
        try:
            yield StoredEntry(float(line["t"]), decode_event(line["event"]), line["effects"])
        except (KeyError, TypeError, ValueError) as error:
            raise JournalError(f"line {number}: {error}") from None


def _parse(text: str, number: int) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        raise JournalError(f"line {number}: not JSON") from None
    if not isinstance(line, dict):
        raise JournalError(f"line {number}: expected a JSON object")
    return line
