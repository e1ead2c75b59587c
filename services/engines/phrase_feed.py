"""A brain's text on its way into the phrases of a reply, at the pace at which it comes."""

from __future__ import annotations

import asyncio

from services.call.events import TokenProduced
from services.engines.phrases import Phraser
from services.engines.speech import ENOUGH_S, Speech

GATHER_S = 0.1
"""Once there is enough to say, an answer is read no more often: its tokens pile up meanwhile, and
together they cost little more than one. The first phrase never waits."""
HURRY_S = 1.5
"""The voice has had nothing to say for so long while words wait for the end of their sentence: a
sentence spoken in parts is better than silence."""


class PhraseFeed:
    """Feeds one reply's speech."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self._phraser = Phraser()
        self._loop = asyncio.get_running_loop()
        self._has_begun = False
        self._held_since: float | None = None  # words that are no phrase yet
        self._taken_at = self._loop.time()
        self._streams = False

    async def text(self, piece: str) -> None:
        """Take the next piece. Returns when more is wanted: while the voice has enough to say,
        pieces may pile up, as many small ones cost more than one."""
        now = self._loop.time()
        if not self._has_begun:
            self._speech.emit(TokenProduced(self._speech.reply))
            self._has_begun = True
        self._put(piece, now)
        left_s = self._speech.said_by - now
        has_waited = now > self._taken_at  # what has piled up comes at once
        if self._streams and has_waited and left_s > ENOUGH_S and not piece.isspace():
            await asyncio.sleep(GATHER_S)
        self._taken_at = self._loop.time()
        self._streams = True  # what comes in pieces does; a script's lines do not

    def flush(self) -> None:
        """What there is belongs to no more text: it is said."""
        self._speech.put(*self._phraser.flush())
        self._held_since = None

    def pause(self) -> None:
        """Something other than text has come: what follows it need not pile up."""
        self._streams = False

    def _put(self, piece: str, now: float) -> None:
        phrases = self._phraser.feed(piece)
        if self._held_since is None:
            self._held_since = now
        if not phrases and now - max(self._held_since, self._speech.said_by) >= HURRY_S:
            phrases = self._phraser.hurry()
        if phrases:
            self._speech.put(*phrases)
            self._held_since = now
