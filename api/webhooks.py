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


class CallWebhooks:
    """The endpoints. They raise Refused; see :func:`api.errors.install`."""

    def __init__(
        self,
        settings: PublicSide,
        switchboard: Switchboard,
        outbound: Outbound,
        progress: Progress,
    ) -> None:
        self._settings = settings
        self._switchboard = switchboard
        self._outbound = outbound
        self._progress = progress

    async def after(self, call_id: str, request: Request) -> Response:
        """The call's stream is over, or never came up: what is next?"""
        posted = await read(request, self._settings)
        return twiml(await self._switchboard.after(posted.base, our_id(call_id)))

    async def rang(self, call_id: str, request: Request) -> Response:
        """The staff's telephones have rung, before the agent answers."""
        posted = await read(request, self._settings)
        return twiml(await self._switchboard.rang(posted.base, our_id(call_id), _dialled(posted)))

    async def transferred(self, call_id: str, request: Request) -> Response:
        """A transfer to a person is over."""
        posted = await read(request, self._settings)
        document = await self._switchboard.transferred(
            posted.base, our_id(call_id), _dialled(posted)
        )
        return twiml(document)

    async def whisper(self, call_id: str, request: Request) -> Response:
        """A person has picked up, and is told who is on the line."""
        posted = await read(request, self._settings)
        return twiml(await self._switchboard.whisper(posted.base, our_id(call_id)))

    async def accept(self, call_id: str, request: Request) -> Response:
        """The person has pressed a key."""
        posted = await read(request, self._settings)
        return twiml(await self._switchboard.accept(our_id(call_id), posted.text("Digits")))

    async def voice(self, call_id: str, request: Request) -> Response:
        """Somebody has picked up a call of ours."""
        posted = await read(request, self._settings)
        return twiml(await self._outbound.answered(posted.base, our_id(call_id), posted.sid))

    async def machine(self, call_id: str, request: Request) -> Response:
        """Who has picked up, a person or a machine."""
        posted = await read(request, self._settings)
        await self._outbound.machine(our_id(call_id), posted.text("AnsweredBy", 32))
        return twiml(nothing())

    async def status(self, request: Request) -> Response:
        """How far a call is, by Twilio's id; for the number's status callback."""
        await self._tell(await read(request, self._settings), "")
        return twiml(nothing())

    async def status_of(self, call_id: str, request: Request) -> Response:
        """How far a call of ours is."""
        await self._tell(await read(request, self._settings), our_id(call_id))
        return twiml(nothing())

    async def _tell(self, posted: Posted, call_id: str) -> None:
        await self._progress.status(
            posted.sid,
            posted.text("CallStatus", 32),
            call_id=call_id,
            sip_code=posted.text("SipResponseCode", 8),
        )

    async def stream_status(self, request: Request) -> Response:
        """A call's media stream began, ended, or failed."""
        posted = await read(request, self._settings)
        event, error = posted.text("StreamEvent", 32), posted.text("StreamError", 160)
        await self._progress.stream_status(posted.sid, event, error)
        return twiml(nothing())


def build(
    settings: PublicSide, switchboard: Switchboard, outbound: Outbound, progress: Progress
) -> APIRouter:
    """Their routes."""
    hooks = CallWebhooks(settings, switchboard, outbound, progress)
    router = APIRouter(tags=["webhooks"])
    add_webhook(router, ["/webhooks/after/{call_id}"], hooks.after)
    add_webhook(router, ["/webhooks/rang/{call_id}"], hooks.rang)
    add_webhook(router, ["/webhooks/transferred/{call_id}"], hooks.transferred)
    add_webhook(router, ["/webhooks/whisper/{call_id}"], hooks.whisper)
    add_webhook(router, ["/webhooks/accept/{call_id}"], hooks.accept)
    add_webhook(router, ["/webhooks/voice/{call_id}"], hooks.voice)
    add_webhook(router, ["/webhooks/amd/{call_id}"], hooks.machine)
    add_webhook(router, ["/webhooks/status"], hooks.status)
    add_webhook(router, ["/webhooks/status/{call_id}"], hooks.status_of)
    add_webhook(router, ["/webhooks/stream-status"], hooks.stream_status)
    return router


def _dialled(posted: Posted) -> Dialled:
    return Dialled(
        posted.text("DialCallStatus", 32),
        posted.text("DialBridged", 8),
        posted.text("CallStatus", 32),
    )
