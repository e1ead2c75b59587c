"""Which calls have a stream, and how it ended: known here a moment before the carrier asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from services.call.effects import Turn

ENDS_WITHIN_S = 3.0
"""The carrier may ask what is next before our side of the stream has noticed its end."""
KEPT_S = 600.0
"""How long the end of a stream is remembered: longer than any telephone rings."""


@dataclass(slots=True)
class _Stream:
    reason: str = ""
    turns: tuple[Turn, ...] = ()
    is_history: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    forget: asyncio.TimerHandle | None = None


class OpenStreams:
    """The streams of this process, by call id; the latest one of each call."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def began(self, call_id: str) -> None:
        """A stream is being held."""
        self.forget(call_id)
        self._streams[call_id] = _Stream()

    def ended(self, call_id: str, reason: str, turns: tuple[Turn, ...] = ()) -> None:
        """It is over, or as good as; the first reason counts. ``turns``: what was said in it."""
        stream = self._streams.setdefault(call_id, _Stream())
        if stream.over.is_set():
            return
        stream.reason, stream.turns = reason, turns
        stream.over.set()
        loop = asyncio.get_running_loop()
        stream.forget = loop.call_later(KEPT_S, self._expire, call_id, stream)

    def was_held(self, call_id: str) -> bool:
        """Whether the call has, or had, a stream that came up."""
        stream = self._streams.get(call_id)
        return stream is not None and not stream.is_history

    async def reason(self, call_id: str) -> str:
        """Why its stream ended; waits a moment for one that goes on. Empty if that is not known."""
        stream = self._streams.get(call_id)
        if stream is None or stream.is_history:
            return ""
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                await stream.over.wait()
        except TimeoutError:
            return ""
        return stream.reason

    def turns(self, call_id: str) -> tuple[Turn, ...]:
        """What was said in the stream that ended last."""
        stream = self._streams.get(call_id)
        return stream.turns if stream is not None else ()

    def next_is_due(self, call_id: str) -> None:
        """Another stream of the call is about to begin: the one that has ended is history."""
        stream = self._streams.get(call_id)
        if stream is not None and stream.over.is_set():
            stream.is_history = True

    def forget(self, call_id: str) -> None:
        stream = self._streams.pop(call_id, None)
        if stream is not None and stream.forget:
            stream.forget.cancel()

    def _expire(self, call_id: str, stream: _Stream) -> None:
        if self._streams.get(call_id) is stream:
            del self._streams[call_id]
