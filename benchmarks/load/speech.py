"""What the callers say: a human sentence that stops at once, so that its end is no matter of taste.

The recording is cut in the middle of a vowel: its last frame is as loud as the others and ends with
a loud sample. A detector still needs some frames to notice; how many is found out here, with the
server's own detector and the same frames, and is reported beside the figures.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from statistics import mode

import numpy as np

from services.audio.models import ModelMissing
from services.audio.mulaw import FRAME_BYTES, FRAME_MS
from services.audio.segmenter import VAD_SILENCE_MS, Segmenter
from services.audio.silero import Silero
from services.audio.vad import make_vad
from services.call.events import SpeechStopped
from tests.simulators.mulaw import SILENCE, decode, encode
from tests.speech import frames, prompt

PROMPT = "vm-nobodyavail"
FROM_MS, TO_MS = 60, 2160
"""What is used of it: "Nobody is available to take your call at the mo"."""

_TRIES = 12
_PAUSES = (50, 97, 211)  # frames of silence between two tries


@dataclass(frozen=True, slots=True)
class Speech:
    """The sentence as payloads of 20 ms, in base64, and what is known of its end."""

    payloads: tuple[bytes, ...]
    silence: bytes
    last_frame_rms: int
    """Loudness of its last frame, of 32768."""
    noticed_after_ms: int
    """Silence after which the server's detector has its first silent frame, less one frame."""
    noticed_alike: int
    """In how many of a hundred tries it is so."""


def load() -> Speech:
    """The sentence; takes a second, since the detector is tried on it."""
    pcm = np.frombuffer(prompt(PROMPT), dtype="<i2")[FROM_MS * 8 : TO_MS * 8]
    cut = frames(encode(pcm))
    noticed = _noticed(cut)
    usual = mode(noticed)
    return Speech(
        payloads=tuple(base64.b64encode(frame) for frame in cut),
        silence=base64.b64encode(SILENCE * FRAME_BYTES),
        last_frame_rms=round(float(np.sqrt(np.mean(decode(cut[-1]).astype(np.float64) ** 2)))),
        noticed_after_ms=usual,
        noticed_alike=round(100 * noticed.count(usual) / len(noticed)),
    )


def _noticed(sentence: list[bytes]) -> list[int]:
    """The silence until the utterance's end is certain, beyond the one that is configured, ms."""
    try:
        segmenter = Segmenter(make_vad(Silero()))
    except ModelMissing:  # the server will do without it as well
        segmenter = Segmenter(make_vad(None))
    silence, found = SILENCE * FRAME_BYTES, []
    for attempt in range(_TRIES):
        for frame in [silence] * _PAUSES[attempt % len(_PAUSES)] + sentence:
            segmenter.hear(frame)
        for quiet in range(1, 50):
            if isinstance(segmenter.hear(silence), SpeechStopped):
                found.append(quiet * FRAME_MS - VAD_SILENCE_MS)
                break
    return found
