"""``/bookings``: the appointments, and the calendar feed of each agent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from api import fields
from api.calls import no_such_page
from api.connection import Refused
from api.errors import ErrorAnswer, ErrorDetail, errors
from api.fields import (
    CALL_ID,
    PLAIN,
    AgentId,
    AgentQuery,
    CursorQuery,
    ItemId,
    LimitQuery,
    Moment,
    NumberQuery,
    SinceQuery,
    UntilQuery,
)
from api.keys import ApiKeyGuard
from services.rebooking import CannotMove, move
from services.receptionist import ics
from services.receptionist.agent import Agent
from services.receptionist.books import Booking, BookingState, NoSuchBooking
from services.store import BadCursor, BookingFilter, Store

FEED_DAYS = 60
"""How far back a calendar feed goes."""

StateName = Literal["held", "confirmed", "cancelled", "expired"]


class BookingItem(BaseModel):
    """An appointment. Times are in UTC."""

    id: str
    agent: str
    service: str
    starts_at: datetime
    ends_at: datetime
    state: StateName
    name: str
    number: str
    call_id: str
    held_until: datetime | None
    sequence: int = Field(description="Counts its changes.")
    created_at: datetime | None
    changed_at: datetime | None


class BookingPage(BaseModel):
    """Bookings, soonest first."""

    items: list[BookingItem]
    next: str | None = Field(description="Ask for the next page with `cursor`; null: it is over.")


class BookingChange(BaseModel):
    """Another time for an appointment; its length stays."""

    model_config = ConfigDict(extra="forbid")
    starts_at: Moment = Field(
        description="With its offset from UTC.", examples=["2026-11-24T15:30:00+01:00"]
    )


class Conflict(ErrorAnswer):
    """Why an appointment stays where it is, and other starts that are free."""

    alternatives: list[datetime]


def build(
    guard: ApiKeyGuard,
    store: Callable[[], Store],
    agent_of: Callable[[str], Agent | None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> APIRouter:
    """The routes. ``agent_of`` gives an agent by its id, if there is one; ``now`` an aware time."""
    router = guard.router(tags=["bookings"])
    _reading(router, store)
    _changing(router, store, agent_of, now)
    both = APIRouter()
    both.include_router(router)
    both.include_router(_feeds(guard, store, agent_of, now))
    return both


def _reading(router: APIRouter, store: Callable[[], Store]) -> None:
    @router.get("/bookings", responses=errors(404))
    async def list_bookings(
        agent: AgentQuery = None,
        state: Annotated[StateName, Query()] = "confirmed",
        number: NumberQuery = None,
        name: Annotated[
            str | None,
            Query(min_length=1, max_length=100, pattern=PLAIN, description="A part of the name."),
        ] = None,
        call_id: Annotated[str | None, Query(pattern=CALL_ID)] = None,
        since: SinceQuery = None,
        until: UntilQuery = None,
        limit: LimitQuery = 50,
        cursor: CursorQuery = None,
    ) -> BookingPage:
        """Bookings that end after `since` and begin before `until`, soonest first."""
        wanted = BookingFilter(
            agent=agent or "",
            states=(BookingState(state),),
            since=fields.in_utc(since) if since else None,
            until=fields.in_utc(until) if until else None,
            name=name or "",
            number=number or "",
            call_id=call_id or "",
        )
        try:
            page = await store().appointments.list(wanted, limit=limit, cursor=cursor or "")
        except BadCursor:
            raise no_such_page() from None
        return BookingPage(items=[_item(each) for each in page.items], next=page.next or None)

    @router.get("/bookings/{booking_id}", responses=errors(404))
    async def get_booking(booking_id: ItemId) -> BookingItem:
        """One booking. One that was cancelled is only in the list, with `state=cancelled`."""
        booking = await store().appointments.get(booking_id)
        if booking is None or booking.state is BookingState.CANCELLED:
            raise _none()
        return _item(booking)


def _changing(
    router: APIRouter,
    store: Callable[[], Store],
    agent_of: Callable[[str], Agent | None],
    now: Callable[[], datetime],
) -> None:
    @router.patch(
        "/bookings/{booking_id}",
        response_model=BookingItem,
        responses={
            **errors(404),
            409: {"model": Conflict, "description": "It cannot be then; these starts are free."},
        },
    )
    async def move_booking(booking_id: ItemId, change: BookingChange) -> BookingItem | JSONResponse:
        """Move a confirmed booking to another time, within the opening hours and where it is
        free. It keeps its id."""
        book = store().appointments
        booking = await book.get(booking_id)
        if booking is None:
            raise _none()
        agent = agent_of(booking.agent)
        if agent is None:
            message = f"The agent {booking.agent} has no file any more: its hours are not known."
            return _conflict("no_agent", message, [])
        try:
            start = fields.in_utc(change.starts_at).replace(second=0, microsecond=0)
            return _item(await move(book, agent, booking_id, start, now()))
        except NoSuchBooking:
            raise _none() from None
        except CannotMove as error:
            return _conflict(error.code, str(error), error.alternatives)

    @router.delete("/bookings/{booking_id}", responses=errors(404))
    async def cancel_booking(booking_id: ItemId) -> BookingItem:
        """Cancel a booking, or give up a hold. Cancelling it again changes nothing."""
        book = store().appointments
        booking = await book.get(booking_id)
        if booking is not None and booking.state is BookingState.HELD:
            await book.release(booking_id)
            booking = await book.get(booking_id)
            if booking is not None:
                return _item(booking)
        try:
            return _item(await book.cancel(booking_id))
        except NoSuchBooking:
            raise _none() from None


def _feeds(
    guard: ApiKeyGuard,
    store: Callable[[], Store],
    agent_of: Callable[[str], Agent | None],
    now: Callable[[], datetime],
) -> APIRouter:
    """The calendar feeds, which have keys of their own: no calendar program sends headers."""
    router = APIRouter(tags=["bookings"])

    @router.get(
        "/agents/{agent_id}/calendar.ics",
        response_class=Response,
        responses={
            **errors(401, 403, 404, 422, 429),
            **fields.text_answer("text/calendar", "The agent's appointments, as iCalendar."),
        },
    )
    async def calendar_feed(
        agent_id: AgentId,
        request: Request,
        key: Annotated[
            str | None,
            Query(
                pattern=r"^[0-9a-f]{32}$",
                description="The feed's own key, which opens nothing else: `calendar` of "
                "`GET /agents/{agent_id}` is the whole address. A header with an API key does, "
                "too.",
            ),
        ] = None,
    ) -> Response:
        """The agent's appointments, for a calendar program to subscribe to."""
        guard.check_feed(request, agent_id, key or "")
        agent = agent_of(agent_id)
        if agent is None:
            raise Refused(404, "no_such_agent", "There is no agent with this id; see GET /agents.")
        since = now() - timedelta(days=FEED_DAYS)
        found = await store().appointments.calendar(agent_id, since)
        headers = {"Cache-Control": "private, max-age=60"}
        return Response(ics.feed(found, agent), media_type="text/calendar", headers=headers)

    return router


def _item(booking: Booking) -> BookingItem:
    values = {name: getattr(booking, name) for name in BookingItem.model_fields}
    return BookingItem(**{**values, "state": booking.state.value})


def _conflict(code: str, message: str, alternatives: list[datetime]) -> JSONResponse:
    error = ErrorDetail(code=code, message=message)
    return JSONResponse(
        Conflict(error=error, alternatives=alternatives).model_dump(mode="json"), 409
    )


def _none() -> Refused:
    return Refused(404, "no_such_booking", "There is no such booking, or it was cancelled.")
