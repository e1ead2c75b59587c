"""One caller, without a socket: says the sentence, listens to the answer, pauses, says it again.

Pure: all times are arguments, in seconds on one clock. What is heard is measured where Twilio plays
it: audio is played in the order of its arrival, each piece when the one before it has ended.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

from benchmarks.load.speech import Speech
from tests.simulators.mulaw import quiet_codes

PATIENCE_S = 10.0
"""How long a caller waits for the first sound of an answer before asking again."""
PAUSE_S = (0.4, 0.8)
"""Between the end of an answer and the next sentence; it also tells a hole from an end."""
HOLE_S = 0.02
"""A shorter interruption of the playback is not counted."""
OPENING_BYTES = 4000
"""As much of an answer is kept as tells which one it is: half a second."""

_BYTES_PER_S = 8000
_QUIET = quiet_codes(peak=330)  # about -40 dBFS


@dataclass(slots=True)
class Turn:
    """One question and its answer.

    ``asked_at``: when the frame with the last sample of the sentence left the phone.
    ``heard_at``: when the first loud sample of the answer was played; 0 until then.
    ``opening``: the answer's audio from there on, half a second of it or more.
    """

    asked_at: float
    heard_at: float = 0.0
    opening: bytes = b""


@dataclass(frozen=True, slots=True)
class Hole:
    """The playback ran dry in the middle of a reply."""

    at: float
    seconds: float


@dataclass(slots=True)
class Heard:
    """What a caller noted down."""

    turns: list[Turn] = field(default_factory=list)
    holes: list[Hole] = field(default_factory=list)
    unanswered: list[float] = field(default_factory=list)
    """When a caller lost patience."""


class Caller:
    """Begins by listening to the greeting."""

    def __init__(self, speech: Speech, dice: random.Random, now: float) -> None:
        self.heard = Heard()
        self._speech = speech
        self._dice = dice
        self._saying: int | None = None  # the next payload of the sentence
        self._waits_since: float | None = now  # for the first sound of a reply
        self._pause = dice.uniform(*PAUSE_S)
        self._played = now  # when everything that has come in will have been played
        self._marks: deque[tuple[float, str]] = deque()

    def next_payload(self, now: float) -> bytes:
        """The 20 ms of audio, in base64, that leave the phone now."""
        if self._saying is None:
            if not self._wants_to_speak(now):
                return self._speech.silence
            self._saying = 0
        payload = self._speech.payloads[self._saying]
        self._saying += 1
        if self._saying == len(self._speech.payloads):
            self._saying = None
            self._waits_since = now
            self._pause = self._dice.uniform(*PAUSE_S)
            self.heard.turns.append(Turn(now))
        return payload

    def _wants_to_speak(self, now: float) -> bool:
        if self._waits_since is None:
            return now >= self._played + self._pause
        if now < self._waits_since + PATIENCE_S:
            return False
        self.heard.unanswered.append(now)
        return True

    def media(self, now: float, audio: bytes) -> None:
        """Audio of the agent came in at ``now``."""
        begins, dry = max(now, self._played), now - self._played
        self._played = begins + len(audio) / _BYTES_PER_S
        turn = self.heard.turns[-1] if self.heard.turns else None
        if self._waits_since is None:
            if dry > HOLE_S:
                self.heard.holes.append(Hole(now, dry))
            if turn and len(turn.opening) < OPENING_BYTES:
                turn.opening += audio
        elif loud := audio.lstrip(_QUIET):
            self._waits_since = None
            if turn:
                turn.heard_at = begins + (len(audio) - len(loud)) / _BYTES_PER_S
                turn.opening = loud

    def mark(self, now: float, name: str) -> None:
        """A mark came in: it is reached when all audio before it has been played."""
        self._marks.append((max(now, self._played), name))

    def reached(self, now: float) -> list[str]:
        """The marks to echo now."""
        names = []
        while self._marks and self._marks[0][0] <= now:
            names.append(self._marks.popleft()[1])
        return names

    def clear(self, now: float) -> list[str]:
        """The queue is emptied; returns the marks to echo, which are all."""
        self._played = min(self._played, now)
        names = [name for _, name in self._marks]
        self._marks.clear()
        return names
