"""``<Connect><Stream>``: the party's script is played on a media stream."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from websockets.asyncio.client import ClientConnection

from tests.simulators import twilio_wire as wire
from tests.simulators import webhook
from tests.simulators.caller import Caller, ScriptFailed
from tests.simulators.carrier.documents import Document, callbacks_of
from tests.simulators.line import CLEAN_LINE
from tests.simulators.phone import CallFailed, CallSetup, Phone, Unreachable
from tests.simulators.script import ExpectHangUp, HangUpMode, Script
from tests.simulators.stream import MediaStream, StreamEnded

if TYPE_CHECKING:
    from tests.simulators.carrier.legs import Leg

LISTENS: Script = (ExpectHangUp(86_400.0),)
"""What a party does on a stream that it has no script for."""


async def connect(leg: Leg, verb: ElementTree.Element, document: Document) -> None:
    """Open the stream and stay on it until the server closes it; the next verb follows.

    It follows at once if the stream cannot be opened. If the party hangs up this never returns.
    """
    leg.pick_up()
    twiml = _read(verb, document.url)
    callbacks = callbacks_of(verb[0]) if len(verb) else {}
    for error in twiml.errors:
        leg.carrier.error(leg.sid, error)
    if not twiml.stream_url:
        return
    phone = _phone(leg)
    stream_events = _Events(leg, phone.ids, callbacks, verb[0].get("name", ""))
    try:
        async with phone.socket(twiml) as socket:
            hung_up = await _converse(leg, phone, socket, twiml, stream_events)
    except CallFailed as failure:
        code = "31902" if isinstance(failure, Unreachable) else "31920"
        leg.carrier.error(leg.sid, f"{code}: {failure}")
        stream_events.tell("stream-error", f"{code}: handshake failed")
        return
    if hung_up:
        await leg.party_hangs_up()


async def _converse(
    leg: Leg,
    phone: Phone,
    socket: ClientConnection,
    twiml: webhook.Twiml,
    events: _Events,
) -> bool:
    """Play the script on an open socket. Returns whether the party has hung up."""

    def note(kind: str, detail: str) -> None:
        if kind == "protocol-error":
            leg.carrier.error(leg.sid, detail)
        elif kind not in ("mark", "mark-echo"):
            leg.carrier.note(leg.sid, f"stream: {kind} {detail}")

    stream = MediaStream(socket, phone.ids, CLEAN_LINE, None, note)
    scripts = leg.party.scripts if leg.party else ()
    script = scripts[len(leg.streams)] if len(leg.streams) < len(scripts) else LISTENS
    leg.streams.append(stream)
    await stream.open(twiml.parameters)
    events.tell("stream-started")
    running = asyncio.create_task(stream.run(), name=f"stream {phone.ids.stream_sid}")
    try:
        await Caller(stream, leg.clips).perform(script)
    except ScriptFailed as failed:
        leg.failures.append(str(failed))
        leg.carrier.note(leg.sid, f"script failed: {failed}")
    finally:  # at the script's end, and when the carrier takes the call away: it sends `stop`
        with suppress(StreamEnded):
            await stream.hang_up(HangUpMode.STOP_AND_CLOSE)
        await running
        events.tell("stream-stopped")
    return not stream.record.closed_by_server


class _Events:
    """The stream's status callback."""

    def __init__(self, leg: Leg, ids: wire.StreamIds, callbacks: dict[str, str], name: str) -> None:
        self._leg = leg
        self._ids = ids
        self._callbacks = callbacks
        self._name = name

    def tell(self, event: str, error: str = "") -> None:
        """Tell the server, beside everything else."""
        carrier = self._leg.carrier
        if not self._callbacks:
            return
        form = {
            "AccountSid": self._ids.account_sid,
            "CallSid": self._ids.call_sid,
            "StreamSid": self._ids.stream_sid,
            "StreamName": self._name or self._ids.stream_sid,
            "StreamEvent": event,
            "Timestamp": carrier.wall().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        if error:
            form["StreamError"] = error
        method, url = self._callbacks["method"], self._callbacks["url"]
        work = carrier.web.callback(self._leg.sid, "stream-status", url, form, method)
        self._leg.later(work, "stream status")


def _read(verb: ElementTree.Element, url: str) -> webhook.Twiml:
    """The ``<Connect>`` as the phone in the box reads it."""
    response = ElementTree.Element("Response")
    response.append(verb)
    body = ElementTree.tostring(response)
    return webhook.read_twiml(webhook.Answer(200, "text/xml", body), url)


def _phone(leg: Leg) -> Phone:
    carrier = leg.carrier
    return Phone(
        CallSetup(
            url=carrier.url,
            public_url=carrier.public_url,
            auth_token=carrier.auth_token,
            caller=leg.from_,
            called=leg.to,
            account_sid=carrier.account_sid,
            call_sid=leg.sid,
        )
    )
