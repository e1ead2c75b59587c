"""The tables. A change here needs a migration in ``migrations/versions``; a test compares both."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from services.store.columns import UtcTime, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


def _text(name: str) -> Column[Any]:
    return Column(name, Words, nullable=False, default="")


def _time(name: str, *, nullable: bool = False) -> Column[Any]:
    return Column(name, UtcTime, nullable=nullable)


def _of_call() -> Column[Any]:
    """The call that a row is part of, and goes with."""
    return Column("call_id", Words, ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)


calls = Table(
    "calls",
    metadata,
    Column("id", Words, primary_key=True),
    _text("sid"),
    _text("agent"),
    _text("direction"),
    _text("path"),
    _text("caller"),
    _text("caller_tail"),
    _text("called"),
    _text("called_tail"),
    _text("state"),
    _time("started_at"),
    _time("answered_at", nullable=True),
    _time("ended_at", nullable=True),
    _text("end_reason"),
    _text("outcome"),
    _text("intent"),
    _text("sentiment"),
    _text("language"),
    _text("summary"),
    _text("purpose"),
    Column("idempotency_key", Words, unique=True),
    _text("answered_by"),
    _text("machine"),
    Column("cost", JSON, nullable=False, default=dict),
    Column("figures", JSON, nullable=False, default=dict),
    _text("recording"),
    _text("journal"),
    _text("error"),
    Index("ix_calls_started_at", "started_at", "id"),
    Index("ix_calls_agent", "agent", "started_at"),
    Index("ix_calls_state", "state"),
    Index("ix_calls_sid", "sid"),
    Index("ix_calls_caller_tail", "caller_tail"),
    Index("ix_calls_called_tail", "called_tail"),
)

turns = Table(
    "turns",
    metadata,
    _of_call(),
    Column("number", Integer, primary_key=True, autoincrement=False),
    _text("speaker"),
    _text("heard"),
    _text("unheard"),
    Column("at_ms", BigInteger, nullable=False),
    Column("interrupted", Boolean, nullable=False),
    Column("latencies", JSON, nullable=False),
)

tool_calls = Table(
    "tool_calls",
    metadata,
    _of_call(),
    Column("key", Words, primary_key=True),
    _text("tool"),
    Column("arguments", JSON, nullable=False),
    _text("code"),
    _text("text"),
    Column("at_ms", BigInteger, nullable=False),
    Column("ms", BigInteger, nullable=False),
)

bookings = Table(
    "bookings",
    metadata,
    Column("id", Words, primary_key=True),
    _text("agent"),
    _text("service"),
    _time("starts_at"),
    _time("ends_at"),
    _text("state"),
    Column("lanes", Integer, nullable=False),
    _text("name"),
    _text("name_key"),
    _text("number"),
    _text("number_tail"),
    _text("call_id"),
    Column("hold_key", Words),
    _time("held_until", nullable=True),
    _text("replaces"),
    Column("sequence", Integer, nullable=False, default=0),
    _time("created_at"),
    _time("changed_at"),
    UniqueConstraint("call_id", "hold_key"),
    Index("ix_bookings_starts_at", "starts_at", "id"),
    Index("ix_bookings_agent", "agent", "starts_at"),
    Index("ix_bookings_state", "agent", "state"),
    Index("ix_bookings_number_tail", "number_tail"),
    Index("ix_bookings_replaces", "replaces"),
)

booking_cells = Table(
    "booking_cells",
    metadata,
    Column("agent", Words, primary_key=True),
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("cell_start", UtcTime, primary_key=True),
    Column("booking_id", Words, ForeignKey("bookings.id", ondelete="CASCADE"), nullable=False),
    Index("ix_booking_cells_booking_id", "booking_id"),
)
"""Five minutes that a booking or hold covers, in one of the agent's lanes. The primary key is what
makes a double booking impossible."""

messages = Table(
    "messages",
    metadata,
    Column("id", Words, primary_key=True),
    Column("key", Words, nullable=False, unique=True),
    _text("agent"),
    _text("call_id"),
    _text("caller"),
    _text("caller_tail"),
    _text("name"),
    _text("number"),
    _text("number_tail"),
    _text("text"),
    Column("urgent", Boolean, nullable=False),
    Column("complete", Boolean, nullable=False),
    _time("at"),
    _time("done_at", nullable=True),
    _time("deleted_at", nullable=True),
    Index("ix_messages_at", "at", "id"),
    Index("ix_messages_call_id", "call_id"),
    Index("ix_messages_caller_tail", "caller_tail"),
    Index("ix_messages_number_tail", "number_tail"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("agent"),
    _text("call_id"),
    _text("caller"),
    _text("name"),
    _text("person"),
    _text("number"),
    _text("reason"),
    _text("urgency"),
    _text("handling"),
    _text("by"),
    _text("state"),
    _time("asked_at"),
    _time("dialled_at", nullable=True),
    _time("accepted_at", nullable=True),
    _time("settled_at", nullable=True),
    Index("ix_escalations_call_id", "call_id"),
    Index("ix_escalations_state", "state"),
)

texts = Table(
    "texts",
    metadata,
    Column("call_id", Words, primary_key=True),
    Column("key", Words, primary_key=True),
    _text("to"),
    _text("to_tail"),
    _text("body"),
    _text("state"),
    _text("sid"),
    _text("error"),
    _time("at"),
    _time("settled_at", nullable=True),
    Index("ix_texts_to_tail", "to_tail"),
    Index("ix_texts_state", "state"),
)
