"""One reply on an ElevenLabs socket: what was asked for, what came of it, and since when it waits.

The reply is over when the vendor says that its context is final. If all its characters were spoken
and that message does not come, it is over a little later all the same.
"""

from __future__ import annotations

import asyncio

from services.tts import Say
from services.tts.alignment import WordCutter
from services.tts.elevenlabs_wire import VENDOR, Chunk
from services.tts.speakable import speakable
from services.vendors import Reports, VendorError

FIRST_AUDIO_S = 1.2
"""From the first text to the first audio; the vendor needs 0.15 to 0.45 s."""
STALL_S = 1.5
"""Without audio while some is owed. It comes faster than it is played, so this is not yet heard."""
FINAL_S = 0.5
"""For ``isFinal`` after everything was spoken, if that is known and not only supposed."""


class Speech:
    """The reply. ``done``: all its audio was said, or why not."""

    def __init__(
        self, reply: int, say: Say, reports: Reports, region: str, language: str = "en"
    ) -> None:
        self.reply = reply
        self._say = say
        self._reports = reports
        self._region = region
        self._language = language
        self._cutter = WordCutter()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._since = 0.0
        self._began = False
        self._heard_since_text = True
        self._all_told = False
        self.done: asyncio.Future[None] = self._loop.create_future()

    def expect(self, phrase: str) -> str:
        """The next phrase; returns what to have said for it, empty if there is nothing to say."""
        was_owed = self._is_owed
        said = speakable(phrase, self._region, language=self._language)
        self._cutter.expect(phrase, said)
        if said:
            self._heard_since_text = False
            self._wait_anew(since_now=not was_owed)
        return said

    def all_told(self, *, was_silent: bool) -> None:
        """That was the last phrase. ``was_silent``: there was nothing to say in any of them."""
        self._all_told = True
        if was_silent:
            self._finish()
        else:
            self._wait_anew(since_now=not self._is_owed)

    def hear(self, chunk: Chunk) -> None:
        """Audio of the reply's context."""
        if self.done.done():
            return
        if not self._began:
            self._began = True
            self._reports.step(VENDOR, "first audio", self.reply)
        self._since = self._loop.time()
        self._heard_since_text = True
        if parts := self._cutter.hear(chunk.audio, chunk.timing):
            self._say(*parts)

    def final(self) -> None:
        """All audio of the reply's context has come."""
        self._reports.step(VENDOR, "final", self.reply)
        if not self._began:
            self.fail(VendorError(VENDOR, "speak", "no audio"))
        elif self._cutter.certain and not self._cutter.complete:
            self.fail(VendorError(VENDOR, "speak", "incomplete"))
        else:
            self._finish()

    def fail(self, error: VendorError) -> None:
        """Nothing more will come. The audio of a word that was cut off is not said."""
        self._stop()
        if not self.done.done():
            self.done.set_exception(error)

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def silence(self) -> None:
        """Nothing is said from now on."""
        self._stop()
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()  # seen: asyncio need not complain that nobody did

    @property
    def _is_owed(self) -> bool:
        """Whether more audio is due. Without timing all that is known is that some came."""
        return self._cutter.owed if self._cutter.certain else not self._heard_since_text

    def _finish(self) -> None:
        self._stop()
        if not self.done.done():
            if parts := self._cutter.finish():
                self._say(*parts)
            self.done.set_result(None)

    def _wait_anew(self, *, since_now: bool) -> None:
        if since_now:
            self._since = self._loop.time()
        self._stop()
        self._watch()

    def _watch(self) -> None:
        """One timer, set again only when it has run out: audio need not touch it."""
        self._timer = None
        if self.done.done():
            return
        if self._is_owed:
            limit = STALL_S if self._began else FIRST_AUDIO_S
        elif self._all_told:
            limit = FINAL_S if self._cutter.certain else STALL_S
        else:
            return  # it is the brain's turn
        if (due := self._since + limit) > self._loop.time():
            self._timer = self._loop.call_at(due, self._watch)
        elif self._is_owed:
            code = "stall" if self._began else "first audio timeout"
            self.fail(VendorError(VENDOR, "speak", code, at_once=True))
        elif self._cutter.certain:
            self._finish()
        else:
            self.fail(VendorError(VENDOR, "speak", "stall", at_once=True))
