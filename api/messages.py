"""``/messages``: what callers have left."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Query
from fastapi.routing import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api import fields
from api.calls import no_such_page
from api.connection import Refused
from api.errors import errors
from api.fields import (
    CALL_ID,
    AgentQuery,
    Boolean,
    CursorQuery,
    ItemId,
    LimitQuery,
    SinceQuery,
    UntilQuery,
)
from api.keys import ApiKeyGuard
from services.store import BadCursor, MessageFilter, Store, StoredMessage


class Message(BaseModel):
    """What a caller has left. `complete` is false for what a hang-up cut off."""

    id: str
    agent: str
    call_id: str
    caller: str = Field(description="The number that called.")
    name: str
    number: str = Field(description="The number to call back, as it was given.")
    text: str
    urgent: bool
    complete: bool
    at: datetime
    done_at: datetime | None = Field(description="When it was marked as dealt with.")


class MessagePage(BaseModel):
    """Messages, newest first."""

    items: list[Message]
    next: str | None = Field(description="Ask for the next page with `cursor`; null: it is over.")


class MessageChange(BaseModel):
    """Whether it was dealt with."""

    model_config = ConfigDict(extra="forbid")
    done: StrictBool


def build(guard: ApiKeyGuard, store: Callable[[], Store]) -> APIRouter:
    """The routes."""
    router = guard.router(tags=["messages"])

    @router.get("/messages", responses=errors(404))
    async def list_messages(
        agent: AgentQuery = None,
        call_id: Annotated[str | None, Query(pattern=CALL_ID)] = None,
        urgent: Annotated[Boolean | None, Query()] = None,
        done: Annotated[Boolean | None, Query()] = None,
        since: SinceQuery = None,
        until: UntilQuery = None,
        limit: LimitQuery = 50,
        cursor: CursorQuery = None,
    ) -> MessagePage:
        """Messages, newest first."""
        wanted = MessageFilter(
            agent=agent or "",
            call_id=call_id or "",
            since=fields.in_utc(since) if since else None,
            until=fields.in_utc(until) if until else None,
            urgent=urgent,
            done=done,
        )
        try:
            page = await store().messages.list(wanted, limit=limit, cursor=cursor or "")
        except BadCursor:
            raise no_such_page() from None
        return MessagePage(items=[_message(each) for each in page.items], next=page.next or None)

    @router.get("/messages/{message_id}", responses=errors(404))
    async def get_message(message_id: ItemId) -> Message:
        """One message."""
        return _there(await store().messages.get(message_id))

    @router.patch("/messages/{message_id}", responses=errors(404))
    async def mark_message(message_id: ItemId, change: MessageChange) -> Message:
        """Mark a message as dealt with, or as not."""
        return _there(await store().messages.mark(message_id, done=change.done))

    @router.delete("/messages/{message_id}", status_code=204, responses=errors(404))
    async def delete_message(message_id: ItemId) -> None:
        """Delete a message."""
        if not await store().messages.delete(message_id):
            raise _none()

    return router


def _there(message: StoredMessage | None) -> Message:
    if message is None:
        raise _none()
    return _message(message)


def _message(message: StoredMessage) -> Message:
    return Message(**{name: getattr(message, name) for name in Message.model_fields})


def _none() -> Refused:
    return Refused(404, "no_such_message", "There is no message with this id.")
