"""``/calls``: what is on record of active and past calls, and what can be done with them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path as FilePath
from typing import Annotated, Protocol

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from api import fields
from api.call_models import (
    CallDetail,
    CallPage,
    Direction,
    State,
    detail,
    item,
)
from api.call_models import Path as CallPath
from api.connection import Refused
from api.errors import errors
from api.fields import (
    AgentQuery,
    Boolean,
    CallId,
    CursorQuery,
    DialableNumber,
    LimitQuery,
    NumberQuery,
    PersonName,
    SinceQuery,
    UntilQuery,
)
from api.keys import ApiKeyGuard
from services.records.outcome import Outcome
from services.records.retention import Files
from services.store import BadCursor, CallFilter, CallState, Deleted, Store, StoredCall
from services.store import Direction as StoredDirection
from services.switchboard.call_orders import NoSuchCall, NotPossible


class Orders(Protocol):
    """Does things with live calls; see ``services.switchboard.call_orders``."""

    async def transfer(self, call_id: str, to: str) -> str: ...
    async def hang_up(self, call_id: str) -> None: ...


class Live(Protocol):
    """The calls in progress; see ``services.office``."""

    def state(self, call_id: str) -> tuple[str, str] | None: ...


class ToPerson(BaseModel):
    """Put through to one of the agent's people, by name."""

    model_config = ConfigDict(extra="forbid")
    person: PersonName = Field(examples=["Maria"])


class ToNumber(BaseModel):
    """Put through to a telephone number."""

    model_config = ConfigDict(extra="forbid")
    number: DialableNumber = Field(examples=["+15551234567"])


class Ordered(BaseModel):
    """It was ordered; the call's record will tell how it went."""

    id: str
    to: str | None = Field(default=None, description="Who the caller is put through to.")


class Erased(BaseModel):
    """What was deleted, in numbers.

    What stays: bookings that are still to come, with name and number (cancel them first, or delete
    again when they are over); calls that are not over; of past bookings their times; and what was
    said of the person in calls of others.
    """

    calls: int
    messages: int
    texts: int
    bookings: int = Field(description="Past bookings whose names and numbers were taken out.")
    upcoming: int = Field(description="Bookings that are still to come: they stay.")
    active: int = Field(description="Calls that are not over: they stay.")
    files: int = Field(description="Journals and recordings.")


def build(
    guard: ApiKeyGuard, store: Callable[[], Store], live: Live, orders: Orders, files: Files
) -> APIRouter:
    """The routes. ``store`` gives the database, which is opened after this was called."""
    router = guard.router(tags=["calls"])
    _reading(router, store, live)
    _files(router, store, files)
    _ordering(router, orders)
    _deleting(router, store, files)
    return router


async def _call(store: Store, call_id: str) -> StoredCall:
    if call := await store.calls.get(call_id):
        return call
    raise Refused(404, "no_such_call", "There is no call with this id on record.")


def _reading(router: APIRouter, store: Callable[[], Store], live: Live) -> None:
    @router.get("/calls", responses=errors(404))
    async def list_calls(
        agent: AgentQuery = None,
        number: NumberQuery = None,
        direction: Annotated[Direction | None, Query()] = None,
        path: Annotated[CallPath | None, Query()] = None,
        state: Annotated[State | None, Query()] = None,
        active: Annotated[
            Boolean | None, Query(description="Calls that are not over, or only those that are.")
        ] = None,
        outcome: Annotated[Outcome | None, Query()] = None,
        since: SinceQuery = None,
        until: UntilQuery = None,
        limit: LimitQuery = 50,
        cursor: CursorQuery = None,
    ) -> CallPage:
        """Active and past calls, newest first."""
        wanted = CallFilter(
            agent=agent or "",
            number=number or "",
            direction=StoredDirection(direction) if direction else None,
            path=path,
            state=CallState(state) if state else None,
            active=active,
            outcome=outcome or "",
            since=fields.in_utc(since) if since else None,
            until=fields.in_utc(until) if until else None,
        )
        try:
            page = await store().calls.list(wanted, limit=limit, cursor=cursor or "")
        except BadCursor:
            raise no_such_page() from None
        return CallPage(items=[item(call) for call in page.items], next=page.next or None)

    @router.get("/calls/{call_id}", responses=errors(404))
    async def get_call(call_id: CallId) -> CallDetail:
        """All that is on record of a call: status, transcript, tools, latencies, cost."""
        books = store()
        call = await _call(books, call_id)
        return detail(
            call,
            await books.calls.turns(call_id),
            await books.calls.tools(call_id),
            await books.escalations.of_call(call_id),
            live.state(call_id),
        )


def _files(router: APIRouter, store: Callable[[], Store], files: Files) -> None:
    @router.get(
        "/calls/{call_id}/journal",
        response_class=Response,
        responses={
            **errors(404),
            **fields.text_answer("application/x-ndjson", "One JSON object a line."),
        },
    )
    async def get_journal(call_id: CallId) -> Response:
        """The call's journal: everything that happened, with its time. If the caller came back from
        a transfer there are several, one after the other."""
        call = await _call(store(), call_id)
        found = files.find(call.journal)
        if not found:
            raise Refused(404, "no_journal", "The journal of this call is not there any more.")
        text = await asyncio.to_thread(_read, found)
        return Response(text, media_type="application/x-ndjson")

    @router.get(
        "/calls/{call_id}/recording",
        response_class=FileResponse,
        responses={
            **errors(404),
            **fields.text_answer("audio/wav", "Stereo: left the caller, right the agent."),
        },
    )
    async def get_recording(
        call_id: CallId,
        part: Annotated[
            int,
            Query(ge=1, le=100, description="A call that came back from a transfer has several."),
        ] = 1,
    ) -> FileResponse:
        """The call's recording, if calls of this agent are recorded."""
        call = await _call(store(), call_id)
        found = files.find(call.recording)
        if len(found) < part:
            raise Refused(404, "no_recording", "There is no recording of this call, or part of it.")
        return FileResponse(found[part - 1], media_type="audio/wav", filename=f"{call_id}.wav")


def _read(paths: list[FilePath]) -> bytes:
    return b"".join(path.read_bytes() for path in paths)


def _ordering(router: APIRouter, orders: Orders) -> None:
    @router.post("/calls/{call_id}/hangup", status_code=202, responses=errors(404, 409, 502))
    async def hang_up(call_id: CallId) -> Ordered:
        """End a live call."""
        try:
            await orders.hang_up(call_id)
        except (NoSuchCall, NotPossible) as error:
            raise _cannot(error) from None
        return Ordered(id=call_id)

    @router.post("/calls/{call_id}/transfer", status_code=202, responses=errors(404, 409, 502))
    async def transfer(call_id: CallId, to: ToPerson | ToNumber) -> Ordered:
        """Put a live call through to a person of the agent's file, or to a number."""
        try:
            who = await orders.transfer(
                call_id, to.person if isinstance(to, ToPerson) else to.number
            )
        except (NoSuchCall, NotPossible) as error:
            raise _cannot(error) from None
        return Ordered(id=call_id, to=who)


def _deleting(router: APIRouter, store: Callable[[], Store], files: Files) -> None:
    @router.delete("/calls/{call_id}", responses=errors(404, 409))
    async def delete_call(call_id: CallId) -> Erased:
        """Delete a call that is over: its record, messages, journal and recording."""
        books = store()
        call = await _call(books, call_id)
        if call.state is not CallState.ENDED:
            message = "The call is not over yet. Hang it up first."
            raise Refused(409, "call_is_active", message)
        return await _erase(await books.delete_call(call_id), files)

    @router.delete("/callers/{number}")
    async def delete_caller(
        number: Annotated[
            str,
            Path(
                pattern=r"^\+?[0-9]{7,15}$",
                description="The number, with its country if possible, like +15551234567; without "
                "it, all numbers that end in these digits.",
            ),
        ],
    ) -> Erased:
        """Delete everything that is known of a number: calls, messages, texts, journals and
        recordings, and the names in past bookings."""
        deleted = await store().delete_number(number)
        lone = await asyncio.to_thread(files.of_number, number, time.time())
        return await _erase(deleted, files, lone)


async def _erase(deleted: Deleted, files: Files, lone: Sequence[str] = ()) -> Erased:
    """``lone``: files of calls that are not on record."""
    count = await asyncio.to_thread(files.delete, [*deleted.files, *lone])
    return Erased(
        calls=deleted.calls,
        messages=deleted.messages,
        texts=deleted.texts,
        bookings=deleted.bookings,
        upcoming=deleted.upcoming,
        active=deleted.active,
        files=count,
    )


def no_such_page() -> Refused:
    """The refusal of a cursor that no page gave."""
    return Refused(404, "no_such_page", "No page gave this cursor. Begin without one.")


def _cannot(error: NoSuchCall | NotPossible) -> Refused:
    if isinstance(error, NoSuchCall):
        return Refused(404, "no_such_call", str(error))
    status = 502 if error.code == "carrier_refused" else 409
    return Refused(status, error.code, str(error))
