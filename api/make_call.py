"""``POST /make-call``: have an agent call somebody. For whoever brings an API key."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.connection import Refused
from api.errors import errors
from api.keys import ApiKeyGuard
from services.store import StoreError
from services.switchboard.outbound import CannotCall, MachinePolicy, Outbound, Wanted

_STATUS = {
    "bad_number": 422,
    "unknown_agent": 409,
    "bad_key": 422,
    "outside_hours": 409,
    "blocked": 409,
    "no_account": 409,
    "key_reused": 409,
    "carrier_refused": 502,
    "lines_busy": 503,
}
"""The carrier's refusal is 502: the request was right, and the one that we passed it on to said
no. Its code stands in the sentence."""

_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_KEY = re.compile(r"[\x21-\x7e]{1,200}")

Line = Annotated[str, StringConstraints(strip_whitespace=True)]


class CallWanted(BaseModel):
    """A call to be placed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "to": "+15551234567",
                    "purpose": "Remind them of their check-up tomorrow at half past three.",
                    "machine": "leave_message",
                    "idempotency_key": "reminder-4711",
                }
            ]
        },
    )

    to: Line = Field(
        min_length=1,
        max_length=40,
        description="Whom to call, like +15551234567.",
        json_schema_extra={"pattern": r"^\+[1-9][0-9]{6,14}$"},  # blanks in it do no harm
    )
    purpose: Line = Field(
        min_length=1,
        max_length=1000,
        json_schema_extra={"pattern": r"[!-~]"},
        description="What the call is about, in a sentence or two; the agent says so.",
    )
    agent: Line = Field(
        "",
        max_length=64,
        description="The agent that calls, by its id; empty: the one that answers TWILIO_NUMBER.",
    )
    voice: Line = Field(
        "",
        max_length=100,
        description="Instead of `agent`: the agent whose file names this voice.",
    )
    machine: MachinePolicy | None = Field(
        None,
        description="What to do if a machine answers: leave_message or hang_up; without it, as the "
        "agent's file says.",
    )
    idempotency_key: Line = Field(
        "",
        max_length=200,
        json_schema_extra={"pattern": r"^[\x21-\x7e]*$"},
        description="A text of your own: a repeated request with the same key places no second "
        "call. The header Idempotency-Key does the same.",
    )


class CallPlaced(BaseModel):
    """A call that was asked of the carrier."""

    call_id: str = Field(description="Its id; see /calls/{id}.")
    status: str = Field(
        description="`queued`, `ringing`, `live`, `transferred` or `ended`; `unknown`: the carrier "
        "did not answer in time, so nobody knows yet whether it calls. It is not tried again."
    )


def build(guard: ApiKeyGuard, outbound: Outbound) -> APIRouter:
    """The route, behind the guard. It raises Refused; see :func:`api.errors.install`."""
    router = guard.router(tags=["calls"])

    @router.post(
        "/make-call",
        status_code=201,
        response_model=CallPlaced,
        responses={
            200: {"model": CallPlaced, "description": "The key was used before: that call."},
            **errors(409, 502, 503),
        },
    )
    async def make_call(
        wanted: CallWanted,
        response: Response,
        idempotency_key: Annotated[
            str, Header(max_length=200, json_schema_extra={"pattern": r"^[\x21-\x7e]*$"})
        ] = "",
    ) -> CallPlaced:
        """Call somebody. The agent says why, and the call goes on record like any other."""
        key = _key(wanted.idempotency_key, idempotency_key.strip())
        purpose = _printable(wanted.purpose)
        if not purpose:
            raise Refused(422, "bad_purpose", "Expected a sentence in `purpose`.")
        try:
            placed = await outbound.place(
                Wanted(
                    to=wanted.to,
                    purpose=purpose,
                    agent=wanted.agent,
                    voice=wanted.voice,
                    key=key,
                    machine=wanted.machine or "",
                )
            )
        except CannotCall as error:
            status = _STATUS[error.code]
            if error.code == "bad_number" and _NUMBER.fullmatch(wanted.to):
                status = 409  # a number it is, but none that can be called
            raise Refused(status, error.code, str(error)) from None
        except StoreError:
            message = "The database does not answer, so no call was placed; try again later."
            raise Refused(503, "store_unavailable", message) from None
        if not placed.is_new:
            response.status_code = 200
        return CallPlaced(call_id=placed.call_id, status=placed.status)

    return router


def _key(in_body: str, in_header: str) -> str:
    """The request's idempotency key. Raises Refused for two, or for one that is none."""
    if in_body and in_header and in_body != in_header:
        message = "Header and body hold two different idempotency keys; give one."
        raise Refused(409, "bad_key", message)
    key = in_body or in_header
    if key and not _KEY.fullmatch(key):
        message = "Expected an idempotency key of up to 200 letters, digits and signs, no blanks."
        raise Refused(422, "bad_key", message)
    return key


def _printable(text: str) -> str:
    """A text on one line that a database takes."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
