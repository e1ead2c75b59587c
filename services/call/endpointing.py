"""Is the caller's turn over, and do these words take the turn? Small pure functions.

Time here is silence: the caller's last voiced frame plus a wait. Words decide the rest.
"""

from __future__ import annotations

import re

from services.call.timings import Timings

_WORD = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?")

_BACKCHANNELS = frozenset(
    {"ah", "aha", "alright", "hm", "hmm", "huh", "i", "mhm", "mm", "mmhm", "mmhmm", "mmm", "oh"}
    | {"ok", "okay", "right", "see", "sure", "uh", "uhhuh", "um", "yeah", "yep", "yes"}
)
"""Words that mean "I am listening". A caller who says only these does not want the turn."""


def endpoint_at(now: float, silence_ms: int, timings: Timings) -> float:
    """When the turn ends if the caller stays silent: seconds on the clock of ``now``.

    ``silence_ms`` is the silence that has already passed when the pause is reported.
    """
    return now + max(0, timings.turn_silence_ms - silence_ms) / 1000


def fill_at(now: float, spoke_until: float, timings: Timings) -> float:
    """When a late answer is bridged, if its turn ended ``now``: the caller has waited since the
    last word, whoever was slow. An answer is given a moment all the same."""
    patient = now + timings.fill_after_ms / 1000
    waited_enough = spoke_until + (timings.fill_after_ms + 550) / 1000
    return min(patient, max(waited_enough, now + 0.3))


def has_words(text: str) -> bool:
    """Whether a transcript holds a letter or a digit at all."""
    return any(character.isalnum() for character in text)


def is_backchannel(text: str) -> bool:
    """Whether a transcript is nothing but "mhm", "okay", "right" and the like."""
    found = _WORD.findall(text.lower().replace("-", ""))
    return bool(found) and all(word in _BACKCHANNELS for word in found)


def takes_the_turn(text: str, unheard_ms: float, timings: Timings) -> bool:
    """Whether these words, said over the agent, take the turn from it.

    ``unheard_ms`` is what the agent still had to say. Near its end "yes" is an answer.
    """
    if not has_words(text):
        return False
    return not is_backchannel(text) or unheard_ms <= timings.barge_in_tail_ms
