"""The playout ledger of one reply: what was produced, sent, marked and heard.

Positions are bytes of the reply's audio (mu-law 8 kHz: 8 bytes are 1 ms). Text belongs to the audio
in which it begins to be spoken. What was heard is bounded twice: by the marks that the carrier
echoed, and by the time that the rest takes to play. Whether a mark comes late because the audio
was played late or because its echo was long on its way we cannot know; half of each is wrong by
least. After a clear the carrier echoes all pending
marks [Twilio, Media Streams messages]; those echoes mean *thrown away*, so a clear starts a new
generation of marks, and echoes of older ones count for nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from services.call.alignment import Span, Spoken, place_words
from services.call.effects import Effect, SendAudio, SendMark

BYTES_PER_MS = 8
FRAME_BYTES = 160
NEXT_TO_NOTHING = 20 * BYTES_PER_MS
_SILENCE = b"\xff"  # mu-law zero


def _seconds(size: int) -> float:
    return size / BYTES_PER_MS / 1000


def _bytes(seconds: float) -> int:
    return round(seconds * 1000 * BYTES_PER_MS)


def reply_of(mark: str) -> int:
    """The number of the reply that a mark of ours belongs to."""
    return int(mark.partition(".")[0])


class Playback:
    """The ledger. The audio is kept until the reply is over, so that it can be taken up again."""

    def __init__(self, reply: int, mark_every_ms: int) -> None:
        self._reply = reply
        self._mark_every = mark_every_ms * BYTES_PER_MS
        self._audio = bytearray()
        self._spans: list[Span] = []
        self._placed: list[Spoken] | None = None  # for the text and audio that there are now
        self._pending: dict[str, int] = {}
        self._generation = 0
        self._sent = 0
        self._marked = 0
        self._heard = 0
        self._furthest = 0
        self._surely = 0
        self._finished = False
        self._guarded = 0
        self._late = 0
        self._ends_unless_late = 0.0
        self.ends_at = 0.0
        """When the audio that was sent will have been played, on the clock of ``now``."""

    @property
    def is_empty(self) -> bool:
        return not self._audio

    @property
    def nothing_playing(self) -> bool:
        """Whether all audio that was sent was played."""
        return self._heard >= self._sent

    @property
    def heard_ms(self) -> int:
        """How much was surely heard; the words are those that were heard in all likelihood."""
        return self._surely // BYTES_PER_MS

    @property
    def unheard_ms(self) -> float:
        """What is still to be heard; infinite while more may come."""
        return (len(self._audio) - self._heard) / BYTES_PER_MS if self._finished else math.inf

    @property
    def guarded_until(self) -> float:
        """When the last sentence that may not be interrupted will have been played, on the clock of
        ``now``; long past if there is none."""
        return self.ends_at - _seconds(self._sent - self._guarded) if self._guarded else 0.0

    def append(
        self,
        audio: bytes,
        text: str,
        spans: Sequence[tuple[int, int]] = (),
        *,
        is_guarded: bool = False,
    ) -> None:
        """More of the reply, of any length, in pieces if ``spans`` are given: see AudioProduced."""
        self._placed = None
        if is_guarded and audio:
            self._guarded = len(self._audio) + len(audio)
        start, at = len(self._audio), 0
        for characters, size in spans or [(len(text), len(audio))]:
            self._begin(text[at : at + characters], start)
            at += characters + 1
            start += size
        self._audio += audio

    def _begin(self, text: str, start: int) -> None:
        """Text begins to be spoken at this byte."""
        if text.strip():
            if self._spans and self._spans[-1].start == start:
                text = f"{self._spans.pop().text} {text}"  # that text came without audio
            self._spans.append(Span(text, start))

    def bridge(self, audio: bytes) -> None:
        """A line that bridges a gap: heard, but no part of what is said."""
        if audio:
            self._placed = None
            self._spans.append(Span("", len(self._audio)))
            self._audio += audio

    def finish(self) -> None:
        """No more will come: fill up the last frame."""
        self._finished, self._placed = True, None
        self._audio += _SILENCE * (-len(self._audio) % FRAME_BYTES)

    def release(self, now: float) -> list[Effect]:
        """What can be sent now: whole frames, with a mark after each stretch and, if the reply is
        finished, after its last frame."""
        effects: list[Effect] = []
        end = len(self._audio) - len(self._audio) % FRAME_BYTES
        if self._sent < end:
            self.ends_at = max(now, self.ends_at) + _seconds(end - self._sent)
            at_once = max(now, self._ends_unless_late) + _seconds(end - self._sent)
            self._ends_unless_late = at_once
        while self._sent < end:
            stop = min(end, self._marked + self._mark_every)
            effects.append(
                SendAudio(self._reply, self._sent, bytes(self._audio[self._sent : stop]))
            )
            self._sent = stop
            if stop - self._marked == self._mark_every:
                effects.append(self._mark())
        if self._finished and self._marked < self._sent:
            effects.append(self._mark())
        return effects

    @property
    def has_unmarked(self) -> bool:
        """Whether the last of what was sent has no mark, since more was to follow at once."""
        return self._marked < self._sent

    def mark_rest(self) -> list[Effect]:
        """A mark for it, as nothing followed."""
        return [self._mark()] if self.has_unmarked else []

    def _mark(self) -> SendMark:
        name = f"{self._reply}.{self._generation}.{self._sent // FRAME_BYTES}"
        self._marked = self._pending[name] = self._sent
        return SendMark(name)

    def acknowledge(self, mark: str, now: float) -> bool:
        """The carrier echoed a mark; False if it is not one of those that we wait for."""
        position = self._pending.get(mark)
        if position is None:
            return False
        self._pending = {name: at for name, at in self._pending.items() if at > position}
        self._heard = position
        self._surely = max(self._surely, position)
        self.ends_at = now + _seconds(self._sent - position)
        self._late = max(0, _bytes(self.ends_at - self._ends_unless_late))
        return True

    def assume_played(self) -> None:
        """The marks are too late: take all that was sent as played."""
        self._pending.clear()
        self._heard = self._sent
        self._surely = max(self._surely, self._sent)

    def hold(self, now: float) -> None:
        """Playback stops now: settle what was heard, and forget the marks on their way. From here
        the reply is rewound, or over."""
        first_owed = min(self._pending.values(), default=self._sent)
        surely = min(first_owed, self._position(self.ends_at, now))
        likely = min(surely + self._late // 2, self._position(self._ends_unless_late, now))
        self._surely = max(self._surely, surely)
        self._heard = max(self._heard, likely)
        self._pending.clear()
        self._generation += 1
        self.ends_at = self._ends_unless_late = now

    def _position(self, ends_at: float, now: float) -> int:
        """What is played now, if what was sent ends then."""
        return self._sent - max(0, _bytes(ends_at - now))

    def rewind(self) -> None:
        """Go back to the beginning of the first word that was not heard to its end. A word that
        lacks next to nothing is gone on with."""
        self._furthest = max(self._heard, self._furthest)
        reached = self._furthest + NEXT_TO_NOTHING
        begins = (word.begin for word in self._words() if word.end > reached)
        start = min(self._heard, next(begins, self._heard))
        self._heard = self._sent = self._marked = start - start % FRAME_BYTES

    def _was_heard(self, word: Spoken) -> bool:
        """To its end."""
        return word.end <= max(self._heard, self._furthest)

    def heard_text(self) -> str:
        """The words that were heard to their end."""
        return " ".join(word.text for word in self._words() if self._was_heard(word))

    def unheard_text(self) -> str:
        """The rest of what was produced."""
        return " ".join(word.text for word in self._words() if not self._was_heard(word))

    def begun_text(self) -> str:
        """The words of which at least the beginning was sent: what may echo on the line."""
        return " ".join(word.text for word in self._words() if word.begin < self._sent)

    def _words(self) -> list[Spoken]:
        if self._placed is None:
            self._placed = place_words(self._spans, self._audio, self._finished)
        return self._placed
