"""Personal data is masked in the log, whoever has logged it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from services import redaction
from services.redaction import redact


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("from +15551234567", "from <number>"),
        ("to:+15551234567,+441632960961", "to:<number>,<number>"),
        ("call 555-0142 now", "call <number> now"),
        ("call (555) 123-4567 now", "call <number> now"),
        ("call 555.123.4567", "call <number>"),
        ("at 0151 2345 6789.", "at <number>."),
        ("card 4111 1111 1111 1111", "card <number>"),
        ("card 4111111111111111", "card <number>"),
        ("anna.bell+x@mail.example.com wrote", "<e-mail> wrote"),
        ("{'From': '+15551234567'}", "{'From': '<number>'}"),
    ],
)
def test_numbers_and_addresses_are_masked(text: str, clean: str) -> None:
    assert redact(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "call CA0123456789abcdef0123456789abcdef: started (twilio)",
        "20261121T180134123456-CA1.jsonl",
        "2026-11-21 18:01:34,123 INFO",
        "since 2026-11-21",
        "pid [123456]",
        "pid [4194304]",
        "from 192.168.10.200:8000",
        "10.0 s, 3 turns, median response 640 ms",
        "took 1234567.891 s",
        "1, 2, 3, 4, 5, 6, 7, 8, 9",
        "object at 0x7f12345678ab",
        "version 3.11.7",
        "http://localhost:8000/",
    ],
)
def test_what_is_no_number_of_a_person_stays(text: str) -> None:
    assert redact(text) == text


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of its own with a handler that is redacted."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("tests.redaction")
    logger.addHandler(handler)
    redaction.install()
    yield logger, stream
    logger.removeHandler(handler)


def test_each_line_of_a_handler_is_masked(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    logger.warning("call from %s (%d)", "+15551234567", 7)
    line = stream.getvalue()
    assert line.endswith("WARNING call from <number> (7)\n")
    assert line.startswith("20"), "the date is not masked"


def test_tracebacks_are_masked(log: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = log
    try:
        raise ValueError("no such number: +15551234567, anna@example.com")
    except ValueError:
        logger.exception("failed")
    assert "ValueError: no such number: <number>, <e-mail>" in stream.getvalue()
    assert "Traceback" in stream.getvalue()


def test_other_handlers_see_what_was_logged(
    log: tuple[logging.Logger, io.StringIO], caplog: pytest.LogCaptureFixture
) -> None:
    log[0].warning("from %s", "+15551234567")
    assert caplog.records[-1].getMessage() == "from +15551234567"


def test_twice_is_once(log: tuple[logging.Logger, io.StringIO]) -> None:
    formatter = log[0].handlers[0].formatter
    redaction.install()
    assert log[0].handlers[0].formatter is formatter
