"""Connects calls to media streams, and names the webhooks that are asked in between."""

from __future__ import annotations

from services.carriers import twiml
from services.switchboard.tokens import Announced, Tokens

STREAM_PATH = "/media-stream"
ALL_LINES_BUSY = "All lines are busy. Please try again in a few minutes."


def webhook(base: str, name: str, call_id: str = "") -> str:
    """A webhook's absolute address: ``base`` may have a path of its own."""
    return f"{base}/webhooks/{name}/{call_id}" if call_id else f"{base}/webhooks/{name}"


def stream_url(base: str, call: Announced) -> str:
    """Where the carrier opens the call's stream: ``wss://``, or ``ws://`` for a local test."""
    own = f"/{call.call_id}" if call.direction == "outbound" else ""
    return "ws" + base.removeprefix("http") + STREAM_PATH + own


def connect(tokens: Tokens, base: str, call: Announced) -> str:
    """TwiML that connects the call to a stream and asks ``after`` once that is over."""
    parameters = {"token": tokens.announce(call), "caller": call.caller, "called": call.called}
    return twiml.stream(
        stream_url(base, call),
        parameters,
        after_url=webhook(base, "after", call.call_id),
        status_callback=webhook(base, "stream-status"),
    )
