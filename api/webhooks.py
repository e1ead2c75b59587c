"""What Twilio asks and tells in the course of a call: ``/webhooks/...``, all signed.

Each may be delivered twice, and late. What it asks is answered from the call's record; what it only
tells is answered with an empty document, whether or not we know the call.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.guard import PublicSide
from api.twilio_form import Posted, add_webhook, our_id, read, twiml
from services.carriers.twiml import nothing
from services.switchboard.board import Switchboard
from services.switchboard.outbound import Outbound
from services.switchboard.progress import Progress
from services.switchboard.transfers import Dialled


def build(
    settings: PublicSide, switchboard: Switchboard, outbound: Outbound, progress: Progress
) -> APIRouter:
    """The routes. They raise Refused; see :func:`api.errors.install`."""

    async def after(call_id: str, request: Request) -> Response:
        """The call's stream is over, or never came up: what is next?"""
        posted = await read(request, settings)
        return twiml(await switchboard.after(posted.base, our_id(call_id)))

    async def rang(call_id: str, request: Request) -> Response:
        """The staff's telephones have rung, before the agent answers."""
        posted = await read(request, settings)
        return twiml(await switchboard.rang(posted.base, our_id(call_id), _dialled(posted)))

    async def transferred(call_id: str, request: Request) -> Response:
        """A transfer to a person is over."""
        posted = await read(request, settings)
        document = await switchboard.transferred(posted.base, our_id(call_id), _dialled(posted))
        return twiml(document)

    async def whisper(call_id: str, request: Request) -> Response:
        """A person has picked up, and is told who is on the line."""
        posted = await read(request, settings)
        return twiml(await switchboard.whisper(posted.base, our_id(call_id)))

    async def accept(call_id: str, request: Request) -> Response:
        """The person has pressed a key."""
        posted = await read(request, settings)
        return twiml(await switchboard.accept(our_id(call_id), posted.text("Digits")))

    async def voice(call_id: str, request: Request) -> Response:
        """Somebody has picked up a call of ours."""
        posted = await read(request, settings)
        return twiml(await outbound.answered(posted.base, our_id(call_id), posted.sid))

    async def machine(call_id: str, request: Request) -> Response:
        """Who has picked up, a person or a machine."""
        posted = await read(request, settings)
        await outbound.machine(our_id(call_id), posted.text("AnsweredBy", 32))
        return twiml(nothing())

    async def status(request: Request) -> Response:
        """How far a call is, by Twilio's id; for the number's status callback."""
        await _tell(await read(request, settings), "")
        return twiml(nothing())

    async def status_of(call_id: str, request: Request) -> Response:
        """How far a call of ours is."""
        await _tell(await read(request, settings), our_id(call_id))
        return twiml(nothing())

    async def _tell(posted: Posted, call_id: str) -> None:
        await progress.status(
            posted.sid,
            posted.text("CallStatus", 32),
            call_id=call_id,
            sip_code=posted.text("SipResponseCode", 8),
        )

    async def stream_status(request: Request) -> Response:
        """A call's media stream began, ended, or failed."""
        posted = await read(request, settings)
        event, error = posted.text("StreamEvent", 32), posted.text("StreamError", 160)
        await progress.stream_status(posted.sid, event, error)
        return twiml(nothing())

    router = APIRouter(tags=["webhooks"])
    add_webhook(router, ["/webhooks/after/{call_id}"], after)
    add_webhook(router, ["/webhooks/rang/{call_id}"], rang)
    add_webhook(router, ["/webhooks/transferred/{call_id}"], transferred)
    add_webhook(router, ["/webhooks/whisper/{call_id}"], whisper)
    add_webhook(router, ["/webhooks/accept/{call_id}"], accept)
    add_webhook(router, ["/webhooks/voice/{call_id}"], voice)
    add_webhook(router, ["/webhooks/amd/{call_id}"], machine)
    add_webhook(router, ["/webhooks/status"], status)
    add_webhook(router, ["/webhooks/status/{call_id}"], status_of)
    add_webhook(router, ["/webhooks/stream-status"], stream_status)
    return router


def _dialled(posted: Posted) -> Dialled:
    return Dialled(
        posted.text("DialCallStatus", 32),
        posted.text("DialBridged", 8),
        posted.text("CallStatus", 32),
    )
