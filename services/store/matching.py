"""How names and numbers are compared, and pages found again."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Column, ColumnElement, and_, or_

from services.store.errors import BadCursor
from services.store.records import Page

T = TypeVar("T")

_TAIL = 8
"""Digits that tell numbers apart whether or not they are written with their country's code."""
MAX_PAGE = 500


def digits(number: str) -> str:
    return "".join(char for char in number if char in "0123456789")


def tail(number: str) -> str:
    """What an index finds numbers by: the last digits; those of one number are the same."""
    return digits(number)[-_TAIL:]


def same_number(one: str, other: str) -> bool:
    """Whether two ways of writing a number are the same by their digits: with or without the code
    of the country and the zeros before it."""
    short, long = sorted((digits(one).lstrip("0"), digits(other).lstrip("0")), key=len)
    if short == long:
        return bool(short)
    return len(short) >= _TAIL and long.endswith(short)


def name_key(name: str) -> str:
    """A name without case and odd blanks."""
    return " ".join(name.casefold().split())


def page_of(items: Sequence[T], limit: int, place: Callable[[T], tuple[datetime, str]]) -> Page[T]:
    """The page, out of one item more than it takes."""
    if len(items) <= limit:
        return Page(items)
    moment, item_id = place(items[limit - 1])
    cursor = json.dumps([moment.isoformat(), item_id]).encode()
    return Page(items[:limit], base64.urlsafe_b64encode(cursor).decode().rstrip("="))


def page_limit(limit: int) -> int:
    return min(max(limit, 1), MAX_PAGE)


def after_cursor(
    cursor: str, moment: Column[datetime], item_id: Column[str], *, descending: bool
) -> ColumnElement[bool]:
    """The condition for the rows that follow the cursor's. Raises BadCursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, last_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        since = datetime.fromisoformat(at)
        if since.tzinfo is None or not isinstance(last_id, str):
            raise ValueError
    except (ValueError, TypeError, OverflowError, binascii.Error):
        raise BadCursor("this is no cursor; take the one that the last page gave") from None
    if descending:
        return or_(moment < since, and_(moment == since, item_id < last_id))
    return or_(moment > since, and_(moment == since, item_id > last_id))
