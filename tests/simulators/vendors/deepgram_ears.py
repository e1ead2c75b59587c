"""How the Deepgram simulator hears: audio in, stretches of speech with their words out.

It has no recogniser of its own. A stretch is audio louder than a line's noise, up to a pause; a
test says what is said in it. Everything is counted in bytes of mu-law received, never in seconds
passed, as the real service does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.simulators.mulaw import quiet_codes

Hears = Callable[[bytes], str] | Sequence[str] | None
"""What is said: a text for each stretch in turn, or a recogniser for a stretch's mu-law."""

GAP_MS = 150
"""A pause this long divides two stretches."""
WORDS_PER_S = 3.0
"""How fast the words of a text that is given beforehand become known."""

_BLOCK_MS = 20
_QUIET = quiet_codes(500)  # -36 dBFS: most samples of speech are above, most of a line's noise not
_LOUD_PART = 8  # one sample in so many is enough
_LEAD_MS = 200  # so much before a stretch is given to the recogniser, too


@dataclass(frozen=True, slots=True)
class Word:
    """A word, and where it is: seconds from the start of the audio."""

    text: str
    start: float
    end: float


@dataclass(slots=True, eq=False)
class Stretch:
    """A stretch of speech. Times are seconds from the start of the audio."""

    start: float
    end: float
    """The end of the last voiced block so far."""
    text: str | None
    """None as long as the recogniser has not said."""
    open: bool = True
    given: int = 0
    """So many of its words have been given for good ..."""
    given_until: float = 0.0
    """... and they reach up to here."""
    recogniser: asyncio.Task[None] | None = None

    def words(self, now: float | None = None) -> list[Word]:
        """Those not given for good yet; with ``now``, only those that are known by then."""
        left = (self.text or "").split()[self.given :]
        start = max(self.start, self.given_until)
        if now is None or not self.open:
            return _spread(left, start, max(self.end, start))
        known = min(int((now - start) * WORDS_PER_S + 1e-6), len(left) - 1)
        return _spread(left[: max(0, known)], start, start + max(0, known) / WORDS_PER_S)

    def give(self, words: Sequence[Word]) -> None:
        """These will not change any more."""
        if words:
            self.given += len(words)
            self.given_until = words[-1].end


def _spread(words: list[str], start: float, end: float) -> list[Word]:
    each = (end - start) / len(words) if words else 0.0
    return [
        Word(word, round(start + i * each, 3), round(start + (i + 1) * each, 3))
        for i, word in enumerate(words)
    ]


@dataclass(slots=True)
class Texts:
    """What is said next. With ``hears`` a sequence, a text is used up once its words were given."""

    hears: Hears
    used: int = 0

    def text(self, ahead: int) -> str | None:
        """Of the next stretch, with ``ahead`` others not yet given; None: ask the recogniser."""
        if callable(self.hears):
            return None
        at = self.used + ahead
        return self.hears[at] if self.hears is not None and at < len(self.hears) else ""


class Change(Enum):
    """What a block of audio changed."""

    STARTED = "started"
    ENDED = "ended"


@dataclass(slots=True)
class Ears:
    """The audio of one socket. ``rate``: bytes a second."""

    texts: Texts
    rate: int = 8000
    gap_ms: int = GAP_MS
    failed: Callable[[str], None] = lambda _: None
    received: int = 0
    """Bytes so far."""
    stretch: Stretch | None = None
    """The one that goes on."""
    waiting: list[Stretch] = field(default_factory=list)
    """Stretches whose words were not all given for good, the open one included."""
    _voiced: int = -(1 << 40)  # where the last voiced block ended
    _kept: bytearray = field(default_factory=bytearray)
    _left: bytes = b""

    @property
    def now(self) -> float:
        """Seconds of audio so far."""
        return self.received / self.rate

    @property
    def quiet_ms(self) -> float:
        """For how long nothing was voiced."""
        return (self.received - self._voiced) * 1000 / self.rate

    def blocks(self, audio: bytes) -> Iterable[bytes]:
        """The audio in pieces that :meth:`hear` takes."""
        size = self.rate * _BLOCK_MS // 1000
        if len(audio) <= size:
            return (audio,)
        return (audio[at : at + size] for at in range(0, len(audio), size))

    def hear(self, block: bytes) -> Change | None:
        """A block of up to 20 ms. Cheap: it is called for each of thousands of frames a second."""
        began = self.received
        self.received = now = began + len(block)
        loud = len(block.translate(None, _QUIET)) * _LOUD_PART > len(block)
        if callable(self.texts.hears):
            self._keep(block)
        if loud:
            self._voiced = now
            if self.stretch is None:
                self._start(began)
                return Change.STARTED
            self.stretch.end = now / self.rate
        elif self.stretch is not None and self.quiet_ms >= self.gap_ms:
            self.end()
            return Change.ENDED
        return None

    def _start(self, began: int) -> None:
        text = self.texts.text(len(self.waiting))
        at = began / self.rate
        self.stretch = Stretch(at, self.received / self.rate, text)
        self.waiting.append(self.stretch)

    def _keep(self, block: bytes) -> None:
        self._kept += block
        if self.stretch is None:
            del self._kept[: -(self.rate * _LEAD_MS // 1000)]

    def end(self) -> None:
        """The stretch is over: a pause, or the client says so."""
        stretch, self.stretch = self.stretch, None
        if stretch is None:
            return
        stretch.open = False
        if stretch.text is None:
            audio, self._kept = bytes(self._kept), bytearray()
            stretch.recogniser = asyncio.create_task(self._recognise(stretch, audio))

    async def _recognise(self, stretch: Stretch, audio: bytes) -> None:
        hears: Any = self.texts.hears
        try:
            stretch.text = await asyncio.to_thread(hears, audio)
        except Exception as error:  # whatever a recogniser may raise: a test sees it in ``errors``
            stretch.text = ""
            self.failed(f"the recogniser failed: {error!r}")

    def forget(self, stretch: Stretch) -> None:
        """All its words were given for good."""
        self.waiting.remove(stretch)
        self.texts.used += 1

    async def close(self) -> None:
        """Leave nothing running."""
        tasks = [stretch.recogniser for stretch in self.waiting if stretch.recogniser]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
