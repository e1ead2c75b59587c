"""The far end of a session's socket: Twilio's part, by the loop's clock.

It carries the caller's frames in, plays what it is sent at real speed, echoes a mark when all
before it was played, and echoes all pending ones at once after a clear.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

STREAM = "MZ1"
START = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": STREAM,
    "start": {
        "accountSid": "AC1",
        "streamSid": STREAM,
        "callSid": "CA1",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {},
    },
}
BYTES_PER_S = 8000


@dataclass(slots=True)
class Chunk:
    """Agent audio from one message, and when its first byte is played."""

    begin: float
    audio: bytes

    @property
    def end(self) -> float:
        return self.begin + len(self.audio) / BYTES_PER_S


class Phone:
    """The ``Socket`` of one call. ``echo_late_s``: how long an echo is on its way."""

    def __init__(self, echo_late_s: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._incoming: asyncio.Queue[str | None] = asyncio.Queue()
        self._echo_late_s = echo_late_s
        self._marks: dict[str, asyncio.TimerHandle] = {}
        self.chunks: list[Chunk] = []
        self.clears: list[float] = []
        self.closed = False

    @property
    def now(self) -> float:
        return self._loop.time()

    # --- the socket -------------------------------------------------------------------------------

    async def deliver(
        self, take: Callable[[str | bytes], None], settle: Callable[[], None]
    ) -> None:
        while (message := await self._incoming.get()) is not None:
            take(message)
            settle()

    def send_now(self, message: str) -> bool:
        body = json.loads(message)
        match body["event"]:
            case "media":
                begin = max(self.now, self.ends)
                self.chunks.append(Chunk(begin, base64.b64decode(body["media"]["payload"])))
            case "mark":
                self._mark(body["mark"]["name"], max(self.now, self.ends))
            case "clear":
                self._clear()
        return True

    async def send(self, message: str) -> None:
        self.send_now(message)

    async def close(self) -> None:
        self.closed = True
        self._incoming.put_nowait(None)
        for timer in self._marks.values():
            timer.cancel()

    def _mark(self, name: str, at: float) -> None:
        self._marks[name] = self._loop.call_at(at + self._echo_late_s, self._echo, name)

    def _echo(self, name: str) -> None:
        del self._marks[name]
        self._put({"event": "mark", "streamSid": STREAM, "mark": {"name": name}})

    def _clear(self) -> None:
        now = self.now
        self.clears.append(now)
        self.chunks = [chunk for chunk in self.chunks if chunk.begin < now]
        if self.chunks and self.chunks[-1].end > now:
            last = self.chunks[-1]
            last.audio = last.audio[: round((now - last.begin) * BYTES_PER_S)]
        for name, timer in list(self._marks.items()):
            timer.cancel()
            self._mark(name, now)

    # --- the caller's side ------------------------------------------------------------------------

    def carry(self, timestamp_ms: int, frame: bytes) -> None:
        """A frame of the caller's."""
        payload = base64.b64encode(frame).decode()
        self._incoming.put_nowait(
            f'{{"event":"media","streamSid":"{STREAM}","media":{{"track":"inbound",'
            f'"timestamp":"{timestamp_ms}","payload":"{payload}"}}}}'
        )

    def press(self, digit: str) -> None:
        """A key of the telephone."""
        self._put(
            {
                "event": "dtmf",
                "streamSid": STREAM,
                "dtmf": {"track": "inbound_track", "digit": digit},
            }
        )

    def hang_up(self) -> None:
        self._put({"event": "stop", "streamSid": STREAM, "stop": {}})

    def _put(self, body: dict[str, Any]) -> None:
        self._incoming.put_nowait(json.dumps(body))

    @property
    def ends(self) -> float:
        """When all that was queued so far will have been played, or was."""
        return self.chunks[-1].end if self.chunks else 0.0

    def quiet_s(self) -> float:
        """For how long nothing has been played; negative while something is."""
        return self.now - self.ends

    def heard_s(self, since: float) -> float:
        """How many seconds of the agent were played after ``since``."""
        now = self.now
        return sum(max(0.0, min(chunk.end, now) - max(chunk.begin, since)) for chunk in self.chunks)
