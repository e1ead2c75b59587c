"""The message book: once is once, restarts, torn lines, and what supersedes what."""

from __future__ import annotations

import logging
import stat
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.call.effects import KeepMessage
from services.receptionist.messages import MessageBook

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
WHOLE = KeepMessage("Bob", "5551234567", "Call me", True)
HALF = KeepMessage("", "", "Call me", False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "messages.jsonl"


def book(path: Path) -> MessageBook:
    return MessageBook(path, now=lambda: NOON)


def test_a_message_is_stored_with_all_that_is_known(path: Path) -> None:
    book(path).keep("CA1", "+15550001111", WHOLE)
    (stored,) = book(path).read()
    assert (stored.call_id, stored.caller, stored.time) == ("CA1", "+15550001111", NOON.isoformat())
    assert (stored.name, stored.number, stored.message) == ("Bob", "5551234567", "Call me")
    assert stored.complete


def test_an_empty_book(path: Path) -> None:
    assert book(path).read() == []


def test_storing_twice_stores_once_also_after_a_restart(path: Path) -> None:
    first = book(path)
    first.keep("CA1", "+1", WHOLE)
    first.keep("CA1", "+1", WHOLE)
    book(path).keep("CA1", "+1", WHOLE)
    assert len(path.read_text().splitlines()) == 1
    book(path).keep("CA2", "+1", WHOLE)
    assert len(book(path).read()) == 2


@pytest.mark.parametrize("order", [[HALF, WHOLE], [WHOLE, HALF]])
def test_a_complete_message_supersedes_its_half(path: Path, order: list[KeepMessage]) -> None:
    for message in order:
        book(path).keep("CA1", "+1", message)
    assert [stored.complete for stored in book(path).read()] == [True]


def test_another_half_message_stays(path: Path) -> None:
    other = KeepMessage("", "", "Something else", False)
    for message in (WHOLE, other):
        book(path).keep("CA1", "+1", message)
    book(path).keep("CA2", "+1", HALF)
    assert [stored.message for stored in book(path).read()] == [
        "Call me",
        "Something else",
        "Call me",
    ]


def test_a_fuller_half_supersedes_a_lesser_one(path: Path) -> None:
    fuller = KeepMessage("Bob", "", "Call me", False)
    for message in (HALF, fuller):
        book(path).keep("CA1", "+1", message)
    assert [stored.name for stored in book(path).read()] == ["Bob"]


def test_a_torn_line_costs_only_itself(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    book(path).keep("CA1", "+1", WHOLE)
    with path.open("a") as file:
        file.write('{"id": "torn", "message": "secret wo')
    book(path).keep("CA2", "+1", WHOLE)
    with caplog.at_level(logging.WARNING):
        assert [stored.call_id for stored in book(path).read()] == ["CA1", "CA2"]
    assert "line 2" in caplog.text
    assert "secret" not in caplog.text


def test_odd_words_survive(path: Path) -> None:
    odd = KeepMessage("Zoë\n", "", 'line\u2028 "quoted" \ud83d', True)
    with pytest.raises(UnicodeEncodeError):
        book(path).keep("CA1", "+1", odd)
    fine = KeepMessage("Zoë\n", "", 'line\u2028 "quoted" 👍', True)
    book(path).keep("CA1", "+1", fine)
    (stored,) = book(path).read()
    assert (stored.name, stored.message) == (fine.name, fine.message)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_may_read_it(path: Path) -> None:
    book(path).keep("CA1", "+1", WHOLE)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_threads(path: Path) -> None:
    shared = book(path)
    threads = [
        threading.Thread(target=shared.keep, args=(f"CA{number % 10}", "+1", WHOLE))
        for number in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(path.read_text().splitlines()) == len(shared.read()) == 10
