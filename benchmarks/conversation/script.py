"""What happens in a call: one dataclass for each thing that a caller does. Pure data.

Texts are what is said. A number between two texts is a pause: seconds of silence in mid-turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tests.simulators.line import CLEAN_LINE, LineConditions

Part = str | float
"""Words that are said in one go, or a pause in seconds."""


class Kind(Enum):
    """What a sound of the caller's is, and so what the agent should do about it."""

    TURN = "turn"  # listen to its end, then answer
    KEYS = "keys"  # the same, but pressed on the telephone
    PATIENCE = "patience"  # "just a second": listen, and do not ask again soon
    INTERRUPTION = "interruption"  # stop, listen to its end, then answer
    COMMAND = "command"  # "stop", "wait": stop at once
    BACKCHANNEL = "backchannel"  # speak on
    COUGH = "cough"  # speak on
    NOISE = "noise"  # speak on
    CROSS_TALK = "cross-talk"  # somebody else in the room: speak on

    @property
    def takes_the_floor(self) -> bool:
        """Whether the caller wants the agent to be silent, and to answer."""
        return self not in _ASIDES


_ASIDES = {Kind.BACKCHANNEL, Kind.COUGH, Kind.NOISE, Kind.CROSS_TALK}


@dataclass(frozen=True, slots=True)
class Turn:
    """The caller says something that wants an answer, or presses keys: then ``parts`` are those.

    ``over_s``: not in silence, but when so much of the agent's present speech has been heard.
    ``asks``: what the agent's answer asks for (``phone``, ``email``, ``name``, ``date``,
    ``yes_no``), so what the caller's next turn should be; "" is nothing in particular.
    """

    parts: tuple[Part, ...]
    answer: str
    asks: str = ""
    over_s: float | None = None
    kind: Kind = Kind.TURN


@dataclass(frozen=True, slots=True)
class Aside:
    """A sound that wants no answer. ``over_s`` as in ``Turn``; None: while nobody speaks.

    ``sound`` is one of ``noises``, or "" for the words of ``text``. ``gain_db`` is against the
    caller's usual level. ``heard_as``: what a recogniser makes of it, if not its words.
    """

    kind: Kind
    text: str = ""
    sound: str = ""
    over_s: float | None = None
    gain_db: float = 0.0
    voice: str = ""
    heard_as: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The caller says nothing for so many seconds."""

    seconds: float


Step = Turn | Aside | Wait


@dataclass(frozen=True, slots=True)
class Bed:
    """A noise under the whole call, ``snr_db`` under the caller's voice."""

    noise: str
    snr_db: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One call. ``family`` groups calls in the report.

    ``asks``: what the greeting asks for. ``echo_db``: the agent's own voice comes back on the
    line, by so much softer than the caller. ``aligned``: the voice tells which word is where, as
    ElevenLabs does; otherwise only which phrase. ``echo_late_s``: how late marks are echoed.
    ``line``: what becomes of the caller's packets on their way.
    """

    name: str
    family: str
    steps: tuple[Step, ...]
    voice: str = "heart"
    greeting: str = "Hello, this is the Blue Door. How can I help you?"
    asks: str = ""
    bed: Bed | None = None
    echo_db: float | None = None
    aligned: bool = True
    echo_late_s: float = 0.0
    line: LineConditions = CLEAN_LINE


def turn(*parts: Part, answer: str = "Of course. What else?", asks: str = "") -> Turn:
    """A turn that is said in silence."""
    return Turn(parts, answer, asks)


def over(
    over_s: float,
    *parts: Part,
    answer: str = "Of course. Go ahead.",
    kind: Kind = Kind.INTERRUPTION,
) -> Turn:
    """A turn that begins when ``over_s`` of the agent's present speech were heard."""
    return Turn(parts, answer, "", over_s, kind)
