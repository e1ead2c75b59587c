"""Telling the server how a leg gets on: status callbacks, and who has answered."""

from __future__ import annotations

import email.utils
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.simulators.carrier.parties import Party

if TYPE_CHECKING:
    from tests.simulators.carrier.legs import Leg

_SIP = {"busy": "486", "no-answer": "487", "failed": "404", "canceled": "487"}


@dataclass(slots=True)
class Callbacks:
    """Whom to tell of a leg's progress, and of which events."""

    url: str = ""
    method: str = "POST"
    events: Sequence[str] = ("completed",)


@dataclass(frozen=True, slots=True)
class Detection:
    """Answering-machine detection as a REST request asked for it.

    ``callback``: of asynchronous detection; without one the document waits for the verdict.
    """

    waits_for_end: bool
    callback: str = ""
    method: str = "POST"

    def verdict(self, party: Party) -> str:
        """Who has answered."""
        if not party.is_machine:
            return "human"
        return "machine_end_beep" if self.waits_for_end else "machine_start"


def tell(leg: Leg, event: str, sequence: int) -> None:
    """Make the status callback of an event, if somebody asked for it."""
    if not leg.callbacks.url or event not in leg.callbacks.events:
        return
    form = leg.form() | {
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(sequence),
        "Timestamp": email.utils.format_datetime(leg.carrier.wall()),
    }
    if event == "completed":
        seconds = math.ceil(leg.duration_s)
        form["CallDuration"] = str(seconds)
        form["SipResponseCode"] = _SIP.get(leg.status, "200")
        if leg.status == "completed":
            form["Duration"] = str(math.ceil(seconds / 60))
    leg.later(_post(leg, event, form), "status")


async def _post(leg: Leg, event: str, form: dict[str, str]) -> None:
    trouble, callbacks = leg.carrier.trouble, leg.callbacks
    await leg.carrier.sleep(trouble.status_delay_s.get(event, 0.0))
    for _ in range(2 if trouble.status_twice else 1):
        await leg.carrier.web.callback(leg.sid, "status", callbacks.url, form, callbacks.method)


async def detect(leg: Leg, detection: Detection, party: Party) -> None:
    """Listen to who has answered, and tell it unless the call is over by then."""
    await leg.carrier.sleep(party.verdict_s)
    if leg.is_over:
        return
    verdict = detection.verdict(party)
    form = {
        "AccountSid": leg.carrier.account_sid,
        "CallSid": leg.sid,
        "AnsweredBy": verdict,
        "MachineDetectionDuration": str(round(party.verdict_s * 1000)),
    }
    leg.carrier.note(leg.sid, f"detection: {verdict} -> {urlsplit(detection.callback).path}")
    await leg.carrier.web.callback(leg.sid, "amd", detection.callback, form, detection.method)
