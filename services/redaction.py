"""Personal data stays out of the log: telephone numbers, e-mail addresses and card numbers in any
line are masked before it is written, whoever has logged it.

We do not log such things ourselves; but a library may, and an error's text may hold what was sent.
"""

from __future__ import annotations

import copy
import logging
import re

NUMBER, ADDRESS = "<number>", "<e-mail>"

_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_DIGITS = re.compile(
    r"(?<!\w)"  # a call's id is no number
    r"(?:\+\d{5,}|\+?\(?\d(?:[ ().\-/]{0,2}\d){6,18})"
    r"(?!\w)"
)
_NO_NUMBER = re.compile(
    r"\d{4}-\d\d-\d\d(?!\d)|"  # a date
    r"\d{1,3}(?:\.\d{1,3}){3}(?!\d)|"  # an IPv4 address
    r"\d{1,7}(?:\.\d+)?\)?$|"  # a count, a process, a length of time
    r"\d+\.\d+\)?$"
)


def redact(text: str) -> str:
    """The text with what may be a person's number or address masked.

    A number is 7 digits or more with something between them, 8 or more without, or 5 or more after
    a plus sign.
    """
    if "@" in text:
        text = _ADDRESS.sub(ADDRESS, text)
    return _DIGITS.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    return found[0] if _NO_NUMBER.match(found[0]) else NUMBER


class RedactingFormatter(logging.Formatter):
    """Does what another formatter does, with message and traceback redacted."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback after it."""
        message = record.getMessage()
        clean = redact(message)
        if clean != message or record.exc_info or record.exc_text:
            record = copy.copy(record)  # other handlers see what was logged
            if clean != message:
                record.msg, record.args = clean, None
                record.__dict__.pop("color_message", None)  # uvicorn's other spelling of it
            if record.exc_info and not record.exc_text:
                record.exc_text = self._inner.formatException(record.exc_info)
            record.exc_text = redact(record.exc_text) if record.exc_text else None
        return self._inner.format(record)


def install() -> None:
    """Have every handler that there is redact its lines. Once is enough; twice does no harm."""
    known = logging.root.manager.loggerDict.values()
    loggers = [each for each in known if isinstance(each, logging.Logger)]
    for logger in (logging.root, *loggers):
        for handler in logger.handlers:
            if not isinstance(handler.formatter, RedactingFormatter):
                handler.setFormatter(RedactingFormatter(handler.formatter or logging.Formatter()))
