"""Twilio's voice webhook: an incoming call is answered as its agent's rules say.

``POST /voice-stream`` and ``POST /api/twilio/voice`` are the same door under two names.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.guard import PublicSide
from api.twilio_form import add_webhook, read, twiml
from services.switchboard.board import Switchboard
from services.switchboard.connecting import STREAM_PATH as STREAM_PATH

PATHS = ("/voice-stream", "/api/twilio/voice")


def build(settings: PublicSide, switchboard: Switchboard) -> APIRouter:
    """The webhook's routes. They raise Refused; see :func:`api.errors.install`."""

    async def voice(request: Request) -> Response:
        """A call has come in: answer with TwiML that says where it goes."""
        posted = await read(request, settings, what="voice webhook")
        document = await switchboard.incoming(posted.base, posted.sid, posted.caller, posted.called)
        return twiml(document)

    router = APIRouter(tags=["webhooks"])
    add_webhook(router, PATHS, voice)
    return router
