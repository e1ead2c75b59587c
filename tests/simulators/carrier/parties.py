"""The people on the telephones, and the trouble that the network has. Pure.

All times are seconds of the telephone network: see the package's word on time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.simulators.script import ExpectHangUp, Say, Script, Wait

BEEP = "(beep)"
"""Said by a party, it is a tone of half a second."""


class Answers(Enum):
    """What a telephone does when it rings."""

    PICKS_UP = "picks up"
    BUSY = "busy"
    RINGS_ON = "rings on"
    REFUSES = "refuses"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Words:
    """Spoken into a ``<Record>``: a text, or mu-law 8 kHz; then a key, or the receiver put down."""

    words: str | bytes
    then_key: str = ""
    then_hangs_up: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with a telephone, and everything that they will do.

    ``answers`` after ringing for ``rings_s``. ``scripts``: one for each media stream, in order; a
    party hangs up at the end of a script unless the server has ended the stream, and with no script
    left it listens. ``keys``: pressed at each ``<Gather>``, after its prompts; ``says``: at each
    ``<Record>``; with none left, nothing.

    ``talks_s``: hangs up so long after being connected to another party; if neither is told when,
    it is the called one, after 30 s. ``waits_s``: hangs up if a
    ``<Dial>`` rings longer. ``hangs_up_s``: hangs up so long after the call began (for a caller),
    or after picking up. ``is_machine``, ``verdict_s``: what detection finds, and how soon.
    """

    answers: Answers = Answers.PICKS_UP
    rings_s: float = 2.0
    scripts: Sequence[Script] = ()
    keys: Sequence[str] = ()
    says: Sequence[Words | str | bytes] = ()
    talks_s: float = math.inf
    waits_s: float = math.inf
    hangs_up_s: float = math.inf
    is_machine: bool = False
    verdict_s: float = 2.0


def machine(
    greeting: str = "Please leave a message.",
    *,
    beep: bool = True,
    greeting_s: float = 4.0,
    listens_s: float = 120.0,
) -> Party:
    """An answering machine: it says its greeting, beeps, and listens until we hang up.

    The end of the greeting is detected after ``greeting_s``.
    """
    said = [Say(greeting)] + ([Say(BEEP)] if beep else [])
    return Party(
        scripts=[[Wait(0.5), *said, ExpectHangUp(listens_s)]],
        is_machine=True,
        verdict_s=greeting_s,
        talks_s=listens_s,
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the REST interface that is none of the usual ones.

    ``delay_s``: before it; ``status`` 0: the connection is closed without an answer.
    ``is_done``: what was asked for is done all the same, as when only the answer is lost.
    """

    status: int
    code: int = 0
    message: str = "refused by the test"
    delay_s: float = 0.0
    is_done: bool = False


@dataclass(slots=True)
class Trouble:
    """What goes wrong in the network. All of it may be changed while it runs.

    ``webhooks_twice``: each voice webhook is posted twice, and the second answer counts.
    ``status_twice``; ``status_delay_s``: by event (``answered``), so that they come out of order.
    ``not_ready``: so many downloads of each recording find nothing (404). ``refusals``: the next
    answers to REST requests that change something, in order; None lets one through.
    ``texts_refused``: error codes, by the number that is written to.
    """

    webhooks_twice: bool = False
    status_twice: bool = False
    status_delay_s: Mapping[str, float] = field(default_factory=dict)
    not_ready: int = 0
    refusals: list[Refusal | None] = field(default_factory=list)
    texts_refused: Mapping[str, int] = field(default_factory=dict)
