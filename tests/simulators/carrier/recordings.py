"""What ``<Record>`` has kept, and when it can be had."""

from __future__ import annotations

import email.utils
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulators import twilio_wire as wire
from tests.simulators.carrier.voices import recording, seconds

if TYPE_CHECKING:
    from tests.simulators.carrier.box import Carrier


@dataclass(slots=True)
class Recording:
    """A recorded message. ``asked``: how often its file was asked for."""

    sid: str
    call_sid: str
    audio: bytes
    asked: int = 0

    @property
    def duration(self) -> int:
        """In whole seconds, as Twilio tells it."""
        return max(1, math.ceil(seconds(self.audio)))


class Recordings:
    """All recordings of the account."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self.kept: dict[str, Recording] = {}

    def add(self, call_sid: str, audio: bytes) -> Recording:
        """Keep mu-law audio."""
        kept = Recording(wire.new_sid("RE"), call_sid, audio)
        self.kept[kept.sid] = kept
        return kept

    def url(self, kept: Recording) -> str:
        """Where it will be, without an extension."""
        carrier = self._carrier
        path = f"/2010-04-01/Accounts/{carrier.account_sid}/Recordings/{kept.sid}"
        return carrier.rest_url + path

    def file(self, sid: str) -> bytes | None:
        """The file as WAV; None if there is none, or none yet."""
        kept = self.kept.get(sid)
        if kept is None:
            return None
        kept.asked += 1
        if kept.asked <= self._carrier.trouble.not_ready:
            return None
        return recording(kept.audio)

    async def announce(self, kept: Recording, url: str, method: str) -> None:
        """Tell the server that the file is there, and from now on it is."""
        await self._carrier.sleep(1)
        kept.asked = self._carrier.trouble.not_ready
        form = {
            "AccountSid": self._carrier.account_sid,
            "CallSid": kept.call_sid,
            "RecordingSid": kept.sid,
            "RecordingUrl": self.url(kept),
            "RecordingStatus": "completed",
            "RecordingDuration": str(kept.duration),
            "RecordingChannels": "1",
            "RecordingSource": "RecordVerb",
            "RecordingStartTime": email.utils.format_datetime(self._carrier.wall()),
        }
        await self._carrier.web.callback(kept.call_sid, "recording-status", url, form, method)
