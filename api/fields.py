"""Parameters and fields that several routes have, as strict as the OpenAPI document says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BeforeValidator, Field, StringConstraints
from pydantic.types import AwareDatetime

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?\d\d)", re.ASCII
)
_EXAMPLE = "2026-11-24T15:30:00+01:00"


def _moment(value: object) -> object:
    """A moment as ISO 8601 writes it, with its offset from UTC; not a number, as pydantic might."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError(f"expected a moment with its offset from UTC, like {_EXAMPLE}")
    return re.sub(r":60(?=[.,Zz+-])", ":59", value)  # a leap second


def _boolean(value: object) -> object:
    if value in ("true", "True") or value is True:
        return True
    if value in ("false", "False") or value is False:
        return False
    raise ValueError("expected true or false")


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC; the first or last that there is, if it would be beyond."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        edge = datetime.min if moment.year < 5000 else datetime.max
        return edge.replace(tzinfo=UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
Boolean = Annotated[bool, BeforeValidator(_boolean)]

CALL_ID = ITEM_ID = r"^[A-Za-z0-9_-]{1,64}$"
AGENT_ID = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
NUMBER = r"^[+ ]?[0-9]{3,15}$"
CURSOR = r"^[A-Za-z0-9_=-]{1,500}$"
PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""No control characters: no name has any, and a database may refuse them."""

CallId = Annotated[str, Path(pattern=CALL_ID, description="The call's id.")]
AgentId = Annotated[
    str, Path(pattern=AGENT_ID, description="The agent file's name without `.toml`.")
]
ItemId = Annotated[str, Path(pattern=ITEM_ID)]

AgentQuery = Annotated[
    str | None,
    Query(pattern=AGENT_ID, description="Of this agent only, by its id."),
]
NumberQuery = Annotated[
    str | None,
    Query(pattern=NUMBER, description="Of this telephone number only; its digits are compared."),
]
SinceQuery = Annotated[Moment | None, Query(description="From this moment on.")]
UntilQuery = Annotated[Moment | None, Query(description="Before this moment.")]
LimitQuery = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
CursorQuery = Annotated[
    str | None,
    Query(pattern=CURSOR, description="`next` of the page before; without it, the first page."),
]

PersonName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PLAIN)]
DialableNumber = Annotated[
    str, Field(pattern=r"^\+[1-9][0-9]{6,14}$", description="With its country, like +15551234567.")
]


def text_answer(media_type: str, description: str) -> dict[int | str, dict[str, Any]]:
    """The documentation of an answer that is a file, not JSON."""
    schema = {"type": "string"}
    content = {media_type: {"schema": schema}}
    return {200: {"description": description, "content": content}}
